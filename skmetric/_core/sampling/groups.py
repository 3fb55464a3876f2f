"""Batches of whole groups, padded to lists of one length."""

import numpy as np
from numpy.typing import NDArray

from skmetric._core.sampling.classes import shuffle_within_classes

__all__ = ["GroupBatchSampler"]

# Lists are padded to lengths that grow by so much: an eighth of a batch is padding, on average.
GROWTH = 1.25


class GroupBatchSampler:
    """Whole groups, many short ones or a few long ones a batch.

    An epoch shows every item once. A group longer than ``max_group_size`` is split at random, anew every epoch, into
    lists as even as possible. Each step holds lists of similar lengths, as many as fit into a batch, padded to one
    length; which lists meet is drawn anew every epoch.

    Parameters
    ----------
    groups : array of int, shape (n,)
        The group of each item, numbered from 0, in any order.
    batch_size : int
        Items in a batch, padding included; more where the longest list needs it.
    max_group_size : int
        The longest list.
    items : array of int, shape (n,), optional
        The numbers of the items, where they are not 0 to n - 1.

    Attributes
    ----------
    batch_length : int
        Items in a batch, padding included.
    list_lengths : tuple of int
        The lists' length in each step of an epoch.

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
        self.batch_length = max(batch_size, int(self._lengths.max(initial=1)))
        # Longest first: the list that opens a step decides how long its lists are.
        self._step, self._place, lengths = _pack(np.sort(self._padded)[::-1], self.batch_length)
        # Long and short lists take turns, the same way in every epoch.
        turn = np.random.default_rng(0).permutation(len(lengths))
        self._step = np.argsort(turn)[self._step]
        self.list_lengths = tuple(lengths[turn].tolist())

    def draw_epoch(self, rng: np.random.Generator) -> NDArray[np.integer]:
        """Items of one epoch, shape (n_steps, batch_length), list after list within a step; -1 where there is none."""
        deck = self._items[shuffle_within_classes(self._groups, rng)]
        order = np.lexsort((rng.random(len(self._padded)), -self._padded))
        starts, lengths = self._starts[order], self._lengths[order]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        batches = np.full((len(self.list_lengths), self.batch_length), -1)
        batches[np.repeat(self._step, lengths), np.repeat(self._place, lengths) + within] = deck[
            np.repeat(starts, lengths) + within
        ]
        return batches


def _split(sizes: NDArray[np.integer], longest: int) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Starts and lengths of the lists that groups, one after the other, are split into: as few and even as possible."""
    sizes = sizes[sizes > 0]
    n_lists = -(-sizes // longest)
    group = np.repeat(np.arange(len(sizes)), n_lists)
    place = np.arange(len(group)) - np.repeat(np.cumsum(n_lists) - n_lists, n_lists)
    lengths = sizes[group] // n_lists[group] + (place < sizes[group] % n_lists[group])
    return np.cumsum(lengths) - lengths, lengths


def _padded_lengths(lengths: NDArray[np.integer]) -> NDArray[np.integer]:
    """The next length of a growing series, at most the longest there is."""
    longest = int(lengths.max(initial=1))
    series = [1]
    while series[-1] < longest:
        series.append(min(longest, max(series[-1] + 1, int(series[-1] * GROWTH))))
    return np.array(series)[np.searchsorted(series, lengths)]


def _pack(
    padded: NDArray[np.integer], room: int
) -> tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.integer]]:
    """Fill steps with lists, longest first: each list's step and place, and each step's list length."""
    first, lengths = [], []
    start = 0
    while start < len(padded):
        first.append(start)
        lengths.append(int(padded[start]))
        start += room // lengths[-1]
    step = np.searchsorted(first, np.arange(len(padded)), side="right") - 1
    place = (np.arange(len(padded)) - np.array(first, dtype=int)[step]) * np.array(lengths, dtype=int)[step]
    return step, place, np.array(lengths, dtype=int)
