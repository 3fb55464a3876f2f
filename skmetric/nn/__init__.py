"""Layers and networks that carry a leading stack axis. torch only."""

from skmetric.nn.flat import FlatParameters
from skmetric.nn.network import StackNetwork, Weights
from skmetric.nn.spec import NetworkSpec

__all__ = ["FlatParameters", "NetworkSpec", "StackNetwork", "Weights"]
