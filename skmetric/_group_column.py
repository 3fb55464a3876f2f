"""The column of a table that holds the groups of its rows (``group_column``)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._sklearn_compat import safe_indexing

__all__ = ["column_index", "column_values", "without_column"]


def column_index(X: Any, column: str | int) -> int:
    """Return the index of the group column in X."""
    if isinstance(column, str):
        if not hasattr(X, "columns"):
            raise ValueError(
                f"group_column must be an index if X has no column names, got group_column={column!r} and X of type "
                f"{type(X).__name__}. Pass an int, or a DataFrame; in a Pipeline, keep a DataFrame by "
                "set_output(transform='pandas'), with a ColumnTransformer that passes this column through."
            )
        names = list(X.columns)
        if column not in names:
            raise ValueError(f"group_column must be a column of X, got {column!r}. Use one of {names}.")
        return names.index(column)
    width = np.shape(X)[1]
    if not -width <= column < width:
        raise ValueError(
            f"group_column must be the index of a column of X, which has {width} columns, got {column}. Use an index "
            f"from {-width} to {width - 1}."
        )
    return column % width


def column_values(X: Any, index: int) -> ArrayLike:
    """Return one column of X."""
    return np.asarray(safe_indexing(X if hasattr(X, "columns") else np.asarray(X), index, axis=1))


def without_column(X: Any, index: int) -> Any:
    """Return X without one column."""
    X = X if hasattr(X, "columns") else np.asarray(X)
    others: NDArray[np.integer] = np.delete(np.arange(np.shape(X)[1]), index)
    return safe_indexing(X, others, axis=1)
