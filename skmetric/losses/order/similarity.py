"""How alike the rows of a batch are, by features and by labels: larger is more alike."""

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
from skmetric.losses.distance import pairwise_distance

SIMILARITIES = ("euclidean", "cosine")

LabelSimilarity = Callable[[Tensor], Tensor]


def feature_similarity(features: Tensor, similarity: str) -> Tensor:
    """Minus the distance of rows, or their cosine less 1: (..., n, n), 0 for a row and itself."""
    if similarity not in SIMILARITIES:
        raise ValueError(f"similarity must be one of {', '.join(map(repr, SIMILARITIES))}; got {similarity!r}.")
    if similarity == "euclidean":
        return -pairwise_distance(features)
    # Neither very short nor very long rows are any trouble once their largest entry is 1.
    largest = features.detach().abs().amax(-1, keepdim=True)
    directions = normalize(features / largest.where(largest > 0, 1.0), dim=-1)
    cosine: Tensor = _CosineLessOne.apply(directions)
    # A row of zeros has no direction, and no derivative of one: its cosine is 0.
    has_direction = largest[..., 0] > 0
    return cosine.where(has_direction.unsqueeze(-1) & has_direction.unsqueeze(-2), -1.0)


class _CosineLessOne(torch.autograd.Function):
    """Products of rows of unit length, less 1.

    Equal rows must tie exactly, so values are differences coordinate by coordinate; slopes need not, and are one matrix
    product.
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
        # As a stack even where there is one list: a product of two matrices alone may round otherwise.
        n_lists, padded = math.prod(leading), pad(directions, (0, -width % REGISTER))
        slopes = (gradient + gradient.mT).reshape(n_lists, n, n) @ padded.reshape(n_lists, *padded.shape[-2:])
        return slopes[..., :width].reshape(directions.shape)


def similarity_of_labels(features: Tensor, labels: Tensor, similarity: LabelSimilarity | None) -> Tensor:
    """Minus the distance of labels, or what the user's function makes of them, (..., n, n)."""
    if similarity is None:
        labels = per_item("labels", labels, features.shape[:-1]).to(features.dtype)
        return -(labels.unsqueeze(-1) - labels.unsqueeze(-2)).abs()
    shape = (*features.shape[:-1], features.shape[-2])
    values = similarity(labels)
    with suppress(RuntimeError):
        if values.shape[-2:] == shape[-2:]:
            return values.expand(shape)
    raise ValueError(f"label_similarity must give {shape}, one value a pair of rows; got {tuple(values.shape)}.")
