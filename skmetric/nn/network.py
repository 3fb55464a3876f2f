"""Networks over tables, as stacks of models that train side by side."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skmetric.nn.layers import ALL, InputScaling, StackedLinear, unit_length

if TYPE_CHECKING:
    from skmetric.nn.spec import NetworkSpec

__all__ = ["SingleModule", "StackNetwork", "TabularStack", "Weights"]

Weights = Mapping[str, NDArray]


class StackNetwork(nn.Module):
    """M models side by side, from rows (M, n, n_features) to outputs.

    The outputs are the rows' representation (M, n, n_outputs), or scores (M, n, n_scores) that a linear head makes of
    it.

    Attributes
    ----------
    n_models : int
        M.
    keep_width : int
        How many activations of an item dropout decides over; 0 without dropout.
    """

    n_models: int
    keep_width: int

    @abstractmethod
    def forward(self, x: Tensor, keep: Tensor | None = None, models: slice = ALL) -> Tensor:
        """Outputs of the given models; ``keep`` (M, n, keep_width) multiplies the activations while training."""

    @abstractmethod
    def represent(self, x: Tensor, keep: Tensor | None = None, models: slice = ALL) -> Tensor:
        """Representation of the rows, (M, n, n_outputs)."""

    @abstractmethod
    def fit_inputs(self, tables: Sequence[NDArray]) -> None:
        """Adapt each model's input scaling to its training rows."""

    @abstractmethod
    def weights_of(self, model: int) -> dict[str, NDArray]:
        """Copies of everything that one model has learned, without the stack axis."""

    @abstractmethod
    def load(self, weights: Sequence[Weights]) -> None:
        """Give each model its weights."""


class TabularStack(StackNetwork):
    """Multi-layer perceptrons with ReLU and dropout on scaled inputs.

    Parameters
    ----------
    spec : NetworkSpec
        The common shape.
    rngs : sequence of numpy.random.Generator
        One a model, for its initial weights.
    """

    def __init__(self, spec: "NetworkSpec", rngs: Sequence[np.random.Generator]) -> None:
        super().__init__()
        self.n_models = len(rngs)
        self.hidden_widths = spec.hidden_layer_sizes
        self.keep_width = sum(self.hidden_widths) if spec.dropout else 0
        self.normalize = spec.normalize
        self.scaling = InputScaling(self.n_models, spec.n_features) if spec.scale_inputs else None
        widths = [spec.n_features, *self.hidden_widths]
        self.layers = nn.ModuleList(StackedLinear(n_in, n_out, rngs) for n_in, n_out in pairwise(widths))
        self.has_scores = spec.n_scores is not None
        self.head = StackedLinear(widths[-1], spec.n_scores or spec.n_outputs, rngs)

    def forward(self, x: Tensor, keep: Tensor | None = None, models: slice = ALL) -> Tensor:
        """Outputs of the given models."""
        x = self.represent(x, keep, models)
        return self.head(x, models) if self.has_scores else x

    def represent(self, x: Tensor, keep: Tensor | None = None, models: slice = ALL) -> Tensor:
        """Representation of the rows: where there are scores, the last hidden layer."""
        if self.scaling is not None:
            x = self.scaling(x, models)
        keeps = [None] * len(self.layers) if keep is None else keep.split(self.hidden_widths, -1)
        for layer, layer_keep in zip(self.layers, keeps, strict=True):
            x = layer(x, models).relu_()
            x = x if layer_keep is None else x * layer_keep
        if self.has_scores:
            return x
        x = self.head(x, models)
        return unit_length(x) if self.normalize else x

    def fit_inputs(self, tables: Sequence[NDArray]) -> None:
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


class SingleModule(StackNetwork):
    """A user's own module, which knows no stack axis: a stack of one.

    Parameters
    ----------
    spec : NetworkSpec
        Says how to build the module.
    rngs : sequence of numpy.random.Generator
        One, which draws the weights of the head where there is one; the module draws its own.
    """

    def __init__(self, spec: "NetworkSpec", rngs: Sequence[np.random.Generator]) -> None:
        super().__init__()
        assert spec.module is not None
        self.n_models, self.keep_width, self.normalize = 1, 0, spec.normalize
        self.module = self._build(spec)
        self.head = None if spec.n_scores is None else StackedLinear(spec.n_outputs, spec.n_scores, rngs)

    def forward(self, x: Tensor, keep: Tensor | None = None, models: slice = ALL) -> Tensor:
        """Outputs of the module, or the scores that the head makes of them."""
        x = self.represent(x, keep, models)
        return x if self.head is None else self.head(x)

    def represent(self, x: Tensor, keep: Tensor | None = None, models: slice = ALL) -> Tensor:
        """Outputs of the module."""
        del keep, models
        # A copy, as a module may work in place, and outside training the rows may be the caller's own memory.
        x = self.module(x[0].clone()).unsqueeze(0)
        return unit_length(x) if self.normalize else x

    @staticmethod
    def _build(spec: "NetworkSpec") -> nn.Module:
        assert spec.module is not None
        call = f"module({spec.n_features}, {spec.n_outputs})"
        if isinstance(spec.module, nn.Module):
            raise TypeError(
                "module must be a function that builds a network, (n_features_in, n_components) -> torch.nn.Module; "
                f"got a network, {type(spec.module).__name__}. Every fit needs a new one: pass a function."
            )
        built = spec.module(spec.n_features, spec.n_outputs)
        if not isinstance(built, nn.Module):
            raise TypeError(f"{call} must return a torch.nn.Module; got {type(built).__name__}.")
        built = built.float()
        with torch.no_grad():
            output = built.eval()(torch.zeros(2, spec.n_features, dtype=torch.float32))
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        if shape != (2, spec.n_outputs):
            raise ValueError(
                f"{call} must map rows (n, {spec.n_features}) to one tensor (n, {spec.n_outputs}); for 2 rows it gave "
                f"{shape}. Make its last layer as wide as its second argument."
            )
        if not any(p.requires_grad for p in built.parameters()):
            raise ValueError(f"{call} must have trainable parameters; it has none.")
        return built

    def fit_inputs(self, tables: Sequence[NDArray]) -> None:
        """A user's module takes the inputs as given."""

    def weights_of(self, model: int) -> dict[str, NDArray]:
        """Copies of the module's and the head's state."""
        del model
        return {name: value.cpu().numpy().copy() for name, value in self.state_dict().items()}

    def load(self, weights: Sequence[Weights]) -> None:
        """Give the module and the head their state."""
        (state,) = weights
        self.load_state_dict({name: torch.as_tensor(np.array(value)) for name, value in state.items()})
