"""ContrastiveEmbedder in large batches, with and without pieces, and in small batches with a memory."""

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
from skmetric.estimators.training_data import Given

__all__ = ["Gap", "Recall", "draw_table", "gradient_gap", "recall", "run"]

LOSS = "info_nce"
N_ROWS, N_FEATURES, N_CLASSES = 20_000, 32, 100
# Widths of the hidden layers: the default, and a network whose activations need more memory than the loss.
NETWORKS = {"256": (256,), "3 x 1024": (1_024,) * 3}
PIECE = 512
LARGE, QUICK_LARGE = 16_384, 1_024
# Number of rows per batch and per piece.
GRADIENT, QUICK_GRADIENT = (2_048, 512), (256, 64)
# In millionths of the length of the gradient.
TARGET_GAP = at_most(1.0)

# For the memory: many classes, of which a batch holds only a few.
N_MANY_CLASSES, ROWS_PER_CLASS, SMALL = 200, 20, 32
MEMORY_SIZES = (0, 256, 2_048)
N_SEEDS, MAX_ITER, QUICK_MAX_ITER = 3, 30, 2
# The classes differ in this number of directions only. The other directions have more variance.
N_SEPARATING, WITHIN, ELSEWHERE = 8, 0.3, 2.0


def draw_table(n: int, n_classes: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draw classes of equal size, whose means differ in a few directions that are not parallel to the columns."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    means = rng.standard_normal((n_classes, N_SEPARATING))
    X = rng.standard_normal((n, N_FEATURES)) * ELSEWHERE
    X[:, :N_SEPARATING] = means[y] + WITHIN * rng.standard_normal((n, N_SEPARATING))
    turn, _ = np.linalg.qr(rng.standard_normal((N_FEATURES, N_FEATURES)))
    return (X @ turn).astype(np.float32), y


def run(*, quick: bool) -> Iterator[Figure]:
    """Measure memory, time and gradient accuracy of large batches, and the quality of a memory of earlier batches."""
    yield from _cost_figures(QUICK_LARGE if quick else LARGE, list(NETWORKS)[: 1 if quick else None])
    yield _gap_figure(*(QUICK_GRADIENT if quick else GRADIENT))
    for size in MEMORY_SIZES:
        yield _recall_figure(size, range(1 if quick else N_SEEDS), QUICK_MAX_ITER if quick else MAX_ITER)


def _embedder(**parameters: object) -> ContrastiveEmbedder:
    return ContrastiveEmbedder(loss=LOSS, device="cpu", **{"random_state": 0, **parameters})


def _cost_figures(large: int, networks: Sequence[str]) -> Iterator[Figure]:
    """Measure one epoch of each setting in a separate process, because a peak never falls again."""
    settings = [(networks[0], PIECE, 0), *((network, large, piece) for network in networks for piece in (0, PIECE))]
    for network, batch_size, piece in settings:
        printed = in_fresh_process("benchmarks.large_batch", network, str(batch_size), str(piece))
        growth, second, n_steps, n_items = map(float, printed.split())
        name = f"{network}, batch {batch_size}, {f'pieces of {piece}' if piece else 'whole'}"
        note = f"an epoch of {n_steps:.0f} steps of {n_items:.0f} rows, {seconds(second * n_steps)}"
        yield Figure(f"{name}: peak memory", growth, "GB")
        yield Figure(f"{name}: time per step", second, "s", note=note)


def _plan_of(embedder: ContrastiveEmbedder, X: NDArray, y: NDArray) -> FitPlan:
    return embedder._prepare(Given(X, y)).plan


def _measure_epoch(network: str, batch_size: int, piece: int) -> None:
    """Print the rise of the peak memory in gigabytes, the seconds per step, the steps, and the rows per step."""
    from benchmarks.peak_memory import peak

    # A learning rate at which a deep network does not collapse in so few steps, because that would be a warning.
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
    """Differences of gradients: the length of the difference, relative to the length of the second gradient.

    Attributes
    ----------
    of_pieces : float
        Difference between the gradient in pieces and as a whole.
    of_worst_tensor : float
        The largest of these differences for single weight matrices and biases.
    whole_rounding, pieces_rounding : float
        Differences of both gradients from double precision.
    n_items : int
        Number of rows in the batch.
    """

    of_pieces: float
    of_worst_tensor: float
    whole_rounding: float
    pieces_rounding: float
    n_items: int


def gradient_gap(batch_size: int, piece: int) -> Gap:
    """Compare the gradients of the first step (with dropout) as a whole, in pieces, and in double precision."""
    plan = _plan_of(_embedder(batch_size=batch_size), *draw_table(N_ROWS, N_CLASSES, seed=0))
    stack = TrainingStack([plan], torch.device("cpu"))
    step, network = next(stack.draw_epoch(0)), stack.network

    def gradients(dtype: torch.dtype) -> list[list[Tensor]]:
        network.to(dtype)
        numbers = {name: torch.tensor([value], dtype=dtype) for name, value in plan.hyperparameters.items()}

        def loss_of(representation: Tensor) -> tuple[Outputs, Tensor]:
            outputs = network.conclude(representation)
            return outputs, plan.objective.loss(outputs, step.batch, numbers)

        flat = FlatParameters(network)
        sizes = [parameter.numel() for parameter in flat.parameters]
        ways = Whole(network, flat), InPieces(network, flat, piece)
        taken = [way(step.x.to(dtype), step.keep.to(dtype), loss_of).gradient.clone()[0] for way in ways]
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
    """Held-out MAP@R and seconds per epoch, one value per seed."""

    map_at_r: list[float]
    epoch_seconds: list[float]


def recall(memory_size: int, seeds: Sequence[int], max_iter: int) -> Recall:
    """Fit in small batches on half of each class, and score the other half. Each seed has its own table and split."""
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
