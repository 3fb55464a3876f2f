"""Folds that test on classes that training never saw."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from skmetric.model_selection._folds import Places, UngroupedKFold, check_labels, deal, largest_first

__all__ = ["ClassDisjointKFold"]


class ClassDisjointKFold(UngroupedKFold):
    r"""K folds of whole classes: those that a fold tests on are never seen in training.

    This evaluates an embedding on an open set, by retrieval among classes that are new to it. With :math:`C_k` the
    classes of fold k, and :math:`C_1, \dots, C_K` a partition of all,

    .. math:: \mathrm{test}_k = \{i : y_i \in C_k\}, \quad \mathrm{train}_k = \{i : y_i \notin C_k\}.

    Classes are dealt from the largest to the smallest, each into the fold with the fewest rows so far; but for the
    ``n_splits`` smallest, which go one to each fold, the smallest of them into the fold with the most rows.

    Parameters
    ----------
    n_splits : int, default=5
        How many folds, at least 2.
    shuffle : bool, default=False
        Whether classes of about one size change places at random before they are dealt: those of equal size and, but
        for the smallest, every ``n_splits`` that follow each other in size. Otherwise, classes of equal size are dealt
        in sorted order.
    random_state : int, RandomState or None, default=None
        Where these places are drawn from; only with ``shuffle``. An int gives the same folds every time.

    Raises
    ------
    ValueError
        If ``n_splits`` is not an integer of at least 2, or ``random_state`` is given without ``shuffle``.
    TypeError
        If ``shuffle`` is not a bool.

    See Also
    --------
    TupleKFold : For tuples of points.
    sklearn.model_selection.StratifiedKFold : For classes that training should have seen.
    skmetric.metrics.map_at_r_scorer : What to score by, as no classifier can name a new class.

    Notes
    -----
    Every fold holds one of the ``n_splits`` largest classes and one of the ``n_splits`` smallest: at least two classes,
    one of them with two rows, which MAP@R needs. The sizes of two folds differ by at most the rows of the largest
    class. Where rows stand in the table does not matter.

    References
    ----------
    Graham (1969). Bounds on Multiprocessing Timing Anomalies. SIAM Journal on Applied Mathematics 17(2). The rule for
    all but the smallest classes.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.model_selection import ClassDisjointKFold
    >>> y = np.array(["a", "a", "a", "b", "b", "c", "c", "d", "e"])
    >>> for train, test in ClassDisjointKFold(2).split(np.zeros((9, 1)), y):
    ...     print(y[train], y[test])
    ['b' 'b' 'c' 'c' 'e'] ['a' 'a' 'a' 'd']
    ['a' 'a' 'a' 'd'] ['b' 'b' 'c' 'c' 'e']
    """

    def split(self, X: Any, y: ArrayLike | None = None, groups: Any = None) -> Iterator[tuple[Places, Places]]:
        """Generate the rows to train on and to test on, fold by fold.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows; only their number matters.
        y : array-like of shape (n,)
            The class of each row: integers, strings, booleans, or objects that can be sorted.
        groups : object, default=None
            Not supported: given groups are ignored with a warning.

        Yields
        ------
        train, test : ndarray of int
            Places of rows, in rising order.

        Raises
        ------
        ValueError
            If y is missing or not one class a row, if X has another number of rows, or if there are fewer than two
            classes a fold, or fewer classes of two rows or more than folds.
        TypeError
            If the classes cannot be sorted.
        """
        self._warn_of_groups(groups)
        if y is None:
            raise ValueError(
                "y must be given: ClassDisjointKFold deals out rows by their class, got y=None. Pass y, or take KFold."
            )
        codes = check_labels(X, y)
        folds = self._class_folds(np.bincount(codes))[codes]
        for fold in range(self.n_splits):
            yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)

    def _class_folds(self, sizes: NDArray[np.intp]) -> Places:
        """Fold of each class."""
        k = self.n_splits
        if k > len(sizes) // 2:
            way_out = f"n_splits={len(sizes) // 2}" if len(sizes) >= 4 else "StratifiedKFold, whose folds share classes"
            raise ValueError(
                "n_splits must be at most half the number of classes, as every fold tests on two or more of its own; "
                f"got n_splits={k} and {len(sizes)} classes. Take {way_out}."
            )
        if k > (n_repeated := np.count_nonzero(sizes >= 2)):
            raise ValueError(
                "n_splits must be at most the number of classes with two rows or more, as nothing can be retrieved in "
                f"a fold without one; got n_splits={k} and {n_repeated} such classes. Take fewer folds, or more rows "
                "of a class."
            )
        rng = check_random_state(self.random_state) if self.shuffle else None
        order = largest_first(sizes, rng)
        folds = np.empty(len(sizes), dtype=np.intp)
        folds[order[:-k]] = deal(sizes[order[:-k]], np.zeros(k, dtype=np.intp), rng)
        so_far = np.bincount(folds[order[:-k]], weights=sizes[order[:-k]], minlength=k)
        folds[order[-k:]] = np.argsort(so_far, kind="stable")
        return folds
