"""The training engine: devices, the training loop, early stopping, and stacks of models."""

from skmetric._core.engine.batch import Batch, Memory
from skmetric._core.engine.device import resolve_device
from skmetric._core.engine.plan import FitPlan, FitResult, Moments, StoppingRule, Validation
from skmetric._core.engine.randomness import Stream, open_stream
from skmetric._core.engine.schedule import constant, one_cycle
from skmetric._core.engine.stacks import fit_each, fit_in_stacks, fit_stack, split_into_stacks
from skmetric._core.engine.trained import TrainedNetwork

__all__ = [
    "Batch",
    "FitPlan",
    "FitResult",
    "Memory",
    "Moments",
    "StoppingRule",
    "Stream",
    "TrainedNetwork",
    "Validation",
    "constant",
    "fit_each",
    "fit_in_stacks",
    "fit_stack",
    "one_cycle",
    "open_stream",
    "resolve_device",
    "split_into_stacks",
]
