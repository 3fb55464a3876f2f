"""Base class of all networks: a stack of models with a representation, a head and proxies."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skmetric._core.nn.inputs import InputState
from skmetric._core.nn.layers import ALL, StackedLinear
from skmetric._core.nn.smoothing import FeatureSmoothing
from skmetric._core.nn.spec import NetworkSpec

__all__ = ["Outputs", "StackNetwork", "Weights"]

Weights = Mapping[str, NDArray]


class Outputs(NamedTuple):
    """Outputs of a network for rows.

    Attributes
    ----------
    representation : Tensor of shape (n_models, n, n_outputs)
        Embedding of the rows. If there are scores, the last hidden layer.
    scores : Tensor of shape (n_models, n, n_scores), or None
        Output of the linear head, if the network has one.
    proxies : Tensor of shape (n_models, n_proxies, n_outputs), or None
        Learned points to compare the representation with, if the network has any. They do not depend on the rows.
    """

    representation: Tensor
    scores: Tensor | None
    proxies: Tensor | None = None

    @property
    def final(self) -> Tensor:
        """The scores if there are any, else the representation."""
        return self.representation if self.scores is None else self.scores

    def detach(self) -> "Outputs":
        """Return the same values without a gradient. Proxies are copied, because training changes them in place."""
        scores = None if self.scores is None else self.scores.detach()
        proxies = None if self.proxies is None else self.proxies.detach().clone()
        return Outputs(self.representation.detach(), scores, proxies)


class StackNetwork(nn.Module):
    """Several models side by side, from rows (n_models, n, n_features) to their representation and to scores.

    Parameters
    ----------
    spec : NetworkSpec
        Shape of each model.
    states : sequence of InputState
        States of the input encodings, one per model.
    rngs : sequence of numpy.random.Generator
        Generators of the initial weights, one per model.

    Attributes
    ----------
    n_models : int
        Number of models.
    n_outputs : int
        Width of the representation.
    keep_width : int
        Number of activations per item that dropout may set to zero; 0 without dropout.
    row_block : int
        Rows must be padded to a multiple of this number if outputs must not depend on the number of rows.
    draws_globally : bool
        Whether the representation may draw from torch's global generators.
    learns_representation : bool
        Whether the layers before the head have trainable parameters.
    """

    keep_width: int
    row_block: int
    draws_globally: bool

    def __init__(self, spec: NetworkSpec, states: Sequence[InputState], rngs: Sequence[np.random.Generator]) -> None:
        super().__init__()
        self.n_models = len(rngs)
        self.normalize = spec.normalize
        width, used = self._build_body(spec, states, rngs)
        self.n_outputs = width
        self.learns_representation = any(p.requires_grad for p in self.parameters())
        self.head = None if spec.n_scores is None else StackedLinear(width, spec.n_scores, rngs, used)
        self.smoothing = None if spec.smoothing is None else FeatureSmoothing(spec.smoothing, self.n_models, width)
        # Drawn last, so that a network starts from the same other weights with and without proxies.
        self.proxies = None if spec.n_proxies is None else _draw_proxies(spec.n_proxies, width, rngs)

    def forward(
        self, x: Tensor, keep: Tensor | None = None, models: slice = ALL, bins: Tensor | None = None
    ) -> Outputs:
        """Compute the outputs of the given models for rows (n_models, n, n_features).

        During training, activations are multiplied by ``keep`` (n_models, n, keep_width). ``bins`` (n_models, n) holds
        the bins of the target for smoothing the representation before the head.
        """
        return self.conclude(self.represent(x, keep, models), models, bins)

    def conclude(self, representation: Tensor, models: slice = ALL, bins: Tensor | None = None) -> Outputs:
        """Compute the outputs from the representation of the rows."""
        proxies = self.proxies if self.proxies is None or models == ALL else self.proxies[models]
        if self.head is None:
            return Outputs(representation, None, proxies)
        features = representation
        if self.smoothing is not None and bins is not None:
            features = self.smoothing(representation, bins)
        return Outputs(representation, self.head(features, models), proxies)

    def final(self, x: Tensor, models: slice = ALL) -> Tensor:
        """Compute the scores of rows if the network has a head, else their representation."""
        return self(x, models=models).final

    def end_epoch(self) -> None:
        """Update the statistics that are collected over an epoch."""
        if self.smoothing is not None:
            self.smoothing.end_epoch()

    @abstractmethod
    def _build_body(
        self, spec: NetworkSpec, states: Sequence[InputState], rngs: Sequence[np.random.Generator]
    ) -> tuple[int, Sequence[int]]:
        """Build the layers before the head. Returns the width, and the used columns of each model."""

    @abstractmethod
    def represent(self, x: Tensor, keep: Tensor | None = None, models: slice = ALL) -> Tensor:
        """Compute the representation of the rows, (n_models, n, n_outputs)."""

    @abstractmethod
    def weights_of(self, model: int) -> dict[str, NDArray]:
        """Return copies of all weights of one model, without the stack axis."""

    @abstractmethod
    def load(self, weights: Sequence[Weights]) -> None:
        """Set the weights of each model."""


def _draw_proxies(n_proxies: int, width: int, rngs: Sequence[np.random.Generator]) -> nn.Parameter:
    """Draw points of length about 1 in random directions."""
    drawn = np.stack([rng.standard_normal((n_proxies, width)) for rng in rngs]) / math.sqrt(width)
    return nn.Parameter(torch.from_numpy(drawn.astype(np.float32)))
