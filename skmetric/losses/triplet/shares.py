"""Shares of easy, semi-hard and hard triplets of a batch: they show whether mining works."""

import torch
from torch import Tensor

from skmetric.losses._arguments import PerList, labeled_items, per_item, per_list
from skmetric.losses._precision import in_float32
from skmetric.losses.distance import pairwise_distance
from skmetric.losses.numerics import sum_last
from skmetric.losses.triplet import _candidates
from skmetric.losses.triplet._candidates import Candidates
from skmetric.losses.triplet._mining import count_below
from skmetric.losses.triplet.loss import check_blocks, nan_of_rows

__all__ = ["block_triplet_shares", "triplet_shares"]


@in_float32
def triplet_shares(
    embeddings: Tensor, labels: Tensor, *, margin: PerList, distance: str = "euclidean", mask: Tensor | None = None
) -> Tensor:
    r"""Shares of easy, semi-hard and hard triplets among all valid ones.

    A triplet is easy if :math:`d_{an} \ge d_{ap} + m` (its hinge is zero), hard if :math:`d_{an} \le d_{ap}`, and
    semi-hard otherwise.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        Embeddings, one row per item.
    labels : Tensor of int, shape (..., n)
        Class of each item.
    margin : float or Tensor of shape (...)
        Margin in units of distance. A tensor holds one value per list.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        Distance between embeddings, see :func:`pairwise_distance`.
    mask : Tensor of bool, shape (..., n), optional
        True for real items.

    Returns
    -------
    Tensor of shape (..., 3)
        Shares of easy, semi-hard and hard triplets, without a gradient. They add up to 1, or are all 0 if no triplet is
        valid.

    Raises
    ------
    ValueError
        If ``distance`` is unknown, or ``labels`` or ``mask`` has a wrong shape.

    References
    ----------
    Schroff, Kalenichenko, Philbin (2015). FaceNet: A Unified Embedding for Face Recognition and Clustering. CVPR.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import triplet_shares
    >>> x = torch.tensor([[0.0], [1.0], [1.5], [4.0]])
    >>> triplet_shares(x, torch.tensor([0, 0, 1, 1]), margin=1.0)
    tensor([0.3750, 0.2500, 0.3750])
    """
    embeddings, labels, mask = labeled_items(embeddings, labels, mask)
    with torch.no_grad():
        d = pairwise_distance(embeddings, distance=distance)
        return _shares(_candidates.from_labels(d, labels, mask), margin)


@in_float32
def block_triplet_shares(
    embeddings: Tensor, rows: Tensor, *, samples_per_class: int, margin: PerList, distance: str = "euclidean"
) -> Tensor:
    """Shares of easy, semi-hard and hard triplets of a P x K batch.

    Parameters
    ----------
    embeddings : Tensor of shape (..., P * K, d)
        Embeddings, one row per item, class after class.
    rows : Tensor of int, shape (..., P * K)
        Row of the table of each item, see :func:`block_triplet_loss`.
    samples_per_class : int
        Number of items per class, K, at least 2.
    margin : float or Tensor of shape (...)
        Margin in units of distance. A tensor holds one value per list.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        Distance between embeddings, see :func:`pairwise_distance`.

    Returns
    -------
    Tensor of shape (..., 3)
        Shares of easy, semi-hard and hard triplets, as in :func:`triplet_shares`.

    Raises
    ------
    ValueError
        If ``distance`` is unknown, ``rows`` has a wrong shape, or ``samples_per_class`` does not divide the items into
        blocks.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import block_triplet_shares
    >>> x = torch.tensor([[0.0], [1.0], [1.5], [4.0]])
    >>> block_triplet_shares(x, torch.arange(4), samples_per_class=2, margin=1.0)
    tensor([0.3750, 0.2500, 0.3750])
    """
    rows = per_item("rows", rows, embeddings.shape[:-1])
    check_blocks(rows.shape[-1], samples_per_class)
    with torch.no_grad():
        d = pairwise_distance(embeddings, distance=distance)
        return _shares(_candidates.from_blocks(d, rows, samples_per_class), margin)


def _shares(c: Candidates, margin: PerList) -> Tensor:
    n_hard = count_below(c.d_an_or_inf, c.d_ap, inclusive=True)
    n_violating = count_below(c.d_an_or_inf, c.d_ap + per_list("margin", margin, c.d_ap, 2), inclusive=False).maximum(
        n_hard
    )
    n_negatives = c.is_negative.sum(-1, keepdim=True).expand(n_hard.shape)
    per_pair = torch.stack([n_negatives - n_violating, n_violating - n_hard, n_hard])
    counts = sum_last(per_pair * c.is_positive, 2).movedim(0, -1)
    return counts.to(c.d_ap.dtype) / counts.sum(-1, keepdim=True).clamp_min(1) + nan_of_rows(c.d_an).unsqueeze(-1)
