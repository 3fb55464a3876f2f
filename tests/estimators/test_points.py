"""Points that tuples refer to: by positions, labels of an index, keys of a dict, or a function."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.preprocessing import StandardScaler

from skmetric import ContrastiveEmbedder, PairwiseRanker, Rows, TripletEmbedder
from skmetric.estimators.points import points_at, read_tuples

X = np.arange(12.0).reshape(4, 3)
IDS = ["d", "a", "c", "b"]
FRAME = pd.DataFrame(X, columns=["x", "y", "z"], index=IDS)
QUICK = {"max_iter": 1, "device": "cpu", "random_state": 0, "hidden_layer_sizes": 4}


def float32(points):
    return np.asarray(points, dtype=np.float32)


@pytest.mark.parametrize(
    "table",
    [FRAME, Rows(FRAME), dict(zip(IDS, X, strict=True)), Rows(dict(zip(IDS, X.tolist(), strict=True)))],
    ids=["frame", "Rows of a frame", "dict", "Rows of a dict"],
)
@pytest.mark.parametrize(
    "pairs", [[["a", "b"], ["d", "a"]], np.array([["a", "b"], ["d", "a"]], dtype=object)], ids=["list", "objects"]
)
def test_ids_of_points(table, pairs):
    points, indices = read_tuples(pairs, 2, table, float32)
    np.testing.assert_array_equal(points[indices], [[X[1], X[3]], [X[0], X[1]]])


def test_an_index_of_whole_numbers_holds_labels():
    """A filtered frame keeps the labels of its rows, and tuples of labels refer to them."""
    kept = pd.DataFrame(X).loc[[1, 3]]
    np.testing.assert_array_equal(points_at(Rows(kept), np.array([3, 1])), X[[3, 1]])
    with pytest.raises(ValueError, match=r"labels of the index of preprocessor, got 0.* reset_index\(drop=True\)"):
        points_at(Rows(kept), np.array([0, 1]))


@pytest.mark.parametrize(
    "table", [X, pd.DataFrame(X), pl.DataFrame(X), X.tolist()], ids=lambda table: type(table).__name__
)
def test_a_default_index_means_positions(table):
    np.testing.assert_array_equal(np.asarray(points_at(Rows(table), np.array([3, 1]))), X[[3, 1]])


def test_labels_must_be_unique():
    with pytest.raises(ValueError, match=r"index without duplicates, .* got 'a' twice"):
        points_at(FRAME.set_axis(list("aabc")), np.array(["a"]))


@pytest.mark.parametrize("table", [{}, {"a": X[0]}])
def test_unknown_keys(table):
    with pytest.raises(ValueError, match=r"keys of preprocessor, got 'q' \(1 unknown ids in all\)"):
        points_at({**table, "b": X[1]}, np.array(["b", "q"]))


def test_rows_of_a_dict_must_be_equally_long():
    with pytest.raises(ValueError, match=r"rows of equal length, got rows of shapes \(2,\), \(3,\)"):
        points_at({"a": [1, 2], "b": [1, 2, 3]}, np.array(["a", "b"]))


@pytest.mark.parametrize("pairs", [[["a", None]], [["a", 1]], [["a", np.nan]]], ids=str)
def test_missing_or_mixed_ids(pairs):
    with pytest.raises((ValueError, TypeError), match=r"X must (have no missing values|hold values of one kind)"):
        read_tuples(pairs, 2, FRAME, float32)


@pytest.mark.parametrize("preprocessor", [4, "table", StandardScaler(), ContrastiveEmbedder, b"x"], ids=repr)
@pytest.mark.parametrize("estimator", [TripletEmbedder(**QUICK), ContrastiveEmbedder(**QUICK), PairwiseRanker(**QUICK)])
def test_what_is_no_source_of_points_is_refused_even_if_points_are_given(estimator, preprocessor):
    size = 3 if isinstance(estimator, TripletEmbedder) else 2
    tuples = np.random.default_rng(0).normal(size=(8, size, 3))
    with pytest.raises(ValueError, match="preprocessor must be the source of the points: a table, a dict"):
        estimator.set_params(preprocessor=preprocessor).fit(tuples, None)
    estimator.set_params(preprocessor=None)


INDICES = np.array([[0, 5], [3, 2], [1, 4], [2, 0]])
OUTCOME = np.array([1, -1, 1, -1])


@pytest.mark.parametrize("estimator", [ContrastiveEmbedder(**QUICK), PairwiseRanker(**QUICK)], ids=repr)
@pytest.mark.parametrize("pairs", [INDICES, INDICES.tolist(), INDICES.astype(np.uint8)], ids=["array", "list", "uint8"])
def test_index_pairs_without_a_table_are_no_rows(estimator, pairs):
    with pytest.raises(ValueError, match=r"look like indices of points\. Set preprocessor .* X\.astype\(float\)"):
        estimator.fit(pairs, OUTCOME)


def test_two_columns_of_whole_numbers_may_be_features():
    embedder = ContrastiveEmbedder(**QUICK)
    for rows in (
        INDICES.astype(float),
        pd.DataFrame(INDICES, columns=["age", "visits"]),
        INDICES - 1,
        INDICES.clip(0, 1),
    ):
        assert embedder.fit(rows, OUTCOME).tuple_size_ is None
    assert embedder.fit(INDICES, np.array(["a", "b", "a", "b"])).tuple_size_ is None
