"""What the candidates of a fold have in common, each having made it for itself."""

from dataclasses import replace
from typing import Any

import numpy as np

from skmetric.engine import FitPlan

__all__ = ["share"]


def share(plan: FitPlan, earlier: list[FitPlan]) -> FitPlan:
    """Let the candidates of a fold share rows and samplers that are equal, which each has made for itself.

    The rows are then on the device once, and batches are drawn once for all models of a seed.
    """
    X = next((other.X for other in earlier if np.array_equal(other.X, plan.X)), plan.X)
    sampler = next((other.sampler for other in earlier if _draw_alike(other.sampler, plan.sampler)), plan.sampler)
    if X is plan.X or sampler is plan.sampler:
        earlier.append(plan)
    return replace(plan, X=X, sampler=sampler)


def _draw_alike(one: Any, other: Any) -> bool:
    """Whether two samplers are of one kind and hold equal values."""
    return type(one) is type(other) and all(
        np.array_equal(value, vars(other)[name]) for name, value in vars(one).items()
    )
