"""K folds that test on tuples of points which training has not seen."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_random_state

from skmetric._checks import codes_of
from skmetric._values import NUMBERS, read_values, refuse_missing
from skmetric._warnings import warn_caller
from skmetric.estimators.points import distinct_points
from skmetric.model_selection._folds import Indices, UngroupedKFold, label_codes
from skmetric.model_selection._tuple_components import deal_pieces, pieces_of

__all__ = ["TupleKFold"]

# Number of times that TupleKFold tries to divide the points, each time into smaller pieces.
DIVISIONS = 10


class TupleKFold(UngroupedKFold):
    r"""K folds of tuples of points, so that no point of a test tuple is seen in training.

    Every point p gets a fold :math:`\varphi(p)`, and

    .. math::
        \mathrm{test}_k = \{t : \varphi(p) = k \text{ for all } p \in t\}, \quad
        \mathrm{train}_k = \{t : \varphi(p) \ne k \text{ for all } p \in t\}.

    A tuple whose points are in several folds is in no test part, and only in the training parts of the other folds.

    Points that are connected by tuples, directly or through other points, form a component. A component with at most
    1.5 times the tuples of an even fold is kept whole. If all components are kept whole, no tuple is lost. A larger
    component is divided into pieces of at most half a fold. For this, its tuples are visited in random order. The
    points of each tuple are joined, together with all points joined to them before, unless the piece becomes too large.
    Components and pieces are then assigned from the largest to the smallest, each to the fold with the fewest tuples so
    far.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        Whether random choices are drawn from ``random_state``. Otherwise, the same tuples are divided in the same way
        every time, regardless of their order.
    random_state : int, RandomState or None, default=None
        Seed of the random choices, used only if ``shuffle=True``. An int gives the same folds every time.

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
    ClassDisjointKFold : K folds for rows with classes.
    sklearn.model_selection.KFold : K folds for tuples that may share points between training and test.

    Notes
    -----
    Of 1000 random pairs of 150 points, 5 folds test 31%. If each point got a random fold, they would test 20%. Of 1000
    random triplets of 100 points, they test 8%, instead of 4%. Points are joined at random, because a division that
    loses the fewest tuples would prefer tuples within dense regions, such as similar pairs. Some bias remains: with
    5000 pairs of 150 points in 10 classes, 50% of all pairs are within a class, but 58% of the tested pairs.

    If y has two labels, such as those of similar and dissimilar pairs, each training part and each test part has both.
    If a part lacks a label or is empty, points are divided again, with limits half as large, up to nine times.

    ``cross_val_predict`` needs every tuple to be tested, so it accepts these folds only if no tuple is lost.

    References
    ----------
    Karger (1993). Global Min-cuts in RNC, and Other Ramifications of a Simple Min-Cut Algorithm. SODA. The algorithm
    joins points at random until two pieces are left.

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

    def split(self, X: ArrayLike, y: ArrayLike | None = None, groups: Any = None) -> Iterator[tuple[Indices, Indices]]:
        """Yield the training tuples and the test tuples of each fold.

        Parameters
        ----------
        X : array-like of shape (n_tuples, 2) or (n_tuples, 3), or (n_tuples, 2 or 3, n_features)
            Tuples of indices into a table or of other ids, or tuples of points. An index is the same point in every
            column; to separate users and items, continue the numbers of the items after the last user. Points that are
            equal in all features are the same point.
        y : array-like of shape (n_tuples,), default=None
            Labels of the tuples. Used only if there are two different labels.
        groups : object, default=None
            Not supported. Groups are ignored with a warning.

        Yields
        ------
        train, test : ndarray of int
            Indices of tuples in X, in ascending order.

        Raises
        ------
        ValueError
            If X does not hold tuples, if y is not one label per tuple, or if no division is found in which each fold
            has training and test tuples, of both labels if y has two.
        """
        self._warn_of_groups(groups)
        points = _check_tuples(X)
        codes = None if y is None else label_codes(X, y)
        parts = self._parts(points, codes if codes is not None and codes.max() == 1 else None)
        lost = 1 - sum(len(test) for _, test in parts) / len(points)
        if lost > 0.5:
            warn_caller(
                f"{lost:.0%} of the {len(points)} tuples are in no test part, because their points are in several "
                "folds. Use fewer folds to test more tuples. If the tuples were built from a table, split the rows of "
                "the table instead, and build tuples within each part."
            )
        yield from parts

    def _parts(self, points: NDArray[np.intp], codes: NDArray[np.intp] | None) -> list[tuple[Indices, Indices]]:
        """Return the training part and the test part of each fold."""
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
            f"n_splits must leave training and test tuples in each fold, got n_splits={self.n_splits} for "
            f"{len(points)} tuples of {points.max() + 1} points: {DIVISIONS} divisions failed, the first with a fold "
            f"without {lacks[0]}. Use fewer folds, or more tuples of other points. If the tuples were built from a "
            "table, split the rows of the table instead, and build tuples within each part."
        )


def _check_tuples(X: ArrayLike) -> NDArray[np.intp]:
    """Return tuples of points numbered from 0, (n_tuples, 2) or (n_tuples, 3)."""
    shape = np.shape(X)
    if len(shape) not in (2, 3) or shape[1] not in (2, 3):
        raise ValueError(
            "X must hold pairs or triplets: indices of shape (n_tuples, 2) or (n_tuples, 3), or points of shape "
            f"(n_tuples, 2 or 3, n_features), got shape {shape}. For two tables A and B, pass np.stack([A, B], axis=1)."
        )
    if len(shape) == 2:
        return codes_of(_check_keys(X), "X")[0].reshape(shape)
    tuples = check_array(X, dtype="numeric", allow_nd=True, ensure_all_finite=False, input_name="X")
    points = distinct_points(tuples.reshape(-1, shape[2]))[1]
    return points.astype(np.intp, copy=False).reshape(shape[:2])


def _check_keys(X: ArrayLike) -> NDArray[Any]:
    """Return the indices or ids of the points of all tuples, one after the other."""
    read = read_values(X, "X")
    keys = refuse_missing(read, "X", "tuple").ravel()
    if read.kind != NUMBERS:
        return keys
    if not np.array_equal(keys, np.floor(keys)):
        raise ValueError(
            "X must hold indices, which are whole numbers, or other ids if its shape is (n_tuples, 2) or (n_tuples, 3),"
            " got numbers with fractions. Pass points in shape (n_tuples, 2 or 3, n_features)."
        )
    if keys.min() < 0:
        raise ValueError(
            f"X must hold indices of at least 0, got {keys.min()}. Count from the start of the table, so that each "
            "point has one index."
        )
    return keys


def _what_lacks(parts: list[tuple[Indices, Indices]], codes: NDArray[np.intp] | None) -> str | None:
    """Return what a part lacks, or None if all parts are usable."""
    for train, test in parts:
        for name, part in (("test", test), ("training", train)):
            if not len(part):
                return f"a {name} tuple"
            if codes is not None and np.ptp(codes[part]) == 0:
                return f"{name} tuples of both labels of y"
    return None
