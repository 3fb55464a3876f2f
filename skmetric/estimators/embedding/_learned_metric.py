"""Distances between embedded points, and the learned metric as a function of two points."""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from skmetric._core.engine import TrainedNetwork
from skmetric._core.nn import Columns

__all__ = ["LearnedMetric", "distance_between"]


def distance_between(left: NDArray[np.float32], right: NDArray[np.float32], distance: str) -> NDArray[np.float32]:
    """Compute distances between two sets of embeddings (..., d), which have unit length if the distance is cosine."""
    d: NDArray[np.float32] = np.square(left - right).sum(axis=-1)
    if distance == "euclidean":
        d = np.sqrt(d)
    elif distance == "cosine":
        # Half the squared distance of two vectors of unit length is one minus their cosine.
        d = d * np.float32(0.5)
    return d


class LearnedMetric:
    """Distance between the embeddings of two points, for example for ``KNeighborsClassifier(metric=...)``.

    The distance is always Euclidean, because search trees need the triangle inequality, which cosine and squared
    distances violate. All three order neighbors in the same way.

    Parameters
    ----------
    network : TrainedNetwork
        The network that embeds points.
    device : str or torch.device
        Device on which it embeds them.
    """

    def __init__(self, network: TrainedNetwork, device: str | torch.device) -> None:
        self._network, self._device = network, device

    def __call__(self, u: ArrayLike, v: ArrayLike, squared: bool = False) -> float:
        """Compute the distance between two points of shape (n_features,), or its square."""
        points = [np.asarray(point, dtype=np.float64) for point in (u, v)]
        width = self._network.spec.n_features
        for name, point in zip("uv", points, strict=True):
            if point.shape != (width,):
                raise ValueError(
                    f"{name} must be one point, shape ({width},), got shape {point.shape}. For many points, use "
                    "pair_distance."
                )
        left, right = self._network.apply(Columns(np.stack(points)), self._device)
        return float(distance_between(left, right, "sqeuclidean" if squared else "euclidean"))

    def __repr__(self) -> str:
        return f"LearnedMetric(n_features={self._network.spec.n_features})"
