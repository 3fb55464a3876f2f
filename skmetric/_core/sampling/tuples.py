"""Batches of pairs or triplets, with negatives drawn at random where they are asked for."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["TupleBatchSampler"]


class TupleBatchSampler:
    """Whole tuples, each once an epoch, in random order.

    The items of tuple i are ``i * tuple_size`` and those after it. Batches are as even as possible; places that are
    left over hold -1. Random negatives, for all tuples of a batch alike, come after them: items of their own, drawn
    uniformly and anew for every batch.

    Parameters
    ----------
    tuples : array of int, shape (n,)
        The tuples to draw.
    tuple_size : int
        Items in a tuple.
    batch_size : int
        Most items in a batch, negatives included; more where two tuples need it.
    n_negatives : int, default=0
        Random negatives a batch.
    negatives : tuple of int, (first, number), default=(0, 0)
        The items that negatives are drawn from.

    Attributes
    ----------
    batch_length : int
        Items in a batch.
    list_lengths : tuple of int
        For each step of an epoch ``batch_length``: tuples of a batch may be compared with each other.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric._core.sampling import TupleBatchSampler
    >>> sampler = TupleBatchSampler(np.arange(3), tuple_size=2, batch_size=4)
    >>> sampler.draw_epoch(np.random.default_rng(0))
    array([[ 4,  5,  2,  3],
           [ 0,  1, -1, -1]])
    """

    def __init__(
        self,
        tuples: NDArray[np.integer],
        *,
        tuple_size: int,
        batch_size: int,
        n_negatives: int = 0,
        negatives: tuple[int, int] = (0, 0),
    ) -> None:
        self._tuples, self._size = tuples, tuple_size
        self._n_negatives, self._negatives = n_negatives, negatives
        self._per_batch = max(2, (batch_size - n_negatives) // tuple_size)
        self.batch_length = self._per_batch * tuple_size + n_negatives
        self.list_lengths = (self.batch_length,) * -(-len(tuples) // self._per_batch)

    def draw_epoch(self, rng: np.random.Generator) -> NDArray[np.integer]:
        """Items of one epoch, shape (n_steps, batch_length), tuple after tuple; -1 where there is none."""
        n_steps = len(self.list_lengths)
        turn = np.arange(len(self._tuples))
        drawn = np.full((n_steps, self._per_batch), -1)
        drawn[turn % n_steps, turn // n_steps] = rng.permutation(self._tuples)
        items = drawn[..., None] * self._size + np.arange(self._size)
        items[drawn < 0] = -1
        first, number = self._negatives
        others = first + rng.integers(0, max(1, number), (n_steps, self._n_negatives))
        return np.concatenate([items.reshape(n_steps, -1), others], axis=1)
