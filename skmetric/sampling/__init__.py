"""Samplers: from labels, groups or tuples to an epoch of index batches. numpy only."""

from skmetric.sampling.classes import ClassBatchSampler, block_shape
from skmetric.sampling.groups import GroupBatchSampler
from skmetric.sampling.holdout import holdout_lists, spread_holdout, stratified_holdout
from skmetric.sampling.tuples import TupleBatchSampler

__all__ = [
    "ClassBatchSampler",
    "GroupBatchSampler",
    "TupleBatchSampler",
    "block_shape",
    "holdout_lists",
    "spread_holdout",
    "stratified_holdout",
]
