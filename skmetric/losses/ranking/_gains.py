"""The parts of NDCG: gains, ranks and discounts."""

import torch
from torch import Tensor

from skmetric.losses.numerics import exp2, sum_last

GAINS = ("exponential", "linear")


def gains(relevance: Tensor, gain: str) -> Tensor:
    """Gain of each item: what it adds to DCG at rank 1."""
    if gain not in GAINS:
        raise ValueError(f"gain must be one of {', '.join(map(repr, GAINS))}, got {gain!r}.")
    return exp2(relevance) - 1 if gain == "exponential" else relevance


def ranks(scores: Tensor, is_real: Tensor) -> Tensor:
    """Rank items by score, from 1 for the highest; equal scores in order of position, items that are not real last."""
    order = scores.masked_fill(~is_real, -torch.inf).sort(dim=-1, descending=True, stable=True).indices
    position = torch.arange(1, scores.shape[-1] + 1, device=scores.device, dtype=scores.dtype)
    return torch.empty_like(scores).scatter_(-1, order, position.expand(order.shape))


def discounts(rank: Tensor, k: int | None = None) -> Tensor:
    """Discount of the gain at a (whole or fractional) rank: 1 / log2(1 + rank), and 0 beyond rank k."""
    discount = 1 / torch.log2(1 + rank)
    return discount if k is None else discount * (rank <= k)


def ideal_dcg(gained: Tensor, k: int | None = None) -> Tensor:
    """DCG of the best order of each list, (...)."""
    best = gained.sort(-1, descending=True).values
    position = torch.arange(1, gained.shape[-1] + 1, device=gained.device, dtype=gained.dtype)
    return sum_last(best * discounts(position, k), 1)
