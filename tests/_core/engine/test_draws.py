from dataclasses import replace

import numpy as np
import pytest

from skmetric._core.engine import fit_stack
from skmetric._core.engine.randomness import Stream, open_stream
from skmetric._core.engine.training import BatchDraws
from tests._core.engine.plans import CPU, make_plan


class Counted:
    """A sampler that counts its draws."""

    def __init__(self, sampler):
        self._sampler = sampler
        self.n_draws = 0
        self.batch_length, self.list_lengths = sampler.batch_length, sampler.list_lengths

    def draw_epoch(self, rng):
        self.n_draws += 1
        return self._sampler.draw_epoch(rng)


def test_models_of_one_sampler_and_seed_share_a_draw():
    plan, other = make_plan(0), make_plan(1)
    counted = Counted(plan.sampler)
    draws = BatchDraws([replace(each, sampler=counted) for each in (plan, other, plan, plan)])
    first, second = draws.draw_epoch(), draws.draw_epoch()
    assert counted.n_draws == 4
    for drawn in (first, second):
        assert drawn[0] is drawn[2] is drawn[3]
        assert not np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(first[0], second[0])


def test_every_model_gets_what_it_would_get_alone():
    plans = [make_plan(0), make_plan(1), make_plan(0)]
    plans[2] = replace(plans[2], sampler=plans[0].sampler)
    draws, rngs = BatchDraws(plans), [open_stream(plan.seed, Stream.BATCHES) for plan in plans]
    kept = [0, 1, 2]
    for remaining in ([0, 1, 2], [1, 2], [2]):
        draws = draws.keep_only([kept.index(model) for model in remaining])
        kept = remaining
        for model, drawn in zip(kept, draws.draw_epoch(), strict=True):
            np.testing.assert_array_equal(drawn, plans[model].sampler.draw_epoch(rngs[model]))


@pytest.mark.parametrize("learning_rates", [(0.01, 0.01), (0.01, 0.02)])
def test_a_shared_sampler_changes_no_model(learning_rates):
    plan = make_plan(0)
    plans = [replace(plan, learning_rate=rate) for rate in learning_rates]
    for each, together in zip(plans, fit_stack(plans, device=CPU), strict=True):
        (alone,) = fit_stack([each], device=CPU)
        for name, value in alone.network.weights.items():
            np.testing.assert_array_equal(together.network.weights[name], value)
