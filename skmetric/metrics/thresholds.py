"""Thresholds and probabilities that turn the distance of a pair into its class."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric.metrics._pair_checks import Strategy, check_criterion, check_pairs
from skmetric.metrics._sigmoid import fit_sigmoid

__all__ = ["Strategy", "distance_threshold", "sigmoid_calibration"]

# Sums of weights have rounding errors. Values that differ by less than this are equal.
ROUNDING = 1e-12

Vector = NDArray[np.float64]


def distance_threshold(
    y_true: ArrayLike,
    distance: ArrayLike,
    *,
    strategy: Strategy = "accuracy",
    beta: float = 1.0,
    min_rate: float | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    r"""Find the distance that best separates similar from dissimilar pairs.

    With a threshold :math:`t`, a pair is classified as similar (+1) if :math:`d_i \le t`, and otherwise as dissimilar
    (-1). Similar is the positive class. :math:`\mathrm{TP}`, :math:`\mathrm{FP}`, :math:`\mathrm{TN}` and
    :math:`\mathrm{FN}` are the summed weights of the true positives, false positives, true negatives and false
    negatives. The strategies maximize

    .. math::
        \mathrm{accuracy} = \frac{\mathrm{TP} + \mathrm{TN}}{\mathrm{TP} + \mathrm{FP} + \mathrm{TN} + \mathrm{FN}},
        \qquad
        F_\beta = \frac{(1 + \beta^2) \, \mathrm{TP}}{(1 + \beta^2) \, \mathrm{TP} + \beta^2 \, \mathrm{FN} +
        \mathrm{FP}},
        \qquad
        \mathrm{TPR} = \frac{\mathrm{TP}}{\mathrm{TP} + \mathrm{FN}}, \qquad
        \mathrm{TNR} = \frac{\mathrm{TN}}{\mathrm{TN} + \mathrm{FP}},

    The rates TPR and TNR are maximized under a lower bound on the other rate.

    Parameters
    ----------
    y_true : array-like of shape (n_pairs,)
        +1 for a pair of similar rows, -1 for a pair of dissimilar rows. Both classes must occur.
    distance : array-like of shape (n_pairs,)
        Distance of each pair, finite. Negative values are allowed, such as a negated similarity.
    strategy : {"accuracy", "f_beta", "max_tpr", "max_tnr"}, default="accuracy"
        Criterion to maximize. ``"max_tpr"`` maximizes the TPR under the condition that the TNR is at least
        ``min_rate``. ``"max_tnr"`` maximizes the TNR under the condition that the TPR is at least ``min_rate``.
    beta : float, default=1.0
        Importance of recall relative to precision. Only for ``"f_beta"``.
    min_rate : float, default=None
        Lower bound on the other rate, from 0 to 1. Only for ``"max_tpr"`` and ``"max_tnr"``, which require it.
    sample_weight : array-like of shape (n_pairs,), default=None
        Weight of each pair: finite, non-negative. An integer weight has the same effect as that many copies of the
        pair. A pair with weight 0 is ignored. If None, all weights are 1.

    Returns
    -------
    threshold : float
        Always finite. A pair is similar if ``distance <= threshold``.

    Raises
    ------
    ValueError
        If ``y_true`` has other values or, among the pairs with a positive weight, only one class; if the arguments
        differ in length, or are empty or not finite; if a weight is negative or all are 0; if ``strategy`` is unknown,
        ``beta`` is not positive and finite, or ``min_rate`` is missing or not from 0 to 1; or if ``beta`` or
        ``min_rate`` is given for a strategy that does not use it.
    TypeError
        If ``beta`` or ``min_rate`` is not a number.

    See Also
    --------
    sigmoid_calibration : Gives a probability instead of a class.

    Notes
    -----
    The threshold is the midpoint of two neighboring distances, so that rounding does not change the class of either. It
    is a number of the dtype of the distances: for float32 distances, float32 represents the threshold exactly, so that
    comparisons in float32 and in float64 agree. If there is no number between the two distances, it is the lower one.

    If it is best to classify all given pairs as similar, the threshold is half the mean gap between neighboring
    distances above the largest distance. If it is best to classify none as similar, it is half the mean gap below the
    smallest distance. If that distance is positive, the threshold is at least half of it, so that equal rows, at
    distance 0, are classified as similar unless the given pairs contradict this. If it is 0 or negative, the threshold
    is negative. If all distances are equal, the gap is their absolute value, or 1 if they are 0.

    Among equally good thresholds, ``"max_tpr"`` prefers those with the highest TNR, and ``"max_tnr"`` those with the
    highest TPR. Among the remaining ones, the middle one is returned, or the lower of two middle ones. It depends only
    on the order of the distances. Sums of weights have rounding errors, so criteria are equal if they agree to a
    relative 1e-12, and a rate may be below ``min_rate`` by 1e-12.

    The strategies are those of ``calibrate_threshold`` in metric-learn. That method returns one of the distances, the
    lowest of equally good ones, and has no weights. Here a single class is an error, even if a criterion is defined,
    because one class does not show where the other begins.

    Examples
    --------
    >>> from skmetric.metrics import distance_threshold
    >>> y_true = [1, 1, -1, 1, -1, -1]
    >>> distance = [0.5, 1.0, 2.0, 3.0, 5.0, 8.0]
    >>> distance_threshold(y_true, distance)
    1.5
    >>> distance_threshold(y_true, distance, strategy="f_beta", beta=2)
    4.0
    >>> distance_threshold(y_true, distance, strategy="max_tpr", min_rate=0.6)
    4.0
    >>> distance_threshold(y_true, distance, strategy="max_tnr", min_rate=0.6)
    1.5
    """
    check_criterion(strategy, beta, min_rate)
    lengths, similar, weights = check_pairs(y_true, distance, sample_weight)
    weights = weights / weights.max()
    values, index = np.unique(lengths, return_inverse=True)
    # Weights of the pairs classified as similar, if the lowest 0, 1, ..., all of the values are similar.
    true_positive, false_positive = (
        np.append(0.0, np.bincount(index, weights * pairs, minlength=len(values)).cumsum())
        for pairs in (similar, ~similar)
    )
    criteria = _criteria(strategy, true_positive, false_positive, beta, min_rate)
    return _threshold_above(values, _best_cut(criteria))


def sigmoid_calibration(
    y_true: ArrayLike, distance: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> tuple[float, float]:
    r"""Fit the probability that a pair is similar as a sigmoid of its distance (Platt scaling).

    .. math::
        P(y = 1 \mid d) = \frac{1}{1 + \exp(a d + b)}

    With :math:`p_i = P(y = 1 \mid d_i)`, the slope :math:`a` and the offset :math:`b` minimize

    .. math::
        -\sum_i w_i \left[ t_i \log p_i + (1 - t_i) \log (1 - p_i) \right], \qquad
        t_i = \begin{cases} (N_+ + 1) / (N_+ + 2) & y_i = +1 \\ 1 / (N_- + 2) & y_i = -1 \end{cases}

    where :math:`N_+` and :math:`N_-` are the summed weights of the similar and of the dissimilar pairs.

    Parameters
    ----------
    y_true : array-like of shape (n_pairs,)
        +1 for a pair of similar rows, -1 for a pair of dissimilar rows. Both classes must occur.
    distance : array-like of shape (n_pairs,)
        Distance of each pair, finite. Use pairs that the metric was not fitted to, if possible.
    sample_weight : array-like of shape (n_pairs,), default=None
        Weight of each pair: finite, non-negative. An integer weight has the same effect as that many copies of the
        pair. A pair with weight 0 is ignored. If None, all weights are 1.

    Returns
    -------
    slope : float
        In units of 1 / distance. Positive if similar pairs are nearer on average than dissimilar ones, and 0 if all
        distances are equal.
    offset : float
        Dimensionless. For ``slope > 0``, ``-offset / slope`` is the distance at which the probability is 1/2.

    Raises
    ------
    ValueError
        If ``y_true`` has other values or, among the pairs with a positive weight, only one class; if the arguments
        differ in length, or are empty or not finite; if a weight is negative or all are 0; or if the distances differ
        by so little that the slope is not finite.
    RuntimeError
        If Newton's method does not converge.

    See Also
    --------
    distance_threshold : Gives a class instead of a probability.

    Notes
    -----
    The targets keep slope and offset finite if a threshold separates the classes. With few pairs, the probabilities can
    still be too close to 0 and 1. The loss is convex. Its minimum is found by Newton's method; each step is shortened
    until the loss decreases, as in Lin, Lin and Weng. All computations are in float64.

    References
    ----------
    Platt (1999). Probabilistic Outputs for Support Vector Machines and Comparisons to Regularized Likelihood Methods.
    Advances in Large Margin Classifiers, MIT Press.

    Lin, Lin, Weng (2007). A Note on Platt's Probabilistic Outputs for Support Vector Machines. Machine Learning 68(3).
    https://doi.org/10.1007/s10994-007-5018-6

    Bach (2010). Self-concordant Analysis for Logistic Regression. Electronic Journal of Statistics 4 (the lower
    bound on the length of a step). https://doi.org/10.1214/09-EJS521

    Examples
    --------
    >>> from scipy.special import expit
    >>> from skmetric.metrics import sigmoid_calibration
    >>> distance = [0.5, 1.0, 2.0, 3.0, 5.0, 8.0]
    >>> slope, offset = sigmoid_calibration([1, 1, -1, 1, -1, -1], distance)
    >>> expit([-(slope * d + offset) for d in (0.0, 2.0, 8.0)]).round(2)
    array([0.76, 0.6 , 0.14])
    """
    lengths, similar, weights = check_pairs(y_true, distance, sample_weight)
    slope, offset = fit_sigmoid(lengths.astype(np.float64), similar, weights)
    if not math.isfinite(slope):
        raise ValueError(
            f"distance must have a range that allows a finite slope, got a range of {np.ptp(lengths):g}. Multiply the "
            "distances by a constant, and the slope by the same constant."
        )
    return slope, offset


def _criteria(
    strategy: Strategy, true_positive: Vector, false_positive: Vector, beta: float, min_rate: float | None
) -> tuple[Vector, ...]:
    """Return the criteria to maximize over the cuts. The second one decides if cuts are equal in the first."""
    positive, negative = true_positive[-1], false_positive[-1]
    true_negative = negative - false_positive
    if strategy == "accuracy":
        return ((true_positive + true_negative) / (positive + negative),)
    if strategy == "f_beta":
        # Factors of FN and FP that sum to 1, so that no beta overflows.
        missed, false = ((part / math.hypot(1, beta)) ** 2 for part in (beta, 1))
        called = true_positive + missed * (positive - true_positive) + false * false_positive
        return (np.divide(true_positive, called, out=np.zeros_like(called), where=true_positive > 0),)
    rates = true_positive / positive, true_negative / negative
    goal, bound = rates if strategy == "max_tpr" else rates[::-1]
    return np.where(bound >= (min_rate or 0.0) - ROUNDING, goal, -1.0), bound


def _best_cut(criteria: tuple[Vector, ...]) -> int:
    cuts = np.arange(len(criteria[0]))
    for criterion in criteria:
        cuts = cuts[criterion[cuts] >= criterion[cuts].max() * (1 - ROUNDING)]
    # The middle one, because the lowest or the highest may be a maximum by chance.
    return int(cuts[(len(cuts) - 1) // 2])


def _threshold_above(values: NDArray[np.floating], cut: int) -> float:
    """Return a number of the values' dtype, such that exactly the lowest ``cut`` values are at or below it."""
    n, limits = len(values), np.finfo(values.dtype)
    smallest, largest = float(values[0]), float(values[-1])
    # The values are halved before they are subtracted or added, because twice the largest float overflows.
    half_gap = (largest / 2 - smallest / 2) / (n - 1) if n > 1 else abs(smallest) / 2 or 0.5
    if cut == n:
        lower, upper = largest, float(limits.max)
        middle = largest + half_gap
    elif cut == 0:
        lower, upper = float(limits.min), _before(values[0])
        middle = smallest - (min(half_gap, smallest / 2) if smallest > 0 else half_gap)
    else:
        lower, upper = float(values[cut - 1]), _before(values[cut])
        middle = lower / 2 + float(values[cut]) / 2
    # Both bounds have this dtype, so rounding to it stays within them.
    return float(values.dtype.type(min(max(middle, lower), upper)))


def _before(value: np.floating) -> float:
    if value == np.finfo(value.dtype).min:
        raise ValueError(
            f"distance must be larger than the smallest {value.dtype}, got {value:g}: no finite threshold is below it. "
            "Divide the distances by a constant, and multiply the threshold by the same constant."
        )
    return float(np.nextafter(value, value.dtype.type(-np.inf)))
