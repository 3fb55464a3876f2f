"""Pointwise ranking losses: the score of each item against its relevance."""

from torch import Tensor

from skmetric.losses._items import items_of
from skmetric.losses._kept import keep_values
from skmetric.losses._precision import in_float32
from skmetric.losses.numerics import weighted_mean

__all__ = ["pointwise_squared_loss"]


@in_float32
def pointwise_squared_loss(
    scores: Tensor, relevance: Tensor, *, mask: Tensor | None = None, weights: Tensor | None = None
) -> Tensor:
    r"""Weighted mean of the squared errors :math:`(s_i - r_i)^2` of a list.

    Parameters
    ----------
    scores : Tensor of shape (..., n)
        One score per item, in units of the relevance.
    relevance : Tensor of shape (..., n)
        Any real numbers.
    mask : Tensor of bool, shape (..., n), optional
        True for real items. Items that are not real do not affect the value or the gradient.
    weights : Tensor of shape (..., n), optional
        Weight of each item, not negative. A weight of 2 has the same effect as the item given twice.

    Returns
    -------
    Tensor of shape (...)
        One value per list, 0 if no item is real.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import pointwise_squared_loss
    >>> pointwise_squared_loss(torch.tensor([0.0, 1.0]), torch.tensor([1, 3]))
    tensor(2.5000)
    """
    items = items_of(scores, relevance, mask, weights, keep_values)
    return weighted_mean((items.scores - items.relevance).square(), items.weights)
