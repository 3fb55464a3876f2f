"""Rows as lists: what the ranking metrics accept, and the loop over lists of one length."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array
from sklearn.utils import check_array, check_consistent_length

from skmetric._checks import check_choice, check_weights, group_runs

__all__ = [
    "Lists",
    "MatrixMetric",
    "Score",
    "check_lists",
    "reduce_lists",
    "score_lists",
]

# Items scored at once. A few arrays of this size fit in the processor's cache; a longer list is one piece by itself.
CHUNK_ITEMS = 1 << 17
MatrixMetric: TypeAlias = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]

# A float, or an array where reduction=None. Any spares callers who take the mean a check of the type.
Score: TypeAlias = float | Any


@dataclass(frozen=True, eq=False)
class Lists:
    """Rows, and the lists that they form, in the order of the sorted ids.

    Attributes
    ----------
    truth, score : ndarray of shape (n,)
        The rows in the order in which they were given.
    starts, sizes : ndarray of shape (n_lists,)
        List ``i`` is ``rows[starts[i] : starts[i] + sizes[i]]``, in row order.
    rows : ndarray of shape (n,) or None
        The rows, list by list. None: each list's rows are next to each other already, and stand for themselves.
    weights : ndarray of shape (n_lists,) or None
        The mean weight of each list's rows, in units of the largest row weight. None: all lists weigh the same.
    """

    truth: NDArray[np.float64]
    score: NDArray[np.float64]
    starts: NDArray[np.intp]
    sizes: NDArray[np.intp]
    rows: NDArray[np.intp] | None
    weights: NDArray[np.float64] | None


def check_lists(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    groups: ArrayLike | None,
    sample_weight: ArrayLike | None,
    reduction: str | None,
) -> Lists:
    """Validate the arguments that all ranking metrics share."""
    check_choice("reduction", reduction, ("mean", None))
    if reduction is None and sample_weight is not None:
        raise ValueError(
            "sample_weight weighs the lists in their mean, but reduction=None takes no mean. Pass sample_weight=None, "
            'or reduction="mean".'
        )
    truth, score = _column(y_true, "y_true"), _column(y_score, "y_score")
    check_consistent_length(truth, score, groups, sample_weight)
    codes, contiguous_starts = group_runs(groups, len(truth))
    sizes = np.bincount(codes)
    weights = None
    if sample_weight is not None:
        row_weights = check_weights(sample_weight, len(truth))
        # Only ratios matter: with the largest at 1, no sum of them overflows.
        weights = np.bincount(codes, row_weights / row_weights.max()) / sizes
    if contiguous_starts is not None:
        return Lists(truth, score, contiguous_starts, sizes, None, weights)
    return Lists(truth, score, sizes.cumsum() - sizes, sizes, _list_by_list(codes, len(sizes)), weights)


def score_lists(lists: Lists, metric: MatrixMetric) -> NDArray[np.float64]:
    """Score every list: shape (n_lists,).

    Lists of the same length are the rows of a matrix. The number of different lengths is at most the square root of
    twice the number of rows.

    Parameters
    ----------
    lists : Lists
    metric : callable
        From truth and scores of ``m`` lists, both of shape (m, size), to their values, of shape (m,).
    """
    values = np.empty(len(lists.sizes))
    by_size = np.argsort(lists.sizes, kind="stable")
    for alike in np.split(by_size, np.flatnonzero(np.diff(lists.sizes[by_size])) + 1):
        size = int(lists.sizes[alike[0]])
        step = max(1, CHUNK_ITEMS // size)
        for first in range(0, len(alike), step):
            chunk = alike[first : first + step]
            rows = lists.starts[chunk, np.newaxis] + np.arange(size)
            if lists.rows is not None:
                rows = lists.rows[rows]
            values[chunk] = metric(lists.truth[rows], lists.score[rows])
    return values


def reduce_lists(values: NDArray[np.float64], lists: Lists, *, reduction: str | None, skipped: str) -> Score:
    """Take the weighted mean of the lists that are not NaN, or give them all.

    Parameters
    ----------
    values : ndarray of shape (n_lists,)
        NaN where a list is skipped.
    lists : Lists
    reduction : {"mean", None}
    skipped : str
        For the error: what every list that is skipped is like, and the way out.
    """
    if reduction is None:
        return values
    scored = ~np.isnan(values)
    if not scored.any():
        raise ValueError(f"groups must have a list that can be scored, but each of the {len(values)} {skipped}")
    if lists.weights is None:
        return float(values[scored].mean())
    weights = lists.weights[scored]
    if not weights.any():
        raise ValueError(
            f"sample_weight must be positive in at least one list that can be scored, got only zeros in all "
            f"{len(weights)} of them. Pass sample_weight=None to weigh them alike."
        )
    return float(np.average(values[scored], weights=weights))


def _column(values: ArrayLike, name: str) -> NDArray[np.float64]:
    column: NDArray[np.float64] = check_array(values, dtype=np.float64, ensure_2d=False, input_name=name)
    if column.ndim == 2 and column.shape[1] == 1:
        column = column[:, 0]
    if column.ndim != 1:
        raise ValueError(
            f"{name} must have one value a row, shape (n,), got shape {column.shape}. Pass one column; to score a "
            f"matrix with one list a row, flatten it and pass groups=np.repeat(np.arange(n_lists), list_size)."
        )
    return column


def _list_by_list(codes: NDArray[np.intp], n_lists: int) -> NDArray[np.intp]:
    """Rows sorted by their list, in row order within each: by counting, several times faster than a stable sort."""
    n = len(codes)
    by_row = csc_array((np.ones(n, dtype=np.int8), codes, np.arange(n + 1)), shape=(n_lists, n))
    return by_row.tocsr().indices.astype(np.intp)
