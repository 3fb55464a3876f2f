"""Learning rate schedules: one factor per step of a fit, on the learning rate of the estimator."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Schedule", "constant", "one_cycle"]

Schedule = Callable[[int], NDArray[np.float64]]


def constant(n_steps: int) -> NDArray[np.float64]:
    """Keep the learning rate constant: the factor is 1 at every step."""
    return np.ones(n_steps)


def one_cycle(n_steps: int, *, warm_up: float = 0.3, start: float = 0.04, end: float = 4e-6) -> NDArray[np.float64]:
    """Increase the factor to 1 along a cosine, then decrease it along another.

    Smith, Topin (2019). Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates. Two
    cosines replace the straight lines of the paper.
    """
    peak = max(1.0, warm_up * n_steps)
    step = np.arange(n_steps, dtype=np.float64)
    rising = (1 - np.cos(np.pi * np.minimum(step / peak, 1))) / 2
    falling = (1 + np.cos(np.pi * np.clip((step - peak) / max(1.0, n_steps - 1 - peak), 0, 1))) / 2
    return np.where(step < peak, start + (1 - start) * rising, end + (1 - end) * falling)
