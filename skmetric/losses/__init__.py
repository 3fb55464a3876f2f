"""Losses as pure functions on tensors.

The last axis is the list (the items of a batch); embeddings add a feature axis after it; every axis before it
broadcasts: groups, models of a stack, or both. A loss returns one value a list.
"""

from skmetric.losses.distance import pairwise_distance
from skmetric.losses.triplet import batch_triplet_loss, block_triplet_loss, triplet_margin_loss
from skmetric.losses.triplet_shares import block_triplet_shares, triplet_shares

__all__ = [
    "batch_triplet_loss",
    "block_triplet_loss",
    "block_triplet_shares",
    "pairwise_distance",
    "triplet_margin_loss",
    "triplet_shares",
]
