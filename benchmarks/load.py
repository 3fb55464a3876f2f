"""Load of the machine by other processes during a benchmark."""

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
    """Load of the machine before and during a run. Values are None if the system does not report them.

    Attributes
    ----------
    average_before : float
        Mean number of busy processes in the minute before the run.
    others : float
        Number of cores used by other processes during the run, in processor seconds per second: 0 on an idle machine.
        The load average would include the benchmark itself.
    """

    average_before: float | None
    others: float | None = None

    def __str__(self) -> str:
        return "unknown" if self.others is None else f"{self.others:.2f} cores"


@contextmanager
def watch_load() -> Iterator[Load]:
    """Yield a Load that is complete at the end of the context."""
    load = Load(round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None)
    start, before = perf_counter(), _others()
    yield load
    after = _others()
    if before is not None and after is not None:
        load.others = max(0.0, round((after - before) / (perf_counter() - start), 3))


def _others() -> float | None:
    """Return the processor seconds of all processes except this one and its finished children, since a fixed time."""
    if not STAT.exists():
        return None
    user, nice, system, _, _, irq, softirq, steal = map(int, STAT.read_text().split("\n", 1)[0].split()[1:9])
    own = os.times()
    busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return busy - (own.user + own.system + own.children_user + own.children_system)
