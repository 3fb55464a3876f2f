"""Training data of embedders: labeled rows, or pairs and triplets of points."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score
from sklearn.utils.multiclass import type_of_target

from skmetric._core.nn import Columns
from skmetric._core.sampling import ClassBatchSampler, TupleBatchSampler, stratified_holdout
from skmetric._outcomes import SIMILARITY, OutcomeKind, read_outcomes
from skmetric._values import read_values
from skmetric.estimators.embedding._learned_metric import distance_between
from skmetric.estimators.embedding._neighbors import NeighborVote
from skmetric.estimators.training_data import Batches, Indices
from skmetric.metrics import distance_threshold, map_at_r_score

__all__ = ["EmbedderBatching", "EmbedderData", "LabeledRows", "PointTuples", "read_tuple_outcomes"]

# Number of coordinates of points that are compared at once.
AT_ONCE = 1 << 22
# Computes a score from the embeddings of the validation rows.
Judge = Callable[[NDArray], float]


@dataclass(frozen=True, eq=False)
class EmbedderBatching:
    """Settings by which an embedder draws batches.

    Attributes
    ----------
    classes : array of shape (n_classes,)
        All classes, in the order of their codes.
    batch_size : int
        Maximum number of rows per batch.
    samples_per_class : int
        Minimum number of rows per class in a batch.
    n_negatives : int
        Number of random negatives per batch of given pairs.
    chunk_length, memory_size
        See :class:`FitPlan`.
    with_codes : bool
        Whether the objective gets the class code of each row.
    """

    classes: NDArray
    batch_size: int
    samples_per_class: int
    n_negatives: int = 0
    chunk_length: int | None = None
    memory_size: int = 0
    with_codes: bool = False


@dataclass(frozen=True, eq=False)
class LabeledRows:
    """Rows with their classes.

    Attributes
    ----------
    columns : Columns
        The rows.
    labels : array of shape (n_samples,)
        Labels as given by the user.
    is_known : array of bool, shape (n_samples,)
        Whether the class of each row is known.
    """

    columns: Columns
    labels: NDArray
    is_known: NDArray[np.bool_]

    tuple_size: ClassVar[int | None] = None
    needs_y: ClassVar[bool] = True
    has_both: ClassVar[bool] = False
    has_similar: ClassVar[bool] = True

    @property
    def classes(self) -> NDArray:
        """The distinct known classes."""
        return np.unique(self.labels[self.is_known])

    def codes(self, classes: NDArray) -> NDArray[np.integer]:
        """Return the index of each label among the classes; meaningless for rows of unknown class."""
        return np.searchsorted(classes, np.where(self.is_known, self.labels, classes[0]))

    def check(self) -> None:
        """Raise unless there are at least two classes, and at least one with two rows."""
        labels = self.labels[self.is_known]
        if not len(labels):
            raise ValueError(
                "y must hold labels, got only unlabeled rows. Set unlabeled= to the label of rows of unknown class."
            )
        kind = type_of_target(labels, input_name="y")
        if kind not in {"binary", "multiclass"}:
            raise ValueError(
                f"Unknown label type: {kind}. y must hold classes: whole numbers, text or booleans, got values such as "
                f"{labels.tolist()[0]!r}. Turn continuous values into classes, for example by KBinsDiscretizer."
            )
        classes, counts = np.unique(labels, return_counts=True)
        if len(classes) < 2:
            raise ValueError(
                "y must hold at least two classes, because otherwise no row has a negative, got one class, "
                f"{classes.tolist()}. Fit on rows of several classes."
            )
        if counts.max() < 2:
            raise ValueError(
                "y must hold a class with at least two rows, because otherwise no row has a positive, got "
                f"{len(classes)} classes of one row each. If y is an identifier of rows, pass classes of similar rows."
            )

    def usable(self) -> Indices:
        """Return the rows whose class is known."""
        return np.flatnonzero(self.is_known)

    def hold_out(self, fraction: float, rng: np.random.Generator) -> tuple[Indices, "LabeledRows"]:
        """Return the training rows, and a fraction of each class as validation data."""
        usable, codes = self.usable(), np.unique(self.labels[self.is_known], return_inverse=True)[1]
        train, held_out = stratified_holdout(codes, fraction, rng)
        if np.bincount(codes[held_out], minlength=1).max() < 2:
            raise ValueError(
                f"validation_fraction must hold out two rows of at least one class, got {fraction} of {len(codes)} "
                "rows (two rows of each class always stay for training). Increase it, pass X_val and y_val, or set "
                "early_stopping=False."
            )
        return usable[train], self._known(usable[held_out])

    def judged(self, distance: str) -> tuple[Columns, Judge]:
        """Return the validation rows, and a function that computes their MAP@R."""
        del distance  # all distances order neighbors in the same way
        known = self._known(self.usable())
        codes = np.unique(known.labels, return_inverse=True)[1]
        if np.bincount(codes, minlength=2).min() == 0 or np.bincount(codes).max() < 2:
            raise ValueError(
                "y_val must hold two classes, at least one with two rows, to compute MAP@R, got fewer. Pass more rows."
            )
        return known.columns, partial(map_at_r_score, labels=codes)

    def batches(self, train: Indices, batching: EmbedderBatching) -> Batches:
        """Return batches of classes x rows."""
        is_held_out = self.is_known.copy()
        is_held_out[train] = False
        codes = self.codes(batching.classes)
        sampler = ClassBatchSampler(
            codes[train], batch_size=batching.batch_size, samples_per_class=batching.samples_per_class, rows=train
        )
        return Batches(
            sampler,
            # All rows that are not held out scale the inputs, also those of unknown class.
            row_weights=(~is_held_out).astype(np.float64) if is_held_out.any() else None,
            values=codes[:, None].astype(np.float32) if batching.with_codes else None,
            block_length=sampler.samples_per_class,
            chunk_length=batching.chunk_length,
            memory_size=batching.memory_size,
        )

    def neighbors(self, embeddings: NDArray[np.float32], classes: NDArray) -> NeighborVote:
        """Return the neighbors that vote in ``predict``: the embeddings of the rows of known class."""
        return NeighborVote(embeddings[self.is_known], self.codes(classes)[self.is_known])

    def threshold(self, embeddings: NDArray[np.float32], distance: str) -> None:
        """Return None: rows have no pairs that could determine a threshold."""
        del embeddings, distance

    def _known(self, rows: Indices) -> "LabeledRows":
        return LabeledRows(self.columns.take(rows), self.labels[rows], np.ones(len(rows), dtype=bool))


def read_tuple_outcomes(y: ArrayLike | None, n: int, size: int) -> tuple[NDArray[np.int64], OutcomeKind]:
    """Read what y says about each tuple: whether a pair is similar. Triplets have no y, or only 1."""
    if size == 2:
        return read_outcomes(y, n, SIMILARITY)
    read = None if y is None else read_values(y, "y")
    if read is not None and (read.is_missing.any() or not np.array_equal(read.array.reshape(-1), np.ones(n))):
        raise ValueError(
            f"y must be None for triplets, or 1 for each of the {n}, got other values: the order of the points of a "
            "triplet says that the second is closer to the first than the third is. Leave y out. To reverse a triplet, "
            "swap its second and third points."
        )
    return np.ones(n, dtype=np.int64), OutcomeKind()


@dataclass(frozen=True, eq=False)
class PointTuples:
    """Tuples of points.

    Attributes
    ----------
    columns : Columns
        The distinct points.
    indices : array of int, shape (n_pairs, 2) or (n_triplets, 3)
        The points of each tuple.
    outcome : array of int, shape (n_tuples,)
        1, or -1 for a dissimilar pair.
    classes : array of shape (2,)
        What is predicted for a tuple: -1 and 1, or False and True if the outcomes were booleans.
    """

    columns: Columns
    indices: NDArray[np.integer]
    outcome: NDArray[np.integer]
    classes: NDArray = field(default_factory=lambda: np.array([-1, 1]))

    @property
    def tuple_size(self) -> int:
        """Number of points per tuple."""
        return int(self.indices.shape[1])

    @property
    def needs_y(self) -> bool:
        """Whether a validation set needs outcomes, too."""
        return self.has_both

    @property
    def has_similar(self) -> bool:
        """Whether some pairs are similar."""
        return bool((self.outcome > 0).any())

    @property
    def has_both(self) -> bool:
        """Whether there are similar and dissimilar pairs."""
        return self.has_similar and bool((self.outcome < 0).any())

    def check(self) -> None:
        """Accept all tuples."""

    def usable(self) -> Indices:
        """Return the indices of all tuples."""
        return np.arange(len(self.indices))

    def distances(self, embeddings: NDArray[np.float32], distance: str) -> NDArray[np.float32]:
        """Compute the distances (n_tuples, tuple_size - 1) from the first point of each tuple to its other points."""
        # In pieces, because the embeddings may be the columns of a wide table.
        step = max(1, AT_ONCE // (embeddings.shape[1] * self.tuple_size))
        parts = [self.indices[start : start + step] for start in range(0, len(self.indices), step)]
        return np.concatenate(
            [distance_between(embeddings[part[:, :1]], embeddings[part[:, 1:]], distance) for part in parts]
        )

    def score(self, embeddings: NDArray[np.float32], distance: str, sample_weight: NDArray | None = None) -> float:
        """Fraction of triplets whose positive is closer than the negative; for pairs, the area under the ROC curve.

        If all pairs are similar, the first point of each pair with the second point of the next pair counts as a
        dissimilar pair.
        """
        if self.tuple_size == 2 and not self.has_both:
            weights = None if sample_weight is None else np.tile(sample_weight, 2)
            return self._crossed().score(embeddings, distance, weights)
        d = self.distances(embeddings, distance)
        if d.shape[1] == 2:
            return float(np.average(d[:, 0] < d[:, 1], weights=sample_weight))
        return float(roc_auc_score(self.outcome, -d[:, 0].astype(np.float64), sample_weight=sample_weight))

    def hold_out(self, fraction: float, rng: np.random.Generator) -> tuple[Indices, "PointTuples"]:
        """Return the training tuples, and the others as validation data."""
        train, held_out = stratified_holdout((self.outcome > 0).astype(np.intp), fraction, rng)
        if not len(held_out) or (self.has_both and not self.some(held_out).has_both):
            raise ValueError(
                f"validation_fraction must hold out a tuple of every kind, got {fraction} of {len(self.indices)} "
                "tuples. Increase it, pass X_val and y_val, or set early_stopping=False."
            )
        return train, self.some(held_out)

    def judged(self, distance: str) -> tuple[Columns, Judge]:
        """Return the validation points, and a function that computes the score of the tuples."""
        if (self.outcome < 0).all():
            raise ValueError("y_val must hold similar pairs, 1, got only -1. Add similar pairs.")
        return self.columns, partial(self.score, distance=distance)

    def batches(self, train: Indices, batching: EmbedderBatching) -> Batches:
        """Return batches of whole tuples, followed by random negatives if there are any."""
        n, size = self.indices.shape
        # Random negatives are drawn from the second points of all pairs.
        n_negatives = batching.n_negatives
        candidates = np.unique(self.indices[train, 1]) if n_negatives else np.array([], dtype=self.indices.dtype)
        known = np.concatenate([np.repeat(self.outcome, size), np.zeros(len(candidates))])
        sampler = TupleBatchSampler(
            train,
            tuple_size=size,
            batch_size=batching.batch_size,
            n_negatives=n_negatives,
            negatives=(n * size, len(candidates)),
        )
        return Batches(
            sampler,
            row_weights=np.bincount(self.indices[train].ravel(), minlength=len(self.columns)).astype(np.float64),
            items=np.concatenate([self.indices.ravel(), candidates]),
            values=known[:, None].astype(np.float32),
            share_rows=True,
            chunk_length=batching.chunk_length,
        )

    def neighbors(self, embeddings: NDArray[np.float32], classes: NDArray) -> None:
        """Return None: tuples have no classes to vote for."""
        del embeddings, classes

    def threshold(self, embeddings: NDArray[np.float32], distance: str) -> float | None:
        """Return the distance that separates similar and dissimilar pairs best, or None without both kinds."""
        if not self.has_both:
            return None
        return distance_threshold(self.outcome, self.distances(embeddings, distance)[:, 0])

    def some(self, tuples: Indices) -> "PointTuples":
        """Select tuples, and only the points that they need."""
        points, indices = np.unique(self.indices[tuples], return_inverse=True)
        indices = indices.reshape(len(tuples), -1)
        return PointTuples(self.columns.take(points), indices, self.outcome[tuples], self.classes)

    def with_both(self) -> "PointTuples":
        """Return these tuples; if all pairs are similar, together with crossed pairs, which count as dissimilar."""
        return self._crossed() if self.tuple_size == 2 and not self.has_both else self

    def _crossed(self) -> "PointTuples":
        crossed = np.column_stack([self.indices[:, 0], np.roll(self.indices[:, 1], 1)])
        return replace(
            self,
            indices=np.concatenate([self.indices, crossed]),
            outcome=np.concatenate([self.outcome, -self.outcome]),
        )


EmbedderData: TypeAlias = LabeledRows | PointTuples
