"""Rows in groups, checked and made into items."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skmetric._sklearn_compat import check_sample_weight
from skmetric.estimators._base import float32_overflow_is_infinity
from skmetric.estimators._groups import column_place, without_column
from skmetric.estimators._lists import RankedItems
from skmetric.metrics._groups import group_codes

__all__ = ["check_points", "read_rows"]


def read_rows(
    ranker: Any, X: Any, y: ArrayLike, sample_weight: ArrayLike | None, groups: ArrayLike | None, *, reset: bool
) -> RankedItems:
    """Check rows, relevance, weights and groups."""
    if y is None:
        raise ValueError(f"{type(ranker).__name__} requires y to be passed, but the target y is None.")
    if groups is not None and ranker.group_column is not None:
        raise ValueError(
            f"groups and group_column={ranker.group_column!r} are both given; leave one of them out. Where "
            "metadata is routed, "
            "set_fit_request(groups=False).set_score_request(groups=False) keeps groups= for the splitter."
        )
    _refuse_words(y)
    points, relevance = _check_points_and_relevance(ranker, X, y, reset=reset)
    weights = check_sample_weight(sample_weight, points, dtype=np.float64, ensure_non_negative=True)
    ids = groups if groups is not None else ranker.groups_of(X)
    if ids is None:
        return RankedItems(points, relevance, weights, np.zeros(len(points), dtype=np.intp), has_lists=False)
    codes = group_codes(ids)
    if len(codes) != len(points):
        raise ValueError(f"groups must hold one id a row, {len(points)} of them; got {len(codes)}.")
    return RankedItems(points, relevance, weights, codes)


def _refuse_words(y: ArrayLike) -> None:
    given = np.asarray(y)
    values = given.ravel().tolist() if given.dtype.kind in "OUST" else []
    word = next((value for value in values if isinstance(value, str)), None)
    if word is not None:
        raise ValueError(
            f"y must hold numbers, the higher the more relevant; got {word!r}. Number the grades, for instance by "
            "OrdinalEncoder with their order as categories=."
        )


def _check_points_and_relevance(
    ranker: Any, X: Any, y: ArrayLike, *, reset: bool
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    if ranker.group_column is None:
        points, y = ranker._check_input(X, y, reset=reset, ensure_min_samples=2, y_numeric=True)
        return points, np.asarray(y, dtype=np.float64)
    points = check_points(ranker, X, reset=reset)
    relevance = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
    if relevance.shape != (len(points),):
        raise ValueError(f"y must hold one relevance a row, shape ({len(points)},); got shape {relevance.shape}.")
    return points, relevance


def check_points(ranker: Any, X: Any, *, reset: bool = False) -> NDArray[np.float32]:
    """Rows as float32, without the group column."""
    if ranker.group_column is None:
        rows: NDArray[np.float32] = ranker._check_input(X, reset=reset)
        return rows
    # The ids may be strings: only names and number of columns are checked with them.
    place = column_place(X, ranker.group_column)
    validate_data(ranker, X, reset=reset, skip_check_array=True)
    with float32_overflow_is_infinity():
        return check_array(without_column(X, place), dtype=np.float32, order="C", input_name="X")
