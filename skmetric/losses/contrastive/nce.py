"""Noise-contrastive estimation and sampled softmax: learning a distribution from samples of another."""

import torch
from torch import Tensor

from skmetric.losses._arguments import PerList, nan_of, per_item, per_list, positive
from skmetric.losses.contrastive import forms
from skmetric.losses.contrastive.forms import contrast, contrast_of_labels
from skmetric.losses.numerics import softplus, sum_last
from skmetric.losses.pairs import Pairs

__all__ = ["batch_nce_loss", "nce_loss", "sampled_softmax_loss"]


def nce_loss(
    real_logits: Tensor,
    noise_logits: Tensor,
    *,
    log_noise_ratio: PerList,
    real_mask: Tensor | None = None,
    noise_mask: Tensor | None = None,
) -> Tensor:
    r"""Noise-contrastive estimation: a logistic regression of real samples against noise.

    .. math::
        -\frac{1}{T} \Bigl(\sum_x \ln h(x) + \sum_y \ln(1 - h(y))\Bigr), \qquad
        h(u) = \frac{1}{1 + e^{-(G(u) - \ln \nu)}}, \quad G(u) = \ln p_m(u) - \ln p_n(u),

    over T real samples x and the noise y, of which there is :math:`\nu` times as much. At its minimum the model is the
    density of the real samples, normalized without ever having been.

    Parameters
    ----------
    real_logits : Tensor of shape (..., n)
        G at the real samples: log density under the model minus that under the noise.
    noise_logits : Tensor of shape (..., m)
        G at the noise samples.
    log_noise_ratio : float or Tensor of shape (...)
        :math:`\ln \nu`, the log of the number of noise samples a real one.
    real_mask, noise_mask : Tensor of bool, shapes (..., n) and (..., m), optional
        True for a real item of either.

    Returns
    -------
    Tensor of shape (...)
        One value a list; exactly 0, with a zero gradient, where there is no real sample. NaN where a logit is NaN.

    Raises
    ------
    ValueError
        For masks or a ratio that do not fit.

    References
    ----------
    Gutmann, Hyvarinen (2012). Noise-Contrastive Estimation of Unnormalized Statistical Models, with Applications to
    Natural Image Statistics. JMLR.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import nce_loss
    >>> nce_loss(torch.tensor([2.0]), torch.tensor([0.0, -1.0]), log_noise_ratio=0.0)
    tensor(1.1333)
    """
    real, is_real = _masked("real_mask", real_logits, real_mask)
    noise, is_noise = _masked("noise_mask", noise_logits, noise_mask)
    n_real = sum_last(is_real, 1)
    terms = [
        sum_last(
            softplus(sign * (logits - per_list("log_noise_ratio", log_noise_ratio, logits, 1))).where(counts, 0.0), 1
        )
        for logits, counts, sign in ((real, is_real, -1.0), (noise, is_noise & (n_real > 0).unsqueeze(-1), 1.0))
    ]
    return (terms[0] + terms[1]) / n_real.clamp_min(1) + nan_of(real) + nan_of(noise)


def batch_nce_loss(
    embeddings: Tensor,
    labels: Tensor,
    *,
    margin: PerList,
    temperature: PerList,
    distance: str = "euclidean",
    mask: Tensor | None = None,
) -> Tensor:
    r"""Noise-contrastive estimation over a batch: pairs of one class are real, pairs of two classes noise.

    The log of the density ratio of a pair is :math:`G = (m - d) / t`; the loss is :func:`nce_loss`, with
    :math:`\nu` the batch's number of pairs of two classes over that of pairs of one. At distance m, a pair is as likely
    to come from the one as from the other.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        One row an item.
    labels : Tensor of int, shape (..., n)
        The classes.
    margin : float or Tensor of shape (...)
        m, in units of distance.
    temperature : float or Tensor of shape (...)
        t, in units of distance, positive.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        See :func:`pairwise_distance`.
    mask : Tensor of bool, shape (..., n), optional
        True for a real item. An item that is not real has no influence on value or gradient.

    Returns
    -------
    Tensor of shape (...)
        One value a list; exactly 0, with a zero gradient, where there are not pairs of both kinds. A NaN among the
        embeddings of real items comes out as NaN.

    Raises
    ------
    ValueError
        For an unknown distance, a temperature that is not positive, labels or mask that do not fit.

    References
    ----------
    Gutmann, Hyvarinen (2012). Noise-Contrastive Estimation of Unnormalized Statistical Models, with Applications to
    Natural Image Statistics. JMLR.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import batch_nce_loss
    >>> x = torch.tensor([[0.0], [1.0], [1.5], [4.0]])
    >>> y = torch.tensor([0, 0, 1, 1])
    >>> batch_nce_loss(x, y, margin=1.5, temperature=1.0)
    tensor(2.0331)
    """
    numbers = {"margin": margin, "temperature": positive("temperature", temperature)}
    return contrast_of_labels(forms.nce, embeddings, labels, distance, mask, **numbers)


def sampled_softmax_loss(
    true_logits: Tensor,
    sampled_logits: Tensor,
    *,
    log_true_rate: Tensor,
    log_sampled_rate: Tensor,
    is_hit: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""Softmax cross-entropy over very many classes, of which only some are sampled.

    .. math:: -\log \frac{e^{z}}{e^{z} + \sum_k e^{z_k}}, \qquad z = s - \log q,

    with each score s corrected for how often its class is sampled: where all classes are, and equally often, this is
    the softmax itself. Mean over the items.

    Parameters
    ----------
    true_logits : Tensor of shape (..., n)
        The score of each item's own class.
    sampled_logits : Tensor, broadcastable to (..., n, k)
        The scores of the sampled classes: the same for all items, or each item's own.
    log_true_rate : Tensor, broadcastable to (..., n)
        :math:`\log q` of the items' own classes: the log of the expected number of times that they are sampled.
    log_sampled_rate : Tensor, broadcastable to (..., n, k)
        The same of the sampled classes.
    is_hit : Tensor of bool, broadcastable to (..., n, k), optional
        True where a sampled class is the item's own: such a sample is left out.
    mask : Tensor of bool, shape (..., n), optional
        True for a real item.

    Returns
    -------
    Tensor of shape (...)
        One value a list; exactly 0, with a zero gradient, where no item is real. NaN where a real item's logit is NaN.

    Raises
    ------
    ValueError
        For a mask that does not fit.

    References
    ----------
    Bengio, Senecal (2008). Adaptive Importance Sampling to Accelerate Training of a Neural Probabilistic Language
    Model. IEEE Transactions on Neural Networks.

    Jean, Cho, Memisevic, Bengio (2015). On Using Very Large Target Vocabulary for Neural Machine Translation. ACL.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import sampled_softmax_loss
    >>> rate = torch.tensor(0.5).log()
    >>> sampled_softmax_loss(
    ...     torch.tensor([2.0]), torch.tensor([[0.0, 1.0]]), log_true_rate=rate, log_sampled_rate=rate
    ... )
    tensor(0.4076)
    """
    is_real = torch.ones_like(true_logits, dtype=torch.bool)
    if mask is not None:
        is_real = per_item("mask", mask, true_logits.shape)
    own = (true_logits - log_true_rate).unsqueeze(-1)
    sampled = (sampled_logits - log_sampled_rate).expand(*own.shape[:-1], -1)
    is_sample = is_real.unsqueeze(-1).expand(sampled.shape)
    if is_hit is not None:
        is_sample = is_sample & ~is_hit
    # Scores are similarities: as distances, each item is an anchor with one positive and its samples for negatives.
    counts = torch.cat([is_real.unsqueeze(-1), is_sample], -1)
    d = torch.cat([own, sampled], -1).neg().where(counts, 0.0)
    is_own = torch.arange(d.shape[-1], device=d.device) == 0
    return contrast(forms.info_nce, d, Pairs(counts & is_own, counts & ~is_own), temperature=1.0)


def _masked(name: str, logits: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    if mask is None:
        return logits, torch.ones_like(logits, dtype=torch.bool)
    mask = per_item(name, mask, logits.shape)
    return logits.where(mask, 0.0), mask
