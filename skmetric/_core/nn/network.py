"""Networks for tables, built from their spec."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skmetric._core.nn.inputs import InputState
from skmetric._core.nn.layers import ALL, StackedLinear, unit_length
from skmetric._core.nn.spec import NetworkSpec
from skmetric._core.nn.stack_network import StackNetwork, Weights
from skmetric._core.nn.user_module import UserModule

__all__ = ["TabularNetwork", "build_network", "identity_weights"]


def build_network(spec: NetworkSpec, states: Sequence[InputState], rngs: Sequence[np.random.Generator]) -> StackNetwork:
    """Build a stack of models from one state of the inputs and one generator of initial weights per model.

    A user's module draws its weights from torch's global generator, which the caller must seed and restore.
    """
    kind = TabularNetwork if spec.module is None else UserModule
    return kind(spec, states, rngs)


def identity_weights(spec: NetworkSpec) -> Weights:
    """Return the weights with which a network without hidden layers maps its inputs to themselves."""
    return {
        "last.weight": np.eye(spec.input_width, spec.n_outputs, dtype=np.float32),
        "last.bias": np.zeros((1, spec.n_outputs), dtype=np.float32),
    }


class TabularNetwork(StackNetwork):
    """Multi-layer perceptrons with ReLU and dropout on encoded inputs.

    The representation is the output of one more linear layer or, if there are scores, of the last hidden layer.
    """

    row_block = 64
    draws_globally = False

    def _build_body(
        self, spec: NetworkSpec, states: Sequence[InputState], rngs: Sequence[np.random.Generator]
    ) -> tuple[int, Sequence[int]]:
        self.hidden_widths = spec.hidden_layer_sizes
        self.keep_width = sum(self.hidden_widths) if spec.dropout else 0
        self.inputs = spec.inputs.build(states, rngs)
        self.layers = nn.ModuleList()
        width, used = spec.input_width, [state.n_used for state in states]
        for n_out in self.hidden_widths:
            self.layers.append(StackedLinear(width, n_out, rngs, used))
            width, used = n_out, [n_out] * self.n_models
        if spec.n_scores:
            self.last = None
            return width, used
        self.last = StackedLinear(width, spec.n_outputs, rngs, used)
        return spec.n_outputs, [spec.n_outputs] * self.n_models

    def represent(self, x: Tensor, keep: Tensor | None = None, models: slice = ALL) -> Tensor:
        """Compute the representation of the rows."""
        x = self.inputs(x, models)
        keeps = [None] * len(self.layers) if keep is None else keep.split(self.hidden_widths, -1)
        for layer, layer_keep in zip(self.layers, keeps, strict=True):
            x = layer(x, models).relu_()
            x = x if layer_keep is None else x * layer_keep
        if self.last is None:
            return x
        x = self.last(x, models)
        return unit_length(x) if self.normalize else x

    def weights_of(self, model: int) -> dict[str, NDArray]:
        """Return copies of all weights of one model, without the stack axis."""
        return {name: value[model].cpu().numpy().copy() for name, value in self.state_dict().items()}

    def load(self, weights: Sequence[Weights]) -> None:
        """Set the weights of each model."""
        with torch.no_grad():
            for name, value in self.state_dict().items():
                value.copy_(torch.from_numpy(np.stack([w[name] for w in weights])))
