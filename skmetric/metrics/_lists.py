"""Checks of the arguments of the ranking metrics, and the loop over lists of equal length."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array
from sklearn.utils import check_consistent_length

from skmetric._checks import check_choice, check_finite, check_weights, group_runs
from skmetric._scorer import NothingToScoreError
from skmetric._values import check_numbers

__all__ = [
    "Lists",
    "MatrixMetric",
    "Score",
    "check_lists",
    "reduce_lists",
    "score_lists",
]

# Number of items scored in one chunk. A few arrays of this size fit in the CPU cache. A longer list is one chunk.
CHUNK_ITEMS = 1 << 17
MatrixMetric: TypeAlias = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]

# A float, or an array if reduction=None. With Any, callers who use the mean need no type check.
Score: TypeAlias = float | Any


@dataclass(frozen=True, eq=False)
class Lists:
    """Rows, and the lists that they form. The lists are in the order of the sorted ids.

    Attributes
    ----------
    truth, score : ndarray of shape (n_samples,)
        True values and predicted scores, in the original order of the rows.
    starts, sizes : ndarray of shape (n_lists,)
        List ``i`` is ``rows[starts[i] : starts[i] + sizes[i]]``, in row order.
    rows : ndarray of shape (n_samples,) or None
        Row indices, list by list. If None, the rows of each list are already contiguous: row ``j`` has index ``j``.
    weights : ndarray of shape (n_lists,) or None
        Mean weight of the rows of each list, divided by the largest row weight. If None, all lists have equal weights.
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
            "sample_weight must be None if reduction=None, got weights: they only weight the lists in their mean. Pass "
            'sample_weight=None, or reduction="mean".'
        )
    truth, score = _column(y_true, "y_true"), _column(y_score, "y_score")
    check_consistent_length(truth, score)
    codes, contiguous_starts = group_runs(np.zeros(len(truth), dtype=np.int8) if groups is None else groups)
    check_consistent_length(truth, codes)
    sizes = np.bincount(codes)
    weights = None
    if sample_weight is not None:
        row_weights = check_weights(sample_weight, len(truth), groups=codes)
        # Only ratios matter. Division by the largest weight keeps sums from overflowing.
        weights = np.bincount(codes, row_weights / row_weights.max()) / sizes
    if contiguous_starts is not None:
        return Lists(truth, score, contiguous_starts, sizes, None, weights)
    return Lists(truth, score, sizes.cumsum() - sizes, sizes, _sort_by_list(codes, len(sizes)), weights)


def score_lists(lists: Lists, metric: MatrixMetric) -> NDArray[np.float64]:
    """Score each list. The result has shape (n_lists,).

    Lists of equal length are scored together, as the rows of a matrix. The number of different lengths is at most the
    square root of twice the number of rows.

    Parameters
    ----------
    lists : Lists
    metric : callable
        Takes the true values and the scores of ``m`` lists, both of shape (m, size). Returns values of shape (m,).
    """
    values = np.empty(len(lists.sizes))
    by_size = np.argsort(lists.sizes, kind="stable")
    for same_size in np.split(by_size, np.flatnonzero(np.diff(lists.sizes[by_size])) + 1):
        size = int(lists.sizes[same_size[0]])
        step = max(1, CHUNK_ITEMS // size)
        for first in range(0, len(same_size), step):
            chunk = same_size[first : first + step]
            rows = lists.starts[chunk, np.newaxis] + np.arange(size)
            if lists.rows is not None:
                rows = lists.rows[rows]
            values[chunk] = metric(lists.truth[rows], lists.score[rows])
    return values


def reduce_lists(
    values: NDArray[np.float64], lists: Lists, *, reduction: str | None, skipped: str, advice: str
) -> Score:
    """Return the weighted mean of the lists that are not NaN, or the values of all lists.

    Parameters
    ----------
    values : ndarray of shape (n_lists,)
        Value of each list, NaN for a skipped list.
    lists : Lists
    reduction : {"mean", None}
    skipped, advice : str
        End of the error message: why each list was skipped, and how to avoid this.

    Raises
    ------
    NothingToScoreError
        If all lists were skipped, or have no weight.
    """
    if reduction is None:
        return values
    scored = ~np.isnan(values)
    if not scored.any():
        raise NothingToScoreError(
            f"groups must have at least one list that can be scored, got none in {len(values)}: each list {skipped}.",
            advice,
        )
    if lists.weights is None:
        return float(values[scored].mean())
    weights = lists.weights[scored]
    if not weights.any():
        raise NothingToScoreError(
            f"sample_weight must be positive in at least one list that can be scored, got zeros in all "
            f"{len(weights)} of them.",
            "Pass sample_weight=None for equal weights.",
        )
    return float(np.average(values[scored], weights=weights))


def _column(values: ArrayLike, name: str) -> NDArray[np.float64]:
    column = check_numbers(values, name).astype(np.float64)
    if column.ndim > 1 and column.shape[1:] != (1,):
        raise ValueError(
            f"{name} must have one value per row, shape (n_samples,), got shape {column.shape}. Pass one column. To "
            "score a matrix with one list per row, flatten it and pass groups=np.repeat(np.arange(n_lists), list_size)."
        )
    column = column.reshape(-1)
    if not len(column):
        raise ValueError(f"{name} must have at least one row, got none. Pass at least one row.")
    check_finite(column, name)
    return column


def _sort_by_list(codes: NDArray[np.intp], n_lists: int) -> NDArray[np.intp]:
    """Return the row indices sorted by list, in row order within each list.

    The rows are counted, which is several times faster than a stable sort.
    """
    n = len(codes)
    by_row = csc_array((np.ones(n, dtype=np.int8), codes, np.arange(n + 1)), shape=(n_lists, n))
    return by_row.tocsr().indices.astype(np.intp)
