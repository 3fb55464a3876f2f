"""Distances between all rows of a batch: smaller is closer."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from skmetric.losses._precision import in_float32, refuse_integers

__all__ = ["DISTANCES", "cross_distance", "one_sided_distance", "pairwise_distance"]

DISTANCES = ("euclidean", "sqeuclidean", "cosine")

# Rows shorter than this are not scaled to unit length. It bounds the slope of the cosine distance near the origin.
SHORTEST = 1e-6
# On CUDA, the gradient of distances needs the differences of all coordinates. At most this many are held per list.
DIFFERENCES = 1 << 24


class _BothRoles(torch.autograd.Function):
    """Distances from rows to a detached copy of the same rows, with the gradient for both.

    The distance from i to j moves rows i and j by the same amount. Adding the transposed gradient covers both in one
    pass, where ``cdist`` needs two.
    """

    @staticmethod
    def forward(ctx: Any, d: Tensor) -> Tensor:
        del ctx
        return d.view_as(d)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        del ctx
        return gradient + gradient.mT


@in_float32
def pairwise_distance(embeddings: Tensor, *, distance: str = "euclidean") -> Tensor:
    r"""Distances between all pairs of rows.

    "euclidean" is :math:`\lVert x - y \rVert`, "sqeuclidean" its square, and "cosine" is
    :math:`1 - x \cdot y / (\lVert x \rVert \lVert y \rVert)`.

    Parameters
    ----------
    embeddings : Tensor of shape (..., n, d)
        Embeddings, one row per item.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        Distance to compute.

    Returns
    -------
    Tensor of shape (..., n, n)
        Distances between all pairs of rows. Equal rows have distance exactly 0 and exactly the same distances to all
        other rows. The gradient is finite everywhere, and 0 between equal rows.

    Raises
    ------
    ValueError
        If ``distance`` is none of the above.

    Notes
    -----
    The differences are taken coordinate by coordinate. The usual shortcut
    :math:`\lVert x \rVert^2 + \lVert y \rVert^2 - 2 x \cdot y` loses half of the digits of a small distance, and hard
    triplets have small distances. Memory is O(n^2). The cosine distance is computed as half the squared distance of the
    rows scaled to unit length. A row of zeros has no direction; its distance to every other row is 1/2.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import pairwise_distance
    >>> pairwise_distance(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))
    tensor([[0., 5.],
            [5., 0.]])
    """
    points = _directions(embeddings, distance)
    return _from_euclidean(_BothRoles.apply(_euclidean(points, points.detach())), distance)


def one_sided_distance(embeddings: Tensor, *, distance: str = "euclidean") -> Tensor:
    """Compute the same distances, with a gradient for the first row of each pair only.

    For slopes that are symmetric already: :func:`pairwise_distance` would count them twice.
    """
    points = _directions(embeddings, distance)
    return _from_euclidean(_euclidean(points, points.detach()), distance)


@in_float32
def cross_distance(rows: Tensor, columns: Tensor, *, distance: str = "euclidean") -> Tensor:
    """Distances from rows to the rows of another set.

    Parameters
    ----------
    rows : Tensor of shape (..., n, d)
        Points of the first set; they are the rows of the result.
    columns : Tensor of shape (..., c, d)
        Points of the second set; they are the columns of the result.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        Distance to compute, see :func:`pairwise_distance`.

    Returns
    -------
    Tensor of shape (..., n, c)
        Distances of all pairs. Between equal points, distance and gradient are 0.

    Raises
    ------
    ValueError
        If ``distance`` is none of the above.

    Examples
    --------
    >>> import torch
    >>> from skmetric.losses import cross_distance
    >>> cross_distance(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    refuse_integers("rows", rows)
    points, others = _directions(rows, distance), _directions(columns, distance)
    return _from_euclidean(_euclidean(points, others), distance)


def _directions(points: Tensor, distance: str) -> Tensor:
    if distance not in DISTANCES:
        raise ValueError(f"distance must be one of {', '.join(map(repr, DISTANCES))}, got {distance!r}.")
    return normalize(points, dim=-1, eps=SHORTEST) if distance == "cosine" else points


def _euclidean(points: Tensor, others: Tensor) -> Tensor:
    """Compute distances (..., n, c) from points (..., n, d) to others (..., c, d), some rows at a time."""
    step = max(1, DIFFERENCES // max(1, others.shape[-2:].numel()))
    parts = points.split(step, -2) if points.shape[-2] > step else [points]
    d = [torch.cdist(part, others, compute_mode="donot_use_mm_for_euclid_dist") for part in parts]
    return d[0] if len(d) == 1 else torch.cat(d, -2)


def _from_euclidean(d: Tensor, distance: str) -> Tensor:
    if distance == "euclidean":
        return d
    return d.square() if distance == "sqeuclidean" else d.square() / 2
