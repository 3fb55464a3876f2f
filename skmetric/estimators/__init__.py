"""Estimators: the only place where losses, samplers, networks and the engine meet."""

from skmetric.estimators._base import TorchEstimator
from skmetric.estimators._tuples import Rows
from skmetric.estimators.embedding import TripletEmbedder
from skmetric.estimators.listwise import ListwiseRanker
from skmetric.estimators.pairwise import PairwiseRanker
from skmetric.estimators.pointwise import PointwiseRanker
from skmetric.estimators.regression import RankSimRegressor

__all__ = [
    "ListwiseRanker",
    "PairwiseRanker",
    "PointwiseRanker",
    "RankSimRegressor",
    "Rows",
    "TorchEstimator",
    "TripletEmbedder",
]
