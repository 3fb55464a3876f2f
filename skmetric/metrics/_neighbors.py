"""Nearest rows of a table, computed in chunks of queries. Ties are in row order."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skmetric.metrics._ties import take_in_rows

__all__ = ["nearest_rows"]

# Number of queries that are compared with all rows at once. With fewer, matrix products are slow; more do not fit into
# the CPU cache. Peak memory is about three arrays of n_samples times this many numbers: 1.5 KiB per row of the table.
CHUNK_ROWS = 64


def nearest_rows(
    points: NDArray[np.float64], depths: NDArray[np.intp], *, chunk_rows: int = CHUNK_ROWS
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield the nearest other rows of each query row, nearest first.

    Distances are Euclidean. A row is never its own neighbor. Rows at the same distance are in row order. Equal rows
    have exactly the same distance to any query.

    Parameters
    ----------
    points : ndarray of shape (n_samples, n_features)
        Finite coordinates.
    depths : ndarray of shape (n_samples,)
        Number of neighbors needed for each row, at most ``n_samples - 1``. A row with 0 is not a query.
    chunk_rows : int
        Number of queries per chunk. Memory is proportional to ``n_samples * (chunk_rows + n_features)``.

    Yields
    ------
    rows : ndarray of shape (n_queries,)
        Query rows of this chunk, in order of depth.
    neighbors : ndarray of shape (n_queries, depth)
        Neighbors of these rows. ``depth`` is the largest depth in the chunk, so a row may get more than it needs.
    """
    points = _centered(points)
    # |x - y|^2 without |x|^2 of the query, which does not change the order: this takes only one matrix product.
    left = np.column_stack([points, np.ones(len(points))])
    right = np.column_stack([-2 * points, np.einsum("ij,ij->i", points, points)]).T
    first, repeated = _first_equal_rows(points)
    # Sorted by depth, the queries of a chunk have similar depths, so that few rows are sorted deeper than needed.
    queries = np.argsort(depths, kind="stable")[np.count_nonzero(depths == 0) :]
    for start in range(0, len(queries), chunk_rows):
        rows = queries[start : start + chunk_rows]
        distances = left[rows] @ right
        if repeated:
            # For equal columns, the results of a matrix product may differ by some ulp, depending on their block.
            distances = distances.take(first, axis=1)
        distances[np.arange(len(rows)), rows] = np.inf
        yield rows, _smallest(distances, int(depths[rows[-1]]))


def _smallest(distances: NDArray[np.float64], depth: int) -> NDArray[np.intp]:
    """Return the columns of the ``depth`` smallest entries of each row, smallest first. Ties are in column order.

    One more entry is examined, so that a tie between the last entry kept and the next one is found too.
    """
    near = np.argpartition(distances, depth, axis=1)[:, : depth + 1]
    values = take_in_rows(distances, near)
    order = np.argsort(values, axis=1)
    near = take_in_rows(near, order)[:, :depth]
    values = take_in_rows(values, order)
    # Neither the partition nor the sort is stable. A stable sort is several times slower, and only ties need it.
    for row in np.flatnonzero((values[:, 1:] == values[:, :-1]).any(axis=1)):
        inside = np.flatnonzero(distances[row] <= values[row, depth - 1])
        near[row] = inside[np.argsort(distances[row, inside], kind="stable")[:depth]]
    return near


def _centered(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale and shift the points so that squared distances lose as little precision as possible.

    The scale is a power of two. The shift is the mean, rounded to a multiple of a power of two near the spread. So
    integers (or halves, quarters, ...) stay exact, and their equal distances are equal in floating point too.
    """
    points = np.ldexp(points, -np.frexp(np.abs(points).max())[1])
    mean = points.mean(axis=0)
    grid = np.exp2(np.frexp(np.abs(points - mean).max())[1] - 1)
    return points - np.round(mean / grid) * grid


def _first_equal_rows(points: NDArray[np.float64]) -> tuple[NDArray[np.intp], bool]:
    """Return the first row equal to each row, and whether any row is repeated."""
    _, index, inverse = np.unique(points, axis=0, return_index=True, return_inverse=True)
    return index[inverse.reshape(-1)], len(index) < len(points)
