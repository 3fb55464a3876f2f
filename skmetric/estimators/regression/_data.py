"""What a regressor is given: rows with targets, and how much each counts."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skmetric._core.nn import Columns
from skmetric._core.sampling import GroupBatchSampler, spread_holdout
from skmetric.estimators._target_units import TargetUnits
from skmetric.estimators.preparation import Batches, Indices
from skmetric.imbalance import LabelDensityWeighter
from skmetric.imbalance.bins import Range

__all__ = [
    "SMOOTHING_BINS",
    "RegressorBatching",
    "TargetRows",
    "check_numbers",
    "density_weighter",
    "rank_labels",
    "target_range",
]

# Bins of the target that features are smoothed over.
SMOOTHING_BINS = 50
# Whole numbers up to here are exact in float32, and so are their differences.
LARGEST_WHOLE = 1 << 24


@dataclass(frozen=True, eq=False)
class RegressorBatching:
    """How a regressor's parameters, and what it chose, decide over batches.

    Attributes
    ----------
    batch_size : int
        Rows in a batch.
    units : TargetUnits
        Units in which the targets are learned.
    weighter : LabelDensityWeighter, optional
        Weighs rows by the density of their targets.
    span : Range, optional
        What the bins of the target span, where features are smoothed over them.
    """

    batch_size: int
    units: TargetUnits
    weighter: LabelDensityWeighter | None = None
    span: Range | None = None


@dataclass(frozen=True, eq=False)
class TargetRows:
    """What a regressor learns from, or is judged by.

    Attributes
    ----------
    columns : Columns
        The rows.
    y : array of shape (n, n_targets)
        Their targets, in their own units.
    weights : array of shape (n,)
        As the user gave them, else 1.
    n_axes : int
        Axes of the targets as they came, 1 or 2.
    dtype : type
        Of predictions: float32 where the targets were, else float64.
    """

    columns: Columns
    y: NDArray[np.float64]
    weights: NDArray[np.float64]
    n_axes: int
    dtype: type[np.floating]

    needs_y: ClassVar[bool] = True

    def usable(self) -> Indices:
        """Rows that have a weight."""
        return np.flatnonzero(self.weights > 0)

    def hold_out(self, fraction: float, rng: np.random.Generator) -> tuple[Indices, "TargetRows"]:
        """Rows to train on, and at least two to validate by, spread over the first target's range."""
        usable = self.usable()
        if len(usable) < 4:
            raise ValueError(
                f"early_stopping must hold out two rows and train on two others; there are {len(usable)} rows that "
                "count. Pass X_val and y_val, or set early_stopping=False."
            )
        n_held_out = min(max(round(fraction * len(usable)), 2), len(usable) - 2)
        stay, held_out = spread_holdout(self.y[usable, 0], n_held_out, rng)
        return usable[stay], self.some(usable[held_out])

    def batches(self, train: Indices, batching: RegressorBatching) -> Batches:
        """Batches of rows; each brings its standardized targets, its share, and the label to rank it by.

        Shares are in units that make the sum over the rows of a step, on average over the steps, the weighted mean.
        """
        sampler = GroupBatchSampler(
            np.zeros(len(train), dtype=np.intp),
            batch_size=batching.batch_size,
            max_group_size=batching.batch_size,
            items=train,
        )
        weights = self._weights_of(train)
        shares = weights if batching.weighter is None else weights * batching.weighter.transform(self.y[:, 0])
        shares = shares * (len(sampler.list_lengths) / shares.sum())
        values = np.column_stack([batching.units.standardize(self.y), shares, rank_labels(self.y)])
        return Batches(
            sampler,
            row_weights=weights,
            values=values.astype(np.float32),
            bins=None if batching.span is None else batching.span.codes(self.y[:, 0], SMOOTHING_BINS),
        )

    def some(self, rows: Indices) -> "TargetRows":
        """Select rows."""
        return TargetRows(self.columns.take(rows), self.y[rows], self.weights[rows], self.n_axes, self.dtype)

    def _weights_of(self, rows: Indices) -> NDArray[np.float64]:
        """Weights of some of the rows, at most 1, and 0 for the others."""
        weights = np.zeros(len(self.weights))
        weights[rows] = self.weights[rows] / self.weights.max()
        return weights


def check_numbers(y: NDArray, name: str) -> NDArray[np.float64]:
    """Check targets: finite numbers, of a range that float64 holds."""
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


def rank_labels(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """What tells targets (n, n_targets) apart, and for a single one also how far apart they are, in any unit.

    Where a single target lies on a grid (grades, ages, prices), its steps are counted: in float32, distances that are
    equal would otherwise differ by rounding, and tell neighbors apart that are equally near.
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
