"""Nearest rows of a table, a chunk of queries at a time, with ties resolved by row order."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skmetric.metrics._ties import take_in_rows

__all__ = ["nearest_rows"]

# Queries compared with all rows at once. Fewer make slow matrix products; more fall out of the processor's cache. What
# is alive at once is about three arrays of n times this many numbers: 1.5 KiB for each row of the table.
CHUNK_ROWS = 64


def nearest_rows(
    points: NDArray[np.float64], depths: NDArray[np.intp], *, chunk_rows: int = CHUNK_ROWS
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield the nearest other rows of every query row, nearest first.

    Distances are Euclidean; a row is never its own neighbor, and rows at the same distance come in row order. Equal
    rows are at exactly the same distance from any query.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        Finite coordinates.
    depths : ndarray of shape (n,)
        How many neighbors a row needs, at most ``n - 1``; a row with 0 is no query.
    chunk_rows : int
        How many queries a chunk holds: memory is proportional to ``n * (chunk_rows + d)``.

    Yields
    ------
    rows : ndarray of shape (q,)
        The query rows of this chunk, in order of depth.
    neighbors : ndarray of shape (q, depth)
        Their neighbors; ``depth`` is the largest depth in the chunk, so a row may get more than it asked for.
    """
    points = _centered(points)
    # |x - y|^2 without the query's own |x|^2, which changes no order: one matrix product, no further pass.
    left = np.column_stack([points, np.ones(len(points))])
    right = np.column_stack([-2 * points, np.einsum("ij,ij->i", points, points)]).T
    first, repeated = _first_equal_rows(points)
    # Sorting by depth keeps a chunk's depths alike, so that few rows are sorted deeper than they asked for.
    queries = np.argsort(depths, kind="stable")[np.count_nonzero(depths == 0) :]
    for start in range(0, len(queries), chunk_rows):
        rows = queries[start : start + chunk_rows]
        distances = left[rows] @ right
        if repeated:
            # A matrix product may give equal columns results some ulp apart, by where they fall in its blocks.
            distances = distances.take(first, axis=1)
        distances[np.arange(len(rows)), rows] = np.inf
        yield rows, _smallest(distances, int(depths[rows[-1]]))


def _smallest(distances: NDArray[np.float64], depth: int) -> NDArray[np.intp]:
    """Columns of the ``depth`` smallest entries of each row, smallest first, equal ones by column.

    One entry more than asked for is looked at, so that a tie across the cut shows up like any other.
    """
    near = np.argpartition(distances, depth, axis=1)[:, : depth + 1]
    values = take_in_rows(distances, near)
    order = np.argsort(values, axis=1)
    near = take_in_rows(near, order)[:, :depth]
    values = take_in_rows(values, order)
    # Neither partition nor sort is stable: that costs several times more, and only rows with ties need it.
    for row in np.flatnonzero((values[:, 1:] == values[:, :-1]).any(axis=1)):
        inside = np.flatnonzero(distances[row] <= values[row, depth - 1])
        near[row] = inside[np.argsort(distances[row, inside], kind="stable")[:depth]]
    return near


def _centered(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale and shift the points such that squared distances lose as little as possible.

    The scale is a power of two, and the shift is the mean rounded to a power of two near the spread. So integers (or
    halves, quarters, ...) stay exact, and points that are equally far in theory are so in floating point.
    """
    points = np.ldexp(points, -np.frexp(np.abs(points).max())[1])
    mean = points.mean(axis=0)
    grid = np.exp2(np.frexp(np.abs(points - mean).max())[1] - 1)
    return points - np.round(mean / grid) * grid


def _first_equal_rows(points: NDArray[np.float64]) -> tuple[NDArray[np.intp], bool]:
    """For each row the first row equal to it, and whether any row is repeated."""
    _, index, inverse = np.unique(points, axis=0, return_index=True, return_inverse=True)
    return index[inverse.reshape(-1)], len(index) < len(points)
