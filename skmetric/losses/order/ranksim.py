"""RankSim: features whose neighbors come in the order of the labels' neighbors."""

from typing import NamedTuple

import torch
from torch import Tensor

from skmetric.losses._arguments import PerList, differ, nan_of, per_item, per_list, positive
from skmetric.losses.numerics import sum_last, weighted_mean, with_slopes
from skmetric.losses.order._exact_ranks import check_ties, ranks_of
from skmetric.losses.order.ranks import blackbox_ranks
from skmetric.losses.order.similarity import LabelSimilarity, feature_similarity, similarity_of_labels

__all__ = ["distinct_rows", "neighbor_spearman", "ranksim_loss"]


def ranksim_loss(
    features: Tensor,
    labels: Tensor,
    *,
    interpolation_strength: PerList,
    similarity: str = "euclidean",
    label_similarity: LabelSimilarity | None = None,
    ties: str = "average",
    scale_free: bool = True,
    mask: Tensor | None = None,
) -> Tensor:
    r"""Ranking-similarity regularization: rows ranked by their features as by their labels, as seen from each row.

    With :math:`r^y_{ij}` and :math:`r^z_{ij}` the rank of row :math:`j` among the :math:`m` rows by its similarity to
    row :math:`i`, in labels and in features, from :math:`1/m` for the most similar to 1 for the least,

    .. math:: \frac{1}{m} \sum_i \frac{1}{m} \sum_j (r^z_{ij} - r^y_{ij})^2.

    A rank has no derivative; the gradient is an interpolation. The published loss (``scale_free=False``) is the sum
    over i, not the mean.

    Parameters
    ----------
    features : Tensor of shape (..., n, d)
        The rows' representation.
    labels : Tensor of shape (..., n)
        Their targets, of any kind that ``label_similarity`` takes.
    interpolation_strength : float or Tensor of shape (...)
        :math:`\lambda`, how far similarities are moved to see how ranks change; see Notes. A tensor holds one a list.
    similarity : {"euclidean", "cosine"}, default="euclidean"
        Of features: minus their distance, or the cosine between them (0 for a row of zeros).
    label_similarity : callable, optional
        ``labels -> Tensor (..., n, n)``, larger where rows are more alike. None: :math:`-|y_i - y_j|`.
    ties : {"average", "ordinal"}, default="average"
        Rows of equal similarity share their mean rank, or are ranked by position.
    scale_free : bool, default=True
        Average over rows, and interpolate in units that depend neither on the features' scale, nor on the number of
        rows, nor on what multiplies the loss. False sums and interpolates as published.
    mask : Tensor of bool, shape (..., n), optional
        True for a real item. An item that is not real has no influence on value or gradient.

    Returns
    -------
    Tensor of shape (...)
        One value a list, from 0 to below 1 / 3 (m / 3 for the sum); exactly 0, with a zero gradient, where all rows
        have one label.

    Raises
    ------
    ValueError
        For shapes that do not fit, an unknown similarity or kind of ties, and a strength that is not positive.

    See Also
    --------
    neighbor_spearman : The same ranks as a correlation.
    distinct_rows : One row a label, as the paper draws them.

    Notes
    -----
    Let :math:`s_{ij}` be the features' similarities (less that of a row to itself) and :math:`u_{ij} = r^z_{ij} -
    r^y_{ij}`. The published gradient is that of :func:`blackbox_ranks` for :math:`r^z`,

    .. math:: \frac{\partial L}{\partial s_{ij}} = \frac{r^z(s + \lambda g)_{ij} - r^z(s)_{ij}}{\lambda},
        \qquad g_{ij} = \gamma \frac{2 u_{ij}}{m},

    where :math:`\gamma` is whatever multiplies the loss later. It stands inside the ranks: a larger :math:`\gamma`
    hardly makes a larger gradient, which is bounded by :math:`1 / \lambda`, but moves all similarities by so much that
    little of their own order is left. With ``scale_free=True`` similarities move by :math:`\lambda \sigma u_{ij}`,
    where :math:`\sigma` is the standard deviation of all :math:`s_{ij}`,

    .. math:: h_{ij} = \frac{2}{m^2} \cdot \frac{r^z(s + \lambda \sigma u)_{ij} - r^z(s)_{ij}}{\lambda \sigma}, \qquad
        \frac{\partial L}{\partial s_{ij}} = h_{ij} - s_{ij} \frac{\sum_{kl} h_{kl} s_{kl}}{\sum_{kl} s_{kl}^2},

    and :math:`\gamma` multiplies that. The last step makes it a gradient that does not change the scale of distances,
    as ranks do not see it: h alone always shrinks them, and under a large :math:`\gamma` all features end up in one
    point. ``similarity="cosine", ties="ordinal", scale_free=False`` is the published loss.

    O(n² log n) time and O(n²) memory.

    References
    ----------
    Gong, Mori, Tung (2022). RankSim: Ranking Similarity Regularization for Deep Imbalanced Regression. ICML.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import ranksim_loss
    >>> labels = torch.tensor([0.0, 1.0, 3.0])
    >>> in_order, mixed = torch.tensor([[0.0], [2.0], [6.0]]), torch.tensor([[0.0], [6.0], [2.0]])
    >>> ranksim_loss(in_order, labels, interpolation_strength=2.0)
    tensor(0.)
    >>> ranksim_loss(mixed, labels, interpolation_strength=2.0)
    tensor(0.0741)
    """
    check_ties(ties)
    strength = positive("interpolation_strength", interpolation_strength)
    strength = per_list("interpolation_strength", strength, features, 2)
    rows = _rows(features, labels, similarity, label_similarity, mask)
    target = ranks_of(rows.label_similarity, rows.is_pair, ties=ties)
    if scale_free:
        loss = _scale_free(rows, target, strength, ties)
    else:
        # The operator's ranks go from 1 to m: m times the strength makes up for it.
        ranks = blackbox_ranks(
            rows.similarity,
            interpolation_strength=strength[..., 0] * rows.n_real[..., 0],
            ties=ties,
            mask=rows.is_pair,
        )
        # Whole differences first: what is tied stays tied.
        loss = sum_last(((ranks - target) / rows.n_real).square(), 2) / rows.n_real[..., 0, 0]
    return loss.where(rows.is_ordered, 0.0) + rows.nan


def _scale_free(rows: "_Rows", target: Tensor, strength: Tensor, ties: str) -> Tensor:
    similarity = _silenced(rows.similarity.detach(), rows.is_pair)
    ranks = ranks_of(similarity, rows.is_pair, ties=ties)
    error = (ranks - target) / rows.n_real
    spread = _spread(similarity, rows.is_pair, rows.n_real)
    step = (strength * spread).where(spread > 0, 1.0)
    moved = ranks_of(similarity + step * error, rows.is_pair, ties=ties)
    slopes = (moved - ranks) * (2 / (rows.n_real**3 * step))
    # Ranks do not see the scale of distances, but the interpolation always pulls them in: taken out, or a large weight
    # would shrink all features to one point.
    square = sum_last(similarity.square(), 2)[..., None, None]
    along = sum_last(slopes * similarity, 2)[..., None, None] / square.where(square > 0, 1.0)
    is_learnt = (spread > 0) & rows.is_ordered[..., None, None]
    slopes = (slopes - along * similarity).where(is_learnt, 0.0)
    return with_slopes(rows.similarity, sum_last(error.square(), 2) / rows.n_real[..., 0, 0].square(), slopes)


def neighbor_spearman(
    features: Tensor,
    labels: Tensor,
    *,
    similarity: str = "euclidean",
    label_similarity: LabelSimilarity | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""Mean over rows of the rank correlation between their neighbors in labels and in features.

    For each row, Spearman's correlation, over all rows and itself, of the similarity to it in labels and that in
    features; tied similarities share their mean rank. Without ties, :func:`ranksim_loss` is
    the mean of :math:`(1 - \rho_i) (1 - 1 / m^2) / 6`.

    Parameters
    ----------
    features : Tensor of shape (..., n, d)
        The rows' representation.
    labels : Tensor of shape (..., n)
        Their targets.
    similarity, label_similarity
        As for :func:`ranksim_loss`.
    mask : Tensor of bool, shape (..., n), optional
        True for a real item.

    Returns
    -------
    Tensor of shape (...)
        Between -1 and 1; without a gradient. A row that all labels are equally similar to does not count; one that all
        features are equally similar to counts 0. 0 where no row counts.

    Raises
    ------
    ValueError
        For shapes that do not fit, and an unknown similarity.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import neighbor_spearman
    >>> labels = torch.tensor([0.0, 1.0, 3.0])
    >>> neighbor_spearman(torch.tensor([[0.0], [6.0], [2.0]]), labels)
    tensor(0.5000)
    """
    with torch.no_grad():
        rows = _rows(features, labels, similarity, label_similarity, mask)
        middle = (rows.n_real + 1) / 2
        label, feature = (
            _silenced(ranks_of(values, rows.is_pair) - middle, rows.is_pair)
            for values in (rows.label_similarity, rows.similarity)
        )
        of_label, of_feature = sum_last(label.square(), 1), sum_last(feature.square(), 1)
        scale = (of_label * of_feature).sqrt()
        correlation = sum_last(label * feature, 1) / scale.where(scale > 0, 1.0)
        counts = (of_label > 0).to(correlation.dtype)
        return weighted_mean(correlation.clamp(-1, 1), counts) + rows.nan


def distinct_rows(labels: Tensor, n_most: int, *, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Places of one row a distinct label: the first of each, in order of position, at most so many.

    In a batch of shuffled rows that is a random row of each label, and a random part of the labels where there are
    more. Nothing leaves the device, and shapes do not depend on values.

    Parameters
    ----------
    labels : Tensor of shape (..., n)
        Labels, or codes of them.
    n_most : int
        Most rows to choose.
    mask : Tensor of bool, shape (..., n), optional
        True for a real item; others are never chosen.

    Returns
    -------
    places : Tensor of int, shape (..., k)
        With k the smaller of n and ``n_most``; in rising order, then 0 where there is none.
    is_real : Tensor of bool, shape (..., k)
        Whether there is one.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import distinct_rows
    >>> distinct_rows(torch.tensor([5, 3, 5, 4]), 4)
    (tensor([0, 1, 3, 0]), tensor([ True,  True,  True, False]))
    """
    n = labels.shape[-1]
    n_most = min(n, n_most)
    is_real = torch.ones_like(labels, dtype=torch.bool) if mask is None else per_item("mask", mask, labels.shape)
    # Real rows first, so that each label's first row is a real one if it has any.
    order = (~is_real).to(torch.uint8).argsort(dim=-1, stable=True)
    order = order.gather(-1, labels.gather(-1, order).argsort(dim=-1, stable=True))
    ordered = labels.gather(-1, order)
    is_first = torch.ones_like(is_real)
    is_first[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    is_first = torch.empty_like(is_first).scatter_(-1, order, is_first) & is_real
    count = is_first.cumsum(-1)
    # What is not chosen goes to a place of its own at the end, which is cut off.
    target = torch.where(is_first & (count <= n_most), count - 1, n_most)
    rows = torch.arange(n, device=labels.device).expand_as(target)
    places = torch.zeros(*labels.shape[:-1], n_most + 1, dtype=torch.int64, device=labels.device)
    places = places.scatter_(-1, target, rows)[..., :n_most]
    return places, torch.arange(n_most, device=labels.device) < is_first.sum(-1, keepdim=True)


class _Rows(NamedTuple):
    """All rows as seen from each row: (..., n, n), row by row."""

    similarity: Tensor  # of features, with a gradient
    label_similarity: Tensor
    is_pair: Tensor | None  # both rows are real; None where all are
    n_real: Tensor  # rows that are, at least 1, (..., 1, 1)
    is_ordered: Tensor  # label similarities differ, (...)
    nan: Tensor  # 0, or NaN where something real is, (...)


def _rows(
    features: Tensor, labels: Tensor, similarity: str, label_similarity: LabelSimilarity | None, mask: Tensor | None
) -> _Rows:
    is_pair = None
    n_real = torch.full(features.shape[:-2], max(1, features.shape[-2]), dtype=features.dtype, device=features.device)
    if mask is not None:
        mask = per_item("mask", mask, features.shape[:-1])
        is_pair = mask.unsqueeze(-1) & mask.unsqueeze(-2)
        n_real = mask.sum(-1).clamp_min(1).to(features.dtype)
        features = features.masked_fill(~mask.unsqueeze(-1), 0.0)
    of_labels = similarity_of_labels(features, labels, label_similarity).detach().to(features.dtype)
    of_labels = _silenced(of_labels, is_pair)
    of_features = feature_similarity(features, similarity)
    is_ordered = differ(of_labels.flatten(-2), None if is_pair is None else is_pair.flatten(-2))
    nan = nan_of(features, 2) + nan_of(of_labels, 2)
    return _Rows(of_features, of_labels, is_pair, n_real[..., None, None], is_ordered, nan)


def _silenced(values: Tensor, is_pair: Tensor | None) -> Tensor:
    return values if is_pair is None else values.masked_fill(~is_pair, 0.0)


def _spread(values: Tensor, is_pair: Tensor | None, n_real: Tensor) -> Tensor:
    """Standard deviation over the pairs, (..., 1, 1); other values are 0."""
    n_pairs = n_real.square()
    mean = sum_last(values, 2)[..., None, None] / n_pairs
    deviation = _silenced(values - mean, is_pair)
    return (sum_last(deviation.square(), 2)[..., None, None] / n_pairs).sqrt()
