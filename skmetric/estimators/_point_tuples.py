"""Pairs and triplets of points, on their way to an embedder."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score

from skmetric.engine import Validation
from skmetric.estimators._distances import distance_between
from skmetric.sampling import TupleBatchSampler, stratified_holdout

__all__ = ["PointTuples", "read_outcome"]


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
