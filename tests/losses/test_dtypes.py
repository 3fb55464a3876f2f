"""Types of arguments: numbers of a wide type keep their order, and integer scores are refused."""

import numpy as np
import pytest
import torch

from skmetric import losses

SCORES = torch.tensor([0.3, 0.9, 0.5, 0.1])
GRADES = torch.tensor([2, 1, 0, 0])
FEATURES = torch.tensor([[0.3, 0.1], [0.9, 0.2], [0.5, 0.8], [0.1, 0.4], [0.2, 0.9]])
MINUTES = torch.tensor([0, 7, 2, 11, 4])
OF_ORDER = {
    "pairwise_hinge_loss": {"margin": 1.0},
    "pairwise_logistic_loss": {},
    "list_mle_loss": {},
    "spearman_loss": {},
}
OF_DIFFERENCES = {"softmax_loss": {}, "pearson_loss": {}}
OF_ROWS = {"neighbor_spearman": {}, "ranksim_loss": {"interpolation_strength": 2.0}}
WIDE = [torch.int32, torch.int64, torch.float64]


@pytest.mark.parametrize("dtype", WIDE, ids=str)
@pytest.mark.parametrize(("name", "options"), (OF_ORDER | OF_DIFFERENCES).items())
def test_a_large_offset_of_relevance_changes_nothing(name, options, dtype):
    loss = getattr(losses, name)
    expected = loss(SCORES, GRADES.float(), **options)
    assert expected > 0
    # This compares the types as well.
    torch.testing.assert_close(loss(SCORES, GRADES.to(dtype) + 1_700_000_000, **options), expected)


@pytest.mark.parametrize("dtype", WIDE, ids=str)
@pytest.mark.parametrize(("name", "options"), OF_ROWS.items())
def test_a_large_offset_of_labels_changes_nothing(name, options, dtype):
    loss = getattr(losses, name)
    expected = loss(FEATURES, MINUTES.float(), **options)
    actual = loss(FEATURES, MINUTES.to(dtype) * 60 + 1_700_000_000, **options)
    assert actual == expected
    assert actual.dtype == torch.float32
    mask = torch.tensor([True, True, False, True, True])
    masked = (MINUTES.to(dtype) + 1_700_000_000).masked_fill(~mask, 0)
    assert loss(FEATURES, masked, mask=mask, **options) == loss(FEATURES[mask], MINUTES[mask].float(), **options)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float64], ids=str)
@pytest.mark.parametrize(("name", "options"), OF_ORDER.items())
def test_neighboring_numbers_of_a_wide_range_keep_their_order(name, options, dtype):
    relevance = torch.tensor([2**40 + 1, 2**40, 0, -(2**50)]).to(dtype)
    loss = getattr(losses, name)
    assert loss(SCORES, relevance, **options) == loss(SCORES, torch.tensor([3.0, 2.0, 1.0, 0.0]), **options)


@pytest.mark.parametrize(("name", "options"), OF_ORDER.items())
def test_the_extremes_of_int64_keep_their_order(name, options):
    limits = torch.iinfo(torch.int64)
    loss = getattr(losses, name)
    actual = loss(SCORES, torch.tensor([limits.min, limits.max, 0, limits.min]), **options)
    assert actual == loss(SCORES, torch.tensor([0.0, 2.0, 1.0, 0.0]), **options)


def test_differences_beyond_int64_do_not_wrap_around():
    limits = torch.iinfo(torch.int64)
    targets = torch.tensor([limits.min, limits.max, 0, limits.min])
    torch.testing.assert_close(losses.pearson_loss(SCORES, targets), losses.pearson_loss(SCORES, targets / 2.0**62))


@pytest.mark.parametrize("sentinel", [np.nan, np.inf, -np.inf, -1e300])
@pytest.mark.parametrize(("name", "options"), (OF_ORDER | OF_DIFFERENCES).items())
def test_masked_relevance_may_be_anything(name, options, sentinel):
    mask = torch.tensor([[True, True, False, True], [False] * 4])
    relevance = (GRADES.double() + 1_700_000_000).expand(2, 4).masked_fill(~mask, sentinel)
    loss = getattr(losses, name)
    actual = loss(SCORES.expand(2, 4), relevance, mask=mask, **options)
    torch.testing.assert_close(actual[0], loss(SCORES[mask[0]], GRADES[mask[0]].float(), **options))
    assert actual[1] == 0


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float64], ids=str)
@pytest.mark.parametrize(("name", "options"), (OF_ORDER | OF_DIFFERENCES).items())
def test_an_empty_list_has_no_loss(name, options, dtype):
    assert getattr(losses, name)(torch.zeros(0), torch.zeros(0, dtype=dtype), **options) == 0


@pytest.mark.parametrize("dtype", [torch.int64, torch.float64], ids=str)
@pytest.mark.parametrize("name", ["lambda_loss", "approx_ndcg_loss", "pointwise_squared_loss"])
def test_losses_of_absolute_grades_do_not_shift(name, dtype):
    loss = getattr(losses, name)
    assert loss(SCORES, (GRADES + 1).to(dtype)) == loss(SCORES, GRADES.float() + 1)
    assert loss(SCORES, GRADES.float() + 1) != loss(SCORES, GRADES.float())


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("scores", lambda x: losses.pairwise_hinge_loss(x, GRADES, margin=1.0)),
        ("scores", lambda x: losses.approx_ndcg_loss(relevance=GRADES, scores=x)),
        ("d_ap", lambda x: losses.triplet_margin_loss(x, x, margin=1.0)),
        ("embeddings", lambda x: losses.pairwise_distance(x[:, None])),
        ("rows", lambda x: losses.cross_distance(x[:, None], SCORES[:, None])),
        ("values", lambda x: losses.blackbox_ranks(x, interpolation_strength=1.0)),
    ],
)
def test_integer_scores_and_distances_are_refused_by_name(name, call):
    with pytest.raises(TypeError, match=rf"^{name} must be floating point, got torch.uint8. Pass {name}.float\(\).$"):
        call(GRADES.to(torch.uint8))


def test_masks_must_be_boolean():
    with pytest.raises(TypeError, match=r"^mask must be boolean, got torch.int64. Pass mask.bool\(\).$"):
        losses.softmax_loss(SCORES, GRADES, mask=torch.tensor([1, 1, 1, 0]))


def test_arrays_are_refused_by_name():
    with pytest.raises(TypeError, match=r"^relevance must be a torch.Tensor, got numpy.ndarray. Pass torch.as_tensor"):
        losses.softmax_loss(SCORES, GRADES.numpy())
    with pytest.raises(TypeError, match=r"^scores must be a torch.Tensor, got list."):
        losses.softmax_loss([0.1, 0.2], GRADES)


@pytest.mark.parametrize("similar", [[True, False, False], [1, -1, 0], [1.0, -1.0, 0.0]])
def test_minus_one_and_zero_are_dissimilar(similar):
    actual = losses.contrastive_loss(torch.tensor([0.5, 0.25, 0.25]), torch.tensor(similar), margin=1.0)
    assert actual.tolist() == [0.5, 0.75, 0.75]


def test_false_prefers_the_second_item():
    s1, s2 = torch.tensor([2.0, 2.0]), torch.tensor([1.5, 1.5])
    actual = losses.margin_ranking_loss(s1, s2, torch.tensor([True, False]), margin=1.0)
    assert actual.tolist() == [0.5, 1.5]
