"""Paired timing, and figures with their targets."""

import gc
import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

__all__ = ["Figure", "Target", "alternate", "at_least", "at_most", "compare", "in_fresh_process", "stopwatch"]

Measurement = Callable[[], float]


@dataclass(frozen=True)
class Target:
    """Bound that a figure should satisfy."""

    relation: str
    bound: float

    def is_met_by(self, value: float) -> bool:
        """Whether a value satisfies the bound. NaN never does."""
        return value >= self.bound if self.relation == ">=" else value <= self.bound


def at_least(bound: float) -> Target:
    return Target(">=", bound)


def at_most(bound: float) -> Target:
    return Target("<=", bound)


@dataclass(frozen=True)
class Figure:
    """One result.

    Attributes
    ----------
    name : str
        Name of the measured quantity.
    value : float
        Measured value.
    unit : str
        Unit of the value; "x" for a ratio.
    target : Target, optional
        Bound that the value should satisfy.
    note : str
        Remark for the printed table.
    details : mapping
        More data for the JSON file.
    """

    name: str
    value: float
    unit: str = ""
    target: Target | None = None
    note: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None without one."""
        return None if self.target is None else self.target.is_met_by(self.value)


def stopwatch(call: Callable[[], Any], *, shortest: float = 0.05) -> Measurement:
    """Return a function that measures the seconds of a call.

    The call is warmed up here. A measurement repeats the call for about ``shortest`` seconds.
    """
    call()
    start = perf_counter()
    call()
    number = max(1, math.ceil(shortest / (perf_counter() - start)))

    def measure() -> float:
        start = perf_counter()
        for _ in range(number):
            call()
        return (perf_counter() - start) / number

    return measure


def alternate(sides: Mapping[str, Measurement], rounds: int) -> dict[str, list[float]]:
    """Take one measurement of each side in turn, round after round: A B A B."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            gc.collect()
            taken[name].append(measure())
    return taken


def compare(
    name: str, taken: Mapping[str, Sequence[float]], over: str, under: str, *, target: Target | None = None
) -> Figure:
    """Return the ratio of the medians of two sides, with the range of the ratios of single rounds."""
    above, below = np.asarray(taken[over]), np.asarray(taken[under])
    medians = {side: float(np.median(taken[side])) for side in (over, under)}
    each = above / below
    note = ", ".join(f"{side} {seconds(median)}" for side, median in medians.items())
    return Figure(
        name,
        medians[over] / medians[under],
        "x",
        target,
        note=f"{note}; rounds {each.min():.3g} to {each.max():.3g}",
        details={"medians_s": medians, "rounds_s": {over: above.tolist(), under: below.tolist()}},
    )


def in_fresh_process(module: str, *arguments: str) -> str:
    """Run a module as a script in a new Python process, and return its output."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def seconds(value: float) -> str:
    """Format a duration: "1.2 s", "3.4 ms"."""
    scale, unit = next((s, u) for s, u in ((1, "s"), (1e3, "ms"), (1e6, "us")) if value * s >= 1 or u == "us")
    return f"{value * scale:.3g} {unit}"
