"""Metrics of regressors for scores and early stopping, by name."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from skmetric.metrics import kendall_score, spearman_score

__all__ = ["METRICS", "check_judged"]

Metric = Callable[[NDArray, NDArray, NDArray | None], float]


def _of_order(score: Callable[..., float]) -> Metric:
    """Return a metric: the mean over targets of a rank correlation. It ignores rows without weight."""

    def mean(y_true: NDArray, y_pred: NDArray, weights: NDArray | None) -> float:
        if weights is not None:
            y_true, y_pred = y_true[weights > 0], y_pred[weights > 0]
        return float(np.mean([score(true, pred) for true, pred in zip(y_true.T, y_pred.T, strict=True)]))

    return mean


# Functions of targets and predictions, both of shape (n_samples, n_targets), and weights; higher is better.
METRICS: dict[str, Metric] = {
    "r2": lambda true, pred, weights: float(r2_score(true, pred, sample_weight=weights)),
    "neg_mean_absolute_error": lambda true, pred, weights: (
        -float(mean_absolute_error(true, pred, sample_weight=weights))
    ),
    "neg_root_mean_squared_error": lambda true, pred, weights: (
        -float(root_mean_squared_error(true, pred, sample_weight=weights))
    ),
    "spearman": _of_order(spearman_score),
    "kendall": _of_order(kendall_score),
}


# Metrics that need each target to vary, and metrics that need at least one target to vary.
NEEDS_EACH, NEEDS_ANY = {"spearman", "kendall"}, {"r2"}


def check_judged(name: str, y: NDArray, where: str) -> None:
    """Raise if the metric is not defined for these targets of shape (n_samples, n_targets)."""
    varies = y.max(axis=0) > y.min(axis=0)
    if (name in NEEDS_EACH and not varies.all()) or (name in NEEDS_ANY and not varies.any()):
        raise ValueError(
            f"{where} must vary for metric={name!r}, got {len(y)} row(s) with equal targets. Pass more rows, or use "
            "metric='neg_mean_absolute_error'."
        )
