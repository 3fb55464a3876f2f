"""Time of RankSim, forward and backward, compared with loops over rows written from the paper's formulas."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import mse_loss, normalize

from benchmarks.harness import Figure, alternate, at_least, compare, stopwatch
from benchmarks.one_thread import one_thread
from skmetric.losses import ranksim_loss

__all__ = ["default_loss", "gradient", "make_batch", "plain_loop", "published_loss", "row_loop", "run"]

STRENGTH = 2.0
N_FEATURES = 64
TARGETS = {8: None, 64: None, 256: at_least(8.0)}
# Maximum difference of values and gradients of the two sides, in double precision.
TOLERANCE = 1e-10

Loss = Callable[[Tensor, Tensor], Tensor]


class RowRanks(torch.autograd.Function):
    """Ranks of one row from 1 / m, the largest value first, ties by position. The gradient is interpolated."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        ranks = row_ranks(values)
        ctx.save_for_backward(values, ranks)
        return ranks

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> Tensor:
        values, ranks = ctx.saved_tensors
        return (row_ranks(values + STRENGTH * slopes) - ranks) / STRENGTH


def plain_loop(features: Tensor, labels: Tensor) -> Tensor:
    """Compute the loss as in the formulas: row by row of the matrix, with ranks by sorting twice."""
    directions = normalize(features, dim=-1)
    similarity = directions @ directions.T
    total = features.new_zeros(())
    for i in range(len(labels)):
        total = total + mse_loss(PlainRanks.apply(similarity[i]), plain_ranks(-(labels[i] - labels).abs()))
    return total


class PlainRanks(RowRanks):
    """The ranks of RowRanks, by sorting twice."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        ranks = plain_ranks(values)
        ctx.save_for_backward(values, ranks)
        return ranks

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> Tensor:
        values, ranks = ctx.saved_tensors
        return (plain_ranks(values + STRENGTH * slopes) - ranks) / STRENGTH


def plain_ranks(values: Tensor) -> Tensor:
    return (values.argsort(descending=True, stable=True).argsort() + 1).to(values.dtype) / len(values)


def row_ranks(values: Tensor) -> Tensor:
    m = len(values)
    order = values.argsort(descending=True, stable=True)
    return torch.empty_like(values).scatter_(0, order, torch.arange(1, m + 1, dtype=values.dtype)) / m


def row_loop(features: Tensor, labels: Tensor) -> Tensor:
    """Compute the sum over rows of the mean squared difference between the ranks in features and in labels."""
    directions = normalize(features, dim=-1)
    # Unbound once, because the gradient of each similarity[i] would be a matrix of zeros except for one row.
    rows = (directions @ directions.T).unbind()
    total = features.new_zeros(())
    for row, label in zip(rows, labels, strict=True):
        total = total + mse_loss(RowRanks.apply(row), row_ranks(-(label - labels).abs()))
    return total


def published_loss(features: Tensor, labels: Tensor) -> Tensor:
    return ranksim_loss(
        features, labels, interpolation_strength=STRENGTH, similarity="cosine", ties="ordinal", scale_free=False
    )


def default_loss(features: Tensor, labels: Tensor) -> Tensor:
    return ranksim_loss(features, labels, interpolation_strength=STRENGTH)


def make_batch(m: int) -> tuple[Tensor, Tensor]:
    """Draw rows and different labels in double precision. In single precision, rounding changes some ranks."""
    draw = torch.Generator().manual_seed(0)
    features = torch.randn(m, N_FEATURES, generator=draw, dtype=torch.float64)
    return features.requires_grad_(), torch.randn(m, generator=draw, dtype=torch.float64)


def gradient(loss: Loss, features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the value and the gradient of a loss."""
    value = loss(features, labels)
    return value.detach(), torch.autograd.grad(value, features)[0]


def run(*, quick: bool) -> Iterator[Figure]:
    """Compare times at several batch sizes on one thread, after checking that both sides compute the same."""
    rounds = 3 if quick else 15
    for m, target in TARGETS.items():
        features, labels = make_batch(m)
        _check_same(features, labels)
        features, labels = features.detach().float().requires_grad_(), labels.float()
        sides = {"plain loop": plain_loop, "loop": row_loop, "ours": published_loss, "default": default_loss}
        with one_thread():
            watches = {side: stopwatch(partial(gradient, loss, features, labels)) for side, loss in sides.items()}
            taken = alternate(watches, rounds)
        yield compare(f"published form, M={m}: time of plain loop / ours", taken, "plain loop", "ours", target=target)
        yield compare(f"published form, M={m}: time of fastest loop / ours", taken, "loop", "ours", target=target)
    figure = compare(f"default form, M={m}: time of loop / default", taken, "loop", "default")
    yield replace(figure, note=f"{figure.note}; the loop computes the published form, so no target")


def _check_same(features: Tensor, labels: Tensor) -> None:
    ours = gradient(published_loss, features, labels)
    for loop in (row_loop, plain_loop):
        for mine, theirs in zip(ours, gradient(loop, features, labels), strict=True):
            difference = float((mine - theirs).abs().max())
            if not difference <= TOLERANCE:
                raise AssertionError(f"the two sides differ by {difference:.1e}: they do not compute the same")
