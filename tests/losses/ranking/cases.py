"""The ranking losses with what is known of each, and random lists; a new loss is one row of LOSSES."""

import dataclasses
import math
from collections.abc import Callable
from math import exp, log, log2
from typing import Any

import torch

from skmetric.losses import (
    approx_ndcg_loss,
    lambda_loss,
    list_mle_loss,
    pairwise_hinge_loss,
    pairwise_logistic_loss,
    pointwise_squared_loss,
    softmax_loss,
)
from tests.losses.cases import generator
from tests.losses.ranking import enumeration as by_definition

# A list worked out by hand: the better-worse gaps of its pairs 0-1, 0-2 and 2-1 are -1, 1 and -2; the ranks of the
# items are 2, 1, 3, their exponential gains 3, 0, 1.
SCORES = [1.0, 2.0, 0.0]
RELEVANCE = [2.0, 0.0, 1.0]
WEIGHTS = [1.0, 2.0, 3.0]  # of the pairs: 2, 3, 6

E = math.e
D2 = 1 / log2(3)  # discount of rank 2


def softplus(x):
    return log(1 + exp(x))


def sigmoid(x):
    return 1 / (1 + exp(-x))


RANK_2 = 1 + sigmoid(1.0) + sigmoid(2.0)  # soft rank of item 2; that of item 0 is 2, and item 1 gains nothing
RANK_2_COOL = 1 + sigmoid(2.0) + sigmoid(4.0)  # at temperature 1/2; item 0 stays at 2


@dataclasses.dataclass(frozen=True)
class Loss:
    """A loss, its definition, its value on the list above, without weights and with, and which laws it obeys."""

    function: Callable[..., Any]
    definition: Callable[..., Any]
    by_hand: float
    weighted_by_hand: float
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    sees_shift: bool = False  # of all scores of a list
    scales_with: str | None = None  # the option to scale together with the scores
    power_of_scale: int = 0  # the value then scales with this power
    power_of_weights: int | None = 0  # the value scales with this power of all the weights; None: with none
    weight_is_count: bool = True  # an integer weight k is k copies of the item
    learns_from_ties: bool = False  # not 0 where all relevance is equal
    learns_from_one: bool = False  # not 0 for a list of one item

    def __call__(self, scores, relevance, **options):
        return self.function(scores, relevance, **{**self.options, **options})

    def define(self, scores, relevance, **options):
        return self.definition(scores, relevance, **{**self.options, **options})

    @property
    def tunable(self):
        """The option that may hold one number a list, if there is one."""
        return next((name for name in ("margin", "temperature") if name in self.options), None)


LOSSES = {
    "hinge": Loss(
        pairwise_hinge_loss,
        by_definition.pairwise_hinge,
        by_hand=(2.5 + 0.5 + 3.5) / 3,
        weighted_by_hand=(2 * 2.5 + 3 * 0.5 + 6 * 3.5) / 11,
        options={"margin": 1.5},
        scales_with="margin",
        power_of_scale=1,
    ),
    "logistic": Loss(
        pairwise_logistic_loss,
        by_definition.pairwise_logistic,
        by_hand=(softplus(1) + softplus(-1) + softplus(2)) / 3,
        weighted_by_hand=(2 * softplus(1) + 3 * softplus(-1) + 6 * softplus(2)) / 11,
    ),
    "lambda": Loss(
        lambda_loss,
        by_definition.lambda_loss,
        by_hand=(3 * (1 - D2) * softplus(1) + 2 * (D2 - 0.5) * softplus(-1) + 0.5 * softplus(2)) / (3 + D2),
        weighted_by_hand=(
            (2 * 3 * (1 - D2) * softplus(1) + 3 * 2 * (D2 - 0.5) * softplus(-1) + 6 * 0.5 * softplus(2)) / (3 + D2)
        ),
        power_of_weights=2,
        weight_is_count=False,
    ),
    "lambda, linear": Loss(
        lambda_loss,
        by_definition.lambda_loss,
        by_hand=(2 * (1 - D2) * softplus(1) + (D2 - 0.5) * softplus(-1) + 0.5 * softplus(2)) / (2 + D2),
        weighted_by_hand=(
            (2 * 2 * (1 - D2) * softplus(1) + 3 * (D2 - 0.5) * softplus(-1) + 6 * 0.5 * softplus(2)) / (2 + D2)
        ),
        options={"gain": "linear"},
        power_of_weights=2,
        weight_is_count=False,
    ),
    "lambda at 1": Loss(
        lambda_loss,
        by_definition.lambda_loss,
        by_hand=(3 * softplus(1) + softplus(2)) / 3,
        weighted_by_hand=(2 * 3 * softplus(1) + 6 * softplus(2)) / 3,
        options={"k": 1},
        power_of_weights=2,
        weight_is_count=False,
    ),
    "lambda at 2": Loss(
        lambda_loss,
        by_definition.lambda_loss,
        by_hand=(3 * (1 - D2) * softplus(1) + 2 * D2 * softplus(-1) + softplus(2)) / (3 + D2),
        weighted_by_hand=(2 * 3 * (1 - D2) * softplus(1) + 3 * 2 * D2 * softplus(-1) + 6 * softplus(2)) / (3 + D2),
        options={"k": 2},
        power_of_weights=2,
        weight_is_count=False,
    ),
    "softmax": Loss(
        softmax_loss,
        by_definition.softmax,
        by_hand=log(E + E**2 + 1) - (E**2 * 1 + 1 * 2 + E * 0) / (E**2 + 1 + E),
        weighted_by_hand=log(E + 2 * E**2 + 3) - (E**2 * 1 + 2 * 2 + 3 * E * 0) / (E**2 + 2 + 3 * E),
        options={"temperature": 1.0},
        scales_with="temperature",
        power_of_weights=None,
    ),
    "softmax at 1/2": Loss(
        softmax_loss,
        by_definition.softmax,
        by_hand=log(E**2 + E**4 + 1) - (E**2 * 2 + 1 * 4) / (E**2 + 1 + E),
        weighted_by_hand=log(E**2 + 2 * E**4 + 3) - (E**2 * 2 + 2 * 4) / (E**2 + 2 + 3 * E),
        options={"temperature": 0.5},
        scales_with="temperature",
        power_of_weights=None,
    ),
    "list MLE": Loss(
        list_mle_loss,
        by_definition.list_mle,
        by_hand=((log(E + E**2 + 1) - 1) + log(1 + E**2)) / 2,
        weighted_by_hand=((log(E + 2 * E**2 + 3) - 1) + 3 * log(1 + 2 * E**2)) / 4,
        options={"temperature": 1.0},
        scales_with="temperature",
        power_of_weights=None,
    ),
    "list MLE at 1/2": Loss(
        list_mle_loss,
        by_definition.list_mle,
        by_hand=((log(E**2 + E**4 + 1) - 2) + log(1 + E**4)) / 2,
        weighted_by_hand=((log(E**2 + 2 * E**4 + 3) - 2) + 3 * log(1 + 2 * E**4)) / 4,
        options={"temperature": 0.5},
        scales_with="temperature",
        power_of_weights=None,
    ),
    "NDCG": Loss(
        approx_ndcg_loss,
        by_definition.approx_ndcg,
        by_hand=1 - (3 * D2 + 1 / log2(1 + RANK_2)) / (3 + D2),
        weighted_by_hand=1 - (3 * D2 + 3 / log2(1 + RANK_2)) / (3 + 3 * D2),
        options={"temperature": 1.0},
        scales_with="temperature",
        weight_is_count=False,
        learns_from_ties=True,
    ),
    "NDCG at 1/2, linear": Loss(
        approx_ndcg_loss,
        by_definition.approx_ndcg,
        by_hand=1 - (2 * D2 + 1 / log2(1 + RANK_2_COOL)) / (2 + D2),
        weighted_by_hand=1 - (2 * D2 + 3 / log2(1 + RANK_2_COOL)) / (3 + 2 * D2),  # here item 2 is the ideal first
        options={"temperature": 0.5, "gain": "linear"},
        scales_with="temperature",
        weight_is_count=False,
        learns_from_ties=True,
    ),
    "squared": Loss(
        pointwise_squared_loss,
        by_definition.pointwise_squared,
        by_hand=(1 + 4 + 1) / 3,
        weighted_by_hand=(1 + 2 * 4 + 3 * 1) / 6,
        sees_shift=True,
        learns_from_ties=True,
        learns_from_one=True,
    ),
}


@dataclasses.dataclass(frozen=True)
class RankedLists:
    """Lists of scored items; `options` holds the mask and the weights, where there are any."""

    scores: torch.Tensor
    relevance: torch.Tensor
    options: dict[str, torch.Tensor]


def ranked(n, *, leading=(), seed=0, levels=4, tied_scores=False, masked=False, weighted=False, whole_weights=False):
    """Lists of n items with relevance 0 to levels - 1; some of the weights are 0."""
    draw = generator(seed)
    shape = (*leading, n)
    relevance = torch.randint(levels, shape, generator=draw).double()
    if tied_scores:
        scores = torch.randint(-2, 3, shape, generator=draw).double()
    else:
        scores = 2 * torch.randn(shape, generator=draw, dtype=torch.float64)
    options = {}
    if masked:
        options["mask"] = torch.rand(shape, generator=draw) < 0.7
    if weighted:
        some = torch.tensor([0.0, 0.5, 1.0, 2.25], dtype=torch.float64)
        options["weights"] = some[torch.randint(len(some), shape, generator=draw)]
    if whole_weights:
        options["weights"] = torch.randint(4, shape, generator=draw).double()
    return RankedLists(scores, relevance, options)


def select(case, rows):
    """The same case with the items `rows` of one list, in this order."""
    options = {name: value[rows] for name, value in case.options.items()}
    return RankedLists(case.scores[rows], case.relevance[rows], options)
