"""Best-worst scaling: pairs and scores from judgments of the best and the worst of a few items."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric.preferences._checks import check_judgments, check_n_items

__all__ = ["ImpliedPairs", "best_worst_pairs", "best_worst_scores", "count_scores"]


class ImpliedPairs(NamedTuple):
    """Pairs that best-worst judgments imply. Each pair occurs once.

    Attributes
    ----------
    pairs : ndarray of int, shape (n_pairs, 2)
        Item codes, winner first. The pairs are in ascending order.
    weights : ndarray of float, shape (n_pairs,)
        Number of judgments that imply the pair.
    n_dropped : int
        Number of judgments that were left out, because their best item is also their worst.
    """

    pairs: NDArray[np.intp]
    weights: NDArray[np.float64]
    n_dropped: int


def best_worst_pairs(tuples: ArrayLike, best: ArrayLike, worst: ArrayLike) -> ImpliedPairs:
    r"""Return the pairs of items that best-worst judgments imply, winner first.

    A judgment shows the items :math:`T`. If :math:`b` is chosen as the best and :math:`w` as the worst, it implies

    .. math::
        \{(b, i) : i \in T, i \ne b\} \cup \{(i, w) : i \in T, i \ne w\},

    These are 2 t - 3 pairs for t different items: five of the six possible pairs for t = 4.

    Parameters
    ----------
    tuples : array-like of int, shape (n_judgments, tuple_size)
        Items that each judgment showed, as codes from 0 (row numbers of a table of items). ``tuple_size`` is at least
        2. A tuple that was judged several times has several rows.
    best : array-like of int, shape (n_judgments,)
        Item that was chosen as the best of each tuple.
    worst : array-like of int, shape (n_judgments,)
        Item that was chosen as the worst of each tuple.

    Returns
    -------
    implied : ImpliedPairs
        A named tuple of ``pairs`` (n_pairs, 2), ``weights`` (n_pairs,) and ``n_dropped``.

    Raises
    ------
    ValueError
        If the shapes do not match or there is no row; if a code is negative; if a best or worst item is not in its
        tuple; or if an item is both best and worst but occurs only once in its tuple.
    TypeError
        If the codes are not integers.

    See Also
    --------
    best_worst_scores : One score per item, by counting.
    bradley_terry_scores : One score per item, from such pairs.

    Notes
    -----
    An item that occurs several times in a tuple is one item of :math:`T`: it is not paired with itself, and a judgment
    counts each pair once. If it is both the best and the worst, the judgment contradicts itself. Such rows are dropped
    and counted in ``n_dropped``.

    If two judgments disagree, the result has both (i, j) and (j, i), each with a weight.

    References
    ----------
    Louviere, Flynn, Marley (2015). Best-Worst Scaling: Theory, Methods and Applications. Cambridge University Press.
    https://doi.org/10.1017/CBO9781107337855

    Kiritchenko, Mohammad (2016). Capturing Reliable Fine-Grained Sentiment Associations by Crowdsourcing and Best-Worst
    Scaling. NAACL. https://aclanthology.org/N16-1095

    Examples
    --------
    >>> from skmetric.preferences import best_worst_pairs
    >>> pairs, weights, n_dropped = best_worst_pairs([[0, 1, 2, 3], [3, 2, 0, 1]], best=[2, 2], worst=[0, 1])
    >>> for (winner, loser), weight in zip(pairs.tolist(), weights.tolist()):
    ...     print(winner, "beats", loser, "in", weight)
    0 beats 1 in 1.0
    1 beats 0 in 1.0
    2 beats 0 in 2.0
    2 beats 1 in 2.0
    2 beats 3 in 2.0
    3 beats 0 in 1.0
    3 beats 1 in 1.0

    To train a ranker on these preferences, where ``X`` has one row per item:
    ``PairwiseRanker(preprocessor=X).fit(pairs, np.ones(len(pairs)), sample_weight=weights)``.
    """
    shown, best_items, worst_items = check_judgments(tuples, best, worst)
    kept = best_items != worst_items
    shown, top, bottom = shown[kept], best_items[kept, np.newaxis], worst_items[kept, np.newaxis]
    beaten = _is_first(shown) & (shown != top)
    # The pair (best, worst) is already among the pairs of the best item.
    between = beaten & (shown != bottom)
    winners = np.concatenate([np.broadcast_to(top, shown.shape)[beaten], shown[between]])
    losers = np.concatenate([shown[beaten], np.broadcast_to(bottom, shown.shape)[between]])
    pairs, counts = _merged(winners, losers)
    return ImpliedPairs(pairs, counts.astype(np.float64), int(len(kept) - kept.sum()))


def best_worst_scores(
    tuples: ArrayLike, best: ArrayLike, worst: ArrayLike, n_items: int | None = None
) -> NDArray[np.float64]:
    r"""Score items by counting how often they were the best and the worst.

    .. math::
        s_i = \frac{\#\{\text{best} = i\} - \#\{\text{worst} = i\}}{\#\{i \text{ shown}\}}

    Parameters
    ----------
    tuples : array-like of int, shape (n_judgments, tuple_size)
        Items that each judgment showed, as codes from 0. ``tuple_size`` is at least 2.
    best : array-like of int, shape (n_judgments,)
        Item that was chosen as the best of each tuple.
    worst : array-like of int, shape (n_judgments,)
        Item that was chosen as the worst of each tuple.
    n_items : int, default=None
        Number of items. If None, one more than the largest code.

    Returns
    -------
    scores : ndarray of shape (n_items,)
        From -1 (always the worst when shown) to 1 (always the best when shown). NaN for items that were never shown.

    Raises
    ------
    ValueError
        If ``n_items`` is not larger than every code, or for the reasons listed in :func:`best_worst_pairs`.
    TypeError
        If the codes or ``n_items`` are not integers.

    See Also
    --------
    split_half_reliability : Reliability of such scores.
    bradley_terry_scores : Also uses which items were shown together.

    Notes
    -----
    An item that occurs several times in a tuple counts as shown that many times. A judgment with the same item as best
    and worst adds 0 to the numerator, and also counts as shown.

    References
    ----------
    Louviere, Flynn, Marley (2015). Best-Worst Scaling: Theory, Methods and Applications. Cambridge University Press.
    https://doi.org/10.1017/CBO9781107337855

    Kiritchenko, Mohammad (2017). Best-Worst Scaling More Reliable than Rating Scales: A Case Study on Sentiment
    Intensity Annotation. ACL. https://aclanthology.org/P17-2074

    Examples
    --------
    >>> from skmetric.preferences import best_worst_scores
    >>> best_worst_scores([[0, 1, 2, 3], [3, 2, 0, 1]], best=[2, 2], worst=[0, 1], n_items=5)
    array([-0.5, -0.5,  1. ,  0. ,  nan])
    """
    shown, best_items, worst_items = check_judgments(tuples, best, worst)
    return count_scores(shown, best_items, worst_items, check_n_items(n_items, shown))


def count_scores(
    tuples: NDArray[np.intp], best: NDArray[np.intp], worst: NDArray[np.intp], n_items: int
) -> NDArray[np.float64]:
    """Compute ``best_worst_scores`` of judgments that are already validated. There may be no judgments."""
    surplus = np.bincount(best, minlength=n_items) - np.bincount(worst, minlength=n_items)
    times = np.bincount(tuples.ravel(), minlength=n_items)
    return np.divide(surplus, times, out=np.full(n_items, np.nan), where=times > 0)


def _is_first(tuples: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return whether each entry is the first occurrence of its item in its row."""
    first = np.ones(tuples.shape, dtype=bool)
    for column in range(1, tuples.shape[1]):
        first[:, column] = (tuples[:, :column] != tuples[:, [column]]).all(axis=1)
    return first


def _merged(winners: NDArray[np.intp], losers: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return each pair once, in ascending order, and its number of occurrences."""
    base = np.int64(max(winners.max(initial=0), losers.max(initial=0)) + 1)
    keys, counts = np.unique(winners * base + losers, return_counts=True)
    return np.column_stack(np.divmod(keys, base)), counts
