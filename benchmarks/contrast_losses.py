"""Time and memory of contrastive losses over labeled batches, compared with pytorch-metric-learning."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from time import perf_counter
from typing import Any

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import ContrastiveLoss, NCALoss, NTXentLoss, SupConLoss
from torch import Tensor

from benchmarks.harness import Figure, alternate, at_least, compare, in_fresh_process, stopwatch
from benchmarks.triplet_loss import gradient, make_batch
from skmetric.losses import batch_contrastive_loss, info_nce_loss, nca_loss, sup_con_loss

__all__ = ["LOSSES", "relative_differences", "run"]

TEMPERATURE = 0.1
MARGIN = 1.0
# The InfoNCE of the peer compares all positive pairs with all negative pairs, so it grows with the fourth power of n.
N_INFO_NCE, QUICK_N_INFO_NCE = 256, 64
N_CHECK = 64
SIZES = (256, 512)
TARGET = at_least(100.0)
# Maximum difference of values and gradients of the two sides, relative to their length.
TOLERANCES = {torch.float64: 1e-12, torch.float32: 1e-5}

Loss = Callable[[Tensor], Tensor]
ValueAndGradient = tuple[Tensor, Tensor]


def _sides(loss: Callable[..., Tensor], peer: Callable[..., Tensor], **numbers: float) -> Mapping[str, Any]:
    """Return functions that build both losses from labels."""
    return {
        "ours": lambda labels: lambda embeddings: loss(embeddings, labels, **numbers),
        "peer": lambda labels: lambda embeddings: peer(embeddings, labels),
    }


def _plain(**options: Any) -> LpDistance:
    """Return the Euclidean distance without normalization of the rows."""
    return LpDistance(normalize_embeddings=False, **options)


LOSSES: Mapping[str, Mapping[str, Callable[[Tensor], Loss]]] = {
    "info_nce": _sides(info_nce_loss, NTXentLoss(temperature=TEMPERATURE), temperature=TEMPERATURE),
    "sup_con": _sides(sup_con_loss, SupConLoss(temperature=TEMPERATURE), temperature=TEMPERATURE),
    "contrastive": _sides(batch_contrastive_loss, ContrastiveLoss(neg_margin=MARGIN, distance=_plain()), margin=MARGIN),
    "nca": _sides(nca_loss, NCALoss(distance=_plain(power=2))),
}


def run(*, quick: bool) -> Iterator[Figure]:
    """Compare times after checking that both sides compute the same; then the memory of InfoNCE."""
    rounds = 3 if quick else 15
    for name in LOSSES:
        _check(name, _exact_batch(N_CHECK))
    n_info_nce = QUICK_N_INFO_NCE if quick else N_INFO_NCE
    yield _race_once("info_nce", n_info_nce, rounds)
    for name in ("sup_con", "contrastive", "nca"):
        for n in SIZES[: 1 if quick else None]:
            yield _race(name, n, rounds)
    for side in ("ours", "peer"):
        growth = float(in_fresh_process("benchmarks.peak_memory", "info_nce", side, str(n_info_nce)))
        yield Figure(f"info_nce, n={n_info_nce}: peak memory, {side}", growth, "GB")


def relative_differences(one: ValueAndGradient, other: ValueAndGradient) -> list[float]:
    """Return the differences of value and gradient, relative to their length."""
    return [float((a - b).norm() / b.norm()) for a, b in zip(one, other, strict=True)]


def _race_once(name: str, n: int, rounds: int) -> Figure:
    """Time ours many times before and after a single call of the peer, and check that the results are equal."""
    embeddings, labels = make_batch(n)
    ours, peer = (partial(gradient, LOSSES[name][side](labels), embeddings) for side in ("ours", "peer"))
    watch = {"ours": stopwatch(ours)}
    before = alternate(watch, rounds)
    start = perf_counter()
    theirs = peer()
    taken = {"peer": [perf_counter() - start], "ours": before["ours"] + alternate(watch, rounds)["ours"]}
    _refuse(name, ours(), theirs)
    return compare(f"{name}, n={n}: time of peer / ours", taken, "peer", "ours", target=TARGET)


def _race(name: str, n: int, rounds: int) -> Figure:
    embeddings, labels = make_batch(n)
    _check(name, (embeddings, labels))
    watches = {side: stopwatch(partial(gradient, make(labels), embeddings)) for side, make in LOSSES[name].items()}
    return compare(f"{name}, n={n}: time of peer / ours", alternate(watches, rounds), "peer", "ours")


def _exact_batch(n: int) -> tuple[Tensor, Tensor]:
    embeddings, labels = make_batch(n)
    return embeddings.detach().double().requires_grad_(), labels


def _check(name: str, batch: tuple[Tensor, Tensor]) -> None:
    embeddings, labels = batch
    _refuse(name, *(gradient(LOSSES[name][side](labels), embeddings) for side in ("ours", "peer")))


def _refuse(name: str, ours: ValueAndGradient, theirs: ValueAndGradient) -> None:
    """Raise an error if the two sides differ."""
    difference = max(relative_differences(ours, theirs))
    if not difference <= TOLERANCES[ours[1].dtype]:
        raise AssertionError(f"{name}: the two sides differ by {difference:.1e}: they do not compute the same")
