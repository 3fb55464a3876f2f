"""Bins of a continuous target."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._checks import check_target

__all__ = ["Range", "bin_codes", "floor_robustly"]


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

    def positions(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return positions from 0 (``low`` and below) to 1 (``high`` and above). All are 0 if the width is 0."""
        if not self.width:
            return np.zeros(values.shape)
        return (np.clip(values, self.low, self.high) - self.low) / self.width

    def codes(self, values: NDArray[np.float64], n_bins: int) -> NDArray[np.intp]:
        """Return the bin of each value, for ``n_bins`` bins of equal width. Values outside are in the end bins."""
        bins = floor_robustly(self.positions(values) * n_bins)
        return np.minimum(bins, n_bins - 1).astype(np.intp)


def floor_robustly(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round down, but round up from at most 1e-9 below a whole number.

    If the target is shifted or scaled, rounding must not move a value on an edge, or at the end of a kernel, to the
    other side.
    """
    return np.floor(numbers + 1e-9)


def bin_codes(values: NDArray[np.float64], bins: int | ArrayLike, *, seen: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the bin of each value. Values outside all bins are in the nearest bin.

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
        return Range.of(seen).codes(values, int(bins))
    edges = _check_edges(bins)
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)


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
