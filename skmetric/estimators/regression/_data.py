"""Training data of regressors: rows with targets and weights."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skmetric._core.nn import Columns
from skmetric._core.sampling import GroupBatchSampler, spread_holdout
from skmetric.estimators._target_units import TargetUnits
from skmetric.estimators.training_data import Batches, Indices
from skmetric.imbalance import LabelDensityWeighter
from skmetric.imbalance.bins import Range

__all__ = [
    "SMOOTHING_BINS",
    "RegressorBatching",
    "TargetRows",
    "density_weighter",
    "rank_labels",
    "target_range",
]

# Number of bins of the target in feature smoothing.
SMOOTHING_BINS = 50
# Whole numbers up to this value, and their differences, are exact in float32.
LARGEST_WHOLE = 1 << 24


@dataclass(frozen=True, eq=False)
class RegressorBatching:
    """Settings by which a regressor draws batches.

    Attributes
    ----------
    batch_size : int
        Number of rows per batch.
    units : TargetUnits
        Units in which the targets are learned.
    weighter : LabelDensityWeighter, optional
        Computes weights of rows from the density of their targets.
    span : Range, optional
        Range of the bins of the target, for feature smoothing. A target outside has no bin.
    """

    batch_size: int
    units: TargetUnits
    weighter: LabelDensityWeighter | None = None
    span: Range | None = None


@dataclass(frozen=True, eq=False)
class TargetRows:
    """Rows with targets and weights, for training or validation.

    Attributes
    ----------
    columns : Columns
        The rows.
    y : array of shape (n_samples, n_targets)
        Their targets, in the original units.
    weights : array of shape (n_samples,)
        Weights as given by the user, or ones.
    n_axes : int
        Number of axes of the targets as given by the user, 1 or 2.
    dtype : type
        The dtype of predictions: float32 if the targets were float32, else float64.
    """

    columns: Columns
    y: NDArray[np.float64]
    weights: NDArray[np.float64]
    n_axes: int
    dtype: type[np.floating]

    needs_y: ClassVar[bool] = True

    def usable(self) -> Indices:
        """Return the rows with a positive weight."""
        return np.flatnonzero(self.weights > 0)

    def hold_out(self, fraction: float, rng: np.random.Generator) -> tuple[Indices, "TargetRows"]:
        """Return the training rows, and at least two validation rows, spread over the range of the first target."""
        usable = self.usable()
        if len(usable) < 4:
            raise ValueError(
                f"early_stopping must hold out two rows and train on two others, got {len(usable)} rows with positive "
                "weight. Pass X_val and y_val, or set early_stopping=False."
            )
        n_held_out = min(max(round(fraction * len(usable)), 2), len(usable) - 2)
        stay, held_out = spread_holdout(self.y[usable, 0], n_held_out, rng)
        return usable[stay], self.some(usable[held_out])

    def batches(self, train: Indices, batching: RegressorBatching) -> Batches:
        """Return batches of rows; the values of a row are its standardized targets, its share, and its rank label.

        Shares are scaled such that the sum over the rows of a step, averaged over all steps, is the weighted mean.
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
            bins=None if batching.span is None else _smoothing_bins(self.y[:, 0], batching.span),
        )

    def some(self, rows: Indices) -> "TargetRows":
        """Select rows."""
        return TargetRows(self.columns.take(rows), self.y[rows], self.weights[rows], self.n_axes, self.dtype)

    def _weights_of(self, rows: Indices) -> NDArray[np.float64]:
        """Return the weights of the given rows, scaled to at most 1, and 0 for the others."""
        weights = np.zeros(len(self.weights))
        weights[rows] = self.weights[rows] / self.weights.max()
        return weights


def density_weighter(weighting: Any, y: NDArray[np.float64]) -> LabelDensityWeighter | None:
    """Return a weighter fitted to the density of the targets, or None without weighting."""
    if weighting is None:
        return None
    if y.shape[1] > 1:
        raise ValueError(
            f"weighting must be None for several targets, got weighting={weighting!r} and {y.shape[1]} targets. Set "
            "weighting=None, or pass custom weights as sample_weight."
        )
    weighter = LabelDensityWeighter(weighting) if isinstance(weighting, str) else clone(weighting)
    weighter._validate_params()  # its fit skips this check when called within another fit
    return weighter.fit(y[:, 0])


def rank_labels(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute labels that are equal for equal targets, from targets of shape (n_samples, n_targets).

    For a single target, their differences are also proportional to those of the target. If it lies on a grid (grades,
    ages, prices), they count the steps of the grid. Otherwise, equal distances would differ by rounding in float32, and
    neighbors at equal distance would get different ranks.
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


def _smoothing_bins(y: NDArray[np.float64], span: Range) -> NDArray[np.intp]:
    """Return the bin of each target; -1 for targets outside all bins, whose features are not smoothed."""
    codes = span.codes(y, SMOOTHING_BINS)
    return np.where(codes < SMOOTHING_BINS, codes, -1)


def target_range(y: NDArray[np.float64]) -> Range:
    """Return the range of the bins of a target of shape (n_samples, 1)."""
    if y.shape[1] > 1:
        raise ValueError(
            f"feature_smoothing must be False for several targets, got feature_smoothing=True and {y.shape[1]} "
            "targets. Set it to False."
        )
    return Range.of(y[:, 0])
