"""One table test over all ranking losses: hand-computed values, weights, masks, leading axes, finite gradients."""

import inspect
import math

import pytest
import torch

from skmetric import losses
from skmetric.losses import lambda_loss, margin_ranking_loss
from tests.losses.ranking.cases import LOSSES, RELEVANCE, SCORES, WEIGHTS

each_loss = pytest.mark.parametrize("name", LOSSES)


def test_each_loss_of_lists_is_in_the_table():
    public = [getattr(losses, name) for name in losses.__all__]
    ranking = [each for each in public if each.__module__.startswith("skmetric.losses.ranking.")]
    of_lists = {each for each in ranking if "relevance" in inspect.signature(each).parameters}
    assert of_lists == {loss.function for loss in LOSSES.values()}


def vector(values):
    return torch.tensor(values, dtype=torch.float64)


def check(loss, scores, expected):
    assert loss.shape == torch.Size([]) if isinstance(expected, float) else loss.shape == (len(expected),)
    assert loss.tolist() == pytest.approx(expected, rel=1e-12)
    loss.sum().backward()
    assert scores.grad.isfinite().all()


@each_loss
def test_value(name):
    scores = vector(SCORES).requires_grad_()
    check(LOSSES[name](scores, vector(RELEVANCE)), scores, LOSSES[name].by_hand)


@each_loss
def test_weights(name):
    scores = vector(SCORES).requires_grad_()
    loss = LOSSES[name](scores, vector(RELEVANCE), weights=vector(WEIGHTS))
    check(loss, scores, LOSSES[name].weighted_by_hand)


@each_loss
def test_mask(name):
    # the junk is first, in the middle and last: it has no rank, and changes no other rank
    scores = vector([9.0, 1.0, -math.inf, 2.0, 0.0, math.nan]).requires_grad_()
    relevance = vector([9.0, 2.0, math.nan, 0.0, 1.0, -3.0])
    weights = vector([7.0, 1.0, math.inf, 2.0, 3.0, math.nan])
    mask = torch.tensor([0, 1, 0, 1, 1, 0], dtype=torch.bool)
    check(LOSSES[name](scores, relevance, mask=mask), scores, LOSSES[name].by_hand)
    scores.grad = None
    check(LOSSES[name](scores, relevance, mask=mask, weights=weights), scores, LOSSES[name].weighted_by_hand)
    assert (scores.grad[~mask] == 0).all()


@each_loss
def test_all_masked(name):
    scores = vector(SCORES).requires_grad_()
    loss = LOSSES[name](scores, vector(RELEVANCE), mask=torch.zeros(3, dtype=torch.bool))
    check(loss, scores, 0.0)
    assert torch.equal(scores.grad, torch.zeros_like(scores))


@each_loss
def test_leading_axes(name):
    # the second list is the first in reverse order, the third is masked
    scores = vector([SCORES, SCORES[::-1], SCORES]).requires_grad_()
    relevance = vector([RELEVANCE, RELEVANCE[::-1], RELEVANCE])
    mask = torch.tensor([[1, 1, 1], [1, 1, 1], [0, 0, 0]]).bool()
    weights = vector([WEIGHTS, WEIGHTS[::-1], WEIGHTS])
    value, weighted = LOSSES[name].by_hand, LOSSES[name].weighted_by_hand
    check(LOSSES[name](scores, relevance, mask=mask), scores, [value, value, 0.0])
    check(LOSSES[name](scores, relevance, mask=mask, weights=weights), scores, [weighted, weighted, 0.0])


@each_loss
def test_equal_scores(name):
    scores = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    loss = LOSSES[name](scores, vector([0.0, 1.0, 2.0, 1.0, 0.0]))
    loss.backward()
    assert loss > 0
    assert scores.grad.isfinite().all()


def test_of_equal_scores_the_first_ranks_first():
    # ranks 1, 2, 3: the swap of 0 and 2 is worth 1/2, that of 0 and 1 is worth 1 - 1 / log2(3), each times log(2)
    relevance = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    value = lambda_loss(torch.zeros(3, 3, dtype=torch.float64), relevance)
    d = 1 / math.log2(3)
    expected = [(1 - d) + 0.5, (1 - d) + (d - 0.5), 0.5 + (d - 0.5)]
    assert value.tolist() == pytest.approx([math.log(2) * each for each in expected], rel=1e-12)


def test_margin_ranking():
    s1, s2 = vector([2.0, 2.0, 1.0, 1.0]), vector([1.0, 1.0, 3.0, 1.0])
    value = margin_ranking_loss(s1, s2, vector([1.0, -1.0, 1.0, -1.0]), margin=0.5)
    assert value.tolist() == [0.0, 1.5, 2.5, 0.5]
