"""From plans to results: which models train side by side, and their training."""

from collections.abc import Hashable, Sequence
from contextlib import nullcontext
from itertools import pairwise
from traceback import clear_frames
from typing import Any

import torch

from skmetric._core.engine.device import free_memory
from skmetric._core.engine.plan import FitPlan, FitResult
from skmetric._core.engine.progress import Progress
from skmetric._core.engine.randomness import borrow_global_generators
from skmetric._core.engine.skorch_net import CallbackNet
from skmetric._core.engine.training import TrainingStack

__all__ = ["fit_each", "fit_in_stacks", "fit_stack", "split_into_stacks"]


# Share of the free memory that the stacks of all jobs are planned for.
MEMORY_SHARE = 0.25
# Numbers held for each weight (value, gradient and its parts, two moments), and for each activation (itself, its
# gradient, dropout's factors and what is drawn for them).
PER_WEIGHT, PER_ACTIVATION = 7, 8


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
        CallbackNet(progress, callbacks=callbacks, verbose=verbose).train()
        return progress.results()


def split_into_stacks(
    plans: Sequence[FitPlan], device: torch.device, max_stack: int | None, *, n_jobs: int = 1
) -> list[list[int]]:
    """Places of the plans that can train as one stack, in stacks of at most ``max_stack``, for so many jobs at a time.

    None takes as many models as the memory at hand allows.
    """
    alike: dict[Hashable, list[int]] = {}
    for place, plan in enumerate(plans):
        # A user's module has no axis for several models.
        shape = _shape(plan) if plan.network.module is None else place
        alike.setdefault(shape, []).append(place)
    room = MEMORY_SHARE * free_memory(device) / n_jobs
    stacks = []
    for places in alike.values():
        # Neighbors with the same rates are one call of the optimizer.
        places.sort(key=lambda place: (plans[place].learning_rate, plans[place].weight_decay))
        most = max_stack or max(1, int(room / (4 * _count_numbers(plans[places[0]]))))
        its_jobs = n_jobs * len(places) // len(plans)
        n_stacks = max(-(-len(places) // most), min(its_jobs, len(places)))
        stacks += [places[k::n_stacks] for k in range(n_stacks)]
    return stacks


def fit_in_stacks(plans: Sequence[FitPlan], device: torch.device) -> list[FitResult | Exception]:
    """Train as one stack; where that fails, for want of memory or for one of its models, as two halves, and so on.

    For each plan, its result, or why there is none.
    """
    try:
        return [*fit_stack(plans, device=device)]
    except Exception as error:
        # What the failed attempt holds is in its frames.
        clear_frames(error.__traceback__)
        if len(plans) == 1:
            return [error]
    torch.cuda.empty_cache()
    half = len(plans) // 2
    return [*fit_in_stacks(plans[:half], device), *fit_in_stacks(plans[half:], device)]


def fit_each(plans: Sequence[FitPlan], device: torch.device) -> list[FitResult]:
    """Train all plans, side by side where they agree in shape; the first error of any is raised."""
    results: dict[int, FitResult] = {}
    for stack in split_into_stacks(plans, device, None):
        for index, result in zip(stack, fit_in_stacks([plans[i] for i in stack], device), strict=True):
            if isinstance(result, Exception):
                raise result
            results[index] = result
    return [results[index] for index in range(len(plans))]


def _shape(plan: FitPlan) -> Hashable:
    """What models of a stack have in common: all that decides shapes, step counts and the loss's form."""
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
    """How many numbers, about, a model needs in memory while it trains."""
    spec, n, lengths = plan.network, plan.sampler.batch_length, plan.sampler.list_lengths
    widths = [spec.input_width, *spec.hidden_layer_sizes, spec.n_scores or spec.n_outputs]
    n_proxies, n_values = spec.n_proxies or 0, 0 if plan.values is None else plan.values.shape[1]
    n_weights = sum(a * b for a, b in pairwise(widths)) + n_proxies * spec.n_outputs
    at_a_time = min(plan.n_embedded, plan.chunk_length or plan.n_embedded)
    activations = plan.n_embedded * (widths[0] + widths[-1]) + at_a_time * sum(widths[1:-1])
    compared = n * 8 * (max(lengths) + n_proxies + plan.memory_size)
    remembered = plan.memory_size * (spec.n_outputs + n_values + 2)
    return PER_WEIGHT * n_weights + PER_ACTIVATION * (activations + compared) + len(lengths) * n * 2 + remembered
