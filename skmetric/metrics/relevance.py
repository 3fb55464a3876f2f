"""Metrics of lists with binary relevance."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._checks import check_choice, check_k
from skmetric.metrics._lists import Score, check_lists, reduce_lists, score_lists
from skmetric.metrics._ties import TieRuns, best_first, take_in_rows

__all__ = ["map_score", "mrr_score"]


def mrr_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    k: int | None = None,
    empty: str | int = "skip",
    sample_weight: ArrayLike | None = None,
    reduction: str | None = "mean",
) -> Score:
    r"""Mean reciprocal rank (MRR) of the first relevant item over lists.

    Rank 1 has the highest score. If :math:`r_q` is the rank of the first relevant item of list :math:`q`, and
    :math:`w_q` the weight of the list, then

    .. math::
        \mathrm{MRR@}k = \frac{\sum_q w_q \, \mathrm{RR}_q}{\sum_q w_q}, \qquad
        \mathrm{RR}_q = \begin{cases} 1 / r_q & r_q \le k \\ 0 & \text{otherwise.} \end{cases}

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Relevance of each item. Items with a positive value are relevant.
    y_score : array-like of shape (n_samples,)
        Predicted scores, finite. Only their order within a list matters. For items with the same score, the expected
        value over all their orders is used.
    groups : array-like of shape (n_samples,), default=None
        Group id of each item: numbers, strings or other sortable objects, in any order. The items of a group form one
        list. If None, all items form one list.
    k : int, default=None
        Last rank that counts. If None, all ranks count.
    empty : {"skip", 0, 1}, default="skip"
        Value of a list without relevant items. "skip" leaves it out of the mean.
    sample_weight : array-like of shape (n_samples,), default=None
        Row weights: finite, non-negative, not all 0. The weight of a list is the mean weight of its rows.
    reduction : {"mean", None}, default="mean"
        If "mean", returns the weighted mean over the lists. If None, returns one value per list, in the order of
        ``np.unique(groups)``, and NaN for a skipped list.

    Returns
    -------
    score : float, or ndarray of shape (n_lists,)
        Between 0 and 1. It is 1 if a relevant item comes first in every list.

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite; if a group id is missing; if an option is unknown;
        if all lists are skipped; or if ``sample_weight`` is negative, is 0 for all lists that can be scored, or is
        given with ``reduction=None``.
    TypeError
        If ``k`` is not an integer, or if the group ids cannot be sorted.

    See Also
    --------
    map_score : Counts all relevant items.
    ndcg_score : For graded relevance.

    References
    ----------
    Voorhees (1999). The TREC-8 Question Answering Track Report. TREC.

    McSherry, Najork (2008). Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied
    Scores. ECIR. https://doi.org/10.1007/978-3-540-78646-7_38 (ties).

    Examples
    --------
    In list "a", the relevant item has rank 2. In "b", it is tied for the ranks 1 and 2. List "c" has no relevant item.

    >>> from skmetric.metrics import mrr_score
    >>> y_true = [1, 0, 0, 1, 0, 0]
    >>> y_score = [0.3, 0.9, 0.1, 0.5, 0.5, 0.7]
    >>> groups = ["a", "a", "a", "b", "b", "c"]
    >>> mrr_score(y_true, y_score, groups=groups, reduction=None)
    array([0.5 , 0.75,  nan])
    >>> mrr_score(y_true, y_score, groups=groups)
    0.625
    """
    return _relevance_score(_reciprocal_rank, y_true, y_score, groups, k, empty, sample_weight, reduction)


def map_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    k: int | None = None,
    empty: str | int = "skip",
    sample_weight: ArrayLike | None = None,
    reduction: str | None = "mean",
) -> Score:
    r"""Mean average precision (MAP) over lists.

    Rank 1 has the highest score. :math:`\mathrm{rel}_q(r)` is 1 if the item at rank :math:`r` of list :math:`q` is
    relevant, and 0 otherwise. :math:`P_q(r)` is the fraction of relevant items among the first :math:`r` items,
    :math:`R_q` the number of relevant items of the list, and :math:`w_q` its weight. Then

    .. math::
        \mathrm{MAP@}k = \frac{\sum_q w_q \, \mathrm{AP}_q}{\sum_q w_q}, \qquad
        \mathrm{AP}_q = \frac{1}{\min(R_q, k)} \sum_{r=1}^{k} P_q(r) \, \mathrm{rel}_q(r).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Relevance of each item. Items with a positive value are relevant.
    y_score : array-like of shape (n_samples,)
        Predicted scores, finite. Only their order within a list matters. For items with the same score, the expected
        value over all their orders is used.
    groups : array-like of shape (n_samples,), default=None
        Group id of each item: numbers, strings or other sortable objects, in any order. The items of a group form one
        list. If None, all items form one list.
    k : int, default=None
        Last rank that counts. If None, all ranks count.
    empty : {"skip", 0, 1}, default="skip"
        Value of a list without relevant items. "skip" leaves it out of the mean.
    sample_weight : array-like of shape (n_samples,), default=None
        Row weights: finite, non-negative, not all 0. The weight of a list is the mean weight of its rows.
    reduction : {"mean", None}, default="mean"
        If "mean", returns the weighted mean over the lists. If None, returns one value per list, in the order of
        ``np.unique(groups)``, and NaN for a skipped list.

    Returns
    -------
    score : float, or ndarray of shape (n_lists,)
        Between 0 and 1. It is 1 if the relevant items of every list come first.

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite; if a group id is missing; if an option is unknown;
        if all lists are skipped; or if ``sample_weight`` is negative, is 0 for all lists that can be scored, or is
        given with ``reduction=None``.
    TypeError
        If ``k`` is not an integer, or if the group ids cannot be sorted.

    See Also
    --------
    mrr_score : Counts only the first relevant item.
    map_at_r_score : For embeddings, where every row is a query.
    sklearn.metrics.average_precision_score : For one list; items with the same score are added together.

    Notes
    -----
    Some definitions divide by :math:`R_q` even if it is greater than :math:`k`. Then the best order does not reach 1.

    References
    ----------
    Buckley, Voorhees (2000). Evaluating Evaluation Measure Stability. SIGIR. https://doi.org/10.1145/345508.345543

    McSherry, Najork (2008). Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied
    Scores. ECIR. https://doi.org/10.1007/978-3-540-78646-7_38 (ties).

    Examples
    --------
    List "a" has its relevant items at ranks 1 and 3: (1 + 2/3) / 2. List "b" has one at rank 2: 1/2. List "c" has none.

    >>> from skmetric.metrics import map_score
    >>> y_true = [1, 0, 1, 0, 1, 0]
    >>> y_score = [0.9, 0.5, 0.1, 0.6, 0.5, 0.7]
    >>> groups = ["a", "a", "a", "b", "b", "c"]
    >>> map_score(y_true, y_score, groups=groups, reduction=None).round(3)
    array([0.833, 0.5  ,   nan])
    >>> round(map_score(y_true, y_score, groups=groups), 3)
    0.667
    """
    return _relevance_score(_average_precision, y_true, y_score, groups, k, empty, sample_weight, reduction)


def _relevance_score(
    metric: Callable[..., NDArray[np.float64]],
    y_true: ArrayLike,
    y_score: ArrayLike,
    groups: ArrayLike | None,
    k: int | None,
    empty: Any,
    sample_weight: ArrayLike | None,
    reduction: str | None,
) -> Score:
    check_choice("empty", empty, ("skip", 0, 1))
    k = None if k is None else check_k(k)
    lists = check_lists(y_true, y_score, groups=groups, sample_weight=sample_weight, reduction=reduction)
    lists = replace(lists, truth=(lists.truth > 0).astype(np.float64))
    values = score_lists(lists, partial(_unless_empty, metric, k, np.nan if empty == "skip" else float(empty)))
    return reduce_lists(
        values,
        lists,
        reduction=reduction,
        skipped="has no relevant item (y_true > 0)",
        advice="Pass empty=0 or empty=1 to count such lists.",
    )


def _unless_empty(
    metric: Callable[..., NDArray[np.float64]],
    k: int | None,
    empty: float,
    relevant: NDArray[np.float64],
    score: NDArray[np.float64],
) -> NDArray[np.float64]:
    order = best_first(score)
    relevant = take_in_rows(relevant, order)
    values = metric(relevant, TieRuns.of(take_in_rows(score, order)), k)
    return np.where(relevant.any(axis=1), values, empty)


def _reciprocal_rank(relevant: NDArray[np.float64], runs: TieRuns, k: int | None) -> NDArray[np.float64]:
    """Return the expected reciprocal rank of each row, shape (m,)."""
    size = relevant.shape[1]
    # A run has t tied items, f of them irrelevant. If i items were drawn, all irrelevant, the next one is irrelevant
    # with probability (f - i) / (t - i). The product is the probability that all items so far are irrelevant.
    drawn = runs.positions()
    irrelevant = runs.spread(runs.counts - runs.sum(relevant)) - drawn
    none_yet = (irrelevant.clip(0) / (runs.spread(runs.counts) - drawn)).cumprod(axis=1)
    first = -np.diff(none_yet, axis=1, prepend=1.0)
    return (first / np.arange(1, size + 1))[:, :k].sum(axis=1)


def _average_precision(relevant: NDArray[np.float64], runs: TieRuns, k: int | None) -> NDArray[np.float64]:
    """Return the expected average precision of each row, shape (m,)."""
    total, ranks = relevant.sum(axis=1), np.arange(1, relevant.shape[1] + 1)
    above = (relevant.cumsum(axis=1) - relevant).ravel()[runs.starts]
    gained = runs.precision(relevant, above, ranks)
    limit = total if k is None else np.minimum(total, k)
    return gained[:, :k].sum(axis=1) / np.maximum(limit, 1)
