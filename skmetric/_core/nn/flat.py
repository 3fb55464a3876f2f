"""All parameters of a stack as one matrix."""

from collections.abc import Sequence

import torch
from torch import Tensor

from skmetric._bits import ALIGNMENT
from skmetric._core.nn.stack_network import StackNetwork

__all__ = ["FlatParameters"]


class FlatParameters:
    """One matrix with the parameters of each model as a row. The parameters of the network become views of it.

    An optimizer step then needs only a few operations, regardless of the number of layers.

    Parameters
    ----------
    network : StackNetwork
        Network whose trainable parameters are moved into the matrix.

    Attributes
    ----------
    parameters : list of Parameter
        Trainable parameters of the network.
    values : Tensor of shape (n_models, n_parameters)
        The matrix, padded with zeros.
    """

    def __init__(self, network: StackNetwork) -> None:
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self._sizes = [p.numel() // network.n_models for p in self.parameters]
        width = -(-sum(self._sizes) // ALIGNMENT) * ALIGNMENT
        self.values = self.parameters[0].new_zeros(network.n_models, width)
        self._gradient = torch.zeros_like(self.values)
        start = 0
        with torch.no_grad():
            for parameter, size in zip(self.parameters, self._sizes, strict=True):
                view = self.values[:, start : start + size].view(parameter.shape)
                parameter.data = view.copy_(parameter)
                start += size
        self._used = self._gradient[:, :start]

    def gradient(self, loss: Tensor) -> Tensor:
        """Compute the gradient of the losses (n_models,), in the layout of ``values``. The next call overwrites it."""
        return self.pull_back(loss, torch.ones_like(loss))

    def pull_back(self, outputs: Tensor, slopes: Tensor) -> Tensor:
        """Propagate a gradient back from outputs, in the layout of ``values``. The next call overwrites the result."""
        return self.lay_out(
            torch.autograd.grad(outputs, self.parameters, slopes, allow_unused=True, materialize_grads=True)
        )

    def lay_out(self, gradients: Sequence[Tensor]) -> Tensor:
        """Copy one gradient per parameter into the layout of ``values``. The next call overwrites the result."""
        rows = [g.reshape(len(self.values), -1) for g in gradients]
        torch.cat(rows, 1, out=self._used)
        return self._gradient
