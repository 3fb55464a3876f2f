"""Layers and networks that carry a leading stack axis. torch only."""

from skmetric.nn.flat import FlatParameters
from skmetric.nn.network import Outputs, StackNetwork, Weights
from skmetric.nn.smoothing import SmoothingSpec
from skmetric.nn.spec import NetworkSpec

__all__ = ["FlatParameters", "NetworkSpec", "Outputs", "SmoothingSpec", "StackNetwork", "Weights"]
