"""Layers and networks whose tensors have a leading axis for the models of a stack. Only torch is needed."""

from skmetric._core.nn.flat import FlatParameters
from skmetric._core.nn.inputs import INPUTS, Columns, EncodedRows, InputSpec, InputState, PlainInputs, encode_rows
from skmetric._core.nn.network import build_network, identity_weights
from skmetric._core.nn.smoothing import SmoothingSpec
from skmetric._core.nn.spec import NetworkSpec
from skmetric._core.nn.stack_network import Outputs, StackNetwork, Weights

__all__ = [
    "INPUTS",
    "Columns",
    "EncodedRows",
    "FlatParameters",
    "InputSpec",
    "InputState",
    "NetworkSpec",
    "Outputs",
    "PlainInputs",
    "SmoothingSpec",
    "StackNetwork",
    "Weights",
    "build_network",
    "encode_rows",
    "identity_weights",
]
