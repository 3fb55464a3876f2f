"""What the functions of continuous targets accept."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import check_array

from skmetric._warnings import warn_caller

__all__ = ["check_pair", "check_row_weights", "check_target"]


def check_target(values: ArrayLike, name: str, *, warn: bool = False) -> NDArray[np.float64]:
    """Validate a continuous target: one finite number a row, in float64.

    A single column is taken as a row of numbers, with a ``DataConversionWarning`` where ``warn`` is set.
    """
    numbers = _as_numbers(values, name)
    if numbers.ndim == 2 and numbers.shape[1] == 1:
        if warn:
            message = (
                f"{name} is a column, shape {numbers.shape}, and one number a row is expected. Pass {name}.ravel()."
            )
            warn_caller(message, DataConversionWarning)
        numbers = numbers[:, 0]
    if numbers.ndim != 1:
        raise ValueError(
            f"{name} must be one number a row, shape (n,), got shape {numbers.shape}. Take one output at a time, for "
            f"instance {name}[:, 0]."
        )
    if not numbers.size:
        raise ValueError(f"{name} must have at least one row, got shape {numbers.shape}. Pass the rows to look at.")
    _check_finite(numbers, name)
    return numbers


def check_pair(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Validate targets and the predictions for the same rows."""
    truth, predicted = check_target(y_true, "y_true"), check_target(y_pred, "y_pred")
    if truth.shape != predicted.shape:
        raise ValueError(
            f"y_pred must have one prediction a row of y_true, shape {truth.shape}, got shape {predicted.shape}. Pass "
            "the predictions for the rows of y_true."
        )
    return truth, predicted


def check_row_weights(sample_weight: ArrayLike | None, n_rows: int) -> NDArray[np.float64]:
    """Validate the weights of rows; all ones where there are none."""
    if sample_weight is None:
        return np.ones(n_rows)
    weights = check_target(sample_weight, "sample_weight")
    if weights.shape != (n_rows,):
        raise ValueError(
            f"sample_weight must have one weight a row, shape ({n_rows},), got shape {weights.shape}. Pass the weights "
            "of the rows that are scored."
        )
    if weights.min() < 0:
        raise ValueError(
            f"sample_weight must be non-negative, got {weights.min():g} at row {weights.argmin()}. To leave a row out, "
            "give it the weight 0."
        )
    if not weights.any():
        raise ValueError(
            "sample_weight must be positive for at least one row, got only zeros. Pass sample_weight=None to weigh "
            "rows alike."
        )
    # Only ratios matter: with the largest at 1, no sum of them overflows.
    return weights / weights.max()


def _as_numbers(values: ArrayLike, name: str) -> NDArray[np.float64]:
    try:
        array = check_array(values, ensure_2d=False, allow_nd=True, ensure_all_finite=False, ensure_min_samples=0)
        if array.dtype.kind == "O":
            # Missing values in a list, for instance, which the caller will name by their row.
            array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers, one a row: {error} Convert {name} to floats first.") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be numbers, got dtype {array.dtype}. Convert {name} to floats first.")
    return array.astype(np.float64)


def _check_finite(numbers: NDArray[np.float64], name: str) -> None:
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if wrong.size:
        raise ValueError(
            f"{name} must be finite, got {numbers[wrong[0]]} at row {wrong[0]} ({wrong.size} such rows in all). Drop "
            "them, or fill them in."
        )
    with np.errstate(over="ignore"):
        span = numbers.max() - numbers.min()
    if not np.isfinite(span):
        raise ValueError(
            f"{name} must have a range that float64 holds, got values from {numbers.min():g} to {numbers.max():g}. "
            f"Divide {name} by a scale."
        )
