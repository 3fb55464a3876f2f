"""Convert numbers of items to the type of the scores, and keep what a loss depends on: values, differences, or order.

A cast to a narrower type alone would merge numbers that lie far from zero, such as times in seconds.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from skmetric.losses._exact_ranks import ranks_of

# Takes numbers (..., n), which of them are real, and the type of the result. Numbers that are not real may become any.
Keep = Callable[[Tensor, Tensor, torch.dtype], Tensor]


def is_exact(source: torch.dtype, target: torch.dtype) -> bool:
    """Return whether a floating type holds all numbers of another type."""
    if source == torch.bool:
        return True
    if source.is_floating_point:
        return torch.finfo(source).bits <= torch.finfo(target).bits
    return torch.iinfo(source).max * torch.finfo(target).eps <= 2


def keep_values(values: Tensor, is_real: Tensor, dtype: torch.dtype) -> Tensor:
    """Keep each number, rounded to the type."""
    return values.to(dtype)


def keep_differences(values: Tensor, is_real: Tensor, dtype: torch.dtype) -> Tensor:
    """Keep differences within a list: shift it to a smallest number of 0 if the type does not hold all numbers."""
    if is_exact(values.dtype, dtype) or values.shape[-1] == 0:
        return values.to(dtype)
    if values.is_floating_point():
        smallest = values.detach().masked_fill(~(is_real & values.isfinite()), torch.inf).amin(-1, keepdim=True)
        return (values - smallest.where(smallest.isfinite(), 0.0)).to(dtype)
    values = values.long()
    smallest = values.masked_fill(~is_real, torch.iinfo(values.dtype).max).amin(-1, keepdim=True)
    above = values - smallest
    # A difference of 2^63 or more wraps around to a negative number.
    return above.to(dtype) + (above < 0) * 2.0**64


def keep_order(values: Tensor, is_real: Tensor, dtype: torch.dtype) -> Tensor:
    """Keep the order and the ties of a list, and its NaN: take ranks if the type does not hold all numbers."""
    if is_exact(values.dtype, dtype):
        return values.to(dtype)
    return ranks_of(values, is_real, dtype=dtype).neg_().masked_fill_(values.isnan(), torch.nan)
