"""Dropout masks, drawn from each model's own generator."""

from collections.abc import Sequence
from copy import copy

import numpy as np
import torch
from torch import Tensor

from skmetric._core.engine.randomness import Stream, identity, open_stream, shared

__all__ = ["DropoutMasks"]

# Two random bytes decide over one activation.
LEVELS = 1 << 16


class DropoutMasks:
    """Draws the factors that dropout multiplies activations with: 0, or 1 / (share kept).

    On the host, by numpy: four times faster than torch's generator on a CPU, the same on every device, and a model
    gets the same masks alone and in a stack. Models of one seed, as in most searches, share one draw. The share dropped
    is rounded to a multiple of 1/65536.

    Parameters
    ----------
    rate : float
        Share of the activations that are dropped.
    width : int
        Activations an item; 0 draws nothing.
    seeds : sequence of numpy.random.SeedSequence
        One a model.
    device : torch.device
        Where the masks go.
    """

    def __init__(self, rate: float, width: int, seeds: Sequence[np.random.SeedSequence], device: torch.device) -> None:
        self._n_dropped = min(round(rate * LEVELS), LEVELS - 1)
        self._width = width
        self._device = device
        self._rngs = shared([identity(seed) for seed in seeds], lambda place: open_stream(seeds[place], Stream.DROPOUT))

    def keep_only(self, models: Sequence[int]) -> "DropoutMasks":
        """The masks of some of the models, which goes on where it is."""
        fewer = copy(self)
        fewer._rngs = [self._rngs[model] for model in models]
        return fewer

    def draw(self, n_steps: int, n_items: int) -> Sequence[Tensor | None]:
        """For each step the factors (n_models, n_items, width)."""
        if not self._width:
            return [None] * n_steps
        # Whole 64-bit words a step, so that the masks do not depend on how an epoch is cut into blocks of steps.
        n_words = -(-n_items * self._width // 4)
        distinct = list(dict.fromkeys(self._rngs))
        words = np.stack([rng.integers(0, 1 << 64, (n_steps, n_words), np.uint64) for rng in distinct], axis=1)
        levels = torch.from_numpy(words.view(np.int16)).to(self._device)
        is_kept = levels[..., : n_items * self._width] >= self._n_dropped - LEVELS // 2
        factors = is_kept.float().mul_(LEVELS / (LEVELS - self._n_dropped))
        factors = factors.view(n_steps, len(distinct), n_items, self._width)
        if len(distinct) > 1:
            factors = factors[:, [distinct.index(rng) for rng in self._rngs]]
        return factors.unbind()
