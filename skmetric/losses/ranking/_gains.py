"""What NDCG is made of: gains, ranks and discounts."""

import torch
from torch import Tensor

from skmetric.losses.numerics import exp2, sum_last

GAINS = ("exponential", "linear")


def gains(relevance: Tensor, gain: str) -> Tensor:
    """What an item at rank 1 adds."""
    if gain not in GAINS:
        raise ValueError(f"gain must be one of {', '.join(map(repr, GAINS))}; got {gain!r}.")
    return exp2(relevance) - 1 if gain == "exponential" else relevance


def ranks(scores: Tensor, is_real: Tensor) -> Tensor:
    """1 for the highest score of a list; of equal scores the earlier item comes first. Items not real come last."""
    order = scores.masked_fill(~is_real, -torch.inf).sort(dim=-1, descending=True, stable=True).indices
    place = torch.arange(1, scores.shape[-1] + 1, device=scores.device, dtype=scores.dtype)
    return torch.empty_like(scores).scatter_(-1, order, place.expand(order.shape))


def discounts(rank: Tensor, k: int | None = None) -> Tensor:
    """Share of its gain that an item at a (whole or fractional) rank adds: 1 / log2(1 + rank), 0 beyond k."""
    discount = 1 / torch.log2(1 + rank)
    return discount if k is None else discount * (rank <= k)


def ideal_dcg(gained: Tensor, k: int | None = None) -> Tensor:
    """DCG of the best order of a list, (...)."""
    best = gained.sort(-1, descending=True).values
    place = torch.arange(1, gained.shape[-1] + 1, device=gained.device, dtype=gained.dtype)
    return sum_last(best * discounts(place, k), 1)
