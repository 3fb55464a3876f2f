"""Layers with a leading stack axis: every tensor has the shape (n_models, n_items, n_features)."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

from skmetric._bits import REGISTER

__all__ = ["ALL", "StackedLinear", "rows_of", "unit_length"]

ALL = slice(None)


class StackedLinear(nn.Module):
    """One affine map per model.

    Parameters
    ----------
    n_in, n_out : int
        Number of inputs and outputs.
    rngs : sequence of numpy.random.Generator
        One generator per model. It draws the initial weights, uniform within ``1 / sqrt(n_used)``.
    n_used : sequence of int
        Number of inputs that each model uses. The weights of the other inputs are 0, and none are drawn for them.
    """

    def __init__(self, n_in: int, n_out: int, rngs: Sequence[np.random.Generator], n_used: Sequence[int]) -> None:
        super().__init__()
        bounds = [1 / math.sqrt(max(each, 1)) for each in n_used]
        weight = np.zeros((len(rngs), n_in, n_out), dtype=np.float32)
        for model, (rng, bound, n_rows) in enumerate(zip(rngs, bounds, n_used, strict=True)):
            weight[model, :n_rows] = rng.uniform(-bound, bound, (n_rows, n_out))
        bias = [rng.uniform(-bound, bound, (1, n_out)) for rng, bound in zip(rngs, bounds, strict=True)]
        self.weight = nn.Parameter(torch.from_numpy(weight))
        self.bias = nn.Parameter(torch.from_numpy(np.stack(bias).astype(np.float32)))

    def forward(self, x: Tensor, models: slice = ALL) -> Tensor:
        """Map (n_models, n, n_in) to (n_models, n, n_out)."""
        weight, bias = rows_of(self.weight, models), rows_of(self.bias, models)
        n_in, n_out = weight.shape[-2:]
        # Padded to whole vector registers. For other widths, the rounding of matrix products depends on the position of
        # a model in memory, and on how threads divide the work.
        missing_in, missing_out = -n_in % REGISTER, -n_out % REGISTER
        if missing_in:
            x, weight = pad(x, (0, missing_in)), pad(weight, (0, 0, 0, missing_in))
        if missing_out == 0:
            return torch.baddbmm(bias, x, weight)
        return torch.baddbmm(pad(bias, (0, missing_out)), x, pad(weight, (0, missing_out)))[..., :n_out]


def rows_of(stacked: Tensor, models: slice) -> Tensor:
    """Return the rows of some models. For all models, avoid a slice, because its gradient would copy the rows."""
    return stacked if models == ALL else stacked[models]


def unit_length(x: Tensor) -> Tensor:
    """Scale rows to length 1, smoothly at the origin, where a plain quotient would have an unbounded gradient."""
    scaled: Tensor = _UnitLength.apply(x)
    return scaled


class _UnitLength(torch.autograd.Function):
    r"""Rows divided by :math:`r = \sqrt{\lVert x \rVert^2 + \epsilon}`. Gradient: :math:`(g - y (y \cdot g)) / r`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        inverse = x.square().sum(-1, keepdim=True).add_(1e-12).rsqrt_()
        y = x * inverse
        ctx.save_for_backward(y, inverse)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        y, inverse = ctx.saved_tensors
        along = (gradient * y).sum(-1, keepdim=True)
        return torch.addcmul(gradient, y, along, value=-1).mul_(inverse)
