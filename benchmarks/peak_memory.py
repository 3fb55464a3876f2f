"""Peak memory of one loss with its gradient, in GB: ``python -m benchmarks.peak_memory LOSS {ours,peer} N``.

It needs a separate process, because a peak never falls again.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from benchmarks import contrast_losses
from benchmarks.triplet_loss import BATCH_ALL, gradient, make_batch

STATUS = Path("/proc/self/status")

LOSSES: Mapping[str, Mapping[str, Callable[[Tensor], Callable[[Tensor], Tensor]]]] = {
    "triplet": BATCH_ALL,
    **contrast_losses.LOSSES,
}


def growth(loss: str, side: str, n: int) -> float:
    """Return the rise of the peak memory by one gradient, after a small warm-up."""
    make = LOSSES[loss][side]
    embeddings, labels = make_batch(64)
    gradient(make(labels), embeddings)
    embeddings, labels = make_batch(n)
    before = peak()
    gradient(make(labels), embeddings)
    return (peak() - before) / 1e9


def peak() -> int:
    """Return the peak memory of this process, in bytes.

    On Linux, getrusage is not used, because its value for a new process starts at that of the parent.
    """
    if STATUS.exists():
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    print(growth(sys.argv[1], sys.argv[2], int(sys.argv[3])))
