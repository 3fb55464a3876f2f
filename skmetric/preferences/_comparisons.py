"""Comparisons as a graph: which items were compared, how often, and with which result."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

__all__ = ["Comparisons", "check_has_maximum"]

N_SHOWN = 5


@dataclass(frozen=True)
class Comparisons:
    """Merged comparisons: each compared pair of items occurs once.

    Attributes
    ----------
    items : ndarray of int, shape (n_compared,)
        Codes of the items that were compared, ascending.
    first, second : ndarray of int, shape (n_pairs,)
        Indices of the two items of each pair in ``items``, with ``first < second``. The pairs are in ascending order.
    wins, losses : ndarray of shape (n_pairs,)
        Summed weight of the first item's wins and of its losses. They are separate sums, because the difference of a
        total and many wins has no exact digits of a few losses.
    """

    items: NDArray[np.intp]
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    wins: NDArray[np.float64]
    losses: NDArray[np.float64]

    @classmethod
    def merge(cls, pairs: NDArray[np.intp], wins: NDArray[np.float64], weights: NDArray[np.float64]) -> "Comparisons":
        """Merge comparisons of the same two items, in either order.

        ``wins`` is the first item's share of each comparison.
        """
        is_counted = weights > 0
        pairs, wins, weights = pairs[is_counted], wins[is_counted], weights[is_counted]
        is_compared = np.bincount(pairs.ravel()) > 0
        indices = (np.cumsum(is_compared) - 1)[pairs]
        low, high = indices.min(axis=1), indices.max(axis=1)
        wins_of_low = np.where(indices[:, 0] == low, wins, 1 - wins)
        n = int(is_compared.sum())
        keys, groups = np.unique(low * n + high, return_inverse=True)
        first, second = np.divmod(keys, n)
        return cls(
            np.flatnonzero(is_compared),
            first,
            second,
            _sums(groups, weights * wins_of_low),
            _sums(groups, weights * (1 - wins_of_low)),
        )

    def matrix(self, values: NDArray[Any]) -> csr_array:
        """Return an upper triangular matrix of shape (n_compared, n_compared) with one value per pair."""
        n = len(self.items)
        # int32, because the graph routines of some scipy versions do not accept int64.
        starts = np.searchsorted(self.first, np.arange(n + 1)).astype(np.int32)
        return csr_array((values, self.second.astype(np.int32), starts), shape=(n, n))

    def sum_by_item(self, of_first: NDArray[np.float64], of_second: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum the values that each pair gives to its two items. The result has shape (n_compared,)."""
        n = len(self.items)
        return _sums(self.first, of_first, n) + _sums(self.second, of_second, n)


def check_has_maximum(comparisons: Comparisons) -> None:
    """Raise unless wins lead from every item to every other: otherwise, the likelihood has no finite maximum."""
    graph = comparisons.matrix(comparisons.wins > 0) + comparisons.matrix(comparisons.losses > 0).T
    # Some routines treat a stored False as an edge.
    graph.eliminate_zeros()
    n_components, components = connected_components(graph, connection="strong")
    if n_components == 1:
        return
    n_separate, separate = connected_components(graph, connection="weak")
    if n_separate > 1:
        problem = f"{n_separate} components that were never compared with each other"
        components = separate
    else:
        problem = f"{n_components} components between which all wins go one way"
    raise ValueError(
        f"pairs must connect every item to every other by wins if alpha=0, got {problem} "
        f"({_described(comparisons.items, components)}), so that the likelihood has no finite maximum. Pass alpha > 0, "
        "for instance alpha=0.1, or keep only the pairs within one component."
    )


def _sums(indices: NDArray[np.intp], values: NDArray[np.float64], n: int = 0) -> NDArray[np.float64]:
    return np.bincount(indices, values, minlength=n).astype(np.float64, copy=False)


def _described(items: NDArray[np.intp], components: NDArray[Any]) -> str:
    _, first, sizes = np.unique(components, return_index=True, return_counts=True)
    largest = np.lexsort((first, -sizes))[:N_SHOWN]
    shown = ", ".join(f"{sizes[c]} with item {items[first[c]]}" for c in largest)
    return f"sizes: {shown}{', ...' if len(sizes) > N_SHOWN else ''}"
