"""Agreement of two orders within lists. The true values need not be grades."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric.metrics._lists import MatrixMetric, Score, check_lists, reduce_lists, score_lists
from skmetric.metrics._ties import TieRuns, count_inversions, least_first, take_in_rows

__all__ = ["kendall_score", "pairwise_accuracy_score", "spearman_score"]


def spearman_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    reduction: str | None = "mean",
) -> Score:
    r"""Mean Spearman rank correlation of true values and scores over lists.

    If :math:`R_i` and :math:`S_i` are the ranks of item :math:`i` of a list by true value and by score, where tied
    items share their mean rank, then

    .. math::
        \rho = \frac{\sum_i (R_i - \bar R)(S_i - \bar S)}
        {\sqrt{\sum_i (R_i - \bar R)^2} \sqrt{\sum_i (S_i - \bar S)^2}}.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True value of each item, finite, of any sign. Only the order within a list matters.
    y_score : array-like of shape (n_samples,)
        Predicted scores, finite. Only their order within a list matters.
    groups : array-like of shape (n_samples,), default=None
        Group id of each item: numbers, strings or other sortable objects, in any order. The items of a group form one
        list. If None, all items form one list.
    sample_weight : array-like of shape (n_samples,), default=None
        Row weights: finite, non-negative, not all 0. The weight of a list is the mean weight of its rows. Within a
        list, all rows count equally.
    reduction : {"mean", None}, default="mean"
        If "mean", returns the weighted mean over the lists. If None, returns one value per list, in the order of
        ``np.unique(groups)``, and NaN for a skipped list.

    Returns
    -------
    score : float, or ndarray of shape (n_lists,)
        Between -1 (reversed) and 1 (the same order).

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite; if a group id is missing; if all lists are skipped;
        or if ``sample_weight`` is negative, is 0 for all lists that can be scored, or is given with ``reduction=None``.
    TypeError
        If the group ids cannot be sorted.

    See Also
    --------
    kendall_score : Counts pairs instead of distances between ranks.
    ndcg_score : Weights the top of the list more than its end.
    scipy.stats.spearmanr : For one list, with a significance test.

    Notes
    -----
    A list whose true values are all equal has no order and is skipped. So is a list of one item. If the *scores* of a
    list are all equal, the formula gives 0 / 0, and the value is 0: a constant prediction gets no credit, and a search
    gets no NaN.

    References
    ----------
    Spearman (1904). The Proof and Measurement of Association between Two Things. American Journal of Psychology 15(1).
    https://doi.org/10.2307/1412159

    Examples
    --------
    In list "a", the first two items are in the wrong order. List "b" is reversed. List "c" has only one item.

    >>> from skmetric.metrics import spearman_score
    >>> y_true = [1.5, 2.5, 9.0, 0.0, 3.0, 7.0]
    >>> y_score = [0.2, 0.1, 0.3, 0.5, 0.4, 0.6]
    >>> groups = ["a", "a", "a", "b", "b", "c"]
    >>> spearman_score(y_true, y_score, groups=groups, reduction=None)
    array([ 0.5, -1. ,  nan])
    >>> spearman_score(y_true, y_score, groups=groups)
    -0.25
    """
    return _order_score(_spearman, y_true, y_score, groups, sample_weight, reduction)


def kendall_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    reduction: str | None = "mean",
) -> Score:
    r"""Mean Kendall tau-b of true values and scores over lists.

    A pair of items is concordant if true values and scores order it in the same way, and discordant if they order it in
    opposite ways. If a list has :math:`P` pairs, :math:`C` of them concordant, :math:`D` discordant, :math:`T` tied in
    the true values and :math:`U` tied in the scores, then

    .. math::
        \tau_b = \frac{C - D}{\sqrt{(P - T)(P - U)}}.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True value of each item, finite, of any sign. Only the order within a list matters.
    y_score : array-like of shape (n_samples,)
        Predicted scores, finite. Only their order within a list matters.
    groups : array-like of shape (n_samples,), default=None
        Group id of each item: numbers, strings or other sortable objects, in any order. The items of a group form one
        list. If None, all items form one list.
    sample_weight : array-like of shape (n_samples,), default=None
        Row weights: finite, non-negative, not all 0. The weight of a list is the mean weight of its rows. Within a
        list, all rows count equally.
    reduction : {"mean", None}, default="mean"
        If "mean", returns the weighted mean over the lists. If None, returns one value per list, in the order of
        ``np.unique(groups)``, and NaN for a skipped list.

    Returns
    -------
    score : float, or ndarray of shape (n_lists,)
        Between -1 (reversed) and 1 (the same order, and the same ties).

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite; if a group id is missing; if all lists are skipped;
        or if ``sample_weight`` is negative, is 0 for all lists that can be scored, or is given with ``reduction=None``.
    TypeError
        If the group ids cannot be sorted.

    See Also
    --------
    pairwise_accuracy_score : Fraction of pairs, from 0 to 1; ties in the true values do not count.
    spearman_score : Correlates ranks.
    scipy.stats.kendalltau : For one list, with a significance test.

    Notes
    -----
    Lists with constant true values are skipped, and the value for constant scores is 0, as in :func:`spearman_score`.

    Pairs are counted by a merge sort, with :math:`O(n \log n)` comparisons and :math:`O(n)` memory for a list of n
    items.

    References
    ----------
    Kendall (1945). The Treatment of Ties in Ranking Problems. Biometrika 33(3).
    https://doi.org/10.1093/biomet/33.3.239

    Knight (1966). A Computer Method for Calculating Kendall's Tau with Ungrouped Data. JASA 61(314).
    https://doi.org/10.1080/01621459.1966.10480879

    Examples
    --------
    In list "a", two pairs are in the right order and one is reversed. List "b" is reversed. List "c" has only one item.

    >>> from skmetric.metrics import kendall_score
    >>> y_true = [1.5, 2.5, 9.0, 0.0, 3.0, 7.0]
    >>> y_score = [0.2, 0.1, 0.3, 0.5, 0.4, 0.6]
    >>> groups = ["a", "a", "a", "b", "b", "c"]
    >>> kendall_score(y_true, y_score, groups=groups, reduction=None).round(3)
    array([ 0.333, -1.   ,    nan])
    >>> round(kendall_score(y_true, y_score, groups=groups), 3)
    -0.333
    """
    return _order_score(_kendall, y_true, y_score, groups, sample_weight, reduction)


def pairwise_accuracy_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    reduction: str | None = "mean",
) -> Score:
    r"""Mean fraction of correctly ordered pairs over lists.

    Only pairs with different true values count. If :math:`C` of them are concordant (ordered in the same way by true
    values and scores), :math:`D` discordant, and :math:`U` tied in the scores, then

    .. math::
        \mathrm{accuracy} = \frac{C + U / 2}{C + D + U}.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True value of each item, finite, of any sign. Only the order within a list matters.
    y_score : array-like of shape (n_samples,)
        Predicted scores, finite. Only their order within a list matters.
    groups : array-like of shape (n_samples,), default=None
        Group id of each item: numbers, strings or other sortable objects, in any order. The items of a group form one
        list. If None, all items form one list.
    sample_weight : array-like of shape (n_samples,), default=None
        Row weights: finite, non-negative, not all 0. The weight of a list is the mean weight of its rows. Within a
        list, all pairs count equally.
    reduction : {"mean", None}, default="mean"
        If "mean", returns the weighted mean over the lists, regardless of their numbers of pairs. If None, returns one
        value per list, in the order of ``np.unique(groups)``, and NaN for a skipped list.

    Returns
    -------
    score : float, or ndarray of shape (n_lists,)
        Between 0 and 1; 1/2 for constant scores. If there are two true values, it is the area under the ROC curve.

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite; if a group id is missing; if all lists are skipped;
        or if ``sample_weight`` is negative, is 0 for all lists that can be scored, or is given with ``reduction=None``.
    TypeError
        If the group ids cannot be sorted.

    See Also
    --------
    kendall_score : From -1 to 1; it is 1 only if the scores also have the ties of the true values.
    sklearn.metrics.roc_auc_score : For one list of two classes.

    Notes
    -----
    A list whose true values are all equal has no such pair and is skipped. So is a list of one item.

    References
    ----------
    Herbrich, Graepel, Obermayer (2000). Large Margin Rank Boundaries for Ordinal Regression. Advances in Large Margin
    Classifiers, MIT Press (the fraction of wrongly ordered pairs as a loss).

    Examples
    --------
    In list "a", one of three pairs is reversed. In "b", the scores of the only pair are tied. List "c" has no pair.

    >>> from skmetric.metrics import pairwise_accuracy_score
    >>> y_true = [1.5, 2.5, 9.0, 0.0, 3.0, 7.0]
    >>> y_score = [0.2, 0.1, 0.3, 0.5, 0.5, 0.6]
    >>> groups = ["a", "a", "a", "b", "b", "c"]
    >>> pairwise_accuracy_score(y_true, y_score, groups=groups, reduction=None).round(3)
    array([0.667, 0.5  ,   nan])
    >>> round(pairwise_accuracy_score(y_true, y_score, groups=groups), 3)
    0.583
    """
    return _order_score(_pairwise_accuracy, y_true, y_score, groups, sample_weight, reduction)


def _order_score(
    metric: MatrixMetric,
    y_true: ArrayLike,
    y_score: ArrayLike,
    groups: ArrayLike | None,
    sample_weight: ArrayLike | None,
    reduction: str | None,
) -> Score:
    lists = check_lists(y_true, y_score, groups=groups, sample_weight=sample_weight, reduction=reduction)
    return reduce_lists(
        score_lists(lists, metric),
        lists,
        reduction=reduction,
        skipped="has one item, or one true value for all its items",
        advice="Pass longer lists, or other groups.",
    )


def _spearman(truth: NDArray[np.float64], score: NDArray[np.float64]) -> NDArray[np.float64]:
    truth, score = _centered_ranks(truth), _centered_ranks(score)
    spread = (truth * truth).sum(axis=1)
    scale = np.sqrt(spread * (score * score).sum(axis=1))
    return _ratio((truth * score).sum(axis=1), scale, scored=spread > 0)


def _centered_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ranks of the entries of each row, smallest first, minus their mean. Ties share their mean rank."""
    size = values.shape[1]
    order = least_first(values)
    runs = TieRuns.of(take_in_rows(values, order))
    ranks = np.empty_like(values)
    np.put_along_axis(ranks, order, runs.mean(np.broadcast_to(np.arange(size) - (size - 1) / 2, values.shape)), axis=1)
    return ranks


class _Pairs(NamedTuple):
    """Numbers of pairs of items in each row. All arrays have shape (m,)."""

    concordant: NDArray[np.float64]
    discordant: NDArray[np.float64]
    truth_differs: NDArray[np.float64]
    score_differs: NDArray[np.float64]

    @classmethod
    def of(cls, truth: NDArray[np.float64], score: NDArray[np.float64]) -> "_Pairs":
        """Count the pairs of each row of two arrays of shape (m, n) by sorting, without an array of all pairs."""
        size = truth.shape[1]
        by_truth = least_first(truth)
        truth, score = take_in_rows(truth, by_truth), take_in_rows(score, by_truth)
        tied_truth = TieRuns.of(truth).pairs()
        by_score = least_first(score)
        truth, score = take_in_rows(truth, by_score), take_in_rows(score, by_score)
        # Items with the same score are in the order of the true values, so no pair of them is an inversion.
        discordant = count_inversions(truth).astype(np.float64)
        tied_score, tied_both = TieRuns.of(score).pairs(), TieRuns.of(score, truth).pairs()
        truth_differs = size * (size - 1) / 2 - tied_truth
        concordant = truth_differs - (tied_score - tied_both) - discordant
        return cls(concordant, discordant, truth_differs, size * (size - 1) / 2 - tied_score)


def _kendall(truth: NDArray[np.float64], score: NDArray[np.float64]) -> NDArray[np.float64]:
    pairs = _Pairs.of(truth, score)
    scale = np.sqrt(pairs.truth_differs * pairs.score_differs)
    return _ratio(pairs.concordant - pairs.discordant, scale, scored=pairs.truth_differs > 0)


def _pairwise_accuracy(truth: NDArray[np.float64], score: NDArray[np.float64]) -> NDArray[np.float64]:
    pairs = _Pairs.of(truth, score)
    tied = pairs.truth_differs - pairs.concordant - pairs.discordant
    return _ratio(pairs.concordant + tied / 2, pairs.truth_differs, scored=pairs.truth_differs > 0)


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64], *, scored: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return part / whole, clipped to [-1, 1]. It is 0 if the whole is 0, and NaN if a list is not scored."""
    values = np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
    return np.where(scored, values.clip(-1, 1), np.nan)
