"""P x K batches: P classes with K rows each."""

import numpy as np
from numpy.typing import NDArray

from skmetric._core.sampling.table_size import cut_to_table

__all__ = ["ClassBatchSampler", "block_shape"]


def block_shape(n_classes: int, batch_size: int, samples_per_class: int) -> tuple[int, int]:
    """Return the number of classes per batch and of samples per class: (P, K).

    P is the number of classes that fit into a batch, at least two. With few classes, K increases to fill the batch
    (10 classes in a batch of 64: 10 x 6).

    Raises
    ------
    ValueError
        If fewer than two classes fit into a batch.

    Examples
    --------
    >>> from skmetric._core.sampling import block_shape
    >>> block_shape(10, batch_size=64, samples_per_class=4)
    (10, 6)
    >>> block_shape(100, batch_size=64, samples_per_class=4)
    (16, 4)
    """
    p = min(n_classes, batch_size // samples_per_class)
    if p < 2:
        raise ValueError(
            f"batch_size must hold at least two classes of samples_per_class={samples_per_class} rows each, got "
            f"batch_size={batch_size}. Use batch_size >= {2 * samples_per_class}, or a smaller samples_per_class."
        )
    return p, batch_size // p


class ClassBatchSampler:
    """Draws an epoch of P x K batches.

    Each batch holds P different classes in blocks of K rows. An epoch has ``ceil(n_samples / (P * K))`` batches, so
    that there are about as many draws as rows. If all classes fit into a batch, each batch holds all classes, and a row
    of a small class is drawn more often than a row of a large class. Otherwise, classes are drawn in proportion to
    their size (at most once per batch), so that each row is drawn about once. The rows of a class are shuffled and used
    in this order, again from the start if necessary. A block repeats a row only if its class has fewer than K rows.

    Parameters
    ----------
    labels : array of int, shape (n_samples,)
        Class of each row, coded 0, 1, ...; at least two classes.
    batch_size : int
        Upper bound of P * K. It is cut to the number of rows (:func:`cut_to_table`), unless two classes need more.
    samples_per_class : int
        Lower bound of K.
    rows : array of int, shape (n_samples,), optional
        Row index of each label, if the labels belong to a part of a table.

    Raises
    ------
    ValueError
        If fewer than two classes fit into a batch.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric._core.sampling import ClassBatchSampler
    >>> sampler = ClassBatchSampler(np.array([0, 0, 0, 1, 1, 2]), batch_size=4, samples_per_class=2)
    >>> rows = sampler.draw_epoch(np.random.default_rng(0))
    >>> rows.shape
    (2, 4)
    """

    def __init__(
        self,
        labels: NDArray[np.integer],
        *,
        batch_size: int,
        samples_per_class: int,
        rows: NDArray[np.integer] | None = None,
    ) -> None:
        self._rows = np.arange(len(labels)) if rows is None else rows
        self._sizes = np.bincount(labels)
        self._labels = labels.astype(np.min_scalar_type(len(self._sizes)))
        present = np.flatnonzero(self._sizes)
        self._classes = present
        useful = cut_to_table(batch_size, max(len(labels), 2 * samples_per_class))
        self.classes_per_batch, self.samples_per_class = block_shape(len(present), useful, samples_per_class)
        self.batch_length = self.classes_per_batch * self.samples_per_class
        self.n_steps = -(-len(labels) // self.batch_length)
        # A batch is one list.
        self.list_lengths = (self.batch_length,) * self.n_steps
        self._expected = _share_out(self._sizes[present], self.n_steps * self.classes_per_batch, self.n_steps)

    def draw_epoch(self, rng: np.random.Generator) -> NDArray[np.integer]:
        """Draw the row indices of one epoch, (n_steps, P * K), class after class in each batch."""
        p, k, steps = self.classes_per_batch, self.samples_per_class, self.n_steps
        slot_class = self._draw_classes(rng)
        # The slots of a class are consecutive. Each slot takes the next K of its shuffled rows.
        turn = _index_in_run(slot_class)[:, None] * k + np.arange(k)
        deck = self._rows[shuffle_within_classes(self._labels, rng)]
        start = np.cumsum(self._sizes) - self._sizes
        rows = deck[start[slot_class][:, None] + turn % self._sizes[slot_class][:, None]]
        # Slot s goes to batch s mod steps: a class has at most `steps` consecutive slots, so no batch has it twice.
        batches = rows.reshape(p, steps, k).transpose(1, 0, 2).reshape(steps, p * k)
        return batches[rng.permutation(steps)]

    def _draw_classes(self, rng: np.random.Generator) -> NDArray[np.integer]:
        """Draw classes by systematic sampling: their expected numbers of slots are rounded up or down at random."""
        order = rng.permutation(len(self._classes))
        ends = np.cumsum(self._expected[order])
        ends[-1] = np.inf
        n_slots = self.n_steps * self.classes_per_batch
        picks = np.searchsorted(ends, np.arange(n_slots) + rng.random(), side="right")
        return self._classes[order[picks]]


def _share_out(sizes: NDArray[np.integer], total: int, cap: int) -> NDArray[np.float64]:
    """Split ``total`` in proportion to the sizes, with no share above ``cap``. Requires len(sizes) * cap >= total."""
    shares = np.empty(len(sizes))
    by_size = np.argsort(-sizes, kind="stable")
    left, rest, n_capped = total, int(sizes.sum()), 0
    # Integers decide which classes reach the cap: a share above it by rounding would put a class into a batch twice.
    # At most total / cap classes reach it, which is the number of classes per batch.
    for size in sizes[by_size].tolist():
        if size * left < cap * rest:
            break
        left, rest, n_capped = left - cap, rest - size, n_capped + 1
    shares[by_size[:n_capped]] = cap
    others = by_size[n_capped:]
    shares[others] = left * sizes[others] / rest if rest else 0.0
    return shares


def _index_in_run(values: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return the index of each element within its run of equal values: [7, 7, 3, 3, 3] gives [0, 1, 0, 1, 2]."""
    index = np.arange(len(values))
    starts = np.append(True, values[1:] != values[:-1])
    return index - np.maximum.accumulate(np.where(starts, index, 0))


def shuffle_within_classes(labels: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.integer]:
    """Return all indices of ``labels``, sorted by class, in random order within each class."""
    shuffled = rng.permutation(len(labels))
    return shuffled[np.argsort(labels[shuffled], kind="stable")]
