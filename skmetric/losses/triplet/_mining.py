"""Select the triplets of a batch that count: one function per mining strategy.

The loss of a list and its slopes by the distances are computed by hand. This takes a few operations, where automatic
differentiation would pass twice through each selection. Strategies that select triplets return the column indices of
positives and negatives. "all" counts instead: given the number of violating triplets of each distance, its loss is
linear in the distances, so no triplet is held in memory.
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

# Up to this many positives per anchor, comparing each positive with all negatives is faster than sorting the negatives.
# Up to this many comparisons per list, it also needs little memory.
DENSE_POSITIVES = 32
DENSE_COMPARISONS = 1 << 24
# Number of comparisons held at once over all lists. Memory for more is requested from the system again each time.
COMPARED_AT_ONCE = 1 << 22
# Number of (anchor, positive, negative) terms that the soft batch-all loss evaluates at once. It cannot use counts.
SOFT_CHUNK = 1 << 22

Generators = torch.Generator | Sequence[torch.Generator] | None


class Picks(NamedTuple):
    """Selected triplets, q per anchor; all shapes are (..., n, q) or broadcast to it."""

    gap: Tensor  # d_ap - d_an
    positive: Tensor  # column index
    negative: Tensor  # column index
    is_valid: Tensor


class Mined(NamedTuple):
    """Loss of each list for one strategy, with its slopes."""

    value: Tensor  # (...)
    slopes: Tensor  # derivatives of the value by the distances, (..., n, n)


def mine(c: Candidates, margin: Tensor, mining: str, *, soft: bool, generator: Generators) -> Mined:
    """Compute the mean loss of the triplets that count, with its slopes."""
    if mining == "all":
        return mean_all_softplus(c, margin) if soft else mean_all_hinge(c, margin)
    return _mean_of_picks(c, PICKERS[mining](c, generator), margin, soft)


def _mean_of_picks(c: Candidates, picks: Picks, margin: Tensor, soft: bool) -> Mined:
    # A triplet that does not count has no loss.
    gap = (picks.gap + margin).masked_fill_(~picks.is_valid, -torch.inf)
    terms = softplus(gap) if soft else gap.relu()
    slope = sigmoid(gap) if soft else terms.sign()
    count = picks.is_valid.expand(gap.shape).count_nonzero((-2, -1)).clamp_min_(1)
    slope = slope / count[..., None, None]
    slopes = torch.zeros_like(c.d_an).scatter_(-1, picks.positive.expand(slope.shape), slope)
    return Mined(sum_last(terms, 2) / count, slopes.scatter_add_(-1, picks.negative, slope.neg()))


def is_dense(positives: Tensor, negatives: Tensor) -> bool:
    """Return whether to compare each positive (..., n, p) with each negative (..., n, m), instead of sorting.

    This depends on the shape of one list only, so that a list is computed the same way alone and in a stack.
    """
    (n, p), m = positives.shape[-2:], negatives.shape[-1]
    return p <= DENSE_POSITIVES and n * p * m <= DENSE_COMPARISONS


def _pick_one_each(c: Candidates, index: Tensor) -> Picks:
    """Pick one triplet per anchor: the positive at the given index and the nearest negative."""
    nearest = c.d_an_or_inf.argmin(-1, keepdim=True)
    positive = c.columns.expand(c.d_ap.shape).gather(-1, index)
    gap = c.d_ap.gather(-1, index) - c.d_an.gather(-1, nearest)
    return Picks(gap, positive, nearest, c.is_pair.any(-1, keepdim=True))


def pick_hard(c: Candidates, generator: Generators) -> Picks:
    """Pick the farthest positive and the nearest negative of each anchor."""
    del generator
    return _pick_one_each(c, c.d_ap.masked_fill(~c.is_positive, -torch.inf).argmax(-1, keepdim=True))


def pick_easy(c: Candidates, generator: Generators) -> Picks:
    """Pick the nearest positive and the nearest negative of each anchor."""
    del generator
    return _pick_one_each(c, c.d_ap.masked_fill(~c.is_positive, torch.inf).argmin(-1, keepdim=True))


def pick_semihard(c: Candidates, generator: Generators) -> Picks:
    """Pick for each positive the nearest negative that is strictly farther, or else the farthest negative."""
    del generator
    return _semihard_by_comparing(c) if is_dense(c.d_ap, c.d_an) else _semihard_by_sorting(c)


def _semihard_by_comparing(c: Candidates) -> Picks:
    """Find both cases by one minimum over the bits of ``d_ap - d_an``, read as signed integers.

    If the negative is farther than the positive, the difference is below zero. Its bits then are a negative integer,
    which is smaller the closer the difference is to zero. Otherwise they are a positive integer, which is smallest for
    the farthest negative. So the minimum is the nearest of the farther negatives if there is one, or else the farthest
    negative. This takes a third of the time of comparing, masking and two minima. Negatives whose differences are equal
    after rounding count as one.
    """
    # The minimum is taken along an axis before the last. Anchors come last, which is possible as d_an is symmetric.
    bits, column = _in_turns(_smallest_gap, c.d_ap.mT.contiguous(), c.d_an - c.barrier, c.d_ap.shape[-1])
    return Picks(bits.view(c.d_an.dtype).mT, c.columns, column.mT, c.is_pair)


def _smallest_gap(d_ap: Tensor, d_an: Tensor) -> tuple[Tensor, Tensor]:
    """Return the smallest ``d_ap - d_an`` of each positive (..., p, n), in the order of bits, and its negative."""
    gap = d_ap.unsqueeze(-3) - d_an.unsqueeze(-2)
    return smallest(gap.view(BITS[gap.dtype]))


def _in_turns(
    compare: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], of_positives: Tensor, of_negatives: Tensor, n: int
) -> tuple[Tensor, Tensor]:
    """Compare n positives per anchor with its negatives (..., ., .), in parts of a few lists if there are many."""
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
    position = torch.searchsorted(ordered, c.d_ap.contiguous(), right=True).minimum(last).clamp_min(0)
    column = order.gather(-1, position)
    return Picks(c.d_ap - c.d_an.gather(-1, column), c.columns, column, c.is_pair)


def pick_random(c: Candidates, generator: Generators) -> Picks:
    """Pick for each positive one negative at random, with equal probabilities."""
    n_negatives = c.is_negative.sum(-1, keepdim=True)
    rank = (_uniform(c.d_ap, generator) * n_negatives).long().minimum(n_negatives - 1).clamp_min(0)
    # A stable sort with the negatives first maps the number of a negative to its column.
    order = (~c.is_negative).byte().argsort(stable=True, dim=-1)
    column = order.expand(c.d_an.shape).gather(-1, rank)
    return Picks(c.d_ap - c.d_an.gather(-1, column), c.columns, column, c.is_pair)


def _uniform(like: Tensor, generator: Generators) -> Tensor:
    """Draw uniform numbers of the shape of ``like``. With several generators, each draws one list of the stack."""
    if generator is None:
        raise ValueError(
            "generator must be given for mining='random', got None. Pass generator=torch.Generator().manual_seed(0), "
            "or a sequence with one generator per list of the stack."
        )
    if isinstance(generator, torch.Generator):
        return torch.rand(like.shape, dtype=like.dtype, device=like.device, generator=generator)
    if len(generator) != like.shape[:-2].numel():
        raise ValueError(
            f"generator must be a torch.Generator, or a sequence of {like.shape[:-2].numel()}, one per list of the "
            f"stack, got {len(generator)}."
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
    """Count the values of each row below each threshold of that row (or equal to it, if ``inclusive``).

    ``values`` is (..., n, m), ``thresholds`` and the counts are (..., n, p).
    """
    if is_dense(thresholds, values):
        compare = torch.le if inclusive else torch.lt
        return _ones_where(compare, values.unsqueeze(-2), thresholds.unsqueeze(-1)).sum(-1).long()
    return torch.searchsorted(values.sort(-1).values, thresholds.contiguous(), right=inclusive)


def _ones_where(compare: Callable[..., Tensor], left: Tensor, right: Tensor) -> Tensor:
    """Compare, and return 1 for true and 0 for false, as numbers whose sums are exact up to 2^24.

    Sums of booleans are computed in 64-bit integers, which takes more than twice the time for forty lists of 60.
    """
    shape = torch.broadcast_shapes(left.shape, right.shape)
    return compare(left, right, out=left.new_empty(shape, dtype=torch.float32))


def _violations(c: Candidates, bound: Tensor) -> tuple[Tensor, Tensor]:
    """Count the triplets with ``bound > d_an`` per (anchor, positive), and per (anchor, negative)."""
    nearer, bound = c.d_an_or_inf, bound.masked_fill(~c.is_positive, -torch.inf)
    if is_dense(bound, nearer):
        return _in_turns(_count_violations, bound, nearer, bound.shape[-1])
    below = count_below(bound, nearer, inclusive=True)
    return count_below(nearer, bound, inclusive=False), bound.shape[-1] - below


def _count_violations(bound: Tensor, nearer: Tensor) -> tuple[Tensor, Tensor]:
    violates = _ones_where(torch.gt, bound.unsqueeze(-1), nearer.unsqueeze(-2))
    return violates.sum(-1).long(), violates.sum(-2).long()


def mean_all_hinge(c: Candidates, margin: Tensor) -> Mined:
    """Compute the mean hinge over the triplets that violate the margin."""
    per_positive, per_negative = _violations(c, c.d_ap + margin)
    pulled = (per_positive * (c.d_ap + margin)).where(per_positive > 0, 0.0)
    pushed = (per_negative * c.d_an).where(per_negative > 0, 0.0)
    count = sum_last(per_positive, 2).clamp_min(1)
    # No triplet violates a NaN margin, but the loss must then be NaN, not 0.
    value = (sum_last(pulled, 2) - sum_last(pushed, 2)) / count + margin[..., 0, 0] * 0
    return Mined(value, _slopes(c, per_positive, per_negative, count))


def mean_all_softplus(c: Candidates, margin: Tensor) -> Mined:
    """Compute the mean softplus over all triplets, a few positives at a time.

    Time is O(n p m), memory is O(n (p + m)).
    """
    d_ap = c.d_ap + margin
    slope_an, slopes_ap, value = torch.zeros_like(c.d_an), [], c.d_an.new_zeros(c.d_an.shape[:-2])
    step = max(1, SOFT_CHUNK // max(1, c.d_an.numel()))
    for bound, is_positive in zip(d_ap.split(step, -1), c.is_positive.expand(d_ap.shape).split(step, -1), strict=True):
        gap = bound.unsqueeze(-1) - c.d_an.unsqueeze(-2)
        is_valid = is_positive.unsqueeze(-1) & c.is_negative.unsqueeze(-2)
        value = value + sum_last(softplus(gap).where(is_valid, 0.0), 3)
        slope = sigmoid(gap).where(is_valid, 0.0)
        slopes_ap.append(slope.sum(-1))
        slope_an += slope.sum(-2)
    slope_ap = torch.cat(slopes_ap, -1) if slopes_ap else d_ap
    n_triplets = sum_last(c.is_positive.expand(d_ap.shape) * c.is_negative.sum(-1, keepdim=True), 2).clamp_min(1)
    return Mined(value / n_triplets, _slopes(c, slope_ap, slope_an, n_triplets))


def _slopes(c: Candidates, per_positive: Tensor, per_negative: Tensor, count: Tensor) -> Tensor:
    """Merge the slopes of positives (..., n, p) and negatives (..., n, n), divided by the count of each list."""
    pulled, pushed = (slope.to(c.d_an.dtype) / count[..., None, None] for slope in (per_positive, per_negative))
    return pushed.neg_().scatter_add_(-1, c.columns.expand(pulled.shape), pulled)


# The integer type as wide as each float type.
BITS = {torch.float64: torch.int64, torch.float32: torch.int32, torch.float16: torch.int16, torch.bfloat16: torch.int16}
# Up to this many keys, ``min`` is faster because it needs fewer operations.
FEW = 1 << 15


def smallest(keys: Tensor) -> tuple[Tensor, Tensor]:
    """Return the smallest of the integers ``keys`` (..., m, p, n) over m, and its first index, both (..., p, n).

    The keys must be contiguous in memory, and are overwritten. On a CPU, this uses max-pooling over windows as long as
    the axis. It processes a register of columns at once, while ``min`` processes one number, and takes a sixth of the
    time for forty lists of 60. On other devices, pooling does not support integers.
    """
    if keys.device.type != "cpu" or keys.numel() <= FEW:
        return keys.min(-3)
    *_, m, p, n = keys.shape
    # The largest complement is the complement of the smallest key.
    windows = keys.bitwise_not_().view(-1, m, 1, p * n).permute(0, 3, 1, 2)
    largest, index = max_pool2d_with_indices(windows, (m, 1))
    shape = keys.shape[:-3] + keys.shape[-2:]
    return largest.view(shape).bitwise_not_(), index.view(shape)
