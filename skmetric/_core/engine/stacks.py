"""From plans to results: split models into stacks and train each stack."""

from collections.abc import Hashable, Sequence
from contextlib import nullcontext
from itertools import pairwise
from traceback import clear_frames
from typing import Any

import torch

from skmetric._core.engine.device import free_memory, is_out_of_memory
from skmetric._core.engine.plan import FitPlan, FitResult
from skmetric._core.engine.progress import Progress
from skmetric._core.engine.randomness import borrow_global_generators
from skmetric._core.engine.skorch_net import CallbackNet
from skmetric._core.engine.training import TrainingStack

__all__ = ["fit_each", "fit_in_stacks", "fit_stack", "split_into_stacks"]


# Share of the free memory that the stacks of all jobs may use.
MEMORY_SHARE = 0.25
# Numbers in memory per weight (value, gradient and its parts, two moments), and per activation (value, gradient,
# dropout factor and the random numbers drawn for it).
PER_WEIGHT, PER_ACTIVATION = 7, 8


def fit_stack(
    plans: Sequence[FitPlan], *, device: torch.device, callbacks: Sequence[Any] = (), verbose: int = 0
) -> list[FitResult]:
    """Train the models of a stack side by side.

    A user's module may draw from torch's global generators. For such a module, they are seeded from the plan and
    restored after training.

    Parameters
    ----------
    plans : sequence of FitPlan
        One plan per model. All plans must have the same shapes and the same number of steps.
    device : torch.device
        Device to train on.
    callbacks : sequence of skorch callbacks
        Callbacks that are notified before and after training and each epoch.
    verbose : int
        If above 0, one line per epoch is printed.

    Returns
    -------
    list of FitResult
        One result per plan.

    Raises
    ------
    MemoryError
        If the device has not enough memory.
    """
    has_module = plans[0].network.module is not None
    borrowed = borrow_global_generators(plans[0].seed, device) if has_module else nullcontext()
    # Training must also work if the caller is inside torch.no_grad().
    try:
        with borrowed, torch.inference_mode(False), torch.enable_grad():
            progress = Progress(TrainingStack(plans, device))
            CallbackNet(progress, callbacks=callbacks, verbose=verbose).train()
            return progress.results()
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        # The frames of the failed attempt hold its memory.
        clear_frames(error.__traceback__)
        spec = plans[0].network
        raise MemoryError(
            f"training must fit into the memory of device {str(device)!r}, got batches of "
            f"{plans[0].sampler.batch_length} rows, {spec.n_features} columns and hidden_layer_sizes="
            f"{spec.hidden_layer_sizes}. Lower batch_size or hidden_layer_sizes. ({error})"
        ) from None


def split_into_stacks(
    plans: Sequence[FitPlan], device: torch.device, max_stack: int | None, *, n_jobs: int = 1
) -> list[list[int]]:
    """Split plans into stacks of at most ``max_stack`` models, and return the indices of the plans of each stack.

    Models of a stack have equal shapes. ``n_jobs`` stacks train at the same time. If ``max_stack`` is None, a stack has
    as many models as the free memory allows.
    """
    by_shape: dict[Hashable, list[int]] = {}
    for index, plan in enumerate(plans):
        # A user's module has no axis for several models.
        shape = _shape(plan) if plan.network.module is None else index
        by_shape.setdefault(shape, []).append(index)
    room = MEMORY_SHARE * free_memory(device) / n_jobs
    stacks = []
    for indices in by_shape.values():
        # The optimizer needs one call for neighbors with the same rates.
        indices.sort(key=lambda index: (plans[index].learning_rate, plans[index].weight_decay))
        most = max_stack or max(1, int(room / (4 * _count_numbers(plans[indices[0]]))))
        its_jobs = n_jobs * len(indices) // len(plans)
        n_stacks = max(-(-len(indices) // most), min(its_jobs, len(indices)))
        stacks += [indices[k::n_stacks] for k in range(n_stacks)]
    return stacks


def fit_in_stacks(plans: Sequence[FitPlan], device: torch.device) -> list[FitResult | Exception]:
    """Train plans as one stack. If this fails, for lack of memory or because of one model, train two halves, and so on.

    Returns the result of each plan, or the error of its fit.
    """
    try:
        return [*fit_stack(plans, device=device)]
    except Exception as error:
        # The frames of the failed attempt hold its memory.
        clear_frames(error.__traceback__)
        if len(plans) == 1:
            return [error]
    torch.cuda.empty_cache()
    half = len(plans) // 2
    return [*fit_in_stacks(plans[:half], device), *fit_in_stacks(plans[half:], device)]


def fit_each(plans: Sequence[FitPlan], device: torch.device) -> list[FitResult]:
    """Train all plans, in stacks of equal shape, and raise the first error."""
    results: dict[int, FitResult] = {}
    for stack in split_into_stacks(plans, device, None):
        for index, result in zip(stack, fit_in_stacks([plans[i] for i in stack], device), strict=True):
            if isinstance(result, Exception):
                raise result
            results[index] = result
    return [results[index] for index in range(len(plans))]


def _shape(plan: FitPlan) -> Hashable:
    """Return what models of a stack must have in common: shapes, number of steps, and the form of the loss."""
    return (
        plan.network,
        plan.X.shape[1],
        plan.objective,
        tuple(sorted(plan.hyperparameters)),
        plan.sampler.batch_length,
        tuple(plan.sampler.list_lengths),
        plan.schedule,
        plan.max_iter,
        plan.n_embedded,
        plan.chunk_length,
        plan.memory_size,
    )


def _count_numbers(plan: FitPlan) -> int:
    """Return the approximate number of values that a model needs in memory during training."""
    spec, n, lengths = plan.network, plan.sampler.batch_length, plan.sampler.list_lengths
    widths = [spec.input_width, *spec.hidden_layer_sizes, spec.n_scores or spec.n_outputs]
    n_proxies, n_values = spec.n_proxies or 0, 0 if plan.values is None else plan.values.shape[1]
    n_weights = sum(a * b for a, b in pairwise(widths)) + n_proxies * spec.n_outputs
    n_at_once = min(plan.n_embedded, plan.chunk_length or plan.n_embedded)
    activations = plan.n_embedded * (widths[0] + widths[-1]) + n_at_once * sum(widths[1:-1])
    compared = n * 8 * (max(lengths) + n_proxies + plan.memory_size)
    remembered = plan.memory_size * (spec.n_outputs + n_values + 2)
    return PER_WEIGHT * n_weights + PER_ACTIVATION * (activations + compared) + len(lengths) * n * 2 + remembered
