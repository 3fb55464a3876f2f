"""K folds that test on classes which training has not seen."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from skmetric.model_selection._folds import Indices, UngroupedKFold, deal, label_codes, largest_first

__all__ = ["ClassDisjointKFold"]


class ClassDisjointKFold(UngroupedKFold):
    r"""K folds of whole classes, so that test classes are never seen in training.

    This evaluates an embedding on an open set: by retrieval among new classes. The classes :math:`C_k` of the folds
    form a partition :math:`C_1, \dots, C_K` of all classes, and

    .. math:: \mathrm{test}_k = \{i : y_i \in C_k\}, \quad \mathrm{train}_k = \{i : y_i \notin C_k\}.

    Classes are assigned from the largest to the smallest, each to the fold with the fewest rows so far. The
    ``n_splits`` smallest classes are assigned at the end, one per fold, the smallest to the fold with the most rows.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        Whether classes of similar size are shuffled before they are assigned: those of equal size and, except for the
        smallest, each run of ``n_splits`` classes in order of size. Otherwise, classes of equal size are assigned in
        sorted order.
    random_state : int, RandomState or None, default=None
        Seed of the shuffle, used only if ``shuffle=True``. An int gives the same folds every time.

    Raises
    ------
    ValueError
        If ``n_splits`` is not an integer of at least 2, or ``random_state`` is given without ``shuffle``.
    TypeError
        If ``shuffle`` is not a bool.

    See Also
    --------
    TupleKFold : K folds for tuples of points.
    sklearn.model_selection.StratifiedKFold : K folds for classes that training has seen.
    skmetric.metrics.map_at_r_scorer : A suitable scorer, because no classifier can predict a new class.

    Notes
    -----
    Every fold has one of the ``n_splits`` largest classes and one of the ``n_splits`` smallest: at least two classes,
    one of them with two rows, which MAP@R needs. The sizes of two folds differ by at most the number of rows of the
    largest class. The order of the rows does not matter.

    References
    ----------
    Graham (1969). Bounds on Multiprocessing Timing Anomalies. SIAM Journal on Applied Mathematics 17(2). This is
    the rule for all classes except the smallest.

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

    def split(self, X: Any, y: ArrayLike | None = None, groups: Any = None) -> Iterator[tuple[Indices, Indices]]:
        """Yield the training rows and the test rows of each fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows. Only their number matters.
        y : array-like of shape (n_samples,)
            Class of each row: integers, strings, booleans, or objects that can be sorted.
        groups : object, default=None
            Not supported. Groups are ignored with a warning.

        Yields
        ------
        train, test : ndarray of int
            Row indices, in ascending order.

        Raises
        ------
        ValueError
            If y is missing or not one class per row, if X has another number of rows, if there are fewer than two
            classes per fold, or if there are fewer classes with two or more rows than folds.
        TypeError
            If the classes cannot be sorted.
        """
        self._warn_of_groups(groups)
        if y is None:
            raise ValueError(
                "y must be given, because ClassDisjointKFold splits rows by their class, got y=None. Pass y, or use "
                "KFold."
            )
        codes = label_codes(X, y)
        folds = self._class_folds(np.bincount(codes))[codes]
        for fold in range(self.n_splits):
            yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)

    def _class_folds(self, sizes: NDArray[np.intp]) -> Indices:
        """Return the fold of each class."""
        k = self.n_splits
        if k > len(sizes) // 2:
            way_out = f"n_splits={len(sizes) // 2}" if len(sizes) >= 4 else "StratifiedKFold, whose folds share classes"
            raise ValueError(
                "n_splits must be at most half the number of classes, because every fold tests on at least two "
                f"classes, got n_splits={k} and {len(sizes)} classes. Use {way_out}."
            )
        if k > (n_repeated := np.count_nonzero(sizes >= 2)):
            raise ValueError(
                "n_splits must be at most the number of classes with two or more rows, because retrieval needs such a "
                f"class in every fold, got n_splits={k} and {n_repeated} such classes. Use fewer folds, or more rows "
                "per class."
            )
        rng = check_random_state(self.random_state) if self.shuffle else None
        order = largest_first(sizes, rng)
        folds = np.empty(len(sizes), dtype=np.intp)
        folds[order[:-k]] = deal(sizes[order[:-k]], np.zeros(k, dtype=np.intp), rng)
        so_far = np.bincount(folds[order[:-k]], weights=sizes[order[:-k]], minlength=k)
        folds[order[-k:]] = np.argsort(so_far, kind="stable")
        return folds
