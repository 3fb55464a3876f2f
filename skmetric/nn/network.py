"""Networks over tables, as stacks of models that train side by side."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skmetric.nn.layers import ALL, InputScaling, StackedLinear, unit_length

__all__ = ["NetworkSpec", "SingleModule", "StackNetwork", "TabularStack", "Weights"]

Weights = Mapping[str, NDArray]


class StackNetwork(nn.Module):
    """M models side by side: rows (M, n, n_features) to outputs (M, n, n_outputs).

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
        widths = [spec.n_features, *self.hidden_widths, spec.n_outputs]
        self.layers = nn.ModuleList(StackedLinear(n_in, n_out, rngs) for n_in, n_out in pairwise(widths))

    def forward(self, x: Tensor, keep: Tensor | None = None, models: slice = ALL) -> Tensor:
        """Outputs of the given models."""
        if self.scaling is not None:
            x = self.scaling(x, models)
        *hidden, head = self.layers
        keeps = [None] * len(hidden) if keep is None else keep.split(self.hidden_widths, -1)
        for layer, layer_keep in zip(hidden, keeps, strict=True):
            x = layer(x, models).relu_()
            x = x if layer_keep is None else x * layer_keep
        x = head(x, models)
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
    """

    def __init__(self, spec: "NetworkSpec") -> None:
        super().__init__()
        assert spec.module is not None
        self.n_models, self.keep_width, self.normalize = 1, 0, spec.normalize
        self.module = self._build(spec)

    def forward(self, x: Tensor, keep: Tensor | None = None, models: slice = ALL) -> Tensor:
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
        """Copies of the module's state."""
        del model
        return {name: value.cpu().numpy().copy() for name, value in self.module.state_dict().items()}

    def load(self, weights: Sequence[Weights]) -> None:
        """Give the module its state."""
        (state,) = weights
        self.module.load_state_dict({name: torch.as_tensor(np.array(value)) for name, value in state.items()})


@dataclass(frozen=True)
class NetworkSpec:
    """The shape of a network: equal specs can be trained as one stack.

    Attributes
    ----------
    n_features, n_outputs : int
        Widths of input and output.
    hidden_layer_sizes : tuple of int
        Widths of the hidden layers.
    dropout : float
        Share of the hidden activations set to zero while training.
    normalize : bool
        Whether outputs are scaled to unit length.
    scale_inputs : bool
        Whether inputs pass :class:`InputScaling`.
    module : callable, optional
        ``(n_features, n_outputs) -> torch.nn.Module``, in place of the layers above; it gets inputs as given.
    """

    n_features: int
    n_outputs: int
    hidden_layer_sizes: tuple[int, ...]
    dropout: float
    normalize: bool
    scale_inputs: bool
    module: Callable[[int, int], nn.Module] | None = None

    def build(self, rngs: Sequence[np.random.Generator]) -> StackNetwork:
        """Build a stack of as many models as there are generators.

        A user's module draws its weights from torch's global generator: the caller seeds and restores that.
        """
        return TabularStack(self, rngs) if self.module is None else SingleModule(self)
