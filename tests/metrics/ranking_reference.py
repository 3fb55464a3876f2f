"""The ranking metrics by their definitions: lists of a few items, every order of tied scores, no arrays."""

import itertools
import math

import numpy as np


def lists_of(y_true, y_score, groups):
    """Truths and scores of each list, in the order of the sorted ids."""
    for wanted in sorted(set(groups)):
        rows = [i for i, group in enumerate(groups) if group == wanted]
        yield [y_true[i] for i in rows], [y_score[i] for i in rows]


def mean_over_lists(metric, y_true, y_score, groups, weights=None):
    values = [metric(truth, score) for truth, score in lists_of(y_true, y_score, groups)]
    if weights is None:
        weights = [1.0] * len(y_true)
    weights = [sum(w) / len(w) for w, _ in lists_of(weights, weights, groups)]
    scored = [(v, w) for v, w in zip(values, weights, strict=True) if not math.isnan(v)]
    return sum(v * w for v, w in scored) / sum(w for _, w in scored)


def orders(score):
    """Every order of the items by decreasing score."""
    for order in itertools.permutations(range(len(score))):
        if all(score[a] >= score[b] for a, b in itertools.pairwise(order)):
            yield order


def mean_over_orders(value, truth, score):
    return float(np.mean([value([truth[i] for i in order]) for order in orders(score)]))


def dcg(truth, score, *, k=None, gain="exponential", ties="mean"):
    gains = [2**y - 1 if gain == "exponential" else y for y in truth]

    def value(ranked):
        return sum(g / math.log2(rank + 1) for rank, g in enumerate(ranked[:k], start=1))

    if ties == "mean":
        return mean_over_orders(value, gains, score)
    if ties == "pessimistic":
        return min(value([gains[i] for i in order]) for order in orders(score))
    return value([gains[i] for i in sorted(range(len(gains)), key=lambda i: (-score[i], i))])


def ndcg(truth, score, *, k=None, gain="exponential", ties="mean", empty="skip"):
    ideal = dcg(truth, truth, k=k, gain=gain)
    if ideal == 0:
        return math.nan if empty == "skip" else empty
    return dcg(truth, score, k=k, gain=gain, ties=ties) / ideal


def ranks(values):
    return [sum(w < v for w in values) + (sum(w == v for w in values) + 1) / 2 for v in values]


def spearman(truth, score):
    if len(set(truth)) == 1:
        return math.nan
    if len(set(score)) == 1:
        return 0.0
    return float(np.corrcoef(ranks(truth), ranks(score))[0, 1])


def pair_signs(truth, score):
    for i, j in itertools.combinations(range(len(truth)), 2):
        yield int(np.sign(truth[i] - truth[j])), int(np.sign(score[i] - score[j]))


def kendall(truth, score):
    signs = list(pair_signs(truth, score))
    truth_differs, score_differs = sum(a != 0 for a, _ in signs), sum(b != 0 for _, b in signs)
    if truth_differs == 0:
        return math.nan
    return sum(a * b for a, b in signs) / math.sqrt(truth_differs * score_differs) if score_differs else 0.0


def pairwise_accuracy(truth, score):
    products = [a * b for a, b in pair_signs(truth, score) if a != 0]
    return sum((1 + p) / 2 for p in products) / len(products) if products else math.nan


def reciprocal_rank(truth, score, *, k=None, empty="skip"):
    if max(truth) <= 0:
        return math.nan if empty == "skip" else empty
    return mean_over_orders(
        lambda ranked: next((1 / r for r, y in enumerate(ranked[:k], start=1) if y > 0), 0.0), truth, score
    )


def average_precision(truth, score, *, k=None, empty="skip"):
    total = sum(y > 0 for y in truth)
    if total == 0:
        return math.nan if empty == "skip" else empty

    def value(ranked):
        hits = [y > 0 for y in ranked]
        return sum(sum(hits[:r]) / r for r, hit in enumerate(hits[:k], start=1) if hit)

    return mean_over_orders(value, truth, score) / (total if k is None else min(total, k))
