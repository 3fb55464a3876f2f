"""Stacks of lists: random lists, and the definition of a loss of one list applied to each list of a stack."""

import dataclasses
import functools
import itertools

import torch

from tests.losses.cases import generator


@dataclasses.dataclass(frozen=True)
class RankedLists:
    """Lists of scored items; `options` holds the mask and the weights, if there are any."""

    scores: torch.Tensor
    relevance: torch.Tensor
    options: dict[str, torch.Tensor]


def ranked(n, *, leading=(), seed=0, levels=4, tied_scores=False, masked=False, weighted=False, whole_weights=False):
    """Draw lists of n items with relevance 0 to levels - 1; some of the weights are 0."""
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


def over_lists(one):
    """Turn a loss of one list into a loss of a stack; a tensor among the options holds one number per list.

    Masked items are dropped first. `one` gets the scores as a tensor, relevance and weights as plain numbers, and may
    return None for a list with nothing to learn from.
    """

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
