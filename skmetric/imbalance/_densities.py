"""How dense a target is, at positions from 0 to 1 in its range."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KernelDensity

from skmetric.imbalance.bins import Range, floor_robustly

__all__ = ["KERNELS", "KernelSum", "SmoothedHistogram", "silverman_bandwidth"]

# Distances are in bandwidths. Where a kernel has no end, it is cut where it is exp(-8) = 0.0003 of its peak.
KERNELS = {
    "gaussian": (lambda distance: np.exp(-(distance**2) / 2), 4.0),
    "triangular": (lambda distance: np.maximum(1 - distance, 0), 1.0),
    "laplace": (lambda distance: np.exp(-distance), 8.0),
}
_SKLEARN_NAMES = {"gaussian": "gaussian", "triangular": "linear", "laplace": "exponential"}
# Standard deviation of a kernel of bandwidth 1.
_SPREADS = {"gaussian": 1.0, "triangular": 6**-0.5, "laplace": 2**0.5}

# Up to so many different values, sums go over all of them.
_MAX_DISTINCT = 1000
# Grid points a bandwidth, for more values than that: the error is of the order of 1 / (4 * 32^2).
_STEPS_PER_BANDWIDTH = 32
# Bandwidths, as shares of the range: below, values differ by less than they were rounded; above, all is one value.
_NARROWEST, _WIDEST = 1e-12, 1e12


def silverman_bandwidth(positions: NDArray[np.float64], kernel: str) -> float:
    """Silverman's robust rule, for a kernel of the same standard deviation as its Gaussian one."""
    deviation = positions.std(ddof=1)
    lower, upper = np.quantile(positions, [0.25, 0.75])
    # Where half of the rows are tied, the quartiles say nothing about the spread of the others.
    spread = min(deviation, (upper - lower) / 1.349) or deviation
    return float(0.9 * spread * len(positions) ** -0.2 / _SPREADS[kernel])


@dataclass(frozen=True)
class SmoothedHistogram:
    """Label distribution smoothing: counts of equally wide bins, convolved with a kernel.

    Attributes
    ----------
    counts : ndarray of shape (n_bins,)
        The effective count of each bin.
    """

    counts: NDArray[np.float64]

    @classmethod
    def of(cls, positions: NDArray[np.float64], *, kernel: str, bandwidth: float, n_bins: int) -> "SmoothedHistogram":
        """Smooth the histogram of positions; the bandwidth is a share of the range."""
        counts = np.bincount(Range(0.0, 1.0).codes(positions, n_bins), minlength=n_bins).astype(np.float64)
        shape, reach = KERNELS[kernel]
        bins_wide = np.clip(bandwidth, _NARROWEST, _WIDEST) * n_bins
        radius = min(int(floor_robustly(reach * bins_wide)), n_bins - 1)
        # The value in the middle, the largest, is 1.
        window = shape(np.abs(np.arange(-radius, radius + 1)) / bins_wide)
        return cls(np.convolve(counts, window)[radius : radius + n_bins])

    def __call__(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """The effective count of each position's bin."""
        density: NDArray[np.float64] = self.counts[Range(0.0, 1.0).codes(positions, len(self.counts))]
        return density


@dataclass(frozen=True)
class KernelSum:
    """Kernel density estimate, on a grid where there are many values.

    Attributes
    ----------
    estimator : KernelDensity
        Fitted on the different positions, or on the points of the grid next to them, weighted by their rows.
    step : float or None
        From one point of the grid to the next. None: no grid.
    """

    estimator: KernelDensity
    step: float | None

    @classmethod
    def of(cls, positions: NDArray[np.float64], *, kernel: str, bandwidth: float) -> "KernelSum":
        """Estimate the density of positions; the bandwidth is a share of the range."""
        bandwidth = float(np.clip(bandwidth, _NARROWEST, _WIDEST))
        distinct, rows = np.unique(positions, return_counts=True)
        points, weights, step = distinct, rows.astype(np.float64), None
        if len(distinct) > _MAX_DISTINCT:
            step = bandwidth / _STEPS_PER_BANDWIDTH
            points, weights = _on_grid(positions, step)
        # The tree leaves out what changes a sum by less than this share.
        estimator = KernelDensity(kernel=_SKLEARN_NAMES[kernel], bandwidth=bandwidth, rtol=1e-8)
        return cls(estimator.fit(points[:, np.newaxis], sample_weight=weights), step)

    def __call__(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """The density at each position, interpolated between the points of a grid."""
        if self.step is None:
            points, where = np.unique(positions, return_inverse=True)
            return self._at(points)[where]
        # Only points next to a position: the tail of a heavy-tailed target would need a grid that is mostly empty.
        lower = np.floor(positions / self.step)
        points = np.unique(np.concatenate([lower, lower + 1]))
        return np.interp(positions / self.step, points, self._at(points * self.step))

    def _at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp(self.estimator.score_samples(points[:, np.newaxis]))


def _on_grid(positions: NDArray[np.float64], step: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each position split between the two points of the grid next to it, the nearer one getting more."""
    lower = np.floor(positions / step)
    beyond = positions / step - lower
    points, where = np.unique(np.concatenate([lower, lower + 1]), return_inverse=True)
    weights = np.bincount(where, weights=np.concatenate([1 - beyond, beyond])).astype(np.float64)
    return points[weights > 0] * step, weights[weights > 0]
