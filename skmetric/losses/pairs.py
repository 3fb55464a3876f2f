"""Which items of a batch are pairs of positives, and which of negatives."""

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["ALL", "Pairs", "pairs_of_blocks", "pairs_of_labels", "pairs_of_sides", "pairs_with_classes"]

ALL = slice(None)


class Pairs(NamedTuple):
    """Which columns are alike to an anchor, and which are not; a pair may be neither. Both broadcast to (..., n, c)."""

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
    """Pairs of a P x K batch, from the rows (..., n) of the table that its items are: a row is no partner of itself."""
    block = torch.arange(rows.shape[-1], device=rows.device) // samples_per_class
    same = block[anchors].unsqueeze(-1) == block
    return Pairs(same & _differ(rows[..., anchors], rows), ~same)


def pairs_with_classes(rows: Tensor, labels: Tensor, other_rows: Tensor, other_labels: Tensor) -> Pairs:
    """Pairs of items (..., n) with others (..., c), of which those at row -1 are not there."""
    same = labels.unsqueeze(-1) == other_labels.unsqueeze(-2)
    is_there = other_rows.unsqueeze(-2) >= 0
    return Pairs(same & is_there & _differ(rows, other_rows), ~same & is_there)


def pairs_of_sides(
    is_real: Tensor,
    anchor_ids: Tensor | None = None,
    positive_ids: Tensor | None = None,
    is_alike: Tensor | None = None,
    anchors: slice = ALL,
) -> Pairs:
    """Pairs of one side of given pairs (..., n) with the other: each with its own, and with all others as negatives.

    But not with an item that is its own again, that goes with the same anchor, or that is the anchor itself. Where a
    pair is not alike, its second is a negative of all, its first no anchor.
    """
    is_anchor = is_real if is_alike is None else is_real & is_alike
    place = torch.arange(is_real.shape[-1], device=is_real.device)
    is_own = place[anchors].unsqueeze(-1) == place
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
