"""Exact ranks, largest first: values only, no gradient."""

import numpy as np
import torch
from torch import Tensor

TIES = ("average", "ordinal")


def check_ties(ties: str) -> None:
    """Raise for an unknown way to rank tied values."""
    if ties not in TIES:
        raise ValueError(f"ties must be one of {', '.join(map(repr, TIES))}; got {ties!r}.")


def ranks_of(values: Tensor, is_real: Tensor | None = None, *, ties: str = "average") -> Tensor:
    """Rank of each value in its list (..., n), the largest first, from 1; what is not real has rank 0.

    "average": tied values share the mean of the ranks that they take up; "ordinal": they are ranked by position.
    """
    with torch.no_grad():
        key = -values.detach()
        if is_real is not None:
            # Infinity goes to the end of the order, where nothing real ties with it.
            key = key.clamp_(max=torch.finfo(key.dtype).max).masked_fill_(~is_real, torch.inf)
        order = _argsort(key)
        run = _runs(key.gather(-1, order))
        if ties == "ordinal":
            order = _by_position(order, run)
            rank = torch.arange(1, key.shape[-1] + 1, dtype=key.dtype, device=key.device).expand_as(key)
        else:
            rank = _mean_ranks(run, key.dtype)
        ranks = torch.empty_like(key).scatter_(-1, order, rank)
        return ranks if is_real is None else ranks.masked_fill_(~is_real, 0.0)


# numpy sorts in vector registers: on a CPU ten times faster than torch.


def _argsort(key: Tensor) -> Tensor:
    if key.device.type == "cpu":
        return torch.from_numpy(np.argsort(key.numpy(), axis=-1))
    return torch.argsort(key, dim=-1)


def _sort(key: Tensor) -> Tensor:
    if key.device.type == "cpu":
        return torch.from_numpy(np.sort(key.numpy(), axis=-1))
    return torch.sort(key, dim=-1).values


def _runs(ordered: Tensor) -> Tensor:
    """Number of the run of equal values that each one lies in, from 0."""
    starts = torch.zeros_like(ordered)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    return starts.cumsum(-1).long()


def _by_position(order: Tensor, run: Tensor) -> Tensor:
    """The same order, but each run of equal values in order of position."""
    first = run * order.shape[-1]
    return _sort(first + order).sub_(first)


def _mean_ranks(run: Tensor, dtype: torch.dtype) -> Tensor:
    """Mean of the places of each run, from 1."""
    ones = torch.ones(run.shape, dtype=dtype, device=run.device)
    lengths = torch.zeros_like(ones).scatter_add_(-1, run, ones)
    # The last place of a run, less half of the steps to its first.
    return lengths.cumsum(-1).add_(lengths, alpha=-0.5).add_(0.5).gather(-1, run)
