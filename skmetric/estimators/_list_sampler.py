"""Which lists a ranker trains on, which it holds out, and how much each item counts."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmetric._warnings import warn_caller
from skmetric.estimators._lists import RankedItems
from skmetric.sampling import GroupBatchSampler, holdout_lists

__all__ = ["hold_out", "item_values", "list_sampler", "row_weights"]

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
