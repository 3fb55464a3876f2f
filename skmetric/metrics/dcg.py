"""Discounted cumulative gain of lists of any length. Each rule in which libraries differ is a parameter."""

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
    r"""Mean discounted cumulative gain (DCG) over lists.

    Rank 1 has the highest score. If :math:`g_{(r)}` is the gain of the item at rank :math:`r` of a list, then

    .. math::
        \mathrm{DCG@}k = \sum_{r=1}^{k} \frac{g_{(r)}}{\log_2(1 + r)}, \qquad
        g = 2^y - 1 \text{ (exponential) or } y \text{ (linear)}.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Grade :math:`y` of each item, non-negative. The exponential gain needs whole numbers up to 31.
    y_score : array-like of shape (n_samples,)
        Predicted scores, finite. Only their order within a list matters.
    groups : array-like of shape (n_samples,), default=None
        Group id of each item: numbers, strings or other sortable objects, in any order. The items of a group form one
        list. If None, all items form one list.
    k : int, default=None
        Last rank that counts. If None, all ranks count.
    gain : {"exponential", "linear"}, default="exponential"
        Gain of a grade, as in the formula.
    ties : {"mean", "pessimistic", "order"}, default="mean"
        How items with the same score are ranked. "mean" computes the expected value over all their orders, so that
        each of them gets their mean gain. "pessimistic" ranks the lowest gain first. "order" ranks them in row order.
    sample_weight : array-like of shape (n_samples,), default=None
        Row weights: finite, non-negative, not all 0. The weight of a list is the mean weight of its rows.
    reduction : {"mean", None}, default="mean"
        If "mean", returns the weighted mean over the lists. If None, returns one value per list, in the order of
        ``np.unique(groups)``.

    Returns
    -------
    score : float, or ndarray of shape (n_lists,)
        Non-negative; greater is better. The value of a list whose gains are all 0 is 0.

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite; if a group id is missing; if a grade is not valid
        for the gain; if the sum of the gains overflows; if an option is unknown; or if
        ``sample_weight`` is negative, all 0, or given with ``reduction=None``.
    TypeError
        If ``k`` is not an integer, or if the group ids cannot be sorted.

    See Also
    --------
    ndcg_score : DCG divided by the best possible DCG of the list.
    sklearn.metrics.dcg_score : For a matrix of lists of equal length, with linear gains.

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
    with np.errstate(over="ignore"):
        values = score_lists(lists, partial(_dcg, k=k, ties=ties))
        # The mean over lists is at most their sum.
        is_too_large = not np.isfinite(values.sum())
    if is_too_large:
        raise ValueError(
            f"y_true must have gains whose sum is a finite number, got grades up to {lists.truth.max():g}. Divide the "
            "grades by a constant, which divides the linear gains and the result by it, or use ndcg_score."
        )
    return reduce_lists(values, lists, reduction=reduction, skipped="is empty", advice="")


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
    r"""Mean normalized discounted cumulative gain (NDCG) over lists.

    NDCG is the DCG of a list in the order of its scores, divided by its DCG in the best order,
    :math:`\mathrm{IDCG@}k`. If :math:`g_{(r)}` is the gain of the item at rank :math:`r`, then

    .. math::
        \mathrm{NDCG@}k = \frac{\mathrm{DCG@}k}{\mathrm{IDCG@}k}, \qquad
        \mathrm{DCG@}k = \sum_{r=1}^{k} \frac{g_{(r)}}{\log_2(1 + r)}, \qquad
        g = 2^y - 1 \text{ (exponential) or } y \text{ (linear)}.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Grade :math:`y` of each item, non-negative. The exponential gain needs whole numbers up to 31.
    y_score : array-like of shape (n_samples,)
        Predicted scores, finite. Only their order within a list matters.
    groups : array-like of shape (n_samples,), default=None
        Group id of each item: numbers, strings or other sortable objects, in any order. The items of a group form one
        list. If None, all items form one list.
    k : int, default=None
        Last rank that counts. If None, all ranks count.
    gain : {"exponential", "linear"}, default="exponential"
        Gain of a grade, as in the formula.
    ties : {"mean", "pessimistic", "order"}, default="mean"
        How items with the same score are ranked. "mean" computes the expected value over all their orders, so that
        each of them gets their mean gain. "pessimistic" ranks the lowest gain first. "order" ranks them in row order:
        then the value of a constant prediction depends on how the rows are sorted.
    empty : {"skip", 0, 1}, default="skip"
        Value of a list whose gains are all 0, for which NDCG is 0 / 0. "skip" leaves it out of the mean.
    convention : {"lightgbm", "xgboost", "catboost", "sklearn"}, default=None
        Use ``gain``, ``ties`` and ``empty`` of another library, see Notes. Do not pass any of the three in this case.
    sample_weight : array-like of shape (n_samples,), default=None
        Row weights: finite, non-negative, not all 0. The weight of a list is the mean weight of its rows.
    reduction : {"mean", None}, default="mean"
        If "mean", returns the weighted mean over the lists. If None, returns one value per list, in the order of
        ``np.unique(groups)``, and NaN for a skipped list.

    Returns
    -------
    score : float, or ndarray of shape (n_lists,)
        Between 0 and 1. It is 1 if every list is in the best order.

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite; if a group id is missing; if a grade is not valid
        for the gain; if an option is unknown or given with a convention; if all lists are skipped; or if
        ``sample_weight`` is negative, is 0 for all lists that can be scored, or is given with ``reduction=None``.
    TypeError
        If ``k`` is not an integer, or if the group ids cannot be sorted.

    See Also
    --------
    dcg_score : DCG without normalization.
    spearman_score : For true values that are not grades.
    skmetric.metrics.ndcg_scorer : This score for ``GridSearchCV(scoring=...)``.
    sklearn.metrics.ndcg_score : For a matrix of lists of equal length, with linear gains.

    Notes
    -----
    Libraries define NDCG differently. The conventions are:

    ============  ===========  ===========  =====  ==================================================
    convention    gain         ties         empty  name in the library
    ============  ===========  ===========  =====  ==================================================
    ``lightgbm``  exponential  order        1      ``ndcg@k`` with the default ``label_gain``
    ``xgboost``   exponential  order        1      ``ndcg@k`` (``ndcg@k-``: ``empty=0``)
    ``catboost``  linear       pessimistic  1      ``NDCG:top=k`` (``type=Exp``: exponential)
    ``sklearn``   linear       mean         0      ``sklearn.metrics.ndcg_score``
    ============  ===========  ===========  =====  ==================================================

    The conventions do not cover three differences. XGBoost compares predictions in float32, so that scores which
    agree to seven digits are tied. Its ``ndcg`` without ``@k`` stops at the rank ``lambdarank_num_pair_per_sample``,
    32 by default. With weights, LightGBM and XGBoost add 1 for a list without gain, not its weight, and divide by the
    sum of all weights, so that the result may be greater than 1. Here such a list counts with its weight.

    The time is :math:`O(n \log n)`. Lists of equal length are scored together.

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
    List "a" ranks grade 1 above grade 2, "b" is in the best order, and "c" has only grade 0.

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
        skipped="has only items of grade 0",
        advice="Pass empty=0 or empty=1 to count such lists.",
    )


def _ndcg(
    gains: NDArray[np.float64], score: NDArray[np.float64], *, k: int | None, ties: str, empty: float
) -> NDArray[np.float64]:
    # The scale of a list's gains cancels. Scaling by a power of two rounds nothing and keeps sums from overflowing.
    gains = np.ldexp(gains, -np.frexp(gains.max(axis=1, keepdims=True))[1])
    ideal = _discounted_sum(np.sort(gains, axis=1)[:, ::-1], k)
    values = np.full(len(gains), empty)
    np.divide(_dcg(gains, score, k=k, ties=ties), ideal, out=values, where=ideal > 0)
    # With ties, rounding may make the value slightly larger than that of the best order.
    return np.minimum(values, 1.0)


def _dcg(gains: NDArray[np.float64], score: NDArray[np.float64], *, k: int | None, ties: str) -> NDArray[np.float64]:
    """Return the DCG of each row, shape (m,)."""
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
