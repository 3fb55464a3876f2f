"""Tuples of points: as points, or as indices in a table."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from skmetric._sklearn_compat import safe_indexing

__all__ = ["Preprocessor", "Rows", "count_axes", "distinct_points", "is_tuples", "points_at", "read_tuples"]


class Rows:
    """A table that index tuples point into, shared by clones.

    ``preprocessor=X`` copies the table for every candidate and fold of a search; ``preprocessor=Rows(X)`` does not. A
    pickle leaves the table out: set ``preprocessor`` again before index tuples are passed to what was loaded.

    Parameters
    ----------
    X : array-like of shape (n, n_features)
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
        """Points at the given indices."""
        if self._X is None:
            raise ValueError(
                "preprocessor is a Rows that came out of a pickle, which leaves its table out. Set "
                "preprocessor=Rows(X) again, or pass points in place of indices."
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
    """Points that indices, or whatever else a callable takes, stand for."""
    if isinstance(preprocessor, str):
        raise ValueError(f"preprocessor must be a table of points, Rows or a function; got {preprocessor!r}.")
    table = preprocessor if callable(preprocessor) else Rows(preprocessor)
    if isinstance(table, Rows) and len(indices):
        is_number = indices.dtype.kind in "iuf"
        if not is_number or (indices.dtype.kind == "f" and not np.array_equal(indices, np.floor(indices))):
            raise ValueError(f"X must hold indices in preprocessor, whole numbers; got {indices[0]!r}.")
        indices = indices.astype(np.int64)
        if indices.min() < 0 or indices.max() >= len(table) > 0:
            wrong = indices.min() if indices.min() < 0 else indices.max()
            raise ValueError(f"X must hold indices in preprocessor, from 0 to {len(table) - 1}; got {wrong}.")
    return table(indices)


def is_tuples(X: Any, preprocessor: Preprocessor | None) -> bool:
    """Whether X holds tuples: of points (three axes), or of what a preprocessor turns into points (two)."""
    n_axes = count_axes(X)
    return n_axes == 3 or (n_axes == 2 and preprocessor is not None)


def count_axes(X: Any) -> int:
    """How many axes an array-like has."""
    if hasattr(X, "shape"):
        return len(X.shape)
    try:
        return np.asarray(X).ndim
    except ValueError:
        raise ValueError("X must hold rows, or tuples, of one length; some of these are longer than others.") from None


def read_tuples(
    X: Any, size: int, preprocessor: Preprocessor | None, check: Callable[[Any], NDArray[np.float32]]
) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
    """Check tuples: their distinct points (m, n_features), and which of them each tuple holds, (n, size).

    ``check`` turns points into float32, and raises where they do not fit those of ``fit``.
    """
    given: NDArray = check_array(X, dtype=None, allow_nd=True, ensure_2d=False, order="C")
    if preprocessor is None or given.ndim == 3:
        if given.ndim != 3 or given.shape[1] != size or given.shape[2] == 0:
            raise ValueError(_what_tuples(size, given, preprocessor))
        points = check(given.reshape(-1, given.shape[2]))
        first, indices = distinct_points(points)
        return points[first], indices.reshape(given.shape[:2])
    if given.ndim != 2 or given.shape[1] != size:
        raise ValueError(_what_tuples(size, given, preprocessor))
    distinct, indices = np.unique(given, return_inverse=True)
    points = check(points_at(preprocessor, distinct))
    if len(points) != len(distinct):
        raise ValueError(
            f"preprocessor must return one point for each of the {len(distinct)} indices it is given; got "
            f"{len(points)}."
        )
    return points, indices.reshape(given.shape)


def distinct_points(points: NDArray) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Where each distinct row of points (n, n_features) first is, and which of them each row is."""
    # Rows as strings of bytes: one sort, whatever the number of columns. Adding zero makes the two zeros one.
    flat = np.ascontiguousarray(points + points.dtype.type(0))
    as_bytes = flat.view(np.dtype((np.void, flat.itemsize * flat.shape[1]))).ravel()
    _, first, indices = np.unique(as_bytes, return_index=True, return_inverse=True)
    return first, indices


def _what_tuples(size: int, given: NDArray, preprocessor: Preprocessor | None) -> str:
    name, sides = (
        ("pairs", "A and B: np.stack([A, B], axis=1)")
        if size == 2
        else ("triplets", "A, P and N: np.stack([A, P, N], axis=1)")
    )
    if preprocessor is not None:
        return (
            f"X must hold index {name}, shape (n, {size}), as preprocessor is given; got shape {given.shape}. Leave "
            "preprocessor out to pass points."
        )
    return (
        f"X must hold {name} of points, shape (n, {size}, n_features); got shape {given.shape}. For tables {sides}. "
        f"For indices, set preprocessor= to the table that they point into."
    )
