"""Hand-computed values of each contrastive loss.

With a temperature of 1 / log 2, a distance d has the weight exp(-d / temperature) = 2^-d, so losses are logarithms of
fractions.
"""

import math

import numpy as np
import pytest
import torch

from skmetric import losses
from tests.losses.contrastive.cases import LOSSES

log = math.log
HALVING = 1 / math.log(2)

# Class 0 is A, B, C and class 1 is D, E.
LABELS = torch.tensor([0, 0, 0, 1, 1])
POINTS = {
    # AB 2, AC 6, BC 4, AD 3, AE 7, BD 1, BE 5, CD 3, CE 1, DE 4
    "euclidean": [[0.0, 0.0], [2.0, 0.0], [6.0, 0.0], [3.0, 0.0], [7.0, 0.0]],
    # AB 1, AC 9, BC 4, AD 4, AE 1, BD 1, BE 4, CD 1, CE 16, DE 9
    "sqeuclidean": [[0.0, 1.0], [1.0, 1.0], [3.0, 1.0], [2.0, 1.0], [-1.0, 1.0]],
    # AB 1, AC 2, BC 1, AD 1, AE 0, BD 2, BE 1, CD 1, CE 2, DE 1
    "cosine": [[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0], [0.0, -1.0], [0.5, 0.0]],
}
# For anchors A to E: the weights 2^-d of their positives and of their negatives, in units of the smallest.
WEIGHTS = {
    "euclidean": [([32, 2], [16, 1]), ([8, 2], [16, 1]), ([1, 4], [8, 32]), ([1], [2, 8, 2]), ([8], [1, 4, 64])],
    "sqeuclidean": [
        ([256, 1], [32, 256]),
        ([8, 1], [8, 1]),
        ([128, 4096], [32768, 1]),
        ([1], [32, 256, 256]),
        ([128], [32768, 4096, 1]),
    ],
    "cosine": [([2, 1], [2, 4]), ([2, 2], [1, 2]), ([1, 2], [2, 1]), ([2], [2, 1, 2]), ([2], [4, 2, 1])],
}


def test_each_loss_of_lists_is_in_the_table():
    public = {name for name in losses.__all__ if ".contrastive." in getattr(losses, name).__module__}
    assert public - {"contrastive_loss"} == set(LOSSES)


def leaf(values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def check(loss, learned, expected):
    assert loss.shape == ()
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    loss.backward()
    assert learned.grad.isfinite().all()


def average(terms):
    terms = list(terms)
    return sum(terms) / len(terms)


@pytest.mark.parametrize(("squared", "expected"), [(False, [0, 1, 3, 1, 0.5, 0]), (True, [0, 1, 9, 1, 0.25, 0])])
def test_contrastive(squared, expected):
    d = leaf([0.0, 1.0, 3.0, 1.0, 1.5, 3.0])
    similar = torch.tensor([True, True, True, False, False, False])
    terms = losses.contrastive_loss(d, similar, margin=2.0, squared=squared)
    torch.testing.assert_close(terms.detach(), torch.tensor(expected, dtype=torch.float64))


# The positive distances, and the margin minus the negative distances if above 0. Each pair counts twice.
COUNTED = [
    ("euclidean", 4.0, [2, 6, 4, 4], [1, 3, 1, 3]),
    ("euclidean", 3.0, [2, 6, 4, 4], [2, 2]),
    ("euclidean", 1.0, [2, 6, 4, 4], []),
    ("sqeuclidean", 9.0, [1, 9, 4, 9], [5, 8, 8, 5, 8]),
    ("cosine", 1.5, [1, 2, 1, 1], [0.5, 1.5, 0.5, 0.5]),
]


@pytest.mark.parametrize(("distance", "margin", "positive", "negative"), COUNTED)
def test_batch_contrastive(distance, margin, positive, negative):
    for squared in (False, True):
        x = leaf(POINTS[distance])
        options = {"margin": margin, "squared": squared, "distance": distance}
        power = 2 if squared else 1
        parts = [average(term**power for term in part) for part in (positive, negative) if part]
        check(losses.batch_contrastive_loss(x, LABELS, **options), x, sum(parts))


def test_batch_contrastive_leaves_out_pairs_without_a_loss():
    # distances of positives: 0 and 2, 2; the pair at 0 is not counted. Negatives: 5, 5, 3, with a margin of 6.
    x = leaf([[0.0], [0.0], [2.0], [5.0]])
    check(losses.batch_contrastive_loss(x, torch.tensor([0, 0, 0, 1]), margin=6.0), x, 2 + 5 / 3)


@pytest.mark.parametrize("distance", POINTS)
def test_info_nce(distance):
    x = leaf(POINTS[distance])
    terms = [log((p + sum(negatives)) / p) for positives, negatives in WEIGHTS[distance] for p in positives]
    check(losses.info_nce_loss(x, LABELS, temperature=HALVING, distance=distance), x, average(terms))


@pytest.mark.parametrize("distance", POINTS)
def test_sup_con(distance):
    x = leaf(POINTS[distance])
    terms = []
    for positives, negatives in WEIGHTS[distance]:
        terms.append(average(log(sum(positives + negatives) / p) for p in positives))
    check(losses.sup_con_loss(x, LABELS, temperature=HALVING, distance=distance), x, average(terms))


@pytest.mark.parametrize("distance", POINTS)
def test_nca(distance):
    x = leaf(POINTS[distance])
    terms = [log(sum(positives + negatives) / sum(positives)) for positives, negatives in WEIGHTS[distance]]
    check(losses.nca_loss(x, LABELS, temperature=HALVING, distance=distance), x, average(terms))


def test_multi_similarity_euclidean():
    # Similarities AB -1, AC -5, BC -3, AD -2, AE -6, BD 0, BE -4, CD -2, CE 0, DE -3; with a mining margin of 1/2,
    # A leaves out B and E, B leaves out E, E leaves out A and B. The counted weights 2^-S and 2^S, with a 1, of A to E:
    pull, push = [1 + 32, 1 + 2 + 8, 1 + 32 + 8, 1 + 8, 1 + 8], [1 + 1 / 4, 1 + 1, 1 + 1 / 4 + 1, 1 + 1.5, 1 + 1]
    x = leaf(POINTS["euclidean"])
    options = {"alpha": log(2), "beta": log(2), "base": 0.0, "margin": 0.5, "distance": "euclidean"}
    expected = average(math.log2(p) + math.log2(q) for p, q in zip(pull, push, strict=True))
    check(losses.multi_similarity_loss(x, LABELS, **options), x, expected)


def test_multi_similarity_cosine():
    # Similarities AB 0, AC -1, BC 0, AD 0, AE 1, BD -1, BE 0, CD 0, CE -1, DE 0; B leaves out D, D leaves out B and
    # E leaves out C. The counted weights 2^(1 - S) and 4^(S - 1), with a 1, of A to E:
    pull, push = [1 + 2 + 4, 1 + 2 + 2, 1 + 4 + 2, 1 + 2, 1 + 2], [2.25, 1.25, 1 + 1 / 4 + 1 / 16, 1.5, 2.25]
    x = leaf(POINTS["cosine"])
    options = {"alpha": log(2), "beta": 2 * log(2), "base": 1.0, "margin": 0.5}
    expected = average(math.log2(p) + math.log2(q) / 2 for p, q in zip(pull, push, strict=True))
    check(losses.multi_similarity_loss(x, LABELS, **options), x, expected)


def test_proxy_anchor():
    # Distances of A to E from the proxies: 1 1 5 2 6, then 4 2 2 1 3, then 10 8 4 7 3; similarities are 1 minus those.
    # Proxy 0 has A, B, C, proxy 1 has D, E, proxy 2 has none. 2^-(S - 1) for items of a proxy, 2^(S + 1) for others:
    pull = [1 + 2 + 2 + 32, 1 + 2 + 8]
    push = [1 + 1 + 1 / 16, 1 + 1 / 4 + 1 + 1, 1 + 1 / 256 + 1 / 64 + 1 / 4 + 1 / 32 + 1 / 2]
    x, proxies = leaf(POINTS["euclidean"]), leaf([[1.0, 0.0], [4.0, 0.0], [10.0, 0.0]])
    loss = losses.proxy_anchor_loss(x, LABELS, proxies, margin=1.0, temperature=HALVING, distance="euclidean")
    check(loss, x, average(map(log, pull)) + average(map(log, push)))
    assert (proxies.grad[:, 0] != 0).all()


def test_batch_nce():
    # 8 ordered real pairs and 12 noise pairs, so nu is 3/2; exp(logit) is 2^(3 - d). For each pair, once:
    # real d 2, 6, 4, 4: 1 + nu / exp(logit); noise d 3, 7, 1, 5, 3, 1: 1 + exp(logit) / nu
    real = [1 + 0.75, 1 + 12, 1 + 3, 1 + 3]
    noise = [1 + 2 / 3, 1 + 1 / 24, 1 + 8 / 3, 1 + 1 / 6, 1 + 2 / 3, 1 + 8 / 3]
    x = leaf(POINTS["euclidean"])
    loss = losses.batch_nce_loss(x, LABELS, margin=3.0, temperature=HALVING)
    check(loss, x, 2 * sum(map(log, real + noise)) / 8)


# Anchors 0, 2, 6 and positives 1, 2, 4 on a line: distances 1 2 4, 1 0 2, 5 4 2. Weights of the columns, in units:
# 8 4 1, 2 4 1, 1 2 8. Each loss is the mean logarithm of (sum of the columns) / (own positive).
PAIRED = {
    "plain": ({}, [13 / 8, 7 / 4, 11 / 8]),
    "one positive twice": ({"positive_ids": [7, 8, 7]}, [12 / 8, 7 / 4, 10 / 8]),
    "one anchor twice": ({"anchor_ids": [5, 5, 9]}, [9 / 8, 5 / 4, 11 / 8]),
    "an anchor among the positives": ({"anchor_ids": [8, 3, 4], "positive_ids": [1, 8, 2]}, [9 / 8, 7 / 4, 11 / 8]),
    "anchors that are their own positives": (
        {"anchor_ids": [4, 5, 6], "positive_ids": [4, 5, 6]},
        [13 / 8, 7 / 4, 11 / 8],
    ),
    "different ids of one side": ({"positive_ids": [0, 1, 2]}, [13 / 8, 7 / 4, 11 / 8]),
    "rates 1, 2, 4": ({"log_rate": np.log([1, 2, 4])}, [10.25 / 8, 4.25 / 2, 4 / 2]),
    "last is masked": ({"mask": [True, True, False]}, [12 / 8, 6 / 4]),
    "last is masked, positive twice": ({"mask": [True, True, False], "positive_ids": [7, 8, 7]}, [12 / 8, 6 / 4]),
}


@pytest.mark.parametrize("case", PAIRED)
def test_paired_info_nce(case):
    options, fractions = PAIRED[case]
    options = {key: torch.tensor(each) for key, each in options.items()}
    anchors, positives = leaf([[0.0], [2.0], [6.0]]), leaf([[1.0], [2.0], [4.0]])
    loss = losses.paired_info_nce_loss(anchors, positives, temperature=HALVING, distance="euclidean", **options)
    check(loss, anchors, average(map(log, fractions)))
    assert positives.grad.isfinite().all()


def test_nce():
    # h(log u) = u / (u + 2) for u = 2, 4; 1 - h = 2 / (u + 2) for u = 1/2, 2, 1
    real, noise = leaf([log(2), log(4)]), leaf([-log(2), log(2), 0.0])
    expected = -(log(1 / 2) + log(2 / 3) + log(4 / 5) + log(1 / 2) + log(2 / 3)) / 2
    check(losses.nce_loss(real, noise, log_noise_ratio=log(2)), real, expected)
    masks = {"real_mask": torch.tensor([False, True]), "noise_mask": torch.tensor([True, False, True])}
    expected = -(log(2 / 3) + log(4 / 5) + log(2 / 3))
    assert losses.nce_loss(real, noise, log_noise_ratio=log(2), **masks).item() == pytest.approx(expected, rel=1e-12)


def test_sampled_softmax():
    # weight / rate: 4 / 1 for the true class against 2 / (1/2) and 1 / (1/4); 1 / (1/2) against 8 / 2 and 4 / 1
    logs = [torch.tensor(each, dtype=torch.float64).log() for each in ([4, 1], [[2, 1], [8, 4]], [1, 0.5])]
    true, sampled, true_rate = (each.requires_grad_() for each in logs)
    sampled_rate = torch.tensor([[0.5, 0.25], [2, 1]], dtype=torch.float64).log()
    rates = {"log_true_rate": true_rate.detach(), "log_sampled_rate": sampled_rate}
    check(losses.sampled_softmax_loss(true, sampled, **rates), true, (log(12 / 4) + log(10 / 2)) / 2)
    hit = torch.tensor([[False, True], [False, False]])
    loss = losses.sampled_softmax_loss(true, sampled, is_hit=hit, **rates)
    assert loss.item() == pytest.approx((log(8 / 4) + log(10 / 2)) / 2, rel=1e-12)
    loss = losses.sampled_softmax_loss(true, sampled, is_hit=hit, mask=torch.tensor([True, False]), **rates)
    assert loss.item() == pytest.approx(log(8 / 4), rel=1e-12)
