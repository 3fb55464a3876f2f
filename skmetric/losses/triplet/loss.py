"""Triplet losses: an anchor should be closer to its positive than to its negative, by a margin."""

from torch import Tensor

from skmetric.losses._arguments import PerList, labeled_items, per_item, per_list
from skmetric.losses._precision import in_float32
from skmetric.losses.distance import one_sided_distance
from skmetric.losses.numerics import sum_last, with_slopes
from skmetric.losses.triplet import _candidates
from skmetric.losses.triplet._candidates import Candidates
from skmetric.losses.triplet._mining import MININGS, Generators, mine

__all__ = ["MININGS", "batch_triplet_loss", "block_triplet_loss", "triplet_margin_loss"]


@in_float32
def triplet_margin_loss(d_ap: Tensor, d_an: Tensor, *, margin: PerList) -> Tensor:
    r"""Hinge loss of each triplet: :math:`\max(0, d_{ap} - d_{an} + m)`.

    Parameters
    ----------
    d_ap, d_an : Tensor
        Distances from the anchor to its positive and to its negative, broadcastable to each other.
    margin : float or Tensor
        Margin in units of distance.

    Returns
    -------
    Tensor
        One value per triplet.

    References
    ----------
    Schroff, Kalenichenko, Philbin (2015). FaceNet: A Unified Embedding for Face Recognition and Clustering. CVPR.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import triplet_margin_loss
    >>> triplet_margin_loss(torch.tensor([0.5, 0.5]), torch.tensor([0.6, 2.0]), margin=0.25)
    tensor([0.1500, 0.0000])
    """
    return (d_ap - d_an + margin).relu()


@in_float32
def batch_triplet_loss(
    embeddings: Tensor,
    labels: Tensor,
    *,
    margin: PerList,
    mining: str = "semihard",
    distance: str = "euclidean",
    mask: Tensor | None = None,
    soft: bool = False,
    generator: Generators = None,
) -> Tensor:
    r"""Triplet loss over the triplets of a batch with any labels.

    A triplet (a, p, n) of anchor, positive and negative is valid if a and p are two items of one class and n is of
    another class. Its term is the hinge :math:`h = \max(0, d_{ap} - d_{an} + m)`, or
    :math:`\log(1 + \exp(d_{ap} - d_{an} + m))` if ``soft``. ``mining`` decides which terms are averaged:

    - "all" (batch-all, [1]_): all valid triplets, averaged over those with a hinge above zero.
    - "hard" (batch-hard, [1]_): for each anchor, its farthest positive and its nearest negative; averaged over the
      anchors that have both.
    - "semihard" ([2]_): for each valid (a, p), the nearest negative that is strictly farther than the positive, or
      else the farthest negative; averaged over these pairs, including terms of zero.
    - "easy" (easy positive, [3]_): for each anchor, its nearest positive and its nearest negative; averaged over the
      anchors that have both.
    - "random": for each valid (a, p), one negative drawn uniformly; averaged over these pairs, including terms of
      zero.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        Embeddings, one row per item.
    labels : Tensor of int, shape (..., n)
        Class of each item.
    margin : float or Tensor of shape (...)
        Margin in units of distance; a tensor holds one value per list.
    mining : {"all", "hard", "semihard", "easy", "random"}, default="semihard"
        Which triplets count.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        Distance between embeddings, see :func:`pairwise_distance`.
    mask : Tensor of bool, shape (..., n), optional
        True for real items. Items that are not real do not affect the value or the gradient.
    soft : bool, default=False
        If True, use softplus instead of the hinge. No term is then exactly zero, and "all" averages over all valid
        triplets.
    generator : torch.Generator or sequence of torch.Generator, optional
        Draws the negatives of ``mining="random"``. A sequence holds one generator per list of the flattened leading
        axes.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if no triplet is valid; NaN if an embedding of a real item
        is NaN.

    Raises
    ------
    ValueError
        If ``mining`` or ``distance`` is unknown, ``labels`` or ``mask`` has a wrong shape, or ``generator`` is missing
        for ``mining="random"``.

    Notes
    -----
    Memory is O(n^2), and time is O(n^2 log n). With ``mining="all"`` and ``soft=True``, time is O(n^3), because the
    loss cannot be computed from counts. FaceNet mines semi-hard negatives in batches of thousands of items. A small
    batch may have no semi-hard negative for a pair. The fallback to the farthest negative follows the reference
    implementation that the FaceNet authors point to. There is no gradient for the margin.

    References
    ----------
    .. [1] Hermans, Beyer, Leibe (2017). In Defense of the Triplet Loss for Person Re-Identification.
    .. [2] Schroff, Kalenichenko, Philbin (2015). FaceNet: A Unified Embedding for Face Recognition and Clustering.
    .. [3] Xuan, Stylianou, Pless (2020). Improved Embeddings with Easy Positive Triplet Mining.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import batch_triplet_loss
    >>> x = torch.tensor([[0.0], [1.0], [1.5], [4.0]])
    >>> y = torch.tensor([0, 0, 1, 1])
    >>> batch_triplet_loss(x, y, margin=1.0, mining="hard")
    tensor(1.3750)
    """
    _check_mining(mining)
    embeddings, labels, mask = labeled_items(embeddings, labels, mask)
    if embeddings.shape[-2] == 0:
        return sum_last(embeddings, 2)
    d = one_sided_distance(embeddings, distance=distance)
    candidates = _candidates.from_labels(d.detach(), labels, mask)
    return _mean_of_mined(d, candidates, margin, mining, soft, generator)


@in_float32
def block_triplet_loss(
    embeddings: Tensor,
    rows: Tensor,
    *,
    samples_per_class: int,
    margin: PerList,
    mining: str = "semihard",
    distance: str = "euclidean",
    soft: bool = False,
    generator: Generators = None,
) -> Tensor:
    """Triplet loss over a P x K batch: P classes in blocks of K items each.

    The same loss as :func:`batch_triplet_loss` with the labels ``[0] * K + [1] * K + ...``, but several times faster
    for small K, because the positives of all anchors form one dense (n, K - 1) block.

    Parameters
    ----------
    embeddings : Tensor of shape (..., P * K, d)
        Embeddings, one row per item, class after class.
    rows : Tensor of int, shape (..., P * K)
        Row of the table of each item. Two draws of the same row are not a positive pair, so the items of a class with
        one row are negatives only.
    samples_per_class : int
        Number of items per class, K, at least 2.
    margin : float or Tensor of shape (...)
        Margin in units of distance; a tensor holds one value per list.
    mining : {"all", "hard", "semihard", "easy", "random"}, default="semihard"
        Which triplets count, see :func:`batch_triplet_loss`.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        Distance between embeddings, see :func:`pairwise_distance`.
    soft : bool, default=False
        If True, use softplus instead of the hinge.
    generator : torch.Generator or sequence of torch.Generator, optional
        Draws the negatives of ``mining="random"``. A sequence holds one generator per list of the flattened leading
        axes.

    Returns
    -------
    Tensor of shape (...)
        One value per list: exactly 0, with a zero gradient, if no triplet is valid; NaN if an embedding is NaN.

    Raises
    ------
    ValueError
        If ``mining`` or ``distance`` is unknown, ``rows`` has a wrong shape, ``samples_per_class`` does not divide the
        items into blocks, or ``generator`` is missing for ``mining="random"``.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import block_triplet_loss
    >>> x = torch.tensor([[0.0], [1.0], [1.5], [4.0]])
    >>> block_triplet_loss(x, torch.arange(4), samples_per_class=2, margin=1.0, mining="hard")
    tensor(1.3750)
    """
    _check_mining(mining)
    rows = per_item("rows", rows, embeddings.shape[:-1])
    check_blocks(rows.shape[-1], samples_per_class)
    if embeddings.shape[-2] == 0:
        return sum_last(embeddings, 2)
    d = one_sided_distance(embeddings, distance=distance)
    candidates = _candidates.from_blocks(d.detach(), rows, samples_per_class)
    return _mean_of_mined(d, candidates, margin, mining, soft, generator)


def _mean_of_mined(d: Tensor, c: Candidates, margin: PerList, mining: str, soft: bool, generator: Generators) -> Tensor:
    mined = mine(c, per_list("margin", margin, d, 2), mining, soft=soft, generator=generator)
    # The gradient of a distance moves both of its rows.
    return with_slopes(d, mined.value + nan_of_rows(c.d_an), mined.slopes + mined.slopes.mT)


def nan_of_rows(d: Tensor) -> Tensor:
    """Return 0 for the distances of finite rows, else NaN. Mining may skip a NaN, but the loss must not hide it.

    The distance of a finite row to itself is 0; that of any other row is NaN.
    """
    return d.diagonal(dim1=-2, dim2=-1).sum(-1)


def _check_mining(mining: str) -> None:
    if mining not in MININGS:
        raise ValueError(f"mining must be one of {', '.join(map(repr, MININGS))}, got {mining!r}.")


def check_blocks(n: int, samples_per_class: int) -> None:
    """Raise unless n items divide into equal blocks of at least two."""
    if samples_per_class < 2 or n % samples_per_class:
        raise ValueError(
            f"samples_per_class must be at least 2 and divide the {n} items into equal blocks, got {samples_per_class}."
        )
