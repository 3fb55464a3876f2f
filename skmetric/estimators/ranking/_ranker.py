"""What rankers share: groups, scores and how they are judged."""

from functools import partial
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skmetric._core.engine import FitPlan, FitResult, Stream, Validation, open_stream
from skmetric._sklearn_compat import fit_context
from skmetric.estimators._base import all_or_nothing
from skmetric.estimators._linear_head import LastLayerMixin
from skmetric.estimators._validation import is_given
from skmetric.estimators.ranking._data import (
    check_points,
    column_place,
    column_values,
    hold_out,
    item_values,
    list_sampler,
    read_rows,
    row_weights,
)
from skmetric.estimators.ranking._metric import rank_metric
from skmetric.estimators.ranking._objectives import GRADED, ListObjective, RankedItems
from skmetric.metrics._lists import group_codes

__all__ = ["RankerMixin"]


class RankerMixin(LastLayerMixin):
    """Fit on rows in groups, score rows, and be scored group by group.

    A ranker says in ``_objective`` which loss it trains with, in ``_hyperparameters`` which numbers enter it, and in
    ``_is_pointwise`` whether the loss looks at lists at all.
    """

    _ranker_constraints: ClassVar[dict[str, list]] = {
        **LastLayerMixin._last_layer_constraints,
        "metric": [str],
        "group_column": [str, Integral, None],
    }

    # Asked for by default: a search or a Pipeline routes groups without a set_*_request.
    __metadata_request__fit: ClassVar = {"groups": True}
    __metadata_request__score: ClassVar = {"groups": True}

    _is_pointwise: ClassVar[bool] = False

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
        """Learn to score the rows of a group in the order of their relevance.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows, converted to float32.
        y : array-like of shape (n,)
            Their relevance: the higher, the higher a row is to rank within its group.
        sample_weight : array-like of shape (n,), optional
            Not negative. Within a group, a weight of 2 counts as the same row twice; a group weighs as much as its
            rows on average.
        groups : array-like of shape (n,), optional
            The group of each row: ids of any kind, in any order. Requested by default where metadata is routed.
        X_val, y_val, groups_val : array-like, optional
            Rows, relevance and groups to stop early by, in place of groups held out from X; they need
            ``early_stopping=True``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For bad input, and when the loss becomes NaN or infinite. The estimator is then as it was before.

        Warns
        -----
        UserWarning
            When there are no groups, and more rows than one list holds.
        """
        plan = self._plan(X, y, sample_weight, groups=groups, X_val=X_val, y_val=y_val, groups_val=groups_val)
        self._finish(plan, self._train(plan))
        return self

    def predict(self, X: ArrayLike) -> NDArray:
        """Score rows: the higher, the higher a row ranks within its group.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n,), float32
            Comparable within a group.
        """
        return self.score_samples(X)

    def score_samples(self, X: ArrayLike) -> NDArray[np.floating]:
        """Score rows, whatever the ranker was fitted on.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n,), float32
            Higher ranks first.
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
        """Mean over groups of the estimator's ``metric``.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows.
        y : array-like of shape (n,)
            Their relevance.
        sample_weight : array-like of shape (n,), optional
            A group weighs as much as its rows on average.
        groups : array-like of shape (n,), optional
            The group of each row. Needed where ``fit`` had groups.

        Returns
        -------
        float
            Higher is better.

        Raises
        ------
        ValueError
            When ``fit`` had groups and ``score`` has none, and when no group can be scored.
        """
        check_is_fitted(self)
        items = self._read(X, y, sample_weight, groups, reset=False)
        if self.has_groups_ and not items.has_lists:
            raise ValueError(
                f"groups must be given: this {type(self).__name__} was fitted with groups, and one list of all rows "
                "is another question. Pass groups=, name the column by group_column=, or turn on "
                "sklearn.set_config(enable_metadata_routing=True), by which searches and Pipelines pass groups on."
            )
        return self._judge(items, self._scores(items.X), sample_weight is not None)

    def groups_of(self, X: Any) -> NDArray[np.integer] | None:
        """Groups that a table brings itself, in its ``group_column``: what scorers ask for.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows.

        Returns
        -------
        ndarray of int, shape (n,), or None
            The group of each row, from 0; None without ``group_column``.
        """
        return None if self.group_column is None else group_codes(column_values(X, column_place(X, self.group_column)))

    def _plan(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        groups_val: ArrayLike | None = None,
    ) -> FitPlan:
        self._metric()  # an unknown name is an error now, not after training
        items = self._read(X, y, sample_weight, groups, reset=True)
        self.has_groups_ = items.has_lists and items.rows is None
        seed = self._seed_sequence()
        train: NDArray[np.integer] = np.arange(len(items.lists))
        validation = None
        named = {"X_val": X_val, "y_val": y_val} | ({} if groups_val is None else {"groups_val": groups_val})
        if is_given(self.early_stopping, **named):
            held = self._read(X_val, y_val, None, groups_val, reset=False)
            if items.has_lists and not held.has_lists:
                raise ValueError("groups_val must be given with groups: one list of all rows is another question.")
            validation = self._validation(held)
        elif self.early_stopping:
            train, held_out = hold_out(items, self.validation_fraction, open_stream(seed, Stream.HOLDOUT))
            validation = self._validation(items.some(held_out))
        spec = self._spec(items.X.shape[1], n_scores=1)
        sampler, used = list_sampler(self, items, train)
        return FitPlan(
            network=spec,
            objective=self._objective(items),
            hyperparameters=self._hyperparameters(),
            sampler=sampler,
            X=items.X,
            targets=items.relevance,
            **self._training(),
            seed=seed,
            row_weights=row_weights(items, used),
            items=items.rows,
            values=item_values(self, items, used, len(sampler.list_lengths)),
            validation=validation,
            initial_weights=self._initial_weights(spec, go_on=self.warm_start),
        )

    def _read(
        self, X: Any, y: Any, sample_weight: ArrayLike | None, groups: ArrayLike | None, *, reset: bool
    ) -> RankedItems:
        return read_rows(self, X, y, sample_weight, groups, reset=reset)

    def _points(self, X: Any) -> NDArray[np.float32]:
        return check_points(self, X)

    def _scores(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._network.apply(points, self.device)[:, 0]

    def _judge(self, items: RankedItems, scores: NDArray, weighted: bool) -> float:
        if items.rows is not None:
            scores = scores[items.rows]
        weights = items.weights if weighted else None
        try:
            return float(self._metric().score(items.relevance, scores, groups=items.lists, sample_weight=weights))
        except ValueError as error:
            raise ValueError(
                f"metric={self.metric!r} cannot judge these rows: {error} In {type(self).__name__}, that is another "
                "metric=, such as 'ndcg_linear' or 'spearman'."
            ) from None  # said whole; a search prints it for every fold

    def _metric(self) -> Any:
        return rank_metric(self.metric)

    def _validation(self, items: RankedItems) -> Validation:
        # Whatever the metric has against these rows, it says before training.
        self._judge_outputs(items, np.zeros((len(items.X), 1)))
        return Validation(items.X, partial(self._judge_outputs, items))

    def _judge_outputs(self, items: RankedItems, outputs: NDArray) -> float:
        return self._judge(items, outputs[:, 0], weighted=True)

    def _finish(self, plan: FitPlan, result: FitResult) -> None:
        self._adopt(plan, result)

    def _targets(self, items: RankedItems) -> NDArray[np.float64]:
        return items.relevance if self.loss in GRADED else items.relevance_in_list()

    def _objective(self, items: RankedItems) -> ListObjective:
        raise NotImplementedError

    def _hyperparameters(self) -> dict[str, float]:
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
