"""Estimators: the only place where losses, samplers, networks and the engine meet."""

from skmetric.estimators._base import TorchEstimator
from skmetric.estimators.discovery import all_estimators
from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.points import Rows
from skmetric.estimators.ranking.listwise import ListwiseRanker
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.estimators.ranking.pointwise import PointwiseRanker
from skmetric.estimators.regression.ranksim import RankSimRegressor

__all__ = [
    "ContrastiveEmbedder",
    "ListwiseRanker",
    "PairwiseRanker",
    "PointwiseRanker",
    "RankSimRegressor",
    "Rows",
    "TorchEstimator",
    "TripletEmbedder",
    "all_estimators",
]
