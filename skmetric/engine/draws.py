"""The batches of a stack's models, drawn from each model's own generator."""

from collections.abc import Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray

from skmetric.engine.plan import FitPlan, Sampler
from skmetric.engine.randomness import Stream, identity, open_stream, shared

__all__ = ["BatchDraws"]


class _Source:
    def __init__(self, sampler: Sampler, seed: np.random.SeedSequence) -> None:
        self._sampler = sampler
        self._rng = open_stream(seed, Stream.BATCHES)

    def draw_epoch(self) -> NDArray[np.integer]:
        return self._sampler.draw_epoch(self._rng)


class BatchDraws:
    """Draws the epochs of all models, one after the other. Models of one sampler and one seed share a draw.

    Parameters
    ----------
    plans : sequence of FitPlan
        One a model.
    """

    def __init__(self, plans: Sequence[FitPlan]) -> None:
        self._sources = shared(
            [(id(plan.sampler), identity(plan.seed)) for plan in plans],
            lambda place: _Source(plans[place].sampler, plans[place].seed),
        )

    def draw_epoch(self) -> list[NDArray[np.integer]]:
        """For each model its items, (n_steps, batch_length)."""
        drawn = {source: source.draw_epoch() for source in dict.fromkeys(self._sources)}
        return [drawn[source] for source in self._sources]

    def keep_only(self, models: Sequence[int]) -> "BatchDraws":
        """The draws of some of the models, which go on where they are."""
        fewer = copy(self)
        fewer._sources = [self._sources[model] for model in models]
        return fewer
