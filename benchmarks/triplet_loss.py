"""Time and memory of the batch-all triplet loss, compared with pytorch-metric-learning."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from torch import Tensor

from benchmarks.harness import Figure, Target, alternate, at_least, at_most, compare, in_fresh_process, stopwatch
from skmetric.losses import batch_triplet_loss, block_triplet_loss

__all__ = ["BATCH_ALL", "gradient", "make_batch", "run"]

MARGIN = 0.2
N_FEATURES = 16
TARGETS = {128: 4.0, 256: 6.0, 512: 15.0}
MEMORY_SIZES = {"ours": 4096, "peer": 512}
QUICK_MEMORY_SIZES = {"ours": 512, "peer": 128}
MEMORY_TARGETS_GB = {"ours": at_most(1.5)}
# Maximum difference of values and gradients of the two sides, relative to their length, in double precision. In single
# precision, rounding decides whether a triplet violates the margin, and one triplet is 4e-5 of a gradient.
TOLERANCE = 1e-8

Loss = Callable[[Tensor], Tensor]


def run(*, quick: bool) -> Iterator[Figure]:
    """Compare times at several batch sizes, peak memory, and the loss of blocks with that of any labels."""
    rounds = 3 if quick else 15
    for n, target in list(TARGETS.items())[: 1 if quick else None]:
        embeddings, labels = make_batch(n)
        sides = {side: BATCH_ALL[side](labels) for side in ("peer", "ours")}
        yield _race(f"batch-all, n={n}", embeddings, sides, rounds, at_least(target))
    for side, n in (QUICK_MEMORY_SIZES if quick else MEMORY_SIZES).items():
        growth = float(in_fresh_process("benchmarks.peak_memory", "triplet", side, str(n)))
        yield Figure(f"batch-all, n={n}: peak memory, {side}", growth, "GB", MEMORY_TARGETS_GB.get(side))
    yield _race_blocks(rounds)


def our_batch_all(labels: Tensor) -> Loss:
    return lambda embeddings: batch_triplet_loss(embeddings, labels, margin=MARGIN, mining="all")


def peer_batch_all(labels: Tensor) -> Loss:
    """Return the loss of the peer, which averages over the positive hinges, as ours does."""
    loss = TripletMarginLoss(margin=MARGIN, distance=LpDistance(normalize_embeddings=False))
    return lambda embeddings: loss(embeddings, labels)


BATCH_ALL: Mapping[str, Callable[[Tensor], Loss]] = {"ours": our_batch_all, "peer": peer_batch_all}


def make_batch(n: int, n_classes: int = 8) -> tuple[Tensor, Tensor]:
    """Draw rows of unit length, and balanced labels in random order."""
    draw = torch.Generator().manual_seed(0)
    rows = torch.nn.functional.normalize(torch.randn(n, N_FEATURES, generator=draw), dim=-1)
    labels = (torch.arange(n) % n_classes)[torch.randperm(n, generator=draw)]
    return rows.requires_grad_(), labels


def gradient(loss: Loss, embeddings: Tensor) -> tuple[Tensor, Tensor]:
    """Return the value and the gradient of a loss."""
    value = loss(embeddings)
    return value.detach(), torch.autograd.grad(value, embeddings)[0]


def _race_blocks(rounds: int, n_classes: int = 10, samples_per_class: int = 6) -> Figure:
    embeddings, _ = make_batch(n_classes * samples_per_class)
    rows = torch.arange(len(embeddings))
    labels = rows // samples_per_class
    sides: dict[str, Loss] = {
        "general": lambda x: batch_triplet_loss(x, labels, margin=MARGIN),
        "block": lambda x: block_triplet_loss(x, rows, samples_per_class=samples_per_class, margin=MARGIN),
    }
    return _race(f"semihard, {n_classes} x {samples_per_class}", embeddings, sides, rounds)


def _race(
    name: str, embeddings: Tensor, sides: Mapping[str, Loss], rounds: int, target: Target | None = None
) -> Figure:
    """Measure how many times faster the second side is, after checking that both compute the same."""
    slow, fast = sides
    _check_same(embeddings, sides[slow], sides[fast])
    watches = {side: stopwatch(partial(gradient, loss, embeddings)) for side, loss in sides.items()}
    return compare(f"{name}: time of {slow} / {fast}", alternate(watches, rounds), slow, fast, target=target)


def _check_same(embeddings: Tensor, one: Loss, other: Loss) -> None:
    exact = embeddings.detach().double().requires_grad_()
    for a, b in zip(gradient(one, exact), gradient(other, exact), strict=True):
        difference = float((a - b).norm() / b.norm())
        if not difference <= TOLERANCE:
            raise AssertionError(f"the two sides differ by {difference:.1e}: they do not compute the same")
