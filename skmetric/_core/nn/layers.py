"""Layers that carry a leading stack axis: every tensor is (models, items, features)."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

__all__ = ["ALL", "InputScaling", "StackedLinear", "Table", "unit_length"]

ALL = slice(None)

# Rows (n, n_features), and how much each of them counts; None where all do alike.
Table = tuple[NDArray, NDArray | None]
# Columns that every matrix product is padded to a multiple of.
REGISTER = 8
# Standardised values are cut here, far beyond where bending them has done its work, lest their squares overflow.
FARTHEST = 1e9


class StackedLinear(nn.Module):
    """One affine map a model.

    Parameters
    ----------
    n_in, n_out : int
        Widths.
    rngs : sequence of numpy.random.Generator
        One a model; each draws the initial weights of its own model, uniform within ``1 / sqrt(n_in)``.
    """

    def __init__(self, n_in: int, n_out: int, rngs: Sequence[np.random.Generator]) -> None:
        super().__init__()
        bound = 1 / math.sqrt(max(n_in, 1))

        def draw(n_rows: int) -> nn.Parameter:
            each = [rng.uniform(-bound, bound, (n_rows, n_out)).astype(np.float32) for rng in rngs]
            return nn.Parameter(torch.from_numpy(np.stack(each)))

        self.weight = draw(n_in)
        self.bias = draw(1)

    def forward(self, x: Tensor, models: slice = ALL) -> Tensor:
        """Map (models, n, n_in) to (models, n, n_out)."""
        weight, bias = _of(self.weight, models), _of(self.bias, models)
        n_in, n_out = weight.shape[-2:]
        # Padded to whole vector registers: matrix products of odd widths round by where a model lies in memory, and by
        # how threads share them out.
        missing_in, missing_out = -n_in % REGISTER, -n_out % REGISTER
        if missing_in:
            x, weight = pad(x, (0, missing_in)), pad(weight, (0, 0, 0, missing_in))
        if missing_out == 0:
            return torch.baddbmm(bias, x, weight)
        return torch.baddbmm(pad(bias, (0, missing_out)), x, pad(weight, (0, missing_out)))[..., :n_out]


class InputScaling(nn.Module):
    r"""Standardise each column, then bend far values smoothly: :math:`z / \sqrt{1 + (z / c)^2}`.

    Near the mean nothing changes; no value ends up farther than ``c`` standard deviations out. Shift and scale of a
    column therefore do not matter, and a heavy tail or a rarely used column cannot dominate. Columns that
    have not varied yet become 0.

    Parameters
    ----------
    n_models, n_features : int
        The shape of the stack.
    limit : float
        The bound c, in standard deviations.
    """

    center: Tensor
    inverse_scale: Tensor

    def __init__(self, n_models: int, n_features: int, *, limit: float = 3.0) -> None:
        super().__init__()
        self.limit = limit
        self.register_buffer("center", torch.zeros(n_models, 1, n_features, dtype=torch.float32, device="cpu"))
        self.register_buffer("inverse_scale", torch.zeros(n_models, 1, n_features, dtype=torch.float32, device="cpu"))

    def fit(self, tables: Sequence[Table]) -> None:
        """Take each model's means and standard deviations from its own table (n, n_features), weighted by row.

        Columns that have been scaled before stay as they are: a network that learns on keeps its inputs.
        """
        moments = {(id(rows), id(weights)): (rows, weights) for rows, weights in tables}
        known = {key: _moments(*table) for key, table in moments.items()}
        with torch.no_grad():
            for model, (table, weights) in enumerate(tables):
                mean, std = known[id(table), id(weights)]
                # Rounding leaves a constant column a tiny spread; dividing by that would turn rounding into signal.
                varies = std > 1e-6 * np.abs(mean)
                is_new = torch.from_numpy(varies) & (self.inverse_scale[model, 0] == 0)
                inverse = np.divide(1.0, std, out=np.zeros_like(std), where=varies)
                self.center[model, 0][is_new] = torch.from_numpy(mean).float()[is_new]
                self.inverse_scale[model, 0][is_new] = torch.from_numpy(inverse).float()[is_new]

    def forward(self, x: Tensor, models: slice = ALL) -> Tensor:
        """Scale (models, n, n_features)."""
        z = ((x - _of(self.center, models)) * _of(self.inverse_scale, models)).clamp_(-FARTHEST, FARTHEST)
        return z * (z / self.limit).square_().add_(1.0).rsqrt_()


def _of(stacked: Tensor, models: slice) -> Tensor:
    """Return the rows of some models; of all, without a slice, whose gradient would copy them."""
    return stacked if models == ALL else stacked[models]


def _moments(
    table: NDArray, weights: NDArray | None, chunk: int = 1 << 16
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and standard deviations of the columns, read in pieces so that a table on disk is never copied whole."""
    shares = np.full(len(table), 1 / len(table)) if weights is None else weights / weights.sum()
    mean, square = np.zeros(table.shape[1]), np.zeros(table.shape[1])
    for block in (slice(start, start + chunk) for start in range(0, len(table), chunk)):
        mean += (shares[block, None] * table[block]).sum(0)
    for block in (slice(start, start + chunk) for start in range(0, len(table), chunk)):
        square += (shares[block, None] * np.square(table[block] - mean)).sum(0)
    return mean, np.sqrt(square)


def unit_length(x: Tensor) -> Tensor:
    """Scale rows to length 1, smoothly at the origin, where a plain quotient would have an unbounded slope."""
    scaled: Tensor = _UnitLength.apply(x)
    return scaled


class _UnitLength(torch.autograd.Function):
    r"""Rows over :math:`r = \sqrt{\lVert x \rVert^2 + \epsilon}`; the gradient is :math:`(g - y (y \cdot g)) / r`."""

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
