"""Human preferences: pairs and scores from best-worst judgments, strengths from pairs. It does not need torch."""

from skmetric.preferences.best_worst import ImpliedPairs, best_worst_pairs, best_worst_scores
from skmetric.preferences.bradley_terry import bradley_terry_scores
from skmetric.preferences.reliability import split_half_reliability

__all__ = [
    "ImpliedPairs",
    "best_worst_pairs",
    "best_worst_scores",
    "bradley_terry_scores",
    "split_half_reliability",
]
