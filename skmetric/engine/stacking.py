"""Which models can train side by side, and how many at a time."""

import os
from collections.abc import Hashable, Sequence
from itertools import pairwise

import torch

from skmetric.engine.fit import fit_stack
from skmetric.engine.plan import FitPlan, FitResult

__all__ = ["fit_in_stacks", "split_into_stacks"]

# Share of the free memory that a stack is planned for.
MEMORY_SHARE = 0.25
# Taken for free where the system does not say.
UNKNOWN_MEMORY = 1 << 32
# Numbers held for each weight (value, gradient, two moments, scratch, the gradient's parts), and for each activation
# (itself, its gradient, dropout's factors and what is drawn for them).
PER_WEIGHT, PER_ACTIVATION = 8, 8


def split_into_stacks(plans: Sequence[FitPlan], device: torch.device, max_stack: int | None) -> list[list[int]]:
    """Places of the plans that can train as one stack, in stacks of at most ``max_stack``.

    None takes as many models as the memory at hand allows.
    """
    alike: dict[Hashable, list[int]] = {}
    for place, plan in enumerate(plans):
        alike.setdefault(_shape(plan), []).append(place)
    stacks = []
    for places in alike.values():
        most = max_stack or _models_that_fit(plans[places[0]], device)
        n_stacks = -(-len(places) // most)
        stacks += [places[k::n_stacks] for k in range(n_stacks)]
    return stacks


def fit_in_stacks(plans: Sequence[FitPlan], device: torch.device) -> list[FitResult]:
    """Train as one stack; where a GPU has no memory for it, as two halves, and so on."""
    try:
        return fit_stack(plans, device=device)
    except torch.cuda.OutOfMemoryError:
        if len(plans) == 1:
            raise
    torch.cuda.empty_cache()
    half = len(plans) // 2
    return [*fit_in_stacks(plans[:half], device), *fit_in_stacks(plans[half:], device)]


def _shape(plan: FitPlan) -> Hashable:
    """What models of a stack have in common: all that decides shapes, step counts and the loss's form."""
    return (
        plan.network,
        plan.objective,
        tuple(sorted(plan.hyperparameters)),
        plan.sampler.batch_length,
        tuple(plan.sampler.list_lengths),
        plan.schedule,
        plan.max_iter,
    )


def _models_that_fit(plan: FitPlan, device: torch.device) -> int:
    spec, n = plan.network, plan.sampler.batch_length
    widths = [spec.n_features, *spec.hidden_layer_sizes, spec.n_scores or spec.n_outputs]
    n_weights = sum(a * b for a, b in pairwise(widths))
    lengths = plan.sampler.list_lengths
    n_numbers = PER_WEIGHT * n_weights + PER_ACTIVATION * n * (sum(widths) + 8 * max(lengths)) + len(lengths) * n * 2
    return max(1, int(MEMORY_SHARE * _free_memory(device) / (4 * n_numbers)))


def _free_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return UNKNOWN_MEMORY
