"""P x K batches: P classes, K rows of each."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["ClassBatchSampler", "block_shape"]


def block_shape(n_classes: int, batch_size: int, samples_per_class: int) -> tuple[int, int]:
    """Classes and samples a class of a batch: (P, K).

    P is as many classes as fit, and at least two; where the classes are few, K grows to fill the batch (10 classes in
    a batch of 64: 10 x 6).

    Raises
    ------
    ValueError
        When fewer than two classes fit into a batch.

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
            f"batch_size must hold at least two classes of samples_per_class={samples_per_class} rows each; got "
            f"batch_size={batch_size}. Use batch_size >= {2 * samples_per_class}, or fewer samples_per_class."
        )
    return p, batch_size // p


class ClassBatchSampler:
    """Draws an epoch of P x K batches.

    Every batch holds P different classes in blocks of K rows. An epoch has ``ceil(n / (P * K))`` batches, as many draws
    as there are rows. Where all classes fit into a batch, each batch holds all of them, and a row of a small class is
    drawn more often than one of a large class. Where they do not, a class comes up in proportion to its size (at most
    once a batch), so that every row is drawn about once. The rows of a class are dealt like a shuffled deck, again
    from the start when it is used up: a block holds a row twice only where its class has fewer than K rows.

    Parameters
    ----------
    labels : array of int, shape (n,)
        The class of each row, coded 0, 1, ...; at least two classes.
    batch_size : int
        Upper bound of P * K.
    samples_per_class : int
        Lower bound of K.
    rows : array of int, shape (n,), optional
        The rows that the labels belong to, where they are a part of a table.

    Raises
    ------
    ValueError
        When fewer than two classes fit into a batch.

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
        self.classes_per_batch, self.samples_per_class = block_shape(len(present), batch_size, samples_per_class)
        self.batch_length = self.classes_per_batch * self.samples_per_class
        self.n_steps = -(-len(labels) // self.batch_length)
        # A batch is one list.
        self.list_lengths = (self.batch_length,) * self.n_steps
        self._expected = _share_out(self._sizes[present], self.n_steps * self.classes_per_batch, self.n_steps)

    def draw_epoch(self, rng: np.random.Generator) -> NDArray[np.integer]:
        """Row indices of one epoch, shape (n_steps, P * K), class after class within a batch."""
        p, k, steps = self.classes_per_batch, self.samples_per_class, self.n_steps
        slot_class = self._draw_classes(rng)
        # The slots of a class are consecutive; it deals K rows of its deck in each.
        turn = _place_in_run(slot_class)[:, None] * k + np.arange(k)
        deck = self._rows[shuffle_within_classes(self._labels, rng)]
        start = np.cumsum(self._sizes) - self._sizes
        rows = deck[start[slot_class][:, None] + turn % self._sizes[slot_class][:, None]]
        # Slot s goes to batch s mod steps: a class with at most `steps` consecutive slots never meets itself.
        batches = rows.reshape(p, steps, k).transpose(1, 0, 2).reshape(steps, p * k)
        return batches[rng.permutation(steps)]

    def _draw_classes(self, rng: np.random.Generator) -> NDArray[np.integer]:
        """Systematic sampling: each class gets its expected number of slots, rounded up or down at random."""
        order = rng.permutation(len(self._classes))
        ends = np.cumsum(self._expected[order])
        ends[-1] = np.inf
        n_slots = self.n_steps * self.classes_per_batch
        picks = np.searchsorted(ends, np.arange(n_slots) + rng.random(), side="right")
        return self._classes[order[picks]]


def _share_out(sizes: NDArray[np.integer], total: int, cap: int) -> NDArray[np.float64]:
    """Split ``total`` in proportion to the sizes, no share above ``cap``; there is room for it: len * cap >= total."""
    shares = np.empty(len(sizes))
    by_size = np.argsort(-sizes, kind="stable")
    left, rest, n_capped = total, int(sizes.sum()), 0
    # Whole numbers decide who reaches the cap: a share that rounding lifts above it would put a class into a batch
    # twice. At most total / cap classes reach it, as many as a batch holds.
    for size in sizes[by_size].tolist():
        if size * left < cap * rest:
            break
        left, rest, n_capped = left - cap, rest - size, n_capped + 1
    shares[by_size[:n_capped]] = cap
    others = by_size[n_capped:]
    shares[others] = left * sizes[others] / rest if rest else 0.0
    return shares


def _place_in_run(values: NDArray[np.integer]) -> NDArray[np.integer]:
    """Place of each element within its run of equal values: [7, 7, 3, 3, 3] gives [0, 1, 0, 1, 2]."""
    place = np.arange(len(values))
    starts = np.append(True, values[1:] != values[:-1])
    return place - np.maximum.accumulate(np.where(starts, place, 0))


def shuffle_within_classes(labels: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.integer]:
    """All places of ``labels``, sorted by class and in random order within each."""
    shuffled = rng.permutation(len(labels))
    return shuffled[np.argsort(labels[shuffled], kind="stable")]
