"""Metrics of lists whose items are relevant or not."""

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
    r"""Mean reciprocal rank of the first relevant item of each list.

    With :math:`r_q` the rank of the first relevant item of list :math:`q`, highest score first,

    .. math::
        \mathrm{MRR@}k = \frac{\sum_q w_q \, \mathrm{RR}_q}{\sum_q w_q}, \qquad
        \mathrm{RR}_q = \begin{cases} 1 / r_q & r_q \le k \\ 0 & \text{otherwise.} \end{cases}

    Parameters
    ----------
    y_true : array-like of shape (n,)
        An item is relevant if this is positive.
    y_score : array-like of shape (n,)
        The predicted scores, finite. Only their order within a list matters. Items with the same score count with the
        expected value over all their orders.
    groups : array-like of shape (n,), default=None
        The id of each item's list: numbers, strings or objects that can be sorted, in any order. None: one list.
    k : int, default=None
        The last rank that counts. None: all ranks.
    empty : {"skip", 0, 1}, default="skip"
        What a list without relevant items counts. "skip": it is left out of the mean.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows: finite, not negative, not all 0. A list weighs as much as its rows on average.
    reduction : {"mean", None}, default="mean"
        "mean": the weighted mean of the lists. None: the value of each list, in the order of ``np.unique(groups)``,
        and NaN for a list that is skipped.

    Returns
    -------
    score : float, or ndarray of shape (n_lists,)
        Between 0 and 1; 1 where a relevant item comes first in every list.

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite, if an id is missing, if a choice is unknown, if
        all lists are skipped, or if ``sample_weight`` is negative, leaves nothing to score, or is given with
        ``reduction=None``.
    TypeError
        If ``k`` is not an integer, or the ids cannot be sorted.

    See Also
    --------
    map_score : Counts all relevant items.
    ndcg_score : For relevance in grades.

    References
    ----------
    Voorhees (1999). The TREC-8 Question Answering Track Report. TREC.

    McSherry, Najork (2008). Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied
    Scores. ECIR. https://doi.org/10.1007/978-3-540-78646-7_38 (ties).

    Examples
    --------
    In list "a" the relevant item comes second; in "b" it is first or second, as the scores do not tell; "c" has none.

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
    r"""Mean average precision of each list.

    With :math:`\mathrm{rel}_q(r)` 1 if the item at rank :math:`r` of list :math:`q` is relevant and 0 if not, highest
    score first, :math:`P_q(r)` the share of relevant items among its first :math:`r`, and :math:`R_q` the number of
    all its relevant items,

    .. math::
        \mathrm{MAP@}k = \frac{\sum_q w_q \, \mathrm{AP}_q}{\sum_q w_q}, \qquad
        \mathrm{AP}_q = \frac{1}{\min(R_q, k)} \sum_{r=1}^{k} P_q(r) \, \mathrm{rel}_q(r).

    Parameters
    ----------
    y_true : array-like of shape (n,)
        An item is relevant if this is positive.
    y_score : array-like of shape (n,)
        The predicted scores, finite. Only their order within a list matters. Items with the same score count with the
        expected value over all their orders.
    groups : array-like of shape (n,), default=None
        The id of each item's list: numbers, strings or objects that can be sorted, in any order. None: one list.
    k : int, default=None
        The last rank that counts. None: all ranks.
    empty : {"skip", 0, 1}, default="skip"
        What a list without relevant items counts. "skip": it is left out of the mean.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows: finite, not negative, not all 0. A list weighs as much as its rows on average.
    reduction : {"mean", None}, default="mean"
        "mean": the weighted mean of the lists. None: the value of each list, in the order of ``np.unique(groups)``,
        and NaN for a list that is skipped.

    Returns
    -------
    score : float, or ndarray of shape (n_lists,)
        Between 0 and 1; 1 where the relevant items of every list come first.

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite, if an id is missing, if a choice is unknown, if
        all lists are skipped, or if ``sample_weight`` is negative, leaves nothing to score, or is given with
        ``reduction=None``.
    TypeError
        If ``k`` is not an integer, or the ids cannot be sorted.

    See Also
    --------
    mrr_score : Counts the first relevant item alone.
    map_at_r_score : For embeddings, where every row is a query.
    sklearn.metrics.average_precision_score : One list, where items with the same score enter all at once.

    Notes
    -----
    Some divide by :math:`R_q` even where it is greater than :math:`k`: then the best list does not get 1.

    References
    ----------
    Buckley, Voorhees (2000). Evaluating Evaluation Measure Stability. SIGIR. https://doi.org/10.1145/345508.345543

    McSherry, Najork (2008). Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied
    Scores. ECIR. https://doi.org/10.1007/978-3-540-78646-7_38 (ties).

    Examples
    --------
    List "a" finds its relevant items at ranks 1 and 3: (1 + 2/3) / 2. "b" finds its one at rank 2; "c" has none.

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
        skipped="has no relevant item: none with y_true > 0. Pass empty=0 or empty=1 to count them.",
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
    """Expected reciprocal rank of each row: shape (m,)."""
    size = relevant.shape[1]
    # In a run with f irrelevant items, i of which were drawn, of t items: the next one is irrelevant too with the
    # probability (f - i) / (t - i). Their product is the probability that all items so far are.
    drawn = _places_in_run(runs)
    irrelevant = runs.spread(runs.counts - runs.sum(relevant)) - drawn
    none_yet = (irrelevant.clip(0) / (runs.spread(runs.counts) - drawn)).cumprod(axis=1)
    first = -np.diff(none_yet, axis=1, prepend=1.0)
    return (first / np.arange(1, size + 1))[:, :k].sum(axis=1)


def _average_precision(relevant: NDArray[np.float64], runs: TieRuns, k: int | None) -> NDArray[np.float64]:
    """Expected average precision of each row: shape (m,)."""
    total, ranks = relevant.sum(axis=1), np.arange(1, relevant.shape[1] + 1)
    in_run, counts = runs.spread(runs.sum(relevant)), runs.spread(runs.counts)
    before_run = runs.spread((relevant.cumsum(axis=1) - relevant).ravel()[runs.starts])
    # A relevant item shares its run with in_run - 1 others, of which as many precede it as of all counts - 1 items.
    above = before_run + (in_run - 1) * _places_in_run(runs) / np.maximum(counts - 1, 1)
    gained = in_run / counts * (1 + above) / ranks
    limit = total if k is None else np.minimum(total, k)
    return gained[:, :k].sum(axis=1) / np.maximum(limit, 1)


def _places_in_run(runs: TieRuns) -> NDArray[np.intp]:
    """The place of each entry in its run, from 0: shape (m, size)."""
    return np.arange(runs.counts.sum()).reshape(runs.shape) - runs.spread(runs.starts)
