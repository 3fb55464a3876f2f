"""A trained network that can be applied and pickled."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skmetric._core.engine.device import resolve_device
from skmetric._core.engine.randomness import borrow_global_generators
from skmetric._core.nn import Columns, EncodedRows, InputState, NetworkSpec, StackNetwork, Weights, build_network

__all__ = ["TrainedNetwork", "apply_network"]

# Number of rows that are computed at once.
CHUNK_ROWS = 1 << 15


def apply_network(
    call: Callable[..., Tensor],
    X: NDArray[np.float32] | EncodedRows,
    device: torch.device,
    *,
    block: int,
    models: slice = slice(None),
) -> NDArray[np.float32]:
    """Compute the outputs of one model of a network for encoded rows, piece by piece to limit memory.

    The network must be in evaluation mode. Pieces are padded to a multiple of ``block`` rows, so that the outputs of a
    row do not depend on the number of other rows: matrix products round remaining rows in another way.
    """
    pieces = []
    with torch.inference_mode():
        for start in range(0, len(X), CHUNK_ROWS):
            piece = X[start : start + CHUNK_ROWS]
            n_rows, missing = len(piece), -len(piece) % block
            if missing:
                piece = np.concatenate([piece, np.repeat(piece[-1:], missing, axis=0)])
            # Neither torch nor a user's module can handle read-only memory, such as a memory map.
            rows = torch.from_numpy(np.require(piece, requirements=["C", "W"])).to(device).unsqueeze(0)
            pieces.append(call(rows, models=models)[0, :n_rows].cpu().numpy())
    return np.concatenate(pieces)


class TrainedNetwork:
    """The weights of one model as numpy arrays, and its network on a device.

    A pickle holds only the arrays, so a model trained on a GPU can be loaded on a machine without one.

    Parameters
    ----------
    spec : NetworkSpec
        How to build the network.
    inputs : InputState
        State of the input encoding, learned from the training rows.
    weights : Weights
        Trained weights of the network.
    seed : numpy.random.SeedSequence
        Seed of the fit. A user's module that keeps random numbers outside its state gets the same numbers again.
    """

    def __init__(self, spec: NetworkSpec, inputs: InputState, weights: Weights, seed: np.random.SeedSequence) -> None:
        self.spec = spec
        self.inputs = inputs
        self.weights = weights
        self._seed = seed
        self._on_device: tuple[torch.device, StackNetwork] | None = None

    def apply(self, columns: Columns, device: str | torch.device) -> NDArray[np.float32]:
        """Compute the final outputs for a table on the device: scores, or the representation if there are no scores."""
        where = resolve_device(device)
        network = self._network_on(where)
        return apply_network(network.final, EncodedRows(self.inputs, columns), where, block=network.row_block)

    def represent(self, columns: Columns, device: str | torch.device) -> NDArray[np.float32]:
        """Compute the representation of the rows of a table on the device, (n_samples, n_outputs)."""
        where = resolve_device(device)
        network = self._network_on(where)
        return apply_network(network.represent, EncodedRows(self.inputs, columns), where, block=network.row_block)

    def _network_on(self, device: torch.device) -> StackNetwork:
        if self._on_device is None or self._on_device[0] != device:
            network = self._build()
            network.load([self.weights])
            self._on_device = device, network.to(device).eval()
        return self._on_device[1]

    def _build(self) -> StackNetwork:
        # Building draws weights, which are then overwritten.
        rngs = [np.random.default_rng(0)]
        if self.spec.module is None:
            return build_network(self.spec, [self.inputs], rngs)
        with borrow_global_generators(self._seed, torch.device("cpu")):
            return build_network(self.spec, [self.inputs], rngs)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_on_device": None}
