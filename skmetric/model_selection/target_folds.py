"""K folds that all cover the whole range of a continuous target."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length, check_random_state

from skmetric._checks import check_target
from skmetric.model_selection._folds import UngroupedKFold

__all__ = ["DensityStratifiedKFold"]


class DensityStratifiedKFold(UngroupedKFold):
    r"""K folds in which a continuous target has a similar distribution, including its tails.

    Rows are sorted by y, with ties in the order of the rows, and split into runs of ``n_splits`` consecutive rows. Each
    run gives one row to each fold: the row at index :math:`p` of run :math:`r` goes to fold
    :math:`(p + r) \bmod \text{n\_splits}` or, with ``shuffle``, to the fold given by a random permutation.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        Whether the rows of each run are assigned to folds by a separate random permutation. Otherwise, folds take turns
        in getting the smallest row of a run.
    random_state : int, RandomState or None, default=None
        Seed of the permutations, used only if ``shuffle=True``. An int gives the same folds every time.

    Raises
    ------
    ValueError
        If ``n_splits`` is not an integer of at least 2, or ``random_state`` is given without ``shuffle``.
    TypeError
        If ``shuffle`` is not a bool.

    See Also
    --------
    sklearn.model_selection.StratifiedKFold : K folds for classes.

    Notes
    -----
    Sizes of folds differ by at most 1. If ``n_splits`` does not divide the number of rows, the incomplete run is in the
    middle of the sorted rows. Each fold therefore has one of the ``n_splits`` largest rows and, if there are at least
    ``2 * n_splits`` rows, one of the ``n_splits`` smallest.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.model_selection import DensityStratifiedKFold
    >>> y = np.array([1.0, 2.0, 3.0, 100.0, 5.0, 90.0, 4.0])
    >>> for train, test in DensityStratifiedKFold(2).split(y[:, np.newaxis], y):
    ...     print(np.sort(y[test]))
    [  1.   4. 100.]
    [ 2.  3.  5. 90.]
    """

    def split(
        self, X: Any, y: ArrayLike | None = None, groups: Any = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the training rows and the test rows of each fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows. Only their number matters.
        y : array-like of shape (n_samples,)
            The continuous target.
        groups : object, default=None
            Not supported. Groups are ignored with a warning.

        Yields
        ------
        train, test : ndarray of int
            Row indices, in ascending order.

        Raises
        ------
        ValueError
            If y is missing or not one finite number per row, if X has another number of rows, or if there are fewer
            rows than folds.
        """
        self._warn_of_groups(groups)
        folds = self._folds(self._check_rows(X, y))
        for fold in range(self.n_splits):
            yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)

    def _check_rows(self, X: Any, y: ArrayLike | None) -> NDArray[np.float64]:
        if y is None:
            raise ValueError(
                f"y must be given, because {type(self).__name__} splits rows by their target, got y=None. Pass y, or "
                "use KFold."
            )
        target = check_target(y, "y")
        check_consistent_length(X, target)
        if self.n_splits > len(target):
            raise ValueError(
                f"n_splits must be at most the number of rows, got n_splits={self.n_splits} and {len(target)} rows. "
                "Use fewer folds."
            )
        return target

    def _folds(self, target: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the fold of each row."""
        sizes = _run_sizes(len(target), self.n_splits)
        runs = np.repeat(np.arange(len(sizes)), sizes)
        indices = np.arange(len(target)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        if self.shuffle:
            draws = check_random_state(self.random_state).random_sample((len(sizes), self.n_splits))
            dealt = draws.argsort(axis=1)[runs, indices]
        else:
            dealt = (indices + runs) % self.n_splits
        folds = np.empty(len(target), dtype=np.intp)
        folds[np.argsort(target, kind="stable")] = dealt
        return folds


def _run_sizes(n_rows: int, n_splits: int) -> NDArray[np.intp]:
    """Return the sizes of the runs in the order of the target: all are full, except one in the middle."""
    n_full, rest = divmod(n_rows, n_splits)
    sizes = np.full(n_full, n_splits, dtype=np.intp)
    return np.insert(sizes, n_full // 2, rest) if rest else sizes
