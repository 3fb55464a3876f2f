"""Errors of regression that rare targets have a say in."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._checks import check_weights
from skmetric.imbalance._checks import check_pair
from skmetric.imbalance.bins import bin_codes

__all__ = ["balanced_mean_absolute_error", "geometric_mean", "geometric_mean_error"]

# The resolution of single precision, in which networks predict: finer differences are rounding, not skill.
_FLOOR = 2.0**-23


def balanced_mean_absolute_error(
    y_true: ArrayLike, y_pred: ArrayLike, *, bins: int | ArrayLike = 10, sample_weight: ArrayLike | None = None
) -> float:
    r"""Mean absolute error of each bin of the target, averaged over the bins.

    With :math:`B_1, \dots, B_m` the bins that hold rows, and :math:`w_i` the weights,

    .. math::
        \frac{1}{m} \sum_{b=1}^{m} \frac{\sum_{i \in B_b} w_i |\hat y_i - y_i|}{\sum_{i \in B_b} w_i}.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        The truth.
    y_pred : array-like of shape (n,)
        Predictions, in the units of ``y_true``.
    bins : int or array-like of shape (n_bins + 1,), default=10
        How many equally wide bins over the range of ``y_true``, or the edges of the bins, in units of ``y_true`` and in
        rising order. A bin holds its lower edge; values outside all bins are in the nearest one.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows within their bin. A bin whose rows all weigh 0 counts as empty.

    Returns
    -------
    error : float
        In units of ``y_true``; 0 is best.

    Raises
    ------
    ValueError
        If the rows are not finite numbers, or do not fit together; if ``bins`` is below 1, or its edges do not rise.
    TypeError
        If ``bins`` is neither an integer nor an array.

    See Also
    --------
    geometric_mean_error : Counts errors by their order of magnitude.
    shot_report : Errors by how many training rows a bin has.

    Notes
    -----
    An int of bins follows the range of the rows at hand, which differs from fold to fold: pass edges where figures are
    to be compared.

    References
    ----------
    Baccianella, Esuli, Sebastiani (2009). Evaluation Measures for Ordinal Regression. ISDA. There, as the
    macroaveraged error, over classes. https://doi.org/10.1109/ISDA.2009.230

    Examples
    --------
    >>> from skmetric.imbalance import balanced_mean_absolute_error
    >>> y_true, y_pred = [0, 0, 0, 10], [0, 0, 0, 6]
    >>> balanced_mean_absolute_error(y_true, y_pred)
    2.0
    """
    truth, predicted = check_pair(y_true, y_pred)
    weights = _relative_weights(sample_weight, len(truth))
    _, codes = np.unique(bin_codes(truth, bins, seen=truth), return_inverse=True)
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
    y_true : array-like of shape (n,)
        The truth.
    y_pred : array-like of shape (n,)
        Predictions, in the units of ``y_true``.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    error : float
        In units of ``y_true``, at most the mean absolute error; 0, the best, only where all errors are 0.

    Raises
    ------
    ValueError
        If the rows are not finite numbers, or do not fit together.

    See Also
    --------
    balanced_mean_absolute_error : Gives each part of the range the same say.

    Notes
    -----
    Departure from the paper, which has no :math:`\epsilon`: there, one exact hit makes the whole figure 0, whatever
    the other errors are. Here a hit counts as the single-precision resolution of the mean absolute error, so that one
    in a hundred rows lowers the figure by about 15%. The figure scales with the target, and does not change when both
    truth and predictions are shifted.

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
    """Weighted geometric mean of absolute errors, those next to 0 raised to a floor; there is at least one."""
    floor = _FLOOR * np.average(errors, weights=weights)
    if not floor:
        return 0.0
    return float(np.exp(np.average(np.log(np.maximum(errors, floor)), weights=weights)))


def _relative_weights(sample_weight: ArrayLike | None, n_rows: int) -> NDArray[np.float64]:
    """Weights in units of the largest: only ratios matter, and no sum of them overflows."""
    weights = check_weights(sample_weight, n_rows)
    return weights / weights.max()
