"""Losses over anchors and columns, with positive and negative pairs between them.

Each form takes the distances (..., n, c) from n anchors to c columns. It returns the means that add up to the loss,
with their slopes by the distances. The slopes are written by hand: this takes half the operations of automatic
differentiation. Anchors and columns may be the items of one batch, a batch and a memory of earlier batches, the two
sides of given pairs, or proxies and items.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from skmetric.losses._arguments import PerList, labeled_items, nan_of, per_list
from skmetric.losses.distance import pairwise_distance
from skmetric.losses.numerics import sigmoid, softplus, sum_last, with_slopes
from skmetric.losses.pairs import Pairs, pairs_of_labels

__all__ = [
    "DENSE_PAIRS",
    "Contrast",
    "Mean",
    "contrast",
    "contrast_in_turns",
    "contrast_of_labels",
    "contrastive",
    "info_nce",
    "multi_similarity",
    "nca",
    "nce",
    "proxy_anchor",
    "squared_contrastive",
    "sup_con",
]

Numbers = Mapping[str, Tensor]

# Above this many pairs per list, anchors are processed in parts of at most this many pairs: 4 MB per matrix.
DENSE_PAIRS = 1 << 20


class Mean(NamedTuple):
    """One of the means that add up to a loss."""

    total: Tensor  # (...)
    n_terms: Tensor  # (...)
    slopes: Tensor  # derivatives of the total by the distances, (..., n, c)


Contrast = Callable[[Tensor, Pairs, Numbers], Sequence[Mean]]


def contrast(contrast_of: Contrast, d: Tensor, pairs: Pairs, **numbers: PerList) -> Tensor:
    """Compute the loss of each list (...) from its distances (..., n, c)."""
    if d.shape[-1] == 0 or d.shape[-2] == 0:
        return sum_last(d, 2)
    given = {name: per_list(name, value, d, 2) for name, value in numbers.items()}
    means = contrast_of(d.detach(), pairs, given | _ratio(contrast_of, [(d, pairs)], d.dtype))
    return _sum_of_means(d, means)


def contrast_in_turns(
    contrast_of: Contrast,
    points: Tensor,
    seen_by: Callable[[Tensor, slice], tuple[Tensor, Pairs]],
    turns: Sequence[slice],
    **numbers: PerList,
) -> Tensor:
    """Compute the loss of each list (...) of points (..., n, d), some anchors at a time: no tensor has size n^2.

    ``seen_by(points, anchors)`` returns the distances from some anchors to all columns, and which pairs are positive
    and negative. If a loss depends on the numbers of positive and negative pairs, it is called twice for each anchor.
    """
    leaf = points.detach().requires_grad_()
    given = {name: per_list(name, value, points, 2) for name, value in numbers.items()}
    totals: list[Mean] = []
    with torch.enable_grad():
        given |= _ratio(contrast_of, (seen_by(leaf, turn) for turn in turns), points.dtype)
        for turn in turns:
            d, pairs = seen_by(leaf, turn)
            means = contrast_of(d.detach(), pairs, given)
            pulls = [torch.autograd.grad(d, leaf, mean.slopes, retain_graph=True)[0] for mean in means]
            now = [Mean(mean.total, mean.n_terms, pull) for mean, pull in zip(means, pulls, strict=True)]
            totals = [_sum(*pair) for pair in zip(totals, now, strict=True)] if totals else now
    return _sum_of_means(points, totals)


def _sum_of_means(argument: Tensor, means: Sequence[Mean]) -> Tensor:
    """Add up the means of a loss (...), whose slopes are derivatives by the argument (..., n, m)."""
    value, slopes = nan_of(argument, 2), torch.zeros((), dtype=argument.dtype, device=argument.device)
    for mean in means:
        n_terms = mean.n_terms.to(argument.dtype).clamp_min(1)
        value = value + mean.total / n_terms
        slopes = slopes + mean.slopes / n_terms[..., None, None]
    return with_slopes(argument, value, slopes)


def _sum(a: Mean, b: Mean) -> Mean:
    return Mean(a.total + b.total, a.n_terms + b.n_terms, a.slopes + b.slopes)


def _ratio(contrast_of: Contrast, seen: Iterable[tuple[Tensor, Pairs]], dtype: torch.dtype) -> dict[str, Tensor]:
    """Log of the number of noise pairs per real pair, for ``nce`` only; not finite if one of the kinds is missing."""
    if contrast_of is not nce:
        return {}
    n_real, n_noise = (
        sum(counts)
        for counts in zip(*([sum_last(each.expand(d.shape), 2) for each in pairs] for d, pairs in seen), strict=True)
    )
    return {"log_noise_ratio": (n_noise.to(dtype) / n_real.to(dtype)).log()[..., None, None]}


def contrastive(d: Tensor, pairs: Pairs, numbers: Numbers) -> Sequence[Mean]:
    """Mean distance of positives plus mean hinge of negatives; terms at zero are not counted."""
    return _active(d, 1.0, pairs.is_positive), _active(numbers["margin"] - d, -1.0, pairs.is_negative)


def squared_contrastive(d: Tensor, pairs: Pairs, numbers: Numbers) -> Sequence[Mean]:
    """Return the same means as ``contrastive``, of squared terms."""
    means = []
    for excess, sign, is_counted in ((d, 2.0, pairs.is_positive), (numbers["margin"] - d, -2.0, pairs.is_negative)):
        size = _or_zero(excess.relu(), is_counted)
        means.append(Mean(sum_last(size.square(), 2), sum_last(size > 0, 2), sign * size))
    return means


def info_nce(d: Tensor, pairs: Pairs, numbers: Numbers) -> Sequence[Mean]:
    """Softmax loss of each positive against the negatives of its anchor; mean over positive pairs."""
    temperature = numbers["temperature"]
    z = d / temperature
    log_negatives, shares = _log_sum(-z, pairs.is_negative)
    gap = _or_minus_infinity(z + log_negatives, pairs.is_positive)
    pull = sigmoid(gap)
    slopes = (pull - pull.sum(-1, keepdim=True) * shares) / temperature
    return [Mean(sum_last(softplus(gap), 2), sum_last(pairs.is_positive.expand(d.shape), 2), slopes)]


def sup_con(d: Tensor, pairs: Pairs, numbers: Numbers) -> Sequence[Mean]:
    """Minus the mean log share of the positives among all other items; mean over anchors that have a positive."""
    z = d / numbers["temperature"]
    log_all, shares = _log_sum(-z, pairs.is_positive | pairs.is_negative)
    n_positives = pairs.is_positive.expand(d.shape).sum(-1, keepdim=True)
    has_positive = n_positives > 0
    weights = pairs.is_positive.to(d.dtype) / n_positives.clamp_min(1)
    terms = _or_zero(log_all, has_positive)[..., 0] + _or_zero(weights * z, pairs.is_positive).sum(-1)
    slopes = (weights - shares * has_positive) / numbers["temperature"]
    return [Mean(terms.sum(-1), sum_last(has_positive, 2), slopes)]


def nca(d: Tensor, pairs: Pairs, numbers: Numbers) -> Sequence[Mean]:
    """Minus the log share of all positives together among all other items; mean over anchors that have a positive."""
    z = d / numbers["temperature"]
    log_all, of_all = _log_sum(-z, pairs.is_positive | pairs.is_negative)
    log_positives, of_positives = _log_sum(-z, pairs.is_positive)
    has_positive = pairs.is_positive.expand(d.shape).any(-1, keepdim=True)
    terms = _or_zero(log_all - log_positives, has_positive)
    slopes = (of_positives - of_all * has_positive) / numbers["temperature"]
    return [Mean(sum_last(terms, 2), sum_last(has_positive, 2), slopes)]


def nce(d: Tensor, pairs: Pairs, numbers: Numbers) -> Sequence[Mean]:
    """Logistic regression that separates real pairs from noise pairs by their distance."""
    ratio = numbers["log_noise_ratio"]
    has_both = ratio.isfinite()
    is_real, is_noise = (each & has_both for each in pairs)
    logit = (numbers["margin"] - d) / numbers["temperature"] - _or_zero(ratio, has_both)
    against = _or_minus_infinity(-logit, is_real), _or_minus_infinity(logit, is_noise)
    slopes = (sigmoid(against[0]) - sigmoid(against[1])) / numbers["temperature"]
    n_real = sum_last(is_real.expand(d.shape), 2)
    return [Mean(sum_last(softplus(against[0]) + softplus(against[1]), 2), n_real, slopes)]


def multi_similarity(d: Tensor, pairs: Pairs, numbers: Numbers) -> Sequence[Mean]:
    """Soft hinges over the hard positives and the hard negatives; mean over anchors that have both kinds of pairs."""
    similarity, margin = 1 - d, numbers["margin"]
    nearest = _or_minus_infinity(similarity, pairs.is_negative).amax(-1, keepdim=True)
    farthest = -_or_minus_infinity(-similarity, pairs.is_positive).amax(-1, keepdim=True)
    has_both = nearest.isfinite() & farthest.isfinite()
    is_far = pairs.is_positive & has_both & (similarity < nearest + margin)
    is_near = pairs.is_negative & has_both & (similarity > farthest - margin)
    offset = similarity - numbers["base"]
    pulls, pulled = _soft_hinge(-numbers["alpha"] * offset, is_far)
    pushes, pushed = _soft_hinge(numbers["beta"] * offset, is_near)
    terms = pulls / numbers["alpha"] + pushes / numbers["beta"]
    return [Mean(sum_last(terms, 2), sum_last(has_both, 2), pulled - pushed)]


def proxy_anchor(d: Tensor, pairs: Pairs, numbers: Numbers) -> Sequence[Mean]:
    """Soft hinges with proxies as anchors: items of their class are positives, all others negatives."""
    similarity, margin, temperature = 1 - d, numbers["margin"], numbers["temperature"]
    pulls, pulled = _soft_hinge((margin - similarity) / temperature, pairs.is_positive)
    pushes, pushed = _soft_hinge((margin + similarity) / temperature, pairs.is_negative)
    has_positive = pairs.is_positive.expand(d.shape).any(-1)
    n_proxies = torch.full_like(has_positive[..., 0], d.shape[-2], dtype=torch.int64)
    return [
        Mean(sum_last(pulls, 2), has_positive.sum(-1), pulled / temperature),
        Mean(sum_last(pushes, 2), n_proxies, -pushed / temperature),
    ]


def _active(excess: Tensor, sign: float, is_counted: Tensor) -> Mean:
    is_active = is_counted & (excess > 0)
    terms = excess.relu()
    return Mean(sum_last(_or_zero(terms, is_active), 2), sum_last(is_active, 2), is_active * sign)


def _soft_hinge(logits: Tensor, is_counted: Tensor) -> tuple[Tensor, Tensor]:
    """log(1 + sum exp) over the counted columns (..., n, 1), and its derivatives (..., n, c)."""
    log_sum, shares = _log_sum(logits, is_counted)
    return softplus(log_sum), sigmoid(log_sum) * shares


def _log_sum(logits: Tensor, is_counted: Tensor) -> tuple[Tensor, Tensor]:
    """Log of the sum of exp over the counted columns (..., n, 1), and the share of each column in it (..., n, c).

    If no column counts, these are minus infinity and 0.
    """
    logits = _or_minus_infinity(logits, is_counted)
    top = logits.amax(-1, keepdim=True)
    top = top.masked_fill(top.isneginf(), 0.0)
    parts = (logits - top).exp_()
    total = parts.sum(-1, keepdim=True)
    # The largest part is 1: a total below that means that no column counts.
    return total.log() + top, parts / total.clamp_min(0.5)


def _or_zero(values: Tensor, is_counted: Tensor) -> Tensor:
    return values.where(is_counted, 0.0)


def _or_minus_infinity(logits: Tensor, is_counted: Tensor) -> Tensor:
    return logits.where(is_counted, -torch.inf)


def contrast_of_labels(
    form: Contrast, embeddings: Tensor, labels: Tensor, distance: str, mask: Tensor | None, **numbers: PerList
) -> Tensor:
    """Compute the loss of each list (...) over all pairs of its real items."""
    embeddings, labels, mask = labeled_items(embeddings, labels, mask)
    if embeddings.shape[-2] == 0:
        return sum_last(embeddings, 2)
    d = pairwise_distance(embeddings, distance=distance)
    return contrast(form, d, pairs_of_labels(labels, mask), **numbers)
