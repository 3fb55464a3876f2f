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
        diagonal = comparisons.sum_by_item(curvature, curvature) + alpha
        # An inaccurate step led so far away that the curvature of an item underflows.
        if diagonal.min() < np.finfo(np.float64).tiny:
            break
        step, is_solved = _newton_step(comparisons, curvature, diagonal, gradient)
        step = _centered(step, components)
        scores = _centered(scores + _damping(comparisons, step) * step, components)
        change = float(np.abs(step).max())
        if is_solved and change <= TOLERANCE * max(1.0, float(np.abs(scores).max())):
            return scores
    raise RuntimeError(
        f"alpha must be large enough for Newton's method to converge, got alpha={alpha:g}: after at most {MAX_STEPS} "
        f"steps, a log-strength changes by {change:.1g} per step, more than {TOLERANCE:g} of the largest, because the "
        "comparisons hardly determine the scores. Pass a larger alpha."
    )


def _gaps(comparisons: Comparisons, scores: Vector) -> Vector:
    return scores[comparisons.first] - scores[comparisons.second]


def _centered(values: Vector, components: NDArray[np.int32]) -> Vector:
    return values - (np.bincount(components, values) / np.bincount(components))[components]


def _newton_step(
    comparisons: Comparisons, curvature: Vector, diagonal: Vector, gradient: Vector
) -> tuple[Vector, bool]:
    """Solve for the step. The Hessian is the Laplacian of the graph of comparisons, plus the penalty on the diagonal.

    Also returns whether the solution reached its accuracy. Even an inaccurate solution is a direction of descent.
    """
    upper = comparisons.matrix(curvature)
    lower = upper.T
    # In these units, the diagonal is 1, so that the accuracy holds for items with little curvature beside others too.
    unit = 1 / np.sqrt(diagonal)

    def scaled_hessian(v: Vector) -> Vector:
        moved = unit * v
        product: Vector = unit * (diagonal * moved - upper @ moved - lower @ moved)
        return product

    hessian = LinearOperator((len(unit), len(unit)), matvec=scaled_hessian, dtype=np.float64)
    totals = comparisons.wins + comparisons.losses
    error = np.abs(gradient / comparisons.sum_by_item(totals, totals)).max()
    step, n_unsolved = cg(hessian, -unit * gradient, rtol=float(np.clip(error, BEST_ACCURACY, 0.1)))
    return unit * step, n_unsolved == 0


def _damping(comparisons: Comparisons, step: Vector) -> float:
    """Return the fraction of the step to take, so that the loss decreases along all of it.

    If a step changes no gap by more than M, the second derivative of a logistic loss grows at most by exp(M t) at t. So
    the slope of the loss stays negative up to t = log(1 + M) / M. Near the maximum, this is the whole step.
    """
    largest = float(np.abs(_gaps(comparisons, step)).max())
    return float(np.log1p(largest)) / largest if largest > 0 else 1.0
