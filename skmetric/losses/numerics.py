"""Functions whose bits do not depend on the size of the stack, and values with gradients computed by hand.

torch's softplus, sigmoid and exp2 round differently in the vectorized part of a loop and in its remainder. With them, a
model alone and the same model inside a stack would differ in the last bit. ``exp`` and ``logsigmoid`` do not have this
problem.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import logsigmoid

__all__ = ["exp2", "sigmoid", "softplus", "sum_last", "weighted_mean", "with_slopes"]


def sum_last(terms: Tensor, n_axes: int) -> Tensor:
    """Sum over the last axes, one at a time.

    A reduction over several axes at once adds up in a different order for one model alone and for the same model inside
    a stack. A single fit and a fit inside a search would then differ in the last bit.
    """
    for _ in range(n_axes):
        terms = terms.sum(-1)
    return terms


def weighted_mean(terms: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean over the last axis; exactly 0 if all weights are 0.

    Parameters
    ----------
    terms, weights : Tensor of shape (..., n)
        Terms to average, and their weights, which must not be negative. A term that is not finite is not hidden by a
        weight of 0: the mean is then NaN.

    Returns
    -------
    Tensor of shape (...)
        One mean per list.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses.numerics import weighted_mean
    >>> weighted_mean(torch.tensor([1.0, 3.0, 100.0]), torch.tensor([1.0, 1.0, 0.0]))
    tensor(2.)
    """
    total = sum_last(weights, 1)
    return sum_last(weights * terms, 1) / total.where(total > 0, 1.0)


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)), without a linear approximation for large x."""
    return -logsigmoid(-x)


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x)), without a gradient: the automatic one is NaN for very negative x."""
    return x.detach().neg().exp_().add_(1).reciprocal_()


def exp2(x: Tensor) -> Tensor:
    """2 to the power of x."""
    return (x * math.log(2)).exp()


def with_slopes(argument: Tensor, value: Tensor, slopes: Tensor) -> Tensor:
    """Return ``value`` (...), one per list, with ``slopes`` (..., *axes) as its derivatives by ``argument``."""
    result: Tensor = _WithSlopes.apply(argument, value, slopes)
    return result


class _WithSlopes(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, argument: Tensor, value: Tensor, slopes: Tensor) -> Tensor:
        del argument
        ctx.save_for_backward(slopes)
        return value.view_as(value)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (slopes,) = ctx.saved_tensors
        return gradient[(..., *[None] * (slopes.ndim - gradient.ndim))] * slopes, None, None
