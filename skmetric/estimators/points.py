"""Tuples of points, given as points or as indices into a table."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from skmetric._sklearn_compat import safe_indexing

__all__ = ["Preprocessor", "Rows", "count_axes", "distinct_points", "is_tuples", "points_at", "read_tuples"]


class Rows:
    """A table of points for tuples of indices; clones share it.

    ``preprocessor=X`` copies the table for every candidate and fold of a search; ``preprocessor=Rows(X)`` does not.
    Pickles do not contain the table: set ``preprocessor`` again before you pass indices to a loaded estimator.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The table.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.base import clone
    >>> from skmetric import PairwiseRanker, Rows
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> ranker = PairwiseRanker(preprocessor=Rows(X))
    >>> clone(ranker).preprocessor is ranker.preprocessor
    True
    """

    def __init__(self, X: ArrayLike) -> None:
        self._X: Any = X

    def __call__(self, indices: NDArray[np.integer]) -> NDArray:
        """Return the points at the given indices."""
        if self._X is None:
            raise ValueError(
                "preprocessor must hold a table, got a Rows that was loaded from a pickle, which does not contain the "
                "table. Set preprocessor=Rows(X) again, or pass points instead of indices."
            )
        return safe_indexing(self._X, indices)

    def __len__(self) -> int:
        if self._X is None:
            return 0
        return self._X.shape[0] if hasattr(self._X, "shape") else len(self._X)

    def __sklearn_clone__(self) -> Self:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {"_X": None}

    def __repr__(self) -> str:
        return "Rows()" if self._X is None else f"Rows({len(self)} rows)"


Preprocessor = ArrayLike | Callable[[NDArray], ArrayLike] | Rows


def points_at(preprocessor: Preprocessor, indices: NDArray) -> ArrayLike:
    """Return the points for indices, or for other keys if the preprocessor is a callable."""
    if isinstance(preprocessor, str):
        raise ValueError(
            f"preprocessor must be a table of points, Rows or a function, got {preprocessor!r}. Pass the table itself."
        )
    table = preprocessor if callable(preprocessor) else Rows(preprocessor)
    if isinstance(table, Rows) and len(indices):
        is_number = indices.dtype.kind in "iuf"
        if not is_number or (indices.dtype.kind == "f" and not np.array_equal(indices, np.floor(indices))):
            raise ValueError(
                f"X must hold indices into preprocessor, whole numbers, got {indices[0]!r}. For other keys, pass a "
                "function as preprocessor."
            )
        indices = indices.astype(np.int64)
        if indices.min() < 0 or indices.max() >= len(table) > 0:
            wrong = indices.min() if indices.min() < 0 else indices.max()
            raise ValueError(
                f"X must hold indices into preprocessor, from 0 to {len(table) - 1}, got {wrong}. Pass the table that "
                "the indices belong to."
            )
    return table(indices)


def is_tuples(X: Any, preprocessor: Preprocessor | None) -> bool:
    """Whether X holds tuples: of points (three axes), or of keys that a preprocessor turns into points (two axes)."""
    n_axes = count_axes(X)
    return n_axes == 3 or (n_axes == 2 and preprocessor is not None)


def count_axes(X: Any) -> int:
    """Return the number of axes of an array-like."""
    if hasattr(X, "shape"):
        return len(X.shape)
    try:
        return np.asarray(X).ndim
    except ValueError:
        raise ValueError(
            "X must hold rows or tuples of equal length, got some that are longer than others. Make them equally long."
        ) from None


def read_tuples(
    X: Any, size: int, preprocessor: Preprocessor | None, check: Callable[[Any], NDArray[np.float32]]
) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
    """Check tuples; return their distinct points (n_points, n_features) and indices into them (n_tuples, size).

    ``check`` converts points to float32 and raises if their columns are not those of ``fit``.
    """
    given: NDArray = check_array(X, dtype=None, allow_nd=True, ensure_2d=False, order="C")
    if preprocessor is None or given.ndim == 3:
        if given.ndim != 3 or given.shape[1] != size or given.shape[2] == 0:
            raise ValueError(_wrong_tuples(size, given, preprocessor))
        points = check(given.reshape(-1, given.shape[2]))
        first, indices = distinct_points(points)
        return points[first], indices.reshape(given.shape[:2])
    if given.ndim != 2 or given.shape[1] != size:
        raise ValueError(_wrong_tuples(size, given, preprocessor))
    distinct, indices = np.unique(given, return_inverse=True)
    points = check(points_at(preprocessor, distinct))
    if len(points) != len(distinct):
        raise ValueError(
            f"preprocessor must return one point for each of the {len(distinct)} indices that it gets, got "
            f"{len(points)} points. Return them in the order of the indices."
        )
    return points, indices.reshape(given.shape)


def distinct_points(points: NDArray) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Find the distinct rows of points (n_points, n_features).

    Returns the index of the first occurrence of each distinct row, and for each row the number of its distinct row.
    """
    # Rows become strings of bytes, so that one sort suffices for any number of columns. Adding 0 turns -0.0 into 0.0.
    flat = np.ascontiguousarray(points + points.dtype.type(0))
    as_bytes = flat.view(np.dtype((np.void, flat.itemsize * flat.shape[1]))).ravel()
    _, first, indices = np.unique(as_bytes, return_index=True, return_inverse=True)
    return first, indices


def _wrong_tuples(size: int, given: NDArray, preprocessor: Preprocessor | None) -> str:
    name, sides = (
        ("pairs", "A and B: np.stack([A, B], axis=1)")
        if size == 2
        else ("triplets", "A, P and N: np.stack([A, P, N], axis=1)")
    )
    if preprocessor is not None:
        return (
            f"X must hold {name} of indices, shape (n_{name}, {size}), because preprocessor is set, got shape "
            f"{given.shape}. To pass points, leave preprocessor out."
        )
    return (
        f"X must hold {name} of points, shape (n_{name}, {size}, n_features), got shape {given.shape}. From tables "
        f"{sides}. For indices, set preprocessor to the table that they belong to."
    )
