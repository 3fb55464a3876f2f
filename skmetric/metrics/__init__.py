"""Scores of embeddings, and scorers on top of them. Numpy and scikit-learn only."""

from skmetric.metrics.retrieval import map_at_r_score, recall_at_k_score
from skmetric.metrics.scorers import MapAtRScorer, RecallAtKScorer, map_at_r_scorer, recall_at_1_scorer

__all__ = [
    "MapAtRScorer",
    "RecallAtKScorer",
    "map_at_r_score",
    "map_at_r_scorer",
    "recall_at_1_scorer",
    "recall_at_k_score",
]
