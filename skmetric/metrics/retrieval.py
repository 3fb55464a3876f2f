"""Retrieval metrics: whether the nearest neighbors of a row share its label."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._checks import check_k
from skmetric.metrics._average_precision import expected_average_precision
from skmetric.metrics._checks import check_query_weights, check_retrieval
from skmetric.metrics._neighbors import PointTable

__all__ = ["map_at_r_score", "recall_at_k_score"]

# From query rows, their distances to all rows, and which of these rows are of their class, to one value per query.
Score = Callable[[NDArray[np.intp], NDArray[np.float64], NDArray[np.bool_]], NDArray[np.float64]]

# A probability that no longer matters.
NEGLIGIBLE = 1e-18


def map_at_r_score(embeddings: ArrayLike, labels: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    r"""Mean average precision at R (MAP@R).

    Each row :math:`i` is a query, and all other rows are its neighbors, nearest first. :math:`R_i` is the number of
    other rows of its class. :math:`\mathrm{rel}_i(k)` is 1 if its :math:`k`-th neighbor is one of them, and 0
    otherwise. :math:`P_i(k)` is the fraction of them among its first :math:`k` neighbors. Then

    .. math::
        \mathrm{MAP@R} = \frac{\sum_{i : R_i \ge 1} w_i \, \mathrm{AP}_i}{\sum_{i : R_i \ge 1} w_i}, \qquad
        \mathrm{AP}_i = \frac{1}{R_i} \sum_{k=1}^{R_i} P_i(k) \, \mathrm{rel}_i(k).

    Parameters
    ----------
    embeddings : array-like of shape (n_samples, n_features)
        One embedding per row, at least two rows. Neighbors are found by Euclidean distance. For cosine similarity,
        scale the rows to unit length first.
    labels : array-like of shape (n_samples,)
        Class of each row: integers, strings, booleans, or other sortable objects.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight :math:`w_i` of each row as a query: finite, non-negative, not all 0. It does not change how much the row
        counts as a neighbor. If None, all rows have the same weight.

    Returns
    -------
    score : float
        Between 0 and 1. It is 1 if the nearest neighbors of each row are all other rows of its class.

    Raises
    ------
    ValueError
        If the arguments differ in length, are empty or not finite; if no class has two rows; or if ``sample_weight``
        is negative, or 0 for all rows that can be scored.
    TypeError
        If the labels cannot be sorted.

    See Also
    --------
    recall_at_k_score : Whether any of the first k neighbors shares the label.
    skmetric.metrics.map_at_r_scorer : This score for ``GridSearchCV(scoring=...)``.

    Notes
    -----
    A row that is alone in its class is not a query, but can be a neighbor of other rows. A row is excluded from its own
    neighbors by its index, so a duplicate of it does count, at distance 0.

    For rows at the same distance, the expected value over all their orders is used, so the order of the rows does not
    matter. Let ranks :math:`m + 1` to :math:`m + t` be tied, with :math:`s` relevant rows among them and :math:`c`
    before them. Then :math:`P_i(m + j) \, \mathrm{rel}_i(m + j)` has the expected value

    .. math::
        \frac{s}{t} \cdot \frac{1}{m + j} \left(c + 1 + (j - 1) \frac{s - 1}{t - 1}\right), \qquad 1 \le j \le t.

    Equal rows are always exactly tied.
    Other distances are compared after float64 rounding: squared distances that differ by less than about 1e-15 of the
    squared spread of the table may be tied or in either order.

    Queries are compared with the table in chunks. For :math:`n` rows and :math:`d` features, this takes
    :math:`O(n^2 (d + \log n))` time and :math:`O(n d)` memory. Equal rows of one class are one query.

    References
    ----------
    Musgrave, Belongie, Lim (2020). A Metric Learning Reality Check. ECCV. https://arxiv.org/abs/2003.08505

    McSherry, Najork (2008). Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied
    Scores. ECIR. https://doi.org/10.1007/978-3-540-78646-7_38 (ties).

    Examples
    --------
    The first three rows are of class "a". For each of the first two, the nearest row is of class "a", and the second is
    of class "b": 1/2. For the third, the nearest row is of class "b": 1/4. The row of class "b" is alone in its class,
    so it is not a query.

    >>> from skmetric.metrics import map_at_r_score
    >>> embeddings = [[0.0], [1.0], [3.0], [2.5]]
    >>> map_at_r_score(embeddings, ["a", "a", "a", "b"])
    0.4166666666666667
    >>> map_at_r_score(embeddings, ["a", "a", "a", "b"], sample_weight=[0, 0, 1, 0])
    0.25

    All rows are tied. The neighbor at rank 1 is of the same class with probability 1/3.

    >>> round(map_at_r_score([[0.0], [0.0], [0.0], [0.0]], ["a", "a", "b", "b"]), 4)
    0.3333
    """
    points, codes, others = check_retrieval(embeddings, labels)
    weights = check_query_weights(sample_weight, others > 0)
    return _mean(
        points,
        codes,
        weights,
        lambda rows, distances, relevant: expected_average_precision(distances, relevant, others[rows]),
    )


def recall_at_k_score(
    embeddings: ArrayLike, labels: ArrayLike, *, k: int, sample_weight: ArrayLike | None = None
) -> float:
    r"""Recall at k: fraction of the rows with a row of the same class among their k nearest neighbors.

    :math:`\mathrm{rel}_i(j)` is 1 if the :math:`j`-th nearest neighbor of row :math:`i` has the same class, and 0
    otherwise. :math:`R_i` is the number of other rows of its class. Then

    .. math::
        \mathrm{Recall@}k = \frac{\sum_{i : R_i \ge 1} w_i \max_{j \le k} \mathrm{rel}_i(j)}
        {\sum_{i : R_i \ge 1} w_i}.

    Parameters
    ----------
    embeddings : array-like of shape (n_samples, n_features)
        One embedding per row, at least two rows. Neighbors are found by Euclidean distance. For cosine similarity,
        scale the rows to unit length first.
    labels : array-like of shape (n_samples,)
        Class of each row: integers, strings, booleans, or other sortable objects.
    k : int
        Number of nearest neighbors, from 1 to ``n_samples - 1``.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight :math:`w_i` of each row as a query: finite, non-negative, not all 0. It does not change how much the row
        counts as a neighbor. If None, all rows have the same weight.

    Returns
    -------
    score : float
        Between 0 and 1. With ``k=1``, it is the leave-one-out accuracy of a nearest-neighbor classifier.

    Raises
    ------
    ValueError
        If ``k`` is out of range; if the arguments differ in length, are empty or not finite; if no class has two rows;
        or if ``sample_weight`` is negative, or 0 for all rows that can be scored.
    TypeError
        If ``k`` is not an integer, or if the labels cannot be sorted.

    See Also
    --------
    map_at_r_score : Also depends on the order of all rows of the class.
    skmetric.metrics.recall_at_1_scorer : This score with ``k=1`` for ``GridSearchCV(scoring=...)``.

    Notes
    -----
    Rows alone in their class and duplicates are treated as in :func:`map_at_r_score`. If rows are tied at rank k, a
    query counts with the probability that a row of its class is among the first k, over all orders of the tied rows.

    This is the recall of the metric learning literature: one neighbor of the class is enough. It is not the fraction of
    relevant rows found.

    References
    ----------
    Jégou, Douze, Schmid (2011). Product Quantization for Nearest Neighbor Search. IEEE TPAMI 33(1).
    https://doi.org/10.1109/TPAMI.2010.57

    Examples
    --------
    >>> from skmetric.metrics import recall_at_k_score
    >>> embeddings = [[0.0], [1.0], [3.0], [2.5]]
    >>> recall_at_k_score(embeddings, ["a", "a", "b", "a"], k=1)
    0.6666666666666666
    >>> recall_at_k_score(embeddings, ["a", "a", "b", "a"], k=2)
    1.0
    """
    points, codes, others = check_retrieval(embeddings, labels)
    weights, k = check_query_weights(sample_weight, others > 0), check_k(k, most=len(codes) - 1)
    return _mean(points, codes, weights, lambda rows, distances, relevant: _expected_recall(distances, relevant, k))


def _expected_recall(distances: NDArray[np.float64], relevant: NDArray[np.bool_], k: int) -> NDArray[np.float64]:
    """Return the probability that the first k entries of each row contain a relevant one, if ties are in random order.

    Shapes are (m, n), and (m,) for the result. Only the nearest relevant entries matter, and what is tied with them.
    """
    nearest = np.where(relevant, distances, np.inf).min(axis=1, keepdims=True)
    tied = distances == nearest
    n_tied, n_relevant = np.count_nonzero(tied, axis=1), np.count_nonzero(tied & relevant, axis=1)
    drawn = np.clip(k - np.count_nonzero(distances < nearest, axis=1), 0, n_tied)
    return 1 - _none_drawn(n_tied, n_relevant, drawn)


def _none_drawn(n_tied: NDArray[np.intp], n_relevant: NDArray[np.intp], drawn: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the probability that ``drawn`` of ``n_tied`` entries, without replacement, are all irrelevant."""
    # Exchanging the drawn and the relevant ones changes nothing. So the loop is over the smaller number.
    fewer, more = np.minimum(n_relevant, drawn), np.maximum(n_relevant, drawn)
    none, step = np.ones(len(n_tied)), 0
    while (open_rows := (step < fewer) & (none > NEGLIGIBLE)).any():
        chance = np.maximum(n_tied - more - step, 0) / np.maximum(n_tied - step, 1)
        none *= np.where(open_rows, chance, 1.0)
        step += 1
    return none


def _mean(points: NDArray[np.float64], codes: NDArray[np.intp], weights: NDArray[np.float64], score: Score) -> float:
    """Return the weighted mean of the scores of all rows with weight."""
    table = PointTable.of(points)
    # Equal rows of one class have equal scores.
    queries = np.flatnonzero(weights)
    _, first, copy_of = np.unique(
        table.point_of[queries] * (codes.max() + 1) + codes[queries], return_index=True, return_inverse=True
    )
    sizes = np.bincount(codes)[codes]
    # Sorted by size of the class, the queries of a block have similar R: few rows are sorted deeper than needed.
    distinct = queries[first]
    values = np.zeros(len(codes))
    codes = codes.astype(np.min_scalar_type(codes.max()))  # compared fastest with few bytes
    for rows, distances in table.distances(distinct[np.argsort(sizes[distinct], kind="stable")]):
        relevant = codes == codes[rows, np.newaxis]
        values[rows] = score(rows, distances, relevant)
    return float(np.average(values[distinct[copy_of]], weights=weights[queries]))
