"""From a plan to a trained network: devices, the training loop, early stopping, stacks of models."""

from skmetric.engine.batch import Batch, Memory
from skmetric.engine.device import resolve_device
from skmetric.engine.fit import fit_stack
from skmetric.engine.plan import FitPlan, FitResult, Moments, StoppingRule, Validation
from skmetric.engine.randomness import Stream, open_stream
from skmetric.engine.schedule import constant, one_cycle
from skmetric.engine.stacking import fit_in_stacks, split_into_stacks
from skmetric.engine.trained import TrainedNetwork

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
    "fit_in_stacks",
    "fit_stack",
    "one_cycle",
    "open_stream",
    "resolve_device",
    "split_into_stacks",
]
