"""Losses that weigh an anchor's pairs by how far off they are: multi-similarity and proxy-anchor."""

import torch
from torch import Tensor

from skmetric.losses._arguments import PerList, labeled_items, positive
from skmetric.losses.contrastive import forms
from skmetric.losses.contrastive.forms import contrast, contrast_of_labels
from skmetric.losses.distance import cross_distance
from skmetric.losses.pairs import Pairs

__all__ = ["multi_similarity_loss", "proxy_anchor_loss"]


def multi_similarity_loss(
    embeddings: Tensor,
    labels: Tensor,
    *,
    alpha: PerList = 2.0,
    beta: PerList = 50.0,
    base: PerList = 0.5,
    margin: PerList = 0.1,
    distance: str = "cosine",
    mask: Tensor | None = None,
) -> Tensor:
    r"""Multi-similarity loss over a batch.

    .. math::
        \frac{1}{\alpha} \log \Bigl(1 + \sum_p e^{-\alpha (S_{ap} - \lambda)}\Bigr)
        + \frac{1}{\beta} \log \Bigl(1 + \sum_n e^{\beta (S_{an} - \lambda)}\Bigr), \qquad S = 1 - d,

    over the positives less similar than the most similar negative plus a margin, and the negatives more similar than
    the least similar positive minus it; averaged over the anchors that have a positive and a negative.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        One row an item.
    labels : Tensor of int, shape (..., n)
        The classes.
    alpha, beta : float or Tensor of shape (...)
        How sharply positives and negatives are weighted, positive.
    base : float or Tensor of shape (...)
        The similarity :math:`\lambda` at which a pair counts half.
    margin : float or Tensor of shape (...)
        The margin of the choice of pairs, in units of similarity.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="cosine"
        See :func:`pairwise_distance`.
    mask : Tensor of bool, shape (..., n), optional
        True for a real item. An item that is not real has no influence on value or gradient.

    Returns
    -------
    Tensor of shape (...)
        One value a list; exactly 0, with a zero gradient, where no anchor has a positive and a negative. A NaN among
        the embeddings of real items comes out as NaN.

    Raises
    ------
    ValueError
        For an unknown distance, an alpha or beta that is not positive, labels or mask that do not fit.

    References
    ----------
    Wang et al. (2019). Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning. CVPR.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import multi_similarity_loss
    >>> x = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]])
    >>> multi_similarity_loss(x, torch.tensor([0, 0, 1, 1]))
    tensor(0.3394)
    """
    numbers = {"alpha": positive("alpha", alpha), "beta": positive("beta", beta), "base": base, "margin": margin}
    return contrast_of_labels(forms.multi_similarity, embeddings, labels, distance, mask, **numbers)


def proxy_anchor_loss(
    embeddings: Tensor,
    labels: Tensor,
    proxies: Tensor,
    *,
    margin: PerList = 0.1,
    temperature: PerList = 1 / 32,
    distance: str = "cosine",
    mask: Tensor | None = None,
) -> Tensor:
    r"""Proxy-anchor loss: one learned point a class, to which the items of a batch are pulled or from which pushed.

    .. math::
        \frac{1}{|C^+|} \sum_{c \in C^+} \log \Bigl(1 + \sum_{y_i = c} e^{-(S_{ic} - m) / t}\Bigr)
        + \frac{1}{|C|} \sum_{c \in C} \log \Bigl(1 + \sum_{y_i \ne c} e^{(S_{ic} + m) / t}\Bigr), \qquad S = 1 - d,

    with the classes C and those of them, C+, that the batch holds.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        One row an item.
    labels : Tensor of int, shape (..., n)
        The classes, places in ``proxies``.
    proxies : Tensor of shape (..., n_classes, d)
        One point a class, to be learned along with the embedding.
    margin : float or Tensor of shape (...)
        In units of similarity.
    temperature : float or Tensor of shape (...)
        One over the paper's scale, positive.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="cosine"
        See :func:`pairwise_distance`.
    mask : Tensor of bool, shape (..., n), optional
        True for a real item. An item that is not real has no influence on value or gradient.

    Returns
    -------
    Tensor of shape (...)
        One value a list; exactly 0, with a zero gradient, where no item is real. A NaN among the embeddings of real
        items comes out as NaN.

    Raises
    ------
    ValueError
        For an unknown distance, a temperature that is not positive, labels or mask that do not fit.

    References
    ----------
    Kim, Kim, Cho, Kwak (2020). Proxy Anchor Loss for Deep Metric Learning. CVPR.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import proxy_anchor_loss
    >>> x = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]])
    >>> proxy_anchor_loss(x, torch.tensor([0, 0, 1, 1]), torch.eye(2), temperature=1.0)
    tensor(2.0591)
    """
    positive("temperature", temperature)
    embeddings, labels, mask = labeled_items(embeddings, labels, mask)
    is_real = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
    d = cross_distance(proxies, embeddings, distance=distance)
    is_own = labels.unsqueeze(-2) == torch.arange(proxies.shape[-2], device=labels.device).unsqueeze(-1)
    pairs = Pairs(is_own & is_real.unsqueeze(-2), ~is_own & is_real.unsqueeze(-2))
    return contrast(forms.proxy_anchor, d, pairs, margin=margin, temperature=temperature)
