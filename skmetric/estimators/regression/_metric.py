"""Metrics of regressors for scores and early stopping, by name."""

from collections.abc import Callable
from typing import Any

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


def _r2(y_true: NDArray, y_pred: NDArray, weights: NDArray | None) -> float:
    """Return the mean R2 over targets. The units of a target cancel."""
    exponents = _exponents(y_true, y_pred)
    return float(r2_score(_scaled(y_true, -exponents), _scaled(y_pred, -exponents), sample_weight=weights))


def _neg_error(error: Callable[..., Any]) -> Metric:
    """Return a metric: the mean over targets of an error, with a negative sign."""

    def neg_mean(y_true: NDArray, y_pred: NDArray, weights: NDArray | None) -> float:
        exponents = _exponents(y_true, y_pred)
        true, pred = _scaled(y_true, -exponents), _scaled(y_pred, -exponents)
        errors = np.asarray(error(true, pred, sample_weight=weights, multioutput="raw_values"), dtype=np.float64)
        # A mean of errors near the largest number must not overflow as a sum.
        common = exponents.max()
        return -float(np.ldexp(np.ldexp(errors, exponents - common).mean(), common))

    return neg_mean


def _exponents(y_true: NDArray, y_pred: NDArray) -> NDArray[np.intc]:
    """Return the exponent of a power of two for each target: about the largest absolute value, true or predicted.

    In units of this power, squares do not overflow, and those of relevant differences do not underflow. A power of two
    rounds nothing.
    """
    largest = np.maximum(np.abs(y_true).max(axis=0), np.abs(y_pred).max(axis=0))
    return np.frexp(np.asarray(largest, dtype=np.float64))[1]


def _scaled(values: NDArray, exponents: NDArray[np.intc]) -> NDArray[np.float64]:
    return np.ldexp(np.asarray(values, dtype=np.float64), exponents)


# Functions of targets and predictions, both of shape (n_samples, n_targets), and weights; higher is better.
METRICS: dict[str, Metric] = {
    "r2": _r2,
    "neg_mean_absolute_error": _neg_error(mean_absolute_error),
    "neg_root_mean_squared_error": _neg_error(root_mean_squared_error),
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
