"""The rankers that can be adapted: how each takes groups, weights and validation rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmetric._sklearn_compat import safe_indexing
from skmetric._warnings import warn_caller

__all__ = ["BOOSTERS", "Booster", "GroupedRows", "booster_of"]

# Losses of CatBoost that compare rows: they take a weight per group, and ignore the weights of rows.
CATBOOST_PAIRWISE = {"YetiRank", "YetiRankPairwise", "PairLogit", "PairLogitPairwise"}
# The loss of CatBoost that ignores all weights.
CATBOOST_UNWEIGHTED = {"LambdaMart"}


# Losses of LightGBM that use gains of grades.
LIGHTGBM_OF_GRADES = {"lambdarank", "rank_xendcg"}
# Names of the parameter for the loss.
LIGHTGBM_OBJECTIVE = ("objective", "objective_type", "app", "application", "loss")


@dataclass(frozen=True, eq=False)
class GroupedRows:
    """Rows in the order of their groups.

    Attributes
    ----------
    X : array, sparse matrix or DataFrame of shape (n_samples, n_features)
        The columns.
    y : ndarray of shape (n_samples,)
        The relevance of each row.
    codes : ndarray of int, shape (n_samples,)
        The group of each row, from 0, never decreasing.
    weights : ndarray of shape (n_samples,), optional
        Positive weights.
    """

    X: Any
    y: NDArray[np.float64]
    codes: NDArray[np.integer]
    weights: NDArray[np.float64] | None = None

    @classmethod
    def of(
        cls, X: Any, y: NDArray[np.float64], codes: NDArray[np.integer], weights: NDArray[np.float64] | None
    ) -> "GroupedRows":
        """Sort rows by group, without the rows of weight 0. Rows of one group keep their order."""
        kept = np.arange(len(codes)) if weights is None else np.flatnonzero(weights)
        rows = kept[np.argsort(codes[kept], kind="stable")]
        codes = np.unique(codes[rows], return_inverse=True)[1]
        if np.array_equal(rows, np.arange(len(y))):
            return cls(X, y, codes, weights)
        return cls(safe_indexing(X, rows), y[rows], codes, None if weights is None else weights[rows])

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Number of rows of each group."""
        return np.bincount(self.codes)

    @property
    def group_weights(self) -> NDArray[np.float64]:
        """Mean weight of the rows of each group."""
        return np.bincount(self.codes, self.weights) / self.sizes

    @property
    def n_uneven(self) -> int:
        """Number of groups whose rows differ in weight."""
        assert self.weights is not None
        starts = np.cumsum(self.sizes) - self.sizes
        return int((np.minimum.reduceat(self.weights, starts) < np.maximum.reduceat(self.weights, starts)).sum())


@dataclass(frozen=True)
class Booster:
    """How the ranker of a library is fitted.

    Attributes
    ----------
    package, name : str
        The package, and the class of the ranker in it.
    groups : callable
        Groups as keyword arguments of ``fit``.
    weights : callable
        Weights as keyword arguments of ``fit``, for this estimator.
    validation : callable
        Validation rows as keyword arguments of ``fit``, where the last argument holds the other ones.
    own : frozenset of str
        Arguments of ``fit`` that follow from the above, which a user cannot pass.
    validation_weights : frozenset of str
        Arguments of ``fit`` that weight validation rows, which a user cannot pass.
    early_stopping : frozenset of str
        Parameters of the ranker that it refuses without validation rows.
    check_grades : callable
        Raises if the ranker does not take these grades.
    columns : callable
        What ``fit`` needs to know about the columns, for this estimator.
    """

    package: str
    name: str
    groups: Callable[[GroupedRows], dict[str, Any]]
    weights: Callable[[Any, GroupedRows], dict[str, Any]]
    validation: Callable[[Any, GroupedRows, Mapping[str, Any]], dict[str, Any]]
    own: frozenset[str]
    validation_weights: frozenset[str] = frozenset()
    early_stopping: frozenset[str] = frozenset()
    check_grades: Callable[[Any, NDArray[np.float64]], None] = lambda estimator, y: None
    columns: Callable[[Any, Any], dict[str, Any]] = lambda estimator, X: {}

    def check(self, estimator: Any, rows: GroupedRows, held_out: GroupedRows | None) -> None:
        """Raise for what the ranker refuses in words that do not name the arguments here."""
        self.check_grades(estimator, rows.y)
        parameters = estimator.get_params()
        stops = [name for name in sorted(self.early_stopping) if parameters.get(name)]
        if held_out is None and stops:
            raise ValueError(
                f"X_val must be given for early stopping, got None and {self.name}({stops[0]}={parameters[stops[0]]}). "
                "Pass X_val=, y_val= and groups_val=, or leave out this parameter."
            )

    def arguments(
        self, estimator: Any, rows: GroupedRows, held_out: GroupedRows | None, others: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return all keyword arguments of ``fit``."""
        arguments = {**self.groups(rows), **self.columns(estimator, rows.X), **others}
        if rows.weights is not None:
            arguments |= self.weights(estimator, rows)
        if held_out is not None:
            arguments |= self.validation(estimator, held_out, arguments)
        return arguments


def booster_of(estimator: Any) -> Booster | None:
    """Return how an estimator is fitted, for the rankers here and their subclasses, or None for any other."""
    names = {(base.__module__.partition(".")[0], base.__name__) for base in type(estimator).__mro__}
    return next((each for each in BOOSTERS if (each.package, each.name) in names), None)


def _mean_of_groups(owner: str, rows: GroupedRows) -> NDArray[np.float64]:
    if n_uneven := rows.n_uneven:
        warn_caller(
            f"{owner} has one weight per group, but the rows of {n_uneven} of {len(rows.sizes)} groups differ in "
            "sample_weight: each group gets the mean weight of its rows. Pass equal weights within a group, or use "
            "LGBMRanker, which weights rows. A weight of 0 leaves a row out in any case."
        )
    return rows.group_weights


def _check_lightgbm_grades(estimator: Any, y: NDArray[np.float64]) -> None:
    parameters = estimator.get_params()
    objective = next(
        (parameters[name] for name in LIGHTGBM_OBJECTIVE if parameters.get(name) is not None), "lambdarank"
    )
    if not isinstance(objective, str) or objective not in LIGHTGBM_OF_GRADES:
        return
    wrong = (y < 0) | (y != np.floor(y))
    if wrong.any():
        raise ValueError(
            f"y must hold whole numbers from 0 for LGBMRanker, got {y[wrong.argmax()]:g}. Shift and round the grades, "
            "or take a ranker for any numbers, such as XGBRanker(objective='rank:pairwise')."
        )


def _lightgbm_validation(estimator: Any, rows: GroupedRows, others: Mapping[str, Any]) -> dict[str, Any]:
    return {"eval_X": rows.X, "eval_y": rows.y, "eval_group": [rows.sizes]}


def _xgboost_weights(estimator: Any, rows: GroupedRows) -> dict[str, Any]:
    return {"sample_weight": _mean_of_groups("XGBRanker", rows)}


def _xgboost_validation(estimator: Any, rows: GroupedRows, others: Mapping[str, Any]) -> dict[str, Any]:
    return {"eval_set": [(rows.X, rows.y)], "eval_qid": [rows.codes]}


def _catboost_weights(estimator: Any, rows: GroupedRows) -> dict[str, Any]:
    loss = str(estimator.get_params()["loss_function"]).partition(":")[0]
    if loss in CATBOOST_UNWEIGHTED:
        warn_caller(
            f"CatBoostRanker ignores sample_weight with loss_function={loss!r}, except that a weight of 0 leaves a row "
            "out. Use another loss, such as 'YetiRank'."
        )
        return {}
    if loss in CATBOOST_PAIRWISE:
        return {"group_weight": _mean_of_groups(f"CatBoostRanker(loss_function={loss!r})", rows)[rows.codes]}
    return {"sample_weight": rows.weights}


def _catboost_columns(estimator: Any, X: Any) -> dict[str, Any]:
    """Name the categories of a pandas DataFrame. As a parameter, cat_features keeps CatBoost from being cloned."""
    names = [name for name, dtype in getattr(X, "dtypes", {}).items() if dtype == "category"] if _is_pandas(X) else []
    return {"cat_features": names} if names and "cat_features" not in estimator.get_params() else {}


def _is_pandas(X: Any) -> bool:
    return hasattr(X, "iloc")


def _catboost_validation(estimator: Any, rows: GroupedRows, others: Mapping[str, Any]) -> dict[str, Any]:
    # Only its Pool takes the groups of validation rows, and it needs to know the kinds of columns.
    from catboost import Pool

    kinds = ("cat_features", "text_features", "embedding_features")
    given = {**estimator.get_params(), **others}
    columns = {kind: given[kind] for kind in kinds if kind in given}
    return {"eval_set": Pool(rows.X, rows.y, group_id=rows.codes, **columns)}


BOOSTERS = (
    Booster(
        "lightgbm",
        "LGBMRanker",
        groups=lambda rows: {"group": rows.sizes},
        weights=lambda estimator, rows: {"sample_weight": rows.weights},
        validation=_lightgbm_validation,
        own=frozenset({"group", "eval_set", "eval_X", "eval_y", "eval_group"}),
        validation_weights=frozenset({"eval_sample_weight"}),
        early_stopping=frozenset({"early_stopping_round", "early_stopping_rounds", "n_iter_no_change"}),
        check_grades=_check_lightgbm_grades,
    ),
    Booster(
        "xgboost",
        "XGBRanker",
        groups=lambda rows: {"qid": rows.codes},
        weights=_xgboost_weights,
        validation=_xgboost_validation,
        own=frozenset({"group", "qid", "eval_set", "eval_group", "eval_qid"}),
        validation_weights=frozenset({"sample_weight_eval_set"}),
        early_stopping=frozenset({"early_stopping_rounds"}),
    ),
    Booster(
        "catboost",
        "CatBoostRanker",
        groups=lambda rows: {"group_id": rows.codes},
        weights=_catboost_weights,
        validation=_catboost_validation,
        own=frozenset({"group_id", "group_weight", "eval_set", "pairs", "pairs_weight", "subgroup_id"}),
        columns=_catboost_columns,
    ),
)
