"""Components of the graph in which tuples connect their points, and their assignment to folds."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from skmetric.model_selection._folds import Indices, deal, largest_first

__all__ = ["deal_pieces", "pieces_of"]


def pieces_of(tuples: NDArray[np.intp], even: float, rng: np.random.RandomState) -> NDArray[np.intp]:
    """Return the piece of each point: its component, or a part of a component that is too large.

    ``even`` is the size of an even fold. The size of a point is the number of tuples that contain it.
    """
    sizes = np.bincount(tuples.ravel())
    edges = (np.repeat(tuples[:, 0], tuples.shape[1] - 1), tuples[:, 1:].ravel())
    graph = coo_array((np.ones(len(edges[0])), edges), shape=(len(sizes), len(sizes)))
    component = connected_components(graph, directed=False)[1]
    is_large = (np.bincount(component, weights=sizes) > 1.5 * even)[component]
    joined = _join(tuples[is_large[tuples[:, 0]]], sizes, even / 2, rng)
    return np.unique(np.where(is_large, joined, len(sizes) + component), return_inverse=True)[1]


def _join(
    tuples: NDArray[np.intp], sizes: NDArray[np.intp], most: float, rng: np.random.RandomState
) -> NDArray[np.intp]:
    """Join the points of each tuple, in random order, if the sum of their sizes is at most ``most``."""
    root, size = list(range(len(sizes))), sizes.tolist()

    def find(point: int) -> int:
        while root[point] != point:
            root[point] = root[root[point]]
            point = root[point]
        return point

    for chunk in np.array_split(rng.permutation(len(tuples)), 16):
        # Most tuples are joined already or can never be joined, because sizes only grow. They need no loop.
        joined = _roots(root)[tuples[chunk]]
        ends = np.array(size)[joined]
        is_open = (joined != joined[:, :1]).any(axis=1) & (ends.min(axis=1) + ends.max(axis=1) <= most)
        for members in joined[is_open].tolist():
            roots = {find(point) for point in members}
            if (joint := sum(size[point] for point in roots)) <= most:
                largest = max(roots, key=size.__getitem__)
                size[largest] = joint
                for point in roots:
                    root[point] = largest
    return _roots(root)


def _roots(root: list[int]) -> NDArray[np.intp]:
    """Return the final root of each point."""
    roots = np.array(root)
    while (roots != roots[roots]).any():
        roots = roots[roots]
    return roots


def deal_pieces(
    piece: NDArray[np.intp],
    tuples: NDArray[np.intp],
    codes: NDArray[np.intp] | None,
    n_folds: int,
    rng: np.random.RandomState,
) -> Indices:
    """Return the fold of each point.

    Pieces whose tuples all have the same label are dealt separately, the rarer label first, so that labels are spread.
    """
    sizes = np.bincount(piece[tuples].ravel())
    kind = np.zeros(len(sizes), dtype=np.intp)
    if codes is not None:
        owner = piece[tuples[:, 0]]
        whole = (piece[tuples] == owner[:, np.newaxis]).all(axis=1)
        n_tuples, n_ones = (np.bincount(owner[rows], minlength=len(sizes)) for rows in (whole, whole & (codes == 1)))
        kind[(n_tuples > 0) & (n_ones == 0)] = 1
        kind[(n_tuples > 0) & (n_ones == n_tuples)] = 2
    folds = np.empty(len(sizes), dtype=np.intp)
    so_far = np.zeros(n_folds, dtype=np.intp)
    by_kind = [np.flatnonzero(kind == code) for code in range(3)]
    for pieces in by_kind[:1] + sorted(by_kind[1:], key=len):
        pieces = pieces[largest_first(sizes[pieces], rng)]
        folds[pieces] = deal(sizes[pieces], so_far, rng)
        np.add.at(so_far, folds[pieces], sizes[pieces])
    return folds[piece]
