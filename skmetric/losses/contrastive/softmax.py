"""Softmax losses: the positives of an anchor against the rest of the batch."""

import torch
from torch import Tensor

from skmetric.losses._arguments import PerList, per_item, per_list, positive
from skmetric.losses._precision import in_float32
from skmetric.losses.contrastive import forms
from skmetric.losses.contrastive.forms import contrast, contrast_of_labels
from skmetric.losses.distance import cross_distance
from skmetric.losses.numerics import sum_last
from skmetric.losses.pairs import pairs_of_sides

__all__ = ["info_nce_loss", "nca_loss", "paired_info_nce_loss", "sup_con_loss"]


@in_float32
def info_nce_loss(
    embeddings: Tensor,
    labels: Tensor,
    *,
    temperature: PerList,
    distance: str = "cosine",
    mask: Tensor | None = None,
) -> Tensor:
    r"""InfoNCE (NT-Xent) over the positive pairs of a batch.

    .. math::
        -\log \frac{e^{-d_{ap} / t}}{e^{-d_{ap} / t} + \sum_n e^{-d_{an} / t}}
        = \log(1 + e^{d_{ap} / t + \log \sum_n e^{-d_{an} / t}})

    averaged over all ordered pairs (a, p) of two items of one class. The negatives n of anchor a are the items of other
    classes. Other positives of a are not in the denominator.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        Embeddings, one row per item.
    labels : Tensor of int, shape (..., n)
        Class of each item.
    temperature : float or Tensor of shape (...)
        Softmax temperature: distances are divided by it. Must be positive; a tensor holds one value per list. A lower
        temperature puts more weight on the nearest negatives.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="cosine"
        Distance between embeddings, see :func:`pairwise_distance`.
    mask : Tensor of bool, shape (..., n), optional
        True for real items. Items that are not real do not affect the value or the gradient.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if no class has two items or there is only one class; NaN
        if an embedding of a real item is NaN.

    Raises
    ------
    ValueError
        If ``distance`` is unknown, ``temperature`` is not positive, or ``labels`` or ``mask`` has a wrong shape.

    Notes
    -----
    Memory is O(n^2) for any number of positives: the negatives of each anchor are added up once.

    References
    ----------
    van den Oord, Li, Vinyals (2018). Representation Learning with Contrastive Predictive Coding.

    Chen, Kornblith, Norouzi, Hinton (2020). A Simple Framework for Contrastive Learning of Visual Representations.
    ICML.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import info_nce_loss
    >>> x = torch.tensor([[0.0], [1.0], [1.5], [4.0]])
    >>> y = torch.tensor([0, 0, 1, 1])
    >>> info_nce_loss(x, y, temperature=1.0, distance="euclidean")
    tensor(1.1351)
    """
    return contrast_of_labels(
        forms.info_nce, embeddings, labels, distance, mask, temperature=positive("temperature", temperature)
    )


@in_float32
def sup_con_loss(
    embeddings: Tensor,
    labels: Tensor,
    *,
    temperature: PerList,
    distance: str = "cosine",
    mask: Tensor | None = None,
) -> Tensor:
    r"""Supervised contrastive loss over a batch.

    .. math:: -\frac{1}{|P(a)|} \sum_{p \in P(a)} \log \frac{e^{-d_{ap} / t}}{\sum_{j \ne a} e^{-d_{aj} / t}}

    averaged over the anchors a that have a positive. The positives P(a) are the other items of the class of a. Unlike
    in :func:`info_nce_loss`, they are in the denominator too, so positives compete with each other.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        Embeddings, one row per item.
    labels : Tensor of int, shape (..., n)
        Class of each item.
    temperature : float or Tensor of shape (...)
        Softmax temperature: distances are divided by it. Must be positive; a tensor holds one value per list. A lower
        temperature puts more weight on the nearest negatives.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="cosine"
        Distance between embeddings, see :func:`pairwise_distance`.
    mask : Tensor of bool, shape (..., n), optional
        True for real items. Items that are not real do not affect the value or the gradient.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if no class has two items; NaN if an embedding of a real
        item is NaN.

    Raises
    ------
    ValueError
        If ``distance`` is unknown, ``temperature`` is not positive, or ``labels`` or ``mask`` has a wrong shape.

    References
    ----------
    Khosla et al. (2020). Supervised Contrastive Learning. NeurIPS. This is the form with the sum outside the logarithm.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import sup_con_loss
    >>> x = torch.tensor([[0.0], [1.0], [1.5], [4.0]])
    >>> y = torch.tensor([0, 0, 1, 1])
    >>> sup_con_loss(x, y, temperature=1.0, distance="euclidean")
    tensor(1.1351)
    """
    return contrast_of_labels(
        forms.sup_con, embeddings, labels, distance, mask, temperature=positive("temperature", temperature)
    )


@in_float32
def nca_loss(
    embeddings: Tensor,
    labels: Tensor,
    *,
    temperature: PerList = 1.0,
    distance: str = "sqeuclidean",
    mask: Tensor | None = None,
) -> Tensor:
    r"""Neighborhood components analysis over a batch.

    .. math:: -\log \frac{\sum_{p \in P(a)} e^{-d_{ap} / t}}{\sum_{j \ne a} e^{-d_{aj} / t}}

    averaged over the anchors a that have a positive. Anchor a picks a neighbor j by a softmax over distances; the loss
    is minus the log of the probability that this neighbor is of the class of a.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        Embeddings, one row per item.
    labels : Tensor of int, shape (..., n)
        Class of each item.
    temperature : float or Tensor of shape (...), default=1.0
        Softmax temperature: distances are divided by it. Must be positive; a tensor holds one value per list. A lower
        temperature puts more weight on the nearest negatives.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="sqeuclidean"
        Distance between embeddings, see :func:`pairwise_distance`.
    mask : Tensor of bool, shape (..., n), optional
        True for real items. Items that are not real do not affect the value or the gradient.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if no class has two items; NaN if an embedding of a real
        item is NaN.

    Raises
    ------
    ValueError
        If ``distance`` is unknown, ``temperature`` is not positive, or ``labels`` or ``mask`` has a wrong shape.

    References
    ----------
    Goldberger, Roweis, Hinton, Salakhutdinov (2004). Neighborhood Components Analysis. NeurIPS. This is the form that
    the paper derives from a KL divergence: it adds up the logarithms of the probabilities, not the probabilities.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import nca_loss
    >>> x = torch.tensor([[0.0], [1.0], [1.5], [4.0]])
    >>> y = torch.tensor([0, 0, 1, 1])
    >>> nca_loss(x, y)
    tensor(1.8950)
    """
    return contrast_of_labels(
        forms.nca, embeddings, labels, distance, mask, temperature=positive("temperature", temperature)
    )


@in_float32
def paired_info_nce_loss(
    anchors: Tensor,
    positives: Tensor,
    *,
    temperature: PerList,
    distance: str = "cosine",
    anchor_ids: Tensor | None = None,
    positive_ids: Tensor | None = None,
    log_rate: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""InfoNCE of given pairs, with the positives of the other pairs as negatives.

    .. math:: -\log \frac{e^{z_{ii}}}{\sum_j e^{z_{ij}}}, \qquad z_{ij} = -d(a_i, p_j) / t - \log q_j,

    averaged over the pairs i. The positive of another pair is not used as a negative if it is the same item as the
    positive of this pair, belongs to the same anchor, or is the anchor itself. The ids decide this; a check whose ids
    are missing is left out.

    Parameters
    ----------
    anchors, positives : Tensor of shape (..., n, d)
        Embeddings of the two sides: row i of ``positives`` is the positive of row i of ``anchors``.
    temperature : float or Tensor of shape (...)
        Softmax temperature: distances are divided by it. Must be positive; a tensor holds one value per list. A lower
        temperature puts more weight on the nearest negatives.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="cosine"
        Distance between embeddings, see :func:`pairwise_distance`.
    anchor_ids, positive_ids : Tensor of int, shape (..., n), optional
        Id of the item in each row.
    log_rate : Tensor of shape (..., n), optional
        :math:`\log q_j`, the log of how often an item is in a batch as a positive. Frequent items are frequent
        negatives. This correction makes the scores those of a softmax over all items.
    mask : Tensor of bool, shape (..., n), optional
        True for real pairs. Pairs that are not real do not affect the value or the gradient.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if there is no real pair or only one; NaN if an embedding
        of a real pair is NaN.

    Raises
    ------
    ValueError
        If ``distance`` is unknown, ``temperature`` is not positive, or the shapes do not fit.

    References
    ----------
    van den Oord, Li, Vinyals (2018). Representation Learning with Contrastive Predictive Coding.

    Yi et al. (2019). Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations. RecSys.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import paired_info_nce_loss
    >>> a, p = torch.tensor([[0.0], [4.0]]), torch.tensor([[1.0], [3.0]])
    >>> paired_info_nce_loss(a, p, temperature=1.0, distance="euclidean")
    tensor(0.1269)
    """
    shape = anchors.shape[:-1]
    positive("temperature", temperature)
    if positives.shape != anchors.shape:
        raise ValueError(
            f"positives must have the shape of anchors, {tuple(anchors.shape)}, got {tuple(positives.shape)}."
        )
    is_real = torch.ones(shape, dtype=torch.bool, device=anchors.device)
    if mask is not None:
        is_real = per_item("mask", mask, shape)
        anchors, positives = (side.masked_fill(~is_real.unsqueeze(-1), 0.0) for side in (anchors, positives))
    if shape[-1] == 0:
        return sum_last(anchors + positives, 2)
    anchor_ids, positive_ids = (
        None if given is None else per_item(name, given, shape)
        for name, given in (("anchor_ids", anchor_ids), ("positive_ids", positive_ids))
    )
    d = cross_distance(anchors, positives, distance=distance)
    if log_rate is not None:
        rates = per_item("log_rate", log_rate, shape).masked_fill(~is_real, 0.0).unsqueeze(-2)
        d = d + per_list("temperature", temperature, d, 2) * rates.to(d.dtype)
    return contrast(forms.info_nce, d, pairs_of_sides(is_real, anchor_ids, positive_ids), temperature=temperature)
