"""Check that training steps do not wait for the device."""

import warnings

import torch

from skmetric._core.engine.training import TrainingStack


def assert_no_step_waits(*plans):
    """Train a stack for a few steps, in which it is an error if the host waits for the device."""
    stack = TrainingStack(plans, torch.device("cuda"))
    stack.train_epoch(0)
    step = next(stack.draw_epoch(1))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Synchronization debug mode")
        torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(3):
            stack.train_step(step)
    finally:
        torch.cuda.set_sync_debug_mode("default")
