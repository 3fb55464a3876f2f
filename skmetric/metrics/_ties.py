"""Ties and order within the rows of a matrix."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TieRuns", "best_first", "count_inversions", "least_first", "take_in_rows"]


@dataclass(frozen=True, eq=False)
class TieRuns:
    """Runs of equal entries in the rows of a matrix of shape (m, size), in which equal entries are adjacent.

    Attributes
    ----------
    starts, counts : ndarray of shape (n_runs,)
        Start of each run in the flattened matrix, and number of its entries.
    shape : tuple of int
        Shape of the matrix.
    """

    starts: NDArray[np.intp]
    counts: NDArray[np.intp]
    shape: tuple[int, int]

    @classmethod
    def of(cls, *keys: NDArray[Any]) -> "TieRuns":
        """Return the runs in which all matrices are constant."""
        m, size = keys[0].shape
        changes = np.ones((m, size), dtype=bool)
        changes[:, 1:] = False
        for key in keys:
            changes[:, 1:] |= key[:, 1:] != key[:, :-1]
        starts = np.flatnonzero(changes)
        return cls(starts, np.diff(starts, append=changes.size), (m, size))

    def sum(self, values: NDArray[Any]) -> NDArray[Any]:
        """Sum the entries of a matrix over each run. The result has shape (n_runs,)."""
        return np.add.reduceat(values.ravel(), self.starts)

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Copy one value per run to all entries of the run. The result has shape (m, size)."""
        return np.repeat(values, self.counts).reshape(self.shape)

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Replace each entry by the mean of its run. The result has shape (m, size)."""
        if len(self.starts) == values.size:
            return values
        return self.spread(self.sum(values) / self.counts)

    def precision(self, relevant: NDArray[Any], above: NDArray[Any], ranks: NDArray[Any]) -> NDArray[np.float64]:
        """Return the expected precision at each entry, or 0 where it is irrelevant, over all orders within the runs.

        Parameters
        ----------
        relevant : ndarray of shape (m, size)
            Whether each entry is relevant, best first.
        above : ndarray of shape (n_runs,)
            Number of relevant entries before each run.
        ranks : ndarray of shape (m, size) or (size,)
            Rank of each entry, from 1.
        """
        # A relevant entry shares its run with in_run - 1 other relevant entries, and with counts - 1 entries in all. In
        # expectation, the fraction that precedes it is the same for both.
        in_run = self.sum(relevant.astype(np.int64))
        before = self.spread(above) + self.spread(in_run - 1) * self.positions() / self.spread(
            np.maximum(self.counts - 1, 1)
        )
        return self.spread(in_run / self.counts) * (1 + before) / ranks

    def positions(self) -> NDArray[np.intp]:
        """Return the position of each entry in its run, from 0. The result has shape (m, size)."""
        return np.arange(self.counts.sum()).reshape(self.shape) - self.spread(self.starts)

    def pairs(self) -> NDArray[np.float64]:
        """Count the pairs of entries of each row that are in the same run. The result has shape (m,)."""
        m, size = self.shape
        pairs = self.counts * (self.counts - 1) / 2
        return np.bincount(self.starts // size, weights=pairs, minlength=m).astype(np.float64, copy=False)


def take_in_rows(table: NDArray[Any], columns: NDArray[np.intp]) -> NDArray[Any]:
    """``np.take_along_axis(table, columns, axis=1)``, several times faster."""
    first = np.arange(0, table.size, table.shape[1])
    return table.ravel().take(columns + first[:, np.newaxis])


def best_first(score: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the columns of each row by decreasing score. Ties are in column order."""
    return least_first(-score)


def least_first(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the columns of each row by increasing value. Ties are in column order."""
    return np.argsort(values, axis=1, kind="stable")


def count_inversions(table: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count the pairs of columns of each row that have the larger entry first. The result has shape (m,).

    This is a merge sort of all rows at once. If two sorted blocks of ``width`` entries are merged and nothing is
    inverted, the entries of the right block get the last ``width`` positions. Each inversion moves one of them forward
    by one position.
    """
    m, size = table.shape
    blocks = np.full((m, 1 << (size - 1).bit_length()), np.inf)
    blocks[:, :size] = table
    inversions = np.zeros(m, dtype=np.int64)
    width = 1
    while width < blocks.shape[1]:
        halves = blocks.reshape(-1, 2 * width)
        order = np.argsort(halves, axis=1, kind="stable")
        positions = (order >= width) @ np.arange(2 * width)
        inversions += (width * (3 * width - 1) // 2 - positions).reshape(m, -1).sum(axis=1)
        blocks = take_in_rows(halves, order).reshape(m, -1)
        width *= 2
    return inversions
