"""Which triplets of a batch count: one function a mining strategy.

The strategies that choose look at distances without a gradient and return columns; the distances at these columns then
enter the loss. "all" counts instead of choosing: its loss is linear in the distances once it is known how many
triplets each of them violates, so no triplet is ever held in memory.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from skmetric.losses._candidates import Candidates
from skmetric.losses.reduction import sum_last

# Up to this many positives an anchor, comparing each with all negatives is faster than sorting the negatives; up to so
# many comparisons a list, it also is no burden on memory.
DENSE_POSITIVES = 32
DENSE_COMPARISONS = 1 << 24
# How many (anchor, positive, negative) terms the soft batch-all loss, which cannot be counted, evaluates at a time.
SOFT_CHUNK = 1 << 22

# Integers as wide as a float.
BITS = {torch.float64: torch.int64, torch.float32: torch.int32, torch.float16: torch.int16, torch.bfloat16: torch.int16}

Generators = torch.Generator | Sequence[torch.Generator] | None
Picks = tuple[Tensor, Tensor, Tensor]


def softplus(gap: Tensor) -> Tensor:
    """log(1 + exp(gap)), exact also beyond 20, where torch's default turns linear."""
    return torch.nn.functional.softplus(gap, threshold=80)


def is_dense(positives: Tensor, negatives: Tensor) -> bool:
    """Whether to compare every positive (..., n, p) with every negative (..., n, m), or to sort.

    Decided by the shape of one list, so that a list takes the same route alone and in a stack.
    """
    (n, p), m = positives.shape[-2:], negatives.shape[-1]
    return p <= DENSE_POSITIVES and n * p * m <= DENSE_COMPARISONS


def _pick_one_each(c: Candidates, positive: Tensor) -> Picks:
    """One triplet an anchor: the given positive and the nearest negative."""
    nearest = c.d_an_or_inf.argmin(-1, keepdim=True)
    valid = c.is_pair.any(-1, keepdim=True).expand(nearest.shape)
    return c.d_ap.gather(-1, positive), c.d_an.gather(-1, nearest), valid


def pick_hard(c: Candidates, generator: Generators) -> Picks:
    """Farthest positive, nearest negative."""
    del generator
    return _pick_one_each(c, c.d_ap.detach().masked_fill(~c.is_positive, -torch.inf).argmax(-1, keepdim=True))


def pick_easy(c: Candidates, generator: Generators) -> Picks:
    """Nearest positive, nearest negative."""
    del generator
    return _pick_one_each(c, c.d_ap.detach().masked_fill(~c.is_positive, torch.inf).argmin(-1, keepdim=True))


def pick_semihard(c: Candidates, generator: Generators) -> Picks:
    """For each positive the nearest negative that is strictly farther, else the farthest negative."""
    del generator
    d_ap = c.d_ap.detach()
    column = _semihard_by_comparing(c, d_ap) if is_dense(d_ap, c.d_an) else _semihard_by_sorting(c, d_ap)
    return c.d_ap, c.d_an.gather(-1, column), c.is_pair.expand(c.d_ap.shape)


def _semihard_by_comparing(c: Candidates, d_ap: Tensor) -> Tensor:
    """Find both choices by one minimum, over the bits of ``d_ap - d_an`` read as signed integers.

    Where the negative is farther, the difference is below zero: its bits make a negative integer, the smaller the
    closer to zero the difference is. Elsewhere they make a positive one, smallest for the farthest negative. So the
    minimum is the nearest farther negative if there is one, else the farthest: a third of the time of comparing,
    masking and taking two minima. Negatives closer to each other than the difference's rounding count as one.
    """
    d_an = c.d_an.detach().masked_fill(~c.is_negative, -torch.inf)
    difference = d_ap.unsqueeze(-1) - d_an.unsqueeze(-2)
    return difference.view(BITS[difference.dtype]).min(-1).indices


def _semihard_by_sorting(c: Candidates, d_ap: Tensor) -> Tensor:
    ordered, order = c.d_an_or_inf.sort(-1)
    last = c.is_negative.sum(-1, keepdim=True) - 1
    place = torch.searchsorted(ordered, d_ap.contiguous(), right=True).minimum(last).clamp_min(0)
    return order.gather(-1, place)


def pick_random(c: Candidates, generator: Generators) -> Picks:
    """For each positive one negative, drawn uniformly."""
    n_negatives = c.is_negative.sum(-1, keepdim=True)
    rank = (_uniform(c.d_ap, generator) * n_negatives).long().minimum(n_negatives - 1).clamp_min(0)
    # A stable sort that puts the negatives first turns "the rank-th negative" into a column.
    order = (~c.is_negative).byte().argsort(stable=True, dim=-1)
    column = order.expand(c.d_an.shape).gather(-1, rank)
    return c.d_ap, c.d_an.gather(-1, column), c.is_pair.expand(c.d_ap.shape)


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
        low, bound = values.unsqueeze(-2), thresholds.unsqueeze(-1)
        return (low <= bound if inclusive else low < bound).sum(-1)
    return torch.searchsorted(values.sort(-1).values, thresholds.contiguous(), right=inclusive)


def _violations(c: Candidates, bound: Tensor) -> tuple[Tensor, Tensor]:
    """Count the triplets with ``bound > d_an``: for each (anchor, positive), and for each (anchor, negative)."""
    nearer, bound = c.d_an_or_inf, bound.masked_fill(~c.is_positive, -torch.inf)
    if is_dense(bound, nearer):
        violates = bound.unsqueeze(-1) > nearer.unsqueeze(-2)
        return violates.sum(-1), violates.sum(-2)
    below = count_below(bound, nearer, inclusive=True)
    return count_below(nearer, bound, inclusive=False), bound.shape[-1] - below


def mean_all_hinge(c: Candidates, margin: Tensor) -> Tensor:
    """Mean hinge over the triplets that violate the margin."""
    per_positive, per_negative = _violations(c, c.d_ap.detach() + margin)
    pulled = (per_positive * (c.d_ap + margin)).where(per_positive > 0, 0.0)
    pushed = (per_negative * c.d_an).where(per_negative > 0, 0.0)
    return (sum_last(pulled, 2) - sum_last(pushed, 2)) / sum_last(per_positive, 2).clamp_min(1)


def mean_all_softplus(c: Candidates, margin: Tensor) -> Tensor:
    """Mean softplus over all triplets, a few positives at a time.

    The slopes are gathered beside the value; the value then carries them as its first-order expansion, whose distance
    terms are zero. Time is O(n p m), memory O(n (p + m)).
    """
    d_ap, d_an = c.d_ap.detach() + margin, c.d_an.detach()
    slope_an, slopes_ap, value = torch.zeros_like(d_an), [], d_an.new_zeros(d_an.shape[:-2])
    step = max(1, SOFT_CHUNK // max(1, d_an.numel()))
    for at, counts in zip(d_ap.split(step, -1), c.is_positive.expand(d_ap.shape).split(step, -1), strict=True):
        gap = at.unsqueeze(-1) - d_an.unsqueeze(-2)
        valid = counts.unsqueeze(-1) & c.is_negative.unsqueeze(-2)
        value = value + sum_last(softplus(gap).where(valid, 0.0), 3)
        slope = gap.sigmoid().where(valid, 0.0)
        slopes_ap.append(slope.sum(-1))
        slope_an = slope_an + slope.sum(-2)
    slope_ap = torch.cat(slopes_ap, -1) if slopes_ap else d_ap
    expansion = sum_last(slope_ap * (c.d_ap - c.d_ap.detach()), 2) - sum_last(slope_an * (c.d_an - d_an), 2)
    n_triplets = sum_last(c.is_positive.expand(d_ap.shape) * c.is_negative.sum(-1, keepdim=True), 2)
    return (value + expansion) / n_triplets.clamp_min(1)
