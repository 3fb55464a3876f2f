"""Comparisons as a graph: who was compared with whom, how often, and with what result."""

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
    """Each compared pair of items once.

    Attributes
    ----------
    items : ndarray of int, shape (n,)
        The codes of the items that were compared, ascending. All else counts in places of this array.
    first, second : ndarray of int, shape (p,)
        The places of two items, ``first < second``; in ascending order.
    totals : ndarray of shape (p,)
        The weight of their comparisons: positive.
    wins : ndarray of shape (p,)
        The weight of the first item's wins, from 0 to the total.
    """

    items: NDArray[np.intp]
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    totals: NDArray[np.float64]
    wins: NDArray[np.float64]

    @classmethod
    def merge(cls, pairs: NDArray[np.intp], wins: NDArray[np.float64], weights: NDArray[np.float64]) -> "Comparisons":
        """Merge comparisons of the same two items, in either order.

        ``wins`` is the first item's share of each comparison.
        """
        counted = weights > 0
        pairs, wins, weights = pairs[counted], wins[counted], weights[counted]
        compared = np.bincount(pairs.ravel()) > 0
        places = (np.cumsum(compared) - 1)[pairs]
        low, high = places.min(axis=1), places.max(axis=1)
        wins_of_low = np.where(places[:, 0] == low, wins, 1 - wins)
        n = int(compared.sum())
        keys, groups = np.unique(low * n + high, return_inverse=True)
        first, second = np.divmod(keys, n)
        return cls(
            np.flatnonzero(compared),
            first,
            second,
            _sums(groups, weights),
            _sums(groups, weights * wins_of_low),
        )

    def matrix(self, values: NDArray[Any]) -> csr_array:
        """Write one value a pair into an upper triangle of shape (n, n)."""
        n = len(self.items)
        # 32 bits: routines on graphs do not take more in every version of scipy.
        starts = np.searchsorted(self.first, np.arange(n + 1)).astype(np.int32)
        return csr_array((values, self.second.astype(np.int32), starts), shape=(n, n))

    def sum_by_item(self, of_first: NDArray[np.float64], of_second: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum what each pair gives to its two items: shape (n,)."""
        n = len(self.items)
        return _sums(self.first, of_first, n) + _sums(self.second, of_second, n)


def check_has_maximum(comparisons: Comparisons) -> None:
    """Raise unless wins lead from every item to every other, which is when the likelihood has a finite maximum."""
    lost = np.maximum(comparisons.totals - comparisons.wins, 0)
    graph = comparisons.matrix(comparisons.wins > 0) + comparisons.matrix(lost > 0).T
    # A stored False would be an edge to some routines.
    graph.eliminate_zeros()
    n_components, components = connected_components(graph, connection="strong")
    if n_components == 1:
        return
    n_apart, apart = connected_components(graph, connection="weak")
    if n_apart > 1:
        problem = f"they fall into {n_apart} components that were never compared with each other"
        components = apart
    else:
        problem = f"they fall into {n_components} components between which all wins go one way"
    raise ValueError(
        f"pairs must lead by wins from every item to every other when alpha=0, but {problem} "
        f"({_described(comparisons.items, components)}), so that no finite scores are the most likely. Pass alpha > 0, "
        "for instance alpha=0.1, or keep the pairs within one component."
    )


def _sums(places: NDArray[np.intp], values: NDArray[np.float64], n: int = 0) -> NDArray[np.float64]:
    return np.bincount(places, values, minlength=n).astype(np.float64, copy=False)


def _described(items: NDArray[np.intp], components: NDArray[Any]) -> str:
    _, first, sizes = np.unique(components, return_index=True, return_counts=True)
    largest = np.lexsort((first, -sizes))[:N_SHOWN]
    shown = ", ".join(f"{sizes[c]} with item {items[first[c]]}" for c in largest)
    return f"sizes: {shown}{', ...' if len(sizes) > N_SHOWN else ''}"
