"""Which triplets of a batch count: one function a mining strategy.

Each gives the loss of a list and its slope in every distance, by hand: a few operations where automatic
differentiation would pass through every choice twice. The strategies that choose return columns, of a positive and a
negative each. "all" counts instead: its loss is linear in the distances once it is known how many triplets each of
them violates, so no triplet is ever held in memory.
"""

from collections.abc import Callable, Sequence
from itertools import starmap
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d_with_indices

from skmetric.losses.numerics import sigmoid, softplus, sum_last
from skmetric.losses.triplet._candidates import Candidates

__all__ = ["BITS", "smallest"]

# Up to this many positives an anchor, comparing each with all negatives is faster than sorting the negatives; up to so
# many comparisons a list, it also is no burden on memory.
DENSE_POSITIVES = 32
DENSE_COMPARISONS = 1 << 24
# So many comparisons are held at a time, over all lists: memory for more comes anew from the system each time.
COMPARED_AT_ONCE = 1 << 22
# How many (anchor, positive, negative) terms the soft batch-all loss, which cannot be counted, evaluates at a time.
SOFT_CHUNK = 1 << 22

Generators = torch.Generator | Sequence[torch.Generator] | None


class Picks(NamedTuple):
    """Triplets that a strategy chose, q for each anchor, all shapes (..., n, q) or broadcastable to it."""

    gap: Tensor  # d_ap - d_an
    positive: Tensor  # columns
    negative: Tensor
    valid: Tensor


class Mined(NamedTuple):
    """What a strategy makes of the distances of a list."""

    value: Tensor  # (...)
    slopes: Tensor  # its derivatives by the distances, (..., n, n)


def mine(c: Candidates, margin: Tensor, mining: str, *, soft: bool, generator: Generators) -> Mined:
    """Mean loss of the triplets that count, with its slopes."""
    if mining == "all":
        return mean_all_softplus(c, margin) if soft else mean_all_hinge(c, margin)
    return _mean_of_picks(c, PICKERS[mining](c, generator), margin, soft)


def _mean_of_picks(c: Candidates, picks: Picks, margin: Tensor, soft: bool) -> Mined:
    # A triplet that does not count violates nothing.
    gap = (picks.gap + margin).masked_fill_(~picks.valid, -torch.inf)
    terms = softplus(gap) if soft else gap.relu()
    slope = sigmoid(gap) if soft else terms.sign()
    count = picks.valid.expand(gap.shape).count_nonzero((-2, -1)).clamp_min_(1)
    slope = slope / count[..., None, None]
    slopes = torch.zeros_like(c.d_an).scatter_(-1, picks.positive.expand(slope.shape), slope)
    return Mined(sum_last(terms, 2) / count, slopes.scatter_add_(-1, picks.negative, slope.neg()))


def is_dense(positives: Tensor, negatives: Tensor) -> bool:
    """Whether to compare every positive (..., n, p) with every negative (..., n, m), or to sort.

    Decided by the shape of one list, so that a list takes the same route alone and in a stack.
    """
    (n, p), m = positives.shape[-2:], negatives.shape[-1]
    return p <= DENSE_POSITIVES and n * p * m <= DENSE_COMPARISONS


def _pick_one_each(c: Candidates, place: Tensor) -> Picks:
    """One triplet an anchor: the positive at the given place and the nearest negative."""
    nearest = c.d_an_or_inf.argmin(-1, keepdim=True)
    positive = c.columns.expand(c.d_ap.shape).gather(-1, place)
    gap = c.d_ap.gather(-1, place) - c.d_an.gather(-1, nearest)
    return Picks(gap, positive, nearest, c.is_pair.any(-1, keepdim=True))


def pick_hard(c: Candidates, generator: Generators) -> Picks:
    """Farthest positive, nearest negative."""
    del generator
    return _pick_one_each(c, c.d_ap.masked_fill(~c.is_positive, -torch.inf).argmax(-1, keepdim=True))


def pick_easy(c: Candidates, generator: Generators) -> Picks:
    """Nearest positive, nearest negative."""
    del generator
    return _pick_one_each(c, c.d_ap.masked_fill(~c.is_positive, torch.inf).argmin(-1, keepdim=True))


def pick_semihard(c: Candidates, generator: Generators) -> Picks:
    """For each positive the nearest negative that is strictly farther, else the farthest negative."""
    del generator
    return _semihard_by_comparing(c) if is_dense(c.d_ap, c.d_an) else _semihard_by_sorting(c)


def _semihard_by_comparing(c: Candidates) -> Picks:
    """Find both choices by one minimum, over the bits of ``d_ap - d_an`` read as signed integers.

    Where the negative is farther, the difference is below zero: its bits make a negative integer, the smaller the
    closer to zero the difference is. Elsewhere they make a positive one, smallest for the farthest negative. So the
    minimum is the nearest farther negative if there is one, else the farthest: a third of the time of comparing,
    masking and taking two minima. Negatives closer to each other than the difference's rounding count as one.
    """
    # Anchors last, as the smallest is looked for along an axis before: a distance is the same from both its ends.
    bits, column = _in_turns(_smallest_gap, c.d_ap.mT.contiguous(), c.d_an - c.barrier, c.d_ap.shape[-1])
    return Picks(bits.view(c.d_an.dtype).mT, c.columns, column.mT, c.is_pair)


def _smallest_gap(d_ap: Tensor, d_an: Tensor) -> tuple[Tensor, Tensor]:
    """Of each positive (..., p, n), the smallest ``d_ap - d_an`` in the order of its bits, and its negative."""
    gap = d_ap.unsqueeze(-3) - d_an.unsqueeze(-2)
    return smallest(gap.view(BITS[gap.dtype]))


def _in_turns(
    compare: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], of_positives: Tensor, of_negatives: Tensor, n: int
) -> tuple[Tensor, Tensor]:
    """Compare n positives an anchor with its negatives (..., ., .), some lists at a time where all would be many."""
    lists, n_compared = of_negatives.shape[:-2], n * of_negatives.shape[-2:].numel()
    at_a_time = max(1, COMPARED_AT_ONCE // n_compared)
    if lists.numel() <= at_a_time:
        return compare(of_positives, of_negatives)
    turns = zip(*(each.flatten(0, -3).split(at_a_time) for each in (of_positives, of_negatives)), strict=True)
    first, second = (torch.cat(each).unflatten(0, lists) for each in zip(*starmap(compare, turns), strict=True))
    return first, second


def _semihard_by_sorting(c: Candidates) -> Picks:
    ordered, order = c.d_an_or_inf.sort(-1)
    last = c.is_negative.sum(-1, keepdim=True) - 1
    place = torch.searchsorted(ordered, c.d_ap.contiguous(), right=True).minimum(last).clamp_min(0)
    column = order.gather(-1, place)
    return Picks(c.d_ap - c.d_an.gather(-1, column), c.columns, column, c.is_pair)


def pick_random(c: Candidates, generator: Generators) -> Picks:
    """For each positive one negative, drawn uniformly."""
    n_negatives = c.is_negative.sum(-1, keepdim=True)
    rank = (_uniform(c.d_ap, generator) * n_negatives).long().minimum(n_negatives - 1).clamp_min(0)
    # A stable sort that puts the negatives first turns "the rank-th negative" into a column.
    order = (~c.is_negative).byte().argsort(stable=True, dim=-1)
    column = order.expand(c.d_an.shape).gather(-1, rank)
    return Picks(c.d_ap - c.d_an.gather(-1, column), c.columns, column, c.is_pair)


def _uniform(like: Tensor, generator: Generators) -> Tensor:
    """Draw uniform numbers in the shape of ``like``; with several generators, each draws its own list of the stack."""
    if generator is None:
        raise ValueError(
            "mining='random' draws negatives and needs generator=, a torch.Generator (or one for each list of the "
            "stack); got None. Pass generator=torch.Generator().manual_seed(0)."
        )
    if isinstance(generator, torch.Generator):
        return torch.rand(like.shape, dtype=like.dtype, device=like.device, generator=generator)
    if len(generator) != like.shape[:-2].numel():
        raise ValueError(
            f"generator must be one torch.Generator, or one for each of the {like.shape[:-2].numel()} lists of the "
            f"stack; got {len(generator)}."
        )
    lists = [torch.rand(like.shape[-2:], dtype=like.dtype, device=like.device, generator=g) for g in generator]
    return torch.stack(lists).reshape(like.shape)


PICKERS: dict[str, Callable[[Candidates, Generators], Picks]] = {
    "hard": pick_hard,
    "semihard": pick_semihard,
    "easy": pick_easy,
    "random": pick_random,
}
MININGS = ("all", *PICKERS)


def count_below(values: Tensor, thresholds: Tensor, *, inclusive: bool) -> Tensor:
    """How many values of a row lie below each threshold of that row (or at it, where inclusive).

    ``values`` is (..., n, m), ``thresholds`` (..., n, p), the counts (..., n, p).
    """
    if is_dense(thresholds, values):
        compare = torch.le if inclusive else torch.lt
        return _ones_where(compare, values.unsqueeze(-2), thresholds.unsqueeze(-1)).sum(-1).long()
    return torch.searchsorted(values.sort(-1).values, thresholds.contiguous(), right=inclusive)


def _ones_where(compare: Callable[..., Tensor], left: Tensor, right: Tensor) -> Tensor:
    """A comparison as 1 and 0, whose sums are exact up to 2^24.

    Booleans are summed as integers of 64 bits: for forty lists of 60, that takes more than twice the time.
    """
    shape = torch.broadcast_shapes(left.shape, right.shape)
    return compare(left, right, out=left.new_empty(shape, dtype=torch.float32))


def _violations(c: Candidates, bound: Tensor) -> tuple[Tensor, Tensor]:
    """Count the triplets with ``bound > d_an``: for each (anchor, positive), and for each (anchor, negative)."""
    nearer, bound = c.d_an_or_inf, bound.masked_fill(~c.is_positive, -torch.inf)
    if is_dense(bound, nearer):
        return _in_turns(_count_violations, bound, nearer, bound.shape[-1])
    below = count_below(bound, nearer, inclusive=True)
    return count_below(nearer, bound, inclusive=False), bound.shape[-1] - below


def _count_violations(bound: Tensor, nearer: Tensor) -> tuple[Tensor, Tensor]:
    violates = _ones_where(torch.gt, bound.unsqueeze(-1), nearer.unsqueeze(-2))
    return violates.sum(-1).long(), violates.sum(-2).long()


def mean_all_hinge(c: Candidates, margin: Tensor) -> Mined:
    """Mean hinge over the triplets that violate the margin."""
    per_positive, per_negative = _violations(c, c.d_ap + margin)
    pulled = (per_positive * (c.d_ap + margin)).where(per_positive > 0, 0.0)
    pushed = (per_negative * c.d_an).where(per_negative > 0, 0.0)
    count = sum_last(per_positive, 2).clamp_min(1)
    # A NaN margin violates nothing; it is not to pass for a loss of zero.
    value = (sum_last(pulled, 2) - sum_last(pushed, 2)) / count + margin[..., 0, 0] * 0
    return Mined(value, _slopes(c, per_positive, per_negative, count))


def mean_all_softplus(c: Candidates, margin: Tensor) -> Mined:
    """Mean softplus over all triplets, a few positives at a time.

    Time is O(n p m), memory O(n (p + m)).
    """
    d_ap = c.d_ap + margin
    slope_an, slopes_ap, value = torch.zeros_like(c.d_an), [], c.d_an.new_zeros(c.d_an.shape[:-2])
    step = max(1, SOFT_CHUNK // max(1, c.d_an.numel()))
    for at, counts in zip(d_ap.split(step, -1), c.is_positive.expand(d_ap.shape).split(step, -1), strict=True):
        gap = at.unsqueeze(-1) - c.d_an.unsqueeze(-2)
        valid = counts.unsqueeze(-1) & c.is_negative.unsqueeze(-2)
        value = value + sum_last(softplus(gap).where(valid, 0.0), 3)
        slope = sigmoid(gap).where(valid, 0.0)
        slopes_ap.append(slope.sum(-1))
        slope_an += slope.sum(-2)
    slope_ap = torch.cat(slopes_ap, -1) if slopes_ap else d_ap
    n_triplets = sum_last(c.is_positive.expand(d_ap.shape) * c.is_negative.sum(-1, keepdim=True), 2).clamp_min(1)
    return Mined(value / n_triplets, _slopes(c, slope_ap, slope_an, n_triplets))


def _slopes(c: Candidates, per_positive: Tensor, per_negative: Tensor, count: Tensor) -> Tensor:
    """Put the slopes of positives (..., n, p) and negatives (..., n, n) together, divided by the lists' counts."""
    pulled, pushed = (slope.to(c.d_an.dtype) / count[..., None, None] for slope in (per_positive, per_negative))
    return pushed.neg_().scatter_add_(-1, c.columns.expand(pulled.shape), pulled)


# Integers as wide as a float.
BITS = {torch.float64: torch.int64, torch.float32: torch.int32, torch.float16: torch.int16, torch.bfloat16: torch.int16}
# Up to so many keys, the fewer operations of ``min`` win.
FEW = 1 << 15


def smallest(keys: Tensor) -> tuple[Tensor, Tensor]:
    """Smallest of the integers ``keys`` (..., m, p, n) over m, and where it is first, both (..., p, n).

    The keys, contiguous in memory, are used up. On a CPU max-pooling finds them, over windows as long as the axis: it
    looks at a register of columns at a time, where ``min`` looks at one number, and takes a sixth of the time for
    forty lists of 60. Elsewhere pooling knows no integers.
    """
    if keys.device.type != "cpu" or keys.numel() <= FEW:
        return keys.min(-3)
    *_, m, p, n = keys.shape
    # The largest of the complements is the complement of the smallest.
    windows = keys.bitwise_not_().view(-1, m, 1, p * n).permute(0, 3, 1, 2)
    largest, place = max_pool2d_with_indices(windows, (m, 1))
    shape = keys.shape[:-3] + keys.shape[-2:]
    return largest.view(shape).bitwise_not_(), place.view(shape)
