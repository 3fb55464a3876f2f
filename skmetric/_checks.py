"""Checks of arguments that several packages share: weights, targets, group ids, ranks, options. numpy only."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["check_choice", "check_k", "check_target", "check_weights", "group_codes", "group_runs"]

# Integer ids are counted instead of sorted if their range is at most this many times their number.
DENSE_IDS = 4


def check_weights(sample_weight: ArrayLike | None, n: int, *, per: str = "row") -> NDArray[np.float64]:
    """Validate weights: one finite, non-negative number per row (or pair), not all 0.

    Parameters
    ----------
    sample_weight : array-like of shape (n,), optional
        If None, all weights are 1.
    n : int
        Required number of weights.
    per : str
        Name of what has a weight, for messages.

    Returns
    -------
    ndarray of shape (n,)
        Weights in float64.
    """
    if sample_weight is None:
        return np.ones(n)
    weights = _as_numbers(sample_weight, "sample_weight")
    if weights.shape != (n,):
        raise ValueError(
            f"sample_weight must have one weight per {per}, shape ({n},), got shape {weights.shape}. Pass "
            "sample_weight=None for equal weights."
        )
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        index = wrong.argmax()
        rule = "non-negative" if weights[index] < 0 else "finite"
        raise ValueError(
            f"sample_weight must be {rule}, got {weights[index]:g} at {per} {index}. To leave a {per} out, give it the "
            "weight 0."
        )
    if not weights.any():
        raise ValueError(
            f"sample_weight must be positive for at least one {per}, got {n} zeros. Pass sample_weight=None for equal "
            "weights."
        )
    return weights


def check_target(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Validate a continuous target: one finite number per row, in float64. A single column is flattened."""
    numbers = _as_numbers(values, name)
    if numbers.ndim == 2 and numbers.shape[1] == 1:
        numbers = numbers[:, 0]
    if numbers.ndim != 1:
        raise ValueError(
            f"{name} must have one number per row, shape (n_samples,), got shape {numbers.shape}. Pass a single "
            f"output, for instance {name}[:, 0]."
        )
    if not numbers.size:
        raise ValueError(f"{name} must have at least one row, got shape {numbers.shape}. Pass at least one row.")
    _check_finite(numbers, name)
    return numbers


def _as_numbers(values: ArrayLike, name: str) -> NDArray[np.float64]:
    try:
        array = np.asarray(values)
        if array.dtype.kind in "biufO":
            return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be numbers, one per row, got values that cannot be converted ({error}). Convert {name} to "
            "floats first."
        ) from error
    raise ValueError(f"{name} must be numbers, got dtype {array.dtype}. Convert {name} to floats first.")


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
            f"{name} must have a range that fits into float64, got values from {numbers.min():g} to {numbers.max():g}. "
            f"Divide {name} by a scale."
        )


def check_k(k: Any, *, most: int | None = None) -> int:
    """Validate a rank or a number of neighbors: an integer of at least 1, and of at most ``most``."""
    if isinstance(k, bool) or not isinstance(k, Integral):
        raise TypeError(f"k must be an integer, got {k!r} of type {type(k).__name__}. Pass k=1, for instance.")
    rank = int(k)
    if most is not None and not 1 <= rank <= most:
        raise ValueError(
            f"k must be from 1 to n_samples - 1 = {most}, the number of other rows, got k={k}. Pass another k, or more "
            "rows."
        )
    if rank < 1:
        raise ValueError(f"k must be at least 1, got k={k}. Pass k=1, for instance.")
    return rank


def check_choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Raise unless the value is one of the choices."""
    if not any(value is choice or (np.isscalar(value) and value == choice) for choice in choices):
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}. Pass one of them.")


def group_runs(groups: ArrayLike | None, n: int) -> tuple[NDArray[np.intp], NDArray[np.intp] | None]:
    """Return the list of each row, from 0, and the start of each list if the rows of each list are contiguous."""
    if groups is None:
        return np.zeros(n, dtype=np.intp), np.zeros(1, dtype=np.intp)
    ids = _ids(groups)
    changes = np.ones(n, dtype=bool)
    changes[1:] = ids[1:] != ids[:-1]
    heads = np.flatnonzero(changes)
    try:
        # If the rows come list by list, there are far fewer runs of equal ids than rows.
        unique, code_of_run = _unique(ids[heads])
    except TypeError as error:
        raise TypeError(
            f"groups must be of one sortable type, got ids that cannot be sorted ({error}). Convert the ids, for "
            "instance to str."
        ) from error
    codes = np.repeat(code_of_run, np.diff(heads, append=n))
    if len(unique) < len(heads):
        return codes, None
    starts = np.empty_like(heads)
    starts[code_of_run] = heads
    return codes, starts


def _unique(ids: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return ``np.unique(ids, return_inverse=True)``, without a sort if the ids are integers in a small range."""
    if ids.dtype.kind not in "iu" or int(ids.max()) - int(ids.min()) > DENSE_IDS * len(ids):
        unique, codes = np.unique(ids, return_inverse=True)
        return unique, codes
    # A narrow type could overflow in the difference.
    wide = ids.astype(np.int64) if ids.dtype.kind == "i" else ids.astype(np.uint64)
    smallest = wide.min()
    offsets = (wide - smallest).astype(np.intp)
    is_present = np.bincount(offsets) > 0
    unique = np.flatnonzero(is_present).astype(wide.dtype) + smallest
    return unique.astype(ids.dtype), (np.cumsum(is_present) - 1)[offsets]


def _ids(groups: ArrayLike) -> NDArray[Any]:
    """Return one id per row. Raise if an id is missing."""
    # In a list of strings, numpy would convert a missing id to the string "nan".
    ids = np.asarray(groups) if hasattr(groups, "__array__") else np.asarray(groups, dtype=object)
    if ids.ndim == 2 and ids.shape[1] == 1:
        ids = ids[:, 0]
    if ids.ndim != 1:
        raise ValueError(
            f"groups must have one id per row, shape (n_samples,), got shape {ids.shape}. Pass one column."
        )
    missing = np.frompyfunc(_is_missing, 1, 1)(ids).astype(bool) if ids.dtype == object else ids != ids
    if missing.any():
        row = missing.argmax()
        raise ValueError(
            f"groups must have an id in each row, got {ids[row]!r} in row {row}. Drop the rows without an id, or give "
            "them one."
        )
    return ids if hasattr(groups, "__array__") else np.asarray(groups).ravel()


def _is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, NaT or pandas.NA: not equal to itself, or not comparable to itself."""
    try:
        return value is None or bool(value != value)
    except TypeError:
        return True


def group_codes(groups: ArrayLike) -> NDArray[np.intp]:
    """Return the list of each row, from 0 in the order of the sorted ids. Raise if an id is missing."""
    return group_runs(groups, len(np.asarray(groups)))[0]
