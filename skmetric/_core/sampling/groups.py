"""Batches of whole groups, padded to lists of equal length."""

import numpy as np
from numpy.typing import NDArray

from skmetric._core.sampling.classes import shuffle_within_classes
from skmetric._core.sampling.table_size import cut_to_table

__all__ = ["GroupBatchSampler"]

# Lists are padded to lengths that grow by this factor. On average, an eighth of a batch is padding.
GROWTH = 1.25


class GroupBatchSampler:
    """Draws batches of whole groups: many short groups or a few long groups per batch.

    An epoch shows every item once. A group longer than ``max_group_size`` is split at random into lists of about equal
    length, in a new way every epoch. Each step holds lists of similar length, as many as fit into a batch, padded
    to the same length. Which lists are in the same step is drawn again every epoch.

    Parameters
    ----------
    groups : array of int, shape (n_samples,)
        Group of each item, numbered from 0, in any order.
    batch_size : int
        Number of items in a batch, including padding. It is cut to what all lists in one step need
        (:func:`cut_to_table`), and larger if the longest list needs it.
    max_group_size : int
        Maximum length of a list.
    items : array of int, shape (n_samples,), optional
        Numbers of the items, if they are not 0 to n_samples - 1.

    Attributes
    ----------
    batch_length : int
        Number of items in a batch, including padding.
    list_lengths : tuple of int
        Length of the lists in each step of an epoch.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric._core.sampling import GroupBatchSampler
    >>> sampler = GroupBatchSampler(np.array([0, 0, 1, 1, 1, 2, 2]), batch_size=6, max_group_size=10)
    >>> sampler.list_lengths
    (3, 2)
    >>> sampler.draw_epoch(np.random.default_rng(0))
    array([[ 2,  4,  3,  6,  5, -1],
           [ 0,  1, -1, -1, -1, -1]])
    """

    def __init__(
        self,
        groups: NDArray[np.integer],
        *,
        batch_size: int,
        max_group_size: int,
        items: NDArray[np.integer] | None = None,
    ) -> None:
        self._items = np.arange(len(groups)) if items is None else items
        self._groups = groups.astype(np.min_scalar_type(int(groups.max(initial=0))))
        self._starts, self._lengths = _split(np.bincount(groups), max_group_size)
        self._padded = _padded_lengths(self._lengths)
        longest = int(self._lengths.max(initial=1))
        self.batch_length = max(cut_to_table(batch_size, len(self._lengths) * longest), longest)
        # Longest first: the first list of a step determines the length of its lists.
        self._step, self._offset, lengths = _pack(np.sort(self._padded)[::-1], self.batch_length)
        # Long and short lists alternate at random, in the same order in every epoch.
        turn = np.random.default_rng(0).permutation(len(lengths))
        self._step = np.argsort(turn)[self._step]
        self.list_lengths = tuple(lengths[turn].tolist())

    def draw_epoch(self, rng: np.random.Generator) -> NDArray[np.integer]:
        """Draw the items of one epoch, (n_steps, batch_length), list after list in each step; -1 for no item."""
        deck = self._items[shuffle_within_classes(self._groups, rng)]
        order = np.lexsort((rng.random(len(self._padded)), -self._padded))
        starts, lengths = self._starts[order], self._lengths[order]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        batches = np.full((len(self.list_lengths), self.batch_length), -1)
        batches[np.repeat(self._step, lengths), np.repeat(self._offset, lengths) + within] = deck[
            np.repeat(starts, lengths) + within
        ]
        return batches


def _split(sizes: NDArray[np.integer], longest: int) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Split consecutive groups into few lists of about equal length. Returns the starts and lengths of the lists."""
    sizes = sizes[sizes > 0]
    n_lists = -(-sizes // longest)
    group = np.repeat(np.arange(len(sizes)), n_lists)
    index = np.arange(len(group)) - np.repeat(np.cumsum(n_lists) - n_lists, n_lists)
    lengths = sizes[group] // n_lists[group] + (index < sizes[group] % n_lists[group])
    return np.cumsum(lengths) - lengths, lengths


def _padded_lengths(lengths: NDArray[np.integer]) -> NDArray[np.integer]:
    """Round lengths up to the next number of a growing series, at most the longest length."""
    longest = int(lengths.max(initial=1))
    series = [1]
    while series[-1] < longest:
        series.append(min(longest, max(series[-1] + 1, int(series[-1] * GROWTH))))
    return np.array(series)[np.searchsorted(series, lengths)]


def _pack(
    padded: NDArray[np.integer], room: int
) -> tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.integer]]:
    """Fill steps with lists, longest first. Returns step and offset of each list, and the list length of each step."""
    first, lengths = [], []
    start = 0
    while start < len(padded):
        first.append(start)
        lengths.append(int(padded[start]))
        start += room // lengths[-1]
    step = np.searchsorted(first, np.arange(len(padded)), side="right") - 1
    offset = (np.arange(len(padded)) - np.array(first, dtype=int)[step]) * np.array(lengths, dtype=int)[step]
    return step, offset, np.array(lengths, dtype=int)
