"""Rows with targets, checked, and how much each counts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from skmetric._core.sampling import spread_holdout
from skmetric._sklearn_compat import check_sample_weight
from skmetric.estimators._target_units import TargetUnits
from skmetric.imbalance import LabelDensityWeighter
from skmetric.imbalance.bins import Range

__all__ = ["TargetRows", "density_weighter", "hold_out", "rank_labels", "read_targets", "row_values", "target_range"]

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

    def weights_of(self, rows: NDArray[np.integer]) -> NDArray[np.float64]:
        """Weights of some of the rows, at most 1, and 0 for the others."""
        weights = np.zeros(len(self.weights))
        weights[rows] = self.weights[rows] / self.weights.max()
        return weights


def read_targets(
    regressor: Any, X: Any, y: Any, sample_weight: ArrayLike | None, *, reset: bool, name: str = "y"
) -> tuple[TargetRows, NDArray]:
    """Check rows, targets and weights; and the targets as they came."""
    if y is None:
        raise ValueError(f"{type(regressor).__name__} requires y to be passed, but the target y is None.")
    rows, targets = regressor._check_input(
        X, y, reset=reset, ensure_min_samples=2 if reset else 1, multi_output=True, y_numeric=True
    )
    numbers = _numbers(targets, name).reshape(len(rows), -1)
    if not reset and numbers.shape[1] != regressor._n_targets:
        raise ValueError(
            f"{name} must hold as many targets as y of fit, {regressor._n_targets}; got {numbers.shape[1]}. Pass the "
            "same columns, or fit anew."
        )
    weights = check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True)
    return TargetRows(rows, numbers, weights), targets


def _numbers(y: NDArray, name: str) -> NDArray[np.float64]:
    if y.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold numbers; got dtype {y.dtype}. Convert it: dates to days since one, say.")
    numbers = np.asarray(y, dtype=np.float64)
    wrong = np.argwhere(~np.isfinite(numbers))
    if len(wrong):
        value, row = numbers[tuple(wrong[0])], wrong[0][0]
        raise ValueError(f"{name} must be finite; got {value} in row {row}. Drop such rows, or fill them in.")
    with np.errstate(over="ignore"):
        if not np.isfinite(np.ptp(numbers)):
            raise ValueError(
                f"{name} must span a range that float64 holds; got {numbers.min():g} to {numbers.max():g}. Scale it."
            )
    return numbers


def hold_out(
    rows: TargetRows, train: NDArray[np.integer], fraction: float, rng: np.random.Generator
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Places of the rows to train on, and of at least two to validate by, spread over the first target's range."""
    if len(train) < 4:
        raise ValueError(
            f"early_stopping must hold out two rows and train on two others; there are {len(train)} rows that count. "
            "Pass X_val and y_val, or set early_stopping=False."
        )
    n_held_out = min(max(round(fraction * len(train)), 2), len(train) - 2)
    stay, held_out = spread_holdout(rows.y[train, 0], n_held_out, rng)
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
    weighter._validate_params()  # which fit leaves out where it is called within another fit
    return weighter.fit(y[:, 0])


def row_values(
    rows: TargetRows,
    train: NDArray[np.integer],
    weighter: LabelDensityWeighter | None,
    units: TargetUnits,
    n_steps: int,
) -> NDArray[np.float32]:
    """What the objective gets to know of each row: standardised targets, share, and the label to rank by.

    Shares are in units that make the sum over the rows of a step, on average over the steps, the weighted mean.
    """
    weights = rows.weights_of(train)
    if weighter is not None:
        weights *= weighter.transform(rows.y[:, 0])
    shares = weights * (n_steps / weights.sum())
    return np.column_stack([units.standardise(rows.y), shares, rank_labels(rows.y)]).astype(np.float32)


def rank_labels(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """What tells targets (n, n_targets) apart, and for a single one also how far apart they are, in any unit.

    Where a single target lies on a grid (grades, ages, prices), its steps are counted: in float32, distances that are
    equal would otherwise differ by rounding, and tell neighbours apart that are equally near.
    """
    if y.shape[1] > 1:
        return np.unique(y, axis=0, return_inverse=True)[1].reshape(-1).astype(np.float64)
    distinct = np.unique(y)
    if len(distinct) < 2:
        return np.zeros(len(y))
    from_least = y[:, 0] - distinct[0]
    smallest = np.diff(distinct).min()
    for parts in range(1, 11):
        with np.errstate(over="ignore", invalid="ignore"):
            steps = from_least * (parts / smallest)
            whole = np.round(steps)
            is_grid = whole.max() < LARGEST_WHOLE and np.abs(steps - whole).max() < 1e-6
        if is_grid:
            return whole
    return from_least / from_least.max()


def target_range(y: NDArray[np.float64]) -> Range:
    """What bins of a target (n, 1) span."""
    if y.shape[1] > 1:
        raise ValueError(
            f"feature_smoothing=True smooths features over bins of one target; y has {y.shape[1]}. Set it to False."
        )
    return Range.of(y[:, 0])
