"""The peer of the search: a skorch net with pytorch-metric-learning's semi-hard triplet loss and sampler."""

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import TripletMarginMiner
from pytorch_metric_learning.samplers import MPerClassSampler
from skorch import NeuralNet
from skorch.dataset import Dataset
from torch import Tensor, nn
from torch.utils.data import DataLoader

__all__ = ["SkorchEmbedder"]


class MinedTripletLoss(nn.Module):
    """The miner and the loss of pytorch-metric-learning, combined as in its documentation."""

    def __init__(self, margin: float = 0.2) -> None:
        super().__init__()
        self.miner = TripletMarginMiner(margin=margin, type_of_triplets="semihard")
        self.loss = TripletMarginLoss(margin=margin)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Compute the mean of the positive hinges of the mined triplets."""
        return self.loss(embeddings, labels, self.miner(embeddings, labels))


class Network(nn.Module):
    """A multi-layer perceptron, 64-128-16."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 16))

    def forward(self, X: Tensor) -> Tensor:
        """Embed rows, scaled to unit length as in the loss."""
        return nn.functional.normalize(self.layers(X))


def balanced_loader(dataset: Dataset, batch_size: int, **params: Any) -> DataLoader:
    """Load batches of 10 classes x 6 rows, by the sampler of pytorch-metric-learning."""
    del batch_size
    sampler = MPerClassSampler(dataset.y, m=6, batch_size=60, length_before_new_iter=len(dataset))
    return DataLoader(dataset, batch_size=60, sampler=sampler, **params)


class SkorchEmbedder(NeuralNet):
    """A skorch net with a ``transform``, for GridSearchCV."""

    def __init__(
        self,
        *,
        margin: float = 0.2,
        max_epochs: int = 20,
        lr: float = 1e-3,
        module: Any = Network,
        criterion: Any = MinedTripletLoss,
        **params: Any,
    ) -> None:
        self.margin = margin
        settings: dict[str, Any] = {
            "optimizer": torch.optim.AdamW,
            "batch_size": 64,
            "train_split": None,
            "iterator_train": balanced_loader,
            "callbacks__print_log": None,
            "verbose": 0,
        }
        super().__init__(module=module, criterion=criterion, max_epochs=max_epochs, lr=lr, **(settings | params))

    def initialize_criterion(self) -> Self:
        """Pass the margin to the criterion."""
        self.criterion_ = self.criterion(margin=self.margin)
        return self

    def fit(self, X: NDArray, y: NDArray, **params: Any) -> Self:
        """Train with a fixed seed, as our embedder does."""
        torch.manual_seed(0)
        return super().fit(X.astype(np.float32), y.astype(np.int64), **params)

    def transform(self, X: NDArray) -> NDArray:
        """Embed rows."""
        return self.predict(X.astype(np.float32))
