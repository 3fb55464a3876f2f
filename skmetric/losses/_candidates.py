"""Every anchor of a batch with the positives and negatives it may form triplets with."""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from skmetric.losses.distance import pairwise_distance


class Candidates(NamedTuple):
    """Distances from each of n anchors to p possible positives and m possible negatives.

    The masks say which are real, and broadcast to their distances. Shapes never depend on values, so that a stack of
    models runs through the same code as one.
    """

    d_ap: Tensor  # (..., n, p)
    is_positive: Tensor  # broadcastable to (..., n, p)
    d_an: Tensor  # (..., n, m)
    is_negative: Tensor  # broadcastable to (..., n, m)

    @property
    def is_pair(self) -> Tensor:
        """Which (anchor, positive) pairs have a negative to go with them: (..., n, p)."""
        return self.is_positive & self.is_negative.any(-1, keepdim=True)

    @property
    def d_an_or_inf(self) -> Tensor:
        """The distances to the negatives, with infinity where there is none."""
        return self.d_an.detach().masked_fill(~self.is_negative, torch.inf)


def from_labels(embeddings: Tensor, labels: Tensor, mask: Tensor | None, distance: str) -> Candidates:
    """Candidates of a batch with any labels: every other row is a possible positive and a possible negative."""
    d = pairwise_distance(embeddings, distance=distance)
    same = labels.unsqueeze(-1) == labels.unsqueeze(-2)
    real = torch.ones_like(same) if mask is None else mask.unsqueeze(-1) & mask.unsqueeze(-2)
    itself = torch.eye(labels.shape[-1], dtype=torch.bool, device=labels.device)
    return Candidates(d, same & real & ~itself, d, ~same & real)


def from_blocks(embeddings: Tensor, rows: Tensor, samples_per_class: int, distance: str) -> Candidates:
    """Candidates of a P x K batch: the positives of an anchor are the other K - 1 items of its block."""
    d = pairwise_distance(embeddings, distance=distance)
    columns, is_negative = _block_pattern(rows.shape[-1], samples_per_class, d.device)
    columns = columns.expand(*d.shape[:-2], *columns.shape)
    partners = rows.unsqueeze(-2).expand(*rows.shape, rows.shape[-1]).gather(-1, columns)
    return Candidates(d.gather(-1, columns), rows.unsqueeze(-1) != partners, d, is_negative)


@lru_cache(maxsize=32)
def _block_pattern(n: int, k: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return for n items in blocks of k: the columns of each item's k - 1 partners, and which columns are negatives."""
    # Outside inference mode even where the first call is inside: what is cached must serve training as well.
    with torch.inference_mode(False):
        item = torch.arange(n, device=device)
        others = torch.arange(k - 1, device=device).expand(n, k - 1)
        place = (item % k).unsqueeze(-1)
        columns = (item // k * k).unsqueeze(-1) + others + (others >= place)
        return columns, (item // k).unsqueeze(-1) != item // k
