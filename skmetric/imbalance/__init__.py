"""Imbalanced regression: weights and errors for targets with rare values. It does not need torch."""

from skmetric.imbalance.density import LabelDensityWeighter
from skmetric.imbalance.errors import balanced_mean_absolute_error, geometric_mean_error
from skmetric.imbalance.scorers import (
    BalancedMaeScorer,
    GeometricMeanErrorScorer,
    neg_balanced_mae_scorer,
    neg_geometric_mean_scorer,
)
from skmetric.imbalance.shots import shot_report

__all__ = [
    "BalancedMaeScorer",
    "GeometricMeanErrorScorer",
    "LabelDensityWeighter",
    "balanced_mean_absolute_error",
    "geometric_mean_error",
    "neg_balanced_mae_scorer",
    "neg_geometric_mean_scorer",
    "shot_report",
]
