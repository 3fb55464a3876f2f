"""Noise-contrastive estimation and sampled softmax: learn a distribution from samples of another distribution."""

import torch
from torch import Tensor

from skmetric.losses._arguments import PerList, nan_of, per_item, per_list, positive
from skmetric.losses._precision import in_float32
from skmetric.losses.contrastive import forms
from skmetric.losses.contrastive.forms import contrast, contrast_of_labels
from skmetric.losses.numerics import softplus, sum_last
from skmetric.losses.pairs import Pairs

__all__ = ["batch_nce_loss", "nce_loss", "sampled_softmax_loss"]


@in_float32
def nce_loss(
    real_logits: Tensor,
    noise_logits: Tensor,
    *,
    log_noise_ratio: PerList,
    real_mask: Tensor | None = None,
    noise_mask: Tensor | None = None,
) -> Tensor:
    r"""Noise-contrastive estimation: a logistic regression that separates real samples from noise.

    .. math::
        -\frac{1}{T} \Bigl(\sum_x \ln h(x) + \sum_y \ln(1 - h(y))\Bigr), \qquad
        h(u) = \frac{1}{1 + e^{-(G(u) - \ln \nu)}}, \quad G(u) = \ln p_m(u) - \ln p_n(u),

    over T real samples x and :math:`\nu T` noise samples y. At the minimum the model equals the density of the real
    samples: it is normalized, although the loss contains no normalization.

    Parameters
    ----------
    real_logits : Tensor of shape (..., n)
        :math:`G` at the real samples: log density under the model minus log density under the noise.
    noise_logits : Tensor of shape (..., m)
        :math:`G` at the noise samples.
    log_noise_ratio : float or Tensor of shape (...)
        :math:`\ln \nu`, the log of the number of noise samples per real sample.
    real_mask, noise_mask : Tensor of bool, shapes (..., n) and (..., m), optional
        True for the samples that count; False for padding.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if there is no real sample; NaN if a logit is NaN.

    Raises
    ------
    ValueError
        If a mask or ``log_noise_ratio`` has a wrong shape.

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
            softplus(sign * (logits - per_list("log_noise_ratio", log_noise_ratio, logits, 1))).where(is_counted, 0.0),
            1,
        )
        for logits, is_counted, sign in ((real, is_real, -1.0), (noise, is_noise & (n_real > 0).unsqueeze(-1), 1.0))
    ]
    return (terms[0] + terms[1]) / n_real.clamp_min(1) + nan_of(real) + nan_of(noise)


@in_float32
def batch_nce_loss(
    embeddings: Tensor,
    labels: Tensor,
    *,
    margin: PerList,
    temperature: PerList,
    distance: str = "euclidean",
    mask: Tensor | None = None,
) -> Tensor:
    r"""Noise-contrastive estimation over a batch: pairs of one class are real, pairs of two classes are noise.

    The log density ratio of a pair is :math:`G = (m - d) / t`. The loss is :func:`nce_loss` with :math:`\nu` equal to
    the number of noise pairs of the batch divided by the number of real pairs. At distance m, a pair is equally likely
    under the densities of real pairs and of noise pairs.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        Embeddings, one row per item.
    labels : Tensor of int, shape (..., n)
        Class of each item.
    margin : float or Tensor of shape (...)
        :math:`m`, the distance at which the density ratio of a pair is 1.
    temperature : float or Tensor of shape (...)
        :math:`t`, in units of distance. Must be positive. With a lower temperature, the ratio changes faster around m.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        Distance between embeddings, see :func:`pairwise_distance`.
    mask : Tensor of bool, shape (..., n), optional
        True for real items. Items that are not real do not affect the value or the gradient.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if real pairs or noise pairs are missing; NaN if an
        embedding of a real item is NaN.

    Raises
    ------
    ValueError
        If ``distance`` is unknown, ``temperature`` is not positive, or ``labels`` or ``mask`` has a wrong shape.

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


@in_float32
def sampled_softmax_loss(
    true_logits: Tensor,
    sampled_logits: Tensor,
    *,
    log_true_rate: Tensor,
    log_sampled_rate: Tensor,
    is_hit: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""Softmax cross-entropy over very many classes, estimated from a sample of them.

    .. math:: -\log \frac{e^{z}}{e^{z} + \sum_k e^{z_k}}, \qquad z = s - \log q,

    averaged over the items. Each score s is corrected for how often its class is sampled. If all classes are sampled
    equally often, and all are in the sample, this is the full softmax.

    Parameters
    ----------
    true_logits : Tensor of shape (..., n)
        Score of the true class of each item.
    sampled_logits : Tensor, broadcastable to (..., n, k)
        Scores of the sampled classes. The sample may be shared by all items or drawn for each item.
    log_true_rate : Tensor, broadcastable to (..., n)
        :math:`\log q` of the true classes: the log of the expected number of times that they are sampled.
    log_sampled_rate : Tensor, broadcastable to (..., n, k)
        :math:`\log q` of the sampled classes.
    is_hit : Tensor of bool, broadcastable to (..., n, k), optional
        True if a sampled class is the true class of the item. Such samples are left out.
    mask : Tensor of bool, shape (..., n), optional
        True for real items.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if no item is real; NaN if a logit of a real item is NaN.

    Raises
    ------
    ValueError
        If ``mask`` has a wrong shape.

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
    # With minus the scores as distances, each item is an anchor with one positive, and its samples are the negatives.
    is_counted = torch.cat([is_real.unsqueeze(-1), is_sample], -1)
    d = torch.cat([own, sampled], -1).neg().where(is_counted, 0.0)
    is_own = torch.arange(d.shape[-1], device=d.device) == 0
    return contrast(forms.info_nce, d, Pairs(is_counted & is_own, is_counted & ~is_own), temperature=1.0)


def _masked(name: str, logits: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    if mask is None:
        return logits, torch.ones_like(logits, dtype=torch.bool)
    mask = per_item(name, mask, logits.shape)
    return logits.where(mask, 0.0), mask
