"""The batch-all triplet loss, forward and backward, beside pytorch-metric-learning's."""

from collections.abc import Callable, Iterator

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from torch import Tensor

from benchmarks.harness import Figure, alternate, at_least, at_most, compare, in_fresh_process, stopwatch
from skmetric.losses import batch_triplet_loss, block_triplet_loss

__all__ = ["run"]

MARGIN = 0.2
N_FEATURES = 16
TARGETS = {128: 4.0, 256: 6.0, 512: 15.0}
MEMORY_SIZES = {"ours": 4096, "peer": 512}
QUICK_MEMORY_SIZES = {"ours": 512, "peer": 128}
TARGET_GB = 1.5
# How far values and gradients of the two sides may differ, relative to their length, in double precision: in single
# precision rounding decides on which side of its margin a triplet falls, and one triplet is 4e-5 of a gradient.
TOLERANCE = 1e-8

Loss = Callable[[Tensor, Tensor], Tensor]


def run(*, quick: bool) -> Iterator[Figure]:
    """Ratios of times at several batch sizes, peak memory, and the block route beside the general one."""
    for n, target in list(TARGETS.items())[: 1 if quick else None]:
        yield _batch_all(n, target, rounds=3 if quick else 15)
    for side, n in (QUICK_MEMORY_SIZES if quick else MEMORY_SIZES).items():
        yield _peak_memory(side, n)
    yield _block(rounds=3 if quick else 15)


def ours(embeddings: Tensor, labels: Tensor) -> Tensor:
    return batch_triplet_loss(embeddings, labels, margin=MARGIN, mining="all")


def make_peer() -> Loss:
    """Its reducer averages over the positive hinges, as ours does."""
    return TripletMarginLoss(margin=MARGIN, distance=LpDistance(normalize_embeddings=False))


def make_batch(n: int, n_classes: int = 8) -> tuple[Tensor, Tensor]:
    """Rows of unit length, and balanced labels in random order."""
    draw = torch.Generator().manual_seed(0)
    rows = torch.nn.functional.normalize(torch.randn(n, N_FEATURES, generator=draw), dim=-1)
    labels = (torch.arange(n) % n_classes)[torch.randperm(n, generator=draw)]
    return rows.requires_grad_(), labels


def gradient(loss: Loss, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Value and gradient."""
    value = loss(embeddings, labels)
    return value.detach(), torch.autograd.grad(value, embeddings)[0]


def _batch_all(n: int, target: float, rounds: int) -> Figure:
    peer, batch = make_peer(), make_batch(n)
    _check_same(batch[0], lambda x: ours(x, batch[1]), lambda x: peer(x, batch[1]))
    sides = {
        "peer": stopwatch(lambda: gradient(peer, *batch)),
        "ours": stopwatch(lambda: gradient(ours, *batch)),
    }
    return compare(
        f"batch-all, n={n}: time of peer / ours", alternate(sides, rounds), "peer", "ours", target=at_least(target)
    )


def _peak_memory(side: str, n: int) -> Figure:
    growth = float(in_fresh_process("benchmarks.peak_memory", side, str(n)))
    return Figure(
        f"batch-all, n={n}: peak memory, {side}", growth, "GB", at_most(TARGET_GB) if side == "ours" else None
    )


def _block(rounds: int, n_classes: int = 10, samples_per_class: int = 6) -> Figure:
    n = n_classes * samples_per_class
    embeddings, _ = make_batch(n)
    rows, labels = torch.arange(n), torch.arange(n) // samples_per_class

    def general(x: Tensor, labels: Tensor) -> Tensor:
        return batch_triplet_loss(x, labels, margin=MARGIN)

    def block(x: Tensor, rows: Tensor) -> Tensor:
        return block_triplet_loss(x, rows, samples_per_class=samples_per_class, margin=MARGIN)

    _check_same(embeddings, lambda x: general(x, labels), lambda x: block(x, rows))
    sides = {
        "general": stopwatch(lambda: gradient(general, embeddings, labels)),
        "block": stopwatch(lambda: gradient(block, embeddings, rows)),
    }
    return compare(
        f"semihard, {n_classes} x {samples_per_class}: time of general / block",
        alternate(sides, rounds),
        "general",
        "block",
    )


def _check_same(embeddings: Tensor, *losses: Callable[[Tensor], Tensor]) -> None:
    exact = embeddings.detach().double().requires_grad_()
    one, other = (gradient(lambda x, _, loss=loss: loss(x), exact, exact) for loss in losses)
    for a, b in zip(one, other, strict=True):
        difference = float((a - b).norm() / b.norm())
        if not difference <= TOLERANCE:
            raise AssertionError(f"the two sides differ by {difference:.1e}: they compute something else")
