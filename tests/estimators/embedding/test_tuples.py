"""Pairs and triplets given as points, indices or names, and tools of scikit-learn for them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skmetric.estimators.embedding._losses import LOSSES
from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.points import Rows
from tests.estimators.prepared import plan_of

SMALL = {"n_components": 3, "hidden_layer_sizes": (8,), "max_iter": 3, "device": "cpu", "random_state": 0}
PAIRS, TRIPLETS = ContrastiveEmbedder(**SMALL), TripletEmbedder(**SMALL)


@pytest.fixture(scope="module")
def points(blobs):
    return blobs[0]


@pytest.fixture(scope="module")
def index_pairs(blobs):
    """Pairs of 40 of the 90 rows, so that some rows are in several pairs and others in none."""
    index = np.random.default_rng(0).integers(20, 60, (120, 2))
    return index, np.where(blobs[1][index[:, 0]] == blobs[1][index[:, 1]], 1, -1)


@pytest.fixture(scope="module")
def index_triplets(blobs):
    """Triplets of an anchor, a row of its class and a row of another class; some have the last two swapped."""
    rng, y = np.random.default_rng(1), blobs[1]
    index = [(a, rng.choice(np.flatnonzero(y == y[a])), rng.choice(np.flatnonzero(y != y[a]))) for a in range(20, 80)]
    return np.array(index + [(a, n, p) for a, p, n in index[:5]])


@pytest.fixture(scope="module", params=["pairs", "similar pairs", "triplets"])
def kind(request, index_pairs, index_triplets):
    """An embedder, tuples of indices, and their y."""
    index, y = index_pairs
    return {
        "pairs": (PAIRS, index, y),
        "similar pairs": (clone(PAIRS).set_params(loss="info_nce"), index[y > 0], None),
        "triplets": (TRIPLETS, index_triplets, None),
    }[request.param]


def named(indices):
    return np.char.add("row ", np.asarray(indices).astype(str))


def at_names(points):
    return lambda names: points[[int(name[4:]) for name in names]]


# The same data in different forms


WRITINGS = {
    "array": lambda points, index: (points, index),
    "list": lambda points, index: (points.tolist(), index.tolist()),
    "frame": lambda points, index: (pd.DataFrame(points), pd.DataFrame(index)),
    "Rows": lambda points, index: (Rows(points), index),
    "callable": lambda points, index: (lambda indices: points[indices], index),
    "callable of lists": lambda points, index: (lambda indices: points[indices].tolist(), index.tolist()),
    "names": lambda points, index: (at_names(points), named(index)),
    "names in a frame": lambda points, index: (at_names(points), pd.DataFrame(named(index)).astype(object)),
    "float indices": lambda points, index: (points, index.astype(float)),
    "points and a preprocessor": lambda points, index: (points, points[index]),
    "lists of points": lambda points, index: (None, points[index].tolist()),
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_all_writings_are_learned_from_alike(writing, kind, points):
    embedder, index, y = kind
    expected = clone(embedder).fit(points[index], y)
    preprocessor, X = WRITINGS[writing](points, index)
    fitted = clone(embedder).set_params(preprocessor=preprocessor).fit(X, y)
    assert_allclose(fitted.transform(points), expected.transform(points), atol=2e-5)
    assert fitted.tuple_size_ == expected.tuple_size_ == index.shape[1]
    assert fitted.n_features_in_ == expected.n_features_in_ == 6
    assert_array_equal(fitted.classes_, [-1, 1])
    assert_allclose(fitted.decision_function(X), expected.decision_function(points[index]), atol=2e-5)
    if y is not None or index.shape[1] == 3:
        assert fitted.score(X, y) == pytest.approx(expected.score(points[index], y), abs=0.02)
        assert (fitted.predict(X) == expected.predict(points[index])).mean() > 0.98
    # Methods take each form, also one that fit did not have.
    assert_array_equal(fitted.decision_function(points[index]), fitted.decision_function(X))


@pytest.mark.parametrize("writing", ["array", "list", "Rows", "callable", "names"])
@pytest.mark.parametrize("embedder", [PAIRS, TRIPLETS], ids=["contrastive", "triplet"])
def test_rows_by_index(writing, embedder, blobs):
    points, y = blobs
    indices = np.random.default_rng(3).permutation(len(y))[:70]
    preprocessor, X = WRITINGS[writing](points, indices)
    expected = clone(embedder).fit(points[indices], y[indices])
    fitted = clone(embedder).set_params(preprocessor=preprocessor).fit(X, y[indices])
    assert fitted.tuple_size_ is None
    assert_array_equal(fitted.transform(X), expected.transform(points[indices]))
    assert_array_equal(fitted.predict(X), expected.predict(points[indices]))
    assert fitted.score(X, y[indices]) == expected.score(points[indices], y[indices])
    assert_array_equal(clone(fitted).fit_transform(X, y[indices]), fitted.transform(X))
    new = named([5, 80]) if writing == "names" else [5, 80]
    assert_array_equal(fitted.transform(new), expected.transform(points[[5, 80]]))


# With 400, a batch has more items than there are points, so all points are embedded instead of the items.
@pytest.mark.parametrize("batch_size", [16, 400])
def test_a_point_is_one_point_however_often_it_comes(batch_size, kind, points):
    embedder, index, y = kind
    embedder = clone(embedder).set_params(batch_size=batch_size, dropout=0, inputs="none")
    copied = points[index].copy()
    plan = plan_of(clone(embedder), copied, y)
    assert len(plan.X) == len(np.unique(index)) < index.size
    assert_array_equal(plan.X[plan.items[: index.size]], copied.reshape(-1, 6))
    # Indices into a table that holds every point three times are the same data.
    table, shift = np.tile(points, (3, 1)), np.random.default_rng(0).integers(0, 3, index.shape) * len(points)
    fitted = [
        clone(embedder).set_params(preprocessor=preprocessor).fit(X, y).transform(points)
        for preprocessor, X in [(None, copied), (table, index), (table, index + shift)]
    ]
    assert_allclose(fitted[1], fitted[0], atol=2e-5)
    if y is not None or index.shape[1] == 3:
        # Not if the other pairs of the batch are the negatives: there, a copy of a point is a different point.
        assert_allclose(fitted[2], fitted[0], atol=2e-5)


def test_a_callable_is_asked_for_each_indicator_once(kind, points):
    embedder, index, y = kind
    calls = []

    def load(names):
        calls.append(names)
        return at_names(points)(names)

    fitted = clone(embedder).set_params(preprocessor=load).fit(named(index), y)
    (names,) = calls
    assert names.ndim == 1
    assert sorted(names) == sorted(set(named(index).ravel()))
    fitted.transform(named([3, 4]))
    fitted.pair_distance(named(index[:, :2]))
    assert len(calls) == 3


@pytest.mark.parametrize("embedder", [PAIRS, TRIPLETS], ids=["pairs", "triplets"])
def test_the_order_of_tuples_is_up_to_the_draws(embedder, points, index_pairs, index_triplets):
    """If one batch holds all tuples, their order changes only the order of sums.

    With several batches, it also decides which tuples are in one batch: the fits then differ, as with another seed.
    """
    index, y = (index_triplets, None) if embedder is TRIPLETS else index_pairs
    order = np.random.default_rng(0).permutation(len(index))
    for batch_size in (400, 16):
        whole = clone(embedder).set_params(batch_size=batch_size, dropout=0).fit(points[index], y)
        shuffled = clone(whole).fit(points[index[order]], None if y is None else y[order])
        difference = np.abs(whole.transform(points) - shuffled.transform(points)).max()
        assert difference < 1e-4 if batch_size == 400 else difference > 1e-4


@pytest.mark.parametrize("loss", [name for name, loss in LOSSES.items() if loss.is_of_pairs])
def test_the_sides_of_pairs_are_alike(loss, points, index_pairs):
    index, y = index_pairs
    embedder = clone(PAIRS).set_params(loss=loss, dropout=0)
    left, right = (clone(embedder).fit(points[each], y) for each in (index, index[:, ::-1]))
    assert_allclose(left.transform(points), right.transform(points), atol=1e-4)
    assert_array_equal(left.pair_distance(points[index]), left.pair_distance(points[index[:, ::-1]]))


def test_y_says_of_pairs_what_leaving_it_out_says(points, index_pairs):
    index, y = index_pairs
    X = points[index[y > 0]]
    without = clone(PAIRS).fit(X).transform(points)
    for ones in (np.ones(len(X)), [1] * len(X), np.ones(len(X), dtype=object)):
        assert_array_equal(clone(PAIRS).fit(X, ones).transform(points), without)
    of_floats = clone(PAIRS).fit(points[index], y.astype(float))
    assert_array_equal(of_floats.transform(points), clone(PAIRS).fit(points[index], y.tolist()).transform(points))
    assert np.abs(of_floats.transform(points) - without).max() > 1e-3


# Scores


def test_the_score_of_triplets_is_their_accuracy(points, index_triplets):
    X, weights = points[index_triplets], np.random.default_rng(0).uniform(size=len(index_triplets))
    embedder = clone(TRIPLETS).fit(X)
    margins = embedder.pair_distance(X[:, [0, 2]]) - embedder.pair_distance(X[:, :2])
    assert_allclose(embedder.decision_function(X), margins, atol=1e-6)
    assert_array_equal(embedder.predict(X), np.where(embedder.decision_function(X) > 0, 1, -1))
    ones = np.ones(len(X))
    assert embedder.score(X) == embedder.score(X, ones) == accuracy_score(ones, embedder.predict(X))
    expected = accuracy_score(ones, embedder.predict(X), sample_weight=weights)
    assert embedder.score(X, sample_weight=weights) == pytest.approx(expected)
    assert 0 < embedder.score(X) < 1
    tied = np.repeat(X[:, :1], 3, axis=1)
    assert set(embedder.predict(tied)) == {-1}
    assert embedder.score(tied) == 0


def test_the_score_of_pairs_is_their_roc_auc(points, index_pairs):
    index, y = index_pairs
    weights = np.random.default_rng(0).uniform(size=len(y))
    embedder = clone(PAIRS).fit(points[index[:60]], y[:60])
    X, y, weights = points[index[60:]], y[60:], weights[60:]
    assert embedder.score(X, y) == pytest.approx(roc_auc_score(y, embedder.decision_function(X)), abs=1e-12)
    expected = roc_auc_score(y, -embedder.pair_distance(X), sample_weight=weights)
    assert embedder.score(X, y, sample_weight=weights) == pytest.approx(expected, abs=1e-12)
    with pytest.raises(ValueError, match="pairs of both kinds"):
        embedder.score(X[y < 0], y[y < 0])
    with pytest.raises(ValueError, match="with positive weight"):
        embedder.score(X, y, sample_weight=(y > 0).astype(float))


def test_pairs_that_are_all_alike_are_judged_by_others(points, index_pairs):
    index, y = index_pairs
    embedder = clone(PAIRS).fit(points[index], y)
    similar = points[index[y > 0]]
    crossed = np.stack([similar[:, 0], np.roll(similar[:, 1], 1, axis=0)], axis=1)
    outcome = np.repeat([1, -1], len(similar))
    expected = embedder.score(np.concatenate([similar, crossed]), outcome)
    assert embedder.score(similar) == expected
    # A fold with one kind of pairs must not get another metric than the other folds.
    with pytest.raises(ValueError, match=r"both kinds .* leave y out to compare similar pairs with crossed pairs"):
        embedder.score(similar, np.ones(len(similar)))
    alike = clone(PAIRS).fit(similar)
    assert alike.score(similar, np.ones(len(similar))) == alike.score(similar)


# Tools of scikit-learn


@pytest.fixture(params=["pairs", "index pairs", "triplets", "index triplets"])
def on(request, points, index_pairs, index_triplets):
    embedder, (index, y) = (PAIRS, index_pairs) if "pairs" in request.param else (TRIPLETS, (index_triplets, None))
    if "index" in request.param:
        return clone(embedder).set_params(preprocessor=Rows(points)), index, y
    return clone(embedder), points[index], y


def folds_of(X, y):
    """The folds of an integer ``cv``."""
    return list(KFold(3).split(X) if y is None else StratifiedKFold(3).split(X, y))


def by_hand(embedder, X, y, **params):
    scores = []
    for train, test in folds_of(X, y):
        fitted = clone(embedder).set_params(**params).fit(X[train], None if y is None else y[train])
        scores.append(fitted.score(X[test], None if y is None else y[test]))
    return scores


def test_cross_validation(on):
    expected = by_hand(*on)
    assert_array_equal(cross_val_score(*on, cv=3), expected)
    results = cross_validate(*on, cv=3, return_estimator=True, return_train_score=True)
    assert_array_equal(results["test_score"], expected)
    embedder, X, y = on
    ones = np.ones(len(X), dtype=int) if y is None else y
    predicted = cross_val_predict(embedder, X, ones, cv=folds_of(X, y))
    for fitted, (_, test) in zip(results["estimator"], folds_of(X, y), strict=True):
        assert_array_equal(predicted[test], fitted.predict(X[test]))
    if y is not None:
        assert_allclose(cross_val_score(*on, cv=3, scoring="roc_auc"), expected, atol=1e-12)
        assert (cross_val_score(*on, cv=3, scoring="accuracy") > 0.4).all()


def test_a_search(on):
    embedder, X, y = on
    grid = {"margin": [0.2, 1.0], "n_components": [2]}
    search = GridSearchCV(embedder, grid, cv=3).fit(X, y)
    for candidate, params in enumerate(search.cv_results_["params"]):
        found = [search.cv_results_[f"split{fold}_test_score"][candidate] for fold in range(3)]
        assert_array_equal(found, by_hand(embedder, X, y, **params))
    best = clone(embedder).set_params(**search.best_params_).fit(X, y)
    assert_array_equal(search.predict(X), best.predict(X))
    assert_array_equal(search.decision_function(X), best.decision_function(X))
    assert search.score(X, y) == best.score(X, y)


def test_a_split_and_a_pipeline(on):
    embedder, X, y = on
    train, test, *outcome = train_test_split(X, *([] if y is None else [y]), random_state=0)
    y_train, y_test = outcome or (None, None)
    pipeline = make_pipeline(FunctionTransformer(), embedder).fit(train, y_train)
    alone = clone(embedder).fit(train, y_train)
    assert_array_equal(pipeline.predict(test), alone.predict(test))
    assert_array_equal(pipeline.decision_function(test), alone.decision_function(test))
    assert pipeline.score(test, y_test) == alone.score(test, y_test)
