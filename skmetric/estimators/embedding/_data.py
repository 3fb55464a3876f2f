"""Rows of known classes, on their way to an embedder."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score
from sklearn.utils.multiclass import type_of_target

from skmetric._core.engine import Validation
from skmetric._core.sampling import ClassBatchSampler, TupleBatchSampler, stratified_holdout
from skmetric.estimators.embedding._distances import distance_between
from skmetric.metrics import map_at_r_score

__all__ = ["LabelledRows", "PointTuples", "is_unlabeled", "read_outcome"]


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


@dataclass(frozen=True)
class LabelledRows:
    """Rows with their classes.

    Attributes
    ----------
    X : array of shape (n, n_features), float32
        The rows.
    labels : array of shape (n,)
        As they were given.
    is_known : array of bool, shape (n,)
        Whether a row has a label at all.
    """

    X: NDArray[np.float32]
    labels: NDArray
    is_known: NDArray[np.bool_]

    @property
    def usable(self) -> NDArray[np.integer]:
        """Places of the rows that can be trained on."""
        return np.flatnonzero(self.is_known)

    @property
    def classes(self) -> NDArray:
        """The classes there are."""
        return np.unique(self.labels[self.is_known])

    def codes(self, classes: NDArray) -> NDArray[np.integer]:
        """Places of the labels among the classes; of no meaning where a label is not known."""
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

    def hold_out(
        self, fraction: float, rng: np.random.Generator, distance: str
    ) -> tuple[NDArray[np.integer], Validation]:
        """Places of the rows to train on, and the others to validate by."""
        usable, codes = self.usable, np.unique(self.labels[self.is_known], return_inverse=True)[1]
        train, held_out = stratified_holdout(codes, fraction, rng)
        if np.bincount(codes[held_out], minlength=1).max() < 2:
            raise ValueError(
                f"validation_fraction must hold out two rows of some class, to see how near they are; {fraction} of "
                f"these {len(codes)} rows does not (two rows of a class always stay for training). Raise it, pass "
                "X_val and y_val, or set early_stopping=False."
            )
        places = usable[held_out]
        return usable[train], LabelledRows(
            self.X[places], self.labels[places], np.ones(len(places), dtype=bool)
        ).validation(distance)

    def validation(self, distance: str) -> Validation:
        """Validate by MAP@R of these rows among themselves."""
        del distance  # all of them order neighbours alike
        codes = np.unique(self.labels[self.is_known], return_inverse=True)[1]
        if np.bincount(codes, minlength=2).min() == 0 or np.bincount(codes).max() < 2:
            raise ValueError(
                "y_val must hold two classes, one of them with two rows, to see how near these are; it does not."
            )
        return Validation(self.X[self.is_known], partial(map_at_r_score, labels=codes))

    def batches(
        self, train: NDArray[np.integer], classes: NDArray, *, batch_size: int, samples_per_class: int
    ) -> dict[str, Any]:
        """What a plan is to know of the rows to train on."""
        is_held_out = self.is_known.copy()
        is_held_out[train] = False
        codes = self.codes(classes)
        return {
            "sampler": ClassBatchSampler(
                codes[train], batch_size=batch_size, samples_per_class=samples_per_class, rows=train
            ),
            "X": self.X,
            # Inputs are scaled by all rows that are not held out, of known class or not.
            "row_weights": (~is_held_out).astype(np.float64) if is_held_out.any() else None,
            "targets": np.where(self.is_known, codes, -1),
        }


def read_outcome(y: ArrayLike | None, n: int, size: int) -> NDArray[np.integer]:
    """What is known about each tuple: 1, or for a pair that is not alike -1."""
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


@dataclass(frozen=True)
class PointTuples:
    """Tuples of points.

    Attributes
    ----------
    X : array of shape (m, n_features), float32
        The distinct points.
    places : array of int, shape (n, 2) or (n, 3)
        Which points each tuple holds.
    outcome : array of int, shape (n,)
        1, or -1 for a pair that is not alike.
    """

    X: NDArray[np.float32]
    places: NDArray[np.integer]
    outcome: NDArray[np.integer]

    @property
    def usable(self) -> NDArray[np.integer]:
        """All tuples."""
        return np.arange(len(self.places))

    @property
    def classes(self) -> NDArray[np.integer]:
        """What a tuple can be: not alike, or alike."""
        return np.array([-1, 1])

    @property
    def has_both(self) -> bool:
        """Whether some pairs are alike and others are not."""
        return bool((self.outcome > 0).any() and (self.outcome < 0).any())

    def distances(self, embeddings: NDArray[np.float32], distance: str) -> NDArray[np.float32]:
        """Distances (n, size - 1) from the first point of each tuple to its others."""
        first, others = embeddings[self.places[:, 0]], embeddings[self.places[:, 1:]]
        return distance_between(first[:, None], others, distance)

    def score(self, embeddings: NDArray[np.float32], distance: str, sample_weight: NDArray | None = None) -> float:
        """Share of triplets whose positive is closer; for pairs, the area under the ROC curve.

        Of pairs that are all alike nothing is known to be unlike: they are told from each first point with the partner
        of the next.
        """
        if self.places.shape[1] == 2 and not self.has_both:
            weights = None if sample_weight is None else np.tile(sample_weight, 2)
            return self._crossed().score(embeddings, distance, weights)
        d = self.distances(embeddings, distance)
        if d.shape[1] == 2:
            return float(np.average(d[:, 0] < d[:, 1], weights=sample_weight))
        return float(roc_auc_score(self.outcome, -d[:, 0].astype(np.float64), sample_weight=sample_weight))

    def some(self, tuples: NDArray[np.integer]) -> "PointTuples":
        """Some of the tuples, with their points only."""
        points, places = np.unique(self.places[tuples], return_inverse=True)
        return PointTuples(self.X[points], places.reshape(len(tuples), -1), self.outcome[tuples])

    def hold_out(
        self, fraction: float, rng: np.random.Generator, distance: str
    ) -> tuple[NDArray[np.integer], Validation]:
        """Tuples to train on, and the others to validate by."""
        train, held_out = stratified_holdout((self.outcome > 0).astype(np.intp), fraction, rng)
        if not len(held_out) or (self.has_both and not self.some(held_out).has_both):
            raise ValueError(
                f"validation_fraction must hold out a tuple of every kind; {fraction} of these {len(self.places)} does "
                "not. Raise it, pass X_val and y_val, or set early_stopping=False."
            )
        return train, self.some(held_out).validation(distance)

    def validation(self, distance: str) -> Validation:
        """Validate by the score of these tuples."""
        if (self.outcome < 0).all():
            raise ValueError("y_val must hold pairs that are alike, 1; all are -1.")
        return Validation(self.X, partial(self.score, distance=distance))

    def _crossed(self) -> "PointTuples":
        crossed = np.column_stack([self.places[:, 0], np.roll(self.places[:, 1], 1)])
        return replace(
            self,
            places=np.concatenate([self.places, crossed]),
            outcome=np.concatenate([self.outcome, -self.outcome]),
        )

    def batches(self, train: NDArray[np.integer], *, batch_size: int, n_negatives: int = 0) -> dict[str, Any]:
        """What a plan is to know of the tuples to train on."""
        n, size = self.places.shape
        # Random negatives are points that come second in some pair.
        candidates = np.unique(self.places[train, 1]) if n_negatives else np.array([], dtype=self.places.dtype)
        items = np.concatenate([self.places.ravel(), candidates])
        known = np.concatenate([np.repeat(self.outcome, size), np.zeros(len(candidates))])
        return {
            "sampler": TupleBatchSampler(
                train,
                tuple_size=size,
                batch_size=batch_size,
                n_negatives=n_negatives,
                negatives=(n * size, len(candidates)),
            ),
            "X": self.X,
            "row_weights": np.bincount(self.places[train].ravel(), minlength=len(self.X)).astype(np.float64),
            "items": items,
            "values": known[:, None].astype(np.float32),
            "targets": self.outcome,
            "share_rows": True,
        }
