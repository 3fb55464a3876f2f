"""What an embedder is given: labeled rows, or pairs and triplets of points."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score
from sklearn.utils.multiclass import type_of_target

from skmetric._core.nn import Columns
from skmetric._core.sampling import ClassBatchSampler, TupleBatchSampler, stratified_holdout
from skmetric.estimators.embedding._distances import distance_between
from skmetric.estimators.embedding._neighbors import NeighborVote
from skmetric.estimators.preparation import Batches, Indices
from skmetric.metrics import distance_threshold, map_at_r_score

__all__ = ["EmbedderBatching", "EmbedderData", "LabeledRows", "PointTuples", "is_unlabeled", "read_outcome"]

# Gives the score of embeddings of the rows to validate by.
Judge = Callable[[NDArray], float]


@dataclass(frozen=True, eq=False)
class EmbedderBatching:
    """How an embedder's parameters, and what it chose, decide over batches.

    Attributes
    ----------
    classes : array of shape (n_classes,)
        All classes, in the order of their codes.
    batch_size, samples_per_class : int
        Limits of a batch.
    n_negatives : int
        Random negatives of given pairs.
    chunk_length, memory_size
        See :class:`FitPlan`.
    with_codes : bool
        Whether the objective gets to know the class of each row by number.
    """

    classes: NDArray
    batch_size: int
    samples_per_class: int
    n_negatives: int = 0
    chunk_length: int | None = None
    memory_size: int = 0
    with_codes: bool = False


def is_unlabeled(labels: NDArray, unlabeled: Any) -> NDArray[np.bool_]:
    """Whether a label is the one that stands for an unknown class; None stands for none."""
    if unlabeled is None:
        return np.zeros(len(labels), dtype=bool)
    # One by one, as numpy compares no numbers with strings.
    return np.array([label == unlabeled for label in labels.tolist()], dtype=bool)


def _of_each_type(labels: NDArray) -> str:
    """One label of each type, to show."""
    first = {type(label): label for label in reversed(labels.tolist())}
    return ", ".join(map(repr, first.values()))


@dataclass(frozen=True, eq=False)
class LabeledRows:
    """Rows with their classes.

    Attributes
    ----------
    columns : Columns
        The rows.
    labels : array of shape (n,)
        As they were given.
    is_known : array of bool, shape (n,)
        Whether a row has a label at all.
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
        """The classes there are."""
        return np.unique(self.labels[self.is_known])

    def codes(self, classes: NDArray) -> NDArray[np.integer]:
        """Indices of the labels among the classes; of no meaning where a label is not known."""
        return np.searchsorted(classes, np.where(self.is_known, self.labels, classes[0]))

    def check(self) -> None:
        """Raise unless there are at least two classes, one of them with two rows."""
        labels = self.labels[self.is_known]
        if not len(labels):
            raise ValueError("y must hold labels; every row is unlabeled. Is unlabeled= the label that you mean?")
        try:
            kind = type_of_target(labels, input_name="y")
        except TypeError:
            kind = "mixed"
        if kind not in {"binary", "multiclass"}:
            raise ValueError(
                f"Unknown label type: {kind}. y must hold classes, all numbers, all strings or all booleans; got "
                f"values such as {_of_each_type(labels)}. Fill in missing labels; cut measurements into classes, say "
                "by KBinsDiscretizer."
            )
        classes, counts = np.unique(labels, return_counts=True)
        if len(classes) < 2:
            raise ValueError(
                f"y must hold at least two classes, or no row has a negative; got one class, {classes.tolist()}. "
                "Fit on rows of several classes."
            )
        if counts.max() < 2:
            raise ValueError(
                f"y must hold a class with at least two rows, or no row has a positive; got {len(classes)} classes of "
                "one row each. Is y an identifier? It must say which rows are alike."
            )

    def usable(self) -> Indices:
        """Rows whose class is known."""
        return np.flatnonzero(self.is_known)

    def hold_out(self, fraction: float, rng: np.random.Generator) -> tuple[Indices, "LabeledRows"]:
        """Rows to train on, and a share of each class to validate by."""
        usable, codes = self.usable(), np.unique(self.labels[self.is_known], return_inverse=True)[1]
        train, held_out = stratified_holdout(codes, fraction, rng)
        if np.bincount(codes[held_out], minlength=1).max() < 2:
            raise ValueError(
                f"validation_fraction must hold out two rows of some class, to see how near they are; {fraction} of "
                f"these {len(codes)} rows does not (two rows of a class always stay for training). Raise it, pass "
                "X_val and y_val, or set early_stopping=False."
            )
        return usable[train], self._known(usable[held_out])

    def judged(self, distance: str) -> tuple[Columns, Judge]:
        """Rows to validate by, and MAP@R among them."""
        del distance  # all of them order neighbors alike
        known = self._known(self.usable())
        codes = np.unique(known.labels, return_inverse=True)[1]
        if np.bincount(codes, minlength=2).min() == 0 or np.bincount(codes).max() < 2:
            raise ValueError(
                "y_val must hold two classes, one of them with two rows, to see how near these are; it does not."
            )
        return known.columns, partial(map_at_r_score, labels=codes)

    def batches(self, train: Indices, batching: EmbedderBatching) -> Batches:
        """Batches of classes x rows."""
        is_held_out = self.is_known.copy()
        is_held_out[train] = False
        codes = self.codes(batching.classes)
        sampler = ClassBatchSampler(
            codes[train], batch_size=batching.batch_size, samples_per_class=batching.samples_per_class, rows=train
        )
        return Batches(
            sampler,
            # Inputs are scaled by all rows that are not held out, of known class or not.
            row_weights=(~is_held_out).astype(np.float64) if is_held_out.any() else None,
            values=codes[:, None].astype(np.float32) if batching.with_codes else None,
            block_length=sampler.samples_per_class,
            chunk_length=batching.chunk_length,
            memory_size=batching.memory_size,
        )

    def neighbors(self, embeddings: NDArray[np.float32], classes: NDArray) -> NeighborVote:
        """What ``predict`` asks: the rows of known class, as embeddings only."""
        return NeighborVote(embeddings[self.is_known], self.codes(classes)[self.is_known])

    def threshold(self, embeddings: NDArray[np.float32], distance: str) -> None:
        """Rows bring no pairs to choose a threshold by."""
        del embeddings, distance

    def _known(self, rows: Indices) -> "LabeledRows":
        return LabeledRows(self.columns.take(rows), self.labels[rows], np.ones(len(rows), dtype=bool))


def read_outcome(y: ArrayLike | None, n: int, size: int) -> NDArray[np.integer]:
    """What is known about each tuple: 1, or for a pair that is not similar -1."""
    if y is None:
        return np.ones(n, dtype=np.int64)
    outcome = np.asarray(y)
    allowed = (-1, 1) if size == 2 else (1,)
    # Not by numpy, which cannot compare all that a column of objects may hold.
    is_known = outcome.shape == (n,) and all(value in allowed for value in outcome.tolist())
    if outcome.dtype == bool or not is_known:
        rule = (
            f"y must say for each of the {n} pairs whether it is alike: 1 where it is, -1 where it is not; leave y out "
            "where all are alike"
            if size == 2
            else f"y must be None for triplets, or 1 for each of the {n}: they say themselves that the second point "
            "is closer to the first than the third"
        )
        raise ValueError(f"{rule}; got shape {outcome.shape}, values such as {outcome.ravel()[:5].tolist()}.")
    return outcome.astype(np.int64)


@dataclass(frozen=True, eq=False)
class PointTuples:
    """Tuples of points.

    Attributes
    ----------
    columns : Columns
        The distinct points.
    indices : array of int, shape (n, 2) or (n, 3)
        Which points each tuple holds.
    outcome : array of int, shape (n,)
        1, or -1 for a pair that is not similar.
    """

    columns: Columns
    indices: NDArray[np.integer]
    outcome: NDArray[np.integer]

    @property
    def tuple_size(self) -> int:
        """Points per tuple."""
        return int(self.indices.shape[1])

    @property
    def classes(self) -> NDArray[np.integer]:
        """What a tuple can be: not similar, or similar."""
        return np.array([-1, 1])

    @property
    def needs_y(self) -> bool:
        """Whether a validation set needs an outcome too."""
        return self.has_both

    @property
    def has_similar(self) -> bool:
        """Whether some pairs are similar."""
        return bool((self.outcome > 0).any())

    @property
    def has_both(self) -> bool:
        """Whether some pairs are similar and others are not."""
        return self.has_similar and bool((self.outcome < 0).any())

    def check(self) -> None:
        """Any tuples will do."""

    def usable(self) -> Indices:
        """All tuples."""
        return np.arange(len(self.indices))

    def distances(self, embeddings: NDArray[np.float32], distance: str) -> NDArray[np.float32]:
        """Distances (n, size - 1) from the first point of each tuple to its others."""
        first, others = embeddings[self.indices[:, 0]], embeddings[self.indices[:, 1:]]
        return distance_between(first[:, None], others, distance)

    def score(self, embeddings: NDArray[np.float32], distance: str, sample_weight: NDArray | None = None) -> float:
        """Share of triplets whose positive is closer; for pairs, the area under the ROC curve.

        Of pairs that are all similar nothing is known to be dissimilar: they are compared with each first point and the
        partner of the next.
        """
        if self.tuple_size == 2 and not self.has_both:
            weights = None if sample_weight is None else np.tile(sample_weight, 2)
            return self._crossed().score(embeddings, distance, weights)
        d = self.distances(embeddings, distance)
        if d.shape[1] == 2:
            return float(np.average(d[:, 0] < d[:, 1], weights=sample_weight))
        return float(roc_auc_score(self.outcome, -d[:, 0].astype(np.float64), sample_weight=sample_weight))

    def hold_out(self, fraction: float, rng: np.random.Generator) -> tuple[Indices, "PointTuples"]:
        """Tuples to train on, and the others to validate by."""
        train, held_out = stratified_holdout((self.outcome > 0).astype(np.intp), fraction, rng)
        if not len(held_out) or (self.has_both and not self._some(held_out).has_both):
            raise ValueError(
                f"validation_fraction must hold out a tuple of every kind; {fraction} of these {len(self.indices)} "
                "does not. Raise it, pass X_val and y_val, or set early_stopping=False."
            )
        return train, self._some(held_out)

    def judged(self, distance: str) -> tuple[Columns, Judge]:
        """Points to validate by, and the score of these tuples."""
        if (self.outcome < 0).all():
            raise ValueError("y_val must hold pairs that are alike, 1; all are -1.")
        return self.columns, partial(self.score, distance=distance)

    def batches(self, train: Indices, batching: EmbedderBatching) -> Batches:
        """Batches of whole tuples, with random negatives after them where there are any."""
        n, size = self.indices.shape
        # Random negatives are points that come second in some pair.
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
        """Tuples have no classes to vote for."""
        del embeddings, classes

    def threshold(self, embeddings: NDArray[np.float32], distance: str) -> float | None:
        """The distance that tells these pairs apart best, where there are both kinds."""
        if not self.has_both:
            return None
        return distance_threshold(self.outcome, self.distances(embeddings, distance)[:, 0])

    def _some(self, tuples: Indices) -> "PointTuples":
        """Some of the tuples, with their points only."""
        points, indices = np.unique(self.indices[tuples], return_inverse=True)
        return PointTuples(self.columns.take(points), indices.reshape(len(tuples), -1), self.outcome[tuples])

    def _crossed(self) -> "PointTuples":
        crossed = np.column_stack([self.indices[:, 0], np.roll(self.indices[:, 1], 1)])
        return replace(
            self,
            indices=np.concatenate([self.indices, crossed]),
            outcome=np.concatenate([self.outcome, -self.outcome]),
        )


EmbedderData: TypeAlias = LabeledRows | PointTuples
