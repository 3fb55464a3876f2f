"""Networks over tables, as stacks of models that train side by side."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skmetric._core.nn.layers import ALL, InputScaling, StackedLinear, Table, unit_length
from skmetric._core.nn.smoothing import FeatureSmoothing

if TYPE_CHECKING:
    from skmetric._core.nn.spec import NetworkSpec

__all__ = ["Outputs", "StackNetwork", "TabularStack", "Weights"]

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
    rngs : sequence of numpy.random.Generator
        One a model, for initial weights.

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

    def __init__(self, spec: "NetworkSpec", rngs: Sequence[np.random.Generator]) -> None:
        super().__init__()
        self.n_models = len(rngs)
        self.normalize = spec.normalize
        self.n_outputs = width = self._build_body(spec, rngs)
        self.learns_representation = any(p.requires_grad for p in self.parameters())
        self.head = None if spec.n_scores is None else StackedLinear(width, spec.n_scores, rngs)
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
    def _build_body(self, spec: "NetworkSpec", rngs: Sequence[np.random.Generator]) -> int:
        """Make what leads to the representation; its width."""

    @abstractmethod
    def represent(self, x: Tensor, keep: Tensor | None = None, models: slice = ALL) -> Tensor:
        """Representation of the rows, (M, n, n_outputs)."""

    @abstractmethod
    def fit_inputs(self, tables: Sequence[Table]) -> None:
        """Adapt each model's input scaling to its training rows."""

    @abstractmethod
    def weights_of(self, model: int) -> dict[str, NDArray]:
        """Copies of everything that one model has learned, without the stack axis."""

    @abstractmethod
    def load(self, weights: Sequence[Weights]) -> None:
        """Give each model its weights."""


class TabularStack(StackNetwork):
    """Multi-layer perceptrons with ReLU and dropout on scaled inputs.

    The representation is one more linear layer, or, where there are scores, the last hidden layer itself.
    """

    row_block = 64
    draws_globally = False

    def _build_body(self, spec: "NetworkSpec", rngs: Sequence[np.random.Generator]) -> int:
        self.hidden_widths = spec.hidden_layer_sizes
        self.keep_width = sum(self.hidden_widths) if spec.dropout else 0
        self.scaling = InputScaling(self.n_models, spec.n_features) if spec.scale_inputs else None
        widths = [spec.n_features, *self.hidden_widths]
        self.layers = nn.ModuleList(StackedLinear(n_in, n_out, rngs) for n_in, n_out in pairwise(widths))
        self.last = None if spec.n_scores else StackedLinear(widths[-1], spec.n_outputs, rngs)
        return widths[-1] if spec.n_scores else spec.n_outputs

    def represent(self, x: Tensor, keep: Tensor | None = None, models: slice = ALL) -> Tensor:
        """Representation of the rows."""
        if self.scaling is not None:
            x = self.scaling(x, models)
        keeps = [None] * len(self.layers) if keep is None else keep.split(self.hidden_widths, -1)
        for layer, layer_keep in zip(self.layers, keeps, strict=True):
            x = layer(x, models).relu_()
            x = x if layer_keep is None else x * layer_keep
        if self.last is None:
            return x
        x = self.last(x, models)
        return unit_length(x) if self.normalize else x

    def fit_inputs(self, tables: Sequence[Table]) -> None:
        """Adapt each model's input scaling to its training rows."""
        if self.scaling is not None:
            self.scaling.fit(tables)

    def weights_of(self, model: int) -> dict[str, NDArray]:
        """Copies of everything that one model has learned, without the stack axis."""
        return {name: value[model].cpu().numpy().copy() for name, value in self.state_dict().items()}

    def load(self, weights: Sequence[Weights]) -> None:
        """Give each model its weights."""
        with torch.no_grad():
            for name, value in self.state_dict().items():
                value.copy_(torch.from_numpy(np.stack([w[name] for w in weights])))


def _draw_proxies(n_proxies: int, width: int, rngs: Sequence[np.random.Generator]) -> nn.Parameter:
    """Points of about length 1 in directions of their own."""
    drawn = np.stack([rng.standard_normal((n_proxies, width)) for rng in rngs]) / math.sqrt(width)
    return nn.Parameter(torch.from_numpy(drawn.astype(np.float32)))
