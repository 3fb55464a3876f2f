"""Losses that give harder pairs of an anchor a larger weight: multi-similarity and proxy-anchor."""

import torch
from torch import Tensor

from skmetric.losses._arguments import PerList, labeled_items, positive
from skmetric.losses._precision import in_float32
from skmetric.losses.contrastive import forms
from skmetric.losses.contrastive.forms import contrast, contrast_of_labels
from skmetric.losses.distance import cross_distance
from skmetric.losses.pairs import Pairs

__all__ = ["multi_similarity_loss", "proxy_anchor_loss"]


@in_float32
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

    averaged over the anchors that have a positive and a negative. The sums are over hard pairs only: positives less
    similar than the most similar negative plus a margin, and negatives more similar than the least similar positive
    minus the margin.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        Embeddings, one row per item.
    labels : Tensor of int, shape (..., n)
        Class of each item.
    alpha, beta : float or Tensor of shape (...)
        Scales of the positives and of the negatives. Must be positive. With a larger scale, the hardest pairs get more
        of the weight.
    base : float or Tensor of shape (...)
        The similarity :math:`\lambda` at which a single pair has half of its largest weight.
    margin : float or Tensor of shape (...)
        Margin of the selection of hard pairs, in units of similarity.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="cosine"
        Distance between embeddings, see :func:`pairwise_distance`.
    mask : Tensor of bool, shape (..., n), optional
        True for real items. Items that are not real do not affect the value or the gradient.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if no anchor has a positive and a negative; NaN if an
        embedding of a real item is NaN.

    Raises
    ------
    ValueError
        If ``distance`` is unknown, ``alpha`` or ``beta`` is not positive, or ``labels`` or ``mask`` has a wrong shape.

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


@in_float32
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
    r"""Proxy-anchor loss: one learned point per class attracts the items of its class and repels all others.

    .. math::
        \frac{1}{|C^+|} \sum_{c \in C^+} \log \Bigl(1 + \sum_{y_i = c} e^{-(S_{ic} - m) / t}\Bigr)
        + \frac{1}{|C|} \sum_{c \in C} \log \Bigl(1 + \sum_{y_i \ne c} e^{(S_{ic} + m) / t}\Bigr), \qquad S = 1 - d,

    with the set C of all classes and the set :math:`C^+` of the classes in the batch.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        Embeddings, one row per item.
    labels : Tensor of int, shape (..., n)
        Class of each item, as an index into ``proxies``.
    proxies : Tensor of shape (..., n_classes, d)
        One point per class, learned together with the embedding.
    margin : float or Tensor of shape (...)
        Margin in units of similarity.
    temperature : float or Tensor of shape (...)
        Similarities are divided by it; 1 / ``temperature`` is the scale of the paper. Must be positive.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="cosine"
        Distance between embeddings, see :func:`pairwise_distance`.
    mask : Tensor of bool, shape (..., n), optional
        True for real items. Items that are not real do not affect the value or the gradient.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if no item is real; NaN if an embedding of a real item is
        NaN.

    Raises
    ------
    ValueError
        If ``distance`` is unknown, ``temperature`` is not positive, or ``labels`` or ``mask`` has a wrong shape.

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
