"""The one place where losses are averaged."""

from torch import Tensor

__all__ = ["sum_last", "weighted_mean"]


def sum_last(terms: Tensor, n_axes: int) -> Tensor:
    """Sum over the last axes, one at a time.

    One axis at a time, because a full reduction of one model alone adds up in another order than the same model inside
    a stack: a fit on its own and inside a search would then differ in their last bit.
    """
    for _ in range(n_axes):
        terms = terms.sum(-1)
    return terms


def weighted_mean(terms: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean over the last axis; exactly 0 where nothing has a weight.

    Parameters
    ----------
    terms, weights : Tensor of shape (..., n)
        Finite or not; the weights are not negative.

    Returns
    -------
    Tensor of shape (...)

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses.reduction import weighted_mean
    >>> weighted_mean(torch.tensor([1.0, 3.0, 100.0]), torch.tensor([1.0, 1.0, 0.0]))
    tensor(2.)
    """
    total = sum_last(weights, 1)
    return sum_last(weights * terms, 1) / total.where(total > 0, 1.0)
