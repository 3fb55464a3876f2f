"""Positive and negative pairs of a batch."""

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["ALL", "Pairs", "pairs_of_blocks", "pairs_of_labels", "pairs_of_sides", "pairs_with_classes"]

ALL = slice(None)


class Pairs(NamedTuple):
    """Masks of the positive and the negative columns of each anchor. Both broadcast to (..., n, c).

    A pair may be neither positive nor negative.
    """

    is_positive: Tensor
    is_negative: Tensor


def pairs_of_labels(labels: Tensor, mask: Tensor | None) -> Pairs:
    """Pairs of a batch with any labels (..., n)."""
    same = labels.unsqueeze(-1) == labels.unsqueeze(-2)
    item = torch.arange(labels.shape[-1], device=labels.device)
    is_positive, is_negative = same & (item.unsqueeze(-1) != item), ~same
    if mask is None:
        return Pairs(is_positive, is_negative)
    real = mask.unsqueeze(-1) & mask.unsqueeze(-2)
    return Pairs(is_positive & real, is_negative & real)


def pairs_of_blocks(rows: Tensor, samples_per_class: int, anchors: slice = ALL) -> Pairs:
    """Pairs of a P x K batch, from the table row (..., n) of each item: a row is not a positive of itself."""
    block = torch.arange(rows.shape[-1], device=rows.device) // samples_per_class
    same = block[anchors].unsqueeze(-1) == block
    return Pairs(same & _differ(rows[..., anchors], rows), ~same)


def pairs_with_classes(rows: Tensor, labels: Tensor, other_rows: Tensor, other_labels: Tensor) -> Pairs:
    """Pairs of items (..., n) with other items (..., c). Other items at row -1 are ignored."""
    same = labels.unsqueeze(-1) == other_labels.unsqueeze(-2)
    is_real = other_rows.unsqueeze(-2) >= 0
    return Pairs(same & is_real & _differ(rows, other_rows), ~same & is_real)


def pairs_of_sides(
    is_real: Tensor,
    anchor_ids: Tensor | None = None,
    positive_ids: Tensor | None = None,
    is_similar: Tensor | None = None,
    anchors: slice = ALL,
) -> Pairs:
    """Pairs of the anchors of given pairs (..., n) with the partners of all pairs.

    The partner of an anchor is its positive, and the partners of other anchors are its negatives. Such a partner is not
    a negative if it is the same item as the positive, belongs to the same anchor, or is the anchor itself. If a given
    pair is dissimilar, its second item is a negative for all anchors, and its first item is not an anchor.
    """
    is_anchor = is_real if is_similar is None else is_real & is_similar
    index = torch.arange(is_real.shape[-1], device=is_real.device)
    is_own = index[anchors].unsqueeze(-1) == index
    is_other = ~is_own
    if positive_ids is not None:
        is_other = is_other & _differ(positive_ids[..., anchors], positive_ids)
    if anchor_ids is not None:
        is_other = is_other & (_differ(anchor_ids[..., anchors], anchor_ids) | ~is_anchor.unsqueeze(-2))
    if anchor_ids is not None and positive_ids is not None:
        is_other = is_other & _differ(anchor_ids[..., anchors], positive_ids)
    is_anchor = is_anchor[..., anchors].unsqueeze(-1)
    return Pairs(is_own & is_anchor, is_other & is_anchor & is_real.unsqueeze(-2))


def _differ(ids: Tensor, others: Tensor) -> Tensor:
    return ids.unsqueeze(-1) != others.unsqueeze(-2)
