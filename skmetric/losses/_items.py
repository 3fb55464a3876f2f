"""The items of a list to rank: scores, relevance and weights, with masked items set to 0."""

from typing import NamedTuple

import torch
from torch import Tensor

from skmetric.losses._arguments import per_item


class Items(NamedTuple):
    """One value per item, all of shape (..., n). Items that are not real have score, relevance and weight 0."""

    scores: Tensor
    relevance: Tensor
    weights: Tensor
    is_real: Tensor


def items_of(scores: Tensor, relevance: Tensor, mask: Tensor | None, weights: Tensor | None) -> Items:
    """Check the shapes, and set all values of items that are not real to 0."""
    relevance = per_item("relevance", relevance, scores.shape).to(scores.dtype)
    if weights is None:
        weights = torch.ones_like(scores, requires_grad=False)
    weights = per_item("weights", weights, scores.shape).to(scores.dtype)
    if mask is None:
        return Items(scores, relevance, weights, torch.ones_like(scores, dtype=torch.bool))
    mask = per_item("mask", mask, scores.shape)
    scores, relevance, weights = (values.masked_fill(~mask, 0.0) for values in (scores, relevance, weights))
    return Items(scores, relevance, weights, mask)
