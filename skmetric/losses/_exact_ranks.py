"""Exact ranks, the largest value first, without a gradient."""

import numpy as np
import torch
from torch import Tensor

TIES = ("average", "ordinal")


def check_ties(ties: str) -> None:
    """Raise for an unknown way to rank tied values."""
    if ties not in TIES:
        raise ValueError(f"ties must be one of {', '.join(map(repr, TIES))}, got {ties!r}.")


def ranks_of(
    values: Tensor, is_real: Tensor | None = None, *, ties: str = "average", dtype: torch.dtype | None = None
) -> Tensor:
    """Rank the values of a list (..., n) from 1, the largest first; values that are not real have rank 0.

    With "average", tied values share the mean of their ranks. With "ordinal", they are ranked by position. Values are
    compared in their own type; ``dtype`` is that of the ranks, by default the same.
    """
    with torch.no_grad():
        dtype = values.dtype if dtype is None else dtype
        key = _descending(values.detach(), is_real)
        order = _argsort(key)
        run = _runs(key.gather(-1, order))
        if ties == "ordinal":
            order = _by_position(order, run)
            rank = torch.arange(1, key.shape[-1] + 1, dtype=dtype, device=key.device).expand_as(key)
        else:
            rank = _mean_ranks(run, dtype)
        ranks = torch.empty_like(key, dtype=dtype).scatter_(-1, order, rank)
        return ranks if is_real is None else ranks.masked_fill_(~is_real, 0.0)


def _descending(values: Tensor, is_real: Tensor | None) -> Tensor:
    """Return keys that sort the largest value first, and values that are not real to the end, tied with no real one."""
    if values.is_floating_point():
        key, end = -values, torch.inf
        largest = torch.finfo(values.dtype).max
    else:
        key = ~values.long()  # minus the value, less 1: the smallest integer has no negative
        end = torch.iinfo(key.dtype).max
        largest = end - 1
    return key if is_real is None else key.clamp_(max=largest).masked_fill_(~is_real, end)


# numpy sorts in vector registers, which is ten times faster than torch on a CPU.


def _argsort(key: Tensor) -> Tensor:
    if key.device.type == "cpu":
        return torch.from_numpy(np.argsort(key.numpy(), axis=-1))
    return torch.argsort(key, dim=-1)


def _sort(key: Tensor) -> Tensor:
    if key.device.type == "cpu":
        return torch.from_numpy(np.sort(key.numpy(), axis=-1))
    return torch.sort(key, dim=-1).values


def _runs(ordered: Tensor) -> Tensor:
    """Number the runs of equal values from 0, and return the run of each value."""
    starts = torch.zeros_like(ordered)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    return starts.cumsum(-1).long()


def _by_position(order: Tensor, run: Tensor) -> Tensor:
    """Return the same order, with each run of equal values sorted by position."""
    first = run * order.shape[-1]
    return _sort(first + order).sub_(first)


def _mean_ranks(run: Tensor, dtype: torch.dtype) -> Tensor:
    """Mean of the ranks in the run of each value, from 1."""
    ones = torch.ones(run.shape, dtype=dtype, device=run.device)
    lengths = torch.zeros_like(ones).scatter_add_(-1, run, ones)
    # The last rank of a run, minus half of the distance to its first rank.
    return lengths.cumsum(-1).add_(lengths, alpha=-0.5).add_(0.5).gather(-1, run)
