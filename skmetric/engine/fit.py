"""From plans to results: the engine's front door."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch

from skmetric.engine.plan import FitPlan, FitResult
from skmetric.engine.progress import Progress
from skmetric.engine.randomness import borrow_global_generators
from skmetric.engine.shell import StackNet
from skmetric.engine.stack import TrainingStack

__all__ = ["fit_stack"]


def fit_stack(
    plans: Sequence[FitPlan], *, device: torch.device, callbacks: Sequence[Any] = (), verbose: int = 0
) -> list[FitResult]:
    """Train the models of a stack side by side.

    A user's own module may draw from torch's global generators: they are then seeded from the plan, and left as found.

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
    has_module = plans[0].network.module is not None
    borrowed = borrow_global_generators(plans[0].seed, device) if has_module else nullcontext()
    # Training works inside a caller's torch.no_grad() too.
    with borrowed, torch.inference_mode(False), torch.enable_grad():
        progress = Progress(TrainingStack(plans, device))
        StackNet(progress, callbacks=callbacks, verbose=verbose).train()
        return progress.results()
