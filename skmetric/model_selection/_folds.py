"""Common parts of the splitters: their parameters, checks of labels, and dealing of sizes to folds."""

import heapq
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_consistent_length

from skmetric._checks import check_labels, codes_of
from skmetric._warnings import warn_caller

__all__ = ["Indices", "UngroupedKFold", "deal", "label_codes", "largest_first"]

Indices: TypeAlias = NDArray[np.intp]


def label_codes(X: Any, y: ArrayLike) -> NDArray[np.intp]:
    """Return the label of each row, coded as integers from 0."""
    labels = check_labels(y, "y")
    check_consistent_length(X, labels)
    return codes_of(labels, "y")[0]


def largest_first(sizes: NDArray[np.intp], rng: np.random.RandomState | None) -> Indices:
    """Return the order of the sizes from the largest to the smallest; ties are in random order if there is an rng."""
    order = np.arange(len(sizes)) if rng is None else rng.permutation(len(sizes))
    return order[np.argsort(-sizes[order], kind="stable")]


def deal(sizes: NDArray[np.intp], so_far: NDArray[np.intp], rng: np.random.RandomState | None) -> Indices:
    """Assign sizes, which are sorted from the largest to the smallest, to folds.

    Each size goes to the fold with the smallest sum in this call. Ties go to the fold with the least ``so_far``. With
    an ``rng``, each run of ``n_folds`` consecutive sizes is shuffled first.
    """
    n_folds = len(so_far)
    order = np.arange(len(sizes))
    if rng is not None:
        order = np.lexsort((rng.random_sample(len(sizes)), order // n_folds))
    folds = np.empty(len(sizes), dtype=np.intp)
    least = sorted((0, before, fold) for fold, before in enumerate(so_far.tolist()))
    for index, size in zip(order.tolist(), sizes[order].tolist(), strict=True):
        rows, before, fold = least[0]
        folds[index] = fold
        heapq.heapreplace(least, (rows + size, before, fold))
    return folds


class UngroupedKFold(BaseCrossValidator):
    """Base class of splitters that ignore groups. A subclass defines the folds in ``split``."""

    def __init__(
        self, n_splits: int = 5, *, shuffle: bool = False, random_state: int | np.random.RandomState | None = None
    ) -> None:
        _check_parameters(n_splits, shuffle, random_state)
        self.n_splits = int(n_splits)
        self.shuffle = shuffle
        self.random_state = random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object, default=None
            Ignored. They exist for compatibility.

        Returns
        -------
        n_splits : int
            Number of folds.
        """
        return self.n_splits

    def _warn_of_groups(self, groups: Any) -> None:
        if groups is not None:
            warn_caller(
                f"groups are ignored by {type(self).__name__}, which may put rows of a group into several folds. Use "
                "GroupKFold to keep groups together."
            )


def _check_parameters(n_splits: int, shuffle: bool, random_state: int | np.random.RandomState | None) -> None:
    if isinstance(n_splits, bool) or not isinstance(n_splits, Integral) or n_splits < 2:
        raise ValueError(f"n_splits must be an integer of at least 2, got n_splits={n_splits!r}. Pass 5.")
    if not isinstance(shuffle, bool):
        raise TypeError(f"shuffle must be True or False, got {shuffle!r} of type {type(shuffle).__name__}.")
    if not shuffle and random_state is not None:
        raise ValueError(
            f"random_state must be None without shuffle=True, got random_state={random_state!r} and shuffle=False. Set "
            "shuffle=True."
        )
