"""The maximum of the Bradley-Terry likelihood, by Newton's method on the sparse graph of comparisons."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import expit

from skmetric.preferences._comparisons import Comparisons

__all__ = ["maximum_likelihood"]

# The largest difference between expected and observed wins, as a share of an item's comparisons.
TOLERANCE = 1e-10
MAX_STEPS = 200

Vector = NDArray[np.float64]


def maximum_likelihood(comparisons: Comparisons, alpha: float) -> Vector:
    """Centered log-strengths of the compared items, with the penalty ``alpha / 2 * |scores|**2``."""
    totals = comparisons.sum_by_item(comparisons.totals, comparisons.totals)
    scores = np.zeros(len(totals))
    for _ in range(MAX_STEPS):
        expected = expit(_gaps(comparisons, scores))
        surplus = comparisons.totals * expected - comparisons.wins
        gradient = comparisons.sum_by_item(surplus, -surplus) + alpha * scores
        error = np.abs(gradient / totals).max()
        if error <= TOLERANCE:
            return scores - scores.mean()
        curvature = comparisons.totals * expected * (1 - expected)
        step = _newton_step(comparisons, curvature, alpha, gradient, accuracy=min(0.1, error))
        scores += _damping(comparisons, step) * step
        # The gradient sums to zero without the penalty, and with it at the maximum: the mean is free to be 0.
        scores -= scores.mean()
    raise RuntimeError(
        f"Newton's method did not bring the expected wins within {TOLERANCE:g} of those observed in {MAX_STEPS} steps "
        f"(they differ by {error:.1g}): the comparisons hardly bound the scores. Pass a larger "
        f"alpha, got alpha={alpha:g}."
    )


def _gaps(comparisons: Comparisons, scores: Vector) -> Vector:
    return scores[comparisons.first] - scores[comparisons.second]


def _newton_step(
    comparisons: Comparisons, curvature: Vector, alpha: float, gradient: Vector, *, accuracy: float
) -> Vector:
    """Solve for the step; the Hessian is the Laplacian of the graph of comparisons, plus alpha."""
    diagonal = comparisons.sum_by_item(curvature, curvature) + alpha
    upper = comparisons.matrix(curvature)
    lower = upper.T
    shape = (len(diagonal), len(diagonal))
    hessian = LinearOperator(shape, matvec=lambda v: diagonal * v - upper @ v - lower @ v, dtype=np.float64)
    jacobi = LinearOperator(shape, matvec=lambda v: v / diagonal, dtype=np.float64)
    # Even a solution that is not accurate yet is a direction of descent.
    step, _ = cg(hessian, -gradient, rtol=accuracy, M=jacobi)
    return step


def _damping(comparisons: Comparisons, step: Vector) -> float:
    """How much of the step to take: the loss falls all the way there.

    Along a step that changes no gap by more than M, the second derivative of a logistic loss grows at most by exp(M t)
    at t, so its slope stays negative up to t = log(1 + M) / M. Near the maximum that is the whole step.
    """
    largest = float(np.abs(_gaps(comparisons, step)).max())
    return float(np.log1p(largest)) / largest if largest > 0 else 1.0
