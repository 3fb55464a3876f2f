"""Pairwise ranking losses: of two items of a list, the more relevant one should get the higher score."""

from collections.abc import Callable

import torch
from torch import Tensor

from skmetric.losses._arguments import PerList, nan_of, per_list
from skmetric.losses._items import Items, items_of
from skmetric.losses._kept import keep_order, keep_values
from skmetric.losses._precision import in_float32
from skmetric.losses.numerics import sigmoid, softplus, sum_last, with_slopes
from skmetric.losses.ranking._gains import discounts, gains, ideal_dcg, ranks

__all__ = ["lambda_loss", "margin_ranking_loss", "pairwise_hinge_loss", "pairwise_logistic_loss"]

# Takes the score difference of each pair. Returns the loss of the pair and its slope by the difference.
PairLoss = Callable[[Tensor], tuple[Tensor, Tensor]]


@in_float32
def margin_ranking_loss(s1: Tensor, s2: Tensor, y: Tensor, *, margin: PerList) -> Tensor:
    r"""Hinge loss of each pair: :math:`\max(0, -y (s_1 - s_2) + m)`.

    Parameters
    ----------
    s1, s2 : Tensor
        Scores of the first and of the second item of each pair, broadcastable to each other.
    y : Tensor
        1 or True if the first item should score higher, -1 or False if the second item should.
    margin : float or Tensor
        Margin in units of the scores, broadcastable to them.

    Returns
    -------
    Tensor
        One value per pair.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import margin_ranking_loss
    >>> margin_ranking_loss(torch.tensor([2.0, 2.0]), torch.tensor([1.5, 1.5]), torch.tensor([1, -1]), margin=1.0)
    tensor([0.5000, 1.5000])
    """
    sign = y * 2.0 - 1 if y.dtype == torch.bool else y
    return (margin - sign * (s1 - s2)).relu()


@in_float32
def pairwise_hinge_loss(
    scores: Tensor, relevance: Tensor, *, margin: PerList, mask: Tensor | None = None, weights: Tensor | None = None
) -> Tensor:
    r"""Hinge loss over the pairs of items that differ in relevance.

    .. math::
        \frac{\sum_{r_i > r_j} w_i w_j \max(0, m - (s_i - s_j))}{\sum_{r_i > r_j} w_i w_j}

    Parameters
    ----------
    scores : Tensor of shape (..., n)
        One score per item.
    relevance : Tensor of shape (..., n)
        Any numbers; only their order matters. Items of equal relevance make no pair.
    margin : float or Tensor of shape (...)
        Margin in units of the scores. A tensor holds one value per list.
    mask : Tensor of bool, shape (..., n), optional
        True for real items. Items that are not real do not affect the value or the gradient.
    weights : Tensor of shape (..., n), optional
        Weight of each item, not negative. A weight of 2 has the same effect as the item given twice.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if no pair differs in relevance; NaN if the score of a real
        item is NaN.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Notes
    -----
    Memory and time are O(n^2). There is no gradient for the margin.

    References
    ----------
    Herbrich, Graepel, Obermayer (2000). Large Margin Rank Boundaries for Ordinal Regression.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import pairwise_hinge_loss
    >>> pairwise_hinge_loss(torch.tensor([0.0, 1.0, 3.0]), torch.tensor([1, 0, 2]), margin=1.0)
    tensor(0.6667)
    """
    items = items_of(scores, relevance, mask, weights, keep_order)
    margin = per_list("margin", margin, scores, 1)[..., None]

    def hinge(above: Tensor) -> tuple[Tensor, Tensor]:
        short = margin - above
        return short.relu(), -(short > 0).to(above.dtype)

    return _mean_of_pairs(items, hinge) + margin[..., 0, 0] * 0


@in_float32
def pairwise_logistic_loss(
    scores: Tensor, relevance: Tensor, *, mask: Tensor | None = None, weights: Tensor | None = None
) -> Tensor:
    r"""Logistic loss over the pairs of items that differ in relevance (RankNet).

    .. math::
        \frac{\sum_{r_i > r_j} w_i w_j \log(1 + e^{-(s_i - s_j)})}{\sum_{r_i > r_j} w_i w_j}

    The difference of two scores is the log-odds that the first item is more relevant.

    Parameters
    ----------
    scores : Tensor of shape (..., n)
        One score per item.
    relevance : Tensor of shape (..., n)
        Any numbers; only their order matters. Items of equal relevance make no pair.
    mask : Tensor of bool, shape (..., n), optional
        True for real items.
    weights : Tensor of shape (..., n), optional
        Weight of each item, not negative. A weight of 2 has the same effect as the item given twice.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if no pair differs in relevance; NaN if the score of a real
        item is NaN.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    References
    ----------
    Burges et al. (2005). Learning to Rank using Gradient Descent. ICML.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import pairwise_logistic_loss
    >>> pairwise_logistic_loss(torch.tensor([0.0, 1.0]), torch.tensor([1, 0]))
    tensor(1.3133)
    """
    return _mean_of_pairs(items_of(scores, relevance, mask, weights, keep_order), _logistic)


@in_float32
def lambda_loss(
    scores: Tensor,
    relevance: Tensor,
    *,
    k: int | None = None,
    gain: str = "exponential",
    mask: Tensor | None = None,
    weights: Tensor | None = None,
) -> Tensor:
    r"""Logistic loss over pairs, each weighted by the change of NDCG if the two items were swapped (LambdaRank).

    .. math::
        \sum_{r_i > r_j} w_i w_j \frac{|g_i - g_j| \, |D(\pi_i) - D(\pi_j)|}{\mathrm{IDCG@}k} \log(1 + e^{-(s_i - s_j)})

    with the gains :math:`g`, the ranks :math:`\pi` by the current scores (without a gradient), and
    :math:`D(\pi) = 1 / \log_2(1 + \pi)` up to rank k, 0 beyond.

    Parameters
    ----------
    scores : Tensor of shape (..., n)
        One score per item.
    relevance : Tensor of shape (..., n)
        Relevance grades, not negative.
    k : int, optional
        Truncation level: a pair counts only if one of its items is among the first k. If None, all pairs count.
    gain : {"exponential", "linear"}, default="exponential"
        Gain of an item of relevance r: :math:`2^r - 1` or :math:`r`.
    mask : Tensor of bool, shape (..., n), optional
        True for real items.
    weights : Tensor of shape (..., n), optional
        Weight of each item, not negative. The weight of a pair is the product of the weights of its items.

    Returns
    -------
    Tensor of shape (...)
        One value per list: the weighted sum over its pairs, not divided by the sum of the weights. It is 0 if no pair
        differs in gain.

    Raises
    ------
    ValueError
        If the shapes do not fit or ``gain`` is unknown.

    References
    ----------
    Burges, Ragno, Le (2006). Learning to Rank with Nonsmooth Cost Functions. NeurIPS.

    Wang et al. (2018). The LambdaLoss Framework for Ranking Metric Optimization. CIKM.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import lambda_loss
    >>> lambda_loss(torch.tensor([0.0, 1.0]), torch.tensor([1, 0]))
    tensor(0.4847)
    """
    items = items_of(scores, relevance, mask, weights, keep_values)
    gained = gains(items.relevance, gain)
    ideal = ideal_dcg(gained, k)
    discount = discounts(ranks(items.scores.detach(), items.is_real), k)
    swapped = _differences(gained).abs_() * _differences(discount).abs_()
    swapped = swapped / ideal.where(ideal > 0, 1.0)[..., None, None]
    return _sum_of_pairs(items, swapped.mul_(_pair_weights(items)), _logistic)


def _logistic(above: Tensor) -> tuple[Tensor, Tensor]:
    return softplus(-above), sigmoid(-above).neg_()


def _mean_of_pairs(items: Items, loss: PairLoss) -> Tensor:
    weights = _pair_weights(items)
    total = sum_last(weights, 2)
    return _sum_of_pairs(items, weights, loss) / total.where(total > 0, 1.0)


def _sum_of_pairs(items: Items, weights: Tensor, loss: PairLoss) -> Tensor:
    """Weighted sum over all ordered pairs (i, j) where i should score above j, with slopes computed by hand.

    No tensor of size n^2 is kept after the call.
    """
    terms, slopes = loss(_differences(items.scores.detach()))
    value = sum_last(terms.mul_(weights), 2)
    slopes = slopes.mul_(weights)
    return with_slopes(items.scores, value + nan_of(items.scores), slopes.sum(-1) - slopes.sum(-2))


def _pair_weights(items: Items) -> Tensor:
    weights = items.weights.unsqueeze(-1) * items.weights.unsqueeze(-2)
    return weights * (items.relevance.unsqueeze(-1) > items.relevance.unsqueeze(-2))


def _differences(values: Tensor) -> Tensor:
    return values.unsqueeze(-1) - values.unsqueeze(-2)
