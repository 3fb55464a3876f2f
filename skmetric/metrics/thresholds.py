"""From the distance of a pair to its class, or to the probability of it."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric.metrics._pair_checks import Strategy, check_criterion, check_pairs
from skmetric.metrics._sigmoid import fit_sigmoid

__all__ = ["Strategy", "distance_threshold", "sigmoid_calibration"]

# Sums of weights have rounding errors: what differs by less is equal.
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
    r"""Distance up to which pairs are best called similar.

    A threshold :math:`t` calls a pair similar (+1) where :math:`d_i \le t`, else dissimilar (-1). With
    :math:`\mathrm{TP}`, :math:`\mathrm{FP}`, :math:`\mathrm{TN}` and :math:`\mathrm{FN}` the weights of the pairs that
    are rightly and wrongly called similar, and rightly and wrongly dissimilar, the strategies maximize

    .. math::
        \mathrm{accuracy} = \frac{\mathrm{TP} + \mathrm{TN}}{\mathrm{TP} + \mathrm{FP} + \mathrm{TN} + \mathrm{FN}},
        \qquad
        F_\beta = \frac{(1 + \beta^2) \, \mathrm{TP}}{(1 + \beta^2) \, \mathrm{TP} + \beta^2 \, \mathrm{FN} +
        \mathrm{FP}},
        \qquad
        \mathrm{TPR} = \frac{\mathrm{TP}}{\mathrm{TP} + \mathrm{FN}}, \qquad
        \mathrm{TNR} = \frac{\mathrm{TN}}{\mathrm{TN} + \mathrm{FP}},

    the true positive rate under a lower bound on the true negative rate, or the other way round.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        +1 for a pair of similar rows, -1 for one of dissimilar rows. Both must occur.
    distance : array-like of shape (n,)
        The distance of each pair: finite. Negative ones are allowed, such as a negated similarity.
    strategy : {"accuracy", "f_beta", "max_tpr", "max_tnr"}, default="accuracy"
        What to maximize. ``"max_tpr"``: the TPR where the TNR is at least ``min_rate``; ``"max_tnr"``: the TNR where
        the TPR is at least ``min_rate``.
    beta : float, default=1.0
        With ``"f_beta"`` only: how many times as important recall is as precision.
    min_rate : float, default=None
        With ``"max_tpr"`` and ``"max_tnr"`` only, and then needed: the least the other rate may be, from 0 to 1.
    sample_weight : array-like of shape (n,), default=None
        How much each pair counts: finite, not negative. An integer weight is that many repeats; a pair with the weight
        0 is left out. None: 1 each.

    Returns
    -------
    threshold : float
        Always finite. Compare by ``distance <= threshold``.

    Raises
    ------
    ValueError
        If ``y_true`` holds other values or, among the pairs of positive weight, a single class; if the arguments differ
        in length, or are empty or not finite; if a weight is negative or all are 0; if ``strategy`` is unknown,
        ``beta`` not positive and finite, or ``min_rate`` missing or not from 0 to 1; if ``beta`` or ``min_rate`` is
        given to a strategy without it.
    TypeError
        If ``beta`` or ``min_rate`` is not a number.

    See Also
    --------
    sigmoid_calibration : A probability instead of a class.

    Notes
    -----
    The threshold is the midpoint of two neighboring distances, so that rounding does not decide about either. It is a
    number of the distances' own dtype: float32 distances give one that float32 holds exactly, so that comparing in
    float32 and in float64 is the same. Between two distances with no number between them, it is the lower one.

    Where all given pairs are best called similar, the threshold lies half the mean gap between neighboring distances
    above the largest one, as if one more followed. Where none is, it lies as far below the smallest one, but no further
    than halfway to 0 where that is positive: equal rows, at the distance 0, are called similar unless the given pairs
    speak against it. Below a smallest distance of 0 the threshold is negative. Where all distances are equal, the gap
    is as large as they are, or 1 where they are 0.

    Of equally good thresholds ``"max_tpr"`` takes those with the highest TNR and ``"max_tnr"`` those with the highest
    TPR. Of those that remain, it is the middle one, the lower of two, which depends on the order of the distances only.
    As sums of weights have rounding errors, criteria are equal up to a relative 1e-12, and a rate may fall short of
    ``min_rate`` by 1e-12.

    The strategies are those of metric-learn's ``calibrate_threshold``, which returns one of the distances itself,
    takes the lowest of equally good ones, and knows no weights. One class alone is refused, even where a criterion
    would be defined: it says nothing of where the other begins.

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
    values, place = np.unique(lengths, return_inverse=True)
    # What is called similar where the lowest 0, 1, ..., all of the values are.
    true_positive, false_positive = (
        np.append(0.0, np.bincount(place, weights * pairs, minlength=len(values)).cumsum())
        for pairs in (similar, ~similar)
    )
    criteria = _criteria(strategy, true_positive, false_positive, beta, min_rate)
    return _threshold_above(values, _best_cut(criteria))


def sigmoid_calibration(
    y_true: ArrayLike, distance: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> tuple[float, float]:
    r"""Platt scaling: the probability that a pair is similar, as a sigmoid of its distance.

    .. math::
        P(y = 1 \mid d) = \frac{1}{1 + \exp(a d + b)}

    with the slope :math:`a` and the offset :math:`b` that minimize, :math:`p_i = P(y = 1 \mid d_i)`,

    .. math::
        -\sum_i w_i \left[ t_i \log p_i + (1 - t_i) \log (1 - p_i) \right], \qquad
        t_i = \begin{cases} (N_+ + 1) / (N_+ + 2) & y_i = +1 \\ 1 / (N_- + 2) & y_i = -1 \end{cases}

    where :math:`N_+` and :math:`N_-` are the summed weights of the similar and of the dissimilar pairs.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        +1 for a pair of similar rows, -1 for one of dissimilar rows. Both must occur.
    distance : array-like of shape (n,)
        The distance of each pair: finite. Better of pairs that the metric was not fitted to.
    sample_weight : array-like of shape (n,), default=None
        How much each pair counts: finite, not negative. An integer weight is that many repeats; a pair with the weight
        0 is left out. None: 1 each.

    Returns
    -------
    slope : float
        In units of 1 / distance. Positive if similar pairs are nearer on average than dissimilar ones, and 0 if all
        distances are equal.
    offset : float
        Without a unit. For ``slope > 0``, ``-offset / slope`` is the distance at which the probability is 1/2.

    Raises
    ------
    ValueError
        If ``y_true`` holds other values or, among the pairs of positive weight, a single class; if the arguments differ
        in length, or are empty or not finite; if a weight is negative or all are 0; if the distances differ by so
        little that the slope is no float.
    RuntimeError
        If Newton's method does not settle.

    See Also
    --------
    distance_threshold : A class instead of a probability.

    Notes
    -----
    The targets keep slope and offset finite where a threshold separates the classes, but the probabilities of few pairs
    then still are near 0 and 1. The loss is convex; Newton's method with a step that is shortened until the loss falls,
    as Lin, Lin and Weng do, finds its minimum. Computed in float64.

    References
    ----------
    Platt (1999). Probabilistic Outputs for Support Vector Machines and Comparisons to Regularized Likelihood Methods.
    Advances in Large Margin Classifiers, MIT Press.

    Lin, Lin, Weng (2007). A Note on Platt's Probabilistic Outputs for Support Vector Machines. Machine Learning 68(3).
    https://doi.org/10.1007/s10994-007-5018-6

    Bach (2010). Self-concordant Analysis for Logistic Regression. Electronic Journal of Statistics 4 (the least that a
    step is shortened to). https://doi.org/10.1214/09-EJS521

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
            f"distance must differ by enough for a finite slope, got a range of {np.ptp(lengths):g}. Multiply the "
            "distances by a constant, and the slope with them."
        )
    return slope, offset


def _criteria(
    strategy: Strategy, true_positive: Vector, false_positive: Vector, beta: float, min_rate: float | None
) -> tuple[Vector, ...]:
    """What to maximize over the cuts: the first, then the next among those that are equal in it."""
    positive, negative = true_positive[-1], false_positive[-1]
    true_negative = negative - false_positive
    if strategy == "accuracy":
        return ((true_positive + true_negative) / (positive + negative),)
    if strategy == "f_beta":
        # Shares of FN and FP that sum to 1, which no beta overflows.
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
    # The middle one: neither the lowest nor the highest of chance maxima.
    return int(cuts[(len(cuts) - 1) // 2])


def _threshold_above(values: NDArray[np.floating], cut: int) -> float:
    """A number of the values' dtype that has the lowest ``cut`` of them, and no other, at or below it."""
    n, limits = len(values), np.finfo(values.dtype)
    smallest, largest = float(values[0]), float(values[-1])
    # Halved before they are subtracted or added: twice the largest float is none.
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
    # Both bounds are of the dtype, so rounding to it cannot leave them.
    return float(values.dtype.type(min(max(middle, lower), upper)))


def _before(value: np.floating) -> float:
    if value == np.finfo(value.dtype).min:
        raise ValueError(
            f"distance must be larger than the smallest {value.dtype}, got {value:g}, below which no finite threshold "
            "lies. Divide the distances by a constant, and multiply the threshold."
        )
    return float(np.nextafter(value, value.dtype.type(-np.inf)))
