"""Distances of queries to all rows of a table, in blocks, and the entries that are near enough to matter."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["PointTable", "find_nearest"]

# Number of queries in one matrix product. With fewer, the product is slow. Peak memory is about one array of n_samples
# times this many numbers: 0.5 KiB per row of the table.
CHUNK_ROWS = 64
# Number of distances that are worked on at once. More do not fit into the CPU cache.
BLOCK_SIZE = 2**16
# Number of columns from which the distance of the R-th neighbor is estimated, at most one in SAMPLED_PART.
SAMPLE_SIZE, SAMPLED_PART = 512, 16


@dataclass(frozen=True, eq=False)
class PointTable:
    """Rows of a table as points. Equal rows are one point, so they have exactly the same distance to any query.

    Attributes
    ----------
    points : ndarray of shape (n_points, n_features)
        Distinct points, scaled and shifted.
    point_of : ndarray of shape (n_samples,)
        Point of each row.
    """

    points: NDArray[np.float64]
    point_of: NDArray[np.intp]

    @classmethod
    def of(cls, rows: NDArray[np.float64]) -> "PointTable":
        """Find equal rows in a table of finite coordinates."""
        rows = _centered(rows)
        points, point_of = np.unique(rows, axis=0, return_inverse=True)
        if len(points) == len(rows):
            return cls(rows, np.arange(len(rows)))
        return cls(points, point_of.reshape(-1))

    def distances(
        self, rows: NDArray[np.intp], *, chunk_rows: int = CHUNK_ROWS, block_size: int = BLOCK_SIZE
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float64]]]:
        """Yield the distances of query rows to all rows, block by block.

        Parameters
        ----------
        rows : ndarray of shape (n_queries,)
            Rows that are queries.
        chunk_rows : int
            Number of queries per matrix product. Memory is proportional to ``n_samples * (chunk_rows + n_features)``.
        block_size : int
            Number of distances per block. A block has at least one query.

        Yields
        ------
        rows : ndarray of shape (m,)
            Queries of this block.
        distances : ndarray of shape (m, n_samples)
            Squared Euclidean distances, without a term that is the same for all entries of a row. The distance of a
            query to itself is infinite. The next block overwrites them.
        """
        n = len(self.point_of)
        # |x - y|^2 without |x|^2 of the query, which does not change the order: this takes only one matrix product.
        left = np.column_stack([self.points, np.ones(len(self.points))])
        right = np.column_stack([-2 * self.points, np.einsum("ij,ij->i", self.points, self.points)]).T
        has_copies = len(self.points) < n
        block_rows = max(1, block_size // n)
        products = np.empty((min(chunk_rows, len(rows)), len(self.points)))
        for start in range(0, len(rows), chunk_rows):
            chunk = rows[start : start + chunk_rows]
            product = np.matmul(left[self.point_of[chunk]], right, out=products[: len(chunk)])
            for first in range(0, len(chunk), block_rows):
                block = chunk[first : first + block_rows]
                distances = product[first : first + block_rows]
                if has_copies:
                    distances = distances.take(self.point_of, axis=1)
                distances[np.arange(len(block)), block] = np.inf
                yield block, distances


def find_nearest(distances: NDArray[np.float64], depth: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Find at least the ``depth`` nearest entries of each row, with all entries that are tied with one of them.

    Parameters
    ----------
    distances : ndarray of shape (m, n)
        At least ``depth`` entries of each row are finite.
    depth : int
        Number of entries that are needed, at least 1.

    Returns
    -------
    positions : ndarray of shape (m, size)
        For each row, the positions of its entries in the flattened distances: all entries up to some distance, never
        an infinite one. ``size`` is usually a little above ``depth``. A row with fewer entries repeats one of them.
    inside : ndarray of shape (m, size)
        False for repetitions.
    """
    m, n = distances.shape
    near = distances <= _reach(distances, depth)[:, np.newaxis]
    positions = np.flatnonzero(near)
    bounds = np.searchsorted(positions, np.arange(m + 1) * n)
    short = np.flatnonzero(np.diff(bounds) < depth)
    if len(short):
        exact = np.partition(distances[short], depth - 1, axis=1)[:, depth - 1]
        near[short] = distances[short] <= exact[:, np.newaxis]
        positions = np.flatnonzero(near)
        bounds = np.searchsorted(positions, np.arange(m + 1) * n)
    counts = np.diff(bounds)
    inside = np.arange(counts.max()) < counts[:, np.newaxis]
    in_rows = np.repeat(positions[bounds[:-1]], inside.shape[1]).reshape(inside.shape)
    in_rows[inside] = positions
    return in_rows, inside


def _reach(distances: NDArray[np.float64], depth: int) -> NDArray[np.float64]:
    """Estimate for each row, from some columns, a distance that is rarely below that of the ``depth``-th neighbor.

    Finding the neighbor itself takes as long as sorting what is nearer.
    """
    m, n = distances.shape
    columns = _sample(n)
    expected = len(columns) * depth / n
    # Two standard deviations above the expected rank. The depth-th smallest of some columns is always far enough.
    rank = min(depth, int(np.ceil(expected + 2 * np.sqrt(expected * (1 - depth / n)) + 2)))
    if rank >= len(columns):
        return np.full(m, np.finfo(np.float64).max)
    sample = distances.take(columns, axis=1).astype(np.float32)
    return np.partition(sample, rank - 1, axis=1)[:, rank - 1].astype(np.float64)


@lru_cache(maxsize=8)
def _sample(n: int) -> NDArray[np.intp]:
    """Draw some of n columns. At regular distances, they could all be of the same class."""
    return np.random.default_rng(0).choice(n, min(SAMPLE_SIZE, n // SAMPLED_PART), replace=False)


def _centered(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale and shift the points so that squared distances lose as little precision as possible.

    The scale is a power of two. The shift is the mean, rounded to a multiple of a power of two near the spread. So
    integers (or halves, quarters, ...) stay exact, and their equal distances are equal in floating point too.
    """
    points = np.ldexp(points, -np.frexp(np.abs(points).max())[1])
    mean = points.mean(axis=0)
    grid = np.exp2(np.frexp(np.abs(points - mean).max())[1] - 1)
    return points - np.round(mean / grid) * grid
