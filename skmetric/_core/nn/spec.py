"""What decides the shape of a network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from skmetric._core.nn.network import StackNetwork, TabularStack
from skmetric._core.nn.smoothing import SmoothingSpec
from skmetric._core.nn.user_module import SingleModule

__all__ = ["NetworkSpec"]


@dataclass(frozen=True)
class NetworkSpec:
    """The shape of a network: equal specs can be trained as one stack.

    Attributes
    ----------
    n_features, n_outputs : int
        Widths of the rows and of their representation.
    hidden_layer_sizes : tuple of int
        Widths of the hidden layers.
    dropout : float
        Share of the hidden activations set to zero while training.
    normalize : bool
        Whether a representation without scores is scaled to unit length.
    scale_inputs : bool
        Whether inputs pass :class:`InputScaling`.
    module : callable, optional
        ``(n_features, n_outputs) -> torch.nn.Module``, in place of the layers above; it gets inputs as given.
    n_scores : int, optional
        Width of a linear head that scores the representation, which then is the last hidden layer (or the module's
        output). None: the representation is the output.
    smoothing : SmoothingSpec, optional
        How the representation is smoothed over bins of the target before it is scored, while training.
    n_proxies : int, optional
        Points of the representation's space that are learned with the weights, for an objective to compare rows with.
    """

    n_features: int
    n_outputs: int
    hidden_layer_sizes: tuple[int, ...]
    dropout: float
    normalize: bool
    scale_inputs: bool
    module: Callable[[int, int], nn.Module] | None = None
    n_scores: int | None = None
    smoothing: SmoothingSpec | None = None
    n_proxies: int | None = None

    def build(self, rngs: Sequence[np.random.Generator]) -> StackNetwork:
        """Build a stack of as many models as there are generators.

        A user's module draws its weights from torch's global generator: the caller seeds and restores that.
        """
        return TabularStack(self, rngs) if self.module is None else SingleModule(self, rngs)
