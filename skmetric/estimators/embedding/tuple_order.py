"""How well distances order tuples, and whether distances between the columns order them better than learned ones."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array

from skmetric._core.nn import Columns
from skmetric.estimators.embedding._data import PointTuples, read_tuple_outcomes
from skmetric.estimators.points import Preprocessor, read_tuples

__all__ = ["BetterColumns", "PointTuples", "columns_that_order_better", "read_point_tuples"]

# Columns are better than an embedding if the difference is above this number of standard errors.
CLEAR = 2.0


class BetterColumns(NamedTuple):
    """Columns whose distances order tuples better than an embedding does.

    Attributes
    ----------
    columns : str
        "raw columns" or "standardized columns".
    score, learned_score : float
        Score of the Euclidean distance between these columns, and of the embedding.
    n_errors : float
        Their difference, in standard errors of the difference.
    """

    columns: str
    score: float
    learned_score: float
    n_errors: float


def columns_that_order_better(
    tuples: PointTuples, embeddings: NDArray[np.float32], distance: str, trained: NDArray
) -> BetterColumns | None:
    """Return the columns whose Euclidean distances order tuples clearly better than an embedding does, or None.

    Parameters
    ----------
    tuples : PointTuples
        Tuples that were not used for training.
    embeddings : array of shape (n_points, n_components)
        The embedding of their points.
    distance : str
        Distance between embeddings.
    trained : array of shape (n_trained, n_features)
        Points that were used for training; their standard deviations standardize the columns.
    """
    tuples = tuples.with_both()
    numbers: NDArray[Any] = tuples.columns.numbers.astype(np.float64)
    scale = StandardScaler(with_mean=False).fit(trained).scale_
    by_columns = {
        name: _in_order(tuples, tuples.distances(columns, "euclidean"))
        for name, columns in {"raw columns": numbers, "standardized columns": numbers / scale}.items()
    }
    learned = _in_order(tuples, tuples.distances(embeddings, distance))
    best = max(by_columns, key=lambda name: by_columns[name][0].mean())
    gaps = [theirs - ours for theirs, ours in zip(by_columns[best], learned, strict=True)]
    difference = float(gaps[0].mean())
    # Around 0 and not around the mean: otherwise, two tuples that differ equally would be beyond all doubt.
    error = float(np.sqrt(sum(np.square(gap).mean() / len(gap) for gap in gaps)))
    if difference <= CLEAR * error:
        return None
    return BetterColumns(best, float(by_columns[best][0].mean()), float(learned[0].mean()), difference / error)


def read_point_tuples(X: Any, y: Any, size: int, preprocessor: Preprocessor | None) -> PointTuples:
    """Check tuples, and what y says about them; the points stay in float64."""
    points, indices = read_tuples(X, size, preprocessor, partial(check_array, dtype=np.float64, input_name="X"))
    outcome, _ = read_tuple_outcomes(y, len(indices), size)
    return PointTuples(Columns(points), indices, outcome)


def _in_order(tuples: PointTuples, distances: NDArray) -> tuple[NDArray[np.float64], ...]:
    """Return for each tuple which fraction of its comparisons is in the right order; the mean is the score.

    A triplet compares its two distances. A similar pair is compared with all dissimilar pairs, and the reverse; the
    means over both kinds of pairs are equal, the area under the ROC curve.
    """
    if tuples.tuple_size == 3:
        return ((distances[:, 0] < distances[:, 1]).astype(np.float64),)
    similar, dissimilar = (distances[tuples.outcome == kind, 0] for kind in (1, -1))
    return 1 - _share_below(dissimilar, similar), _share_below(similar, dissimilar)


def _share_below(values: NDArray, limits: NDArray) -> NDArray[np.float64]:
    """Return for each limit the share of values below it. Ties count half."""
    ordered = np.sort(values)
    return (np.searchsorted(ordered, limits, "left") + np.searchsorted(ordered, limits, "right")) / (2 * len(values))
