"""Groups of rows: the column that holds them, and warnings if it looks like a feature or if there are no groups."""

from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import check_is_fitted

from skmetric._checks import group_codes
from skmetric._sklearn_compat import safe_indexing
from skmetric._warnings import warn_caller

__all__ = [
    "GroupCarrier",
    "column_index",
    "column_values",
    "declines_groups",
    "is_absent",
    "refuse_groups_twice",
    "warn_of_feature",
    "warn_of_no_groups",
    "without_column",
]


class GroupCarrier:
    """A ranker that gets the groups of its rows as an argument, or finds them in a column of its table."""

    group_column: str | int | None
    has_groups_: bool

    def groups_of(self, X: Any) -> NDArray[np.integer] | None:
        """Return the groups in the ``group_column`` of a table, for scorers that get no ``groups``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        groups : ndarray of int, shape (n_samples,), or None
            The group of each row, numbered from 0. None means that all rows can be scored as one list.

        Raises
        ------
        ValueError
            If ``fit`` had groups but ``X`` has none.
        """
        check_is_fitted(self)
        ids = self._ids(X, None)
        if ids is None and self.has_groups_:
            self._refuse_no_groups(
                "Set group_column=, or call sklearn.set_config(enable_metadata_routing=True): searches then pass "
                "groups to scorers."
            )
        return None if ids is None else group_codes(ids)

    def _ids(self, X: Any, groups: ArrayLike | None) -> ArrayLike | None:
        """Return the group id of each row: as given, or from the group column."""
        if groups is not None or self.group_column is None:
            return groups
        return column_values(X, column_index(X, self.group_column))

    def _check_score_has_groups(self, has_groups: bool) -> None:
        if self.has_groups_ and not has_groups:
            self._refuse_no_groups(
                "Pass groups=, set group_column=, or call sklearn.set_config(enable_metadata_routing=True): searches "
                "and Pipelines then pass groups."
            )

    def _refuse_no_groups(self, advice: str) -> NoReturn:
        raise ValueError(
            f"groups must be given because this {type(self).__name__} was fitted with groups, got None. {advice}"
        )


def refuse_groups_twice(column: str | int) -> NoReturn:
    """Raise because groups are given although the table has a group column."""
    raise ValueError(
        f"groups must be None if group_column is set, got both, group_column={column!r}. Leave one out. With metadata "
        "routing, set_fit_request(groups=False).set_score_request(groups=False) passes groups only to the splitter."
    )


def is_absent(X: Any, column: str | int) -> bool:
    """Whether X has names, but not that of the group column."""
    return isinstance(column, str) and hasattr(X, "columns") and column not in list(X.columns)


def column_index(X: Any, column: str | int) -> int:
    """Return the index of the group column in X. A str is a name; an int is always an index, also in a DataFrame."""
    if issparse(X) or np.ndim(X) != 2:
        kind = "a sparse matrix" if issparse(X) else f"an array with {np.ndim(X)} axes"
        raise ValueError(f"X must be a dense table with two axes, (n_samples, n_features), got {kind}. Convert it.")
    if not isinstance(column, str):
        width = np.shape(X)[1]
        if not -width <= column < width:
            raise ValueError(
                f"group_column must be the index of a column of X, which has {width} columns, got {column}. Use an "
                f"index from {-width} to {width - 1}."
            )
        return int(column % width)
    if not hasattr(X, "columns"):
        raise ValueError(
            f"group_column must be an index if X has no column names, got group_column={column!r} and X of type "
            f"{type(X).__name__}. Pass an int, or a DataFrame; in a Pipeline, keep a DataFrame by "
            "set_output(transform='pandas'), with a ColumnTransformer that passes this column through."
        )
    names = list(X.columns)
    if names.count(column) != 1:
        advice = "Rename one of them" if column in names else f"Use one of {names}"
        raise ValueError(
            f"group_column must be the name of one column of X, got {column!r}, the name of {names.count(column)} "
            f"columns. {advice}."
        )
    return names.index(column)


def column_values(X: Any, index: int) -> NDArray[Any]:
    """Return one column of X."""
    return np.asarray(safe_indexing(X if hasattr(X, "columns") else np.asarray(X), index, axis=1))


def without_column(X: Any, index: int) -> Any:
    """Return X without one column."""
    X = X if hasattr(X, "columns") else np.asarray(X)
    others: NDArray[np.integer] = np.delete(np.arange(np.shape(X)[1]), index)
    return safe_indexing(X, others, axis=1)


def declines_groups(ranker: Any) -> bool:
    """Whether the user has called ``set_fit_request(groups=False)``."""
    return ranker.get_metadata_routing().fit.requests.get("groups") is False


def warn_of_no_groups(owner: str, in_parts: str = "") -> None:
    """Warn that all rows are one list, without numbers: the text is the same for all candidates of a search."""
    warn_caller(
        f"{owner} got no groups: it learns from all rows as one list{in_parts}, and score compares all rows with each "
        "other. Pass groups= (searches and Pipelines pass it on only after "
        "sklearn.set_config(enable_metadata_routing=True)), or set group_column=. To rank all rows as one list, pass "
        "the same id for every row."
    )


def warn_of_feature(values: NDArray[Any], codes: NDArray[np.integer], column: str | int, owner: str) -> None:
    """Warn if the values of the group column look like a feature: each row is a group, or an index holds fractions."""
    is_one_each = len(codes) > 1 and codes.max() == len(codes) - 1
    if not is_one_each and (isinstance(column, str) or not _has_fractions(values)):
        return
    reason = f"no group has two of the {len(codes)} rows" if is_one_each else "it holds fractions"
    advice = (
        "Pass the column with the ids of the groups."
        if isinstance(column, str)
        else "A step before may have dropped, moved or scaled columns: pass the name of the column instead, and keep "
        "names in a Pipeline by set_output(transform='pandas')."
    )
    shown = ", ".join(str(value) for value in values[:3].tolist())
    warn_caller(
        f"{owner}: group_column={column!r} looks like a feature, not like groups: {reason}. Its first values are "
        f"{shown}. {advice}"
    )


def _has_fractions(values: ArrayLike) -> bool:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):  # strings, dates
        return False
    return bool((numbers != np.floor(numbers)).any())
