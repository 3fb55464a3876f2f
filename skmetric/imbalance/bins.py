"""Bins of a continuous target."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._checks import check_target

__all__ = ["Range", "bin_codes", "floor_robustly"]

# If the target is shifted or scaled, rounding must not move a value over an edge, or out of the range: differences up
# to this share of a bin, or of the range, are rounding errors.
ROUNDING = 1e-9


class Range(NamedTuple):
    """Range from the smallest to the largest value.

    Attributes
    ----------
    low, high : float
        The smallest and the largest value, in units of the target.
    """

    low: float
    high: float

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> "Range":
        """Return the range of values."""
        return cls(float(values.min()), float(values.max()))

    @property
    def width(self) -> float:
        """Width of the range, in units of the target."""
        return self.high - self.low

    def sides(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return -1 for values below the range, 0 for values in it, and 1 for values above it."""
        reach = ROUNDING * self.width
        return (values > self.high + reach).astype(np.intp) - (values < self.low - reach)

    def positions(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the positions of values in the range, from 0 (``low``) to 1 (``high``); all are 0 if the width is 0.

        Values outside have no position; here they get that of the nearest end. ``sides`` finds them.
        """
        if not self.width:
            return np.zeros(values.shape)
        return (np.clip(values, self.low, self.high) - self.low) / self.width

    def codes(self, values: NDArray[np.float64], n_bins: int) -> NDArray[np.intp]:
        """Return the bin of each value, for ``n_bins`` bins of equal width: -1 below the range, ``n_bins`` above it."""
        bins = np.minimum(floor_robustly(self.positions(values) * n_bins), n_bins - 1).astype(np.intp)
        sides = self.sides(values)
        return np.where(sides < 0, -1, np.where(sides > 0, n_bins, bins))


def floor_robustly(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round down, but round up from at most 1e-9 below a whole number, so that a value on an edge stays there."""
    return np.floor(numbers + ROUNDING)


def bin_codes(
    values: NDArray[np.float64], bins: int | ArrayLike, *, seen: NDArray[np.float64]
) -> tuple[NDArray[np.intp], int]:
    """Return the bin of each value, -1 below all bins and ``n_bins`` above all bins; and ``n_bins``, their number.

    A bin includes its lower edge, and the last bin also its upper edge.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Values to put into bins.
    bins : int or array-like of shape (n_bins + 1,)
        Number of bins of equal width over the range of ``seen``, or the edges of the bins.
    seen : ndarray of shape (n_seen,)
        Values that give the range if ``bins`` is an int.
    """
    if isinstance(bins, Integral) and not isinstance(bins, bool):
        if bins < 1:
            raise ValueError(f"bins must be at least 1, got bins={bins}. Pass 10, or an array of edges.")
        return Range.of(seen).codes(values, int(bins)), int(bins)
    edges = _check_edges(bins)
    n_bins = len(edges) - 1
    codes = np.searchsorted(edges, values, side="right") - 1
    return np.where(values == edges[-1], n_bins - 1, codes), n_bins


def _check_edges(bins: int | ArrayLike) -> NDArray[np.float64]:
    if isinstance(bins, (str, float, bool)) or bins is None:
        raise TypeError(
            f"bins must be an integer or an array of edges, got {bins!r} of type {type(bins).__name__}. Pass 10, or "
            "np.linspace(low, high, 11)."
        )
    edges = check_target(bins, "bins")
    if len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ValueError(
            f"bins must be two or more edges in strictly increasing order, got {edges}. Pass np.unique(bins), or an "
            "integer."
        )
    return edges
