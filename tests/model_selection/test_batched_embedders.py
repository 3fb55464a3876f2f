"""A batched search over embedders gives the results of scikit-learn's search, bit for bit, for all kinds of data."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, KFold, ParameterGrid

from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.points import Rows
from skmetric.model_selection.search import BatchedGridSearchCV

SMALL = {"n_components": 4, "hidden_layer_sizes": (16,), "max_iter": 2, "device": "cpu", "random_state": 0}
MARGINS, TEMPERATURES = {"margin": [0.1, 0.5, 1.2]}, {"temperature": [0.05, 0.2, 1.0]}
GRIDS = {
    "contrastive": MARGINS,
    "info_nce": TEMPERATURES,
    "sup_con": TEMPERATURES,
    "nce": {"margin": [0.5, 1.0], "temperature": [0.1, 0.5]},
    "nca": TEMPERATURES,
    "multi_similarity": {"margin": [0.05, 0.5], "temperature": [0.02, 0.2]},
    "proxy_anchor": {"margin": [0.05, 0.5], "temperature": [0.03, 0.3]},
}
LOSSES_OF_PAIRS = [loss for loss in GRIDS if loss != "proxy_anchor"]
BOTH_KINDS = "ignore:.*does not push the given pairs apart:UserWarning"


POINTS = np.random.default_rng(5).normal(size=(20, 6)).astype(np.float32)


def make(**params):
    return ContrastiveEmbedder(**SMALL | params)


@pytest.fixture(scope="module")
def pairs(blobs):
    index = np.random.default_rng(0).integers(0, 90, (132, 2))
    return index, np.where(blobs[1][index[:, 0]] == blobs[1][index[:, 1]], 1, -1)


@pytest.fixture(scope="module")
def triplets(blobs):
    rng, y = np.random.default_rng(1), blobs[1]
    return np.array([(a, rng.choice(np.flatnonzero(y == y[a])), rng.integers(90)) for a in range(90)])


def nearness(embedder, X, y=None):
    """Score similar pairs: how much closer they are than randomly crossed pairs."""
    crossed = np.stack([X[:, 0], np.roll(X[:, 1], 1, axis=0)], axis=1)
    return float((embedder.pair_distance(crossed) - embedder.pair_distance(X)).mean())


def assert_same_search(batched, plain):
    assert batched.cv_results_.keys() == plain.cv_results_.keys()
    for name, value in plain.cv_results_.items():
        if "time" not in name:
            assert_array_equal(batched.cv_results_[name], value, err_msg=name)
    found = np.array([value for name, value in plain.cv_results_.items() if name.startswith("split")])
    assert np.isfinite(found).all()
    for name in ("best_params_", "best_index_", "best_score_", "n_splits_"):
        assert getattr(batched, name) == getattr(plain, name)
    return found


def both(estimator, grid, X, y=None, **params):
    batched, plain = (
        search(clone(estimator), grid, **{"cv": 2, **params}).fit(X, y)
        for search in (BatchedGridSearchCV, GridSearchCV)
    )
    found = assert_same_search(batched, plain)
    # The scores are not all equal.
    assert len(np.unique(found)) > 1
    assert_array_equal(batched.transform(POINTS), plain.transform(POINTS))
    return batched


# Labels


@pytest.mark.parametrize("loss", GRIDS)
def test_labels(loss, blobs):
    grid = GRIDS[loss] | {"learning_rate": [1e-3, 2e-2]}
    search = both(make(loss=loss), grid, *blobs, cv=3)
    expected = []
    for params in ParameterGrid(grid):
        fitted = make(loss=loss, **params).fit(blobs[0][30:], blobs[1][30:])
        expected.append(fitted.transform(blobs[0]))
    # If the numbers had no effect, this test would always pass.
    assert all(np.abs(a - b).max() > 1e-4 for a, b in pairwise(expected))
    assert search.best_estimator_.loss == loss


@pytest.mark.parametrize(
    "params",
    [
        {"n_components": 1, "normalize": False},
        {"n_components": 5, "hidden_layer_sizes": (7, 3)},
        {"hidden_layer_sizes": ()},
        {"dropout": 0.0},
        {"distance": "sqeuclidean", "normalize": False, "inputs": "none"},
        {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 12, "validation_fraction": 0.2},
        {"memory_size": 50, "batch_size": 12},
        {"memory_size": 7, "batch_size": 12, "early_stopping": True, "n_iter_no_change": 1, "max_iter": 8},
        {"cached_batch_size": 10},
        {"cached_batch_size": 10, "memory_size": 30, "n_components": 3, "batch_size": 20},
        {"unlabeled": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("loss", ["contrastive", "proxy_anchor"])
def test_labels_with_options(loss, params, blobs):
    if "memory_size" in params and loss == "proxy_anchor":
        params = {name: value for name, value in params.items() if name != "memory_size"}
    both(make(loss=loss, **params), GRIDS[loss], *blobs)


def test_a_batch_that_is_compared_in_parts(blobs, monkeypatch):
    monkeypatch.setattr("skmetric.estimators.embedding._objectives.DENSE_PAIRS", 700)
    for loss in GRIDS:
        both(make(loss=loss, batch_size=45), GRIDS[loss], *blobs)


@settings(max_examples=10)
@given(
    loss=st.sampled_from(list(GRIDS)),
    n_components=st.sampled_from([1, 2, 3, 8]),
    hidden_layer_sizes=st.sampled_from([(), (7,), (12, 9)]),
    dropout=st.sampled_from([0.0, 0.3]),
    distance=st.sampled_from([None, "euclidean", "sqeuclidean", "cosine"]),
    normalize=st.booleans(),
    early_stopping=st.booleans(),
    batch_size=st.sampled_from([12, 24, 64]),
    cached_batch_size=st.sampled_from([None, 5]),
    n_splits=st.sampled_from([2, 3]),
)
@pytest.mark.filterwarnings("ignore:.*collapsed:sklearn.exceptions.ConvergenceWarning")
def test_small_random_grids(blobs, loss, n_splits, **params):
    estimator = make(loss=loss, n_iter_no_change=2, validation_fraction=0.2, **params)
    batched, plain = (
        search(estimator, GRIDS[loss], cv=n_splits, refit=False).fit(*blobs)
        for search in (BatchedGridSearchCV, GridSearchCV)
    )
    for fold in range(n_splits):
        name = f"split{fold}_test_score"
        assert_array_equal(batched.cv_results_[name], plain.cv_results_[name])


# Tuples


@pytest.mark.filterwarnings(BOTH_KINDS)
@pytest.mark.parametrize("loss", LOSSES_OF_PAIRS)
def test_pairs(loss, blobs, pairs):
    index, y = pairs
    both(make(loss=loss), GRIDS[loss], blobs[0][index], y, cv=3)
    both(make(loss=loss, preprocessor=Rows(blobs[0])), GRIDS[loss], index, y, cv=3)


@pytest.mark.parametrize("n_negatives", [None, 5])
@pytest.mark.parametrize("loss", LOSSES_OF_PAIRS)
def test_similar_pairs(loss, n_negatives, blobs, pairs):
    index, y = pairs
    X = blobs[0][index[y > 0]]
    both(make(loss=loss, n_negatives=n_negatives), GRIDS[loss], X, scoring=nearness)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("distance", ["euclidean", "sqeuclidean", "cosine"])
def test_triplets(soft, distance, blobs, triplets):
    embedder = TripletEmbedder(soft=soft, distance=distance, **SMALL)
    both(embedder, MARGINS, blobs[0][triplets])
    both(clone(embedder).set_params(preprocessor=Rows(blobs[0])), MARGINS, triplets)


@pytest.mark.parametrize(
    "params",
    [
        {"n_components": 1, "normalize": False},
        {"n_components": 5, "hidden_layer_sizes": (7, 3), "dropout": 0.3},
        {"batch_size": 400},
        {"batch_size": 400, "dropout": 0.0, "n_components": 3},
        {"batch_size": 400, "cached_batch_size": 30},
        {"cached_batch_size": 7},
        {"early_stopping": True, "n_iter_no_change": 1, "max_iter": 12, "validation_fraction": 0.2},
        {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 8, "batch_size": 400},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["pairs", "similar pairs", "random negatives", "triplets"])
def test_tuples_with_options(kind, params, blobs, pairs, triplets):
    points, (index, y) = blobs[0], pairs
    shared = {"preprocessor": Rows(points)} if "batch_size" in params else {}
    if kind == "triplets":
        params = {name: value for name, value in params.items() if name != "cached_batch_size"}
        embedder = TripletEmbedder(**SMALL | params | shared)
        both(embedder, MARGINS, triplets if shared else points[triplets])
    elif kind == "pairs":
        both(make(loss="contrastive", **params | shared), MARGINS, index if shared else points[index], y)
    else:
        embedder = make(loss="info_nce", n_negatives=9 if kind == "random negatives" else None, **params)
        both(embedder, TEMPERATURES, points[index[y > 0]], scoring=nearness)


# Stacks


def stacks_of(search, X, y, capsys):
    search.set_params(verbose=1, refit=False).fit(X, y)
    return capsys.readouterr().out.split("totalling ")[1].strip()


def test_losses_go_into_stacks_of_their_own(blobs, capsys):
    grid = {"loss": ["contrastive", "sup_con", "nca"], "learning_rate": [1e-3, 1e-2]}
    assert stacks_of(BatchedGridSearchCV(make(), grid, cv=2), *blobs, capsys) == "12 fits, in 3 stack(s)"
    both(make(), grid, *blobs)
    # Distances, memories and pieces also need separate stacks. Numbers do not.
    grid = [
        {"margin": [0.5, 1.0], "memory_size": [0, 20]},
        {"distance": ["sqeuclidean"], "cached_batch_size": [None, 9]},
    ]
    search = BatchedGridSearchCV(make(loss="contrastive"), grid, cv=2)
    assert stacks_of(search, *blobs, capsys) == "12 fits, in 4 stack(s)"
    both(make(loss="contrastive"), grid, *blobs)


@pytest.mark.parametrize("batch_size", [16, 400])
@pytest.mark.parametrize("loss", ["contrastive", "nce"])
def test_folds_of_pairs_train_as_one_stack(loss, batch_size, blobs, pairs, capsys):
    """This holds although the folds have different numbers of points."""
    index, y = pairs
    embedder = make(loss=loss, preprocessor=Rows(blobs[0]), batch_size=batch_size)
    folds = list(KFold(3).split(index))
    assert len({len(np.unique(index[train])) for train, _ in folds}) > 1
    search = BatchedGridSearchCV(embedder, MARGINS, cv=folds)
    assert stacks_of(search, index, y, capsys) == "9 fits, in 1 stack(s)"
    alone = BatchedGridSearchCV(embedder, MARGINS, cv=folds, max_stack=1, refit=False).fit(index, y)
    for fold in range(3):
        name = f"split{fold}_test_score"
        assert_array_equal(search.cv_results_[name], alone.cv_results_[name])


def test_a_loss_that_cannot_learn_from_pairs_fails_alone(blobs, pairs):
    index, y = pairs
    grid = {"loss": ["contrastive", "proxy_anchor", "nce"]}
    with pytest.warns(FitFailedWarning, match=r"2 fits failed(?s:.*)proxy_anchor"):
        search = BatchedGridSearchCV(make(), grid, cv=2, error_score=-1.0).fit(blobs[0][index], y)
    assert (search.cv_results_["split0_test_score"] < 0).tolist() == [False, True, False]
