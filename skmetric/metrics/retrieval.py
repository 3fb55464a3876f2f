"""Retrieval metrics: whether the nearest neighbors of a row share its label."""

import numpy as np
from numpy.typing import ArrayLike

from skmetric._checks import check_k
from skmetric.metrics._checks import check_query_weights, check_retrieval
from skmetric.metrics._neighbors import nearest_rows

__all__ = ["map_at_r_score", "recall_at_k_score"]


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

    Rows at the same distance are ranked in row order. Equal rows are always exactly tied. Other distances are compared
    after float64 rounding: squared distances that differ by less than about 1e-15 of the squared spread of the table
    may be in either order.

    Queries are compared with the table in chunks. For :math:`n` rows and :math:`d` features, this takes
    :math:`O(n^2 d)` time and :math:`O(n d)` memory.

    References
    ----------
    Musgrave, Belongie, Lim (2020). A Metric Learning Reality Check. ECCV. https://arxiv.org/abs/2003.08505

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
    """
    points, codes, others = check_retrieval(embeddings, labels)
    weights = check_query_weights(sample_weight, others > 0)
    precision = np.zeros(len(codes))
    for rows, neighbors in nearest_rows(points, others):
        rank = np.arange(1, neighbors.shape[1] + 1)
        r = others[rows, np.newaxis]
        relevant = (codes[neighbors] == codes[rows, np.newaxis]) & (rank <= r)
        precision[rows] = (relevant.cumsum(axis=1) * relevant / rank).sum(axis=1) / others[rows]
    return float(np.average(precision, weights=weights))


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
    Rows alone in their class, duplicates and ties are treated as in :func:`map_at_r_score`. This is the recall of the
    metric learning literature: one neighbor of the class is enough. It is not the fraction of relevant rows found.

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
    weights = check_query_weights(sample_weight, others > 0)
    found = np.zeros(len(codes))
    for rows, neighbors in nearest_rows(points, np.where(others > 0, check_k(k, most=len(codes) - 1), 0)):
        found[rows] = (codes[neighbors] == codes[rows, np.newaxis]).any(axis=1)
    return float(np.average(found, weights=weights))
