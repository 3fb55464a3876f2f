"""Contrastive losses: positive pairs close together, negative pairs apart by a margin."""

from torch import Tensor

from skmetric.losses._arguments import PerList
from skmetric.losses._precision import in_float32
from skmetric.losses.contrastive import forms
from skmetric.losses.contrastive.forms import contrast_of_labels

__all__ = ["batch_contrastive_loss", "contrastive_loss"]


@in_float32
def contrastive_loss(d: Tensor, similar: Tensor, *, margin: PerList, squared: bool = False) -> Tensor:
    r"""Contrastive loss of a pair: :math:`y d + (1 - y) \max(0, m - d)`.

    Parameters
    ----------
    d : Tensor
        Distance of each pair.
    similar : Tensor of bool or numbers
        True, or a number above 0, for positive pairs, the :math:`y` of the formula: 0 and -1 are both negative pairs.
        Broadcast to the distances.
    margin : float or Tensor
        Distance at which the loss of a negative pair becomes 0.
    squared : bool, default=False
        If True, use :math:`y d^2 + (1 - y) \max(0, m - d)^2`, as in the paper (without its factor 1/2).

    Returns
    -------
    Tensor
        One value per pair.

    References
    ----------
    Hadsell, Chopra, LeCun (2006). Dimensionality Reduction by Learning an Invariant Mapping. CVPR.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import contrastive_loss
    >>> contrastive_loss(torch.tensor([0.5, 0.25, 2.0]), torch.tensor([True, False, False]), margin=1.0)
    tensor([0.5000, 0.7500, 0.0000])
    """
    excess = d.where(similar > 0, (margin - d).relu())
    return excess.square() if squared else excess


@in_float32
def batch_contrastive_loss(
    embeddings: Tensor,
    labels: Tensor,
    *,
    margin: PerList,
    squared: bool = False,
    distance: str = "euclidean",
    mask: Tensor | None = None,
) -> Tensor:
    r"""Contrastive loss over the pairs of a batch.

    The mean of :math:`d` over pairs of one class, plus the mean of :math:`\max(0, m - d)` over pairs of two classes.
    Each mean is over the pairs with a term above zero. Close negatives keep their weight when most negatives are
    already far enough apart.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        Embeddings, one row per item.
    labels : Tensor of int, shape (..., n)
        Class of each item.
    margin : float or Tensor of shape (...)
        Margin in units of distance; a tensor holds one value per list.
    squared : bool, default=False
        If True, square each term.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        Distance between embeddings, see :func:`pairwise_distance`.
    mask : Tensor of bool, shape (..., n), optional
        True for real items. Items that are not real do not affect the value or the gradient.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if no pair is valid; NaN if an embedding of a real item
        is NaN.

    Raises
    ------
    ValueError
        If ``distance`` is unknown, or ``labels`` or ``mask`` has a wrong shape.

    References
    ----------
    Hadsell, Chopra, LeCun (2006). Dimensionality Reduction by Learning an Invariant Mapping. CVPR.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import batch_contrastive_loss
    >>> x = torch.tensor([[0.0], [1.0], [1.5], [4.0]])
    >>> y = torch.tensor([0, 0, 1, 1])
    >>> batch_contrastive_loss(x, y, margin=1.0)
    tensor(2.2500)
    """
    form = forms.squared_contrastive if squared else forms.contrastive
    return contrast_of_labels(form, embeddings, labels, distance, mask, margin=margin)
