"""Strengths of items from pairwise comparisons."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._checks import check_weights
from skmetric._outcomes import WINNER, read_outcomes
from skmetric.preferences._checks import check_alpha, check_n_items, check_pairs
from skmetric.preferences._comparisons import Comparisons, check_has_maximum
from skmetric.preferences._newton import maximum_likelihood

__all__ = ["bradley_terry_scores"]


def bradley_terry_scores(
    pairs: ArrayLike,
    y: ArrayLike | None = None,
    *,
    ties: bool = False,
    sample_weight: ArrayLike | None = None,
    alpha: float = 0.0,
    n_items: int | None = None,
) -> NDArray[np.float64]:
    r"""Estimate the log-strengths of items in the Bradley-Terry model.

    In the model, item :math:`i` beats item :math:`j` with probability :math:`\sigma(\beta_i - \beta_j)`, where
    :math:`\sigma(x) = 1 / (1 + e^{-x})`. :math:`v_{ij}` is the summed weight of the wins of :math:`i` over :math:`j`; a
    tie is half a win for each item. The result minimizes

    .. math::
        -\sum_{i \ne j} v_{ij} \log \sigma(\beta_i - \beta_j) + \frac{\alpha}{2} \sum_i \beta_i^2.

    Parameters
    ----------
    pairs : array-like of int, shape (n_pairs, 2)
        Items that were compared, as codes from 0 (row numbers of a table of items).
    y : array-like of shape (n_pairs,), default=None
        1 if the first item won, -1 if the second item won, 0 for a tie; or booleans, True if the first item won. If
        None, the first item always won, as in :func:`best_worst_pairs`.
    ties : bool, default=False
        Whether 0 in ``y`` is known to mean a tie. Otherwise, 0 beside 1 without any -1 is an error, because 0 may as
        well mean that the second item won.
    sample_weight : array-like of shape (n_pairs,), default=None
        Weight of each comparison: finite, non-negative, not all 0. An integer weight has the same effect as that many
        copies of the comparison. A comparison with weight 0 is ignored. If None, all weights are 1.
    alpha : float, default=0.0
        Strength of the L2 penalty on the log-strengths, in units of comparisons. 0 gives maximum likelihood, which
        requires that wins lead from every item to every other.
    n_items : int, default=None
        Number of items. If None, one more than the largest code.

    Returns
    -------
    scores : ndarray of shape (n_items,)
        Log-strengths :math:`\beta` with mean 0. NaN for items that were never compared.

    Raises
    ------
    ValueError
        If ``alpha=0`` and the likelihood has no maximum: some items were never compared with the others, directly or
        through other items, or all wins between two sets of items go one way. Also if the shapes do not match or there
        is no pair; if an item is compared with itself; if ``y`` has other values, or 0 without -1 and without
        ``ties=True``; if a code, ``alpha`` or a weight is negative or not finite; or if ``n_items`` is not larger than
        every code.
    TypeError
        If the codes or ``n_items`` are not integers, or ``alpha`` is not a number.
    RuntimeError
        If Newton's method does not reach the tolerance.

    See Also
    --------
    best_worst_pairs : Pairs from best-worst judgments.

    Notes
    -----
    The loss is minimized by Newton's method. The steps are damped so that the loss never increases. Each step is
    computed by conjugate gradients on the sparse graph of comparisons. The method stops if the last step changes no
    log-strength by more than 1e-10, or by 1e-10 of the largest log-strength if that is above 1. If comparisons of very
    small weight are the only connection between items with much larger weights, the rounding error of their difference
    grows with the ratio of the weights.

    The condition for a maximum in Hunter (2004) is due to Ford: for every split of the items into two sets, some item
    of each set has beaten (or tied with) some item of the other set. With any ``alpha > 0``, the maximum exists and is
    unique. If items were never compared with each other, directly or through other items, their scores should not be
    compared either.

    Hunter treats ties with another model (Rao and Kupper), which has a parameter for them. Half a win for each item is
    the usual simplification.

    References
    ----------
    Bradley, Terry (1952). Rank Analysis of Incomplete Block Designs: I. The Method of Paired Comparisons. Biometrika
    39(3/4). https://doi.org/10.2307/2334029

    Hunter (2004). MM Algorithms for Generalized Bradley-Terry Models. Annals of Statistics 32(1).
    https://doi.org/10.1214/aos/1079120141

    Bach (2010). Self-concordant Analysis for Logistic Regression. Electronic Journal of Statistics 4 (the damping).
    https://doi.org/10.1214/09-EJS521

    Examples
    --------
    The first item wins three of four games, so the scores differ by log 3.

    >>> from skmetric.preferences import bradley_terry_scores
    >>> bradley_terry_scores([[0, 1]] * 4, [1, 1, 1, -1]).round(4)
    array([ 0.5493, -0.5493])

    An item that always wins has no finite maximum likelihood estimate; a penalty gives one.

    >>> bradley_terry_scores([[0, 1]] * 4, alpha=0.1).round(4)
    array([ 1.5917, -1.5917])
    """
    codes = check_pairs(pairs)
    n_items = check_n_items(n_items, codes)
    # The first item's share of the win: 1, 0, or 1/2 for a tie.
    wins = (read_outcomes(y, len(codes), WINNER, ties=ties)[0] + 1) / 2
    weights = check_weights(sample_weight, len(codes), per="pair")
    alpha = check_alpha(alpha)
    # Division by the largest weight keeps sums from overflowing.
    unit = weights.max()
    comparisons = Comparisons.merge(codes, wins, weights / unit)
    if alpha == 0:
        check_has_maximum(comparisons)
    scores = np.full(n_items, np.nan)
    scores[comparisons.items] = maximum_likelihood(comparisons, alpha / unit)
    return scores
