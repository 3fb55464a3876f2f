"""A trained network, ready to be applied and to be pickled."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skmetric.engine.device import resolve_device
from skmetric.nn import NetworkSpec, StackNetwork, Weights

__all__ = ["TrainedNetwork"]

# Elements of the widest layer that are computed at a time.
CHUNK = 1 << 24


class TrainedNetwork:
    """The weights of one model as numpy arrays, and the network that they make up on a device.

    A pickle holds the arrays only: what was trained on a GPU loads where there is none.

    Parameters
    ----------
    spec : NetworkSpec
        How to build the network.
    weights : Weights
        What it has learned.
    """

    def __init__(self, spec: NetworkSpec, weights: Weights) -> None:
        self.spec = spec
        self.weights = weights
        self._on_device: tuple[torch.device, StackNetwork] | None = None

    def apply(self, X: NDArray, device: str) -> NDArray[np.float32]:
        """Outputs (n, n_outputs) for rows (n, n_features), computed on the device."""
        where = resolve_device(device)
        network = self._network_on(where)
        length = max(1, CHUNK // max(self.spec.n_features, self.spec.n_outputs, *self.spec.hidden_layer_sizes, 1))
        outputs = np.empty((len(X), self.spec.n_outputs), np.float32)
        with torch.inference_mode():
            for start in range(0, len(X), length):
                piece = np.require(X[start : start + length], requirements=["C", "W"])
                rows = torch.from_numpy(piece).to(where).unsqueeze(0)
                outputs[start : start + length] = network(rows)[0].cpu().numpy()
        return outputs

    def _network_on(self, device: torch.device) -> StackNetwork:
        if self._on_device is None or self._on_device[0] != device:
            # Building draws weights, only to overwrite them; a user's module draws them from the global generator.
            with torch.random.fork_rng(devices=[]):
                network = self.spec.build([np.random.default_rng(0)])
            network.load([self.weights])
            self._on_device = device, network.to(device).eval()
        return self._on_device[1]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_on_device": None}
