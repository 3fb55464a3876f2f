"""Settings for all tests, doctests included."""

import os
import re

# One thread a worker: the suite runs in parallel, and torch threads of several processes on the same cores wait for
# each other. Must be set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest
import torch

# A failure comes back on every run and on every machine, and an example may take its time. Tests need to set no more
# than max_examples.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")

# What make quick runs, by words in the names of folders, files and tests, wherever these are: examples in docstrings,
# tables of losses and their edges, metrics, networks, and what wrong input is told, but for what takes long of these.
QUICK = re.compile(
    r"^skmetric/|^(?!.*(properties|search|thresholds))"
    r".*(_table\.py|edges|/metrics/|/nn/|bad|constructor|error|messages|named|refuse|warn|wrong|input|versions)"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is quick, and skip, visibly, what needs a GPU where there is none."""
    has_gpu = torch.cuda.is_available()
    for item in items:
        if QUICK.match(item.nodeid.partition("[")[0]):
            item.add_marker("quick")
        if item.get_closest_marker("gpu") and not has_gpu:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device, and there is none"))
