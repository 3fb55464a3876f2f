"""Laws of the losses of neighbor ranks that hold for any data."""

import math

import hypothesis
import torch
from hypothesis import strategies as st

from skmetric.losses import blackbox_ranks, distinct_rows, neighbor_spearman, ranksim_loss
from tests.losses.cases import generator, take_rows, value_and_gradient
from tests.losses.order import ranksim_reference as reference

settings = hypothesis.settings(max_examples=40)

seeds = st.integers(0, 2**20)
sizes = st.integers(1, 20)
similarities = st.sampled_from(reference.SIMILARITIES)
ties = st.sampled_from(reference.TIES)
# Not round numbers: with them, moved similarities of the same few rows could tie up to rounding.
strengths = st.floats(0.01, 10.0).map(lambda strength: strength * math.sqrt(2))
STRENGTH = math.sqrt(2)
forms = st.booleans()


def close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)


def draw_list(n, seed, *, levels=None, duplicates=True):
    """Features (n, 3) with equal rows, and labels: some of `levels`, or all different."""
    draw = generator(seed)
    features = torch.randn(n, 3, generator=draw, dtype=torch.float64)
    if duplicates:
        features = take_rows(features, torch.randint(n, (n,), generator=draw))
    labels = torch.randn(n, generator=draw, dtype=torch.float64)
    return features, labels if levels is None else torch.randint(levels, (n,), generator=draw).double()


levels = st.one_of(st.none(), st.integers(1, 6))


@settings
@hypothesis.given(seeds, sizes, levels, similarities, ties, forms, strengths)
def test_definition(seed, n, n_levels, similarity, kind, scale_free, strength):
    features, labels = draw_list(n, seed, levels=n_levels)
    mask = torch.rand(n, generator=generator(seed)) < 0.8
    options = {"similarity": similarity, "ties": kind, "scale_free": scale_free, "interpolation_strength": strength}
    actual = value_and_gradient(ranksim_loss, features, labels, mask=mask, **options)
    close(actual, value_and_gradient(reference.ranksim_loss, features, labels, mask=mask, **options))


@settings
@hypothesis.given(seeds, sizes, levels, similarities, forms, strengths)
def test_order_does_not_matter(seed, n, n_levels, similarity, scale_free, strength):
    features, labels = draw_list(n, seed, levels=n_levels)
    order = torch.randperm(n, generator=generator(seed))
    options = {"similarity": similarity, "scale_free": scale_free, "interpolation_strength": strength}
    value, gradient = value_and_gradient(ranksim_loss, features, labels, **options)
    close(value_and_gradient(ranksim_loss, features[order], labels[order], **options), (value, gradient[order]))
    correlation = neighbor_spearman(features, labels, similarity=similarity)
    close(neighbor_spearman(features[order], labels[order], similarity=similarity), correlation)


@settings
@hypothesis.given(seeds, sizes, levels, similarities, strengths, st.floats(-9.0, 9.0))
def test_scale_of_features(seed, n, n_levels, similarity, strength, exponent):
    features, labels = draw_list(n, seed, levels=n_levels)
    scale = 10**exponent
    options = {"similarity": similarity, "interpolation_strength": strength}
    value, gradient = value_and_gradient(ranksim_loss, features, labels, **options)
    scaled = value_and_gradient(ranksim_loss, scale * features, labels, **options)
    close((scaled[0], scale * scaled[1]), (value, gradient))


@settings
@hypothesis.given(seeds, sizes, st.floats(-9.0, 9.0))
def test_scale_of_each_row_does_not_matter_to_the_cosine(seed, n, exponent):
    features, labels = draw_list(n, seed, duplicates=False)
    scales = 10 ** (exponent * torch.rand(n, 1, generator=generator(seed), dtype=torch.float64))
    options = {"similarity": "cosine", "interpolation_strength": STRENGTH}
    value, gradient = value_and_gradient(ranksim_loss, features, labels, **options)
    scaled = value_and_gradient(ranksim_loss, scales * features, labels, **options)
    close((scaled[0], scales * scaled[1]), (value, gradient))


@settings
@hypothesis.given(seeds, sizes, levels, forms, strengths, st.floats(-100.0, 100.0))
def test_shift_of_features(seed, n, n_levels, scale_free, strength, shift):
    features, labels = draw_list(n, seed, levels=n_levels)
    options = {"scale_free": scale_free, "interpolation_strength": strength}
    expected = value_and_gradient(ranksim_loss, features, labels, **options)
    close(value_and_gradient(ranksim_loss, features + shift, labels, **options), expected)


@settings
@hypothesis.given(seeds, sizes, levels, similarities, ties, forms, st.integers(-10, 10), st.integers(-50, 50))
def test_shift_and_scale_of_labels(seed, n, n_levels, similarity, kind, scale_free, exponent, shift):
    # by whole numbers and powers of two, so that equal distances of labels stay equal
    features, labels = draw_list(n, seed, levels=n_levels)
    options = {"similarity": similarity, "ties": kind, "scale_free": scale_free, "interpolation_strength": STRENGTH}
    expected = value_and_gradient(ranksim_loss, features, labels, **options)
    close(value_and_gradient(ranksim_loss, features, 2.0**exponent * labels + shift, **options), expected)
    close(value_and_gradient(ranksim_loss, features, shift - labels, **options), expected)


@settings
@hypothesis.given(seeds, st.integers(2, 20), similarities, ties, strengths)
def test_labels_that_order_the_rows_equally_are_a_minimum(seed, n, similarity, kind, strength):
    labels = draw_list(n, seed)[1]
    columns = {"euclidean": [3 * labels], "cosine": [torch.cos(labels / 3), torch.sin(labels / 3)]}
    features = torch.stack(columns[similarity], -1)
    hypothesis.assume(labels.abs().max() < 4)  # otherwise the angle between two rows may exceed 180 degrees
    for scale_free in (True, False):
        options = {"similarity": similarity, "ties": kind, "scale_free": scale_free}
        value, gradient = value_and_gradient(ranksim_loss, features, labels, interpolation_strength=strength, **options)
        assert value == 0
        assert (gradient == 0).all()


@settings
@hypothesis.given(seeds, sizes, levels, similarities, ties)
def test_bounds(seed, n, n_levels, similarity, kind):
    # two orders of m rows differ most if one is the reverse of the other: m (m^2 - 1) / 3 for each of m rows, over m^4
    features, labels = draw_list(n, seed, levels=n_levels)
    options = {"similarity": similarity, "ties": kind, "interpolation_strength": STRENGTH}
    value = ranksim_loss(features, labels, **options)
    assert 0 <= value <= (1 - 1 / n**2) / 3 + 1e-12
    close(ranksim_loss(features, labels, scale_free=False, **options), n * value)
    assert abs(neighbor_spearman(features, labels, similarity=similarity)) <= 1 + 1e-12


@settings
@hypothesis.given(seeds, sizes, similarities, ties, forms)
def test_loss_by_correlation_without_ties(seed, n, similarity, kind, scale_free):
    features, labels = draw_list(n, seed, duplicates=False)
    options = {"ties": kind, "scale_free": scale_free, "interpolation_strength": STRENGTH}
    value = ranksim_loss(features, labels, similarity=similarity, **options)
    correlation = neighbor_spearman(features, labels, similarity=similarity)
    close(value, (1 if scale_free else n) * (1 - correlation) * (1 - 1 / n**2) / 6)


@settings
@hypothesis.given(seeds, sizes, levels, similarities, ties, forms, strengths)
def test_masked_items_are_removed_items(seed, n, n_levels, similarity, kind, scale_free, strength):
    features, labels = draw_list(n, seed, levels=n_levels)
    mask = torch.rand(n, generator=generator(seed + 1)) < 0.7
    options = {"similarity": similarity, "ties": kind, "scale_free": scale_free, "interpolation_strength": strength}
    value, gradient = value_and_gradient(ranksim_loss, features, labels, mask=mask, **options)
    close((value, gradient[mask]), value_and_gradient(ranksim_loss, features[mask], labels[mask], **options))
    assert (gradient[~mask] == 0).all()
    correlation = neighbor_spearman(features, labels, similarity=similarity, mask=mask)
    close(correlation, neighbor_spearman(features[mask], labels[mask], similarity=similarity))


@settings
@hypothesis.given(seeds, sizes, levels, similarities, ties, forms)
def test_a_mask_of_only_real_items_changes_nothing(seed, n, n_levels, similarity, kind, scale_free):
    features, labels = draw_list(n, seed, levels=n_levels)
    options = {"similarity": similarity, "ties": kind, "scale_free": scale_free, "interpolation_strength": STRENGTH}
    expected = value_and_gradient(ranksim_loss, features, labels, **options)
    close(value_and_gradient(ranksim_loss, features, labels, mask=torch.ones(n, dtype=torch.bool), **options), expected)


@settings
@hypothesis.given(seeds, sizes, levels, similarities, st.floats(-100.0, 100.0))
def test_scale_free_gradient_is_linear_in_what_multiplies_the_loss(seed, n, n_levels, similarity, factor):
    features, labels = draw_list(n, seed, levels=n_levels)
    options = {"similarity": similarity, "interpolation_strength": STRENGTH}
    value, gradient = value_and_gradient(ranksim_loss, features, labels, **options)
    scaled = value_and_gradient(lambda *args: factor * ranksim_loss(*args, **options), features, labels)
    close(scaled, (factor * value, factor * gradient))


@settings
@hypothesis.given(seeds, sizes, levels, forms, strengths)
def test_euclidean_gradients_add_up_to_nothing(seed, n, n_levels, scale_free, strength):
    features, labels = draw_list(n, seed, levels=n_levels)
    options = {"scale_free": scale_free, "interpolation_strength": strength}
    gradient = value_and_gradient(ranksim_loss, features, labels, **options)[1]
    close(gradient.sum(0), torch.zeros(3, dtype=torch.float64))


@settings
@hypothesis.given(seeds, sizes, levels, ties, strengths)
def test_scale_free_gradients_do_not_stretch_distances(seed, n, n_levels, kind, strength):
    features, labels = draw_list(n, seed, levels=n_levels)
    options = {"ties": kind, "interpolation_strength": strength}
    gradient = value_and_gradient(ranksim_loss, features, labels, **options)[1]
    close((gradient * features).sum(), torch.tensor(0.0, dtype=torch.float64))


@settings
@hypothesis.given(seeds, sizes, forms, strengths)
def test_cosine_gradients_turn_rows_only(seed, n, scale_free, strength):
    features, labels = draw_list(n, seed)
    options = {"similarity": "cosine", "scale_free": scale_free, "interpolation_strength": strength}
    gradient = value_and_gradient(ranksim_loss, features, labels, **options)[1]
    close((gradient * features).sum(-1), torch.zeros(n, dtype=torch.float64))


@settings
@hypothesis.given(st.lists(st.integers(-3, 3), min_size=1, max_size=12), st.integers(1, 14), st.data())
def test_distinct_rows(labels, n_most, data):
    mask = data.draw(st.lists(st.booleans(), min_size=len(labels), max_size=len(labels)))
    indices, is_real = distinct_rows(torch.tensor(labels), n_most)
    assert (indices.tolist(), is_real.tolist()) == reference.distinct_rows(labels, n_most)
    junk = torch.where(torch.tensor(mask), torch.tensor(labels, dtype=torch.float64), torch.nan)
    for numbers in (torch.tensor(labels), junk):
        indices, is_real = distinct_rows(numbers, n_most, mask=torch.tensor(mask))
        assert (indices.tolist(), is_real.tolist()) == reference.distinct_rows(labels, n_most, mask)


@settings
@hypothesis.given(st.lists(st.integers(-4, 4), min_size=1, max_size=12), ties, strengths, seeds)
def test_blackbox_ranks(numbers, kind, strength, seed):
    values = torch.tensor(numbers, dtype=torch.float64)
    weights = torch.randn(len(numbers), generator=generator(seed), dtype=torch.float64)
    options = {"interpolation_strength": strength, "ties": kind}
    actual = value_and_gradient(lambda v: weights * blackbox_ranks(v, **options), values)
    close(actual, value_and_gradient(lambda v: weights * reference.blackbox_ranks(v, **options), values))
    close(blackbox_ranks(values, **options).sum(), values.new_tensor(len(numbers) * (len(numbers) + 1) / 2))
