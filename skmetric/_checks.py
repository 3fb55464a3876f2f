"""Checks of arguments that several packages share: weights, targets, labels, group ids, ranks, options. numpy only."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._values import check_numbers, check_shape, read_values, refuse_missing

__all__ = [
    "check_choice",
    "check_finite",
    "check_k",
    "check_labels",
    "check_range",
    "check_target",
    "check_training_weights",
    "check_weights",
    "codes_of",
    "group_codes",
    "group_runs",
]

# Integer ids are counted instead of sorted if their range is at most this many times their number.
DENSE_IDS = 4


def check_weights(
    sample_weight: ArrayLike | None, n: int, *, per: str = "row", groups: NDArray[np.integer] | None = None
) -> NDArray[np.float64]:
    """Validate weights: one finite, non-negative number per row (or pair), not all 0.

    Parameters
    ----------
    sample_weight : array-like of shape (n,), optional
        If None, all weights are 1.
    n : int
        Required number of weights.
    per : str
        Name of what has a weight, for messages.
    groups : ndarray of int, shape (n,), optional
        Group of each row, for the message if there is one weight per group.

    Returns
    -------
    ndarray of shape (n,)
        Weights in float64.
    """
    if sample_weight is None:
        return np.ones(n)
    weights = check_numbers(sample_weight, "sample_weight", per).astype(np.float64)
    if weights.shape != (n,):
        advice = "Pass sample_weight=None for equal weights."
        if groups is not None and weights.shape == (int(groups.max(initial=-1)) + 1,):
            advice = (
                "If these are weights of the groups, in the order of the sorted ids, give each row the weight of its "
                "group: weights[np.unique(groups, return_inverse=True)[1]]."
            )
        raise ValueError(
            f"sample_weight must have one weight per {per}, shape ({n},), got shape {weights.shape}. {advice}"
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


def check_training_weights(
    sample_weight: ArrayLike | None, n: int, *, per: str = "row", groups: NDArray[np.integer] | None = None
) -> NDArray[np.float64]:
    """Validate weights for training, in which their ratios must fit into float32; see :func:`check_weights`."""
    weights = check_weights(sample_weight, n, per=per, groups=groups)
    largest, least = weights.max(), weights[weights > 0].min()
    if least / largest < np.finfo(np.float32).tiny:
        raise ValueError(
            f"sample_weight must have ratios that fit into float32, got {largest:g} at {per} {weights.argmax()} and "
            f"{least:g} at {per} {np.flatnonzero(weights == least)[0]}, which would count as 0. Limit the largest "
            "weights, for example by np.clip, or set the smallest to 0."
        )
    return weights


def check_target(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Validate a continuous target: one finite number per row, in float64. A single column is flattened."""
    numbers = check_shape(check_numbers(values, name), name, "number").astype(np.float64)
    if not numbers.size:
        raise ValueError(f"{name} must have at least one row, got shape {numbers.shape}. Pass at least one row.")
    check_finite(numbers, name)
    check_range(numbers, name)
    return numbers


def check_labels(values: ArrayLike, name: str, what: str = "label") -> NDArray[Any]:
    """Validate labels: one per row, all of one kind, none missing or infinite. A single column is flattened."""
    labels = check_shape(refuse_missing(read_values(values, name), name), name, what)
    if labels.dtype.kind == "f":
        check_finite(labels, name)
    return labels


def codes_of(labels: NDArray[Any], name: str) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the code of each label, from 0 in the order of the sorted labels, and the number of rows of each code."""
    try:
        _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    except TypeError as error:
        raise TypeError(f"{name} must hold values that can be sorted, got {error}. Convert them to str.") from error
    return codes, counts


def check_finite(numbers: NDArray[np.floating], name: str) -> None:
    """Raise unless all numbers are finite."""
    wrong = np.argwhere(~np.isfinite(numbers))
    if len(wrong):
        raise ValueError(
            f"{name} must be finite, got {numbers[tuple(wrong[0])]} at row {wrong[0][0]} ({len(wrong)} such values in "
            "all). Drop such rows, or replace the values."
        )


def check_range(numbers: NDArray[np.float64], name: str) -> None:
    """Raise unless the range of the numbers fits into float64."""
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


def group_runs(groups: ArrayLike, name: str = "groups") -> tuple[NDArray[np.intp], NDArray[np.intp] | None]:
    """Return the list of each row, from 0, and the start of each list if the rows of each list are contiguous."""
    ids = check_labels(groups, name, "id")
    n = len(ids)
    changes = np.ones(n, dtype=bool)
    changes[1:] = ids[1:] != ids[:-1]
    heads = np.flatnonzero(changes)
    try:
        # If the rows come list by list, there are far fewer runs of equal ids than rows.
        unique, code_of_run = _unique(ids[heads])
    except TypeError as error:
        raise TypeError(
            f"{name} must hold ids that can be sorted, got {error}. Convert the ids, for instance to str."
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


def group_codes(groups: ArrayLike, name: str = "groups") -> NDArray[np.intp]:
    """Return the list of each row, from 0 in the order of the sorted ids. Raise if an id is missing."""
    return group_runs(groups, name)[0]
