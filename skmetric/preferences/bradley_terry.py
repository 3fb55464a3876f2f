"""Strengths of items from comparisons of two."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._checks import check_weights
from skmetric.preferences._checks import check_alpha, check_n_items, check_outcomes, check_pairs
from skmetric.preferences._comparisons import Comparisons, check_has_maximum
from skmetric.preferences._newton import maximum_likelihood

__all__ = ["bradley_terry_scores"]


def bradley_terry_scores(
    pairs: ArrayLike,
    y: ArrayLike | None = None,
    *,
    sample_weight: ArrayLike | None = None,
    alpha: float = 0.0,
    n_items: int | None = None,
) -> NDArray[np.float64]:
    r"""Log-strengths of the Bradley-Terry model.

    The model says that :math:`i` beats :math:`j` with probability :math:`\sigma(\beta_i - \beta_j)`, where
    :math:`\sigma(x) = 1 / (1 + e^{-x})`. With :math:`v_{ij}` the summed weight of the wins of :math:`i` over :math:`j`,
    a tie being half a win for each, the result minimizes

    .. math::
        -\sum_{i \ne j} v_{ij} \log \sigma(\beta_i - \beta_j) + \frac{\alpha}{2} \sum_i \beta_i^2.

    Parameters
    ----------
    pairs : array-like of int, shape (m, 2)
        The items that were compared, as codes from 0 (row numbers of a table of items).
    y : array-like of shape (m,), default=None
        +1 where the first item won, -1 where the second did, 0 for a tie. None: the first always won, as in
        :func:`best_worst_pairs`.
    sample_weight : array-like of shape (m,), default=None
        How much each comparison counts: finite, not negative, not all 0. An integer weight is that many repeats; a
        comparison with the weight 0 is left out. None: 1 each.
    alpha : float, default=0.0
        Strength of the L2 penalty on the log-strengths, in units of comparisons. 0 is maximum likelihood, which needs
        wins that lead from every item to every other.
    n_items : int, default=None
        How many items there are. None: one more than the largest code.

    Returns
    -------
    scores : ndarray of shape (n_items,)
        Log-strengths :math:`\beta`, whose mean is 0; NaN where an item was never compared.

    Raises
    ------
    ValueError
        If ``alpha=0`` and the likelihood has no maximum: some items were never compared with the others, directly or
        by way of others, or all wins between two sets of items go one way. Further if the shapes do not fit or there is
        no pair, if an item is compared with itself, if ``y`` holds other values, if a code, ``alpha`` or a weight is
        negative or not finite, or if ``n_items`` is not larger than every code.
    TypeError
        If the codes or ``n_items`` are not integers, or ``alpha`` is not a number.
    RuntimeError
        If the tolerance is not reached.

    See Also
    --------
    best_worst_pairs : Pairs from best-worst judgments.

    Notes
    -----
    Newton's method with steps that are damped such that the loss never rises, each step by conjugate gradients on the
    sparse graph of comparisons. It stops once the number of wins that the model expects of each item (with the
    penalty's slope) is that observed, to 1e-10 of the item's comparisons.

    Hunter's condition for a maximum is Ford's: in every split of the items into two sets, some item of each set has
    beaten (or tied with) some item of the other. Any ``alpha > 0`` makes the maximum exist and unique. Items that were
    never compared with each other, directly or by way of others, then have scores that should not be compared either.

    Hunter's own treatment of ties is another model (Rao and Kupper), with a parameter for them; half a win each is the
    usual simplification.

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
    The first item wins three games of four: log 3 between them.

    >>> from skmetric.preferences import bradley_terry_scores
    >>> bradley_terry_scores([[0, 1]] * 4, [1, 1, 1, -1]).round(4)
    array([ 0.5493, -0.5493])

    An item that always wins has no finite maximum likelihood estimate; a penalty gives one.

    >>> bradley_terry_scores([[0, 1]] * 4, alpha=0.1).round(4)
    array([ 1.5917, -1.5917])
    """
    codes = check_pairs(pairs)
    n_items = check_n_items(n_items, codes)
    wins = check_outcomes(y, len(codes))
    weights = check_weights(sample_weight, len(codes), per="pair")
    alpha = check_alpha(alpha)
    # With the largest weight at 1, no sum of them overflows.
    unit = weights.max()
    comparisons = Comparisons.merge(codes, wins, weights / unit)
    if alpha == 0:
        check_has_maximum(comparisons)
    scores = np.full(n_items, np.nan)
    scores[comparisons.items] = maximum_likelihood(comparisons, alpha / unit)
    return scores
