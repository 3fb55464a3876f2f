"""Folds that test on tuples of points that training never saw."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_random_state

from skmetric._warnings import warn_caller
from skmetric.estimators.points import distinct_points
from skmetric.model_selection._folds import Places, UngroupedKFold, check_labels
from skmetric.model_selection._tuple_components import deal_pieces, pieces_of

__all__ = ["TupleKFold"]

# How often TupleKFold divides the points, each time into smaller pieces, before it gives up.
DIVISIONS = 10


class TupleKFold(UngroupedKFold):
    r"""K folds of tuples of points: no point of a test tuple is seen in training.

    Every point p is given a fold :math:`\varphi(p)`, and

    .. math::
        \mathrm{test}_k = \{t : \varphi(p) = k \text{ for all } p \in t\}, \quad
        \mathrm{train}_k = \{t : \varphi(p) \ne k \text{ for all } p \in t\}.

    Tuples whose points lie in several folds are in no test part, and in the training parts of the other folds only.

    Points that tuples connect, directly or through others, are a component. One of at most 1.5 times the tuples of an
    even fold is kept whole: where all are, no tuple is lost. A larger one is divided into pieces of at most half a
    fold: its tuples are taken in random order, and the points of each are joined, with what they are joined to already,
    unless that makes too large a piece. Components and pieces are then dealt from the largest to the smallest, each
    into the fold with the fewest so far.

    Parameters
    ----------
    n_splits : int, default=5
        How many folds, at least 2.
    shuffle : bool, default=False
        Whether random choices are drawn from ``random_state``. Otherwise, the same tuples are divided in the same way
        every time, whatever their order.
    random_state : int, RandomState or None, default=None
        Only with ``shuffle``. An int gives the same folds every time.

    Raises
    ------
    ValueError
        If ``n_splits`` is not an integer of at least 2, or ``random_state`` is given without ``shuffle``.
    TypeError
        If ``shuffle`` is not a bool.

    Warns
    -----
    UserWarning
        If more than half of the tuples are in no test part.

    See Also
    --------
    ClassDisjointKFold : For rows with classes.
    sklearn.model_selection.KFold : For tuples that may share points between training and test.

    Notes
    -----
    Of 1000 random pairs of 150 points, 5 folds test 31%, and 20% if each point is given a fold at random; of 1000
    random triplets of 100 points, 8% and 4%. Which tuples join points is left to chance, as the division that loses
    fewest would favor tuples within dense regions, such as similar pairs. Some favor remains: of 5000 pairs of 150
    points in 10 classes, half of them within a class, 58% of those tested are.

    Where y has two labels, as pairs that are similar or not have, each training part and each test part has both. If
    one lacks a label, or is empty, points are divided again, with limits half as large, up to nine times.

    ``cross_val_predict`` wants every tuple to be tested, and takes these folds only where none is lost.

    References
    ----------
    Karger (1993). Global Min-cuts in RNC, and Other Ramifications of a Simple Min-Cut Algorithm. SODA. Joining points
    at random, there until two pieces are left.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.model_selection import TupleKFold
    >>> pairs = np.array([[0, 1], [1, 2], [3, 4], [5, 6], [6, 7], [8, 9]])
    >>> for train, test in TupleKFold(2).split(pairs):
    ...     print(pairs[test].tolist())
    [[0, 1], [1, 2], [8, 9]]
    [[3, 4], [5, 6], [6, 7]]
    """

    def split(self, X: ArrayLike, y: ArrayLike | None = None, groups: Any = None) -> Iterator[tuple[Places, Places]]:
        """Generate the tuples to train on and to test on, fold by fold.

        Parameters
        ----------
        X : array-like of int, shape (n, 2) or (n, 3), or array-like of shape (n, 2 or 3, n_features)
            Tuples of places in a table, where a number is the same point in every column (to tell users from items,
            number items on from the last user); or of points, where those equal in all features are the same.
        y : array-like of shape (n,), default=None
            Labels of the tuples. Looked at where there are two different ones.
        groups : object, default=None
            Not supported: given groups are ignored with a warning.

        Yields
        ------
        train, test : ndarray of int
            Places of tuples in X, in rising order.

        Raises
        ------
        ValueError
            If X does not hold tuples, if y is not one label a tuple, or if no division is found that leaves a training
            and a test tuple in each fold, of both labels where y has two.
        """
        self._warn_of_groups(groups)
        points = _check_tuples(X)
        codes = None if y is None else check_labels(X, y)
        parts = self._parts(points, codes if codes is not None and codes.max() == 1 else None)
        lost = 1 - sum(len(test) for _, test in parts) / len(points)
        if lost > 0.5:
            warn_caller(
                f"{lost:.0%} of the {len(points)} tuples are in no test part, as they connect points of several folds. "
                "Take fewer folds to test more of them. If tuples were built from a table, rather split its rows, and "
                "build tuples within each part."
            )
        yield from parts

    def _parts(self, points: NDArray[np.intp], codes: NDArray[np.intp] | None) -> list[tuple[Places, Places]]:
        """Training and test part of each fold."""
        rng = check_random_state(self.random_state if self.shuffle else 0)
        in_order = np.lexsort(points.T)
        tuples, labels = points[in_order], codes if codes is None else codes[in_order]
        lacks: list[str] = []
        for division in range(DIVISIONS):
            even = points.size / self.n_splits / 2**division
            folds = deal_pieces(pieces_of(tuples, even, rng), tuples, labels, self.n_splits, rng)[points]
            parts = [
                (np.flatnonzero((folds != fold).all(axis=1)), np.flatnonzero((folds == fold).all(axis=1)))
                for fold in range(self.n_splits)
            ]
            lack = _what_lacks(parts, codes)
            if lack is None:
                return parts
            lacks.append(lack)
        raise ValueError(
            f"n_splits={self.n_splits} is too much for these {len(points)} tuples of {points.max() + 1} points: "
            f"{DIVISIONS} divisions were tried, and the first left a fold without {lacks[0]}. Take fewer folds, or "
            "more tuples of other points. If tuples were built from a table, rather split its rows, and build tuples "
            "within each part."
        )


def _check_tuples(X: ArrayLike) -> NDArray[np.intp]:
    """Tuples of points, each numbered from 0: shape (n, 2) or (n, 3)."""
    tuples = check_array(X, dtype="numeric", allow_nd=True, ensure_2d=False, ensure_all_finite=False, input_name="X")
    if tuples.ndim not in (2, 3) or tuples.shape[1] not in (2, 3):
        raise ValueError(
            "X must hold pairs or triplets: places in a table, shape (n, 2) or (n, 3), or points, shape (n, 2 or 3, "
            f"n_features); got shape {tuples.shape}. For two tables A and B: np.stack([A, B], axis=1)."
        )
    if tuples.ndim == 3:
        keys = distinct_points(tuples.reshape(-1, tuples.shape[2]))[1]
    elif tuples.dtype.kind in "iu" or (np.isfinite(tuples).all() and np.array_equal(tuples, np.floor(tuples))):
        keys = tuples.ravel()
    else:
        raise ValueError(
            "X must hold whole numbers, places in a table, where it is of shape (n, 2) or (n, 3); got "
            f"dtype {tuples.dtype} with fractions or gaps. Pass points in shape (n, 2 or 3, n_features)."
        )
    if tuples.ndim == 2 and tuples.min() < 0:
        raise ValueError(
            f"X must hold places in a table, from 0 on; got {tuples.min()}. Count from the start, so that a point has "
            "one number."
        )
    return np.unique(keys, return_inverse=True)[1].reshape(tuples.shape[:2])


def _what_lacks(parts: list[tuple[Places, Places]], codes: NDArray[np.intp] | None) -> str | None:
    """What some part cannot do without."""
    for train, test in parts:
        for name, part in (("test", test), ("training", train)):
            if not len(part):
                return f"a {name} tuple"
            if codes is not None and np.ptp(codes[part]) == 0:
                return f"{name} tuples of both labels of y"
    return None
