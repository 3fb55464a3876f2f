"""Pairs of points: as points, or as places in a table."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

__all__ = ["Preprocessor", "Rows", "check_index_pairs", "check_point_pairs", "points_at"]


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
        self._X: ArrayLike | None = X

    def __call__(self, places: NDArray[np.integer]) -> NDArray:
        """Points at the given places."""
        if self._X is None:
            raise ValueError(
                "preprocessor is a Rows that came out of a pickle, which leaves its table out. Set "
                "preprocessor=Rows(X) again, or pass points in place of indices."
            )
        return np.asarray(self._X)[places]

    def __len__(self) -> int:
        return 0 if self._X is None else len(np.asarray(self._X))

    def __sklearn_clone__(self) -> Self:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {"_X": None}

    def __repr__(self) -> str:
        return "Rows()" if self._X is None else f"Rows({len(self)} rows)"


Preprocessor = ArrayLike | Callable[[NDArray[np.integer]], ArrayLike] | Rows


def points_at(preprocessor: Preprocessor, places: NDArray[np.integer]) -> ArrayLike:
    """Points that indices stand for."""
    table = preprocessor if callable(preprocessor) else Rows(preprocessor)
    if isinstance(table, Rows) and len(places) and places.max() >= len(table) > 0:
        raise ValueError(f"X must hold places in preprocessor, from 0 to {len(table) - 1}; got {places.max()}.")
    return table(places)


def check_index_pairs(X: ArrayLike) -> NDArray[np.integer]:
    """Index pairs (n, 2) as integers."""
    pairs: NDArray = check_array(X, dtype=None, ensure_2d=True)
    if pairs.shape[1] != 2 or (pairs.dtype.kind not in "iu" and not np.array_equal(pairs, pairs.astype(np.int64))):
        raise ValueError(
            "X must hold index pairs, whole numbers of shape (n, 2), as preprocessor is given; got shape "
            f"{pairs.shape}, dtype {pairs.dtype}. Leave preprocessor out to pass points."
        )
    pairs = pairs.astype(np.int64)
    if pairs.min() < 0:
        raise ValueError(f"X must hold places in preprocessor, from 0 on; got {pairs.min()}.")
    return pairs


def check_point_pairs(X: ArrayLike) -> NDArray:
    """Pairs of points (n, 2, n_features) as an array."""
    pairs = check_array(X, dtype=None, allow_nd=True, ensure_2d=False, order="C")
    if pairs.ndim != 3 or pairs.shape[1] != 2:
        raise ValueError(
            f"X must hold pairs of points, shape (n, 2, n_features); got shape {pairs.shape}. For two tables A and B: "
            "np.stack([A, B], axis=1)."
        )
    return pairs
