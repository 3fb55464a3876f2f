"""Checks of pairs, of their weights, and of the criterion of a threshold."""

import math
from numbers import Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from skmetric._checks import check_weights
from skmetric._outcomes import SIMILARITY, read_outcomes

__all__ = ["Strategy", "check_criterion", "check_pairs"]

Strategy = Literal["accuracy", "f_beta", "max_tpr", "max_tnr"]
STRATEGIES = ("accuracy", "f_beta", "max_tpr", "max_tnr")


def check_pairs(
    y_true: ArrayLike, distance: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[NDArray[np.floating], NDArray[np.bool_], NDArray[np.float64]]:
    """Return the distances, the classes (True if similar) and the weights of the pairs with a positive weight."""
    lengths = check_array(distance, dtype=[np.float64, np.float32, np.float16], ensure_2d=False, input_name="distance")
    if lengths.ndim != 1:
        raise ValueError(
            f"distance must have one value per pair, shape (n_pairs,), got shape {lengths.shape}. Flatten it."
        )
    similar = read_outcomes(y_true, len(lengths), SIMILARITY, name="y_true")[0] > 0
    weights = check_weights(sample_weight, len(lengths), per="pair")
    # A weight that is rounded to 0 relative to the largest one does not change any sum.
    is_counted = weights / weights.max() > 0
    if similar[is_counted].all() or not similar[is_counted].any():
        raise ValueError(
            f"y_true must hold similar (+1) and dissimilar (-1) pairs with a positive weight, got only "
            f"{'+1' if similar[is_counted].all() else '-1'} in {is_counted.sum()} pairs. Pass pairs of both classes: "
            "one class does not show where the other begins."
        )
    return lengths[is_counted], similar[is_counted], weights[is_counted]


def check_criterion(strategy: Strategy, beta: float, min_rate: float | None) -> None:
    """Raise an error unless the arguments name one criterion: beta and min_rate only where the strategy uses them."""
    if strategy not in STRATEGIES:
        raise ValueError(
            f"strategy must be one of {', '.join(map(repr, STRATEGIES))}, got {strategy!r}. Pass one of them."
        )
    if isinstance(beta, bool) or not isinstance(beta, Real):
        raise TypeError(f"beta must be a number, got {beta!r} of type {type(beta).__name__}. Pass beta=1 for F1.")
    if not 0 < beta < math.inf:
        raise ValueError(f"beta must be positive and finite, got {beta}. Pass beta=1 for F1.")
    if strategy != "f_beta" and beta != 1:
        raise ValueError(
            f"beta must be 1 unless strategy='f_beta', got beta={beta} with strategy={strategy!r}. Leave it out."
        )
    _check_min_rate(strategy, min_rate)


def _check_min_rate(strategy: Strategy, min_rate: float | None) -> None:
    bounded = {"max_tpr": "true negative rate", "max_tnr": "true positive rate"}.get(strategy)
    if bounded is None and min_rate is not None:
        raise ValueError(
            f"min_rate must be None unless strategy is 'max_tpr' or 'max_tnr', got min_rate={min_rate} with "
            f"strategy={strategy!r}. Leave it out, or pass one of these strategies."
        )
    if bounded is None:
        return
    if isinstance(min_rate, bool) or not isinstance(min_rate, Real | None):
        raise TypeError(
            f"min_rate must be a number, got {min_rate!r} of type {type(min_rate).__name__}. Pass min_rate=0.9, for "
            "instance."
        )
    if min_rate is None or not 0 <= min_rate <= 1:
        raise ValueError(
            f"min_rate must be the lower bound on the {bounded}, from 0 to 1, with strategy={strategy!r}, got "
            f"{min_rate}. Pass min_rate=0.9, for instance."
        )
