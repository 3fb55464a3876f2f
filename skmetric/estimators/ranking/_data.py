"""Rows in groups, checked and made into items."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skmetric._core.sampling import GroupBatchSampler, holdout_lists
from skmetric._sklearn_compat import check_sample_weight, safe_indexing
from skmetric._warnings import warn_caller
from skmetric.estimators._base import float32_overflow_is_infinity
from skmetric.estimators.points import read_tuples
from skmetric.estimators.ranking._objectives import RankedItems
from skmetric.metrics._lists import group_codes

if TYPE_CHECKING:
    from skmetric.estimators.ranking.pairwise import PairwiseRanker

__all__ = [
    "check_points",
    "column_place",
    "column_values",
    "hold_out",
    "item_values",
    "list_sampler",
    "read_pairs",
    "read_rows",
    "row_weights",
    "without_column",
]


def read_rows(
    ranker: Any, X: Any, y: ArrayLike, sample_weight: ArrayLike | None, groups: ArrayLike | None, *, reset: bool
) -> RankedItems:
    """Check rows, relevance, weights and groups."""
    if y is None:
        raise ValueError(f"{type(ranker).__name__} requires y to be passed, but the target y is None.")
    if groups is not None and ranker.group_column is not None:
        raise ValueError(
            f"groups and group_column={ranker.group_column!r} are both given; leave one of them out. Where "
            "metadata is routed, "
            "set_fit_request(groups=False).set_score_request(groups=False) keeps groups= for the splitter."
        )
    _refuse_words(y)
    points, relevance = _check_points_and_relevance(ranker, X, y, reset=reset)
    weights = check_sample_weight(sample_weight, points, dtype=np.float64, ensure_non_negative=True)
    ids = groups if groups is not None else ranker.groups_of(X)
    if ids is None:
        return RankedItems(points, relevance, weights, np.zeros(len(points), dtype=np.intp), has_lists=False)
    codes = group_codes(ids)
    if len(codes) != len(points):
        raise ValueError(f"groups must hold one id a row, {len(points)} of them; got {len(codes)}.")
    return RankedItems(points, relevance, weights, codes)


def _refuse_words(y: ArrayLike) -> None:
    given = np.asarray(y)
    values = given.ravel().tolist() if given.dtype.kind in "OUST" else []
    word = next((value for value in values if isinstance(value, str)), None)
    if word is not None:
        raise ValueError(
            f"y must hold numbers, the higher the more relevant; got {word!r}. Number the grades, for instance by "
            "OrdinalEncoder with their order as categories=."
        )


def _check_points_and_relevance(
    ranker: Any, X: Any, y: ArrayLike, *, reset: bool
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    if ranker.group_column is None:
        points, y = ranker._check_input(X, y, reset=reset, ensure_min_samples=2, y_numeric=True)
        return points, np.asarray(y, dtype=np.float64)
    points = check_points(ranker, X, reset=reset)
    relevance = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
    if relevance.shape != (len(points),):
        raise ValueError(f"y must hold one relevance a row, shape ({len(points)},); got shape {relevance.shape}.")
    return points, relevance


def check_points(ranker: Any, X: Any, *, reset: bool = False) -> NDArray[np.float32]:
    """Rows as float32, without the group column."""
    if ranker.group_column is None:
        rows: NDArray[np.float32] = ranker._check_input(X, reset=reset)
        return rows
    # The ids may be strings: only names and number of columns are checked with them.
    place = column_place(X, ranker.group_column)
    validate_data(ranker, X, reset=reset, skip_check_array=True)
    with float32_overflow_is_infinity():
        return check_array(without_column(X, place), dtype=np.float32, order="C", input_name="X")


def read_pairs(
    ranker: "PairwiseRanker", X: ArrayLike, y: ArrayLike | None, sample_weight: ArrayLike | None, *, reset: bool
) -> RankedItems:
    """Check pairs, and make of each a list in which the winner is the more relevant.

    A tie is two lists of half the weight, one won by each: the loss then has its minimum where the scores are equal.
    """
    points, rows = read_tuples(ranker, X, 2, reset=reset)
    outcome = _check_outcome(y, len(rows))
    weights = np.ones(len(rows))
    if sample_weight is not None:
        weights = check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True)
    is_tie = outcome == 0
    units = np.repeat(np.concatenate([np.arange(len(rows)), np.flatnonzero(is_tie)]), 2)
    rows = np.concatenate([rows, rows[is_tie]])
    relevance = np.column_stack([outcome >= 0, outcome < 0])
    relevance = np.concatenate([relevance, ~relevance[is_tie]])
    weights = np.concatenate([np.where(is_tie, weights / 2, weights), weights[is_tie] / 2])
    lists = np.repeat(np.arange(len(rows)), 2)
    return RankedItems(
        points, relevance.ravel().astype(np.float64), np.repeat(weights, 2), lists, rows.ravel(), units=units
    )


def _check_outcome(y: ArrayLike | None, n: int) -> NDArray[np.float64]:
    if y is None:
        return np.ones(n)
    outcome = np.asarray(y)
    if outcome.dtype == bool or outcome.shape != (n,) or not np.isin(outcome, (-1, 0, 1)).all():
        raise ValueError(
            f"y must say for each of the {n} pairs which point wins: 1 the first, -1 the second, 0 neither; got shape "
            f"{outcome.shape}, values such as {np.unique(outcome)[:5].tolist()}."
        )
    if (outcome == 0).any() and not (outcome == -1).any():
        warn_caller("y holds ties, 0, and no pair whose second point wins. If 0 is meant for that, make it -1.")
    return outcome.astype(np.float64)


def column_place(X: Any, column: str | int) -> int:
    """Where the group column stands in X."""
    if isinstance(column, str):
        if not hasattr(X, "columns"):
            raise ValueError(
                f"group_column={column!r} names a column, but X is a {type(X).__name__} without column names. Pass a "
                "DataFrame; in a Pipeline, keep it one by set_output(transform='pandas'), and let a ColumnTransformer "
                "pass this column through. Or give the column's place, an int."
            )
        names = list(X.columns)
        if column not in names:
            raise ValueError(f"group_column={column!r} must be a column of X, whose columns are {names}.")
        return names.index(column)
    width = np.shape(X)[1]
    if not -width <= column < width:
        raise ValueError(f"group_column={column} must be the place of a column of X, which has {width} columns.")
    return column % width


def column_values(X: Any, place: int) -> ArrayLike:
    """The column at a place."""
    return np.asarray(safe_indexing(X if hasattr(X, "columns") else np.asarray(X), place, axis=1))


def without_column(X: Any, place: int) -> Any:
    """X without the column at a place."""
    X = X if hasattr(X, "columns") else np.asarray(X)
    others: NDArray[np.integer] = np.delete(np.arange(np.shape(X)[1]), place)
    return safe_indexing(X, others, axis=1)


Places = NDArray[np.integer]


def hold_out(items: RankedItems, fraction: float, rng: np.random.Generator) -> tuple[Places, Places]:
    """Places to train on and to validate by: whole lists that hold something to rank, or rows where there are none."""
    places: Places = np.arange(len(items.lists))
    units = places if not items.has_lists else items.lists if items.units is None else items.units
    useful = np.flatnonzero(items.ordered())
    if len(np.unique(units[useful])) < 2:
        raise ValueError(
            "early_stopping must hold out a group in which y differs, and train on another one; there are not two such "
            "groups. Pass X_val, y_val and groups_val, or set early_stopping=False."
        )
    _, held_out = holdout_lists(units[useful], fraction, rng)
    return np.setdiff1d(places, useful[held_out]), useful[held_out]


def list_sampler(ranker: Any, items: RankedItems, train: Places) -> tuple[GroupBatchSampler, Places]:
    """Sampler of the training items, and which they are: those that count, in lists that hold something to rank."""
    counts = items.weights[train] > 0
    if ranker._is_pointwise:
        used, longest = train[counts], ranker.batch_size
        lists = np.zeros(len(used), dtype=np.intp)
    else:
        _warn_of_one_list(ranker, items)
        some = replace(items, lists=items.lists[train], relevance=items.relevance[train], weights=items.weights[train])
        used, longest = train[counts & some.ordered()], ranker.max_group_size
        lists = np.unique(items.lists[used], return_inverse=True)[1]
    if not len(used):
        raise ValueError(
            "y must differ within a group, or there is nothing to rank; no group holds two rows of different "
            "relevance. Are groups the ids of rows, in place of lists?"
        )
    return GroupBatchSampler(lists, batch_size=ranker.batch_size, max_group_size=longest, items=used), used


def item_values(ranker: Any, items: RankedItems, used: Places, n_steps: int) -> NDArray[np.float32]:
    """What the objective gets to know about each item: relevance, weight within its list, and share.

    Weights are in units of their mean. Shares add up to the mean weight of a group's rows, in units that make the mean
    over an epoch's steps that over groups; pointwise, every row is its own group.
    """
    weights = items.weights / items.weights.max()
    weights /= weights[weights > 0].mean()
    groups = np.arange(len(used)) if ranker._is_pointwise else np.unique(items.lists[used], return_inverse=True)[1]
    shares = np.zeros(len(weights))
    shares[used] = weights[used] / np.bincount(groups)[groups]
    shares *= n_steps / shares.sum()
    with np.errstate(over="ignore"):
        values = np.column_stack([ranker._targets(items), weights, shares]).astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError(
            f"y must fit into float32 within a group; it spans {np.ptp(items.relevance):.3g}. Scale it, or pass ranks."
        )
    return values


def row_weights(items: RankedItems, used: Places) -> NDArray[np.float64]:
    """How much each row counts where inputs are scaled: as the training items that it is, and those that weigh."""
    rows = used if items.rows is None else items.rows[used]
    weights = items.weights[used] / items.weights.max()
    return np.bincount(rows, weights, minlength=len(items.X)).astype(np.float64, copy=False)


def _warn_of_one_list(ranker: Any, items: RankedItems) -> None:
    if not items.has_lists and len(items.lists) > ranker.max_group_size:
        warn_caller(
            f"{type(ranker).__name__} got no groups: all {len(items.lists)} rows are one list, of which random parts "
            f"of at most max_group_size={ranker.max_group_size} rows are ranked at a time. If there are groups, pass "
            "groups= (in searches and Pipelines after sklearn.set_config(enable_metadata_routing=True)), or name their "
            "column by group_column=."
        )
