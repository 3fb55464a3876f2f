"""Row weights that are larger for rare targets."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, TransformerTags
from sklearn.utils.validation import check_is_fitted

from skmetric._checks import check_target
from skmetric._sklearn_compat import Interval, StrOptions, fit_context
from skmetric.imbalance._checks import check_fitted_target
from skmetric.imbalance._densities import KERNELS, KernelSum, SmoothedHistogram, silverman_bandwidth
from skmetric.imbalance.bins import Range

__all__ = ["LabelDensityWeighter"]


class LabelDensityWeighter(BaseEstimator):
    r"""Give rows with rare targets larger weights, by label distribution smoothing or a kernel density.

    If :math:`\tilde p(y)` is the smoothed density of the targets passed to ``fit``, the weight is

    .. math::
        w(y) = \min\bigl(c \, \tilde p(y)^{-\text{power}}, \text{max\_weight}\bigr),

    where :math:`c` is chosen such that the mean weight of the rows of ``fit`` is 1. There are ``n_bins`` bins of equal
    width :math:`\delta`. :math:`n_b` is the number of rows in bin :math:`b`, :math:`b(y)` is the bin of :math:`y`, and
    :math:`K` is the kernel divided by its maximum. Then

    .. math::
        \tilde p_\text{lds}(y) = \sum_b K\Bigl(\frac{\delta \, |b - b(y)|}{\text{bandwidth}}\Bigr) n_b,
        \qquad
        \tilde p_\text{kde}(y) \propto \sum_i K\Bigl(\frac{|y - y_i|}{\text{bandwidth}}\Bigr).

    Parameters
    ----------
    method : {"lds", "kde"}, default="lds"
        "lds" counts rows in bins and smooths the counts. "kde" estimates a kernel density, without bins.
    kernel : {"gaussian", "triangular", "laplace"}, default="gaussian"
        Kernel: :math:`\exp(-u^2 / 2)`, :math:`\max(1 - u, 0)` or :math:`\exp(-u)`, where u is the distance in
        bandwidths. In "lds", the Gaussian kernel ends at 4 bandwidths and the Laplace kernel at 8.
    bandwidth : float, default=None
        Bandwidth of the kernel, in units of y. If None, "lds" uses the width of two bins, and "kde" uses Silverman's
        rule: 0.9 times the smaller of the standard deviation and the interquartile range / 1.349, times
        ``n_samples ** (-1/5)``.
    n_bins : int, default=100
        Number of bins over the range of y. Only for "lds".
    power : float, default=1.0
        Exponent of the inverse density: 1 gives the inverse density, 0.5 its square root, and 0 gives weights of 1.
    max_weight : float, default=None
        Largest weight of a row, relative to the mean weight; at least 1. If None, there is no limit.

    Attributes
    ----------
    range_ : Range
        Smallest and largest target of ``fit``, as ``low`` and ``high``.
    bandwidth_ : float
        Bandwidth used, in units of y. It is 0 if ``bandwidth=None`` and all targets are equal.
    estimate_ : SmoothedHistogram or KernelSum
        Density within the range. For "lds", ``estimate_.counts`` holds the effective counts of the bins.
    lowest_density_ : float
        Smallest density at a target of ``fit``, in units of ``estimate_``.
    factor_ : float
        Factor c for densities in units of ``lowest_density_``. It is the largest weight before ``max_weight`` applies.

    Raises
    ------
    ValueError
        If y does not have one finite number per row, or if a parameter is not valid.

    See Also
    --------
    shot_report : Errors for targets with many and with few training rows.

    Notes
    -----
    There are two differences from the paper. The kernel extends until it vanishes, not over a fixed number of bins. The
    weights can have a limit; then c is increased until the mean weight is 1 again.

    Except for rounding, weights do not change if y is shifted, or if y and the bandwidth are multiplied by a positive
    number. The bins span the range of the targets, so one far outlier makes them wide; use "kde" in this case. With
    fewer rows than bins, most bins have at most one row, and the default bandwidth covers few neighbors. The weights
    are then almost equal, unless you increase the bandwidth.

    A new target outside the range of ``fit`` gets the largest weight, that of the rarest target of ``fit``: no training
    row shows how rare it is. So does a new target whose density is below that at all targets of ``fit``, as in a gap.

    Silverman's rule is for the Gaussian kernel. The other kernels get the bandwidth that gives them the same standard
    deviation: multiplied by the square root of 6 for "triangular", divided by the square root of 2 for "laplace". If
    the interquartile range is 0, the rule uses only the standard deviation.

    "kde" is exact (to 1e-8) for up to 1000 distinct targets. For more, the rows are distributed over a grid with 32
    points per bandwidth, so that the time depends only on the number of rows and the grid. The error of the densities
    is then about 0.05% with the Gaussian kernel. With the other kernels, it is up to 2% near the peak at an isolated
    row.

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

    Pass the weights to an estimator as ``sample_weight``:

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
        """Estimate the density of the targets.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            One number per row.

        Returns
        -------
        self : LabelDensityWeighter
            Fitted.
        """
        self._fit(check_fitted_target(y, "y"))
        return self

    def transform(self, y: ArrayLike) -> NDArray[np.float64]:
        """Return row weights from the fitted density.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            One number per row, in the same units as in ``fit``.

        Returns
        -------
        weights : ndarray of shape (n_samples,)
            Positive, at most ``max_weight``. The mean over the rows of ``fit`` is 1. Targets outside the range of
            ``fit`` have the largest weight of its rows.
        """
        check_is_fitted(self)
        targets = check_target(y, "y")
        is_inside = self.range_.sides(targets) == 0
        return self._limit(np.where(is_inside, self._rarity(self._density(targets)), 1.0))

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, y: ArrayLike) -> NDArray[np.float64]:
        """Estimate the density of the targets, and return the weights of the same rows.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            One number per row.

        Returns
        -------
        weights : ndarray of shape (n_samples,)
            Positive, at most ``max_weight``, with a mean of 1.
        """
        return self._limit(self._fit(check_fitted_target(y, "y")))

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
        """Return the weights before they are scaled and limited. They are 1 at the lowest density."""
        rarity = np.maximum(density / self.lowest_density_, 1.0) ** -self.power
        # With a large power, every row must keep a positive weight.
        return np.maximum(rarity, np.finfo(np.float64).tiny)

    def _limit(self, rarity: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.minimum(self.factor_ * rarity, np.inf if self.max_weight is None else self.max_weight)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # As LabelEncoder, it transforms targets and not rows.
        tags.input_tags.one_d_array, tags.input_tags.two_d_array = True, False
        tags.target_tags.one_d_labels = True
        tags.transformer_tags = TransformerTags()
        return tags


def _factor(rarity: NDArray[np.float64], max_weight: float | None) -> float:
    """Return the c for which ``minimum(c * rarity, max_weight)`` has a mean of 1."""
    n = len(rarity)
    if max_weight is None:
        return float(n / rarity.sum())
    descending = np.sort(rarity)[::-1]
    left = n - np.arange(n) * max_weight
    # If the k largest weights are at the limit, the other rows share what is left. The first k that keeps all of them
    # within the limit is the solution. It exists, because the last positive rest is at most the limit, and one row may
    # get all of it.
    fits = left * descending <= max_weight * np.cumsum(descending[::-1])[::-1]
    k = int(fits.argmax())
    return float(left[k] / descending[k:].sum())
