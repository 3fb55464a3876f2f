import numpy as np
import pytest
import torch

from skmetric._core.engine.dropout import DropoutMasks

CPU = torch.device("cpu")


def draw(seeds, n_steps, rate=0.25, n_items=10, width=7):
    return torch.stack(list(noise_of(seeds, rate, width).draw(n_steps, n_items)))


def noise_of(seeds, rate=0.25, width=7):
    return DropoutMasks(rate, width, [np.random.SeedSequence(seed) for seed in seeds], CPU)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_factors_keep_the_expectation(rate):
    factors = draw([0], 200, rate, 50, 20)
    assert factors.shape == (200, 1, 50, 20)
    assert len(factors.unique()) == 2
    assert factors.min() == 0
    assert factors.max() == pytest.approx(1 / (1 - rate), rel=1e-4)
    # 200,000 draws: five standard errors.
    assert (factors == 0).float().mean() == pytest.approx(rate, abs=5 * np.sqrt(rate * (1 - rate) / 2e5))


def test_a_model_draws_the_same_alone_and_in_a_stack():
    torch.testing.assert_close(draw([3, 4, 5], 6)[:, 1:2], draw([4], 6), rtol=0, atol=0)


def test_models_of_one_seed_draw_the_same():
    both = draw([4, 3, 4], 6)
    torch.testing.assert_close(both[:, 0], both[:, 2], rtol=0, atol=0)
    torch.testing.assert_close(both[:, :2], draw([4, 3], 6), rtol=0, atol=0)
    # If all models have the same masks, they are stored once.
    torch.testing.assert_close(draw([4, 4], 6), draw([4], 6), rtol=0, atol=0)


def test_some_of_the_models_go_on_where_they_are():
    noise = noise_of([3, 4, 3])
    noise.draw(2, 10)
    torch.testing.assert_close(
        torch.stack(list(noise.keep_only([2, 1]).draw(4, 10))), draw([3, 4], 6)[2:], rtol=0, atol=0
    )


def test_blocks_of_steps_do_not_matter():
    noise = noise_of([0])
    parts = [*noise.draw(2, 10), *noise.draw(3, 10)]
    torch.testing.assert_close(torch.stack(parts), draw([0], 5), rtol=0, atol=0)


def test_no_width_draws_nothing():
    assert noise_of([0], width=0).draw(3, 10) == [None] * 3
