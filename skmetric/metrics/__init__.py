"""Metrics for embeddings and rankings, and scorers based on them. They do not need torch."""

from skmetric.metrics.dcg import dcg_score, ndcg_score
from skmetric.metrics.embedding_scorers import MapAtRScorer, RecallAtKScorer, map_at_r_scorer, recall_at_1_scorer
from skmetric.metrics.rank_correlation import kendall_score, pairwise_accuracy_score, spearman_score
from skmetric.metrics.ranking_scorers import (
    KendallScorer,
    MapScorer,
    MrrScorer,
    NdcgScorer,
    PairwiseAccuracyScorer,
    SpearmanScorer,
    kendall_scorer,
    map_scorer,
    mrr_scorer,
    ndcg_scorer,
    pairwise_accuracy_scorer,
    spearman_scorer,
)
from skmetric.metrics.relevance import map_score, mrr_score
from skmetric.metrics.retrieval import map_at_r_score, recall_at_k_score
from skmetric.metrics.thresholds import distance_threshold, sigmoid_calibration

__all__ = [
    "KendallScorer",
    "MapAtRScorer",
    "MapScorer",
    "MrrScorer",
    "NdcgScorer",
    "PairwiseAccuracyScorer",
    "RecallAtKScorer",
    "SpearmanScorer",
    "dcg_score",
    "distance_threshold",
    "kendall_score",
    "kendall_scorer",
    "map_at_r_score",
    "map_at_r_scorer",
    "map_score",
    "map_scorer",
    "mrr_score",
    "mrr_scorer",
    "ndcg_score",
    "ndcg_scorer",
    "pairwise_accuracy_score",
    "pairwise_accuracy_scorer",
    "recall_at_1_scorer",
    "recall_at_k_score",
    "sigmoid_calibration",
    "spearman_score",
    "spearman_scorer",
]
