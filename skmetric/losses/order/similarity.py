"""Similarities between the rows of a batch, by features and by labels: larger is more similar."""

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import normalize, pad

from skmetric._bits import REGISTER
from skmetric.losses._arguments import per_item
from skmetric.losses._kept import is_exact
from skmetric.losses.distance import pairwise_distance

SIMILARITIES = ("euclidean", "cosine")

LabelSimilarity = Callable[[Tensor], Tensor]


def feature_similarity(features: Tensor, similarity: str) -> Tensor:
    """Minus the distance of rows, or their cosine minus 1: (..., n, n), 0 on the diagonal."""
    if similarity not in SIMILARITIES:
        raise ValueError(f"similarity must be one of {', '.join(map(repr, SIMILARITIES))}, got {similarity!r}.")
    if similarity == "euclidean":
        return -pairwise_distance(features)
    # Squares of very small or very large entries would underflow or overflow: scale the largest entry to 1 first.
    largest = features.detach().abs().amax(-1, keepdim=True)
    directions = normalize(features / largest.where(largest > 0, 1.0), dim=-1)
    cosine: Tensor = _CosineLessOne.apply(directions)
    # A row of zeros has no direction: its cosine is 0, with no derivative.
    has_direction = largest[..., 0] > 0
    return cosine.where(has_direction.unsqueeze(-1) & has_direction.unsqueeze(-2), -1.0)


class _CosineLessOne(torch.autograd.Function):
    """Products of rows of unit length, minus 1.

    Values are computed from differences of coordinates, so that equal rows tie exactly. Slopes need no exact ties, and
    are one matrix product.
    """

    @staticmethod
    def forward(ctx: Any, directions: Tensor) -> Tensor:
        ctx.save_for_backward(directions)
        return torch.cdist(directions, directions, compute_mode="donot_use_mm_for_euclid_dist").square_().mul_(-0.5)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (directions,) = ctx.saved_tensors
        *leading, n, width = directions.shape
        # A batched product even for one list, because the product of two single matrices may round differently.
        n_lists, padded = math.prod(leading), pad(directions, (0, -width % REGISTER))
        slopes = (gradient + gradient.mT).reshape(n_lists, n, n) @ padded.reshape(n_lists, *padded.shape[-2:])
        return slopes[..., :width].reshape(directions.shape)


def similarity_of_labels(features: Tensor, labels: Tensor, similarity: LabelSimilarity | None) -> Tensor:
    """Minus the distance of labels, or the similarity returned by the user's function, (..., n, n).

    They have the type of the features, or their own if that of the features does not hold all their values.
    """
    if similarity is None:
        labels = _held(per_item("labels", labels, features.shape[:-1]), features.dtype)
        return -(labels.unsqueeze(-1) - labels.unsqueeze(-2)).abs()
    shape = (*features.shape[:-1], features.shape[-2])
    values = similarity(labels)
    with suppress(RuntimeError):
        if values.shape[-2:] == shape[-2:]:
            return _held(values.expand(shape), features.dtype)
    raise ValueError(
        f"label_similarity must return one value per pair of rows, shape {shape}, got shape {tuple(values.shape)}."
    )


def _held(values: Tensor, dtype: torch.dtype) -> Tensor:
    if is_exact(values.dtype, dtype):
        return values.to(dtype)
    return values if values.is_floating_point() else values.long()
