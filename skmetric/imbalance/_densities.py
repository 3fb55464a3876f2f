"""Density estimates of a target, at positions from 0 to 1 in its range."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KernelDensity

from skmetric.imbalance.bins import Range, floor_robustly

__all__ = ["KERNELS", "KernelSum", "SmoothedHistogram", "silverman_bandwidth"]

# Each kernel, and the distance at which it ends, in bandwidths. A kernel without an end is cut at exp(-8) = 0.0003 of
# its peak.
KERNELS = {
    "gaussian": (lambda distance: np.exp(-(distance**2) / 2), 4.0),
    "triangular": (lambda distance: np.maximum(1 - distance, 0), 1.0),
    "laplace": (lambda distance: np.exp(-distance), 8.0),
}
_SKLEARN_NAMES = {"gaussian": "gaussian", "triangular": "linear", "laplace": "exponential"}
# Standard deviation of each kernel with bandwidth 1.
_SPREADS = {"gaussian": 1.0, "triangular": 6**-0.5, "laplace": 2**0.5}

# Up to this many distinct values, the sums run over all of them.
_MAX_DISTINCT = 1000
# Grid points per bandwidth, if there are more values. The error is of the order of 1 / (4 * 32^2).
_STEPS_PER_BANDWIDTH = 32
# Limits of the bandwidth, relative to the range. Below the first, values differ by less than their rounding errors.
# Above the second, all values are practically equal.
_NARROWEST, _WIDEST = 1e-12, 1e12


def silverman_bandwidth(positions: NDArray[np.float64], kernel: str) -> float:
    """Return the bandwidth by Silverman's robust rule, such that the kernel has the Gaussian's standard deviation."""
    deviation = positions.std(ddof=1)
    lower, upper = np.quantile(positions, [0.25, 0.75])
    # If half of the rows are tied, the quartiles do not measure the spread of the others.
    spread = min(deviation, (upper - lower) / 1.349) or deviation
    return float(0.9 * spread * len(positions) ** -0.2 / _SPREADS[kernel])


@dataclass(frozen=True)
class SmoothedHistogram:
    """Label distribution smoothing: counts in bins of equal width, convolved with a kernel.

    Attributes
    ----------
    counts : ndarray of shape (n_bins,)
        Effective count of each bin.
    """

    counts: NDArray[np.float64]

    @classmethod
    def of(cls, positions: NDArray[np.float64], *, kernel: str, bandwidth: float, n_bins: int) -> "SmoothedHistogram":
        """Smooth the histogram of positions. The bandwidth is relative to the range."""
        counts = np.bincount(Range(0.0, 1.0).codes(positions, n_bins), minlength=n_bins).astype(np.float64)
        shape, reach = KERNELS[kernel]
        bins_wide = np.clip(bandwidth, _NARROWEST, _WIDEST) * n_bins
        radius = min(int(floor_robustly(reach * bins_wide)), n_bins - 1)
        # The largest value, in the middle, is 1.
        window = shape(np.abs(np.arange(-radius, radius + 1)) / bins_wide)
        return cls(np.convolve(counts, window)[radius : radius + n_bins])

    def __call__(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the effective count of the bin of each position."""
        density: NDArray[np.float64] = self.counts[Range(0.0, 1.0).codes(positions, len(self.counts))]
        return density


@dataclass(frozen=True)
class KernelSum:
    """Kernel density estimate, on a grid if there are many distinct values.

    Attributes
    ----------
    estimator : KernelDensity
        Fitted to the distinct positions, or to the grid points next to them, weighted by the number of rows.
    step : float or None
        Distance between neighboring grid points. None if there is no grid.
    """

    estimator: KernelDensity
    step: float | None

    @classmethod
    def of(cls, positions: NDArray[np.float64], *, kernel: str, bandwidth: float) -> "KernelSum":
        """Estimate the density of positions. The bandwidth is relative to the range."""
        bandwidth = float(np.clip(bandwidth, _NARROWEST, _WIDEST))
        distinct, rows = np.unique(positions, return_counts=True)
        points, weights, step = distinct, rows.astype(np.float64), None
        if len(distinct) > _MAX_DISTINCT:
            step = bandwidth / _STEPS_PER_BANDWIDTH
            points, weights = _on_grid(positions, step)
        # With rtol, the tree skips terms that change a sum by less than this fraction.
        estimator = KernelDensity(kernel=_SKLEARN_NAMES[kernel], bandwidth=bandwidth, rtol=1e-8)
        return cls(estimator.fit(points[:, np.newaxis], sample_weight=weights), step)

    def __call__(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the density at each position. With a grid, it is interpolated between grid points."""
        if self.step is None:
            points, index = np.unique(positions, return_inverse=True)
            return self._at(points)[index]
        # Use only the grid points next to a position: for a heavy-tailed target, most of a full grid would be empty.
        lower = np.floor(positions / self.step)
        points = np.unique(np.concatenate([lower, lower + 1]))
        return np.interp(positions / self.step, points, self._at(points * self.step))

    def _at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp(self.estimator.score_samples(points[:, np.newaxis]))


def _on_grid(positions: NDArray[np.float64], step: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Split each position between the two grid points next to it. The nearer one gets the larger weight."""
    lower = np.floor(positions / step)
    beyond = positions / step - lower
    points, index = np.unique(np.concatenate([lower, lower + 1]), return_inverse=True)
    weights = np.bincount(index, weights=np.concatenate([1 - beyond, beyond])).astype(np.float64)
    return points[weights > 0] * step, weights[weights > 0]
