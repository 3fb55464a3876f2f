"""The ranking losses by their definitions: plain loops over the items of one list at a time.

Masked items are dropped before a definition sees the list. Where a weight is a number of copies, an item of weight 0 is
no item: it makes no order. Choices (pairs, ranks) are made on plain numbers, terms on
tensors, so every value here has a gradient. The formulas are written for scores of moderate size.
"""

import functools
import itertools
import math

import torch


def over_lists(one):
    """Turn a loss of one list into one of a stack; a tensor among the options holds one number a list."""

    @functools.wraps(one)
    def loss(scores, relevance, *, mask=None, weights=None, **options):
        n = scores.shape[-1]
        leading = torch.broadcast_shapes(scores.shape[:-1], relevance.shape[:-1])
        scores, relevance = scores.expand(*leading, n), relevance.expand(*leading, n)
        mask = torch.ones(n, dtype=torch.bool) if mask is None else mask
        weights = torch.ones(n, dtype=torch.float64) if weights is None else weights
        mask, weights = mask.expand(*leading, n), weights.expand(*leading, n)
        values = []
        for index in itertools.product(*(range(size) for size in leading)):
            real = [i for i in range(n) if mask[index][i]]
            each = {
                name: option.expand(leading)[index].item() if isinstance(option, torch.Tensor) else option
                for name, option in options.items()
            }
            s = scores[index][real]
            value = one(s, relevance[index][real].tolist(), weights[index][real].tolist(), **each)
            values.append(zero(s) if value is None else value)
        return torch.stack(values).reshape(leading)

    return loss


def zero(s):
    """0, with a zero gradient."""
    return (s * 0).sum()


def softplus(x):
    return torch.log1p(torch.exp(x))


def mean(terms, weights):
    """Weighted mean of a list of terms; None where nothing weighs."""
    if sum(weights) == 0:
        return None
    return sum(w * term for w, term in zip(weights, terms, strict=True)) / sum(weights)


def pairs_of(relevance):
    """All (better, worse) index pairs of one list."""
    n = len(relevance)
    return [(i, j) for i in range(n) for j in range(n) if relevance[i] > relevance[j]]


def gaps_of(s, pairs):
    """Scores of the better minus scores of the worse, of each pair."""
    i, j = torch.tensor(pairs).unbind(-1)
    return s[i] - s[j]


def mean_over_pairs(term, s, relevance, weights):
    pairs = pairs_of(relevance)
    pair_weights = torch.tensor([weights[i] * weights[j] for i, j in pairs], dtype=s.dtype)
    if pair_weights.sum() == 0:
        return None
    return (pair_weights * term(gaps_of(s, pairs))).sum() / pair_weights.sum()


@over_lists
def pairwise_hinge(s, relevance, weights, *, margin):
    return mean_over_pairs(lambda gap: (margin - gap).clamp(min=0), s, relevance, weights)


@over_lists
def pairwise_logistic(s, relevance, weights):
    return mean_over_pairs(lambda gap: softplus(-gap), s, relevance, weights)


def gain_of(relevance, gain):
    return 2**relevance - 1 if gain == "exponential" else relevance


def discount(rank, k=None):
    return 1 / math.log2(1 + rank) if k is None or rank <= k else 0.0


def ranks_of(s):
    """1 for the highest score; of equal ones the first."""
    scores = s.tolist()
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    return [order.index(i) + 1 for i in range(len(scores))]


def ideal_dcg(gains, k=None):
    return sum(g * discount(position + 1, k) for position, g in enumerate(sorted(gains, reverse=True)))


@over_lists
def lambda_loss(s, relevance, weights, *, k=None, gain="exponential"):
    gains = [gain_of(r, gain) for r in relevance]
    ranks = ranks_of(s.detach())
    pairs = pairs_of(relevance)
    ideal = ideal_dcg(gains, k)
    if not pairs or ideal == 0:
        return None
    factors = [
        weights[i] * weights[j] * abs(gains[i] - gains[j]) * abs(discount(ranks[i], k) - discount(ranks[j], k)) / ideal
        for i, j in pairs
    ]
    return (torch.tensor(factors, dtype=s.dtype) * softplus(-gaps_of(s, pairs))).sum()


@over_lists
def softmax(s, relevance, weights, *, temperature=1.0):
    if len({r for r, w in zip(relevance, weights, strict=True) if w > 0}) < 2:
        return None
    mass = [w * math.exp(r) for w, r in zip(weights, relevance, strict=True)]
    log_sum = torch.log(sum(w * torch.exp(s[j] / temperature) for j, w in enumerate(weights)))
    return -sum(m / sum(mass) * (s[i] / temperature - log_sum) for i, m in enumerate(mass))


@over_lists
def list_mle(s, relevance, weights, *, temperature=1.0):
    terms, term_weights = [], []
    for i in range(len(relevance)):
        lower = [j for j in range(len(relevance)) if relevance[j] < relevance[i] and weights[j] > 0]
        if lower:
            contest = torch.exp(s[i] / temperature) + sum(weights[j] * torch.exp(s[j] / temperature) for j in lower)
            terms.append(-(s[i] / temperature - torch.log(contest)))
            term_weights.append(weights[i])
    return mean(terms, term_weights)


@over_lists
def approx_ndcg(s, relevance, weights, *, temperature=1.0, gain="exponential"):
    n = len(relevance)
    gains = [w * gain_of(r, gain) for w, r in zip(weights, relevance, strict=True)]
    ideal = ideal_dcg(gains)
    if n < 2 or ideal == 0:
        return None
    dcg = zero(s)
    for i in range(n):
        others = [j for j in range(n) if j != i]
        rank = 1 + torch.sigmoid((s[others] - s[i]) / temperature).sum()
        dcg = dcg + gains[i] / torch.log2(1 + rank)
    return 1 - dcg / ideal


@over_lists
def pointwise_squared(s, relevance, weights):
    return mean([(s[i] - r) ** 2 for i, r in enumerate(relevance)], weights)
