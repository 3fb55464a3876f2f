"""Time of one epoch of TripletEmbedder, compared with a bare torch loop of the same arithmetic and plain skorch.

An epoch is timed from the end of the previous epoch to its own end. The time therefore includes all work of each epoch
(sampler, gathers, optimizer, history), but no work that is done once per fit (input checks, input scaling, initial
weights).
"""

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
from skorch.callbacks import Callback

from benchmarks import bare_loop
from benchmarks.bare_loop import BareLoop, Task, plain_skorch
from benchmarks.harness import Figure, alternate, at_most, compare
from skmetric.estimators.embedding.triplet import TripletEmbedder

__all__ = ["run"]

TARGET = 1.15
# Number of epochs of each fit. The first epoch is the warm-up.
N_EPOCHS = 3


class Clock(Callback):
    """Records the end times of epochs."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Record the time."""
        self.tick()

    def tick(self) -> None:
        """Record the time."""
        self.ends.append(perf_counter())

    @property
    def seconds(self) -> float:
        """Median time of an epoch, without the first epoch."""
        return float(np.median(np.diff(self.ends)))


def run(*, quick: bool) -> Iterator[Figure]:
    """Compare the times per epoch."""
    task = Task.draw(n_rows=5_000 if quick else 100_000)
    loop = BareLoop(task, N_EPOCHS)
    sides = {
        "ours": lambda: _time_ours(task),
        "bare loop": lambda: _time_loop(loop),
        "skorch": lambda: _time_skorch(task),
    }
    taken = alternate(sides, rounds=2 if quick else 7)
    yield compare("epoch: time of ours / bare loop", taken, "ours", "bare loop", target=at_most(TARGET))
    yield compare("epoch: time of plain skorch / bare loop", taken, "skorch", "bare loop")


def _time_ours(task: Task) -> float:
    clock = Clock()
    TripletEmbedder(
        bare_loop.N_COMPONENTS,
        margin=bare_loop.MARGIN,
        hidden_layer_sizes=bare_loop.HIDDEN,
        dropout=0.0,
        batch_size=bare_loop.BATCH_SIZE,
        samples_per_class=bare_loop.SAMPLES_PER_CLASS,
        max_iter=N_EPOCHS,
        learning_rate=bare_loop.LEARNING_RATE,
        weight_decay=bare_loop.WEIGHT_DECAY,
        device="cpu",
        random_state=0,
        callbacks=[clock],
    ).fit(task.X, task.y)
    return clock.seconds


def _time_loop(loop: BareLoop) -> float:
    clock = Clock()
    loop.train(clock.tick)
    return clock.seconds


def _time_skorch(task: Task) -> float:
    clock = Clock()
    plain_skorch(task, N_EPOCHS, clock).fit(task.X, task.y)
    return clock.seconds
