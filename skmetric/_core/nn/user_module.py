"""A user's module as a stack of one model."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skmetric._core.nn.inputs import InputState
from skmetric._core.nn.layers import ALL, unit_length
from skmetric._core.nn.spec import NetworkSpec
from skmetric._core.nn.stack_network import StackNetwork, Weights

__all__ = ["UserModule"]


class UserModule(StackNetwork):
    """A stack of one model: a user's module, which has no stack axis.

    The module draws its initial weights itself. The generator draws those of the head and the proxies.
    """

    # Rows may influence each other in a module, so they are not padded.
    row_block = 1
    draws_globally = True

    def _build_body(
        self, spec: NetworkSpec, states: Sequence[InputState], rngs: Sequence[np.random.Generator]
    ) -> tuple[int, Sequence[int]]:
        del states, rngs
        self.keep_width = 0
        self.module = self._build(spec)
        return spec.n_outputs, [spec.n_outputs]

    def represent(self, x: Tensor, keep: Tensor | None = None, models: slice = ALL) -> Tensor:
        """Compute the outputs of the module."""
        del keep, models
        # A copy, because a module may work in place, and outside training the rows may be the caller's memory.
        x = self.module(x[0].clone()).unsqueeze(0)
        return unit_length(x) if self.normalize else x

    @staticmethod
    def _build(spec: NetworkSpec) -> nn.Module:
        assert spec.module is not None
        call = f"module({spec.n_features}, {spec.n_outputs})"
        if isinstance(spec.module, nn.Module):
            raise TypeError(
                "module must be a function that builds a network, (n_features_in, n_components) -> torch.nn.Module, "
                f"got a network, {type(spec.module).__name__}. Pass a function, because every fit needs a new network."
            )
        built = spec.module(spec.n_features, spec.n_outputs)
        if not isinstance(built, nn.Module):
            raise TypeError(f"{call} must return a torch.nn.Module, got {type(built).__name__}.")
        built = built.float()
        with torch.no_grad():
            output = built.eval()(torch.zeros(2, spec.n_features, dtype=torch.float32))
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        if shape != (2, spec.n_outputs):
            raise ValueError(
                f"{call} must map rows (n, {spec.n_features}) to one tensor (n, {spec.n_outputs}), it gave {shape} "
                "for 2 rows. Its last layer must be as wide as its second argument."
            )
        if not any(p.requires_grad for p in built.parameters()):
            raise ValueError(
                f"{call} must have trainable parameters, got a network without any. "
                "Add a layer with weights, or set requires_grad=True."
            )
        return built

    def weights_of(self, model: int) -> dict[str, NDArray]:
        """Return copies of the states of the module and the head."""
        del model
        return {name: value.cpu().numpy().copy() for name, value in self.state_dict().items()}

    def load(self, weights: Sequence[Weights]) -> None:
        """Set the states of the module and the head."""
        (state,) = weights
        self.load_state_dict({name: torch.as_tensor(np.array(value)) for name, value in state.items()})
