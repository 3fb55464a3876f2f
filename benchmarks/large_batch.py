"""ContrastiveEmbedder in large batches, whole and in pieces, and in small ones with a memory of earlier batches."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from torch import Tensor

from benchmarks.harness import Figure, at_most, in_fresh_process, seconds
from skmetric._core.engine import FitPlan
from skmetric._core.engine.gradients import InPieces, Whole
from skmetric._core.engine.training import TrainingStack
from skmetric._core.nn import FlatParameters, Outputs
from skmetric.estimators import ContrastiveEmbedder
from skmetric.estimators.preparation import Given

__all__ = ["Gap", "Recall", "draw_table", "gradient_gap", "recall", "run"]

LOSS = "info_nce"
N_ROWS, N_FEATURES, N_CLASSES = 20_000, 32, 100
# Widths of the hidden layers: the default, and a network whose activations fill more memory than the loss does.
NETWORKS = {"256": (256,), "3 x 1024": (1_024,) * 3}
PIECE = 512
LARGE, QUICK_LARGE = 16_384, 1_024
# Rows of a batch, and of a piece.
GRADIENT, QUICK_GRADIENT = (2_048, 512), (256, 64)
# In millionths of the gradient's length.
TARGET_GAP = at_most(1.0)

# Of the memory: many classes, of which a batch holds few.
N_MANY_CLASSES, ROWS_PER_CLASS, SMALL = 200, 20, 32
MEMORY_SIZES = (0, 256, 2_048)
N_SEEDS, MAX_ITER, QUICK_MAX_ITER = 3, 30, 2
# What tells the classes apart lies in so many directions; the others are louder.
N_TELLING, WITHIN, ELSEWHERE = 8, 0.3, 2.0


def draw_table(n: int, n_classes: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Rows of classes of one size, whose means differ in a few directions that are none of the columns."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    means = rng.standard_normal((n_classes, N_TELLING))
    X = rng.standard_normal((n, N_FEATURES)) * ELSEWHERE
    X[:, :N_TELLING] = means[y] + WITHIN * rng.standard_normal((n, N_TELLING))
    turn, _ = np.linalg.qr(rng.standard_normal((N_FEATURES, N_FEATURES)))
    return (X @ turn).astype(np.float32), y


def run(*, quick: bool) -> Iterator[Figure]:
    """Memory and time of large batches, how exact their gradient is, and what a memory of earlier batches gives."""
    yield from _cost_figures(QUICK_LARGE if quick else LARGE, list(NETWORKS)[: 1 if quick else None])
    yield _gap_figure(*(QUICK_GRADIENT if quick else GRADIENT))
    for size in MEMORY_SIZES:
        yield _recall_figure(size, range(1 if quick else N_SEEDS), QUICK_MAX_ITER if quick else MAX_ITER)


def _embedder(**parameters: object) -> ContrastiveEmbedder:
    return ContrastiveEmbedder(loss=LOSS, device="cpu", **{"random_state": 0, **parameters})


def _cost_figures(large: int, networks: Sequence[str]) -> Iterator[Figure]:
    """Give an epoch of each, in a process of its own, as a peak never falls again."""
    settings = [(networks[0], PIECE, 0), *((network, large, piece) for network in networks for piece in (0, PIECE))]
    for network, batch_size, piece in settings:
        told = in_fresh_process("benchmarks.large_batch", network, str(batch_size), str(piece))
        growth, second, n_steps, n_items = map(float, told.split())
        name = f"{network}, batch {batch_size}, {f'pieces of {piece}' if piece else 'whole'}"
        note = f"an epoch of {n_steps:.0f} steps of {n_items:.0f} rows, {seconds(second * n_steps)}"
        yield Figure(f"{name}: peak memory", growth, "GB")
        yield Figure(f"{name}: time a step", second, "s", note=note)


def _plan_of(embedder: ContrastiveEmbedder, X: NDArray, y: NDArray) -> FitPlan:
    return embedder._prepare(Given(X, y)).plan


def _measure_epoch(network: str, batch_size: int, piece: int) -> None:
    """Print by how many gigabytes one epoch raises the peak, seconds a step, steps, and rows a step."""
    from benchmarks.peak_memory import peak

    # A rate at which so few steps do not make a deep network collapse, which would be a warning.
    parameters = {"hidden_layer_sizes": NETWORKS[network], "max_iter": 1, "learning_rate": 1e-4}
    _embedder(**parameters).fit(*draw_table(1_000, N_CLASSES, seed=1))  # the warm-up
    X, y = draw_table(N_ROWS, N_CLASSES, seed=0)
    embedder = _embedder(**parameters, batch_size=batch_size, cached_batch_size=piece or None)
    sampler = _plan_of(embedder, X, y).sampler
    n_steps = len(sampler.list_lengths)
    before = peak()
    embedder.fit(X, y)
    print((peak() - before) / 1e9, embedder.history_[0]["dur"] / n_steps, n_steps, sampler.batch_length)


@dataclass(frozen=True)
class Gap:
    """How far gradients are apart: the length of their difference, relative to that of the second.

    Attributes
    ----------
    of_pieces : float
        In pieces, from in one go.
    of_worst_tensor : float
        The same for each weight matrix and each bias alone; the largest.
    whole_rounding, pieces_rounding : float
        Either from double precision.
    n_items : int
        Rows of the batch.
    """

    of_pieces: float
    of_worst_tensor: float
    whole_rounding: float
    pieces_rounding: float
    n_items: int


def gradient_gap(batch_size: int, piece: int) -> Gap:
    """Take the gradient of the first step, dropout and all, in one go and in pieces, in single and double precision."""
    plan = _plan_of(_embedder(batch_size=batch_size), *draw_table(N_ROWS, N_CLASSES, seed=0))
    stack = TrainingStack([plan], torch.device("cpu"))
    step, network = next(stack.draw_epoch(0)), stack.network

    def gradients(dtype: torch.dtype) -> list[list[Tensor]]:
        network.to(dtype)
        numbers = {name: torch.tensor([value], dtype=dtype) for name, value in plan.hyperparameters.items()}

        def judge(representation: Tensor) -> tuple[Outputs, Tensor]:
            outputs = network.conclude(representation)
            return outputs, plan.objective.loss(outputs, step.batch, numbers)

        flat = FlatParameters(network)
        sizes = [parameter.numel() for parameter in flat.parameters]
        ways = Whole(network, flat), InPieces(network, flat, piece)
        taken = [way(step.x.to(dtype), step.keep.to(dtype), judge).gradient.clone()[0] for way in ways]
        return [list(gradient[: sum(sizes)].double().split(sizes)) for gradient in taken]

    (whole, pieces), (exact, _) = gradients(torch.float32), gradients(torch.float64)
    each = [_apart([p], [w]) for p, w in zip(pieces, whole, strict=True)]
    n_items = step.batch.rows.shape[-1]
    return Gap(_apart(pieces, whole), max(each), _apart(whole, exact), _apart(pieces, exact), n_items)


def _apart(one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    a, b = torch.cat(list(one)), torch.cat(list(other))
    return float((a - b).norm() / b.norm())


def _gap_figure(batch_size: int, piece: int) -> Figure:
    gap = gradient_gap(batch_size, piece)
    return Figure(
        f"gradient, batch {batch_size}: pieces - whole, 1e-6",
        gap.of_pieces * 1e6,
        target=TARGET_GAP,
        note=f"of the gradient's length; {gap.n_items} rows, pieces of {piece}; "
        f"worst weight or bias alone {gap.of_worst_tensor * 1e6:.2g}; from double precision, "
        f"whole {gap.whole_rounding * 1e6:.2g}, pieces {gap.pieces_rounding * 1e6:.2g}",
        details=asdict(gap),
    )


@dataclass(frozen=True)
class Recall:
    """Held-out MAP@R and seconds an epoch, one a seed."""

    map_at_r: list[float]
    epoch_seconds: list[float]


def recall(memory_size: int, seeds: Sequence[int], max_iter: int) -> Recall:
    """Fit in small batches on half of each class, and judge the other half; a table and a split a seed."""
    scores, times = [], []
    for seed in seeds:
        X, y = draw_table(N_MANY_CLASSES * ROWS_PER_CLASS, N_MANY_CLASSES, seed)
        X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)
        embedder = _embedder(batch_size=SMALL, memory_size=memory_size, max_iter=max_iter, random_state=seed)
        embedder.fit(X_train, y_train)
        scores.append(embedder.score(X_test, y_test))
        times.append(float(np.median([epoch["dur"] for epoch in embedder.history_])))
    return Recall(scores, times)


def _recall_figure(memory_size: int, seeds: Sequence[int], max_iter: int) -> Figure:
    found = recall(memory_size, seeds, max_iter)
    scores, epoch = found.map_at_r, seconds(float(np.median(found.epoch_seconds)))
    note = f"{min(scores):.3f} to {max(scores):.3f}, an epoch {epoch}"
    return Figure(
        f"batch {SMALL}, memory {memory_size}: MAP@R", float(np.mean(scores)), note=note, details=asdict(found)
    )


if __name__ == "__main__":
    _measure_epoch(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
