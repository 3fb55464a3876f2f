"""The small synthetic tables of the digests: labels, tuples, groups, preferences and targets of every kind."""

from dataclasses import dataclass, field, replace
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmetric import (
    Rows,
)
from skmetric.datasets import make_ranking
from skmetric.preferences import best_worst_pairs

N_CLASSES, N_ROWS, N_FEATURES, N_TUPLES = 4, 96, 7, 90


@dataclass(frozen=True)
class Data:
    """A table, and all data for the fit and the outputs of an estimator.

    Attributes
    ----------
    by_row : dict
        X, y and other arguments of ``fit`` and ``score``, with one value per row.
    points : array, optional
        Points to transform, if they are not X.
    pairs : array, optional
        Pairs whose distance is computed, if the estimator learns a distance.
    parameters : dict
        Parameters of the estimator that the table needs.
    """

    by_row: dict[str, Any]
    points: Any = None
    pairs: Any = None
    parameters: dict[str, Any] = field(default_factory=dict)


def labeled() -> Data:
    """Rows of four overlapping classes."""
    rng = np.random.default_rng(0)
    y = np.arange(N_ROWS) % N_CLASSES
    X = rng.normal(size=(N_ROWS, N_FEATURES)) + rng.normal(size=(N_CLASSES, N_FEATURES))[y]
    return _with_labels(X, y)


def _with_labels(X: NDArray, y: NDArray, **parameters: Any) -> Data:
    return Data({"X": X, "y": y}, pairs=np.stack([X[:-1], X[1:]], axis=1), parameters=parameters)


def table() -> tuple[NDArray, NDArray]:
    by_row = labeled().by_row
    return by_row["X"], by_row["y"]


def named_classes() -> Data:
    X, y = table()
    return _with_labels(X, np.array(["four", "one", "three", "two"])[y])


def partly_labeled() -> Data:
    X, y = table()
    return _with_labels(X, np.where(np.arange(len(y)) % 5 == 0, -1, y), unlabeled=-1)


def memory_mapped() -> Data:
    """Rows in a read-only file."""
    X, y = table()
    with TemporaryFile() as file:
        file.write(X.astype(np.float32).tobytes())
        file.flush()
        return _with_labels(np.memmap(file, dtype=np.float32, mode="r", shape=X.shape), y)


def far_from_zero() -> Data:
    """Columns in double precision, with several units and far from zero."""
    X, y = table()
    return _with_labels(X * np.logspace(-2, 2, N_FEATURES) + 1e4 * np.logspace(-2, 2, N_FEATURES), y)


def with_constant_column() -> Data:
    X, y = table()
    return _with_labels(np.where(np.arange(N_FEATURES) == 3, 0.1, X), y)


def indices() -> Data:
    """Rows as indices into a table."""
    X, y = table()
    rows = np.arange(len(y))
    return Data({"X": rows, "y": y}, pairs=np.column_stack([rows, rows[::-1]]), parameters={"preprocessor": Rows(X)})


def _drawn() -> tuple[NDArray, NDArray, NDArray]:
    """Draw indices of anchors, of positives, and of negatives."""
    rng = np.random.default_rng(1)
    anchors = rng.integers(N_ROWS, size=N_TUPLES)
    steps = N_CLASSES * rng.integers(1, N_ROWS // N_CLASSES, size=N_TUPLES)
    positives = (anchors + steps) % N_ROWS
    return anchors, positives, (positives + rng.integers(1, N_CLASSES, size=N_TUPLES)) % N_ROWS


def _indexed(tuples: NDArray, y: NDArray | None, **by_row: Any) -> Data:
    X, _ = table()
    return Data({"X": tuples, "y": y, **by_row}, X, tuples[:, :2], {"preprocessor": Rows(X)})


def _as_points(data: Data) -> Data:
    """Replace tuples of indices by tuples of points."""
    X, tuples = data.points, data.by_row["X"]
    return Data({**data.by_row, "X": X[tuples]}, X, X[tuples[:, :2]])


def index_triplets() -> Data:
    return _indexed(np.column_stack(_drawn()), None)


def triplets() -> Data:
    return _as_points(index_triplets())


def index_pairs() -> Data:
    """Pairs, of which every second is similar."""
    anchors, positives, negatives = _drawn()
    y = np.where(np.arange(N_TUPLES) % 2, 1, -1)
    return _indexed(np.column_stack([anchors, np.where(y > 0, positives, negatives)]), y)


def pairs() -> Data:
    return _as_points(index_pairs())


def similar_pairs() -> Data:
    anchors, positives, _ = _drawn()
    return _as_points(_indexed(np.column_stack([anchors, positives]), None))


def index_preferences() -> Data:
    """Pairs in which one item wins or both are tied, with weights."""
    anchors, _, others = _drawn()
    X, _ = table()
    gap = X[anchors, 0] - X[others, 0]
    y = np.where(np.abs(gap) < 0.5, 0, np.sign(gap)).astype(int)
    weights = np.random.default_rng(2).integers(0, 4, size=N_TUPLES) / 2
    return _indexed(np.column_stack([anchors, others]), y, sample_weight=weights)


def preferences() -> Data:
    return _as_points(index_preferences())


def best_worst() -> Data:
    """Pairs implied by best-worst judgments, weighted by the number of judgments."""
    implied = best_worst_pairs(*judgments())
    return _as_points(_indexed(implied.pairs, np.ones(len(implied.pairs)), sample_weight=implied.weights))


def judgments() -> tuple[NDArray, NDArray, NDArray]:
    rng = np.random.default_rng(3)
    X, _ = table()
    shown = np.stack([rng.choice(24, size=4, replace=False) for _ in range(60)])
    seen = X[shown, 0] + rng.normal(size=shown.shape)
    return shown, *(shown[np.arange(60), order(seen, axis=1)] for order in (np.argmax, np.argmin))


def grouped(**how: Any) -> Data:
    """Rows in groups, in random order."""
    X, y, groups = make_ranking(20, n_features=N_FEATURES, n_informative=4, group_size=(3, 9), random_state=0, **how)
    return Data({"X": X, "y": y, "groups": groups})


def weighted_groups() -> Data:
    data = grouped()
    weights = np.random.default_rng(4).integers(0, 4, size=len(data.by_row["y"])) / 2
    return replace(data, by_row={**data.by_row, "sample_weight": weights})


def positively_weighted_groups() -> Data:
    """Positive weights only, because the effect of zero weights on the units of PointwiseRanker is not fixed."""
    data = weighted_groups()
    return replace(data, by_row={**data.by_row, "sample_weight": data.by_row["sample_weight"] + 0.5})


def group_column() -> Data:
    """Groups as strings in a column of a table."""
    X, y, groups = grouped().by_row.values()
    frame = pd.DataFrame(X, columns=[f"x{index}" for index in range(N_FEATURES)])
    frame.insert(2, "query", [f"query {group}" for group in groups])
    return Data({"X": frame, "y": y}, parameters={"group_column": "query"})


def ungrouped() -> Data:
    X, y, _ = grouped().by_row.values()
    return Data({"X": X, "y": y})


def targets() -> Data:
    """Rows with a skewed target that has ties."""
    X, _ = table()
    y = np.exp(X[:, 0]) + 3 * np.tanh(X[:, 1]) + np.random.default_rng(5).normal(scale=0.3, size=len(X))
    return Data({"X": X, "y": y.round(1)})


def single_precision_targets() -> Data:
    X, y = targets().by_row.values()
    return Data({"X": X.astype(np.float32), "y": y.astype(np.float32)})


def weighted_targets() -> Data:
    data = targets()
    return Data({**data.by_row, "sample_weight": np.random.default_rng(6).integers(0, 4, size=N_ROWS) / 2})


def several_targets() -> Data:
    X, y = targets().by_row.values()
    return Data({"X": X, "y": np.column_stack([y, 100 * X[:, 2] ** 2])})
