"""A fit on tuples warns if the distance between the columns orders its validation tuples better."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from skmetric._core.nn import Columns
from skmetric.estimators.embedding._data import PointTuples
from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.embedding.tuple_order import columns_that_order_better
from skmetric.estimators.points import Rows
from skmetric.model_selection import BatchedGridSearchCV

PARAMS = {
    "n_components": 2,
    "hidden_layer_sizes": (8,),
    "max_iter": 3,
    "early_stopping": True,
    "device": "cpu",
    "random_state": 0,
}
RNG = np.random.default_rng(0)
# Each point is near one of 40 centers that differ in all columns; points of one center are similar.
CENTERS = RNG.normal(size=(40, 20)) * np.geomspace(1, 100, 20)
CLASSES = np.repeat(np.arange(40), 10)
X = (CENTERS[CLASSES] + RNG.normal(size=(400, 20)) * np.geomspace(1, 100, 20)).astype(np.float32)


def triplets_of(first, last, n, seed):
    """Triplets of points of the classes from ``first`` to ``last``."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(first, last, (n, 2))
    other = np.where(
        classes[:, 0] == classes[:, 1], first + (classes[:, 1] + 1 - first) % (last - first), classes[:, 1]
    )
    points = rng.integers(0, 10, (n, 3))
    points[:, 1] = (points[:, 0] + rng.integers(1, 10, n)) % 10
    return np.column_stack([classes[:, 0], classes[:, 0], other]) * 10 + points


def pairs_of(triplets):
    return np.concatenate([triplets[:, :2], triplets[:, ::2]]), np.repeat([1, -1], len(triplets))


TRAIN, VALID = triplets_of(0, 20, 60, 1), triplets_of(20, 40, 300, 2)
SCALED = X / X[np.unique(TRAIN)].std(axis=0)


def as_points(table, indices):
    return PointTuples(Columns(table), indices, np.ones(len(indices), dtype=int))


def accuracy(table, triplets):
    distances = np.linalg.norm(table[triplets[:, :1]] - table[triplets[:, 1:]], axis=2)
    return np.mean(distances[:, 0] < distances[:, 1])


def area(table, pairs, y):
    return roc_auc_score(y, -np.linalg.norm(table[pairs[:, 0]] - table[pairs[:, 1]], axis=1))


def test_a_fit_on_triplets_that_hurts_is_warned_of():
    embedder = TripletEmbedder(preprocessor=Rows(X), **PARAMS)
    with pytest.warns(UserWarning, match="TripletEmbedder: learning hurts") as caught:
        embedder.fit(TRAIN, X_val=VALID)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    message = str(caught[0].message)
    assert f"standardized columns has a score of {accuracy(SCALED, VALID):.3f}" in message
    assert f"the learned distance {embedder.score(VALID):.3f}" in message
    assert "init='identity' with hidden_layer_sizes=() and n_components=20" in message
    assert "compare_baselines" in message


@pytest.mark.parametrize("only_similar", [False, True])
def test_a_fit_on_pairs_that_hurts_is_warned_of(only_similar):
    (pairs, y), (pairs_val, y_val) = pairs_of(TRAIN), pairs_of(VALID)
    if only_similar:
        pairs, y, pairs_val, y_val = pairs[y > 0], None, pairs_val[y_val > 0], None
    embedder = ContrastiveEmbedder(preprocessor=Rows(X), **PARAMS)
    with pytest.warns(UserWarning, match="ContrastiveEmbedder: learning hurts") as caught:
        embedder.fit(pairs, y, X_val=pairs_val, y_val=y_val)
    if only_similar:
        crossed = np.column_stack([pairs_val[:, 0], np.roll(pairs_val[:, 1], 1)])
        pairs_val, y_val = np.concatenate([pairs_val, crossed]), np.repeat([1, -1], len(pairs_val))
    scaled = X / X[np.unique(pairs)].std(axis=0)
    expected = max(area(X, pairs_val, y_val), area(scaled, pairs_val, y_val))
    assert f"columns has a score of {expected:.3f}, the learned distance {embedder.score(pairs_val, y_val):.3f}" in str(
        caught[0].message
    )


def test_points_in_place_of_indices_warn_of_the_same():
    with pytest.warns(UserWarning, match="learning hurts") as by_index:
        TripletEmbedder(preprocessor=Rows(X), **PARAMS).fit(TRAIN, X_val=VALID)
    with pytest.warns(UserWarning, match="learning hurts") as by_point:
        TripletEmbedder(**PARAMS).fit(X[TRAIN], X_val=X[VALID])
    scores = [str(caught[0].message).split("difference")[0] for caught in (by_index, by_point)]
    assert scores[0] == scores[1]


def test_tuples_held_out_of_x_are_enough():
    with pytest.warns(UserWarning, match="learning hurts"):
        TripletEmbedder(preprocessor=Rows(X), validation_fraction=0.5, **PARAMS).fit(np.concatenate([TRAIN, VALID]))


@pytest.mark.parametrize(
    "params", [{"early_stopping": False}, {"init": "identity", "hidden_layer_sizes": (), "n_components": 20}]
)
def test_no_warning_without_a_validation_set_or_without_harm(params):
    embedder = TripletEmbedder(preprocessor=Rows(X), **{**PARAMS, **params})
    validation = {"X_val": VALID} if embedder.early_stopping else {}
    embedder.fit(TRAIN, **validation)


def test_searches_warn_of_the_refitted_model_only():
    embedder = TripletEmbedder(preprocessor=Rows(X), validation_fraction=0.5, **PARAMS)
    tuples = np.concatenate([TRAIN, VALID])
    folds = [(np.arange(0, 360, 2), np.arange(1, 360, 2))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        BatchedGridSearchCV(embedder, {"margin": [0.2, 0.5]}, cv=folds, refit=False).fit(tuples)
    with pytest.warns(UserWarning, match="learning hurts") as caught:
        BatchedGridSearchCV(embedder, {"margin": [0.2, 0.5]}, cv=folds).fit(tuples)
    assert len(caught) == 1


def test_the_raw_columns_count_too():
    """Noise columns of little variance: standardized, they are as loud as the others."""
    table = np.column_stack([X, 1e-3 * RNG.normal(size=(400, 200))])
    better = columns_that_order_better(as_points(table, VALID), np.zeros((400, 1)), "euclidean", table)
    scaled = StandardScaler().fit_transform(table)
    assert accuracy(table, VALID) > accuracy(scaled, VALID)
    assert better.columns == "raw columns"
    assert better.score == pytest.approx(accuracy(table, VALID))


@pytest.mark.parametrize(("n", "is_clear"), [(1, False), (4, False), (5, True)])
def test_few_tuples_are_not_enough(n, is_clear):
    """All comparisons favor the columns. The difference, 1, must exceed two standard errors, 2 / sqrt(n)."""
    table = np.array([[0.0], [1.0], [3.0]])
    triplets = as_points(table, np.tile([0, 1, 2], (n, 1)))
    better = columns_that_order_better(triplets, -np.abs(table - 3) * [[1], [0], [1]], "euclidean", table)
    assert (better is not None) == is_clear


def test_equal_distances_are_not_better():
    better = columns_that_order_better(as_points(X, VALID), SCALED, "euclidean", X[np.unique(TRAIN)])
    assert better is None


def test_many_columns_are_compared_in_pieces(monkeypatch):
    triplets, table = as_points(X, VALID), X.astype(float)
    whole = triplets.distances(table, "euclidean")
    monkeypatch.setattr("skmetric.estimators.embedding._data.AT_ONCE", 500)
    np.testing.assert_array_equal(triplets.distances(table, "euclidean"), whole)
    by_hand = np.linalg.norm(table[VALID[:, :1]] - table[VALID[:, 1:]], axis=2)
    np.testing.assert_allclose(whole, by_hand, rtol=1e-12)


def test_a_fit_that_fails_on_the_warning_changes_nothing():
    embedder = TripletEmbedder(preprocessor=Rows(X), **PARAMS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="learning hurts"):
            embedder.fit(TRAIN, X_val=VALID)
    assert not hasattr(embedder, "history_")
