"""Platt scaling of distances: Newton's method for the two parameters of a sigmoid."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["fit_sigmoid"]

# Newton's method squares the error. If a step changes no logit by more than this (relative to the logit, if that is
# large), only rounding errors remain.
TOLERANCE = 1e-8
MAX_STEPS = 200

Vector = NDArray[np.float64]


def fit_sigmoid(distance: Vector, similar: NDArray[np.bool_], weights: Vector) -> tuple[float, float]:
    """Return slope and offset of ``P(similar | d) = 1 / (1 + exp(slope * d + offset))``. All weights are positive."""
    target, rest, offset = _platt_targets(similar, weights)
    weights = weights / weights.max()
    # Centered at the median, distances far from 0 or with an outlier keep their precision. Halved, their differences
    # do not overflow.
    center = float(np.median(distance / 2))
    centered = distance / 2 - center
    scale = float(np.abs(centered).max()) or 1.0
    slope, offset = _minimize(centered / scale, offset, target, rest, weights)
    return slope / scale / 2, offset - slope * (center / scale)


def _minimize(u: Vector, offset: float, target: Vector, rest: Vector, weights: Vector) -> tuple[float, float]:
    slope = 0.0
    for _ in range(MAX_STEPS):
        z = slope * u + offset
        p, q = expit(-z), expit(z)
        gradient, curvature = weights * (target * q - rest * p), weights * p * q
        if not curvature.any():
            break
        slope_step, offset_step = _newton_step(u, gradient, curvature)
        step = slope_step * u + offset_step
        fraction = _damping(z, step, -float(gradient @ step), target, rest, weights)
        slope += fraction * slope_step
        offset += fraction * offset_step
        if (np.abs(step) <= TOLERANCE * (1 + np.abs(z))).all():
            return slope, offset
    raise RuntimeError(
        f"distance and sample_weight must allow Newton's method to converge, got no convergence within {MAX_STEPS} "
        "steps. Look for distances or weights that are larger than others by many orders of magnitude."
    )


def _platt_targets(similar: NDArray[np.bool_], weights: Vector) -> tuple[Vector, Vector, float]:
    """Return Platt's targets, 1 minus the targets (without cancellation), and the initial logit of all pairs."""
    # Division by the largest weight keeps sums from overflowing. The one pair that Platt adds is divided too.
    unit = max(float(weights.max()), 1.0)
    one = 1 / unit
    positive, negative = (float((weights[pairs] / unit).sum()) for pairs in (similar, ~similar))
    target = np.where(similar, (positive + one) / (positive + 2 * one), one / (negative + 2 * one))
    rest = np.where(similar, one / (positive + 2 * one), (negative + one) / (negative + 2 * one))
    return target, rest, math.log(negative + one) - math.log(positive + one)


def _newton_step(u: Vector, gradient: Vector, curvature: Vector) -> tuple[float, float]:
    """Return the changes of the slope and of the offset."""
    total = float(curvature.sum())
    # Centered at the mean weighted by curvature, slope and offset are independent. So no precision is lost if the
    # system is nearly singular.
    mean = float(curvature @ u) / total
    centered = u - mean
    spread = float(curvature @ centered**2)
    slope_step = -float(gradient @ centered) / spread if spread > 0 else 0.0
    return slope_step, -float(gradient.sum()) / total - slope_step * mean


def _damping(z: Vector, step: Vector, decrease: float, target: Vector, rest: Vector, weights: Vector) -> float:
    """Return the fraction of the step to take.

    The step is halved until the loss decreases enough, or until the fraction is safe. ``decrease`` is the rate at which
    the loss decreases at the start of the step.

    If a step changes no logit by more than M, the second derivative of a logistic loss grows at most by exp(M t) at t.
    So the slope of the loss stays negative up to t = log(1 + M) / M (Bach 2010).
    """
    largest = float(np.abs(step).max())
    safe = math.log1p(largest) / largest if largest > 0 else 1.0
    start = _loss(z, target, rest, weights)
    fraction = 1.0
    while fraction > safe and _loss(z + fraction * step, target, rest, weights) > start - 1e-4 * fraction * decrease:
        fraction /= 2
    return max(fraction, safe)


def _loss(z: Vector, target: Vector, rest: Vector, weights: Vector) -> float:
    return float(weights @ (target * np.logaddexp(0, z) + rest * np.logaddexp(0, -z)))
