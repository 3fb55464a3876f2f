"""Contrastive losses: alike pairs together, others apart by a margin."""

from torch import Tensor

from skmetric.losses._arguments import PerList
from skmetric.losses.contrastive import forms
from skmetric.losses.contrastive.forms import contrast_of_labels

__all__ = ["batch_contrastive_loss", "contrastive_loss"]


def contrastive_loss(d: Tensor, similar: Tensor, *, margin: PerList, squared: bool = False) -> Tensor:
    r"""Contrastive loss of a pair: :math:`y d + (1 - y) \max(0, m - d)`.

    Parameters
    ----------
    d : Tensor
        Distances of pairs.
    similar : Tensor of bool
        The y above: whether a pair is alike. Broadcast to the distances.
    margin : float or Tensor
        How far apart pairs that are not alike should be, in units of distance.
    squared : bool, default=False
        :math:`y d^2 + (1 - y) \max(0, m - d)^2`, as in the paper (but for its factor 1/2).

    Returns
    -------
    Tensor
        One value a pair.

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
    excess = d.where(similar.bool(), (margin - d).relu())
    return excess.square() if squared else excess


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
    Each mean is over the pairs whose term is above zero: as more and more negatives are far enough apart, those that
    are not still count.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        One row an item.
    labels : Tensor of int, shape (..., n)
        The classes.
    margin : float or Tensor of shape (...)
        In units of distance; a tensor holds one margin a list.
    squared : bool, default=False
        Square each term.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        See :func:`pairwise_distance`.
    mask : Tensor of bool, shape (..., n), optional
        True for a real item. An item that is not real has no influence on value or gradient.

    Returns
    -------
    Tensor of shape (...)
        One value a list; exactly 0, with a zero gradient, where no pair is valid. A NaN among the embeddings of real
        items comes out as NaN.

    Raises
    ------
    ValueError
        For an unknown distance, labels or mask that do not fit.

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
