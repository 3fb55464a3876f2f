"""The losses for any labels need O(n^2) memory: O(n^3) would be 34 GB here."""

import os
import pathlib
import subprocess
import sys

import pytest

from tests.losses.triplet.enumeration import EVERY_MINING

LIMIT_MB = 600
STATUS = pathlib.Path("/proc/self/status")

SCRIPT = """
import pathlib
import sys

import torch

from skmetric.losses import batch_triplet_loss


def peak_mb():
    # not getrusage: in a child process, its peak starts at the peak of the parent
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def step(n):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(n, 8, generator=draw, requires_grad=True)
    labels = torch.randint(4, (n,), generator=draw)
    loss = batch_triplet_loss(x, labels, margin=0.2, mining=sys.argv[1], distance="euclidean", generator=draw)
    loss.backward()
    assert x.grad.isfinite().all() and loss > 0


torch.set_num_threads(1)
step(64)
before = peak_mb()
step(2048)
print(peak_mb() - before)
"""


@pytest.mark.skipif(not STATUS.exists(), reason="reads the peak memory of a process from /proc")
@pytest.mark.parametrize("mining", EVERY_MINING)
def test_memory_is_quadratic(mining):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, mining],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < LIMIT_MB
