"""Batches of pairs or triplets, with optional random negatives."""

import numpy as np
from numpy.typing import NDArray

from skmetric._core.sampling.table_size import cut_to_table

__all__ = ["TupleBatchSampler"]


class TupleBatchSampler:
    """Draws batches of whole tuples, each tuple once per epoch, in random order.

    The items of tuple i are the ``tuple_size`` items from ``i * tuple_size`` on. Batches are as even as possible, and
    unused slots hold -1. Random negatives follow at the end of a batch and serve all its tuples. They are separate
    items, drawn uniformly for each batch.

    Parameters
    ----------
    tuples : array of int, shape (n_tuples,)
        The tuples to draw.
    tuple_size : int
        Number of items in a tuple.
    batch_size : int
        Maximum number of items in a batch, including negatives. It is cut to the number of items and negatives
        (:func:`cut_to_table`), and larger if two tuples need it.
    n_negatives : int, default=0
        Number of random negatives per batch.
    negatives : tuple of int, (first, number), default=(0, 0)
        Range of the items from which negatives are drawn.

    Attributes
    ----------
    batch_length : int
        Number of items in a batch.
    list_lengths : tuple of int
        ``batch_length`` for each step of an epoch, because all tuples of a batch may be compared.

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
        useful = cut_to_table(batch_size, len(tuples) * tuple_size + n_negatives)
        self._per_batch = max(2, (useful - n_negatives) // tuple_size)
        self.batch_length = self._per_batch * tuple_size + n_negatives
        self.list_lengths = (self.batch_length,) * -(-len(tuples) // self._per_batch)

    def draw_epoch(self, rng: np.random.Generator) -> NDArray[np.integer]:
        """Draw the items of one epoch, (n_steps, batch_length), tuple after tuple; -1 for a slot without an item."""
        n_steps = len(self.list_lengths)
        turn = np.arange(len(self._tuples))
        drawn = np.full((n_steps, self._per_batch), -1)
        drawn[turn % n_steps, turn // n_steps] = rng.permutation(self._tuples)
        items = drawn[..., None] * self._size + np.arange(self._size)
        items[drawn < 0] = -1
        first, number = self._negatives
        others = first + rng.integers(0, max(1, number), (n_steps, self._n_negatives))
        return np.concatenate([items.reshape(n_steps, -1), others], axis=1)
