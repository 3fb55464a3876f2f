"""Base class of rankers: groups, scores and metrics."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from skmetric._all_or_nothing import all_or_nothing
from skmetric._checks import check_training_weights
from skmetric._core.engine import TrainedNetwork
from skmetric._core.nn import Columns
from skmetric._group_column import (
    GroupCarrier,
    column_index,
    declines_groups,
    is_absent,
    refuse_groups_twice,
    warn_of_feature,
    warn_of_no_groups,
    without_column,
)
from skmetric._scorer import NothingToScoreError, score_or_zero
from skmetric._sklearn_compat import Interval, fit_context
from skmetric._values import check_numbers, read_labels, refuse_masked
from skmetric._warnings import warn_caller
from skmetric.estimators._base import TABLE_DTYPES, Head, Judge, TorchEstimator
from skmetric.estimators._target_units import TargetUnits
from skmetric.estimators.ranking._data import ListBatching, RankedItems, list_of_each
from skmetric.estimators.ranking._losses import RankingLoss
from skmetric.estimators.ranking._objectives import ListObjective
from skmetric.estimators.training_data import Batches, Given, Indices, Prepared
from skmetric.metrics.by_name import RankMetric, rank_metric, refused_grade

__all__ = ["Ranker", "RankerChoice"]


@dataclass(frozen=True, eq=False)
class RankerChoice:
    """What a ranker resolves from its data.

    Attributes
    ----------
    metric : RankMetric
        Metric of early stopping.
    units : TargetUnits, optional
        Units in which the relevance is learned.
    """

    metric: RankMetric
    units: TargetUnits | None = None


class Ranker(GroupCarrier, TorchEstimator[RankedItems, RankerChoice]):
    """Fit on rows in groups, and compute scores of rows and a metric over groups.

    A subclass defines ``_losses`` (its table of losses) and ``_max_list_length`` (maximum length of a list).
    """

    n_components: int | None
    loss: str
    metric: str
    group_column: str | int | None
    unlabeled: Any

    _losses: ClassVar[Mapping[str, RankingLoss]]

    _ranker_constraints: ClassVar[dict[str, list]] = {
        **TorchEstimator._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "metric": [str],
        "group_column": [str, Integral, None],
        "unlabeled": [object],
    }

    # Requested by default: a search or a Pipeline then routes groups without set_fit_request or set_score_request.
    __metadata_request__fit: ClassVar = {"groups": True}
    __metadata_request__score: ClassVar = {"groups": True}

    @all_or_nothing
    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        groups_val: ArrayLike | None = None,
    ) -> Self:
        """Learn scores that order the rows of each group by relevance.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows. PairwiseRanker also takes pairs of points, shape (n_pairs, 2, n_features).
        y : array-like of shape (n_samples,)
            The relevance of each row. Rows of higher relevance should rank first within their group. Rows whose
            relevance equals ``unlabeled`` are not ranked. For pairs, 1 if the first point wins, -1 if the second wins,
            0 for a tie; None if the first wins in all.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights. Within a group, a weight of 2 counts as two equal rows. The weight of a group is the
            mean weight of its rows.
        groups : array-like of shape (n_samples,), optional
            The group of each row: ids of any kind, in any order. With metadata routing, they are requested by default.
            To rank all rows as one list, pass the same id for every row. For pairs, groups have no effect here: they
            serve only the splitter of a search, for example to keep the pairs of an annotator together.
        X_val, y_val, groups_val : array-like, optional
            Rows, relevance and groups for early stopping. They replace the groups held out from ``X`` and need
            ``early_stopping=True``. A Pipeline transforms ``X_val`` only with ``transform_input=["X_val"]``.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input is invalid, or training diverges: the loss becomes NaN or infinite, or outputs for training
            rows become implausibly large. The estimator is then unchanged.

        Warns
        -----
        UserWarning
            If there are no groups: all rows are then one list. If ``groups_val`` holds ids of ``groups``. If ``metric``
            cannot score ``y``; if the ``group_column`` looks like a feature; or if ``X_val`` has another scale than
            ``X``. If the values of a column differ only by rounding errors: it is then ignored, as a constant column
            is.
        """
        return self._fit(
            Given.of(X, y, sample_weight=sample_weight, groups=groups, X_val=X_val, y_val=y_val, groups_val=groups_val)
        )

    def predict(self, X: ArrayLike) -> NDArray:
        """Compute the scores of rows. Rows of higher score rank first within their group.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            One score per row, comparable within a group.
        """
        return self.score_samples(X)

    def score_samples(self, X: ArrayLike) -> NDArray[np.floating]:
        """Compute the scores of rows, also after ``fit`` on pairs.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            One score per row. Rows of higher score rank first.
        """
        check_is_fitted(self)
        return self._scores(self._points(X))

    def score(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
    ) -> float:
        """Compute the mean over groups of the ``metric`` of the estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,)
            The relevance of each row. Rows whose relevance equals ``unlabeled`` are left out.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights. The weight of a group is the mean weight of its rows.
        groups : array-like of shape (n_samples,), optional
            The group of each row. Required if ``fit`` had groups, unless ``X`` has the ``group_column``.

        Returns
        -------
        score : float
            The mean of the metric. Higher is better. Without groups, all rows are one list. It is 0 if no group can be
            scored.

        Raises
        ------
        ValueError
            If ``fit`` had groups and ``score`` has none, or if the metric cannot score ``y``.

        Warns
        -----
        UndefinedMetricWarning
            If no group can be scored: for NDCG, MRR and MAP if no row is relevant, for the others if no group has two
            rows of different relevance.
        """
        check_is_fitted(self)
        given = Given.of(X, y, sample_weight=sample_weight, groups=groups)
        return score_or_zero(lambda: self._score(given), owner="")

    def _score(self, given: Given) -> float:
        items = self._read_as(given, self._fitted_tuple_size, reset=False)
        self._check_score_has_groups(items.has_groups)
        metric = self._metric(items)
        self._refuse_grades(items, metric)
        is_weighted = "sample_weight" in given.metadata
        return items.judge(self._scores(items.columns), metric=metric, weighted=is_weighted, owner=type(self).__name__)

    def is_labeled(self, y: ArrayLike) -> NDArray[np.bool_]:
        """Return which rows have a relevance. Scorers leave out the others.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            The relevance of each row.

        Returns
        -------
        is_labeled : ndarray of bool, shape (n_samples,)
            Whether each value differs from ``unlabeled``.
        """
        return read_labels(y, "y", self.unlabeled)[1].reshape(-1)

    def _split(
        self, data: RankedItems, given: Given, seed: np.random.SeedSequence
    ) -> tuple[Indices, RankedItems | None]:
        train, held_out = super()._split(data, given, seed)
        if "X_val" in given.metadata and data.has_groups:
            self._warn_of_shared_groups(given)
        return train, held_out

    def _warn_of_shared_groups(self, given: Given) -> None:
        trained, judged = (
            np.unique(np.asarray(self._ids(X, given.metadata.get(groups)))).tolist()
            for X, groups in ((given.X, "groups"), (given.metadata["X_val"], "groups_val"))
        )
        shared = set(trained) & set(judged)
        # One id for every row is how users ask for one list.
        if shared and len(trained) > 1:
            warn_caller(
                f"groups of the validation set should be new, got {len(shared)} of {len(judged)} ids that the training "
                f"rows have, too, such as {min(shared)!r}: early stopping then scores groups that it trains on. Hold "
                "out whole groups; if equal ids mean different groups, give them different ids."
            )

    def _read(self, given: Given, like: RankedItems | None = None) -> RankedItems:
        if like is None:
            rank_metric(self.metric)  # raises for an unknown name before all other checks
            return self._read_as(given, self._tuple_size_of(given.X), reset=True)
        items = self._read_as(given, like.tuple_size, reset=False, ties=like.outcome_kind.have_ties)
        if like.has_groups and not items.has_groups:
            raise ValueError("groups_val must be given if fit has groups, got None. Pass the groups of X_val.")
        return items

    def _read_as(self, given: Given, tuple_size: int | None, *, reset: bool, ties: bool = False) -> RankedItems:
        """Check all arguments; with ``reset``, the columns of X become those that later data must have.

        ``ties`` is for pairs: 0 is known to mean a tie.
        """
        groups = given.metadata.get("groups")
        if given.y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None. Pass the relevance of rows."
            )
        if self.group_column is not None:
            self._check_groups_once(given.X, groups, self.group_column, reset=reset)
        grades, is_judged = read_labels(given.y, "y", self.unlabeled)
        points, relevance = self._read_relevance(given.X, check_numbers(grades, "y"), reset=reset)
        ids = self._ids(given.X, groups)
        lists = np.zeros(len(points), dtype=np.intp) if ids is None else list_of_each(ids, len(points))
        if reset and ids is not None and self.group_column is not None:
            warn_of_feature(np.asarray(ids), lists, self.group_column, type(self).__name__)
        weights = check_training_weights(given.metadata.get("sample_weight"), len(points), groups=lists)
        items = RankedItems(Columns(points), relevance, weights, lists, has_groups=ids is not None)
        if is_judged.all():
            return items
        if not weights[is_judged.reshape(-1)].any():
            raise NothingToScoreError(
                f"{type(self).__name__}: y must hold a labeled row with a positive weight, got none in {len(points)} "
                f"rows, because unlabeled={self.unlabeled!r}.",
                "Pass labeled rows, or change unlabeled.",
            )
        return items.leave_out(~is_judged.reshape(-1))

    def _check_groups_once(self, X: Any, groups: ArrayLike | None, column: str | int, *, reset: bool) -> None:
        """Raise if groups are given twice, or not at all. Only after ``fit``, a named column may be absent."""
        absent = not reset and is_absent(X, column)
        if groups is not None and not absent:
            refuse_groups_twice(column)
        if groups is None and absent:
            raise ValueError(
                f"groups must be given if X has no column {column!r}, the group_column, got neither. Pass X "
                "with this column, or the groups. Only predict, score_samples and transform need no groups."
            )

    def _read_relevance(self, X: Any, y: ArrayLike, *, reset: bool) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
        if self.group_column is None:
            points, y = self._check_input(X, y, reset=reset, ensure_min_samples=2, y_numeric=True)
            return points, np.asarray(y, dtype=np.float64)
        points = self._read_points(X, reset=reset)
        relevance = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
        if relevance.shape != (len(points),):
            raise ValueError(
                f"y must hold one relevance per row, shape ({len(points)},), got shape {relevance.shape}. Pass the "
                "relevance of each row."
            )
        return points, relevance

    def _read_points(self, X: Any, *, reset: bool) -> NDArray[np.floating]:
        """Check rows, without the group column."""
        if self.group_column is None:
            rows: NDArray[np.floating] = self._check_input(X, reset=reset)
            return rows
        refuse_masked(X, "X")
        # The ids may be strings, so with this column only the names and the number of columns are checked.
        if not reset and is_absent(X, self.group_column):
            validate_data(self._without_group_column(), X, reset=False, skip_check_array=True)
            others = X
        else:
            index = column_index(X, self.group_column)
            validate_data(self, X, reset=reset, skip_check_array=True)
            others = without_column(X, index)
        with np.errstate(over="ignore", invalid="ignore"):
            return check_array(others, dtype=TABLE_DTYPES, order="C", input_name="X")

    def _without_group_column(self) -> Self:
        """Return a copy of the ranker that was fitted, as far as checks can see, on a table without this column."""
        other = copy(self)
        other.n_features_in_ = self.n_features_in_ - 1
        vars(other)["feature_names_in_"] = np.array(self._column_names(), dtype=object)
        return other

    def _column_names(self) -> list[Any]:
        names = super()._column_names()
        if self.group_column is None:
            return names
        if isinstance(self.group_column, str):
            return [name for name in names if name != self.group_column]
        others: list[Any] = np.delete(np.array(names, dtype=object), self.group_column).tolist()
        return others

    def _tuple_size_of(self, X: Any) -> int | None:
        """Return 2 if X holds pairs, for a ranker that learns from pairs."""
        return None

    @property
    def _fitted_tuple_size(self) -> int | None:
        return None

    def _choose(self, data: RankedItems, train: Indices, last: RankerChoice | None) -> RankerChoice:
        return RankerChoice(self._metric(data))

    def _check_choice(self, data: RankedItems, choice: RankerChoice) -> None:
        if data.has_groups or data.tuple_size is not None or declines_groups(self):
            return
        in_parts = "" if self._max_list_length() is None else " (in random parts of at most max_group_size rows)"
        warn_of_no_groups(type(self).__name__, in_parts)

    def _head(self, data: RankedItems, choice: RankerChoice, input_width: int) -> Head:
        return self._scored_head(self.n_components, input_width, n_scores=1)

    def _batching(self, choice: RankerChoice) -> ListBatching:
        is_graded = self._losses[self.loss].uses_gain
        return ListBatching(self.batch_size, self._max_list_length(), is_graded, choice.units)

    def _objective(
        self, data: RankedItems, choice: RankerChoice, batches: Batches
    ) -> tuple[ListObjective, dict[str, float]]:
        loss, metric = self._losses[self.loss], rank_metric(self.metric)
        options: list[tuple[str, Any]] = []
        if loss.uses_gain:
            self._check_gains(data, metric.gain)
            options.append(("gain", metric.gain))
        if loss.uses_cut:
            options.append(("k", metric.k))
        self._warn_of_grades(data, choice.metric)
        return ListObjective(loss.function, tuple(options)), {name: float(getattr(self, name)) for name in loss.numbers}

    def _check_gains(self, data: RankedItems, gain: str) -> None:
        refused = refused_grade(data.relevance, gain, "use another loss", data.rows)
        if refused is not None:
            raise ValueError(
                f"{type(self).__name__}: y must hold grades for loss={self.loss!r}, which uses the gains of NDCG: "
                f"{refused}"
            )

    def _refuse_grades(self, data: RankedItems, metric: RankMetric) -> None:
        refused = data.refused_by(metric)
        if refused is not None:
            raise ValueError(
                f"{type(self).__name__}: metric must be defined for these rows, got metric={metric.name!r}: {refused}"
            )

    def _warn_of_grades(self, data: RankedItems, metric: RankMetric) -> None:
        refused = data.refused_by(metric)
        if refused is not None:
            warn_caller(
                f"{type(self).__name__}: score will raise an error for such y, and all scores of a search will be NaN, "
                f"because metric={metric.name!r} is not defined for it. {refused}"
            )

    def _validation(self, held_out: RankedItems, choice: RankerChoice) -> tuple[Columns, Judge]:
        self._refuse_grades(held_out, choice.metric)
        labeled = held_out.labeled()
        judge = partial(labeled.judge_outputs, metric=choice.metric, owner=type(self).__name__)
        try:
            # If the metric raises for these rows, it raises before training.
            judge(np.zeros((len(labeled.columns), 1)))
        except NothingToScoreError as error:
            raise ValueError(
                f"{error.reason} Pass such groups as X_val, y_val and groups_val, or set early_stopping=False."
            ) from None
        return labeled.columns, judge

    def _largest_output(self, prepared: Prepared[RankedItems, RankerChoice]) -> float:
        # The margin, if the loss has one, is the unit of scores.
        return super()._largest_output(prepared) * max([1.0, *prepared.plan.hyperparameters.values()])

    def _fitted_attributes(
        self, network: TrainedNetwork, prepared: Prepared[RankedItems, RankerChoice]
    ) -> dict[str, Any]:
        return {**super()._fitted_attributes(network, prepared), "has_groups_": prepared.data.has_groups}

    def _points(self, X: Any) -> Columns:
        return Columns(self._read_points(X, reset=False))

    def _scores(self, columns: Columns) -> NDArray[np.float32]:
        return self._network.apply(columns, self.device)[:, 0]

    def _metric(self, data: RankedItems) -> RankMetric:
        return rank_metric(self.metric if data.tuple_size is None else "pairwise_accuracy")

    def _max_list_length(self) -> int | None:
        """Return the maximum length of a list; None if the loss treats each row separately."""
        return None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
