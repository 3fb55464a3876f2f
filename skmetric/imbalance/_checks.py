"""What the functions of continuous targets accept."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import DataConversionWarning

from skmetric._checks import check_target
from skmetric._warnings import warn_caller

__all__ = ["check_fitted_target", "check_pair"]


def check_fitted_target(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Validate a target that is fitted to: a column is taken as a row of numbers, with a warning."""
    target = check_target(values, name)
    if np.ndim(values) == 2:
        message = (
            f"{name} is a column, shape {np.shape(values)}, and one number a row is expected. Pass {name}.ravel()."
        )
        warn_caller(message, DataConversionWarning)
    return target


def check_pair(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Validate targets and the predictions for the same rows."""
    truth, predicted = check_target(y_true, "y_true"), check_target(y_pred, "y_pred")
    if truth.shape != predicted.shape:
        raise ValueError(
            f"y_pred must have one prediction a row of y_true, shape {truth.shape}, got shape {predicted.shape}. Pass "
            "the predictions for the rows of y_true."
        )
    return truth, predicted
