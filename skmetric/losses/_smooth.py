"""Smooth steps that give the same bits wherever an element lies.

torch's own softplus, sigmoid and exp2 round differently in the vectorised body of a loop and in its tail: a model alone
and the same model inside a stack would part in their last bit. ``exp`` and ``logsigmoid`` do not.
"""

import math

from torch import Tensor
from torch.nn.functional import logsigmoid

__all__ = ["exp2", "sigmoid", "softplus"]


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)), without turning linear anywhere."""
    return -logsigmoid(-x)


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x)), for values only: far out its automatic gradient is NaN."""
    return x.detach().neg().exp_().add_(1).reciprocal_()


def exp2(x: Tensor) -> Tensor:
    """2 to the power of x."""
    return (x * math.log(2)).exp()
