"""Regression errors for targets with rare values."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._checks import check_weights
from skmetric.imbalance._checks import check_pair
from skmetric.imbalance.bins import bin_codes

__all__ = ["balanced_mean_absolute_error", "geometric_mean", "geometric_mean_error"]

# The resolution of single precision, in which networks predict. Smaller differences are only rounding errors.
_FLOOR = 2.0**-23


def balanced_mean_absolute_error(
    y_true: ArrayLike, y_pred: ArrayLike, *, bins: int | ArrayLike = 10, sample_weight: ArrayLike | None = None
) -> float:
    r"""Mean absolute error of each bin of the target, averaged over the bins.

    If :math:`B_1, \dots, B_m` are the bins that contain rows, and :math:`w_i` the weights, the error is

    .. math::
        \frac{1}{m} \sum_{b=1}^{m} \frac{\sum_{i \in B_b} w_i |\hat y_i - y_i|}{\sum_{i \in B_b} w_i}.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True targets.
    y_pred : array-like of shape (n_samples,)
        Predictions, in the units of ``y_true``.
    bins : int or array-like of shape (n_bins + 1,), default=10
        Number of bins of equal width over the range of ``y_true``, or the edges of the bins, in units of ``y_true`` and
        in increasing order. A bin includes its lower edge, and the last bin also its upper edge. Values below all bins
        form one more bin, and so do values above all bins.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows within their bin. A bin whose weights are all 0 counts as empty.

    Returns
    -------
    error : float
        In units of ``y_true``; 0 is best.

    Raises
    ------
    ValueError
        If targets or predictions are not finite numbers, or differ in length; if ``bins`` is below 1, or its edges are
        not in increasing order.
    TypeError
        If ``bins`` is not an integer or an array.

    See Also
    --------
    geometric_mean_error : Measures errors by their order of magnitude.
    shot_report : Errors by the number of training rows in a bin.

    Notes
    -----
    If ``bins`` is an int, the bins span the range of the given ``y_true``, which differs between folds. Pass edges if
    you compare errors.

    References
    ----------
    Baccianella, Esuli, Sebastiani (2009). Evaluation Measures for Ordinal Regression. ISDA (the
    macroaveraged error, over classes). https://doi.org/10.1109/ISDA.2009.230

    Examples
    --------
    >>> from skmetric.imbalance import balanced_mean_absolute_error
    >>> y_true, y_pred = [0, 0, 0, 10], [0, 0, 0, 6]
    >>> balanced_mean_absolute_error(y_true, y_pred)
    2.0
    """
    truth, predicted = check_pair(y_true, y_pred)
    weights = _relative_weights(sample_weight, len(truth))
    _, codes = np.unique(bin_codes(truth, bins, seen=truth)[0], return_inverse=True)
    totals = np.bincount(codes, weights)
    errors = np.bincount(codes, weights * np.abs(predicted - truth))
    return float((errors[totals > 0] / totals[totals > 0]).mean())


def geometric_mean_error(y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    r"""Geometric mean of the absolute errors.

    .. math::
        \exp \frac{\sum_i w_i \log \max(e_i, \epsilon)}{\sum_i w_i}, \qquad
        e_i = |\hat y_i - y_i|, \quad \epsilon = 2^{-23} \, \frac{\sum_i w_i e_i}{\sum_i w_i}.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True targets.
    y_pred : array-like of shape (n_samples,)
        Predictions, in the units of ``y_true``.
    sample_weight : array-like of shape (n_samples,), default=None
        Row weights.

    Returns
    -------
    error : float
        In units of ``y_true``, at most the mean absolute error. The best value is 0, only reached if all errors are 0.

    Raises
    ------
    ValueError
        If targets or predictions are not finite numbers, or differ in length.

    See Also
    --------
    balanced_mean_absolute_error : Gives each part of the range the same weight.

    Notes
    -----
    The paper has no :math:`\epsilon`: there, a single exact prediction makes the result 0, regardless of the other
    errors. Here an error of 0 counts as the single-precision resolution of the mean absolute error, so that one exact
    prediction in a hundred rows lowers the result by about 15%. The result scales with the target. It does not change
    if targets and predictions are shifted together.

    References
    ----------
    Yang, Zha, Chen, Wang, Katabi (2021). Delving into Deep Imbalanced Regression. ICML.
    https://proceedings.mlr.press/v139/yang21m.html

    Examples
    --------
    >>> from skmetric.imbalance import geometric_mean_error
    >>> round(geometric_mean_error([0, 0, 0], [1, -1, 8]), 6)
    2.0
    """
    truth, predicted = check_pair(y_true, y_pred)
    return geometric_mean(np.abs(predicted - truth), _relative_weights(sample_weight, len(truth)))


def geometric_mean(errors: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the weighted geometric mean of one or more absolute errors. Errors near 0 are raised to a floor."""
    # In units of a power of two, which rounds nothing, the floor of tiny errors does not underflow.
    exponent = np.frexp(errors.max())[1]
    relative = np.ldexp(errors, -exponent)
    floor = _FLOOR * np.average(relative, weights=weights)
    if not floor:
        return 0.0
    mean = np.exp(np.average(np.log(np.maximum(relative, floor)), weights=weights))
    return float(np.ldexp(mean, exponent))


def _relative_weights(sample_weight: ArrayLike | None, n_rows: int) -> NDArray[np.float64]:
    """Return the weights divided by the largest. Only ratios matter, and this keeps sums from overflowing."""
    weights = check_weights(sample_weight, n_rows)
    return weights / weights.max()
