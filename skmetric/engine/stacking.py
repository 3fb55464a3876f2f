"""Which models can train side by side, and how many at a time."""

from collections.abc import Hashable, Sequence
from itertools import pairwise
from traceback import clear_frames

import torch

from skmetric.engine.device import free_memory
from skmetric.engine.fit import fit_stack
from skmetric.engine.plan import FitPlan, FitResult

__all__ = ["fit_in_stacks", "split_into_stacks"]

# Share of the free memory that the stacks of all jobs are planned for.
MEMORY_SHARE = 0.25
# Numbers held for each weight (value, gradient and its parts, two moments), and for each activation (itself, its
# gradient, dropout's factors and what is drawn for them).
PER_WEIGHT, PER_ACTIVATION = 7, 8


def split_into_stacks(
    plans: Sequence[FitPlan], device: torch.device, max_stack: int | None, *, n_jobs: int = 1
) -> list[list[int]]:
    """Places of the plans that can train as one stack, in stacks of at most ``max_stack``, for so many jobs at a time.

    None takes as many models as the memory at hand allows.
    """
    alike: dict[Hashable, list[int]] = {}
    for place, plan in enumerate(plans):
        alike.setdefault(_shape(plan), []).append(place)
    room = MEMORY_SHARE * free_memory(device) / n_jobs
    stacks = []
    for places in alike.values():
        # Neighbours with the same rates are one call of the optimiser.
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
        plan.n_embedded,
        plan.chunk_length,
        plan.memory_size,
    )


def _count_numbers(plan: FitPlan) -> int:
    """How many numbers, about, a model needs in memory while it trains."""
    spec, n, lengths = plan.network, plan.sampler.batch_length, plan.sampler.list_lengths
    widths = [spec.n_features, *spec.hidden_layer_sizes, spec.n_scores or spec.n_outputs]
    n_proxies, n_values = spec.n_proxies or 0, 0 if plan.values is None else plan.values.shape[1]
    n_weights = sum(a * b for a, b in pairwise(widths)) + n_proxies * spec.n_outputs
    at_a_time = min(plan.n_embedded, plan.chunk_length or plan.n_embedded)
    activations = plan.n_embedded * (widths[0] + widths[-1]) + at_a_time * sum(widths[1:-1])
    compared = n * 8 * (max(lengths) + n_proxies + plan.memory_size)
    remembered = plan.memory_size * (spec.n_outputs + n_values + 2)
    return PER_WEIGHT * n_weights + PER_ACTIVATION * (activations + compared) + len(lengths) * n * 2 + remembered
