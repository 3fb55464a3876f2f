"""Layers and networks that carry a leading stack axis. torch only."""

from skmetric.nn.flat import FlatParameters
from skmetric.nn.network import NetworkSpec, StackNetwork, Weights

__all__ = ["FlatParameters", "NetworkSpec", "StackNetwork", "Weights"]
