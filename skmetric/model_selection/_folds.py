"""What folds share that test on what training never saw."""

import heapq
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d

from skmetric._warnings import warn_caller

__all__ = ["Places", "UngroupedKFold", "check_labels", "deal", "largest_first"]

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


class UngroupedKFold(BaseCrossValidator):
    """Parameters, and no use for groups; a subclass says in ``split`` what the folds are."""

    def __init__(
        self, n_splits: int = 5, *, shuffle: bool = False, random_state: int | np.random.RandomState | None = None
    ) -> None:
        _check_parameters(n_splits, shuffle, random_state)
        self.n_splits = int(n_splits)
        self.shuffle = shuffle
        self.random_state = random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return how many folds there are.

        Parameters
        ----------
        X, y, groups : object, default=None
            Not needed; there for compatibility.

        Returns
        -------
        n_splits : int
            As given.
        """
        return self.n_splits

    def _warn_of_groups(self, groups: Any) -> None:
        if groups is not None:
            warn_caller(
                f"groups are ignored by {type(self).__name__}, which may put rows of a group in several folds. Take "
                "GroupKFold to keep them together."
            )


def _check_parameters(n_splits: int, shuffle: bool, random_state: int | np.random.RandomState | None) -> None:
    if isinstance(n_splits, bool) or not isinstance(n_splits, Integral) or n_splits < 2:
        raise ValueError(f"n_splits must be an integer of at least 2, got n_splits={n_splits!r}. Pass 5.")
    if not isinstance(shuffle, bool):
        raise TypeError(f"shuffle must be True or False, got {shuffle!r} of type {type(shuffle).__name__}.")
    if not shuffle and random_state is not None:
        raise ValueError(
            f"random_state needs shuffle=True, got random_state={random_state!r} and shuffle=False. Set shuffle=True, "
            "or leave random_state at None."
        )
