"""Expected average precision of rows that are ranked by distance, over all orders of tied rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmetric.metrics._neighbors import find_nearest
from skmetric.metrics._ties import TieRuns, take_in_rows

__all__ = ["expected_average_precision"]

# Distances are rounded to this many levels for sorting. A level and one bit for relevance are one 32-bit integer.
LEVELS = 2**30 - 2
# An entry without a distance comes after all others, and is irrelevant.
PADDING = 2 * (LEVELS + 1)
# A smaller range of distances is one level.
SMALLEST_SPREAD = 2.0**-960
# Number of slots for marking levels, a power of two.
SLOTS = 2**12


def expected_average_precision(
    distances: NDArray[np.float64], relevant: NDArray[np.bool_], limits: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the average precision at R of each query, as the mean over all orders of tied entries.

    Most of the time is needed for sorting. 32-bit integers are sorted at half the cost of distances in float64, and
    values at a third of the cost of an order. Therefore, distances are rounded to integers, which contain the relevance
    as their lowest bit. The order of relevant and irrelevant entries with the same integer is then found from their
    distances. Usually there are hardly any.

    Parameters
    ----------
    distances : ndarray of shape (m, n)
        Distance of each entry. Infinite for an entry that has no rank.
    relevant : ndarray of shape (m, n)
        Whether an entry is relevant.
    limits : ndarray of shape (m,)
        R: number of ranks that count, and divisor of their sum. At least 1, and at most the number of finite distances.

    Returns
    -------
    precision : ndarray of shape (m,)
        Between 0 and 1.
    """
    depth = int(limits.max())
    positions, inside = find_nearest(distances, depth)
    distances, relevant = distances.ravel().take(positions), relevant.ravel().take(positions)
    levels = _levels(distances, relevant)
    levels[~inside] = PADDING
    ranked = np.sort(levels, axis=1)
    hits = ranked & 1
    mixed = (ranked[:, 1:] ^ ranked[:, :-1]) == 1
    tied = _Tied.of(distances, relevant, levels, ranked, mixed) if mixed.any() else None
    if tied is not None:
        hits[tied.is_tied] = tied.relevant[tied.inside]
    found = hits.cumsum(axis=1, dtype=np.int32)
    found *= hits
    ranks = np.arange(1.0, hits.shape[1] + 1)
    gains = found / ranks
    if tied is not None:
        gains[tied.is_tied] = tied.gains(hits)
    if (limits < depth).any():
        gains *= ranks <= limits[:, np.newaxis]
    return gains[:, :depth].sum(axis=1) / limits


def _levels(distances: NDArray[np.float64], relevant: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return an integer per entry: its distance, rounded within the range of its row, times 2, plus 1 if relevant."""
    lowest = distances.min(axis=1, keepdims=True)
    spread = distances.max(axis=1, keepdims=True) - lowest
    scaled = distances - lowest
    scaled *= LEVELS / np.maximum(spread, SMALLEST_SPREAD)
    levels = scaled.astype(np.int32)
    levels <<= 1
    levels |= relevant
    return levels


@dataclass(frozen=True, eq=False)
class _Tied:
    """Entries of all levels that contain both relevant and irrelevant entries, in the order of their distances.

    Attributes
    ----------
    is_tied : ndarray of bool, shape (m, size)
        Which ranks these entries have.
    inside : ndarray of bool, shape (m, longest)
        Which elements of the matrices below are entries and not padding.
    distances, relevant : ndarray of shape (m, longest)
        Distance and relevance of each entry, nearest first.
    """

    is_tied: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    distances: NDArray[np.float64]
    relevant: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        distances: NDArray[np.float64],
        relevant: NDArray[np.bool_],
        levels: NDArray[np.int32],
        ranked: NDArray[np.int32],
        mixed: NDArray[np.bool_],
    ) -> "_Tied":
        """Select whole levels, before and after sorting, so that both selections are the same entries.

        Levels that share a slot with a mixed level are selected too, which costs time but changes nothing.
        """
        rows = np.arange(len(ranked))[:, np.newaxis] * SLOTS
        marked = np.zeros(SLOTS * len(ranked), dtype=bool)
        row, column = np.nonzero(mixed)
        marked[row * SLOTS + ((ranked[row, column] >> 1) & (SLOTS - 1))] = True
        is_tied, selected = (
            marked.take(rows + ((table >> 1) & (SLOTS - 1))) & (table != PADDING) for table in (ranked, levels)
        )
        counts = np.count_nonzero(is_tied, axis=1)
        inside = np.arange(counts.max()) < counts[:, np.newaxis]
        near, is_relevant = np.full(inside.shape, np.inf), np.zeros(inside.shape, dtype=bool)
        near[inside], is_relevant[inside] = distances[selected], relevant[selected]
        order = np.argsort(near, axis=1)
        return cls(is_tied, inside, take_in_rows(near, order), take_in_rows(is_relevant, order))

    def gains(self, hits: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the expected precision at each of these entries, or 0 where it is irrelevant.

        ``hits`` has the relevance at each rank, with the ties in any order.
        """
        runs = TieRuns.of(self.distances)
        above = np.zeros(self.inside.shape, dtype=np.int64)
        above[self.inside] = (hits.cumsum(axis=1) - hits)[self.is_tied]
        ranks = np.ones(self.inside.shape)
        ranks[self.inside] = np.nonzero(self.is_tied)[1] + 1
        return runs.precision(self.relevant, above.ravel()[runs.starts], ranks)[self.inside]
