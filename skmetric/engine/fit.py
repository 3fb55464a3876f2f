"""From plans to results: the engine's front door."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from skmetric.engine.plan import FitPlan, FitResult
from skmetric.engine.progress import Progress
from skmetric.engine.shell import StackNet
from skmetric.engine.stack import TrainingStack

__all__ = ["fit_stack"]


def fit_stack(
    plans: Sequence[FitPlan], *, device: torch.device, callbacks: Sequence[Any] = (), verbose: int = 0
) -> list[FitResult]:
    """Train the models of a stack side by side.

    torch's global generators, which a user's own module may draw from, are seeded from the first plan and left as they
    were found.

    Parameters
    ----------
    plans : sequence of FitPlan
        One a model; alike in all that decides shapes and step counts.
    device : torch.device
        Where to train.
    callbacks : sequence of skorch callbacks
        Notified before and after training and each epoch.
    verbose : int
        Above 0, one line an epoch is printed.

    Returns
    -------
    list of FitResult
        One a plan.
    """
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices, device_type="cuda"):
        torch.random.manual_seed(int(plans[0].seed.generate_state(1, np.uint64)[0] >> 1))
        stack = TrainingStack(plans, device)
        progress = Progress(stack)
        StackNet(progress, callbacks=callbacks, verbose=verbose).train()
    return progress.results()
