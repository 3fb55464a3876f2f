"""Layers and networks that carry a leading stack axis. torch only."""

from skmetric._core.nn.flat import FlatParameters
from skmetric._core.nn.network import Outputs, StackNetwork, Weights
from skmetric._core.nn.smoothing import SmoothingSpec
from skmetric._core.nn.spec import NetworkSpec

__all__ = ["FlatParameters", "NetworkSpec", "Outputs", "SmoothingSpec", "StackNetwork", "Weights"]
