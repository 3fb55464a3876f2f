"""Laws of the ranking losses that hold for any data."""

import hypothesis
import pytest
import torch
from hypothesis import strategies as st

from tests.losses.cases import assert_agree, generator, value_and_gradient
from tests.losses.ranking.cases import LOSSES, names
from tests.losses.ranking.lists import ranked, select

settings = hypothesis.settings(max_examples=60)

seeds = st.integers(0, 2**20)
sizes = st.integers(1, 40)
levels = st.integers(1, 8)
scales = st.floats(0.01, 100.0)


def losses(condition=lambda loss: True):
    return st.sampled_from(names(condition))


def close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)


@settings
@hypothesis.given(losses(), seeds, sizes, levels)
def test_order_does_not_matter(name, seed, n, n_levels):
    case = ranked(n, levels=n_levels, masked=True, weighted=True, seed=seed)
    order = torch.randperm(n, generator=generator(seed))
    moved = select(case, order)
    value, gradient = value_and_gradient(LOSSES[name], case.scores, case.relevance, **case.options)
    close(value_and_gradient(LOSSES[name], moved.scores, moved.relevance, **moved.options), (value, gradient[order]))


@settings
@hypothesis.given(losses(lambda loss: not loss.sees_shift), seeds, sizes, levels, st.floats(-100.0, 100.0))
def test_shift_of_scores_does_not_matter(name, seed, n, n_levels, shift):
    case = ranked(n, levels=n_levels, masked=True, weighted=True, seed=seed)
    shifted = LOSSES[name](case.scores + shift, case.relevance, **case.options)
    close(shifted, LOSSES[name](case.scores, case.relevance, **case.options))


@settings
@hypothesis.given(losses(lambda loss: loss.scales_with), seeds, sizes, levels, scales)
def test_scale_of_scores_and_option(name, seed, n, n_levels, scale):
    loss, case = LOSSES[name], ranked(n, levels=n_levels, masked=True, weighted=True, seed=seed)
    value = loss(case.scores, case.relevance, **case.options)
    option = {loss.scales_with: loss.options[loss.scales_with] * scale}
    factor = scale**loss.power_of_scale
    scaled = loss(case.scores * scale, case.relevance, **case.options, **option)
    torch.testing.assert_close(scaled, value * factor, rtol=1e-9, atol=1e-9 * factor)


@settings
@hypothesis.given(losses(lambda loss: loss.power_of_weights is not None), seeds, sizes, levels, scales)
def test_scale_of_weights(name, seed, n, n_levels, scale):
    loss, case = LOSSES[name], ranked(n, levels=n_levels, masked=True, weighted=True, seed=seed)
    value = loss(case.scores, case.relevance, **case.options)
    factor = scale**loss.power_of_weights
    scaled = loss(case.scores, case.relevance, **{**case.options, "weights": case.options["weights"] * scale})
    torch.testing.assert_close(scaled, value * factor, rtol=1e-9, atol=1e-9 * factor)


@settings
@hypothesis.given(losses(lambda loss: loss.weight_is_count), seeds, sizes, levels)
def test_a_whole_weight_is_as_many_copies(name, seed, n, n_levels):
    case = ranked(n, levels=n_levels, whole_weights=True, seed=seed)
    weights = case.options["weights"]
    copies = torch.arange(n).repeat_interleave(weights.long())
    value, gradient = value_and_gradient(LOSSES[name], case.scores, case.relevance, weights=weights)
    repeated = value_and_gradient(LOSSES[name], case.scores[copies], case.relevance[copies])
    close((repeated[0], torch.zeros(n, dtype=torch.float64).index_add(0, copies, repeated[1])), (value, gradient))


@settings
@hypothesis.given(losses(lambda loss: loss.weight_is_count), seeds, sizes, levels)
def test_no_weight_is_no_item(name, seed, n, n_levels):
    case = ranked(n, levels=n_levels, weighted=True, seed=seed)
    weights = case.options["weights"]
    removed = LOSSES[name](case.scores, case.relevance, weights=weights, mask=weights > 0)
    close(LOSSES[name](case.scores, case.relevance, weights=weights), removed)


@settings
@hypothesis.given(losses(), seeds, sizes, levels, st.booleans())
def test_masked_items_are_removed_items(name, seed, n, n_levels, tied_scores):
    case = ranked(n, levels=n_levels, masked=True, weighted=True, tied_scores=tied_scores, seed=seed)
    mask, weights = case.options["mask"], case.options["weights"]
    value, gradient = value_and_gradient(LOSSES[name], case.scores, case.relevance, **case.options)
    left = value_and_gradient(LOSSES[name], case.scores[mask], case.relevance[mask], weights=weights[mask])
    close((value, gradient[mask]), left)
    assert (gradient[~mask] == 0).all()


@settings
@hypothesis.given(losses(), seeds, sizes, levels)
def test_full_masks_and_unit_weights_change_nothing(name, seed, n, n_levels):
    case = ranked(n, levels=n_levels, seed=seed)
    value = value_and_gradient(LOSSES[name], case.scores, case.relevance)
    options = {"mask": torch.ones(n, dtype=torch.bool), "weights": torch.ones(n, dtype=torch.float64)}
    close(value_and_gradient(LOSSES[name], case.scores, case.relevance, **options), value)


@settings
@hypothesis.given(losses(), seeds, sizes, levels)
def test_no_loss_is_below_zero(name, seed, n, n_levels):
    # weights below 1 are not numbers of copies: with them, the softmax loss may be below 0
    case = ranked(n, levels=n_levels, whole_weights=True, masked=True, seed=seed)
    value = LOSSES[name](case.scores, case.relevance, **case.options)
    assert value >= -1e-12
    assert value <= LOSSES[name].at_most + 1e-12


@settings
@hypothesis.given(losses(lambda loss: loss.depends_on == "order"), seeds, sizes)
def test_only_the_order_of_relevance_counts(name, seed, n):
    case = ranked(n, masked=True, weighted=True, seed=seed)
    other = 0.1 * case.relevance**3 - 7
    value = value_and_gradient(LOSSES[name], case.scores, case.relevance, **case.options)
    close(value_and_gradient(LOSSES[name], case.scores, other, **case.options), value)


@settings
@hypothesis.given(losses(), seeds, st.integers(2, 4))
def test_a_stack_is_its_lists(name, seed, n_lists):
    case = ranked(12, leading=(n_lists,), masked=True, weighted=True, seed=seed)
    stacked = LOSSES[name](case.scores, case.relevance, **case.options)
    lists = [ranked_list(case, i) for i in range(n_lists)]
    assert_agree(stacked, torch.stack([LOSSES[name](s, r, **options) for s, r, options in lists]))


def ranked_list(case, i):
    return case.scores[i], case.relevance[i], {key: value[i] for key, value in case.options.items()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("n", [5, 21, 64, 130])
@pytest.mark.parametrize("name", LOSSES)
def test_a_model_has_the_same_bits_alone_and_in_a_stack(name, n, plain, dtype):
    # five models score the same three lists
    lists = ranked(n, leading=(3,), masked=not plain, weighted=not plain)
    options = {key: value if key == "mask" else value.to(dtype) for key, value in lists.options.items()}
    scores = ranked(n, leading=(5, 3), seed=1).scores.to(dtype)
    tunable = LOSSES[name].tunable
    setting = None if plain or tunable is None else torch.linspace(0.3, 2.0, 5, dtype=dtype)[:, None].expand(5, 3)

    def run(models):
        own = {} if setting is None else {tunable: setting[models]}
        return value_and_gradient(LOSSES[name], scores[models], lists.relevance.to(dtype), **options, **own)

    stacked = run(slice(0, 5))
    for i in range(5):
        value, gradient = run(slice(i, i + 1))
        assert torch.equal(value[0], stacked[0][i])
        assert torch.equal(gradient[0], stacked[1][i])
