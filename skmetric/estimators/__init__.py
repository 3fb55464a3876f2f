"""Estimators: the only place where losses, samplers, networks and the engine meet."""

from skmetric.estimators._base import TorchEstimator
from skmetric.estimators.embedding import TripletEmbedder

__all__ = ["TorchEstimator", "TripletEmbedder"]
