"""Values and gradients of the ranking losses against their definitions."""

import math

import pytest
import torch
from sklearn.metrics import ndcg_score

from skmetric.losses import approx_ndcg_loss, lambda_loss, list_mle_loss, margin_ranking_loss
from tests.losses.cases import assert_agree, generator, normal, value_and_gradient
from tests.losses.ranking import cases as by_definition
from tests.losses.ranking.cases import FUNCTIONS, LOSSES, names
from tests.losses.ranking.lists import ranked

CASES = {
    "one item": {"n": 1},
    "a pair": {"n": 2, "levels": 2},
    "small": {"n": 7},
    "two levels": {"n": 9, "levels": 2},
    "many levels": {"n": 9, "levels": 30},
    "one level": {"n": 5, "levels": 1},
    "tied scores": {"n": 9, "tied_scores": True},
    "masked": {"n": 9, "masked": True},
    "weighted": {"n": 9, "weighted": True},
    "two levels, weighted": {"n": 5, "levels": 2, "weighted": True},
    "whole weights": {"n": 9, "whole_weights": True},
    "everything": {"n": 12, "masked": True, "weighted": True, "tied_scores": True},
    "stack": {"n": 6, "leading": (4,), "weighted": True},
    "stack of stacks": {"n": 7, "leading": (2, 3), "masked": True, "weighted": True},
    "short lists": {"n": 3, "leading": (4, 5), "masked": True, "weighted": True, "tied_scores": True},
    "forty": {"n": 40, "masked": True, "weighted": True, "levels": 5},
}


def assert_same(loss, scores, relevance, **options):
    actual = value_and_gradient(loss, scores, relevance, **options)
    assert_agree(actual, value_and_gradient(loss.define, scores, relevance, **options))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", LOSSES)
def test_enumeration(name, case, seed):
    lists = ranked(**CASES[case], seed=seed)
    assert_same(LOSSES[name], lists.scores, lists.relevance, **lists.options)


@pytest.mark.parametrize("n", [150, 300])
@pytest.mark.parametrize("name", LOSSES)
def test_long_lists(name, n):
    plain, full = ranked(n), ranked(n, masked=True, weighted=True, tied_scores=True, seed=1)
    assert_same(LOSSES[name], plain.scores, plain.relevance)
    assert_same(LOSSES[name], full.scores, full.relevance, **full.options)


@pytest.mark.parametrize("name", names(lambda loss: loss.tunable))
def test_option_of_each_list(name):
    lists = ranked(8, leading=(2, 3), masked=True, weighted=True)
    each = torch.tensor([[0.2, 0.7, 1.3], [2.1, 0.4, 9.0]], dtype=torch.float64)
    for option in (each, each[:, :1].expand(2, 3), each[0, 0]):
        assert_same(LOSSES[name], lists.scores, lists.relevance, **lists.options, **{LOSSES[name].tunable: option})


@pytest.mark.parametrize("name", LOSSES)
def test_leading_axes_broadcast(name):
    scores = 2 * normal(2, 3, 8)
    lists = ranked(8, leading=(3,), masked=True, weighted=True, seed=1)
    assert_same(LOSSES[name], scores, lists.relevance, **lists.options)
    one = {key: value[0] for key, value in lists.options.items()}
    assert_same(LOSSES[name], scores, lists.relevance[1], **one)
    assert_same(LOSSES[name], scores, lists.relevance[:, None][:1], **one)


@pytest.mark.parametrize("gain", ["exponential", "linear"])
@pytest.mark.parametrize("k", [None, 1, 2, 5, 9, 100])
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if LOSSES[name].takes("k")])
def test_cut_at_k(name, k, gain):
    lists = ranked(9, leading=(6,), masked=True, weighted=True, tied_scores=True)
    assert_same(LOSSES[name], lists.scores, lists.relevance, **lists.options, k=k, gain=gain)


@pytest.mark.parametrize("gain", ["exponential", "linear"])
@pytest.mark.parametrize("k", [None, 1, 3])
def test_lambda_weighs_a_pair_by_what_its_swap_changes(k, gain):
    lists = ranked(8, tied_scores=True)
    relevance = lists.relevance.tolist()
    gains = [by_definition.gain_of(r, gain) for r in relevance]
    ranks = by_definition.ranks_of(lists.scores)
    ideal = by_definition.ideal_dcg(gains, k)

    def ndcg(of_rank):
        return sum(g * by_definition.discount(r, k) for g, r in zip(gains, of_rank, strict=True)) / ideal

    expected = 0.0
    for i, j in by_definition.pairs_of(relevance):
        swapped = list(ranks)
        swapped[i], swapped[j] = ranks[j], ranks[i]
        gap = (lists.scores[i] - lists.scores[j]).item()
        expected += abs(ndcg(swapped) - ndcg(ranks)) * math.log1p(math.exp(-gap))
    assert lambda_loss(lists.scores, lists.relevance, k=k, gain=gain).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_list_mle_is_the_plackett_luce_likelihood(seed):
    n = 8
    scores = normal(n, seed=seed)
    relevance = torch.randperm(n, generator=generator(seed)).double()
    left = sorted(range(n), key=lambda i: -relevance[i])
    log_likelihood = 0.0
    while left:
        strengths = [math.exp(scores[i]) for i in left]
        log_likelihood += math.log(strengths[0] / sum(strengths))
        left = left[1:]
    assert (n - 1) * list_mle_loss(scores, relevance).item() == pytest.approx(-log_likelihood, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_cold_ndcg_is_the_metric(seed):
    lists = ranked(12, seed=seed)
    for gain, true in (("linear", lists.relevance), ("exponential", 2**lists.relevance - 1)):
        value = approx_ndcg_loss(lists.scores, lists.relevance, temperature=1e-6, gain=gain)
        expected = 1 - ndcg_score(true[None].numpy(), lists.scores[None].numpy())
        assert value.item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("margin", [0.0, 0.3, 2.0])
def test_margin_ranking(margin):
    s1, s2 = normal(4, 5, seed=0).requires_grad_(), normal(4, 5, seed=1).requires_grad_()
    y = torch.where(torch.rand(4, 5, generator=generator(2)) < 0.5, 1.0, -1.0)
    value = margin_ranking_loss(s1, s2, y, margin=margin)
    value.sum().backward()
    assert value.shape == (4, 5)
    for row in range(4):
        for column in range(5):
            at = row, column
            hinge = -y[at].item() * (s1[at] - s2[at]).item() + margin
            assert value[at].item() == pytest.approx(max(0.0, hinge), rel=1e-12)
            slope = y[at].item() if hinge > 0 else 0.0
            assert s1.grad[at].item() == -slope
            assert s2.grad[at].item() == slope


def test_margin_ranking_broadcasts():
    s1, s2 = normal(2, 3, 4), normal(4, seed=1)
    y = torch.tensor([1, -1, 1, -1])
    margin = torch.tensor([0.5, 1.0], dtype=torch.float64)[:, None, None]
    value = margin_ranking_loss(s1, s2, y, margin=margin)
    for each, x, m in zip(value, s1, margin, strict=True):
        assert_agree(each, margin_ranking_loss(x, s2.expand(3, 4), y.expand(3, 4), margin=m.item()))
    assert (margin_ranking_loss(s1, s1, torch.ones(4), margin=0.25) == 0.25).all()


@pytest.mark.parametrize("name", LOSSES)
def test_gradcheck(name):
    lists = ranked(6, leading=(2,), masked=True, weighted=True, seed=4)

    def loss(scores):
        full = LOSSES[name](scores, lists.relevance, **lists.options)
        return full, LOSSES[name](scores, lists.relevance)

    assert torch.autograd.gradcheck(loss, lists.scores.requires_grad_())


def test_gradcheck_of_margin_ranking():
    y = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
    scores = normal(4, seed=0).requires_grad_(), normal(4, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda s1, s2: margin_ranking_loss(s1, s2, y, margin=0.4), scores)


@pytest.mark.parametrize("name", LOSSES)
def test_float32_is_kept_and_close(name):
    lists = ranked(60, masked=True, weighted=True)
    options = {key: value if key == "mask" else value.float() for key, value in lists.options.items()}
    value, gradient = value_and_gradient(LOSSES[name], lists.scores.float(), lists.relevance.float(), **options)
    assert value.dtype == gradient.dtype == torch.float32
    expected = LOSSES[name].define(lists.scores.float().double(), lists.relevance, **lists.options)
    torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_whole_relevance_may_be_of_an_integer_type(name):
    lists = ranked(9, whole_weights=True)
    expected = value_and_gradient(LOSSES[name], lists.scores.float(), lists.relevance.float())
    actual = value_and_gradient(LOSSES[name], lists.scores.float(), lists.relevance.long())
    assert actual[0].dtype == torch.float32
    torch.testing.assert_close(actual, expected)
