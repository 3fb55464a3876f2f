"""Arithmetic whose bits do not depend on the stack, and gradients that are known by hand.

torch's own softplus, sigmoid and exp2 round differently in the vectorized body of a loop and in its tail: a model alone
and the same model inside a stack would differ in their last bit. ``exp`` and ``logsigmoid`` do not.
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

    One axis at a time, because a full reduction of one model alone adds up in another order than the same model inside
    a stack: a fit on its own and inside a search would then differ in their last bit.
    """
    for _ in range(n_axes):
        terms = terms.sum(-1)
    return terms


def weighted_mean(terms: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean over the last axis; exactly 0 where nothing has a weight.

    Parameters
    ----------
    terms, weights : Tensor of shape (..., n)
        Finite or not; the weights are not negative.

    Returns
    -------
    Tensor of shape (...)

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
    """log(1 + exp(x)), without turning linear anywhere."""
    return -logsigmoid(-x)


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x)), for values only: far out its automatic gradient is NaN."""
    return x.detach().neg().exp_().add_(1).reciprocal_()


def exp2(x: Tensor) -> Tensor:
    """2 to the power of x."""
    return (x * math.log(2)).exp()


def with_slopes(argument: Tensor, value: Tensor, slopes: Tensor) -> Tensor:
    """A value a list (...) whose derivatives by the argument (..., *axes) are known: what autograd is to pass on."""
    known: Tensor = _WithSlopes.apply(argument, value, slopes)
    return known


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
