"""GroupedRanker: the rankers of LightGBM, XGBoost and CatBoost, with ids of groups."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, csr_matrix, issparse
from sklearn.base import clone
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import check_is_fitted, validate_data

from skmetric._all_or_nothing import all_or_nothing
from skmetric._checks import check_finite, check_target, check_weights, group_codes
from skmetric._group_column import (
    GroupCarrier,
    column_index,
    declines_groups,
    refuse_groups_twice,
    warn_of_no_groups,
    without_column,
)
from skmetric._sklearn_compat import BaseEstimator, fit_context
from skmetric._values import check_numbers, refuse_masked
from skmetric.adapters.boosters import BOOSTERS, Booster, GroupedRows, booster_of
from skmetric.metrics.by_name import rank_metric

__all__ = ["GroupedRanker"]

# How columns are checked: each library decides about missing and infinite values itself.
UNCHANGED: dict[str, Any] = {"dtype": "numeric", "ensure_all_finite": False}


class GroupedRanker(GroupCarrier, BaseEstimator):
    """Ranker of LightGBM, XGBoost or CatBoost that takes one group id per row.

    These rankers need the rows of a group next to each other, and each needs the groups in another form. This estimator
    sorts the rows, converts the groups and the weights, and scores by a metric of rankings. It can be used in a
    Pipeline, in searches and with ``GroupKFold`` like the rankers of skmetric.

    Parameters
    ----------
    estimator : LGBMRanker, XGBRanker or CatBoostRanker
        The ranker, or an instance of a subclass. It is cloned before it is fitted. In searches, its parameters are
        named ``estimator__n_estimators`` and so on.
    metric : str, default="ndcg"
        Metric that ``score`` returns: "ndcg", "ndcg_linear", "mrr" or "map", each also with a cutoff as in "ndcg@10";
        or "spearman", "kendall" or "pairwise_accuracy". The ranker itself trains with its own loss, and stops early by
        its own metric.
    group_column : str or int, optional
        Name or index of the column of ``X`` that holds the groups, if metadata routing does not pass ``groups``. The
        ranker does not see this column. ``predict`` does not need it if it has a name.

    Attributes
    ----------
    estimator_ : object
        The fitted ranker.
    has_groups_ : bool
        Whether ``fit`` had groups. ``score`` then needs groups, too.
    n_features_in_ : int
        Number of columns of ``X``, including the group column.
    feature_names_in_ : ndarray of str
        Names of the columns of ``X``, if it has names.

    See Also
    --------
    skmetric.model_selection.compare_rankers : Compare rankers on the same groups.
    skmetric.ListwiseRanker : Ranker that trains a network.

    Notes
    -----
    Columns reach the ranker as they are given: a DataFrame stays a DataFrame, with its categories, and values may be
    missing, except that CatBoost refuses missing values in categorical columns: give them a separate category. Each
    library encodes categories in its own way. CatBoost gets the categorical columns of a pandas DataFrame as
    ``cat_features`` if these are not given, because a ``CatBoostRanker(cat_features=...)`` cannot be cloned.

    The trained model depends on the order of the rows within a group. LightGBM, for example, starts from equal scores,
    and ranks rows of equal score in their order. The order of whole groups in the table has no effect.

    The weight of a group is the mean weight of its rows, and a row of weight 0 is left out. If rows of one group have
    different weights, the libraries differ (LightGBM 4.7, XGBoost 3.2, CatBoost 1.2.10):

    - LightGBM multiplies the gradient of a row by its weight. A group whose rows weigh 2 counts as two equal groups. A
      single row of weight 2 does not count as two equal rows, because the gradients of other rows stay the same.
    - XGBoost has one weight per group: the mean, with a warning if rows of a group differ.
    - CatBoost has one weight per group, too, for its losses over pairs: "YetiRank" (the default), "YetiRankPairwise",
      "PairLogit" and "PairLogitPairwise". Its other losses get the weights of rows; for "QueryRMSE" and "QuerySoftMax",
      a row of weight 2 equals two rows. "LambdaMart" ignores weights: a warning says this.

    Early stopping is that of the library: pass ``X_val``, ``y_val`` and ``groups_val`` to ``fit``, and set
    ``early_stopping_rounds`` on the ranker. Validation rows have equal weights. It needs LightGBM 4.7, XGBoost 3.0 or
    CatBoost 1.2, or newer.

    Examples
    --------
    >>> from lightgbm import LGBMRanker
    >>> from sklearn.model_selection import GridSearchCV, GroupKFold
    >>> import sklearn
    >>> from skmetric.adapters import GroupedRanker
    >>> from skmetric.datasets import make_ranking
    >>> X, y, groups = make_ranking(n_groups=40, random_state=0)
    >>> trees = GroupedRanker(LGBMRanker(n_estimators=20, verbose=-1, n_jobs=1), metric="ndcg@5")
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     search = GridSearchCV(trees, {"estimator__num_leaves": [4, 16]}, cv=GroupKFold(3)).fit(X, y, groups=groups)
    >>> bool(search.best_score_ > 0.6)
    True
    """

    estimator_: Any
    feature_names_in_: NDArray[np.object_]

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "metric": [str],
        "group_column": [str, Integral, None],
    }

    # Requested by default: a search or a Pipeline then routes groups without set_fit_request or set_score_request.
    __metadata_request__fit: ClassVar = {"groups": True}
    __metadata_request__score: ClassVar = {"groups": True}

    def __init__(self, estimator: Any, *, metric: str = "ndcg", group_column: str | int | None = None) -> None:
        self.estimator = estimator
        self.metric = metric
        self.group_column = group_column

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
        **fit_params: Any,
    ) -> Self:
        """Fit a clone of the ranker to order the rows of each group by relevance.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The rows. With a ``group_column``, a sparse matrix is an error.
        y : array-like of shape (n_samples,)
            The relevance of each row. Rows of higher relevance should rank first within their group. The losses of
            LightGBM and XGBoost for NDCG take whole numbers from 0.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights. The weight of a group is the mean weight of its rows. The Notes of the class say what
            different weights within a group do.
        groups : array-like of shape (n_samples,), optional
            The group of each row: ids of any kind, in any order. With metadata routing, they are requested by default.
        X_val, y_val, groups_val : array-like, optional
            Validation rows, their relevance and their groups, which the ranker evaluates and stops early by.
        **fit_params : dict
            More arguments for ``fit`` of the ranker, for example ``callbacks`` of LightGBM. With metadata routing,
            searches and Pipelines refuse them: only a direct call of ``fit`` takes them.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        TypeError
            If ``estimator`` is not one of the three rankers.
        ValueError
            If the input is invalid, ``fit_params`` holds groups, weights or validation rows in the form of the library,
            LightGBM or XGBoost is to stop early without validation rows, or LightGBM gets grades that its loss does not
            take.

        Warns
        -----
        UserWarning
            If there are no groups, so that all rows are one list; or if the ranker cannot use different weights within
            a group.
        """
        booster = self._check_estimator(fit_params)
        rank_metric(self.metric)
        rows, has_groups = self._read(X, y, groups, sample_weight, reset=True)
        held_out = self._read_validation(X_val, y_val, groups_val, has_groups)
        if not has_groups and not declines_groups(self):
            warn_of_no_groups(type(self).__name__)
        ranker = clone(self.estimator)
        booster.check(ranker, rows, held_out)
        ranker.fit(rows.X, rows.y, **booster.arguments(ranker, rows, held_out, fit_params))
        self.estimator_ = ranker
        self.has_groups_ = has_groups
        return self

    def predict(self, X: ArrayLike) -> NDArray:
        """Compute the scores of rows. Rows of higher score rank first within their group.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The rows, in any order. A group column that has a name may be missing.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            One score per row, comparable within a group.
        """
        check_is_fitted(self)
        return np.asarray(self.estimator_.predict(self._read_columns(X, reset=False)))

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
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,)
            The relevance of each row.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights. The weight of a group is the mean weight of its rows.
        groups : array-like of shape (n_samples,), optional
            The group of each row. Required if ``fit`` had groups, unless ``group_column`` is set.

        Returns
        -------
        score : float
            The mean of the metric. Higher is better.

        Raises
        ------
        ValueError
            If ``fit`` had groups and ``score`` has none, or if the metric is not defined for any group.
        """
        check_is_fitted(self)
        ids = self._ids(X, groups)
        self._check_score_has_groups(ids is not None)
        metric, scores, relevance = rank_metric(self.metric), self.predict(X), check_target(y, "y")
        return metric.judge(relevance, scores, groups=ids, sample_weight=sample_weight, owner=type(self).__name__)

    def _check_estimator(self, fit_params: Mapping[str, Any]) -> Booster:
        booster = booster_of(self.estimator)
        if booster is None:
            names = ", ".join(f"{each.name} ({each.package})" for each in BOOSTERS)
            raise TypeError(
                f"estimator must be one of the rankers {names}, got {self.estimator!r}. Pass an instance, such as "
                "GroupedRanker(LGBMRanker()); put steps such as a scaler before it: make_pipeline(StandardScaler(), "
                "GroupedRanker(...))."
            )
        if weights := booster.validation_weights & fit_params.keys():
            raise ValueError(
                f"fit_params must not hold weights of validation rows, got {', '.join(weights)}. They are not "
                f"supported: {type(self).__name__} gives equal weights to all validation rows."
            )
        if refused := booster.own & fit_params.keys():
            raise ValueError(
                f"fit_params must not hold groups, weights or validation rows, got {', '.join(sorted(refused))}. Pass "
                f"groups=, sample_weight=, X_val=, y_val= and groups_val= instead: {type(self).__name__} converts them "
                f"for {booster.name}."
            )
        return booster

    def _read(
        self, X: Any, y: Any, groups: Any, sample_weight: Any, *, reset: bool, suffix: str = ""
    ) -> tuple[GroupedRows, bool]:
        """Check all arguments; with ``reset``, the columns of X become those that later data must have.

        ``suffix`` is that of the names of the arguments: empty, or "_val".
        """
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None. Pass the relevance of rows."
            )
        columns = self._read_columns(X, reset=reset, name=f"X{suffix}")
        relevance = column_or_1d(check_numbers(y, f"y{suffix}").astype(np.float64), warn=True)
        check_finite(relevance, f"y{suffix}")
        n_rows = np.shape(columns)[0]
        if len(relevance) != n_rows:
            raise ValueError(
                f"y{suffix} must hold one relevance per row, but X{suffix} and y{suffix} have inconsistent numbers of "
                f"samples, got {n_rows} rows and {len(relevance)} values. Pass one for each."
            )
        ids = self._ids(X, groups)
        codes = np.zeros(n_rows, dtype=np.intp) if ids is None else group_codes(ids, f"groups{suffix}")
        if len(codes) != n_rows:
            raise ValueError(
                f"groups{suffix} must hold one id per row, got {len(codes)} ids for {n_rows} rows. Pass one id for "
                "each."
            )
        weights = None if sample_weight is None else check_weights(sample_weight, n_rows, groups=codes)
        return GroupedRows.of(columns, relevance, codes, weights), ids is not None

    def _read_validation(self, X: Any, y: Any, groups: Any, has_groups: bool) -> GroupedRows | None:
        if X is None:
            if y is not None or groups is not None:
                raise ValueError("X_val must be given with y_val or groups_val, got None. Pass the validation rows.")
            return None
        if y is None:
            raise ValueError("y_val must be given with X_val, got None. Pass the relevance of the validation rows.")
        rows, has_own = self._read(X, y, groups, None, reset=False, suffix="_val")
        if has_groups != has_own:
            raise ValueError(
                f"groups_val must be given if and only if fit has groups, got {'groups' if has_own else 'no groups'} "
                f"for X_val and {'groups' if has_groups else 'no groups'} for X. Pass the groups of both."
            )
        return rows

    def _read_columns(self, X: Any, *, reset: bool, name: str = "X") -> Any:
        """Check the columns, and leave the group column out. A DataFrame stays one."""
        refuse_masked(X, name)
        if not reset and self._lacks_group_column(X):
            return X
        is_frame = hasattr(X, "columns")
        least = 2 if reset else 1
        if not is_frame and self.group_column is None:
            checked = validate_data(self, X, reset=reset, accept_sparse="csr", ensure_min_samples=least, **UNCHANGED)
            return _sparse_matrix(checked) if issparse(checked) else checked
        # The ids may be strings, so with this column only the names and the number of columns are checked.
        validate_data(self, X, reset=reset, skip_check_array=True)
        if self.group_column is not None:
            X = without_column(X, column_index(X, self.group_column))
        return X if is_frame else check_array(X, ensure_min_samples=least, input_name=name, **UNCHANGED)

    def _lacks_group_column(self, X: Any) -> bool:
        """Whether a table has exactly the columns of ``fit`` except for the group column, which has a name."""
        if not isinstance(self.group_column, str) or not hasattr(X, "columns"):
            return False
        return list(X.columns) == [name for name in self.feature_names_in_ if name != self.group_column]

    def _ids(self, X: Any, groups: ArrayLike | None) -> ArrayLike | None:
        if groups is not None and self.group_column is not None:
            refuse_groups_twice(self.group_column)
        return super()._ids(X, groups)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.sparse = True
        return tags


def _sparse_matrix(X: csr_matrix | csr_array) -> csr_matrix:
    """Return a matrix with short indices: LightGBM warns of arrays, and CatBoost refuses them and long indices."""
    return csr_matrix((X.data, X.indices, X.indptr), shape=X.shape)
