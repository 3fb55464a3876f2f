"""Rows with targets, checked, and how much each counts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from skmetric._sklearn_compat import check_sample_weight
from skmetric.imbalance import LabelDensityWeighter
from skmetric.sampling import holdout_lists

__all__ = ["TargetRows", "density_weighter", "hold_out", "rank_labels", "read_targets", "target_bins"]

# Whole numbers up to here are exact in float32, and so are their differences.
LARGEST_WHOLE = 1 << 24


@dataclass(frozen=True)
class TargetRows:
    """What a regressor learns from, or is judged by.

    Attributes
    ----------
    X : array of shape (n, n_features), float32
        The rows.
    y : array of shape (n, n_targets)
        Their targets, in their own units.
    weights : array of shape (n,)
        As the user gave them, else 1.
    """

    X: NDArray[np.float32]
    y: NDArray[np.float64]
    weights: NDArray[np.float64]

    def some(self, rows: NDArray[np.integer]) -> "TargetRows":
        """Some of the rows."""
        return TargetRows(self.X[rows], self.y[rows], self.weights[rows])


def read_targets(
    regressor: Any, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, *, reset: bool
) -> tuple[TargetRows, NDArray]:
    """Check rows, targets and weights; and the targets as they came."""
    if y is None:
        raise ValueError(f"{type(regressor).__name__} requires y to be passed, but the target y is None.")
    rows, targets = regressor._check_input(
        X, y, reset=reset, ensure_min_samples=2 if reset else 1, multi_output=True, y_numeric=True
    )
    weights = np.ones(len(rows))
    if sample_weight is not None:
        weights = check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True)
    return TargetRows(rows, np.asarray(targets, dtype=np.float64).reshape(len(rows), -1), weights), targets


def hold_out(
    rows: TargetRows, train: NDArray[np.integer], fraction: float, rng: np.random.Generator
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Places of the rows to train on, and of at least two to validate by."""
    if len(train) < 4:
        raise ValueError(
            f"early_stopping must hold out two rows and train on two others; there are {len(train)} rows that count. "
            "Pass X_val and y_val, or set early_stopping=False."
        )
    stay, held_out = holdout_lists(np.arange(len(train)), max(fraction, 2 / len(train)), rng)
    return train[stay], train[held_out]


def density_weighter(weighting: Any, y: NDArray[np.float64]) -> LabelDensityWeighter | None:
    """Weights by the density of the targets, fitted; None where none are wanted."""
    if weighting is None:
        return None
    if y.shape[1] > 1:
        raise ValueError(
            f"weighting={weighting!r} weighs rows by the density of one target; y has {y.shape[1]}. Set "
            "weighting=None, or pass weights of your own as sample_weight."
        )
    weighter = LabelDensityWeighter(weighting) if isinstance(weighting, str) else clone(weighting)
    return weighter.fit(y[:, 0])


def rank_labels(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """What tells targets (n, n_targets) apart, and for a single one also how far apart they are, in any unit.

    Where a single target lies on a grid (grades, ages, prices), its steps are counted: in float32, distances that are
    equal would otherwise differ by rounding, and tell neighbours apart that are equally near.
    """
    distinct, codes = np.unique(y, axis=0, return_inverse=True)
    if y.shape[1] > 1 or len(distinct) < 2:
        return codes.reshape(-1).astype(np.float64)
    from_least = y[:, 0] - distinct[0, 0]
    smallest = np.diff(distinct[:, 0]).min()
    for parts in range(1, 11):
        steps = from_least * (parts / smallest)
        whole = np.round(steps)
        if whole.max() < LARGEST_WHOLE and np.abs(steps - whole).max() < 1e-6:
            return whole
    return from_least / from_least.max()


def target_bins(y: NDArray[np.float64], train: NDArray[np.integer], n_bins: int) -> NDArray[np.integer]:
    """Which of so many bins, equally wide over the training rows' range, each target (n, 1) falls into."""
    if y.shape[1] > 1:
        raise ValueError(
            f"feature_smoothing=True smooths features over bins of one target; y has {y.shape[1]}. Set it to False."
        )
    edges = np.histogram_bin_edges(y[train, 0], n_bins)
    return np.clip(np.searchsorted(edges, y[:, 0], side="right") - 1, 0, n_bins - 1)
