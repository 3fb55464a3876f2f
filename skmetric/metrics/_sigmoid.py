"""Platt's sigmoid of a distance, by Newton's method in two parameters."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["fit_sigmoid"]

# Newton's method squares the error: after a step that moves no logit by more than this, or as a share where it is
# large, only rounding is left.
TOLERANCE = 1e-8
MAX_STEPS = 200

Vector = NDArray[np.float64]


def fit_sigmoid(distance: Vector, similar: NDArray[np.bool_], weights: Vector) -> tuple[float, float]:
    """Slope and offset of ``P(similar | d) = 1 / (1 + exp(slope * d + offset))``; the weights are positive."""
    target, rest, offset = _platt_targets(similar, weights)
    weights = weights / weights.max()
    # Around their median, distances far from 0 or beside an outlier keep their digits; halved, no difference overflows.
    center = float(np.median(distance / 2))
    away = distance / 2 - center
    scale = float(np.abs(away).max()) or 1.0
    slope, offset = _minimize(away / scale, offset, target, rest, weights)
    return slope / scale / 2, offset - slope * (center / scale)


def _minimize(u: Vector, offset: float, target: Vector, rest: Vector, weights: Vector) -> tuple[float, float]:
    slope = 0.0
    for _ in range(MAX_STEPS):
        z = slope * u + offset
        p, q = expit(-z), expit(z)
        gradient, curvature = weights * (target * q - rest * p), weights * p * q
        if not curvature.any():
            break
        turn, level = _newton_step(u, gradient, curvature)
        step = turn * u + level
        fraction = _damping(z, step, -float(gradient @ step), target, rest, weights)
        slope += fraction * turn
        offset += fraction * level
        if (np.abs(step) <= TOLERANCE * (1 + np.abs(z))).all():
            return slope, offset
    raise RuntimeError(
        f"Newton's method did not settle within {MAX_STEPS} steps. Look for distances or weights that are larger than "
        "others by many orders of magnitude."
    )


def _platt_targets(similar: NDArray[np.bool_], weights: Vector) -> tuple[Vector, Vector, float]:
    """Platt's targets, one minus them (without cancellation), and the logit that all pairs start from."""
    # Divided by the largest weight, no sum of them overflows; Platt's one pair is then as much less.
    unit = max(float(weights.max()), 1.0)
    one = 1 / unit
    positive, negative = (float((weights[pairs] / unit).sum()) for pairs in (similar, ~similar))
    target = np.where(similar, (positive + one) / (positive + 2 * one), one / (negative + 2 * one))
    rest = np.where(similar, one / (positive + 2 * one), (negative + one) / (negative + 2 * one))
    return target, rest, math.log(negative + one) - math.log(positive + one)


def _newton_step(u: Vector, gradient: Vector, curvature: Vector) -> tuple[float, float]:
    """Change of the slope and of the offset."""
    total = float(curvature.sum())
    # Around the mean by curvature, slope and level are found apart: nothing is lost where the system is near singular.
    mean = float(curvature @ u) / total
    away = u - mean
    spread = float(curvature @ away**2)
    turn = -float(gradient @ away) / spread if spread > 0 else 0.0
    return turn, -float(gradient.sum()) / total - turn * mean


def _damping(z: Vector, step: Vector, fall: float, target: Vector, rest: Vector, weights: Vector) -> float:
    """How much of the step to take: all of it where the loss falls enough, else halves, down to what is safe.

    ``fall`` is how fast the loss falls at the start of the step.
    Along a step that changes no logit by more than M, the second derivative of a logistic loss grows at most by
    exp(M t) at t, so its slope stays negative up to t = log(1 + M) / M (Bach 2010).
    """
    largest = float(np.abs(step).max())
    safe = math.log1p(largest) / largest if largest > 0 else 1.0
    start = _loss(z, target, rest, weights)
    fraction = 1.0
    while fraction > safe and _loss(z + fraction * step, target, rest, weights) > start - 1e-4 * fraction * fall:
        fraction /= 2
    return max(fraction, safe)


def _loss(z: Vector, target: Vector, rest: Vector, weights: Vector) -> float:
    return float(weights @ (target * np.logaddexp(0, z) + rest * np.logaddexp(0, -z)))
