"""Newton's method for the maximum of the Bradley-Terry likelihood, on the sparse graph of comparisons."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import expit

from skmetric.preferences._comparisons import Comparisons

__all__ = ["maximum_likelihood"]

# Largest difference between expected and observed wins, as a fraction of an item's comparisons.
TOLERANCE = 1e-10
MAX_STEPS = 200

Vector = NDArray[np.float64]


def maximum_likelihood(comparisons: Comparisons, alpha: float) -> Vector:
    """Return the centered log-strengths of the compared items, with the penalty ``alpha / 2 * |scores|**2``."""
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
        # Without a penalty, the likelihood does not depend on the mean. With a penalty, the mean is 0 at the maximum.
        scores -= scores.mean()
    raise RuntimeError(
        f"alpha must be large enough for Newton's method to converge, got alpha={alpha:g}: after {MAX_STEPS} steps, "
        f"expected and observed wins differ by {error:.1g}, more than {TOLERANCE:g}, because the comparisons hardly "
        "determine the scores. Pass a larger alpha."
    )


def _gaps(comparisons: Comparisons, scores: Vector) -> Vector:
    return scores[comparisons.first] - scores[comparisons.second]


def _newton_step(
    comparisons: Comparisons, curvature: Vector, alpha: float, gradient: Vector, *, accuracy: float
) -> Vector:
    """Solve for the step. The Hessian is the Laplacian of the graph of comparisons, plus alpha on the diagonal."""
    diagonal = comparisons.sum_by_item(curvature, curvature) + alpha
    upper = comparisons.matrix(curvature)
    lower = upper.T
    shape = (len(diagonal), len(diagonal))
    hessian = LinearOperator(shape, matvec=lambda v: diagonal * v - upper @ v - lower @ v, dtype=np.float64)
    jacobi = LinearOperator(shape, matvec=lambda v: v / diagonal, dtype=np.float64)
    # Even an inaccurate solution is a direction of descent.
    step, _ = cg(hessian, -gradient, rtol=accuracy, M=jacobi)
    return step


def _damping(comparisons: Comparisons, step: Vector) -> float:
    """Return the fraction of the step to take, so that the loss decreases along all of it.

    If a step changes no gap by more than M, the second derivative of a logistic loss grows at most by exp(M t) at t. So
    the slope of the loss stays negative up to t = log(1 + M) / M. Near the maximum, this is the whole step.
    """
    largest = float(np.abs(_gaps(comparisons, step)).max())
    return float(np.log1p(largest)) / largest if largest > 0 else 1.0
