"""What all networks have in common: a stack of models, a representation, and what follows from it."""

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
    """What a network makes of rows.

    Attributes
    ----------
    representation : Tensor of shape (M, n, n_outputs)
        The rows' embedding; where there are scores, the last hidden layer.
    scores : Tensor of shape (M, n, n_scores), or None
        What a linear head makes of it, where the network has one.
    proxies : Tensor of shape (M, n_proxies, n_outputs), or None
        Points to compare the representation with, where the network learns any: the same whatever the rows.
    """

    representation: Tensor
    scores: Tensor | None
    proxies: Tensor | None = None

    @property
    def final(self) -> Tensor:
        """The scores where there are any, else the representation."""
        return self.representation if self.scores is None else self.scores

    def detach(self) -> "Outputs":
        """The same values, without a gradient; the network's own proxies may move on."""
        scores = None if self.scores is None else self.scores.detach()
        proxies = None if self.proxies is None else self.proxies.detach().clone()
        return Outputs(self.representation.detach(), scores, proxies)


class StackNetwork(nn.Module):
    """M models side by side, from rows (M, n, n_features) to their representation and to scores.

    Parameters
    ----------
    spec : NetworkSpec
        The common shape.
    states : sequence of InputState
        What the models' encodings have learned, one per model.
    rngs : sequence of numpy.random.Generator
        For initial weights, one per model.

    Attributes
    ----------
    n_models : int
        M.
    n_outputs : int
        Width of the representation.
    keep_width : int
        How many activations of an item dropout decides over; 0 without dropout.
    row_block : int
        Rows come in multiples of so many where outputs must not depend on how many there are.
    draws_globally : bool
        Whether the representation may draw from torch's global generators.
    learns_representation : bool
        Whether there is anything to learn before the head.
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
        # Drawn last: a network with proxies starts from the other weights of one without.
        self.proxies = None if spec.n_proxies is None else _draw_proxies(spec.n_proxies, width, rngs)

    def forward(
        self, x: Tensor, keep: Tensor | None = None, models: slice = ALL, bins: Tensor | None = None
    ) -> Outputs:
        """Outputs of the given models for rows (M, n, n_features).

        While training, ``keep`` (M, n, keep_width) multiplies the activations, and ``bins`` (M, n) says by which bins
        of the target the representation is smoothed on its way to the scores.
        """
        return self.conclude(self.represent(x, keep, models), models, bins)

    def conclude(self, representation: Tensor, models: slice = ALL, bins: Tensor | None = None) -> Outputs:
        """Everything that follows from the rows' representation."""
        proxies = self.proxies if self.proxies is None or models == ALL else self.proxies[models]
        if self.head is None:
            return Outputs(representation, None, proxies)
        features = representation
        if self.smoothing is not None and bins is not None:
            features = self.smoothing(representation, bins)
        return Outputs(representation, self.head(features, models), proxies)

    def final(self, x: Tensor, models: slice = ALL) -> Tensor:
        """Scores of rows where the network gives scores, else their representation."""
        return self(x, models=models).final

    def end_epoch(self) -> None:
        """Note that all rows have been seen once more."""
        if self.smoothing is not None:
            self.smoothing.end_epoch()

    @abstractmethod
    def _build_body(
        self, spec: NetworkSpec, states: Sequence[InputState], rngs: Sequence[np.random.Generator]
    ) -> tuple[int, Sequence[int]]:
        """Make what leads to the representation; its width, and how many of these numbers each model uses."""

    @abstractmethod
    def represent(self, x: Tensor, keep: Tensor | None = None, models: slice = ALL) -> Tensor:
        """Representation of the rows, (M, n, n_outputs)."""

    @abstractmethod
    def weights_of(self, model: int) -> dict[str, NDArray]:
        """Copies of everything that one model has learned, without the stack axis."""

    @abstractmethod
    def load(self, weights: Sequence[Weights]) -> None:
        """Give each model its weights."""


def _draw_proxies(n_proxies: int, width: int, rngs: Sequence[np.random.Generator]) -> nn.Parameter:
    """Points of about length 1 in directions of their own."""
    drawn = np.stack([rng.standard_normal((n_proxies, width)) for rng in rngs]) / math.sqrt(width)
    return nn.Parameter(torch.from_numpy(drawn.astype(np.float32)))
