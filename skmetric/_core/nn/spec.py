"""What decides the shape of a network."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from skmetric._core.nn.inputs import InputSpec
from skmetric._core.nn.smoothing import SmoothingSpec

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
    inputs : InputSpec
        How the columns of a table enter.
    input_width : int
        Numbers that the encoding gives per row.
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
    inputs: InputSpec
    input_width: int
    module: Callable[[int, int], nn.Module] | None = None
    n_scores: int | None = None
    smoothing: SmoothingSpec | None = None
    n_proxies: int | None = None
