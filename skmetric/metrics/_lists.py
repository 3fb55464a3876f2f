"""Rows as lists: what the ranking metrics accept, and the loop over lists of one length."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array
from sklearn.utils import check_array, check_consistent_length

__all__ = [
    "Lists",
    "MatrixMetric",
    "Score",
    "check_choice",
    "check_lists",
    "group_codes",
    "reduce_lists",
    "score_lists",
]

# Items scored at once. A few arrays of this size fit in the processor's cache; a longer list is one piece by itself.
CHUNK_ITEMS = 1 << 17
# Whole numbers as ids are counted, not sorted, where they span at most so many times the number of rows.
DENSE_IDS = 4

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
    codes, contiguous_starts = _codes(groups, len(truth))
    sizes = np.bincount(codes)
    weights = None
    if sample_weight is not None:
        weights = np.bincount(codes, _row_weights(sample_weight)) / sizes
    if contiguous_starts is not None:
        return Lists(truth, score, contiguous_starts, sizes, None, weights)
    return Lists(truth, score, sizes.cumsum() - sizes, sizes, _list_by_list(codes, len(sizes)), weights)


def check_choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Raise unless the value is one of the choices."""
    if not any(value is choice or (np.isscalar(value) and value == choice) for choice in choices):
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}. Pass one of them.")


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


def _row_weights(sample_weight: ArrayLike) -> NDArray[np.float64]:
    weights = _column(sample_weight, "sample_weight")
    if weights.min() < 0:
        raise ValueError(
            f"sample_weight must be non-negative, got {weights.min():g} at row {weights.argmin()}. To leave a list "
            "out, give its rows the weight 0."
        )
    # Only ratios matter: with the largest at 1, no sum of them overflows.
    return weights / (weights.max() or 1.0)


def _codes(groups: ArrayLike | None, n: int) -> tuple[NDArray[np.intp], NDArray[np.intp] | None]:
    """The list of each row, from 0, and where each list starts if its rows are next to each other."""
    if groups is None:
        return np.zeros(n, dtype=np.intp), np.zeros(1, dtype=np.intp)
    ids = _ids(groups)
    changes = np.ones(n, dtype=bool)
    changes[1:] = ids[1:] != ids[:-1]
    heads = np.flatnonzero(changes)
    try:
        # Runs of one id are far fewer than rows where the rows come list by list.
        unique, code_of_run = _unique(ids[heads])
    except TypeError as error:
        raise TypeError(
            f"groups must be of one type that can be sorted: {error}. Convert the ids, for instance to str."
        ) from error
    codes = np.repeat(code_of_run, np.diff(heads, append=n))
    if len(unique) < len(heads):
        return codes, None
    starts = np.empty_like(heads)
    starts[code_of_run] = heads
    return codes, starts


def _unique(ids: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """``np.unique(ids, return_inverse=True)``, without a sort where the ids are whole numbers close together."""
    if ids.dtype.kind not in "iu" or int(ids.max()) - int(ids.min()) > DENSE_IDS * len(ids):
        unique, codes = np.unique(ids, return_inverse=True)
        return unique, codes
    # A narrow type could overflow in the difference.
    wide = ids.astype(np.int64) if ids.dtype.kind == "i" else ids.astype(np.uint64)
    least = wide.min()
    places = (wide - least).astype(np.intp)
    present = np.bincount(places) > 0
    unique = np.flatnonzero(present).astype(wide.dtype) + least
    return unique.astype(ids.dtype), (np.cumsum(present) - 1)[places]


def _list_by_list(codes: NDArray[np.intp], n_lists: int) -> NDArray[np.intp]:
    """Rows sorted by their list, in row order within each: by counting, several times faster than a stable sort."""
    n = len(codes)
    by_row = csc_array((np.ones(n, dtype=np.int8), codes, np.arange(n + 1)), shape=(n_lists, n))
    return by_row.tocsr().indices.astype(np.intp)


def _ids(groups: ArrayLike) -> NDArray[Any]:
    """One id a row, none of them missing."""
    # numpy would make the string "nan" of a missing id in a list of strings.
    ids = np.asarray(groups) if hasattr(groups, "__array__") else np.asarray(groups, dtype=object)
    if ids.ndim == 2 and ids.shape[1] == 1:
        ids = ids[:, 0]
    if ids.ndim != 1:
        raise ValueError(f"groups must be one id a row, shape (n,), got shape {ids.shape}. Pass one column.")
    missing = np.frompyfunc(_is_missing, 1, 1)(ids).astype(bool) if ids.dtype == object else ids != ids
    if missing.any():
        row = missing.argmax()
        raise ValueError(
            f"groups must have an id in each row, but row {row} has {ids[row]!r}. Drop the rows without an id, or give "
            "them one."
        )
    return ids if hasattr(groups, "__array__") else np.asarray(groups).ravel()


def _is_missing(value: Any) -> bool:
    """None, NaN, NaT or pandas.NA: what is not equal to itself, or does not say."""
    try:
        return value is None or bool(value != value)
    except TypeError:
        return True


def group_codes(groups: ArrayLike) -> NDArray[np.intp]:
    """The list of each row, numbered from 0 in the order of the sorted ids; an error where an id is missing."""
    return _codes(groups, len(np.asarray(groups)))[0]
