"""Discounted cumulative gain of ragged lists, with every rule on which libraries differ as a parameter."""

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._checks import check_choice, check_k
from skmetric.metrics._gains import gains_of, rules_of
from skmetric.metrics._lists import Score, check_lists, reduce_lists, score_lists
from skmetric.metrics._ties import TieRuns, best_first, take_in_rows

__all__ = ["dcg_score", "ndcg_score"]


def dcg_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    k: int | None = None,
    gain: str = "exponential",
    ties: str = "mean",
    sample_weight: ArrayLike | None = None,
    reduction: str | None = "mean",
) -> Score:
    r"""Discounted cumulative gain of each list, on average.

    With :math:`g_{(r)}` the gain of the item at rank :math:`r` of a list, highest score first,

    .. math::
        \mathrm{DCG@}k = \sum_{r=1}^{k} \frac{g_{(r)}}{\log_2(1 + r)}, \qquad
        g = 2^y - 1 \text{ (exponential) or } y \text{ (linear)}.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        The grade :math:`y` of each item, not negative. For the exponential gain, whole numbers up to 31.
    y_score : array-like of shape (n,)
        The predicted scores, finite. Only their order within a list matters.
    groups : array-like of shape (n,), default=None
        The id of each item's list: numbers, strings or objects that can be sorted, in any order. None: one list.
    k : int, default=None
        The last rank that counts. None: all ranks.
    gain : {"exponential", "linear"}, default="exponential"
        What a grade is worth.
    ties : {"mean", "pessimistic", "order"}, default="mean"
        How items with the same score are ranked. "mean": the expected value over all their orders, so that each of
        them gets their mean gain. "pessimistic": the lowest gain first. "order": in row order.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows: finite, not negative, not all 0. A list weighs as much as its rows on average.
    reduction : {"mean", None}, default="mean"
        "mean": the weighted mean of the lists. None: the value of each list, in the order of ``np.unique(groups)``.

    Returns
    -------
    score : float, or ndarray of shape (n_lists,)
        Not negative; greater is better. A list whose gains are all 0 counts 0.

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite, if an id is missing, if a grade does not fit the
        gain, if a choice is unknown, or if ``sample_weight`` is negative, all 0, or given with ``reduction=None``.
    TypeError
        If ``k`` is not an integer, or the ids cannot be sorted.

    See Also
    --------
    ndcg_score : In units of the list's best possible DCG.
    sklearn.metrics.dcg_score : For a matrix of lists of one length, with linear gains.

    References
    ----------
    Järvelin, Kekäläinen (2002). Cumulated Gain-based Evaluation of IR Techniques. ACM TOIS 20(4).
    https://doi.org/10.1145/582415.582418

    Burges et al. (2005). Learning to Rank using Gradient Descent. ICML. https://doi.org/10.1145/1102351.1102363
    (the exponential gain).

    McSherry, Najork (2008). Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied
    Scores. ECIR. https://doi.org/10.1007/978-3-540-78646-7_38

    Examples
    --------
    The first list ranks grade 2 first and grade 1 second: 3 + 1 / log2(3). The second has one item, of grade 1: 1.

    >>> from skmetric.metrics import dcg_score
    >>> groups = ["a", "a", "b"]
    >>> dcg_score([1, 2, 1], [0.3, 0.9, 0.5], groups=groups, reduction=None).round(3)
    array([3.631, 1.   ])
    >>> dcg_score([1, 2, 1], [0.3, 0.9, 0.5], groups=groups, k=1)
    2.0
    """
    check_choice("gain", gain, ("exponential", "linear"))
    check_choice("ties", ties, ("mean", "pessimistic", "order"))
    k = None if k is None else check_k(k)
    lists = check_lists(y_true, y_score, groups=groups, sample_weight=sample_weight, reduction=reduction)
    lists = replace(lists, truth=gains_of(lists.truth, gain))
    values = score_lists(lists, partial(_dcg, k=k, ties=ties))
    return reduce_lists(values, lists, reduction=reduction, skipped="is empty.")


def ndcg_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    k: int | None = None,
    gain: str | None = None,
    ties: str | None = None,
    empty: str | int | None = None,
    convention: str | None = None,
    sample_weight: ArrayLike | None = None,
    reduction: str | None = "mean",
) -> Score:
    r"""Normalized discounted cumulative gain of each list, on average.

    The DCG of a list in the order of its scores, in units of its DCG in the best order, :math:`\mathrm{IDCG@}k`:

    .. math::
        \mathrm{NDCG@}k = \frac{\mathrm{DCG@}k}{\mathrm{IDCG@}k}, \qquad
        \mathrm{DCG@}k = \sum_{r=1}^{k} \frac{g_{(r)}}{\log_2(1 + r)}, \qquad
        g = 2^y - 1 \text{ (exponential) or } y \text{ (linear)}.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        The grade :math:`y` of each item, not negative. For the exponential gain, whole numbers up to 31.
    y_score : array-like of shape (n,)
        The predicted scores, finite. Only their order within a list matters.
    groups : array-like of shape (n,), default=None
        The id of each item's list: numbers, strings or objects that can be sorted, in any order. None: one list.
    k : int, default=None
        The last rank that counts. None: all ranks.
    gain : {"exponential", "linear"}, default="exponential"
        What a grade is worth.
    ties : {"mean", "pessimistic", "order"}, default="mean"
        How items with the same score are ranked. "mean": the expected value over all their orders, so that each of
        them gets their mean gain. "pessimistic": the lowest gain first. "order": in row order, which lets a constant
        prediction score as well as the rows happen to be sorted.
    empty : {"skip", 0, 1}, default="skip"
        What a list without any gain counts, where NDCG is 0 / 0. "skip": it is left out of the mean.
    convention : {"lightgbm", "xgboost", "catboost", "sklearn"}, default=None
        Take ``gain``, ``ties`` and ``empty`` as another library does, none of which may be given then; see Notes.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows: finite, not negative, not all 0. A list weighs as much as its rows on average.
    reduction : {"mean", None}, default="mean"
        "mean": the weighted mean of the lists. None: the value of each list, in the order of ``np.unique(groups)``,
        and NaN for a list that is skipped.

    Returns
    -------
    score : float, or ndarray of shape (n_lists,)
        Between 0 and 1; 1 where every list is in the best order.

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite, if an id is missing, if a grade does not fit the
        gain, if a choice is unknown or given with a convention, if all lists are skipped, or if ``sample_weight`` is
        negative, leaves nothing to score, or is given with ``reduction=None``.
    TypeError
        If ``k`` is not an integer, or the ids cannot be sorted.

    See Also
    --------
    dcg_score : Without the best order's DCG as unit.
    spearman_score : For truths that are no grades.
    skmetric.metrics.ndcg_scorer : This score for ``GridSearchCV(scoring=...)``.
    sklearn.metrics.ndcg_score : For a matrix of lists of one length, with linear gains.

    Notes
    -----
    NDCG is not one number. What the conventions stand for:

    ============  ===========  ===========  =====  ==================================================
    convention    gain         ties         empty  the library's name for it
    ============  ===========  ===========  =====  ==================================================
    ``lightgbm``  exponential  order        1      ``ndcg@k`` with the default ``label_gain``
    ``xgboost``   exponential  order        1      ``ndcg@k`` (``ndcg@k-``: ``empty=0``)
    ``catboost``  linear       pessimistic  1      ``NDCG:top=k`` (``type=Exp``: exponential)
    ``sklearn``   linear       mean         0      ``sklearn.metrics.ndcg_score``
    ============  ===========  ===========  =====  ==================================================

    What a convention does not cover: XGBoost compares predictions in float32, so that scores which agree to seven
    digits are tied, and its ``ndcg`` without ``@k`` stops at the rank ``lambdarank_num_pair_per_sample``, 32 by
    default. With weights, LightGBM and XGBoost add 1 for a list without gain, not its weight, and divide by the sum
    of all weights, which may give more than 1; here it counts with its weight.

    Time is :math:`O(n \log n)`; lists of one length are scored side by side.

    References
    ----------
    Järvelin, Kekäläinen (2002). Cumulated Gain-based Evaluation of IR Techniques. ACM TOIS 20(4).
    https://doi.org/10.1145/582415.582418

    Burges et al. (2005). Learning to Rank using Gradient Descent. ICML. https://doi.org/10.1145/1102351.1102363
    (the exponential gain).

    McSherry, Najork (2008). Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied
    Scores. ECIR. https://doi.org/10.1007/978-3-540-78646-7_38 (ties).

    Examples
    --------
    List "a" ranks grade 1 above grade 2, "b" is in the best order, and "c" has nothing to find.

    >>> from skmetric.metrics import ndcg_score
    >>> y_true = [2, 1, 1, 0, 0]
    >>> y_score = [0.3, 0.9, 0.5, 0.1, 0.7]
    >>> groups = ["a", "a", "b", "b", "c"]
    >>> ndcg_score(y_true, y_score, groups=groups, reduction=None).round(3)
    array([0.797, 1.   ,   nan])
    >>> round(ndcg_score(y_true, y_score, groups=groups), 3)
    0.898
    >>> round(ndcg_score(y_true, y_score, groups=groups, convention="lightgbm"), 3)
    0.932
    """
    rules = rules_of(gain, ties, empty, convention)
    k = None if k is None else check_k(k)
    lists = check_lists(y_true, y_score, groups=groups, sample_weight=sample_weight, reduction=reduction)
    lists = replace(lists, truth=gains_of(lists.truth, rules.gain))
    otherwise = np.nan if rules.empty == "skip" else float(rules.empty)
    values = score_lists(lists, partial(_ndcg, k=k, ties=rules.ties, empty=otherwise))
    return reduce_lists(
        values,
        lists,
        reduction=reduction,
        skipped="has only items of grade 0. Pass empty=0 or empty=1 to count them.",
    )


def _ndcg(
    gains: NDArray[np.float64], score: NDArray[np.float64], *, k: int | None, ties: str, empty: float
) -> NDArray[np.float64]:
    # The unit of a list's gains cancels. By a power of two nothing is rounded, and no sum overflows.
    gains = np.ldexp(gains, -np.frexp(gains.max(axis=1, keepdims=True))[1])
    ideal = _discounted_sum(np.sort(gains, axis=1)[:, ::-1], k)
    values = np.full(len(gains), empty)
    np.divide(_dcg(gains, score, k=k, ties=ties), ideal, out=values, where=ideal > 0)
    # Only rounding takes a mean of ties beyond the best order.
    return np.minimum(values, 1.0)


def _dcg(gains: NDArray[np.float64], score: NDArray[np.float64], *, k: int | None, ties: str) -> NDArray[np.float64]:
    """DCG of each row: shape (m,)."""
    if ties == "pessimistic":
        order = np.argsort(gains, axis=1)
        gains, score = take_in_rows(gains, order), take_in_rows(score, order)
    order = best_first(score)
    ranked = take_in_rows(gains, order)
    if ties == "mean":
        ranked = TieRuns.of(take_in_rows(score, order)).mean(ranked)
    return _discounted_sum(ranked, k)


def _discounted_sum(ranked: NDArray[np.float64], k: int | None) -> NDArray[np.float64]:
    top = ranked[:, :k]
    return (top / np.log2(np.arange(2, top.shape[1] + 2))).sum(axis=1)
