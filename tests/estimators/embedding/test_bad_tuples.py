"""Invalid pairs and triplets: errors name the argument and do not change the estimator."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.points import Rows

SMALL = {"n_components": 3, "hidden_layer_sizes": (8,), "max_iter": 1, "device": "cpu", "random_state": 0}
PAIRS, TRIPLETS = ContrastiveEmbedder(**SMALL), TripletEmbedder(**SMALL)


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)


INDEX = np.random.default_rng(1).integers(0, 30, (50, 3))
Y = np.tile([1, -1], 25)


def with_one(X, value):
    X = X.astype(float)
    X[3, 1, 2] = value
    return X


def assert_refused(fitted, X, y, message, points):
    """Check that a fitted estimator raises and stays unchanged, and that an unfitted one raises."""
    before, embedded = vars(fitted).copy(), fitted.transform(points)
    with pytest.raises(ValueError, match=message):
        fitted.fit(X, y)
    assert vars(fitted) == before
    assert_array_equal(fitted.transform(points), embedded)
    new = clone(fitted)
    with pytest.raises(ValueError, match=message):
        new.fit(X, y)
    with pytest.raises(NotFittedError):
        new.transform(points)


@pytest.mark.parametrize(
    ("embedder", "shape", "message"),
    [
        (PAIRS, lambda X: X, r"X must hold pairs of points, shape \(n_pairs, 2, n_features\), got shape \(50, 3, 4\)"),
        (PAIRS, lambda X: X[:, :1], r"X must hold pairs of points.*got shape \(50, 1, 4\).*np.stack"),
        (PAIRS, lambda X: X[:0, :2], "0 sample"),
        (PAIRS, lambda X: X[:, :2, :, None], "dim 4"),
        (PAIRS, lambda X: X[:, :2, :0], r"X must hold pairs of points.*got shape \(50, 2, 0\)"),
        (
            TRIPLETS,
            lambda X: X[:, :2],
            r"X must hold triplets of points, shape \(n_triplets, 3, n_features\).*\(50, 2, 4\)",
        ),
        (TRIPLETS, lambda X: X[:, [0, 1, 2, 0]], r"X must hold triplets of points.*np.stack\(\[A, P, N\]"),
        (PAIRS, lambda X: with_one(X[:, :2], np.nan), "NaN"),
        (TRIPLETS, lambda X: with_one(X, np.nan), "NaN"),
        (PAIRS, lambda X: with_one(X[:, :2], np.inf), "infinity"),
        (PAIRS, lambda X: X[:, :2].astype(str).astype(object) + "x", "could not convert|convert"),
    ],
)
def test_tuples_of_points(embedder, shape, message, points):
    X = shape(points[INDEX])
    y = Y[: len(X)] if embedder is PAIRS else None
    assert_refused(clone(embedder).fit(points, np.arange(30) % 3), X, y, message, points)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: (y + 1) // 2, r"y must be 1 \(similar\), -1 \(dissimilar\), or booleans.*pass 2 \* y - 1"),
        (lambda y: y * 2, r"got -?2 at pair 0"),
        (lambda y: y[:-1], "y must have one outcome per pair, got 49 for 50 pairs"),
        (lambda y: np.where(y > 0, "similar", "other"), "got '(similar|other)' at pair 0"),
        (lambda y: np.where(y > 0, 1, np.nan), "y must have no missing values"),
        (lambda y: -np.ones(50), "y must hold similar pairs, 1, got only -1"),
    ],
)
def test_what_y_may_say_of_pairs(change, message, points):
    assert_refused(clone(PAIRS).fit(points[INDEX[:, :2]], Y), points[INDEX[:, :2]], change(Y), message, points)


@pytest.mark.parametrize(
    "y", [Y, -np.ones(50), np.zeros(50), np.ones(49), np.full(50, "a"), [1, *[np.nan] * 49]], ids=lambda y: str(y[:1])
)
def test_triplets_have_no_y(y, points):
    message = "y must be None for triplets, or 1 for each of the 50.*swap its second and third points"
    assert_refused(clone(TRIPLETS).fit(points[INDEX]), points[INDEX], y, message, points)


@pytest.mark.parametrize(
    ("preprocessor", "index", "message"),
    [
        (lambda X: X[:20], INDEX[:, :2], "X must hold indices into preprocessor, from 0 to 19, got 29"),
        (lambda X: Rows(X[:20]), INDEX[:, :2], "X must hold indices into preprocessor, from 0 to 19, got 29"),
        (lambda X: X, INDEX[:, :2] - 1, "from 0 to 29, got -1"),
        (lambda X: X, INDEX[:, :2] + 0.5, "whole numbers"),
        (lambda X: X, np.where(INDEX[:, :2] == 7, np.nan, INDEX[:, :2]), "missing values"),
        (lambda X: X, INDEX, r"X must hold pairs of indices, shape \(n_pairs, 2\).*got shape \(50, 3\)"),
        (lambda X: X, INDEX[:, :1], r"X must hold pairs of indices, shape \(n_pairs, 2\)"),
        (
            lambda X: lambda indices: X[indices][1:],
            INDEX[:, :2],
            "preprocessor must return one point for each of the 30",
        ),
        (lambda X: lambda indices: X[indices][:, 0], INDEX[:, :2], "2D array"),
        (lambda X: lambda indices: X[indices] * np.nan, INDEX[:, :2], "NaN"),
    ],
)
def test_tuples_of_indices(preprocessor, index, message, points):
    fitted = clone(PAIRS).fit(points[INDEX[:, :2]], Y).set_params(preprocessor=preprocessor(points))
    assert_refused(fitted, index, Y, message, points)


def test_an_error_of_the_preprocessor_comes_through(points):
    def load(names):
        raise FileNotFoundError(f"no picture {names[0]}")

    with pytest.raises(FileNotFoundError, match=r"no picture a\.png"):
        clone(PAIRS).set_params(preprocessor=load).fit([["a.png", "b.png"], ["c.png", "a.png"]], [1, -1])


@pytest.mark.parametrize("method", ["predict", "decision_function", "score", "pair_distance"])
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (lambda X: X[:, 0], "X must hold (pairs|triplets)"),
        (lambda X: X[:, :1], "X must hold (pairs|triplets)"),
        (lambda X: X[:, :, :3], "3 features, but .* is expecting 4"),
        (lambda X: with_one(X, np.nan), "NaN"),
    ],
)
@pytest.mark.parametrize("embedder", [PAIRS, TRIPLETS], ids=["pairs", "triplets"])
def test_methods_of_tuples_check_them(embedder, shape, message, method, points):
    size = 2 if embedder is PAIRS else 3
    fitted = clone(embedder).fit(points[INDEX[:, :size]], Y if size == 2 else None)
    X = shape(points[INDEX[:, : 2 if method == "pair_distance" else size]])
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(X, *([Y] if method == "score" and size == 2 else []))


@pytest.mark.parametrize("embedder", [PAIRS, TRIPLETS], ids=["pairs", "triplets"])
def test_points_are_transformed_and_nothing_else(embedder, points):
    size = 2 if embedder is PAIRS else 3
    fitted = clone(embedder).set_params(preprocessor=points).fit(INDEX[:, :size], Y if size == 2 else None)
    assert_array_equal(fitted.transform([4, 2]), fitted.transform(points[[4, 2]]))
    for X, message in [
        (points[INDEX], "X must hold points.*got tuples of points"),
        (INDEX, "3 features"),
        ([4.5, 2.0], "whole numbers"),
        ([30], "29"),
    ]:
        with pytest.raises(ValueError, match=message):
            fitted.transform(X)
    with pytest.raises(ValueError, match="2D array"):
        fitted.set_params(preprocessor=None).transform([4, 2])


def test_rows_need_labels(points):
    for embedder in (PAIRS, TRIPLETS):
        with pytest.raises(ValueError, match="requires y"):
            clone(embedder).fit(points)
        with pytest.raises(ValueError, match="requires y"):
            clone(embedder).fit(points, np.arange(30) % 3).score(points)


def test_a_table_that_a_pickle_left_out_is_asked_for(points):
    fitted = clone(PAIRS).set_params(preprocessor=Rows(points)).fit(INDEX[:, :2], Y)
    loaded = pickle.loads(pickle.dumps(fitted))
    with pytest.raises(ValueError, match="loaded from a pickle"):
        loaded.predict(INDEX[:, :2])
    with pytest.raises(ValueError, match="loaded from a pickle"):
        loaded.transform([1, 2])
    assert_array_equal(loaded.predict(points[INDEX[:, :2]]), fitted.predict(INDEX[:, :2]))
    loaded.set_params(preprocessor=Rows(points))
    assert_array_equal(loaded.predict(INDEX[:, :2]), fitted.predict(INDEX[:, :2]))


def test_feature_names_are_those_of_points(points):
    """A frame of indices has the two sides of a pair as columns; the features are the columns of the table."""
    frame = pd.DataFrame(points, columns=list("abcd"))
    sides = pd.DataFrame(INDEX[:, :2], columns=["left", "right"])
    for table in (frame, Rows(frame)):
        fitted = clone(PAIRS).set_params(preprocessor=table).fit(sides, Y)
        assert_array_equal(fitted.feature_names_in_, frame.columns)
        assert fitted.transform(frame).shape == (30, 3)
