"""A hand-written training loop, and the same network in plain skorch."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import Tensor, nn

from skmetric._core.sampling import ClassBatchSampler
from skmetric.losses import batch_triplet_loss, block_triplet_loss

__all__ = ["BareLoop", "Task", "plain_skorch"]

HIDDEN = (256, 256)
N_COMPONENTS = 16
MARGIN = 0.5
BATCH_SIZE = 256
SAMPLES_PER_CLASS = 4
LEARNING_RATE = 0.005
WEIGHT_DECAY = 0.05


@dataclass(frozen=True, eq=False)
class Task:
    """A random table and random classes."""

    X: NDArray[np.float32]
    y: NDArray[np.int64]

    @classmethod
    def draw(cls, n_rows: int, n_features: int = 50, n_classes: int = 100) -> "Task":
        """Draw a random table and random classes."""
        rng = np.random.default_rng(0)
        return cls(rng.standard_normal((n_rows, n_features), np.float32), rng.integers(n_classes, size=n_rows))


class BareNetwork(nn.Module):
    """Standardized and bounded inputs, linear layers with ReLU, and outputs of unit length."""

    center: Tensor
    inverse_scale: Tensor

    def __init__(self, center: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("center", center)
        self.register_buffer("inverse_scale", 1 / scale)
        hidden = [(nn.Linear(*widths), nn.ReLU(inplace=True)) for widths in pairwise((len(center), *HIDDEN))]
        self.layers = nn.Sequential(*(layer for pair in hidden for layer in pair), nn.Linear(HIDDEN[-1], N_COMPONENTS))

    def forward(self, x: Tensor) -> Tensor:
        """Embed rows."""
        z = (x - self.center) * self.inverse_scale
        z = z * (z / 3).square_().add_(1).rsqrt_()
        outputs = self.layers(z)
        return outputs * (outputs.square().sum(-1, keepdim=True) + 1e-12).rsqrt()


class BareLoop:
    """Training steps on batches that are drawn in advance.

    Parameters
    ----------
    task : Task
        Table and classes to learn.
    n_epochs : int
        Number of epochs for which batches are drawn.
    """

    def __init__(self, task: Task, n_epochs: int) -> None:
        sampler = ClassBatchSampler(task.y, batch_size=BATCH_SIZE, samples_per_class=SAMPLES_PER_CLASS)
        rng = np.random.default_rng(0)
        self.X = torch.from_numpy(task.X)
        self.epochs = [torch.from_numpy(sampler.draw_epoch(rng)) for _ in range(n_epochs)]

    def train(self, on_epoch_end: Callable[[], None]) -> None:
        """Train a new network, and call ``on_epoch_end`` after each epoch."""
        network = BareNetwork(self.X.mean(0), self.X.std(0))
        optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)
        for batches in self.epochs:
            for rows in batches.unbind():
                loss = block_triplet_loss(
                    network(self.X.index_select(0, rows)), rows, samples_per_class=SAMPLES_PER_CLASS, margin=MARGIN
                )
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
            on_epoch_end()


class LabelLoss(nn.Module):
    """The loss as a skorch criterion, for batches with any labels."""

    def forward(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Compute the semi-hard triplet loss."""
        return batch_triplet_loss(outputs, labels, margin=MARGIN)


def plain_skorch(task: Task, n_epochs: int, clock: Callback) -> NeuralNet:
    """Build a NeuralNet with skorch's data loading (shuffled, collated single rows) and no unnecessary callbacks."""
    X = torch.from_numpy(task.X)
    return NeuralNet(
        BareNetwork,
        LabelLoss,
        module__center=X.mean(0),
        module__scale=X.std(0),
        optimizer=torch.optim.AdamW,
        optimizer__fused=True,
        optimizer__weight_decay=WEIGHT_DECAY,
        lr=LEARNING_RATE,
        max_epochs=n_epochs,
        batch_size=BATCH_SIZE,
        iterator_train__shuffle=True,
        train_split=None,
        callbacks=[("clock", clock)],
        callbacks__valid_loss=None,
        callbacks__print_log=None,
        verbose=0,
    )
