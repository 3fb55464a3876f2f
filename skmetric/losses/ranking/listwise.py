"""Listwise ranking losses: the scores of a list against the order of all its items."""

import math

import torch
from torch import Tensor

from skmetric.losses._arguments import PerList, differ, nan_of, per_list
from skmetric.losses._items import Items, items_of
from skmetric.losses._kept import keep_differences, keep_order, keep_values
from skmetric.losses._precision import in_float32
from skmetric.losses.numerics import sigmoid, softplus, sum_last, weighted_mean, with_slopes
from skmetric.losses.ranking._gains import discounts, gains, ideal_dcg

__all__ = ["approx_ndcg_loss", "list_mle_loss", "softmax_loss"]

# Used as the logarithm of 0: the same as minus infinity in a sum of exponentials, but it never leads to NaN.
LOG_ZERO = -1e30


@in_float32
def softmax_loss(
    scores: Tensor,
    relevance: Tensor,
    *,
    temperature: PerList = 1.0,
    mask: Tensor | None = None,
    weights: Tensor | None = None,
) -> Tensor:
    r"""Cross entropy between two distributions of the first item of a list: by relevance and by score (ListNet).

    .. math::
        -\sum_i P_i \log \frac{e^{s_i / T}}{\sum_j w_j e^{s_j / T}}, \qquad
        P_i = \frac{w_i e^{r_i}}{\sum_j w_j e^{r_j}}

    This is the top-one loss of ListNet.

    Parameters
    ----------
    scores : Tensor of shape (..., n)
        One score per item.
    relevance : Tensor of shape (..., n)
        Any real numbers. An item with a relevance larger by 1 is e times as likely to come first.
    temperature : float or Tensor of shape (...), default=1.0
        Softmax temperature: scores are divided by it. A tensor holds one value per list.
    mask : Tensor of bool, shape (..., n), optional
        True for real items. Items that are not real do not affect the value or the gradient.
    weights : Tensor of shape (..., n), optional
        Weight of each item, not negative. A weight of 2 has the same effect as the item given twice.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if all items are equally relevant; NaN if the score of a
        real item is NaN.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    References
    ----------
    Cao, Qin, Liu, Tsai, Li (2007). Learning to Rank: From Pairwise Approach to Listwise Approach. ICML.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import softmax_loss
    >>> softmax_loss(torch.tensor([0.0, 1.0]), torch.tensor([1, 0]))
    tensor(1.0443)
    """
    items = items_of(scores, relevance, mask, weights, keep_differences)
    is_ordered = differ(items.relevance, items.weights > 0)
    # A list without an order may have only weights of 0. Set them to 1 to avoid NaN; the list is multiplied by 0 below.
    log_weights = _log(items.weights).where(is_ordered.unsqueeze(-1), 0.0)
    target = (items.relevance + log_weights).softmax(-1)
    scaled = items.scores / per_list("temperature", temperature, scores, 1)
    log_share = scaled - (scaled + log_weights).logsumexp(-1, keepdim=True)
    return -sum_last(target * log_share, 1) * is_ordered


@in_float32
def list_mle_loss(
    scores: Tensor,
    relevance: Tensor,
    *,
    temperature: PerList = 1.0,
    mask: Tensor | None = None,
    weights: Tensor | None = None,
) -> Tensor:
    r"""Negative log-likelihood that each item comes before all less relevant items (ListMLE).

    .. math::
        \frac{1}{\sum_i w_i} \sum_i w_i
        \log \frac{e^{s_i / T} + \sum_{r_j < r_i} w_j e^{s_j / T}}{e^{s_i / T}}

    over the items i that have a less relevant item. Without ties and weights, this is 1 / (n - 1) times the negative
    log-likelihood of the order by relevance in the Plackett-Luce model. The paper breaks ties at random. Here, items of
    equal relevance do not compete, so that the result does not depend on the order of the items.

    Parameters
    ----------
    scores : Tensor of shape (..., n)
        One score per item.
    relevance : Tensor of shape (..., n)
        Any numbers; only their order matters.
    temperature : float or Tensor of shape (...), default=1.0
        Softmax temperature: scores are divided by it. A tensor holds one value per list.
    mask : Tensor of bool, shape (..., n), optional
        True for real items.
    weights : Tensor of shape (..., n), optional
        Weight of each item, not negative. A weight of 2 has the same effect as the item given twice.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if all items are equally relevant; NaN if the score of a
        real item is NaN.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Notes
    -----
    Computed by one sort and one running sum, in O(n log n) time.

    References
    ----------
    Xia, Liu, Wang, Zhang, Li (2008). Listwise Approach to Learning to Rank: Theory and Algorithm. ICML.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import list_mle_loss
    >>> list_mle_loss(torch.tensor([0.0, 1.0]), torch.tensor([1, 0]))
    tensor(1.3133)
    """
    items = items_of(scores, relevance, mask, weights, keep_order)
    scaled = items.scores / per_list("temperature", temperature, scores, 1)
    # Items of weight 0 are sorted to the front: they are below all other items and add nothing.
    level = items.relevance.masked_fill(items.weights == 0, -torch.inf)
    ordered, order = level.sort(-1)
    running = (scaled + _log(items.weights)).gather(-1, order).logcumsumexp(-1)
    n_below = torch.searchsorted(ordered, level.contiguous())
    below = running.gather(-1, (n_below - 1).clamp_min(0))
    term_weights = items.weights * ((n_below > (items.weights == 0).sum(-1, keepdim=True)) & (items.weights > 0))
    terms = softplus(below - scaled).where(term_weights > 0, 0.0)
    return weighted_mean(terms, term_weights) + nan_of(items.scores)


@in_float32
def approx_ndcg_loss(
    scores: Tensor,
    relevance: Tensor,
    *,
    temperature: PerList = 1.0,
    gain: str = "exponential",
    mask: Tensor | None = None,
    weights: Tensor | None = None,
) -> Tensor:
    r"""One minus NDCG, with each rank replaced by a smooth count of the items above (ApproxNDCG).

    .. math::
        1 - \frac{1}{\mathrm{IDCG}} \sum_i \frac{w_i g_i}{\log_2(1 + \pi_i)}, \qquad
        \pi_i = 1 + \sum_{j \ne i} \sigma((s_j - s_i) / T)

    Parameters
    ----------
    scores : Tensor of shape (..., n)
        One score per item.
    relevance : Tensor of shape (..., n)
        Relevance grades, not negative.
    temperature : float or Tensor of shape (...), default=1.0
        Temperature of the smooth ranks, in units of the scores. With a lower temperature, the loss is closer to NDCG
        itself, and flatter. A tensor holds one value per list.
    gain : {"exponential", "linear"}, default="exponential"
        Gain of an item of relevance r: :math:`2^r - 1` or :math:`r`.
    mask : Tensor of bool, shape (..., n), optional
        True for real items.
    weights : Tensor of shape (..., n), optional
        Weight of each item, not negative. Weights multiply the gains.

    Returns
    -------
    Tensor of shape (...)
        One value per list, between 0 and 1: exactly 0 if no item has a gain or there is only one item.

    Raises
    ------
    ValueError
        If the shapes do not fit or ``gain`` is unknown.

    References
    ----------
    Qin, Liu, Li (2010). A General Approximation Framework for Direct Optimization of Information Retrieval Measures.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import approx_ndcg_loss
    >>> approx_ndcg_loss(torch.tensor([0.0, 1.0]), torch.tensor([1, 0]))
    tensor(0.3101)
    """
    items = items_of(scores, relevance, mask, weights, keep_values)
    gained = gains(items.relevance, gain) * items.weights
    ideal = ideal_dcg(gained)
    is_ranked = (ideal > 0) & (items.is_real.sum(-1) > 1)
    gained = gained / ideal.where(ideal > 0, 1.0).unsqueeze(-1)
    temperature = per_list("temperature", temperature, scores, 1).unsqueeze(-1)
    above = _share_above(items, temperature)
    rank = 0.5 + sum_last(above, 1)  # an item is half above itself
    log_rank = torch.log1p(rank)
    value = 1 - sum_last(gained * discounts(rank), 1)
    # Chain rule through the ranks: raising the score of an item lowers its rank and raises all other ranks.
    by_rank = gained * math.log(2) / ((1 + rank) * log_rank.square())
    by_gap = by_rank.unsqueeze(-1) * above * (1 - above) / temperature
    slopes = (by_gap.sum(-2) - by_gap.sum(-1)) * is_ranked.unsqueeze(-1)
    return with_slopes(items.scores, value * is_ranked + nan_of(items.scores), slopes)


def _share_above(items: Items, temperature: Tensor) -> Tensor:
    """Smooth indicator from 0 to 1 that item j is above item i, (..., n, n) for i, j; 0 if j is not real."""
    scores = items.scores.detach()
    above = sigmoid((scores.unsqueeze(-2) - scores.unsqueeze(-1)) / temperature)
    return above * items.is_real.unsqueeze(-2)


def _log(weights: Tensor) -> Tensor:
    return weights.log().where(weights > 0, LOG_ZERO)
