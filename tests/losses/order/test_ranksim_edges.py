"""Lists without neighbors to rank, masked items, NaNs and wrong arguments in the losses of ranks."""

import math

import pytest
import torch

from skmetric.losses import blackbox_ranks, neighbor_spearman, ranksim_loss
from tests.losses.cases import assert_agree, generator, normal, value_and_gradient
from tests.losses.order import ranksim_reference as reference

each_similarity = pytest.mark.parametrize("similarity", reference.SIMILARITIES)
each_ties = pytest.mark.parametrize("ties", reference.TIES)
each_form = pytest.mark.parametrize("scale_free", [True, False])

# Labels, and which of them are real.
NOTHING_TO_RANK = {
    "one label": ([2, 2, 2, 2], [1, 1, 1, 1]),
    "one label is left": ([2, 0, 2, 1], [1, 0, 1, 0]),
    "one row": ([3], [1]),
    "one row is left": ([3, 1, 2], [0, 1, 0]),
    "all masked": ([1, 2, 0], [0, 0, 0]),
    "no row": ([], []),
    "one label, many rows": ([0.1] * 60, [1] * 60),
}


def draw_labels(n, *leading):
    return torch.randint(4, (*leading, n), generator=generator(1)).double()


@each_ties
@each_form
@each_similarity
@pytest.mark.parametrize("case", NOTHING_TO_RANK)
def test_nothing_to_rank_is_zero_with_zero_gradient(case, similarity, scale_free, ties):
    labels, mask = (torch.tensor(values) for values in NOTHING_TO_RANK[case])
    options = {"similarity": similarity, "scale_free": scale_free, "ties": ties, "mask": mask.bool()}
    features = normal(len(labels), 3)
    value, gradient = value_and_gradient(ranksim_loss, features, labels.double(), interpolation_strength=2.0, **options)
    assert value.shape == ()
    assert value == 0
    assert torch.equal(gradient, torch.zeros_like(features))


@each_form
@each_similarity
def test_one_label_beside_several(similarity, scale_free):
    features, labels = normal(2, 8, 3), draw_labels(8, 2)
    labels[0] = 1.5
    options = {"interpolation_strength": 2.0, "similarity": similarity, "scale_free": scale_free}
    value, gradient = value_and_gradient(ranksim_loss, features, labels, **options)
    assert value[0] == 0
    assert (gradient[0] == 0).all()
    assert value[1] > 0
    assert_agree((value[1], gradient[1]), value_and_gradient(ranksim_loss, features[1], labels[1], **options))


def test_labels_that_are_all_equal_by_a_custom_similarity():
    def equal(labels):
        return torch.full((*labels.shape, labels.shape[-1]), -0.1)

    value, gradient = value_and_gradient(
        ranksim_loss, normal(7, 3), draw_labels(7), interpolation_strength=1.0, label_similarity=equal
    )
    assert value == 0
    assert (gradient == 0).all()


@each_ties
@each_form
@each_similarity
@pytest.mark.parametrize("n", [2, 7, 64])
def test_equal_features(n, similarity, scale_free, ties):
    labels = torch.arange(n).double()
    options = {"interpolation_strength": 2.0, "similarity": similarity, "scale_free": scale_free, "ties": ties}
    features = torch.tensor([0.3, -0.7, 1.1], dtype=torch.float64).expand(n, 3)
    value, gradient = value_and_gradient(ranksim_loss, features, labels, **options)
    assert_agree(value, reference.ranksim_loss(features, labels, **options))
    # all similarities are at their maximum: no direction increases them
    assert_agree(gradient, torch.zeros_like(gradient))
    value, gradient = value_and_gradient(ranksim_loss, features.float(), labels.float(), **options)
    assert value.isfinite()
    assert gradient.abs().max() < 1e-4


@each_form
def test_rows_of_one_direction(scale_free):
    features = torch.arange(1.0, 9.0)[:, None] * torch.tensor([0.3, -0.7, 1.1])
    options = {"interpolation_strength": 2.0, "similarity": "cosine", "scale_free": scale_free}
    value, gradient = value_and_gradient(ranksim_loss, features, draw_labels(8).float(), **options)
    assert value > 0
    assert gradient.isfinite().all()


@pytest.mark.parametrize("shape", [(0, 6, 3), (3, 0, 3), (2, 0, 4, 3)])
@each_form
@each_similarity
def test_empty_stack(similarity, scale_free, shape):
    features, labels = torch.zeros(shape, dtype=torch.float64), torch.zeros(shape[:-1], dtype=torch.float64)
    options = {"similarity": similarity, "scale_free": scale_free}
    value, gradient = value_and_gradient(ranksim_loss, features, labels, interpolation_strength=1.0, **options)
    assert torch.equal(value, torch.zeros(shape[:-2], dtype=torch.float64))
    assert gradient.shape == shape
    assert torch.equal(neighbor_spearman(features, labels), value)


@pytest.mark.parametrize("junk", [math.nan, math.inf, -math.inf, 1e300, 0.0])
@each_form
@each_similarity
def test_masked_items_do_not_leak(similarity, scale_free, junk):
    features, labels = normal(3, 10, 4), draw_labels(10, 3)
    mask = torch.rand(3, 10, generator=generator(5)) < 0.7
    mask[2] = False
    options = {"interpolation_strength": 2.0, "similarity": similarity, "scale_free": scale_free, "mask": mask}
    clean = value_and_gradient(ranksim_loss, features, labels, **options)
    correlation = neighbor_spearman(features, labels, similarity=similarity, mask=mask)
    assert correlation[2] == 0
    for z in (features, features.masked_fill(~mask[..., None], junk)):
        for y in (labels, labels.masked_fill(~mask, junk)):
            value, gradient = value_and_gradient(ranksim_loss, z, y, **options)
            assert torch.equal(value, clean[0])
            assert torch.equal(gradient, clean[1])
            assert (gradient[~mask] == 0).all()
            assert torch.equal(neighbor_spearman(z, y, similarity=similarity, mask=mask), correlation)


@pytest.mark.parametrize("where", ["features", "labels"])
@each_form
@each_similarity
def test_nan_is_not_hidden_and_stays_in_its_list(similarity, scale_free, where):
    features, labels = normal(2, 6, 3), draw_labels(6, 2)
    (features[0, 2] if where == "features" else labels[0])[2] = math.nan
    options = {"interpolation_strength": 2.0, "similarity": similarity, "scale_free": scale_free}
    value, gradient = value_and_gradient(ranksim_loss, features, labels, **options)
    assert value[0].isnan()
    assert_agree((value[1], gradient[1]), value_and_gradient(ranksim_loss, features[1], labels[1], **options))
    correlation = neighbor_spearman(features, labels, similarity=similarity)
    assert correlation[0].isnan()
    assert_agree(correlation[1], neighbor_spearman(features[1], labels[1], similarity=similarity))


@pytest.mark.parametrize("n", [1, 4])
@each_form
@each_similarity
def test_nan_is_not_hidden_where_nothing_is_learned(similarity, scale_free, n):
    features = normal(n, 3)
    features[0, 1] = math.nan
    options = {"interpolation_strength": 2.0, "similarity": similarity, "scale_free": scale_free}
    assert ranksim_loss(features, torch.ones(n), **options).isnan()
    mask = torch.tensor([False] + [True] * (n - 1))
    assert ranksim_loss(features, torch.ones(n), mask=mask, **options) == 0


@each_form
def test_arguments_are_left_unchanged_and_scoring_comes_before_training(scale_free):
    features, labels = normal(2, 9, 3), draw_labels(9, 2)
    mask = torch.rand(2, 9, generator=generator(5)) < 0.7
    arguments = [features, labels, mask]
    before = [each.clone() for each in arguments]
    options = {"interpolation_strength": 1.0, "scale_free": scale_free, "mask": mask}
    with torch.inference_mode():
        scored = ranksim_loss(features, labels, **options)
    value, gradient = value_and_gradient(ranksim_loss, features, labels, **options)
    assert torch.equal(value, scored.clone())
    assert gradient.isfinite().all()
    for now, then in zip(arguments, before, strict=True):
        assert torch.equal(now, then)


@pytest.mark.parametrize("junk", [math.nan, math.inf, -math.inf, 9.0])
@each_ties
def test_masked_values_have_no_rank(ties, junk):
    values = torch.tensor([junk, 2.0, 5.0, junk, 2.0], dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([False, True, True, False, True])
    ranks = blackbox_ranks(values, interpolation_strength=1.0, ties=ties, mask=mask)
    assert ranks.tolist() == ([0.0, 2.5, 1.0, 0.0, 2.5] if ties == "average" else [0.0, 2.0, 1.0, 0.0, 3.0])
    ranks.backward(torch.tensor([1.0, 4.0, 0.0, -9.0, 0.0], dtype=torch.float64))
    # moved to 6, 5 and 2, with ranks 1, 2 and 3
    assert values.grad.tolist() == ([0.0, -1.5, 1.0, 0.0, 0.5] if ties == "average" else [0.0, -1.0, 1.0, 0.0, 0.0])


def test_nothing_to_put_in_ranks():
    for shape in [(0,), (2, 0), (0, 3)]:
        values, gradient = value_and_gradient(
            lambda v: blackbox_ranks(v, interpolation_strength=1.0), torch.zeros(shape)
        )
        assert values.shape == gradient.shape == shape
    values = torch.full((3,), math.nan)
    mask = torch.zeros(3, dtype=torch.bool)
    ranks, gradient = value_and_gradient(blackbox_ranks, values, interpolation_strength=1.0, mask=mask)
    assert ranks.tolist() == gradient.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("position", range(3))
@each_ties
def test_nan_is_not_hidden_by_its_rank(ties, position):
    values = torch.tensor([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0]])
    values[0, position] = math.nan
    ranks = blackbox_ranks(values, interpolation_strength=1.0, ties=ties)
    assert ranks[0, position].isnan()
    assert ranks[1].tolist() == [1.0, 3.0, 2.0]


WRONG = {
    "similarity": ({"similarity": "manhattan"}, ("similarity", "euclidean", "cosine", "manhattan")),
    "ties": ({"ties": "dense"}, ("ties", "average", "ordinal", "dense")),
    "short labels": ({"labels": torch.zeros(5)}, ("labels", "6", "5")),
    "labels in a column": ({"labels": torch.zeros(6, 1)}, ("labels", "6")),
    "labels of other lists": ({"labels": torch.zeros(3, 6)}, ("labels", "2, 6", "3, 6")),
    "short mask": ({"mask": torch.ones(5, dtype=torch.bool)}, ("mask", "6", "5")),
    "strengths of no list": ({"interpolation_strength": torch.ones(3)}, ("interpolation_strength", "2", "3")),
    "strengths of items": ({"interpolation_strength": torch.ones(2, 6)}, ("interpolation_strength", "2", "6")),
    "similarities in a row": ({"label_similarity": lambda y: y}, ("label_similarity",)),
    "too few similarities": ({"label_similarity": lambda y: y[..., None] * y[..., :5, None].mT}, ("label_similarity",)),
    "similarities of other lists": ({"label_similarity": lambda y: torch.zeros(3, 6, 6)}, ("label_similarity",)),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments(case):
    options, words = WRONG[case]
    arguments = {"labels": torch.zeros(2, 6), "interpolation_strength": 1.0, **options}
    with pytest.raises(ValueError, match=words[0]) as caught:
        ranksim_loss(torch.zeros(2, 6, 3), **arguments)
    for word in words:
        assert word in str(caught.value)
    if not {"ties", "interpolation_strength"} & set(options):
        del arguments["interpolation_strength"]
        with pytest.raises(ValueError, match=words[0]):
            neighbor_spearman(torch.zeros(2, 6, 3), **arguments)


@pytest.mark.parametrize("strength", [0.0, -1.0, math.inf, math.nan])
def test_strength_that_is_not_positive(strength):
    with pytest.raises(ValueError, match="interpolation_strength"):
        ranksim_loss(torch.zeros(6, 3), torch.zeros(6), interpolation_strength=strength)
    with pytest.raises(ValueError, match="interpolation_strength"):
        blackbox_ranks(torch.zeros(6), interpolation_strength=strength)


def test_wrong_arguments_of_ranks():
    with pytest.raises(ValueError, match=r"ties .*'average'.*'ordinal'.*'dense'"):
        blackbox_ranks(torch.zeros(6), interpolation_strength=1.0, ties="dense")
    with pytest.raises(ValueError, match="mask"):
        blackbox_ranks(torch.zeros(2, 6), interpolation_strength=1.0, mask=torch.ones(5, dtype=torch.bool))
    with pytest.raises(ValueError, match="interpolation_strength"):
        blackbox_ranks(torch.zeros(2, 6), interpolation_strength=torch.ones(3))
