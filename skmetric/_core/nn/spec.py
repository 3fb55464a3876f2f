"""The spec of a network: all that decides its shape."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from skmetric._core.nn.inputs import InputSpec
from skmetric._core.nn.smoothing import SmoothingSpec

__all__ = ["NetworkSpec"]


@dataclass(frozen=True)
class NetworkSpec:
    """The shape of a network. Networks with equal specs can train as one stack.

    Attributes
    ----------
    n_features, n_outputs : int
        Number of columns, and width of the representation.
    hidden_layer_sizes : tuple of int
        Widths of the hidden layers.
    dropout : float
        Share of the hidden activations that is set to zero during training.
    normalize : bool
        Whether a representation without scores is scaled to unit length.
    inputs : InputSpec
        Encoding of the columns of a table.
    input_width : int
        Number of outputs of the encoding per row.
    module : callable, optional
        ``(n_features, n_outputs) -> torch.nn.Module``, used instead of the layers above. It receives the columns
        unchanged.
    n_scores : int, optional
        Width of a linear head that computes scores from the representation. The representation is then the last hidden
        layer, or the output of the module. None: the representation is the output.
    smoothing : SmoothingSpec, optional
        How the representation is smoothed over bins of the target during training, before the head.
    n_proxies : int, optional
        Number of proxies: points in the space of the representation that are learned together with the weights, and
        that an objective compares with the rows.
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
