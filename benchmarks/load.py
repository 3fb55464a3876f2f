"""How busy the machine was with other things while a benchmark ran."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

__all__ = ["Load", "watch_load"]

STAT = Path("/proc/stat")


@dataclass
class Load:
    """The machine's load around and during a run; None where the system does not say.

    Attributes
    ----------
    average_before : float
        Mean number of busy processes over the minute before.
    others : float
        Processor seconds a second that went to other processes during the run: 0 on a quiet machine, 1 where others
        had one core. The load average would count the benchmark itself.
    """

    average_before: float | None
    others: float | None = None

    def __str__(self) -> str:
        return "unknown" if self.others is None else f"{self.others:.2f} cores"


@contextmanager
def watch_load() -> Iterator[Load]:
    """Give a Load that is complete once the context ends."""
    load = Load(round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None)
    start, before = perf_counter(), _others()
    yield load
    after = _others()
    if before is not None and after is not None:
        load.others = max(0.0, round((after - before) / (perf_counter() - start), 3))


def _others() -> float | None:
    """Processor seconds of all processes but this one and its finished children, since some fixed time."""
    if not STAT.exists():
        return None
    user, nice, system, _, _, irq, softirq, steal = map(int, STAT.read_text().split("\n", 1)[0].split()[1:9])
    own = os.times()
    busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return busy - (own.user + own.system + own.children_user + own.children_system)
