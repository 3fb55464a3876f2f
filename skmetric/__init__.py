"""Metric learning and learning to rank for scikit-learn."""

from skmetric.estimators import TripletEmbedder

__version__ = "0.1.0.dev0"

__all__ = ["TripletEmbedder", "__version__"]
