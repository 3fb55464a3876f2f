"""Pointwise ranking losses: each score against its own item's relevance."""

from torch import Tensor

from skmetric.losses._items import items_of
from skmetric.losses.numerics import weighted_mean

__all__ = ["pointwise_squared_loss"]


def pointwise_squared_loss(
    scores: Tensor, relevance: Tensor, *, mask: Tensor | None = None, weights: Tensor | None = None
) -> Tensor:
    r"""Weighted mean of :math:`(s_i - r_i)^2` over a list.

    Parameters
    ----------
    scores : Tensor of shape (..., n)
        One score an item, in units of the relevance.
    relevance : Tensor of shape (..., n)
        Any real numbers.
    mask : Tensor of bool, shape (..., n), optional
        True for a real item. An item that is not real has no influence on value or gradient.
    weights : Tensor of shape (..., n), optional
        Not negative. A weight of 2 counts as the same item twice.

    Returns
    -------
    Tensor of shape (...)
        One value a list, 0 where no item is real.

    Raises
    ------
    ValueError
        For shapes that do not fit.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import pointwise_squared_loss
    >>> pointwise_squared_loss(torch.tensor([0.0, 1.0]), torch.tensor([1, 3]))
    tensor(2.5000)
    """
    items = items_of(scores, relevance, mask, weights)
    return weighted_mean((items.scores - items.relevance).square(), items.weights)
