"""Where the groups of a table come from: an argument, or a column of the table itself."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._sklearn_compat import safe_indexing

__all__ = ["column_place", "column_values", "without_column"]


def column_place(X: Any, column: str | int) -> int:
    """Where the group column stands in X."""
    if isinstance(column, str):
        if not hasattr(X, "columns"):
            raise ValueError(
                f"group_column={column!r} names a column, but X is a {type(X).__name__} without column names. Pass a "
                "DataFrame; in a Pipeline, keep it one by set_output(transform='pandas'), and let a ColumnTransformer "
                "pass this column through. Or give the column's place, an int."
            )
        names = list(X.columns)
        if column not in names:
            raise ValueError(f"group_column={column!r} must be a column of X, whose columns are {names}.")
        return names.index(column)
    width = np.shape(X)[1]
    if not -width <= column < width:
        raise ValueError(f"group_column={column} must be the place of a column of X, which has {width} columns.")
    return column % width


def column_values(X: Any, place: int) -> ArrayLike:
    """The column at a place."""
    return np.asarray(safe_indexing(X if hasattr(X, "columns") else np.asarray(X), place, axis=1))


def without_column(X: Any, place: int) -> Any:
    """X without the column at a place."""
    X = X if hasattr(X, "columns") else np.asarray(X)
    others: NDArray[np.integer] = np.delete(np.arange(np.shape(X)[1]), place)
    return safe_indexing(X, others, axis=1)
