"""Estimators: the only place where losses, samplers, networks and the engine meet."""

from skmetric.estimators._base import TorchEstimator
from skmetric.estimators._tuples import Rows
from skmetric.estimators.contrastive import ContrastiveEmbedder
from skmetric.estimators.listwise import ListwiseRanker
from skmetric.estimators.pairwise import PairwiseRanker
from skmetric.estimators.pointwise import PointwiseRanker
from skmetric.estimators.regression import RankSimRegressor
from skmetric.estimators.triplet import TripletEmbedder

__all__ = [
    "ContrastiveEmbedder",
    "ListwiseRanker",
    "PairwiseRanker",
    "PointwiseRanker",
    "RankSimRegressor",
    "Rows",
    "TorchEstimator",
    "TripletEmbedder",
]
