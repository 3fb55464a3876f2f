"""Print figures as a table, and write them as JSON."""

import json
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from benchmarks.harness import Figure

__all__ = ["describe_machine", "shown", "write_json"]

PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "skorch", "pytorch-metric-learning")
HEADER = f"{'':<46} {'value':>9}  {'target':<8} {'met':<4} "


def describe_machine() -> dict[str, Any]:
    """Return the properties of the machine and the package versions."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "cpu_count": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
    }


def shown(figures: Iterable[Figure]) -> Iterator[Figure]:
    """Print figures and pass them on."""
    print(HEADER)
    for figure in figures:
        print(_row(figure), flush=True)
        yield figure


def write_json(path: Path, machine: dict[str, Any], runs: list[dict[str, Any]]) -> None:
    """Write all results. Each run holds its name, its load and its figures."""
    benchmarks = [{**run, "figures": [asdict(f) | {"is_met": f.is_met} for f in run["figures"]]} for run in runs]
    path.write_text(json.dumps({"machine": machine, "benchmarks": benchmarks}, indent=1, default=float) + "\n")


def _row(figure: Figure) -> str:
    target = f"{figure.target.relation} {figure.target.bound:g}" if figure.target else ""
    met = {True: "yes", False: "NO", None: ""}[figure.is_met]
    value = f"{figure.value:.3f}" if abs(figure.value) < 10 else f"{figure.value:.1f}"
    return f"{figure.name:<46} {value:>7}{figure.unit:<2}  {target:<8} {met:<4} {figure.note}".rstrip()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
