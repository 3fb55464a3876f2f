"""Checks of continuous targets and their predictions."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import DataConversionWarning

from skmetric._checks import check_target
from skmetric._warnings import warn_caller

__all__ = ["check_fitted_target", "check_pair"]


def check_fitted_target(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Validate the target of ``fit``. A column of shape (n_samples, 1) is flattened, with a warning."""
    target = check_target(values, name)
    if np.ndim(values) == 2:
        message = (
            f"{name} must have one number per row, shape (n_samples,), got a column of shape {np.shape(values)}. "
            f"Pass {name}.ravel()."
        )
        warn_caller(message, DataConversionWarning)
    return target


def check_pair(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Validate true targets and the predictions for the same rows."""
    truth, predicted = check_target(y_true, "y_true"), check_target(y_pred, "y_pred")
    if truth.shape != predicted.shape:
        raise ValueError(
            f"y_pred must have one prediction per row of y_true, shape {truth.shape}, got shape {predicted.shape}. "
            "Pass the predictions for the rows of y_true."
        )
    return truth, predicted
