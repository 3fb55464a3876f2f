"""The ranking losses need memory for at most a few tables of n squared numbers."""

import os
import pathlib
import subprocess
import sys

import pytest

from tests.losses.ranking.cases import FUNCTIONS

N = 2048
LIMIT_MB = 40 * N * N / 2**20
STATUS = pathlib.Path("/proc/self/status")

SCRIPT = """
import pathlib
import sys

import torch

from tests.losses.ranking.cases import LOSSES


def peak_mb():
    # not getrusage: in a child process, its peak starts at the peak of the parent
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def step(n):
    draw = torch.Generator().manual_seed(0)
    scores = torch.randn(n, generator=draw, requires_grad=True)
    relevance = torch.randint(5, (n,), generator=draw).float()
    options = {"mask": torch.rand(n, generator=draw) < 0.9, "weights": torch.rand(n, generator=draw)}
    loss = LOSSES[sys.argv[1]](scores, relevance, **options)
    loss.backward()
    assert scores.grad.isfinite().all() and scores.grad.any()


torch.set_num_threads(1)
step(64)
before = peak_mb()
step(int(sys.argv[2]))
print(peak_mb() - before)
"""


@pytest.mark.skipif(not STATUS.exists(), reason="reads the peak memory of a process from /proc")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_memory_is_quadratic(name):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, name, str(N)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < LIMIT_MB
