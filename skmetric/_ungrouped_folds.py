"""What the splitters share that make folds of their own kind."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from skmetric._warnings import warn_caller

__all__ = ["UngroupedKFold"]


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
