"""Weights of rows by how rare their target is."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skmetric._checks import check_target
from skmetric._sklearn_compat import Interval, StrOptions, fit_context
from skmetric.imbalance._checks import check_fitted_target
from skmetric.imbalance._densities import KERNELS, KernelSum, SmoothedHistogram, silverman_bandwidth
from skmetric.imbalance.bins import Range

__all__ = ["LabelDensityWeighter"]


class LabelDensityWeighter(BaseEstimator):
    r"""Weigh rows by how rare their continuous target is: label distribution smoothing, or a kernel density.

    With :math:`\tilde p(y)` the smoothed density of the targets seen by ``fit``,

    .. math::
        w(y) = \min\bigl(c \, \tilde p(y)^{-\text{power}}, \text{max\_weight}\bigr),

    where :math:`c` makes the mean weight of the rows seen by ``fit`` 1. With :math:`n_b` rows in bin :math:`b` of
    ``n_bins`` equally wide ones, :math:`\delta` the width of a bin, and :math:`K` the kernel divided by its maximum,

    .. math::
        \tilde p_\text{lds}(y) = \sum_b K\Bigl(\frac{\delta \, |b - b(y)|}{\text{bandwidth}}\Bigr) n_b,
        \qquad
        \tilde p_\text{kde}(y) \propto \sum_i K\Bigl(\frac{|y - y_i|}{\text{bandwidth}}\Bigr).

    Parameters
    ----------
    method : {"lds", "kde"}, default="lds"
        "lds" counts rows in bins and smooths the counts; "kde" takes a kernel density, without bins.
    kernel : {"gaussian", "triangular", "laplace"}, default="gaussian"
        :math:`\exp(-u^2 / 2)`, :math:`\max(1 - u, 0)` or :math:`\exp(-u)`, u the distance in bandwidths. In "lds", the
        Gaussian one ends at 4 bandwidths and the Laplace one at 8.
    bandwidth : float, default=None
        The kernel's width, in units of y. None: two bins in "lds"; in "kde" Silverman's rule, 0.9 times the smaller of
        the standard deviation and the interquartile range / 1.349, times n to the power -1/5.
    n_bins : int, default=100
        How many bins there are in "lds", over the range of y. "kde" has none.
    power : float, default=1.0
        How far weights go against the density: 1 the inverse, 0.5 its square root, 0 all weights 1.
    max_weight : float, default=None
        The largest weight that a row may get, in units of the mean weight; at least 1. None: no limit.

    Attributes
    ----------
    range_ : Range
        The smallest and the largest target seen, ``low`` and ``high``.
    bandwidth_ : float
        The bandwidth used, in units of y; 0 where none was given and all targets are the same.
    estimate_ : SmoothedHistogram or KernelSum
        The density over the range. In "lds", ``estimate_.counts`` are the effective counts of the bins.
    lowest_density_ : float
        The smallest density at a target seen by ``fit``, in units of ``estimate_``.
    factor_ : float
        The factor c, for densities in units of ``lowest_density_``: the largest weight before it is cut.

    Raises
    ------
    ValueError
        If y is not one finite number a row, or a parameter is not valid.

    See Also
    --------
    shot_report : Errors where training rows were many, and where few.

    Notes
    -----
    Departures from the paper: the kernel goes on until it vanishes, not for a fixed number of bins; and weights can be
    given a limit, where c rises until the mean is 1 again, so that both hold.

    Weights do not change, rounding apart, when y is shifted, or y and the bandwidth are multiplied by a positive
    number. The bins span the range seen, so one far outlier makes them wide: take "kde" then. With fewer rows than
    bins, most bins hold at most one row, and the default bandwidth reaches few neighbors: weights are close to equal
    unless the bandwidth is raised.

    A new target outside the range seen has the density of the nearest end, and one where the density is below that of
    every row seen, as in a gap, counts as rare as the rarest of these.

    Silverman's rule is made for the Gaussian kernel; the others get the bandwidth at which their standard deviation is
    the same: times the root of 6 for "triangular", divided by the root of 2 for "laplace". Where the interquartile
    range is 0, the rule takes the standard deviation alone.

    "kde" is exact (to 1e-8) for up to 1000 different targets. For more, rows are shared out over a grid with 32
    points a bandwidth, which takes time by the rows and the grid only. Densities are then right to about 0.05% with
    the Gaussian kernel; next to the peaks of the others, to 2% at a row that stands alone.

    References
    ----------
    Yang, Zha, Chen, Wang, Katabi (2021). Delving into Deep Imbalanced Regression. ICML.
    https://proceedings.mlr.press/v139/yang21m.html

    Silverman (1986). Density Estimation for Statistics and Data Analysis. Chapman and Hall. Section 3.4.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.imbalance import LabelDensityWeighter
    >>> y = np.repeat([0.0, 10.0], [9, 1])
    >>> weights = LabelDensityWeighter(max_weight=4).fit_transform(y)
    >>> weights.round(3)
    array([0.667, 0.667, 0.667, 0.667, 0.667, 0.667, 0.667, 0.667, 0.667,
           4.   ])

    They go where an estimator takes ``sample_weight``:

    >>> from sklearn.linear_model import LinearRegression
    >>> LinearRegression().fit(y[:, np.newaxis], y, sample_weight=weights)
    LinearRegression()
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "method": [StrOptions({"lds", "kde"})],
        "kernel": [StrOptions(set(KERNELS))],
        "bandwidth": [Interval(Real, 0, None, closed="neither"), None],
        "n_bins": [Interval(Integral, 1, None, closed="left")],
        "power": [Interval(Real, 0, None, closed="left")],
        "max_weight": [Interval(Real, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        method: str = "lds",
        *,
        kernel: str = "gaussian",
        bandwidth: float | None = None,
        n_bins: int = 100,
        power: float = 1.0,
        max_weight: float | None = None,
    ) -> None:
        self.method = method
        self.kernel = kernel
        self.bandwidth = bandwidth
        self.n_bins = n_bins
        self.power = power
        self.max_weight = max_weight

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, y: ArrayLike) -> "LabelDensityWeighter":
        """Learn how dense the targets are.

        Parameters
        ----------
        y : array-like of shape (n,)
            One number a row.

        Returns
        -------
        self : LabelDensityWeighter
            Fitted.
        """
        self._fit(check_fitted_target(y, "y"))
        return self

    def transform(self, y: ArrayLike) -> NDArray[np.float64]:
        """Weigh rows, by the density that was fitted.

        Parameters
        ----------
        y : array-like of shape (n,)
            One number a row, in the units of those fitted.

        Returns
        -------
        weights : ndarray of shape (n,)
            Positive, at most ``max_weight``. Their mean is 1 over the rows that were fitted.
        """
        check_is_fitted(self)
        return self._cut(self._rarity(self._density(check_target(y, "y"))))

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, y: ArrayLike) -> NDArray[np.float64]:
        """Learn how dense the targets are, and weigh the same rows.

        Parameters
        ----------
        y : array-like of shape (n,)
            One number a row.

        Returns
        -------
        weights : ndarray of shape (n,)
            Positive, at most ``max_weight``, with a mean of 1.
        """
        return self._cut(self._fit(check_fitted_target(y, "y")))

    def _fit(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        self.range_ = Range.of(y)
        positions = self.range_.positions(y)
        share = self._bandwidth_as_share(positions)
        self.bandwidth_ = float(share * self.range_.width if self.bandwidth is None else self.bandwidth)
        self.estimate_: SmoothedHistogram | KernelSum
        if self.method == "lds":
            self.estimate_ = SmoothedHistogram.of(positions, kernel=self.kernel, bandwidth=share, n_bins=self.n_bins)
        else:
            self.estimate_ = KernelSum.of(positions, kernel=self.kernel, bandwidth=share)
        density = self._density(y)
        self.lowest_density_ = float(density.min())
        rarity = self._rarity(density)
        self.factor_ = _factor(rarity, self.max_weight)
        return rarity

    def _bandwidth_as_share(self, positions: NDArray[np.float64]) -> float:
        if not self.range_.width:
            # All targets are the same: any bandwidth gives the same weights.
            return 1.0
        if self.bandwidth is not None:
            with np.errstate(over="ignore"):
                return float(np.float64(self.bandwidth) / self.range_.width)
        return 2 / self.n_bins if self.method == "lds" else silverman_bandwidth(positions, self.kernel)

    def _density(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.estimate_(self.range_.positions(y))

    def _rarity(self, density: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights before they are scaled and cut: 1 at the lowest density."""
        rarity = np.maximum(density / self.lowest_density_, 1.0) ** -self.power
        # A large power must not leave rows without any weight.
        return np.maximum(rarity, np.finfo(np.float64).tiny)

    def _cut(self, rarity: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.minimum(self.factor_ * rarity, np.inf if self.max_weight is None else self.max_weight)


def _factor(rarity: NDArray[np.float64], max_weight: float | None) -> float:
    """The c for which ``minimum(c * rarity, max_weight)`` has a mean of 1."""
    n = len(rarity)
    if max_weight is None:
        return float(n / rarity.sum())
    descending = np.sort(rarity)[::-1]
    left = n - np.arange(n) * max_weight
    # With the k largest at the limit, the others share what is left. The k sought is the first that cuts all it has to;
    # there is one, as what is left above 0 is at most the limit in the end, and one row may have all of it.
    fits = left * descending <= max_weight * np.cumsum(descending[::-1])[::-1]
    k = int(fits.argmax())
    return float(left[k] / descending[k:].sum())
