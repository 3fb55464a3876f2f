"""Ranks with a gradient and the loss of neighbor ranks: values and gradients against their definitions."""

import itertools

import pytest
import torch

from skmetric.losses import blackbox_ranks, distinct_rows, neighbor_spearman, ranksim_loss
from tests.losses.cases import assert_agree, generator, normal, take_rows, value_and_gradient
from tests.losses.order import ranksim_reference as reference

each_similarity = pytest.mark.parametrize("similarity", reference.SIMILARITIES)
each_ties = pytest.mark.parametrize("ties", reference.TIES)
each_form = pytest.mark.parametrize("scale_free", [True, False])


def vector(values):
    return torch.tensor(values, dtype=torch.float64)


def labels_of(kind, *shape, seed=0):
    draw = generator(seed + 100)
    if kind == "random":
        return torch.randn(*shape, generator=draw, dtype=torch.float64)
    return torch.randint({"repeated": 5, "two": 2}[kind], shape, generator=draw).double()


def with_duplicates(features, seed=0):
    """Rows drawn with replacement out of the first half."""
    shape = features.shape[:-1]
    return take_rows(features, torch.randint((shape[-1] + 1) // 2, shape, generator=generator(seed)))


def assert_same(features, labels, **options):
    actual = value_and_gradient(ranksim_loss, features, labels, **options)
    assert_agree(actual, value_and_gradient(reference.ranksim_loss, features, labels, **options))


# Hand-computed. Ranks by features are 1 3 2, 3 1 2 and, for the last row with ties, 2.5 2.5 1 or 2 3 1. Ranks by labels
# are 1 2 3, 2 1 3 and 3 2 1.
@each_form
@pytest.mark.parametrize(("ties", "squares"), [("average", 2 + 2 + 0.5), ("ordinal", 2 + 2 + 2)])
def test_by_hand(ties, squares, scale_free):
    features, labels = vector([[0.0], [2.0], [1.0]]), vector([0.0, 1.0, 3.0])
    value = ranksim_loss(features, labels, interpolation_strength=1.0, ties=ties, scale_free=scale_free)
    assert value.shape == ()
    assert value.item() == pytest.approx(squares / (81 if scale_free else 27), rel=1e-12)


@each_ties
@each_form
@each_similarity
@pytest.mark.parametrize("kind", ["random", "repeated", "two"])
@pytest.mark.parametrize("n", [1, 2, 3, 8, 64])
def test_enumeration(n, kind, similarity, scale_free, ties):
    options = {"similarity": similarity, "scale_free": scale_free, "ties": ties}
    for seed, strength in enumerate([0.1, 2.0]):
        features, labels = normal(n, 4, seed=seed), labels_of(kind, n, seed=seed)
        assert_same(features, labels, interpolation_strength=strength, **options)


@each_ties
@each_form
@each_similarity
def test_many_rows(similarity, scale_free, ties):
    features, labels = normal(256, 8), labels_of("repeated" if ties == "average" else "random", 256)
    assert_same(features, labels, interpolation_strength=2.0, similarity=similarity, scale_free=scale_free, ties=ties)


@each_ties
@each_form
@each_similarity
@pytest.mark.parametrize("n", [8, 21, 64])
def test_equal_rows_share_ranks(n, similarity, scale_free, ties):
    # whether two rows are equally similar to a third row must not depend on rounding
    features, labels = with_duplicates(normal(n, 5)), labels_of("repeated", n)
    options = {"similarity": similarity, "scale_free": scale_free, "ties": ties}
    assert_same(features, labels, interpolation_strength=1.5, **options)
    assert_same(features, labels_of("random", n), interpolation_strength=1.5, **options)


@each_ties
@each_form
def test_rows_on_a_grid(scale_free, ties):
    features = torch.randint(-1, 2, (40, 3), generator=generator(0)).double()
    for kind in ("random", "repeated"):
        assert_same(features, labels_of(kind, 40), interpolation_strength=0.7, scale_free=scale_free, ties=ties)


@each_ties
@each_form
def test_rows_of_zeros_are_like_no_row(scale_free, ties):
    features = normal(12, 3)
    features[[2, 7]] = 0.0
    options = {"interpolation_strength": 2.0, "similarity": "cosine", "scale_free": scale_free, "ties": ties}
    assert_same(features, labels_of("random", 12), **options)
    assert_same(torch.zeros(12, 3, dtype=torch.float64), labels_of("random", 12), **options)


@each_ties
@each_form
@each_similarity
def test_stack(similarity, scale_free, ties):
    features, labels = with_duplicates(normal(2, 3, 9, 4)), labels_of("repeated", 2, 3, 9)
    mask = torch.rand(2, 3, 9, generator=generator(5)) < 0.7
    options = {"similarity": similarity, "scale_free": scale_free, "ties": ties, "interpolation_strength": 1.3}
    assert_same(features, labels, **options)
    assert_same(features, labels, mask=mask, **options)
    assert_same(features, labels[0, 1], mask=mask[1, 2], **options)
    assert_same(features, labels[:1], mask=mask[:, :1], **options)


@each_form
def test_strength_of_each_list(scale_free):
    features, labels = normal(2, 3, 9, 4), labels_of("random", 2, 3, 9)
    each = vector([[0.2, 0.7, 1.3], [2.1, 0.4, 9.0]])
    for strength in (each, each[:, :1].expand(2, 3), each[0], each[0, 0]):
        assert_same(features, labels, interpolation_strength=strength, scale_free=scale_free)
    stacked = value_and_gradient(ranksim_loss, features, labels, interpolation_strength=each, scale_free=scale_free)
    for at in itertools.product(range(2), range(3)):
        options = {"interpolation_strength": each[at].item(), "scale_free": scale_free}
        value, gradient = value_and_gradient(ranksim_loss, features[at], labels[at], **options)
        assert torch.equal(stacked[0][at], value)
        assert torch.equal(stacked[1][at], gradient)


@each_similarity
def test_times_a_number_scale_free(similarity):
    features, labels = normal(2, 10, 4), labels_of("random", 2, 10)
    factors = vector([7.0, -0.01])
    options = {"interpolation_strength": 2.0, "similarity": similarity}
    value, gradient = value_and_gradient(ranksim_loss, features, labels, **options)
    scaled = value_and_gradient(lambda *args: factors * ranksim_loss(*args, **options), features, labels)
    assert_agree(scaled, (factors * value, factors[:, None, None] * gradient))


@each_similarity
def test_times_a_number_published(similarity):
    features, labels = normal(2, 10, 4), labels_of("random", 2, 10)
    factors = vector([7.0, 0.01])
    options = {"interpolation_strength": 2.0, "similarity": similarity, "scale_free": False}
    scaled = value_and_gradient(lambda *args: factors * ranksim_loss(*args, **options), features, labels)
    expected = value_and_gradient(lambda *args: factors * reference.ranksim_loss(*args, **options), features, labels)
    assert_agree(scaled, expected)
    # the number moves the similarities farther: it is not a factor of the gradient
    plain = value_and_gradient(ranksim_loss, features, labels, **options)[1]
    assert (scaled[1] - factors[:, None, None] * plain).abs().max() > 1e-3


def by_columns(labels):
    """Similarity of labels (..., n, c) of several columns."""
    return -(labels.unsqueeze(-2) - labels.unsqueeze(-3)).abs().sum(-1)


@each_form
def test_similarity_of_labels_of_several_columns(scale_free):
    features, labels = normal(2, 9, 4), torch.randint(3, (2, 9, 2), generator=generator(1)).double()
    mask = torch.rand(2, 9, generator=generator(2)) < 0.7
    options = {"interpolation_strength": 1.0, "label_similarity": by_columns, "scale_free": scale_free}
    assert_same(features, labels, **options)
    assert_same(features, labels, mask=mask, **options)
    junk = labels.masked_fill(~mask[..., None], torch.nan)
    assert_same(features, junk, mask=mask, **options)


def test_similarity_of_labels_in_place_of_the_standard_one():
    features, labels = normal(9, 4), labels_of("repeated", 9)

    def by_squares(y):
        return -((y[..., :, None] - y[..., None, :]) ** 2)

    expected = value_and_gradient(ranksim_loss, features, labels, interpolation_strength=1.0)
    actual = value_and_gradient(ranksim_loss, features, labels, interpolation_strength=1.0, label_similarity=by_squares)
    assert_agree(actual, expected)


@each_form
@each_similarity
def test_float32_is_kept_and_close(similarity, scale_free):
    features, labels = normal(40, 4).float(), labels_of("repeated", 40).float()
    options = {"interpolation_strength": 1.0, "similarity": similarity, "scale_free": scale_free}
    value, gradient = value_and_gradient(ranksim_loss, features, labels, **options)
    assert value.dtype == gradient.dtype == torch.float32
    assert gradient.isfinite().all()
    expected = reference.ranksim_loss(features.double(), labels.double(), **options)
    torch.testing.assert_close(value.double(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8])
def test_whole_labels_may_be_of_an_integer_type(dtype):
    features, labels = normal(9, 4).float(), labels_of("repeated", 9)
    actual = value_and_gradient(ranksim_loss, features, labels.to(dtype), interpolation_strength=1.0)
    assert actual[0].dtype == torch.float32
    expected = value_and_gradient(ranksim_loss, features, labels.float(), interpolation_strength=1.0)
    torch.testing.assert_close(actual, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@each_form
@each_similarity
@pytest.mark.parametrize("n", [5, 21, 64])
def test_a_list_has_the_same_bits_alone_and_in_a_stack(n, similarity, scale_free, dtype):
    features, labels = normal(4, 3, n, 6).to(dtype), labels_of("repeated", 4, 3, n).to(dtype)
    options = {"interpolation_strength": 1.7, "similarity": similarity, "scale_free": scale_free}
    mask = torch.rand(4, 3, n, generator=generator(5)) < 0.8
    for masks in (torch.ones_like(mask), mask):
        stacked = value_and_gradient(ranksim_loss, features, labels, mask=masks, **options)
        for at in itertools.product(range(4), range(3)):
            value, gradient = value_and_gradient(ranksim_loss, features[at], labels[at], mask=masks[at], **options)
            assert torch.equal(value, stacked[0][at])
            assert torch.equal(gradient, stacked[1][at])
    correlations = neighbor_spearman(features, labels, similarity=similarity)
    alone = [neighbor_spearman(features[2, i], labels[2, i], similarity=similarity) for i in range(3)]
    assert torch.equal(correlations[2], torch.stack(alone))


@each_similarity
@pytest.mark.parametrize("kind", ["random", "repeated", "two"])
def test_neighbor_spearman(kind, similarity):
    features, labels = with_duplicates(normal(2, 3, 11, 4)), labels_of(kind, 2, 3, 11)
    mask = torch.rand(2, 3, 11, generator=generator(5)) < 0.7
    for options in ({}, {"mask": mask}, {"mask": mask[0, 1]}):
        actual = neighbor_spearman(features.clone().requires_grad_(), labels, similarity=similarity, **options)
        assert not actual.requires_grad
        assert_agree(actual, reference.neighbor_spearman(features, labels, similarity=similarity, **options))
    columns = torch.randint(3, (2, 3, 11, 2), generator=generator(1)).double()
    options = {"similarity": similarity, "label_similarity": by_columns, "mask": mask}
    assert_agree(
        neighbor_spearman(features, columns, **options), reference.neighbor_spearman(features, columns, **options)
    )


def test_neighbor_spearman_skips_rows_without_order():
    # a row of zeros is equally similar to all rows, but labels differ: it counts as 0; with equal labels, no row counts
    features, labels = normal(6, 3), labels_of("random", 6)
    features[1] = 0.0
    value = neighbor_spearman(features, labels, similarity="cosine")
    assert_agree(value, reference.neighbor_spearman(features, labels, similarity="cosine"))
    assert neighbor_spearman(torch.ones(6, 3), labels) == 0
    assert neighbor_spearman(features, torch.ones(6)) == 0
    assert neighbor_spearman(features, labels, mask=torch.zeros(6, dtype=torch.bool)) == 0
    assert neighbor_spearman(features[:1], labels[:1]) == 0
    assert_agree(neighbor_spearman(labels[:, None], labels), vector(1.0))


@pytest.mark.parametrize("n_most", [1, 3, 5, 12, 40])
def test_distinct_rows(n_most):
    for masked, dtype in itertools.product([False, True], [torch.float64, torch.int64]):
        labels = torch.randint(6, (3, 2, 12), generator=generator(n_most)).to(dtype)
        mask = torch.rand(3, 2, 12, generator=generator(1)) < 0.6 if masked else None
        indices, is_real = distinct_rows(labels, n_most, mask=mask)
        assert indices.dtype == torch.int64
        assert is_real.dtype == torch.bool
        assert indices.shape == is_real.shape == (3, 2, min(12, n_most))
        for at in itertools.product(range(3), range(2)):
            kept = mask[at].tolist() if masked else None
            expected = reference.distinct_rows(labels[at].tolist(), n_most, kept)
            assert (indices[at].tolist(), is_real[at].tolist()) == expected


def test_distinct_rows_by_hand():
    indices, is_real = distinct_rows(vector([3.0, 1.0, 3.0, 2.0, 1.0]), 4)
    assert indices.tolist() == [0, 1, 3, 0]
    assert is_real.tolist() == [True, True, True, False]
    mask = torch.tensor([False, True, True, False, True])
    indices, is_real = distinct_rows(vector([torch.nan, 1.0, 3.0, torch.inf, 1.0]), 4, mask=mask)
    assert indices.tolist() == [1, 2, 0, 0]
    assert is_real.tolist() == [True, True, False, False]


def test_blackbox_ranks_by_hand():
    values = vector([0.0, 1.0, 3.0]).requires_grad_()
    ranks = blackbox_ranks(values, interpolation_strength=2.0)
    assert ranks.tolist() == [3.0, 2.0, 1.0]
    ranks.backward(vector([1.0, 0.0, -1.0]))  # moved to 2, 1, 1, with ranks 1, 2.5, 2.5
    assert values.grad.tolist() == [-1.0, 0.25, 0.75]


@each_ties
@pytest.mark.parametrize("strength", [0.3, 4.0, torch.tensor([[0.2, 5.0, 1.0], [0.7, 0.01, 30.0]])])
@pytest.mark.parametrize("masked", [False, True])
def test_blackbox_ranks(masked, strength, ties):
    values = torch.randint(-3, 4, (2, 3, 15), generator=generator(0)).double() / 3
    options = {"interpolation_strength": strength, "ties": ties}
    if masked:
        options["mask"] = torch.rand(2, 3, 15, generator=generator(1)) < 0.7
        values = values.masked_fill(~options["mask"], torch.nan)
    weights = normal(2, 3, 15, seed=3)
    actual = value_and_gradient(lambda v: torch.stack([blackbox_ranks(v, **options) * weights]), values)
    assert_agree(
        actual, value_and_gradient(lambda v: torch.stack([reference.blackbox_ranks(v, **options) * weights]), values)
    )
    if masked:
        assert (actual[0][0][~options["mask"]] == 0).all()
        assert (actual[1][~options["mask"]] == 0).all()
