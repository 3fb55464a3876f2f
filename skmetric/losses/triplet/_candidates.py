"""The possible positives and negatives of each anchor of a batch."""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from skmetric.losses.pairs import pairs_of_labels


class Candidates(NamedTuple):
    """Distances from each of n anchors to p possible positives, and to all n items as possible negatives (m = n).

    They have no gradient. d_an and its mask are symmetric. The masks select the real candidates, and broadcast to their
    distances. Shapes do not depend on values, so that a stack of models runs through the same code as one model.
    """

    d_ap: Tensor  # (..., n, p)
    is_positive: Tensor  # broadcastable to (..., n, p)
    columns: Tensor  # indices of the possible positives in d_an, broadcastable to (..., n, p)
    d_an: Tensor  # (..., n, n)
    is_negative: Tensor  # broadcastable to (..., n, n)
    barrier: Tensor  # 0 for a negative, else infinity: adding it is ten times faster than masking
    is_pair: Tensor  # positives of anchors that also have a negative, broadcastable to (..., n, p)

    @property
    def d_an_or_inf(self) -> Tensor:
        """Distances to the negatives, and infinity for items that are not negatives."""
        return self.d_an + self.barrier


def from_labels(d: Tensor, labels: Tensor, mask: Tensor | None) -> Candidates:
    """Candidates of a batch with any labels: every other row is a possible positive and a possible negative."""
    is_positive, is_negative = pairs_of_labels(labels, mask)
    is_pair = is_positive & is_negative.any(-1, keepdim=True)
    item = torch.arange(labels.shape[-1], device=labels.device)
    return Candidates(d, is_positive, item, d, is_negative, _barrier(is_negative, d.dtype), is_pair)


def from_blocks(d: Tensor, rows: Tensor, samples_per_class: int) -> Candidates:
    """Candidates of a P x K batch: the positives of an anchor are the other K - 1 items of its block."""
    n = rows.shape[-1]
    pattern = _block_pattern(n, samples_per_class, d.dtype, d.device)
    columns = pattern.columns.expand(*d.shape[:-2], *pattern.columns.shape)
    partners = rows.gather(-1, pattern.columns.flatten().expand(*rows.shape[:-1], -1))
    is_positive = rows.unsqueeze(-1) != partners.unflatten(-1, pattern.columns.shape)
    is_pair = is_positive if n > samples_per_class else torch.zeros_like(is_positive)
    # d is symmetric. Gather from columns instead of rows, because mining needs the anchors as the last axis in memory.
    d_ap = d.gather(-2, columns.mT).mT
    return Candidates(d_ap, is_positive, columns, d, pattern.is_negative, pattern.barrier, is_pair)


class BlockPattern(NamedTuple):
    """The parts that all batches of n items in blocks of k share."""

    columns: Tensor  # indices of the k - 1 other items in the block of each item, (n, k - 1)
    is_negative: Tensor  # (n, n)
    barrier: Tensor  # (n, n)


@lru_cache(maxsize=8)
def _block_pattern(n: int, k: int, dtype: torch.dtype, device: torch.device) -> BlockPattern:
    # Leave inference mode if the first call is inside it: the cached tensors must work in training too.
    with torch.inference_mode(False):
        item = torch.arange(n, device=device)
        others = torch.arange(k - 1, device=device).expand(n, k - 1)
        position = (item % k).unsqueeze(-1)
        columns = (item // k * k).unsqueeze(-1) + others + (others >= position)
        is_negative = (item // k).unsqueeze(-1) != item // k
        return BlockPattern(columns, is_negative, _barrier(is_negative, dtype))


def _barrier(is_negative: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.zeros_like(is_negative, dtype=dtype).masked_fill_(~is_negative, torch.inf)
