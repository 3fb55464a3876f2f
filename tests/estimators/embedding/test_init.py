"""Embedders that start at the columns themselves: ``init="identity"``."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.model_selection import BatchedGridSearchCV
from tests.estimators.prepared import plan_of

PARAMS = {"n_components": 6, "hidden_layer_sizes": (), "init": "identity", "device": "cpu", "random_state": 0}
TRIPLET, CONTRASTIVE = TripletEmbedder(**PARAMS), ContrastiveEmbedder(**PARAMS)
both = pytest.mark.parametrize("embedder", [TRIPLET, CONTRASTIVE], ids=["triplet", "contrastive"])


def like(embedder, **changes):
    return clone(embedder).set_params(**changes)


def hardly_trained(embedder, **changes):
    return like(embedder, learning_rate=1e-12, max_iter=1, **changes)


@both
def test_training_starts_at_the_columns(embedder, blobs):
    X, y = blobs
    raw = hardly_trained(embedder, inputs="none", normalize=False, distance="euclidean").fit(X, y)
    assert_allclose(raw.transform(X), X, rtol=1e-5, atol=1e-6)
    standard = (X - X.mean(0)) / X.std(0)
    scaled = hardly_trained(embedder, inputs="standard", normalize=False, distance="euclidean").fit(X, y)
    assert_allclose(scaled.transform(X), standard, rtol=1e-5, atol=1e-5)
    bounded = hardly_trained(embedder, normalize=False, distance="euclidean").fit(X, y)
    assert_allclose(bounded.transform(X), standard / np.sqrt(1 + (standard / 3) ** 2), rtol=1e-5, atol=1e-5)
    cosine = hardly_trained(embedder, inputs="none").fit(X, y)
    assert_allclose(cosine.transform(X), X / np.linalg.norm(X, axis=1, keepdims=True), rtol=1e-5, atol=1e-6)


@both
def test_training_continues_from_there(embedder, blobs):
    X, y = blobs
    start, trained = hardly_trained(embedder).fit(X, y), like(embedder, max_iter=30).fit(X, y)
    assert trained.score(X, y) > start.score(X, y)
    again = like(embedder, max_iter=1, learning_rate=1e-12, warm_start=True)
    again.__dict__.update({name: value for name, value in vars(trained).items() if name not in again.get_params()})
    assert_allclose(again.fit(X, y).transform(X), trained.transform(X), atol=1e-5)


def test_the_first_partial_fit_starts_at_the_columns(blobs):
    X, y = blobs
    embedder = like(TRIPLET, learning_rate=1e-12, inputs="none", normalize=False).partial_fit(X, y)
    assert_allclose(embedder.transform(X), X, rtol=1e-5, atol=1e-6)
    embedder.set_params(learning_rate=0.01).partial_fit(X, y)
    moved = embedder.transform(X)
    embedder.set_params(learning_rate=1e-12).partial_fit(X, y)
    assert_allclose(embedder.transform(X), moved, rtol=1e-5, atol=1e-5)
    assert np.abs(moved - X).max() > 1e-3


def test_proxies_start_at_random(blobs):
    X, y = blobs
    fitted = {
        init: hardly_trained(CONTRASTIVE, loss="proxy_anchor", init=init).fit(X, y) for init in ("random", "identity")
    }
    proxies = [each._network.weights["proxies"] for each in fitted.values()]
    assert_allclose(proxies[1], proxies[0], rtol=1e-6)
    assert_array_equal(np.round(fitted["identity"]._network.weights["last.weight"], 6), np.eye(6))


@both
def test_a_search_over_init_trains_one_stack_and_gives_single_fits(embedder, blobs):
    X, y = blobs
    folds = [(np.arange(0, 90, 2), np.arange(1, 90, 2)), (np.arange(1, 90, 2), np.arange(0, 90, 2))]
    grid = {"init": ["random", "identity"]}
    search = BatchedGridSearchCV(like(embedder, max_iter=3), grid, cv=folds, refit=False).fit(X, y)
    for number, init in enumerate(grid["init"]):
        for fold, (train, test) in enumerate(folds):
            alone = like(embedder, max_iter=3, init=init).fit(X[train], y[train])
            assert search.cv_results_[f"split{fold}_test_score"][number] == alone.score(X[test], y[test])
    assert plan_of(like(embedder, init="random"), X, y).network == plan_of(embedder, X, y).network


@both
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_layer_sizes": (8,)}, r"hidden_layer_sizes must be empty for init='identity'.*got \(8,\)"),
        ({"hidden_layer_sizes": 8}, "hidden_layer_sizes must be empty for init='identity'.*got 8"),
        ({"n_components": 4}, "got n_components=4 and 6 inputs. Set n_components=6, or set init='random'"),
        ({"module": torch.nn.Linear}, "module must be None for init='identity'"),
        ({"init": "eye"}, "The 'init' parameter of .* must be a str among"),
    ],
)
def test_a_map_that_cannot_be_the_identity_is_refused(embedder, changes, message, blobs):
    refused = like(embedder, **changes)
    with pytest.raises(ValueError, match=message):
        refused.fit(*blobs)
    assert not hasattr(refused, "n_features_in_")
