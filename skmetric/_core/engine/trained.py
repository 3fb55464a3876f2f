"""A trained network, ready to be applied and to be pickled."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skmetric._core.engine.device import resolve_device
from skmetric._core.engine.randomness import borrow_global_generators
from skmetric._core.nn import Columns, InputState, NetworkSpec, StackNetwork, Weights, build_network

__all__ = ["TrainedNetwork", "apply_network"]

# Rows that are computed at a time.
CHUNK_ROWS = 1 << 15


def apply_network(
    call: Callable[..., Tensor], X: NDArray, device: torch.device, *, block: int, models: slice = slice(None)
) -> NDArray[np.float32]:
    """Outputs of one model of a network, in evaluation mode, for rows on the host; in pieces, to bound memory.

    Pieces are filled up to a multiple of ``block`` rows, so that a row's outputs do not depend on how many others there
    are: matrix products round the rows that are left over by themselves.
    """
    pieces = []
    with torch.inference_mode():
        for start in range(0, len(X), CHUNK_ROWS):
            piece = X[start : start + CHUNK_ROWS]
            n_rows, missing = len(piece), -len(piece) % block
            if missing:
                piece = np.concatenate([piece, np.repeat(piece[-1:], missing, axis=0)])
            # Neither torch nor a user's module knows read-only memory, such as a memory map's.
            rows = torch.from_numpy(np.require(piece, requirements=["C", "W"])).to(device).unsqueeze(0)
            pieces.append(call(rows, models=models)[0, :n_rows].cpu().numpy())
    return np.concatenate(pieces)


class TrainedNetwork:
    """The weights of one model as numpy arrays, and the network that they make up on a device.

    A pickle holds the arrays only: what was trained on a GPU loads where there is none.

    Parameters
    ----------
    spec : NetworkSpec
        How to build the network.
    inputs : InputState
        What the encoding of the columns has learned.
    weights : Weights
        What the network has learned.
    seed : numpy.random.SeedSequence
        The fit's: a user's module that holds random numbers outside its state gets the same ones again.
    """

    def __init__(self, spec: NetworkSpec, inputs: InputState, weights: Weights, seed: np.random.SeedSequence) -> None:
        self.spec = spec
        self.inputs = inputs
        self.weights = weights
        self._seed = seed
        self._on_device: tuple[torch.device, StackNetwork] | None = None

    def apply(self, columns: Columns, device: str | torch.device) -> NDArray[np.float32]:
        """What the network finally makes of a table, computed on the device: scores, or (n, n_outputs)."""
        where = resolve_device(device)
        network = self._network_on(where)
        return apply_network(network.final, self.inputs.encode(columns), where, block=network.row_block)

    def represent(self, columns: Columns, device: str | torch.device) -> NDArray[np.float32]:
        """The representation of a table's rows (n, n_outputs): what the scores are made of, where there are scores."""
        where = resolve_device(device)
        network = self._network_on(where)
        return apply_network(network.represent, self.inputs.encode(columns), where, block=network.row_block)

    def _network_on(self, device: torch.device) -> StackNetwork:
        if self._on_device is None or self._on_device[0] != device:
            network = self._build()
            network.load([self.weights])
            self._on_device = device, network.to(device).eval()
        return self._on_device[1]

    def _build(self) -> StackNetwork:
        # Building draws weights, only to overwrite them.
        rngs = [np.random.default_rng(0)]
        if self.spec.module is None:
            return build_network(self.spec, [self.inputs], rngs)
        with borrow_global_generators(self._seed, torch.device("cpu")):
            return build_network(self.spec, [self.inputs], rngs)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_on_device": None}
