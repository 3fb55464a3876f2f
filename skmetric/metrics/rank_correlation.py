"""Agreement of two orders within lists, for truths that need be no grades."""

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
    r"""Spearman's rank correlation of truth and score in each list, on average.

    With :math:`R_i` and :math:`S_i` the ranks of truth and score of item :math:`i` of a list, where tied items share
    their mean rank,

    .. math::
        \rho = \frac{\sum_i (R_i - \bar R)(S_i - \bar S)}
        {\sqrt{\sum_i (R_i - \bar R)^2} \sqrt{\sum_i (S_i - \bar S)^2}}.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        The true value of each item, finite, of any sign. Only the order within a list matters.
    y_score : array-like of shape (n,)
        The predicted scores, finite. Only their order within a list matters.
    groups : array-like of shape (n,), default=None
        The id of each item's list: numbers, strings or objects that can be sorted, in any order. None: one list.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows: finite, not negative, not all 0. A list weighs as much as its rows on average; within a
        list all rows count the same.
    reduction : {"mean", None}, default="mean"
        "mean": the weighted mean of the lists. None: the value of each list, in the order of ``np.unique(groups)``,
        and NaN for a list that is skipped.

    Returns
    -------
    score : float, or ndarray of shape (n_lists,)
        Between -1 (reversed) and 1 (the same order).

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite, if an id is missing, if all lists are skipped, or
        if ``sample_weight`` is negative, leaves nothing to score, or is given with ``reduction=None``.
    TypeError
        If the ids cannot be sorted.

    See Also
    --------
    kendall_score : Counts pairs instead of distances between ranks.
    ndcg_score : Counts the top of the list for more than its end.
    scipy.stats.spearmanr : One list, with a test.

    Notes
    -----
    A list whose truth is constant, a list of one item among them, has no order to find and is skipped. A list whose
    *scores* are constant counts 0, where the formula says 0 / 0: a model that says nothing gets no credit for it, and
    no NaN spoils a search.

    References
    ----------
    Spearman (1904). The Proof and Measurement of Association between Two Things. American Journal of Psychology 15(1).
    https://doi.org/10.2307/1412159

    Examples
    --------
    List "a" is in order but for its first two; "b" is reversed; "c" has nothing to order.

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
    r"""Kendall's tau-b of truth and score in each list, on average.

    With :math:`C` and :math:`D` the numbers of pairs of a list that truth and score order alike and inversely,
    :math:`P` the number of its pairs, and :math:`T` and :math:`U` the numbers of pairs that are tied in truth and in
    score,

    .. math::
        \tau_b = \frac{C - D}{\sqrt{(P - T)(P - U)}}.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        The true value of each item, finite, of any sign. Only the order within a list matters.
    y_score : array-like of shape (n,)
        The predicted scores, finite. Only their order within a list matters.
    groups : array-like of shape (n,), default=None
        The id of each item's list: numbers, strings or objects that can be sorted, in any order. None: one list.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows: finite, not negative, not all 0. A list weighs as much as its rows on average; within a
        list all rows count the same.
    reduction : {"mean", None}, default="mean"
        "mean": the weighted mean of the lists. None: the value of each list, in the order of ``np.unique(groups)``,
        and NaN for a list that is skipped.

    Returns
    -------
    score : float, or ndarray of shape (n_lists,)
        Between -1 (reversed) and 1 (the same order, and the same ties).

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite, if an id is missing, if all lists are skipped, or
        if ``sample_weight`` is negative, leaves nothing to score, or is given with ``reduction=None``.
    TypeError
        If the ids cannot be sorted.

    See Also
    --------
    pairwise_accuracy_score : The share of pairs, from 0 to 1, where ties in the truth do not count.
    spearman_score : Correlates ranks.
    scipy.stats.kendalltau : One list, with a test.

    Notes
    -----
    Lists without an order to find are skipped, and constant scores count 0, as in :func:`spearman_score`.

    Pairs are counted by a merge sort: :math:`O(n \log n)` comparisons and :math:`O(n)` memory in a list of n items.

    References
    ----------
    Kendall (1945). The Treatment of Ties in Ranking Problems. Biometrika 33(3).
    https://doi.org/10.1093/biomet/33.3.239

    Knight (1966). A Computer Method for Calculating Kendall's Tau with Ungrouped Data. JASA 61(314).
    https://doi.org/10.1080/01621459.1966.10480879

    Examples
    --------
    List "a" has two pairs in order and one reversed; "b" is reversed; "c" has nothing to order.

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
    r"""Share of the pairs of each list that the score orders rightly, on average over lists.

    Over the pairs of a list whose truth differs, with :math:`C` of them ordered alike by truth and score, :math:`D`
    inversely, and :math:`U` tied in score,

    .. math::
        \mathrm{accuracy} = \frac{C + U / 2}{C + D + U}.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        The true value of each item, finite, of any sign. Only the order within a list matters.
    y_score : array-like of shape (n,)
        The predicted scores, finite. Only their order within a list matters.
    groups : array-like of shape (n,), default=None
        The id of each item's list: numbers, strings or objects that can be sorted, in any order. None: one list.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows: finite, not negative, not all 0. A list weighs as much as its rows on average; within a
        list all pairs count the same.
    reduction : {"mean", None}, default="mean"
        "mean": the weighted mean of the lists, however many pairs they have. None: the value of each list, in the
        order of ``np.unique(groups)``, and NaN for a list that is skipped.

    Returns
    -------
    score : float, or ndarray of shape (n_lists,)
        Between 0 and 1; 1/2 for constant scores. For a truth of two values it is the area under the ROC curve.

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite, if an id is missing, if all lists are skipped, or
        if ``sample_weight`` is negative, leaves nothing to score, or is given with ``reduction=None``.
    TypeError
        If the ids cannot be sorted.

    See Also
    --------
    kendall_score : From -1 to 1, and asks for the truth's ties too.
    sklearn.metrics.roc_auc_score : One list of two classes.

    Notes
    -----
    A list whose truth is constant, a list of one item among them, has no such pair and is skipped.

    References
    ----------
    Herbrich, Graepel, Obermayer (2000). Large Margin Rank Boundaries for Ordinal Regression. Advances in Large Margin
    Classifiers, MIT Press (the share of wrongly ordered pairs as a loss).

    Examples
    --------
    Of the three pairs of list "a" one is reversed; "b" says nothing about its pair; "c" has none.

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
        skipped="has one item, or one true value for all its items. Pass longer lists, or other groups.",
    )


def _spearman(truth: NDArray[np.float64], score: NDArray[np.float64]) -> NDArray[np.float64]:
    truth, score = _centered_ranks(truth), _centered_ranks(score)
    spread = (truth * truth).sum(axis=1)
    scale = np.sqrt(spread * (score * score).sum(axis=1))
    return _ratio((truth * score).sum(axis=1), scale, scored=spread > 0)


def _centered_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks of each row's entries, least first, tied ones sharing the mean, less the mean of all."""
    size = values.shape[1]
    order = least_first(values)
    runs = TieRuns.of(take_in_rows(values, order))
    ranks = np.empty_like(values)
    np.put_along_axis(ranks, order, runs.mean(np.broadcast_to(np.arange(size) - (size - 1) / 2, values.shape)), axis=1)
    return ranks


class _Pairs(NamedTuple):
    """Numbers of pairs of items of each row, all of shape (m,)."""

    alike: NDArray[np.float64]
    inverse: NDArray[np.float64]
    truth_differs: NDArray[np.float64]
    score_differs: NDArray[np.float64]

    @classmethod
    def of(cls, truth: NDArray[np.float64], score: NDArray[np.float64]) -> "_Pairs":
        size = truth.shape[1]
        by_truth = least_first(truth)
        truth, score = take_in_rows(truth, by_truth), take_in_rows(score, by_truth)
        tied_truth = TieRuns.of(truth).pairs()
        by_score = least_first(score)
        truth, score = take_in_rows(truth, by_score), take_in_rows(score, by_score)
        # Items of one score are in order of truth, so no pair of them is an inversion.
        inverse = count_inversions(truth).astype(np.float64)
        tied_score, tied_both = TieRuns.of(score).pairs(), TieRuns.of(score, truth).pairs()
        truth_differs = size * (size - 1) / 2 - tied_truth
        alike = truth_differs - (tied_score - tied_both) - inverse
        return cls(alike, inverse, truth_differs, size * (size - 1) / 2 - tied_score)


def _kendall(truth: NDArray[np.float64], score: NDArray[np.float64]) -> NDArray[np.float64]:
    pairs = _Pairs.of(truth, score)
    scale = np.sqrt(pairs.truth_differs * pairs.score_differs)
    return _ratio(pairs.alike - pairs.inverse, scale, scored=pairs.truth_differs > 0)


def _pairwise_accuracy(truth: NDArray[np.float64], score: NDArray[np.float64]) -> NDArray[np.float64]:
    pairs = _Pairs.of(truth, score)
    tied = pairs.truth_differs - pairs.alike - pairs.inverse
    return _ratio(pairs.alike + tied / 2, pairs.truth_differs, scored=pairs.truth_differs > 0)


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64], *, scored: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Part / whole, within [-1, 1]; 0 where the whole is 0, and NaN where a list is not scored."""
    values = np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
    return np.where(scored, values.clip(-1, 1), np.nan)
