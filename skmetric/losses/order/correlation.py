"""Losses that are low if scores correlate with targets, regardless of shift and scale."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from skmetric.losses._arguments import PerList, differ, nan_of, per_item, per_list, positive
from skmetric.losses._exact_ranks import ranks_of
from skmetric.losses._items import items_of
from skmetric.losses._kept import keep_differences, keep_order
from skmetric.losses._precision import in_float32
from skmetric.losses.numerics import sigmoid, sum_last, weighted_mean, with_slopes

__all__ = ["pearson_loss", "spearman_loss"]

METHODS = ("sigmoid", "blackbox")


@in_float32
def pearson_loss(
    scores: Tensor, targets: Tensor, *, mask: Tensor | None = None, weights: Tensor | None = None
) -> Tensor:
    r"""One minus Pearson's correlation of scores and targets.

    .. math:: 1 - \frac{\sum_i w_i (s_i - \bar s)(t_i - \bar t)}
        {\sqrt{\sum_i w_i (s_i - \bar s)^2} \sqrt{\sum_i w_i (t_i - \bar t)^2}}

    with weighted means :math:`\bar s` and :math:`\bar t`.

    Parameters
    ----------
    scores : Tensor of shape (..., n)
        One score per item. A shift or a positive scale of all scores does not change the loss.
    targets : Tensor of shape (..., n)
        Targets that the scores should correlate with.
    mask : Tensor of bool, shape (..., n), optional
        True for real items.
    weights : Tensor of shape (..., n), optional
        Weight of each item, not negative. A weight of 2 has the same effect as the item given twice.

    Returns
    -------
    Tensor of shape (...)
        One value per list, from 0 to 2. It is 1 if the scores are constant, and exactly 0, with a zero gradient, if the
        targets are constant.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import pearson_loss
    >>> pearson_loss(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 0.0, 1.0]))
    tensor(0.1340)
    """
    per_item("targets", targets, scores.shape)
    items = items_of(scores, targets, mask, weights, keep_differences)
    return _one_minus_correlation(items.scores, items.relevance, items.weights)


@in_float32
def spearman_loss(
    scores: Tensor,
    targets: Tensor,
    *,
    method: str = "sigmoid",
    temperature: PerList = 0.1,
    interpolation_strength: PerList = 1.0,
    mask: Tensor | None = None,
) -> Tensor:
    r"""One minus Spearman's correlation: Pearson's of the ranks, made differentiable in the scores.

    First, scores are standardized within each list to :math:`z`, with mean 0 and standard deviation 1. Then "sigmoid"
    computes soft ranks,

    .. math:: R_i = 1 + \sum_{j \ne i} \sigma((z_j - z_i) / T),

    in O(n²) memory. "blackbox" computes exact ranks, and a gradient by interpolation as in :func:`ranksim_loss`: with
    :math:`u` the difference of the ranks divided by n, it ranks again at :math:`z + \lambda u`, in O(n log n) time.

    Parameters
    ----------
    scores : Tensor of shape (..., n)
        One score per item. A shift or a positive scale of all scores does not change the loss.
    targets : Tensor of shape (..., n)
        Any real numbers; only their order matters. Tied targets share their mean rank.
    method : {"sigmoid", "blackbox"}, default="sigmoid"
        How the ranks of the scores get a gradient.
    temperature : float or Tensor of shape (...), default=0.1
        Temperature of the soft ranks of "sigmoid", in standard deviations of the scores. With a lower temperature, soft
        ranks are closer to exact ranks.
    interpolation_strength : float or Tensor of shape (...), default=1.0
        How far "blackbox" moves a score whose rank is wrong by n, in standard deviations of the scores.
    mask : Tensor of bool, shape (..., n), optional
        True for real items.

    Returns
    -------
    Tensor of shape (...)
        One value per list, from 0 to 2. It is 1 if the scores are constant, and exactly 0, with a zero gradient, if the
        targets are constant.

    Raises
    ------
    ValueError
        If the shapes do not fit, ``method`` is unknown, or ``temperature`` or ``interpolation_strength`` is not
        positive.

    References
    ----------
    Qin, Liu, Li (2010). A General Approximation Framework for Direct Optimization of Information Retrieval Measures
    (the soft ranks).

    Rolínek, Musil, Paulus, Vlastelica, Michaelis, Martius (2020). Optimizing Rank-Based Metrics with Blackbox
    Differentiation. CVPR.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import spearman_loss
    >>> scores, targets = torch.tensor([0.1, 0.9, 0.5, 0.7]), torch.tensor([1, 2, 3, 4])
    >>> spearman_loss(scores, targets)
    tensor(0.5996)
    >>> spearman_loss(scores, targets, method="blackbox")
    tensor(0.6000)
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(map(repr, METHODS))}, got {method!r}.")
    temperature = per_list("temperature", positive("temperature", temperature), scores, 1)
    strength = per_list("interpolation_strength", positive("interpolation_strength", interpolation_strength), scores, 1)
    per_item("targets", targets, scores.shape)
    items = items_of(scores, targets, mask, None, keep_order)
    is_real = items.is_real
    weights = is_real.to(scores.dtype)
    z = _standardized(items.scores, weights)
    target_ranks = ranks_of(items.relevance, is_real)
    if method == "sigmoid":
        ranks: Tensor = _SoftRanks.apply(z, temperature, is_real)
        loss = _one_minus_correlation(ranks, target_ranks, weights)
    else:
        loss = _blackbox(z, target_ranks, is_real, weights, strength)
    return loss + nan_of(items.scores) + nan_of(items.relevance)


def _blackbox(z: Tensor, target_ranks: Tensor, is_real: Tensor, weights: Tensor, strength: Tensor) -> Tensor:
    ranks = ranks_of(z, is_real)
    n_real = sum_last(weights, 1).clamp_min(1).unsqueeze(-1)
    moved = ranks_of(z.detach() + strength * (ranks - target_ranks) / n_real, is_real)
    squares = [sum_last(_centered(values, weights).square() * weights, 1) for values in (ranks, target_ranks)]
    scale = (squares[0] * squares[1]).sqrt().unsqueeze(-1)
    slopes = (moved - ranks) * n_real / (scale.where(scale > 0, 1.0) * strength) * (scale > 0)
    return with_slopes(z, _one_minus_correlation(ranks, target_ranks, weights), slopes)


def _one_minus_correlation(scores: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    correlation = weighted_mean(_standardized(scores, weights) * _standardized(targets, weights), weights)
    return (1 - correlation).where(differ(targets, weights > 0), 0.0) + nan_of(scores) + nan_of(targets)


def _standardized(values: Tensor, weights: Tensor) -> Tensor:
    """Scale and shift values to mean 0 and standard deviation 1; all 0 if they are equal."""
    centered = _centered(values, weights)
    variance = weighted_mean(centered.square(), weights).unsqueeze(-1)
    is_spread = differ(values, weights > 0).unsqueeze(-1) & (variance.detach() > 0)
    return centered * variance.where(is_spread, 1.0).rsqrt() * is_spread


def _centered(values: Tensor, weights: Tensor) -> Tensor:
    return values - weighted_mean(values, weights).unsqueeze(-1)


class _SoftRanks(torch.autograd.Function):
    """Soft ranks from 1: one plus a smooth count of the real values above."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, temperature: Tensor, is_real: Tensor) -> Tensor:
        scale = temperature.unsqueeze(-1)
        above = sigmoid((z.unsqueeze(-2) - z.unsqueeze(-1)) / scale) * is_real.unsqueeze(-2)
        ctx.save_for_backward(above, scale)
        return (above.sum(-1) + 0.5).masked_fill(~is_real, 0.0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        above, scale = ctx.saved_tensors
        by_gap = gradient.unsqueeze(-1) * above * (1 - above) / scale
        return by_gap.sum(-2) - by_gap.sum(-1), None, None
