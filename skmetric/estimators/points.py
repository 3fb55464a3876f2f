"""Tuples of points, given as points or as indices into a table."""

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from skmetric._sklearn_compat import safe_indexing
from skmetric._values import read_values, refuse_masked, refuse_missing

__all__ = [
    "Preprocessor",
    "Rows",
    "check_preprocessor",
    "count_axes",
    "distinct_points",
    "is_tuples",
    "points_at",
    "read_tuples",
    "refuse_indices_as_rows",
]


class Rows:
    """A table of points for tuples of indices or ids; clones share it.

    ``preprocessor=X`` copies the table for every candidate and fold of a search; ``preprocessor=Rows(X)`` does not.
    Pickles do not contain the table: set ``preprocessor`` again before you pass indices to a loaded estimator.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features), or dict
        The table. Tuples refer to its rows by their positions, from 0. If it is a pandas DataFrame with an index other
        than the default, tuples refer to its rows by their labels in this index. If it is a dict of ids and rows, they
        refer to its keys.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.base import clone
    >>> from skmetric import PairwiseRanker, Rows
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> ranker = PairwiseRanker(preprocessor=Rows(X))
    >>> clone(ranker).preprocessor is ranker.preprocessor
    True
    """

    def __init__(self, X: "Table") -> None:
        self._X: Any = X

    def __call__(self, indices: NDArray[Any]) -> ArrayLike:
        """Return the points at the given indices, labels or ids."""
        if self._X is None:
            raise ValueError(
                "preprocessor must hold a table, got a Rows that was loaded from a pickle, which does not contain the "
                "table. Set preprocessor=Rows(X) again, or pass points instead of indices."
            )
        if isinstance(self._X, Mapping):
            return _rows_of_ids(self._X, indices)
        positions = _labeled(self._X, indices) if _has_labels(self._X) else _check_positions(indices, len(self))
        return safe_indexing(self._X, positions)

    def __len__(self) -> int:
        if self._X is None:
            return 0
        return self._X.shape[0] if hasattr(self._X, "shape") else len(self._X)

    def __sklearn_clone__(self) -> Self:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {"_X": None}

    def __repr__(self) -> str:
        return "Rows()" if self._X is None else f"Rows({len(self)} rows)"


Table = ArrayLike | Mapping[Any, ArrayLike]
Preprocessor = Table | Callable[[NDArray], ArrayLike] | Rows


def check_preprocessor(preprocessor: Any) -> None:
    """Raise unless a preprocessor is None, a table, a dict, Rows or a function."""
    is_table = isinstance(preprocessor, Rows | Mapping) or hasattr(preprocessor, "__len__")
    is_wrong = isinstance(preprocessor, str | bytes | type) or hasattr(preprocessor, "fit")
    if preprocessor is None or ((is_table or callable(preprocessor)) and not is_wrong):
        return
    advice = "Pass the table itself, or Rows(X)."
    if hasattr(preprocessor, "fit"):
        advice = "To transform points, transform the table first: preprocessor=Rows(transformer.fit_transform(X))."
    raise ValueError(
        "preprocessor must be the source of the points: a table, a dict of ids and rows, Rows or a function of indices,"
        f" got {preprocessor!r}. {advice}"
    )


def points_at(preprocessor: Preprocessor, indices: NDArray) -> ArrayLike:
    """Return the points for indices, or for other keys if the preprocessor is a function, a dict or has labels."""
    table = preprocessor if callable(preprocessor) else Rows(preprocessor)
    return table(indices)


def _check_positions(indices: NDArray[Any], n_rows: int) -> NDArray[np.int64]:
    """Return indices as integers, or raise unless they are positions in a table."""
    is_number = indices.dtype.kind in "iuf"
    if not is_number or (indices.dtype.kind == "f" and not np.array_equal(indices, np.floor(indices))):
        raise ValueError(
            f"X must hold indices into preprocessor, whole numbers, got {indices[0]!r}. For other ids, pass a dict of "
            "ids and rows, a DataFrame with the ids as its index, or a function."
        )
    positions = indices.astype(np.int64)
    if positions.size and (positions.min() < 0 or positions.max() >= n_rows):
        wrong = positions.min() if positions.min() < 0 else positions.max()
        raise ValueError(
            f"X must hold indices into preprocessor, from 0 to {n_rows - 1}, got {wrong}. Pass the table that the "
            "indices belong to."
        )
    return positions


def _has_labels(table: Any) -> bool:
    """Whether a table is a pandas DataFrame with an index other than 0, 1, 2, ..."""
    if not hasattr(table, "iloc"):
        return False
    index = table.index
    return not (type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1)


def _labeled(table: Any, labels: NDArray[Any]) -> NDArray[np.intp]:
    """Return the positions of labels in the index of a DataFrame."""
    if not table.index.is_unique:
        raise ValueError(
            "preprocessor must have an index without duplicates, because tuples refer to its labels, got "
            f"{table.index[table.index.duplicated()][0]!r} twice. Call reset_index(drop=True) to refer to positions."
        )
    positions: NDArray[np.intp] = table.index.get_indexer(labels)
    if (positions < 0).any():
        raise ValueError(
            f"X must hold labels of the index of preprocessor, got {labels.tolist()[int(positions.argmin())]!r}. Pass "
            "the table that the labels belong to, or call reset_index(drop=True) to refer to positions."
        )
    return positions


def _rows_of_ids(table: Mapping[Any, ArrayLike], ids: NDArray[Any]) -> NDArray[Any]:
    """Return the rows of a dict for ids."""
    unknown = [key for key in ids.tolist() if key not in table]
    if unknown:
        raise ValueError(
            f"X must hold keys of preprocessor, got {unknown[0]!r} ({len(unknown)} unknown ids in all). Add their rows "
            "to the dict."
        )
    rows = [np.asarray(table[key]) for key in ids.tolist()]
    if len({row.shape for row in rows}) > 1:
        raise ValueError(
            "preprocessor must hold rows of equal length, got rows of shapes "
            f"{', '.join(sorted({str(row.shape) for row in rows}))}. Make them equally long."
        )
    return np.stack(rows)


def refuse_indices_as_rows(X: Any, y: Any, size: int, outcomes: tuple[int, ...]) -> None:
    """Raise if rows look like tuples of indices: whole numbers above 1 without column names, and outcomes as y."""
    if hasattr(X, "columns") or count_axes(X) != 2 or y is None:
        return
    if hasattr(X, "toarray"):
        return
    rows, outcome = np.asarray(X), np.asarray(y)
    if rows.shape[1] != size or rows.dtype.kind not in "iu" or not rows.size or rows.min() < 0 or rows.max() < 2:
        return
    if outcome.dtype.kind in "iuf" and np.isin(outcome, outcomes).all() and (outcome == -1).any():
        raise ValueError(
            f"X must hold columns of features, got whole numbers of shape {rows.shape} and y of 1 and -1, which look "
            "like indices of points. Set preprocessor to the table that they belong to. If they are features, pass "
            "X.astype(float)."
        )


def is_tuples(X: Any, preprocessor: Preprocessor | None) -> bool:
    """Whether X holds tuples: of points (three axes), or of keys that a preprocessor turns into points (two axes)."""
    n_axes = count_axes(X)
    return n_axes == 3 or (n_axes == 2 and preprocessor is not None)


def count_axes(X: Any) -> int:
    """Return the number of axes of an array-like."""
    if hasattr(X, "shape"):
        return len(X.shape)
    try:
        return np.asarray(X).ndim
    except ValueError:
        raise ValueError(
            "X must hold rows or tuples of equal length, got some that are longer than others. Make them equally long."
        ) from None


def read_tuples(
    X: Any, size: int, preprocessor: Preprocessor | None, check: Callable[[Any], NDArray[np.floating]]
) -> tuple[NDArray[np.floating], NDArray[np.integer]]:
    """Check tuples; return their distinct points (n_points, n_features) and indices into them (n_tuples, size).

    ``check`` converts points to float64 or float32 and raises if their columns are not those of ``fit``.
    """
    if preprocessor is not None and count_axes(X) < 3:
        return _read_keys(X, size, preprocessor, check)
    refuse_masked(X, "X")
    given: NDArray = check_array(X, dtype=None, allow_nd=True, ensure_2d=False, order="C")
    if given.ndim != 3 or given.shape[1] != size or given.shape[2] == 0:
        raise ValueError(_wrong_tuples(size, given, preprocessor))
    points = check(given.reshape(-1, given.shape[2]))
    first, indices = distinct_points(points)
    return points[first], indices.reshape(given.shape[:2])


def _read_keys(
    X: Any, size: int, preprocessor: Preprocessor, check: Callable[[Any], NDArray[np.float32]]
) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
    """Check tuples of indices or ids; return their distinct points, and indices into them."""
    given = refuse_missing(read_values(X, "X"), "X", "tuple")
    if given.ndim != 2 or given.shape[1] != size or not len(given):
        raise ValueError(_wrong_tuples(size, given, preprocessor))
    distinct, indices = np.unique(given, return_inverse=True)
    points = check(points_at(preprocessor, distinct))
    if len(points) != len(distinct):
        raise ValueError(
            f"preprocessor must return one point for each of the {len(distinct)} indices that it gets, got "
            f"{len(points)} points. Return them in the order of the indices."
        )
    return points, indices.reshape(given.shape)


def distinct_points(points: NDArray) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Find the distinct rows of points (n_points, n_features).

    Returns the index of the first occurrence of each distinct row, and for each row the number of its distinct row.
    """
    # Rows become strings of bytes, so that one sort suffices for any number of columns. Adding 0 turns -0.0 into 0.0.
    flat = np.ascontiguousarray(points + points.dtype.type(0))
    as_bytes = flat.view(np.dtype((np.void, flat.itemsize * flat.shape[1]))).ravel()
    _, first, indices = np.unique(as_bytes, return_index=True, return_inverse=True)
    return first, indices


def _wrong_tuples(size: int, given: NDArray, preprocessor: Preprocessor | None) -> str:
    name, sides = (
        ("pairs", "A and B: np.stack([A, B], axis=1)")
        if size == 2
        else ("triplets", "A, P and N: np.stack([A, P, N], axis=1)")
    )
    if preprocessor is not None:
        return (
            f"X must hold {name} of indices, shape (n_{name}, {size}), because preprocessor is set, got shape "
            f"{given.shape}. To pass points, leave preprocessor out."
        )
    return (
        f"X must hold {name} of points, shape (n_{name}, {size}, n_features), got shape {given.shape}. From tables "
        f"{sides}. For indices, set preprocessor to the table that they belong to."
    )
