"""Triplet losses: an anchor closer to its positive than to its negative, by a margin."""

from torch import Tensor

from skmetric.losses._arguments import PerList, labeled_items, per_item, per_list
from skmetric.losses.distance import one_sided_distance
from skmetric.losses.numerics import sum_last, with_slopes
from skmetric.losses.triplet import _candidates
from skmetric.losses.triplet._candidates import Candidates
from skmetric.losses.triplet._mining import MININGS, Generators, mine

__all__ = ["MININGS", "batch_triplet_loss", "block_triplet_loss", "triplet_margin_loss"]


def triplet_margin_loss(d_ap: Tensor, d_an: Tensor, *, margin: PerList) -> Tensor:
    r"""Hinge of a triplet: :math:`\max(0, d_{ap} - d_{an} + m)`.

    Parameters
    ----------
    d_ap, d_an : Tensor
        Distances from the anchor to its positive and to its negative, broadcastable to each other.
    margin : float or Tensor
        In units of distance.

    Returns
    -------
    Tensor
        One value a triplet.

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

    A triplet (a, p, n) is valid when a and p are two items of one class and n is of another. Its term is the hinge
    :math:`h = \max(0, d_{ap} - d_{an} + m)`, or :math:`\log(1 + \exp(d_{ap} - d_{an} + m))` when ``soft``. The
    mining says which terms are averaged:

    - "all" (batch-all, [1]_): every valid triplet, averaged over those with a positive hinge.
    - "hard" (batch-hard, [1]_): for each anchor its farthest positive and its nearest negative, averaged over the
      anchors that have both.
    - "semihard" ([2]_): for each valid (a, p) the nearest negative that is strictly farther than the positive, else
      the farthest negative, averaged over these pairs, zeros counted.
    - "easy" (easy positive, [3]_): for each anchor its nearest positive and its nearest negative, averaged over the
      anchors that have both.
    - "random": for each valid (a, p) one negative drawn uniformly, averaged over these pairs, zeros counted.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        One row an item.
    labels : Tensor of int, shape (..., n)
        The classes.
    margin : float or Tensor of shape (...)
        In units of distance; a tensor holds one margin a list.
    mining : {"all", "hard", "semihard", "easy", "random"}, default="semihard"
        Which triplets count.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        See :func:`pairwise_distance`.
    mask : Tensor of bool, shape (..., n), optional
        True for a real item. An item that is not real has no influence on value or gradient.
    soft : bool, default=False
        Softplus in place of the hinge. No triplet is then at exactly zero, and "all" averages over all valid ones.
    generator : torch.Generator or sequence of them, optional
        Draws the negatives of mining="random"; in a sequence, one for each list of the (flattened) leading axes.

    Returns
    -------
    Tensor of shape (...)
        One value a list; exactly 0, with a zero gradient, where no triplet is valid. A NaN among the embeddings of
        real items comes out as NaN.

    Raises
    ------
    ValueError
        For an unknown mining or distance, labels or mask that do not fit, or random mining without a generator.

    Notes
    -----
    Memory is O(n^2), time O(n^2 log n); with soft "all", whose terms cannot be counted, the time is O(n^3). FaceNet
    mines semi-hard negatives in batches of thousands; here the batch is what it is, and the fall-back to the farthest
    negative follows the reference implementation that its authors point to. Margins take no gradient.

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

    The same loss as :func:`batch_triplet_loss` with the labels ``[0] * K + [1] * K + ...``, and several times faster
    for small K, as the positives of all anchors make up one dense (n, K - 1) block.

    Parameters
    ----------
    embeddings : Tensor of shape (..., P * K, d)
        The items, class after class.
    rows : Tensor of int, shape (..., P * K)
        Which row of the table each item is. Two draws of one row are no positive pair: a class of one row serves as
        negatives only.
    samples_per_class : int
        K, at least 2.
    margin : float or Tensor of shape (...)
        In units of distance; a tensor holds one margin a list.
    mining : {"all", "hard", "semihard", "easy", "random"}, default="semihard"
        See :func:`batch_triplet_loss`.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        See :func:`pairwise_distance`.
    soft : bool, default=False
        Softplus in place of the hinge.
    generator : torch.Generator or sequence of them, optional
        Draws the negatives of mining="random".

    Returns
    -------
    Tensor of shape (...)
        One value a list, 0 where no triplet is valid.

    Raises
    ------
    ValueError
        For an unknown mining or distance, rows that do not fit, or K that does not divide the items into blocks.

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
    # A distance moves both of its rows.
    return with_slopes(d, mined.value + nan_of_rows(c.d_an), mined.slopes + mined.slopes.mT)


def nan_of_rows(d: Tensor) -> Tensor:
    """0 for the distances of finite rows, else NaN: a choice among distances may pass a NaN by, the loss may not.

    A finite row is at distance 0 from itself, any other at NaN.
    """
    return d.diagonal(dim1=-2, dim2=-1).sum(-1)


def _check_mining(mining: str) -> None:
    if mining not in MININGS:
        raise ValueError(f"mining must be one of {', '.join(map(repr, MININGS))}; got {mining!r}.")


def check_blocks(n: int, samples_per_class: int) -> None:
    """Raise unless n items fall into blocks of at least two."""
    if samples_per_class < 2 or n % samples_per_class:
        raise ValueError(
            f"samples_per_class must be at least 2 and divide the {n} items into equal blocks; got {samples_per_class}."
        )
