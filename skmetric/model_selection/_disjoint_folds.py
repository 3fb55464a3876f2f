"""What folds share that test on what training never saw."""

import heapq
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d

__all__ = ["Places", "check_labels", "deal", "largest_first"]

Places: TypeAlias = NDArray[np.intp]


def check_labels(X: Any, y: ArrayLike) -> NDArray[np.intp]:
    """The label of each row, as an integer from 0."""
    if np.ndim(y) > 1 and np.shape(y)[1:] != (1,):
        raise ValueError(f"y must be one label a row, shape (n,), got shape {np.shape(y)}. Pass one column.")
    labels = column_or_1d(y)
    check_consistent_length(X, labels)
    try:
        assert_all_finite(labels, input_name="y")
        return np.unique(labels, return_inverse=True)[1]
    except TypeError as error:
        raise TypeError(
            f"y must hold labels of one type that can be sorted, and none missing: {error}. Replace missing labels, "
            "and convert the others, for instance to str."
        ) from error


def largest_first(sizes: NDArray[np.intp], rng: np.random.RandomState | None) -> Places:
    order = np.arange(len(sizes)) if rng is None else rng.permutation(len(sizes))
    return order[np.argsort(-sizes[order], kind="stable")]


def deal(sizes: NDArray[np.intp], so_far: NDArray[np.intp], rng: np.random.RandomState | None) -> Places:
    """Fold of each size, from the largest on: the one that got least, and of these the one with least ``so_far``."""
    n_folds = len(so_far)
    order = np.arange(len(sizes))
    if rng is not None:
        order = np.lexsort((rng.random_sample(len(sizes)), order // n_folds))
    folds = np.empty(len(sizes), dtype=np.intp)
    least = sorted((0, before, fold) for fold, before in enumerate(so_far.tolist()))
    for place, size in zip(order.tolist(), sizes[order].tolist(), strict=True):
        rows, before, fold = least[0]
        folds[place] = fold
        heapq.heapreplace(least, (rows + size, before, fold))
    return folds
