"""Newton's method for the maximum of the Bradley-Terry likelihood, on the sparse graph of comparisons."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import expit

from skmetric.preferences._comparisons import Comparisons

__all__ = ["maximum_likelihood"]

# Largest change of a log-strength in the last step, as a fraction of the largest log-strength, if that is above 1.
TOLERANCE = 1e-10
MAX_STEPS = 200
# The curvature at a point describes the loss only near it. A last step above this is not near.
FAR = 0.1
# Accuracy of the last solution. Rounding errors do not allow much more if items differ much in their comparisons.
BEST_ACCURACY = 1e-8

Vector = NDArray[np.float64]


def maximum_likelihood(comparisons: Comparisons, alpha: float) -> Vector:
    """Return the centered log-strengths of the compared items, with the penalty ``alpha / 2 * |scores|**2``."""
    _, components = connected_components(comparisons.matrix(comparisons.wins + comparisons.losses), directed=False)
    scores = np.zeros(len(components))
    change = np.inf
    for _ in range(MAX_STEPS):
        gaps = _gaps(comparisons, scores)
        # Neither probability is 1 minus the other: beside a probability near 1, that would have no exact digits.
        expected, unexpected = expit(gaps), expit(-gaps)
        surplus = comparisons.losses * expected - comparisons.wins * unexpected
        # Without a penalty, the likelihood does not depend on the mean of a component. With one, the mean is 0 at the
        # maximum. A small penalty would turn a rounding error in the sum of the gradient into a large mean.
        gradient = _centered(comparisons.sum_by_item(surplus, -surplus) + alpha * scores, components)
        curvature = (comparisons.wins + comparisons.losses) * expected * unexpected
        if change > FAR:
            curvature = np.maximum(curvature, _secants(comparisons, gaps, surplus))
        step, is_solved = _newton_step(comparisons, curvature, alpha, gradient)
        step = _centered(step, components)
        scores = _centered(scores + _damping(comparisons, step) * step, components)
        change = float(np.abs(step).max())
        if is_solved and change <= TOLERANCE * max(1.0, float(np.abs(scores).max())):
            return scores
    raise RuntimeError(
        f"alpha must be large enough for Newton's method to converge, got alpha={alpha:g}: after {MAX_STEPS} steps, "
        f"a log-strength changes by {change:.1g} per step, more than {TOLERANCE:g} of the largest, because the "
        "comparisons hardly determine the scores. Pass a larger alpha."
    )


def _gaps(comparisons: Comparisons, scores: Vector) -> Vector:
    return scores[comparisons.first] - scores[comparisons.second]


def _secants(comparisons: Comparisons, gaps: Vector, surplus: Vector) -> Vector:
    """Return the mean curvature from the gap of each pair to the gap that would be best for the pair alone.

    Far beyond that gap, the curvature at the gap itself is almost 0, and the step almost infinite.
    """
    with np.errstate(divide="ignore"):
        distances = gaps - (np.log(comparisons.wins) - np.log(comparisons.losses))
    return np.divide(surplus, distances, out=np.zeros_like(gaps), where=distances != 0)


def _centered(values: Vector, components: NDArray[np.int32]) -> Vector:
    return values - (np.bincount(components, values) / np.bincount(components))[components]


def _newton_step(comparisons: Comparisons, curvature: Vector, alpha: float, gradient: Vector) -> tuple[Vector, bool]:
    """Solve for the step. The Hessian is the Laplacian of the graph of comparisons, plus alpha on the diagonal.

    Also returns whether the solution reached its accuracy. Even an inaccurate solution is a direction of descent.
    """
    diagonal = comparisons.sum_by_item(curvature, curvature) + alpha
    upper = comparisons.matrix(curvature)
    lower = upper.T
    shape = (len(diagonal), len(diagonal))
    hessian = LinearOperator(shape, matvec=lambda v: diagonal * v - upper @ v - lower @ v, dtype=np.float64)
    jacobi = LinearOperator(shape, matvec=lambda v: v / diagonal, dtype=np.float64)
    accuracy = float(np.clip(np.abs(gradient / diagonal).max(), BEST_ACCURACY, 0.1))
    step, n_unsolved = cg(hessian, -gradient, rtol=accuracy, M=jacobi)
    return step, n_unsolved == 0


def _damping(comparisons: Comparisons, step: Vector) -> float:
    """Return the fraction of the step to take, so that the loss decreases along all of it.

    If a step changes no gap by more than M, the second derivative of a logistic loss grows at most by exp(M t) at t. So
    the slope of the loss stays negative up to t = log(1 + M) / M. Near the maximum, this is the whole step.
    """
    largest = float(np.abs(_gaps(comparisons, step)).max())
    return float(np.log1p(largest)) / largest if largest > 0 else 1.0
