"""Rows of known classes, on their way to an embedder."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import type_of_target

from skmetric.engine import Validation
from skmetric.metrics import map_at_r_score
from skmetric.sampling import ClassBatchSampler, stratified_holdout

__all__ = ["LabelledRows", "is_unlabeled"]


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
