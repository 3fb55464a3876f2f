"""The items of a list to rank: scores, relevance and weights, with masked items set to 0."""

from typing import NamedTuple

import torch
from torch import Tensor

from skmetric.losses._arguments import per_item
from skmetric.losses._kept import Keep


class Items(NamedTuple):
    """One value per item, all of shape (..., n). Items that are not real have score, relevance and weight 0."""

    scores: Tensor
    relevance: Tensor
    weights: Tensor
    is_real: Tensor


def items_of(scores: Tensor, relevance: Tensor, mask: Tensor | None, weights: Tensor | None, keep: Keep) -> Items:
    """Check the shapes, and set all values of items that are not real to 0.

    ``keep`` says what the loss depends on: the values of the relevance, their differences, or their order.
    """
    relevance = per_item("relevance", relevance, scores.shape)
    if weights is None:
        weights = torch.ones_like(scores, requires_grad=False)
    weights = per_item("weights", weights, scores.shape).to(scores.dtype)
    if mask is None:
        is_real = torch.ones_like(scores, dtype=torch.bool)
        return Items(scores, keep(relevance, is_real, scores.dtype), weights, is_real)
    mask = per_item("mask", mask, scores.shape)
    relevance = keep(relevance, mask, scores.dtype)
    scores, relevance, weights = (values.masked_fill(~mask, 0.0) for values in (scores, relevance, weights))
    return Items(scores, relevance, weights, mask)
