"""Dropout masks, drawn from one generator per model."""

from collections.abc import Sequence
from copy import copy

import numpy as np
import torch
from torch import Tensor

from skmetric._core.engine.randomness import Stream, identity, open_stream, shared

__all__ = ["DropoutMasks"]

# Two random bytes decide whether one activation is dropped.
LEVELS = 1 << 16


class DropoutMasks:
    """Draws the factors by which dropout multiplies activations: 0, or 1 / (share kept).

    numpy draws them on the host. This is four times faster than torch's generator on a CPU, gives the same masks on
    every device, and gives a model the same masks alone and in a stack. Models with the same seed, as in most searches,
    share one draw. The share dropped is rounded to a multiple of 1/65536.

    Parameters
    ----------
    rate : float
        Share of the activations that is dropped.
    width : int
        Number of activations per item. 0 draws nothing.
    seeds : sequence of numpy.random.SeedSequence
        One seed per model.
    device : torch.device
        Device of the masks.
    """

    def __init__(self, rate: float, width: int, seeds: Sequence[np.random.SeedSequence], device: torch.device) -> None:
        self._n_dropped = min(round(rate * LEVELS), LEVELS - 1)
        self._width = width
        self._device = device
        self._rngs = shared([identity(seed) for seed in seeds], lambda index: open_stream(seeds[index], Stream.DROPOUT))

    def keep_only(self, models: Sequence[int]) -> "DropoutMasks":
        """Return the masks of some of the models. Their streams continue."""
        fewer = copy(self)
        fewer._rngs = [self._rngs[model] for model in models]
        return fewer

    def draw(self, n_steps: int, n_items: int) -> Sequence[Tensor | None]:
        """Return the factors of each step, (n_models, n_items, width); None if there are no activations to drop."""
        if not self._width:
            return [None] * n_steps
        # Each step takes whole 64-bit words, so that masks do not depend on how an epoch is split into blocks of steps.
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
