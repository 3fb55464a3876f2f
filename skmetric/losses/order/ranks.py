"""Ranks with a gradient."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from skmetric.losses._arguments import PerList, per_item, per_list, positive
from skmetric.losses._exact_ranks import check_ties, ranks_of
from skmetric.losses._precision import in_float32

__all__ = ["blackbox_ranks"]


@in_float32
def blackbox_ranks(
    values: Tensor, *, interpolation_strength: PerList, ties: str = "average", mask: Tensor | None = None
) -> Tensor:
    r"""Rank the values of a list, the largest first, with an informative gradient.

    .. math:: \mathrm{rk}(a)_i = 1 + \#\{j : a_j > a_i\}

    Ranks are piecewise constant: their derivative is 0 almost everywhere. This function returns the gradient of a
    piecewise linear interpolation instead. With the incoming gradient :math:`g` and the strength :math:`\lambda`, it is

    .. math:: -\frac{\mathrm{rk}(a) - \mathrm{rk}(a + \lambda g)}{\lambda}.

    Parameters
    ----------
    values : Tensor of shape (..., n)
        Values to rank.
    interpolation_strength : float or Tensor of shape (...)
        How far the values are moved along the incoming gradient to compare ranks, in units of value over gradient.
        Must be positive; a tensor holds one value per list. With a larger strength, more ranks contribute to the
        gradient, but it is a coarser approximation.
    ties : {"average", "ordinal"}, default="average"
        If "average", tied values share the mean of their ranks. If "ordinal", they are ranked by position.
    mask : Tensor of bool, shape (..., n), optional
        True for real items. Items that are not real have rank 0 and no gradient, and do not change other ranks.

    Returns
    -------
    Tensor of shape (..., n)
        Ranks from 1. The rank of a NaN is NaN.

    Raises
    ------
    ValueError
        If the shapes do not fit, ``ties`` is unknown, or ``interpolation_strength`` is not positive.

    Notes
    -----
    Time is O(n log n). The interpolation depends on the size of the incoming gradient: a factor of the loss multiplies
    the strength too.

    References
    ----------
    Vlastelica, Paulus, Musil, Martius, Rolínek (2020). Differentiation of Blackbox Combinatorial Solvers. ICLR.

    Rolínek, Musil, Paulus, Vlastelica, Michaelis, Martius (2020). Optimizing Rank-Based Metrics with Blackbox
    Differentiation. CVPR.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import blackbox_ranks
    >>> blackbox_ranks(torch.tensor([0.2, 0.9, 0.2, 0.5]), interpolation_strength=1.0)
    tensor([3.5000, 1.0000, 3.5000, 2.0000])
    """
    check_ties(ties)
    strength = per_list("interpolation_strength", positive("interpolation_strength", interpolation_strength), values, 1)
    if mask is not None:
        mask = per_item("mask", mask, values.shape)
    ranks: Tensor = _BlackboxRanks.apply(values, strength, mask, ties)
    return ranks


class _BlackboxRanks(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, strength: Tensor, mask: Tensor | None, ties: str) -> Tensor:
        ranks = ranks_of(values, mask, ties=ties)
        ctx.save_for_backward(values, ranks, strength, mask)
        ctx.ties = ties
        is_nan = values.isnan() if mask is None else values.isnan() & mask
        return ranks.masked_fill(is_nan, torch.nan)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        values, ranks, strength, mask = ctx.saved_tensors
        moved = ranks_of(values + strength * gradient, mask, ties=ctx.ties)
        return (moved - ranks) / strength, None, None, None
