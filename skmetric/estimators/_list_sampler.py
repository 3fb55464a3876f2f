"""Which lists a ranker trains on."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmetric.estimators._lists import RankedItems
from skmetric.sampling import GroupBatchSampler

__all__ = ["list_sampler"]


def list_sampler(ranker: Any, items: RankedItems, train: NDArray[np.integer]) -> GroupBatchSampler:
    """Sampler of the training items: in the lists that hold something to rank, or, pointwise, in one."""
    if ranker._is_pointwise:
        one = np.zeros(len(train), dtype=np.intp)
        return GroupBatchSampler(one, batch_size=ranker.batch_size, max_group_size=ranker.batch_size, items=train)
    _warn_of_one_list(ranker, items)
    lists = items.lists[train]
    in_training = replace(items, lists=lists, relevance=items.relevance[train], weights=items.weights[train])
    kept = in_training.ordered()
    if not kept.any():
        raise ValueError(
            "y must differ within a group, or there is nothing to rank; no group holds two rows of different "
            "relevance. Are groups the ids of rows, in place of lists?"
        )
    return GroupBatchSampler(
        np.unique(lists[kept], return_inverse=True)[1],
        batch_size=ranker.batch_size,
        max_group_size=ranker.max_group_size,
        items=train[kept],
    )


def _warn_of_one_list(ranker: Any, items: RankedItems) -> None:
    if not items.has_lists and len(items.lists) > ranker.max_group_size:
        warnings.warn(
            f"{type(ranker).__name__} got no groups: all {len(items.lists)} rows are one list, of which random parts "
            f"of at most max_group_size={ranker.max_group_size} rows are ranked at a time. If there are groups, pass "
            "groups= (in searches and Pipelines after sklearn.set_config(enable_metadata_routing=True)), or name their "
            "column by group_column=.",
            stacklevel=7,  # past the decorators, to the call of fit
        )
