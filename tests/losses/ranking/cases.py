"""All ranking losses: their definitions by plain loops, and a table of what is true of each of them.

To add a loss, write its definition and one row of LOSSES here. All tests of the ranking losses iterate over this table.

A definition takes one list without masked items, see `over_lists`. If weights are numbers of copies, an item of weight
0 is not an item, and no item is above or below it. Pairs and ranks are chosen on plain numbers, and terms are tensors,
so that each value has a gradient. The formulas are written for scores of moderate size.
"""

import dataclasses
import inspect
import math
from collections.abc import Callable
from math import exp, log, log2
from typing import Any

import torch

from skmetric import losses
from tests.losses.ranking.lists import over_lists, zero


def softplus_of(x):
    return torch.log1p(torch.exp(x))


def mean(terms, weights):
    """Weighted mean of a list of terms; None if all weights are 0."""
    if sum(weights) == 0:
        return None
    return sum(w * term for w, term in zip(weights, terms, strict=True)) / sum(weights)


def pairs_of(relevance):
    """All (better, worse) index pairs of one list."""
    n = len(relevance)
    return [(i, j) for i in range(n) for j in range(n) if relevance[i] > relevance[j]]


def gaps_of(s, pairs):
    """Score of the better item minus score of the worse item, for each pair."""
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
    return mean_over_pairs(lambda gap: softplus_of(-gap), s, relevance, weights)


def gain_of(relevance, gain):
    return 2**relevance - 1 if gain == "exponential" else relevance


def discount(rank, k=None):
    return 1 / math.log2(1 + rank) if k is None or rank <= k else 0.0


def ranks_of(s):
    """1 for the highest score; equal scores are ranked by position."""
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
    return (torch.tensor(factors, dtype=s.dtype) * softplus_of(-gaps_of(s, pairs))).sum()


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


@dataclasses.dataclass(frozen=True)
class Loss:
    """A loss, its definition, its value on the list below without and with weights, and the laws that it obeys."""

    function: Callable[..., Any]
    definition: Callable[..., Any]
    by_hand: float
    weighted_by_hand: float
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    depends_on: str = "values"  # what matters of the relevance: its "order", "differences" or "values"
    pair_factor: float | None = None  # times log(1 + exp(-gap)): value for relevance 1 and 0; None: another formula
    at_most: float = math.inf  # the largest value
    sees_shift: bool = False  # the value changes if all scores of a list are shifted
    scales_with: str | None = None  # the option to scale together with the scores
    power_of_scale: int = 0  # the value then scales with this power
    power_of_weights: int | None = 0  # the value scales with this power of all weights; None: with no power
    weight_is_count: bool = True  # an integer weight k is the same as k copies of the item
    learns_from_ties: bool = False  # not 0 if all relevance is equal
    learns_from_one: bool = False  # not 0 for a list of one item

    def __call__(self, scores, relevance, **options):
        return self.function(scores, relevance, **{**self.options, **options})

    def define(self, scores, relevance, **options):
        return self.definition(scores, relevance, **{**self.options, **options})

    def takes(self, parameter):
        return parameter in inspect.signature(self.function).parameters

    @property
    def tunable(self):
        """The option that may hold one number per list, if there is one."""
        return next((name for name in ("margin", "temperature") if self.takes(name)), None)


# A list for values by hand. The better-worse gaps of its pairs 0-1, 0-2 and 2-1 are -1, 1 and -2. The ranks of its
# items are 2, 1, 3, and their exponential gains are 3, 0, 1.
SCORES = [1.0, 2.0, 0.0]
RELEVANCE = [2.0, 0.0, 1.0]
WEIGHTS = [1.0, 2.0, 3.0]  # of the pairs: 2, 3, 6

E = math.e
D2 = 1 / log2(3)  # discount of rank 2


def softplus(x):
    return log(1 + exp(x))


def sigmoid(x):
    return 1 / (1 + exp(-x))


RANK_2 = 1 + sigmoid(1.0) + sigmoid(2.0)  # soft rank of item 2; that of item 0 is 2, and item 1 has no gain
RANK_2_COOL = 1 + sigmoid(2.0) + sigmoid(4.0)  # at temperature 1/2; that of item 0 is still 2


LOSSES = {
    "hinge": Loss(
        losses.pairwise_hinge_loss,
        pairwise_hinge,
        by_hand=(2.5 + 0.5 + 3.5) / 3,
        weighted_by_hand=(2 * 2.5 + 3 * 0.5 + 6 * 3.5) / 11,
        options={"margin": 1.5},
        depends_on="order",
        scales_with="margin",
        power_of_scale=1,
    ),
    "logistic": Loss(
        losses.pairwise_logistic_loss,
        pairwise_logistic,
        by_hand=(softplus(1) + softplus(-1) + softplus(2)) / 3,
        weighted_by_hand=(2 * softplus(1) + 3 * softplus(-1) + 6 * softplus(2)) / 11,
        depends_on="order",
        pair_factor=1.0,
    ),
    "lambda": Loss(
        losses.lambda_loss,
        lambda_loss,
        by_hand=(3 * (1 - D2) * softplus(1) + 2 * (D2 - 0.5) * softplus(-1) + 0.5 * softplus(2)) / (3 + D2),
        weighted_by_hand=(
            (2 * 3 * (1 - D2) * softplus(1) + 3 * 2 * (D2 - 0.5) * softplus(-1) + 6 * 0.5 * softplus(2)) / (3 + D2)
        ),
        pair_factor=1 - D2,
        power_of_weights=2,
        weight_is_count=False,
    ),
    "lambda, linear": Loss(
        losses.lambda_loss,
        lambda_loss,
        by_hand=(2 * (1 - D2) * softplus(1) + (D2 - 0.5) * softplus(-1) + 0.5 * softplus(2)) / (2 + D2),
        weighted_by_hand=(
            (2 * 2 * (1 - D2) * softplus(1) + 3 * (D2 - 0.5) * softplus(-1) + 6 * 0.5 * softplus(2)) / (2 + D2)
        ),
        options={"gain": "linear"},
        pair_factor=1 - D2,
        power_of_weights=2,
        weight_is_count=False,
    ),
    "lambda at 1": Loss(
        losses.lambda_loss,
        lambda_loss,
        by_hand=(3 * softplus(1) + softplus(2)) / 3,
        weighted_by_hand=(2 * 3 * softplus(1) + 6 * softplus(2)) / 3,
        options={"k": 1},
        pair_factor=1.0,
        power_of_weights=2,
        weight_is_count=False,
    ),
    "lambda at 2": Loss(
        losses.lambda_loss,
        lambda_loss,
        by_hand=(3 * (1 - D2) * softplus(1) + 2 * D2 * softplus(-1) + softplus(2)) / (3 + D2),
        weighted_by_hand=(2 * 3 * (1 - D2) * softplus(1) + 3 * 2 * D2 * softplus(-1) + 6 * softplus(2)) / (3 + D2),
        options={"k": 2},
        pair_factor=1 - D2,
        power_of_weights=2,
        weight_is_count=False,
    ),
    "softmax": Loss(
        losses.softmax_loss,
        softmax,
        by_hand=log(E + E**2 + 1) - (E**2 * 1 + 1 * 2 + E * 0) / (E**2 + 1 + E),
        weighted_by_hand=log(E + 2 * E**2 + 3) - (E**2 * 1 + 2 * 2 + 3 * E * 0) / (E**2 + 2 + 3 * E),
        options={"temperature": 1.0},
        depends_on="differences",
        scales_with="temperature",
        power_of_weights=None,
    ),
    "softmax at 1/2": Loss(
        losses.softmax_loss,
        softmax,
        by_hand=log(E**2 + E**4 + 1) - (E**2 * 2 + 1 * 4) / (E**2 + 1 + E),
        weighted_by_hand=log(E**2 + 2 * E**4 + 3) - (E**2 * 2 + 2 * 4) / (E**2 + 2 + 3 * E),
        options={"temperature": 0.5},
        depends_on="differences",
        scales_with="temperature",
        power_of_weights=None,
    ),
    "list MLE": Loss(
        losses.list_mle_loss,
        list_mle,
        by_hand=((log(E + E**2 + 1) - 1) + log(1 + E**2)) / 2,
        weighted_by_hand=((log(E + 2 * E**2 + 3) - 1) + 3 * log(1 + 2 * E**2)) / 4,
        options={"temperature": 1.0},
        depends_on="order",
        pair_factor=1.0,
        scales_with="temperature",
        power_of_weights=None,
    ),
    "list MLE at 1/2": Loss(
        losses.list_mle_loss,
        list_mle,
        by_hand=((log(E**2 + E**4 + 1) - 2) + log(1 + E**4)) / 2,
        weighted_by_hand=((log(E**2 + 2 * E**4 + 3) - 2) + 3 * log(1 + 2 * E**4)) / 4,
        options={"temperature": 0.5},
        depends_on="order",
        scales_with="temperature",
        power_of_weights=None,
    ),
    "NDCG": Loss(
        losses.approx_ndcg_loss,
        approx_ndcg,
        by_hand=1 - (3 * D2 + 1 / log2(1 + RANK_2)) / (3 + D2),
        weighted_by_hand=1 - (3 * D2 + 3 / log2(1 + RANK_2)) / (3 + 3 * D2),
        options={"temperature": 1.0},
        at_most=1.0,
        scales_with="temperature",
        weight_is_count=False,
        learns_from_ties=True,
    ),
    "NDCG at 1/2, linear": Loss(
        losses.approx_ndcg_loss,
        approx_ndcg,
        by_hand=1 - (2 * D2 + 1 / log2(1 + RANK_2_COOL)) / (2 + D2),
        weighted_by_hand=1 - (2 * D2 + 3 / log2(1 + RANK_2_COOL)) / (3 + 2 * D2),  # here item 2 is first in the ideal
        options={"temperature": 0.5, "gain": "linear"},
        at_most=1.0,
        scales_with="temperature",
        weight_is_count=False,
        learns_from_ties=True,
    ),
    "squared": Loss(
        losses.pointwise_squared_loss,
        pointwise_squared,
        by_hand=(1 + 4 + 1) / 3,
        weighted_by_hand=(1 + 2 * 4 + 3 * 1) / 6,
        sees_shift=True,
        learns_from_ties=True,
        learns_from_one=True,
    ),
}


def names(condition=lambda loss: True):
    """Names of the rows for which a condition holds."""
    return [name for name, loss in LOSSES.items() if condition(loss)]


# The first row of each function, for tests that set its options themselves.
FUNCTIONS = list({loss.function: name for name, loss in reversed(LOSSES.items())}.values())[::-1]
