"""RankSim: each row should rank the other rows by features in the same order as by labels."""

from typing import NamedTuple

import torch
from torch import Tensor

from skmetric.losses._arguments import PerList, differ, nan_of, per_item, per_list, positive
from skmetric.losses._exact_ranks import check_ties, ranks_of
from skmetric.losses._precision import in_float32
from skmetric.losses.numerics import sum_last, weighted_mean, with_slopes
from skmetric.losses.order.ranks import blackbox_ranks
from skmetric.losses.order.similarity import LabelSimilarity, feature_similarity, similarity_of_labels

__all__ = ["distinct_rows", "neighbor_spearman", "ranksim_loss"]


@in_float32
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
    r"""Ranking-similarity regularization: neighbors by features should be ranked like neighbors by labels.

    Let :math:`r^y_{ij}` and :math:`r^z_{ij}` be the ranks of row :math:`j` among all :math:`m` rows by its similarity
    to row :math:`i`, in labels and in features, from :math:`1/m` for the most similar row to 1 for the least similar.
    The loss is

    .. math:: \frac{1}{m} \sum_i \frac{1}{m} \sum_j (r^z_{ij} - r^y_{ij})^2.

    Ranks have no useful derivative, so the gradient is an interpolation. The published loss (``scale_free=False``) is
    the sum over i, not the mean.

    Parameters
    ----------
    features : Tensor of shape (..., n, d)
        Features of the rows, such as a representation computed by a network.
    labels : Tensor of shape (..., n)
        Target of each row, of any kind that ``label_similarity`` accepts.
    interpolation_strength : float or Tensor of shape (...)
        :math:`\lambda`, how far similarities are moved to compare ranks, see Notes. Must be positive; a tensor holds
        one value per list.
    similarity : {"euclidean", "cosine"}, default="euclidean"
        Similarity of features: minus their distance, or the cosine between them (0 for a row of zeros).
    label_similarity : callable, optional
        Function ``labels -> Tensor (..., n, n)``, larger for more similar rows. If None, :math:`-|y_i - y_j|` is used.
    ties : {"average", "ordinal"}, default="average"
        If "average", rows of equal similarity share their mean rank. If "ordinal", they are ranked by position.
    scale_free : bool, default=True
        If True, average over rows, and interpolate in units that do not depend on the scale of the features, the number
        of rows, or a factor of the loss. If False, sum and interpolate as published.
    mask : Tensor of bool, shape (..., n), optional
        True for real items. Items that are not real do not affect the value or the gradient.

    Returns
    -------
    Tensor of shape (...)
        One value per list, from 0 to below 1 / 3 (m / 3 for the sum). It is exactly 0, with a zero gradient, if all
        rows have the same label.

    Raises
    ------
    ValueError
        If the shapes do not fit, ``similarity`` or ``ties`` is unknown, or ``interpolation_strength`` is not positive.

    See Also
    --------
    neighbor_spearman : Correlation of the same ranks.
    distinct_rows : Choose one row per label, as in the paper.

    Notes
    -----
    Let :math:`s_{ij}` be the similarities of the features, minus that of a row to itself, and let
    :math:`u_{ij} = r^z_{ij} - r^y_{ij}`. The published gradient is that of :func:`blackbox_ranks` for :math:`r^z`,

    .. math:: \frac{\partial L}{\partial s_{ij}} = \frac{r^z(s + \lambda g)_{ij} - r^z(s)_{ij}}{\lambda},
        \qquad g_{ij} = \gamma \frac{2 u_{ij}}{m},

    where :math:`\gamma` is the factor that multiplies the loss later. It is inside the ranks. A larger :math:`\gamma`
    hardly increases the gradient, which is bounded by :math:`1 / \lambda`. Instead, it moves all similarities so far
    that little of their original order is left. With ``scale_free=True``, similarities move by
    :math:`\lambda \sigma u_{ij}`, where :math:`\sigma` is the standard deviation of all :math:`s_{ij}`,

    .. math:: h_{ij} = \frac{2}{m^2} \cdot \frac{r^z(s + \lambda \sigma u)_{ij} - r^z(s)_{ij}}{\lambda \sigma}, \qquad
        \frac{\partial L}{\partial s_{ij}} = h_{ij} - s_{ij} \frac{\sum_{kl} h_{kl} s_{kl}}{\sum_{kl} s_{kl}^2},

    and :math:`\gamma` multiplies this gradient. The last step removes the part that changes the scale of distances,
    which ranks do not depend on: h alone always shrinks the distances, and with a large :math:`\gamma` all features
    collapse to one point. ``similarity="cosine", ties="ordinal", scale_free=False`` is the published loss.

    Time is O(n² log n), memory is O(n²).

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
    target = ranks_of(rows.label_similarity, rows.is_pair, ties=ties, dtype=features.dtype)
    if scale_free:
        loss = _scale_free(rows, target, strength, ties)
    else:
        # The ranks of blackbox_ranks go from 1 to m, not from 1 / m to 1: m times the strength corrects for this.
        ranks = blackbox_ranks(
            rows.similarity,
            interpolation_strength=strength[..., 0] * rows.n_real[..., 0],
            ties=ties,
            mask=rows.is_pair,
        )
        # Subtract before dividing: differences of whole ranks have no rounding error, so ties stay ties.
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
    # Ranks do not depend on the scale of distances, but the interpolation always shrinks them. Remove that part: with a
    # large weight of the loss, all features would shrink to one point.
    square = sum_last(similarity.square(), 2)[..., None, None]
    along = sum_last(slopes * similarity, 2)[..., None, None] / square.where(square > 0, 1.0)
    is_learned = (spread > 0) & rows.is_ordered[..., None, None]
    slopes = (slopes - along * similarity).where(is_learned, 0.0)
    return with_slopes(rows.similarity, sum_last(error.square(), 2) / rows.n_real[..., 0, 0].square(), slopes)


@in_float32
def neighbor_spearman(
    features: Tensor,
    labels: Tensor,
    *,
    similarity: str = "euclidean",
    label_similarity: LabelSimilarity | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""Mean over rows of the rank correlation between their neighbors in labels and in features.

    For each row i, :math:`\rho_i` is Spearman's correlation between the similarities of all rows to row i in labels and
    in features. Row i itself is included, and tied similarities share their mean rank. Without ties,
    :func:`ranksim_loss` is the mean of :math:`(1 - \rho_i) (1 - 1 / m^2) / 6`.

    Parameters
    ----------
    features : Tensor of shape (..., n, d)
        Features of the rows, such as a representation computed by a network.
    labels : Tensor of shape (..., n)
        Target of each row, of any kind that ``label_similarity`` accepts.
    similarity, label_similarity
        Same as in :func:`ranksim_loss`.
    mask : Tensor of bool, shape (..., n), optional
        True for real items.

    Returns
    -------
    Tensor of shape (...)
        One value per list between -1 and 1, without a gradient. A row to which all labels are equally similar is
        ignored; a row to which all features are equally similar counts as 0. The value is 0 if all rows are ignored.

    Raises
    ------
    ValueError
        If the shapes do not fit or ``similarity`` is unknown.

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
            _silenced(ranks_of(values, rows.is_pair, dtype=features.dtype) - middle, rows.is_pair)
            for values in (rows.label_similarity, rows.similarity)
        )
        of_label, of_feature = sum_last(label.square(), 1), sum_last(feature.square(), 1)
        scale = (of_label * of_feature).sqrt()
        correlation = sum_last(label * feature, 1) / scale.where(scale > 0, 1.0)
        weights = (of_label > 0).to(correlation.dtype)
        return weighted_mean(correlation.clamp(-1, 1), weights) + rows.nan


@in_float32
def distinct_rows(labels: Tensor, n_most: int, *, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Indices of the first row of each distinct label, in rising order, at most ``n_most`` of them.

    In a batch of shuffled rows, these are a random row of each label, and a random subset of the labels if there are
    more than ``n_most``. No data leaves the device, and shapes do not depend on values.

    Parameters
    ----------
    labels : Tensor of shape (..., n)
        Labels, or integer codes of labels.
    n_most : int
        Largest number of rows to choose.
    mask : Tensor of bool, shape (..., n), optional
        True for real items. Items that are not real are never chosen.

    Returns
    -------
    indices : Tensor of int, shape (..., k)
        Indices of the chosen rows in rising order, padded with 0 to length k, the smaller of n and ``n_most``.
    is_real : Tensor of bool, shape (..., k)
        True for chosen rows, False for padding.

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
    # Real rows first, so that the first row of each label is real if the label has a real row.
    order = (~is_real).to(torch.uint8).argsort(dim=-1, stable=True)
    order = order.gather(-1, labels.gather(-1, order).argsort(dim=-1, stable=True))
    ordered = labels.gather(-1, order)
    is_first = torch.ones_like(is_real)
    is_first[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    is_first = torch.empty_like(is_first).scatter_(-1, order, is_first) & is_real
    count = is_first.cumsum(-1)
    # Rows that are not chosen are written to one extra slot at the end, which is cut off.
    target = torch.where(is_first & (count <= n_most), count - 1, n_most)
    rows = torch.arange(n, device=labels.device).expand_as(target)
    indices = torch.zeros(*labels.shape[:-1], n_most + 1, dtype=torch.int64, device=labels.device)
    indices = indices.scatter_(-1, target, rows)[..., :n_most]
    return indices, torch.arange(n_most, device=labels.device) < is_first.sum(-1, keepdim=True)


class _Rows(NamedTuple):
    """Similarities of all rows to each row, (..., n, n), and which of them count."""

    similarity: Tensor  # of features, with a gradient
    label_similarity: Tensor  # in a wider type if the labels have one
    is_pair: Tensor | None  # both rows are real; None if all rows are
    n_real: Tensor  # number of real rows, at least 1, (..., 1, 1)
    is_ordered: Tensor  # the label similarities are not all equal, (...)
    nan: Tensor  # NaN if a value of a real row is not finite, else 0, (...)


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
    of_labels = similarity_of_labels(features, labels, label_similarity).detach()
    of_labels = _silenced(of_labels, is_pair)
    of_features = feature_similarity(features, similarity)
    is_ordered = differ(of_labels.flatten(-2), None if is_pair is None else is_pair.flatten(-2))
    nan = nan_of(features, 2) + nan_of(of_labels, 2).to(features.dtype)
    return _Rows(of_features, of_labels, is_pair, n_real[..., None, None], is_ordered, nan)


def _silenced(values: Tensor, is_pair: Tensor | None) -> Tensor:
    return values if is_pair is None else values.masked_fill(~is_pair, 0)


def _spread(values: Tensor, is_pair: Tensor | None, n_real: Tensor) -> Tensor:
    """Standard deviation over the pairs, (..., 1, 1); values of other pairs must be 0."""
    n_pairs = n_real.square()
    mean = sum_last(values, 2)[..., None, None] / n_pairs
    deviation = _silenced(values - mean, is_pair)
    return (sum_last(deviation.square(), 2)[..., None, None] / n_pairs).sqrt()
