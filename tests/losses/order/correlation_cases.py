"""A table of the correlation losses with their definitions, and random lists."""

import functools
import math

import pytest
import torch

from skmetric.losses import pearson_loss, spearman_loss
from tests.losses.cases import generator
from tests.losses.order import ranksim_reference as reference

# Not round numbers: with them, moved standardized scores of short lists could tie by chance.
SIGMOID = {"method": "sigmoid", "temperature": 0.37}
BLACKBOX = {"method": "blackbox", "interpolation_strength": math.sqrt(2)}

LOSSES = {
    "Pearson": (pearson_loss, reference.pearson_loss),
    "sigmoid": (functools.partial(spearman_loss, **SIGMOID), functools.partial(reference.spearman_loss, **SIGMOID)),
    "blackbox": (functools.partial(spearman_loss, **BLACKBOX), functools.partial(reference.spearman_loss, **BLACKBOX)),
}
each_loss = pytest.mark.parametrize("name", LOSSES)


def drawn(n, *, leading=(), seed=0, levels=None, tied_scores=False, masked=False):
    """Draw scores and targets (..., n), and options with a mask; equal scores are exact copies."""
    draw = generator(seed)
    scores = 3 + 2 * torch.randn(*leading, n, generator=draw, dtype=torch.float64)
    if tied_scores:
        scores = scores.gather(-1, torch.randint((n + 1) // 2, (*leading, n), generator=draw))
    targets = torch.randn(*leading, n, generator=draw, dtype=torch.float64)
    targets = targets if levels is None else torch.randint(levels, (*leading, n), generator=draw).double()
    return scores, targets, {"mask": torch.rand(*leading, n, generator=draw) < 0.7} if masked else {}
