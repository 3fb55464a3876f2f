"""The one place where losses are averaged."""

from torch import Tensor

__all__ = ["masked_mean", "sum_last"]


def sum_last(terms: Tensor, n_axes: int) -> Tensor:
    """Sum over the last axes, one at a time.

    One axis at a time, because a full reduction of one model alone adds up in another order than the same model inside
    a stack: a fit on its own and inside a search would then differ in their last bit.
    """
    for _ in range(n_axes):
        terms = terms.sum(-1)
    return terms


def masked_mean(terms: Tensor, mask: Tensor, *, n_axes: int = 1) -> Tensor:
    """Mean of the masked-in terms over the last axes; exactly 0 where there is none.

    Parameters
    ----------
    terms : Tensor of shape (..., *axes)
        Finite or not: what is masked out counts nothing, a NaN that is masked in comes out.
    mask : Tensor of bool, broadcastable to ``terms``
        True for a term that counts.
    n_axes : int, default=1
        How many axes at the end are averaged over.

    Returns
    -------
    Tensor of shape (...)

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses.reduction import masked_mean
    >>> masked_mean(torch.tensor([1.0, 3.0, 100.0]), torch.tensor([True, True, False]))
    tensor(2.)
    """
    total = sum_last(terms.where(mask, terms.new_zeros(())), n_axes)
    count = sum_last(mask.expand(terms.shape), n_axes)
    return total / count.clamp_min(1)
