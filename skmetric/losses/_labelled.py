"""Contrasts over batches of labelled items."""

from torch import Tensor

from skmetric.losses._arguments import PerList, labelled_items
from skmetric.losses.contrasts import Contrast, contrast, pairs_of_labels
from skmetric.losses.distance import pairwise_distance
from skmetric.losses.reduction import sum_last


def contrast_of_labels(
    form: Contrast, embeddings: Tensor, labels: Tensor, distance: str, mask: Tensor | None, **numbers: PerList
) -> Tensor:
    """Loss of each list (...) over all pairs of its real items."""
    embeddings, labels, mask = labelled_items(embeddings, labels, mask)
    if embeddings.shape[-2] == 0:
        return sum_last(embeddings, 2)
    d = pairwise_distance(embeddings, distance=distance)
    return contrast(form, d, pairs_of_labels(labels, mask), **numbers)
