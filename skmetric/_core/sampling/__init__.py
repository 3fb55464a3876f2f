"""Samplers that turn labels, groups or tuples into batches of indices, one epoch at once. Only numpy is needed."""

from skmetric._core.sampling.classes import ClassBatchSampler, block_shape
from skmetric._core.sampling.groups import GroupBatchSampler
from skmetric._core.sampling.holdout import holdout_lists, spread_holdout, stratified_holdout
from skmetric._core.sampling.table_size import cut_to_table
from skmetric._core.sampling.tuples import TupleBatchSampler

__all__ = [
    "ClassBatchSampler",
    "GroupBatchSampler",
    "TupleBatchSampler",
    "block_shape",
    "cut_to_table",
    "holdout_lists",
    "spread_holdout",
    "stratified_holdout",
]
