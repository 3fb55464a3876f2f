"""Early stopping, continued training and pickles of ContrastiveEmbedder."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder


def make(**params):
    small = {"n_components": 4, "hidden_layer_sizes": (16,), "max_iter": 3, "device": "cpu", "random_state": 0}
    return ContrastiveEmbedder(**small | params)


def pairs_of(X, y, n, seed=0):
    index = np.random.default_rng(seed).integers(0, len(y), (n, 2))
    index = index[index[:, 0] != index[:, 1]]
    return X[index], np.where(y[index[:, 0]] == y[index[:, 1]], 1, -1)


@pytest.fixture(scope="module")
def pairs(blobs):
    return pairs_of(*blobs, 160)


# Early stopping


def test_early_stopping_on_labels(blobs):
    X, y = blobs
    partly = np.where(np.arange(len(y)) % 5 > 0, y, -1)
    embedder = make(early_stopping=True, max_iter=60, n_iter_no_change=3, unlabeled=-1, validation_fraction=0.3)
    embedder.fit(X[::2], partly[::2], X_val=X[1::2], y_val=partly[1::2])
    scores = [row["valid_score"] for row in embedder.history_]
    assert embedder.n_iter_ == len(scores) == int(np.argmax(scores)) + 1 + 3 < 60
    assert embedder.score(X[1::2], partly[1::2]) == max(scores) > min(scores)
    held_out = clone(embedder).fit(X, y)
    assert held_out.n_iter_ < 60
    assert held_out.history_[0]["valid_score"] != scores[0]


@pytest.mark.parametrize("given", ["both kinds", "similar"])
def test_early_stopping_on_pairs(given, pairs, blobs):
    (X, y), (X_val, y_val) = pairs, pairs_of(*blobs, 80, seed=1)
    if given == "similar":
        X, y, X_val, y_val = X[y > 0], None, X_val[y_val > 0], None
    embedder = make(early_stopping=True, max_iter=60, n_iter_no_change=3, learning_rate=0.02)
    embedder.fit(X, y, X_val=X_val, y_val=y_val)
    scores = [row["valid_score"] for row in embedder.history_]
    assert embedder.n_iter_ == len(scores) == int(np.argmax(scores)) + 1 + 3 < 60
    if given == "similar":
        # The first point of each pair with the second point of the next pair counts as a dissimilar pair.
        crossed = np.stack([X_val[:, 0], np.roll(X_val[:, 1], 1, axis=0)], axis=1)
        X_val, y_val = np.concatenate([X_val, crossed]), np.repeat([1, -1], len(X_val))
    assert embedder.score(X_val, y_val) == pytest.approx(max(scores), abs=1e-12)
    assert clone(embedder).fit(X, y).n_iter_ < 60


def test_pairs_held_out_are_of_both_kinds(pairs):
    X, y = pairs
    embedder = make(early_stopping=True, validation_fraction=0.1, max_iter=2).fit(X, y)
    assert 0 < embedder.history_[0]["valid_score"] < 1
    with pytest.raises(ValueError, match="validation_fraction must hold out a tuple of every kind"):
        embedder.fit(X, np.where(np.arange(len(y)) < 3, -1, 1))
    with pytest.raises(ValueError, match="validation_fraction must hold out a tuple of every kind"):
        embedder.fit(X[:3])


@pytest.mark.parametrize(
    ("fit_params", "message"),
    [
        ({"X_val": True, "y_val": True}, "X_val and y_val must be None without early stopping"),
        ({"early_stopping": True, "y_val": True}, "must be given together, got only y_val"),
        (
            {"early_stopping": True, "X_val": True, "y_val": -1},
            "y_val must hold similar and dissimilar pairs, 1 and -1",
        ),
    ],
)
def test_validation_pairs_that_do_not_fit_are_named(fit_params, message, pairs):
    X, y = pairs
    given = {"X_val": X, "y_val": np.full(len(y), -1) if fit_params.get("y_val") == -1 else y}
    embedder = make(early_stopping=fit_params.pop("early_stopping", False))
    with pytest.raises(ValueError, match=message):
        embedder.fit(X, y, **{name: given[name] for name in fit_params})
    assert not hasattr(embedder, "tuple_size_")


# Repeated and continued fits, and copies


@pytest.fixture(scope="module", params=["labels", "proxies", "pairs", "similar"])
def data(request, blobs, pairs):
    """Data to fit on, and a loss for them."""
    X, y = pairs
    return {
        "labels": (*blobs, "sup_con"),
        "proxies": (*blobs, "proxy_anchor"),
        "pairs": (X, y, "contrastive"),
        "similar": (X[y > 0], None, "info_nce"),
    }[request.param]


def test_the_same_seed_gives_the_same_bits(data, blobs):
    X, y, loss = data
    first, again, other = (make(loss=loss, random_state=seed).fit(X, y) for seed in (0, 0, 1))
    assert_array_equal(first.transform(blobs[0]), again.transform(blobs[0]))
    assert np.abs(first.transform(blobs[0]) - other.transform(blobs[0])).max() > 0.01
    assert_array_equal(clone(first).fit(X, y).transform(blobs[0]), first.transform(blobs[0]))


def test_pickles(data, blobs):
    X, y, loss = data
    embedder = make(loss=loss).fit(X, y)
    loaded = pickle.loads(pickle.dumps(embedder))
    assert_array_equal(loaded.transform(blobs[0]), embedder.transform(blobs[0]))
    assert loaded.tuple_size_ == embedder.tuple_size_
    if y is not None:
        assert loaded.score(X, y) == embedder.score(X, y)
        assert_array_equal(loaded.predict(X), embedder.predict(X))
    assert b"torch" not in pickle.dumps(embedder)


def test_partial_fit_goes_on(data, blobs):
    X, y, loss = data
    half = np.arange(len(X)) % 2 == 0
    embedder = make(loss=loss, learning_rate=0.01)
    start = embedder.partial_fit(X[half], None if y is None else y[half]).transform(blobs[0])
    for _ in range(10):
        for part in (half, ~half):
            embedder.partial_fit(X[part], None if y is None else y[part])
    assert embedder.n_iter_ == len(embedder.history_) == 21
    assert embedder.history_[-1]["train_loss"] < embedder.history_[0]["train_loss"]
    assert np.abs(embedder.transform(blobs[0]) - start).max() > 0.05


def test_partial_fit_keeps_to_its_kind(data, blobs, pairs):
    X, y, loss = data
    embedder = make(loss=loss).partial_fit(X, y)
    with pytest.raises(ValueError, match=r"shape|dim"):
        embedder.partial_fit(*(blobs if embedder.tuple_size_ else pairs))
    assert embedder.n_iter_ == 1


def test_warm_start_goes_on(data, blobs):
    X, y, loss = data
    embedder = make(loss=loss, warm_start=True).fit(X, y)
    before = embedder.transform(blobs[0])
    still = clone(embedder).set_params(learning_rate=1e-12)
    still.__dict__.update({k: v for k, v in vars(embedder).items() if k not in still.get_params()})
    assert_allclose(still.fit(X, y).transform(blobs[0]), before, atol=1e-6)
    assert np.abs(embedder.fit(X, y).transform(blobs[0]) - before).max() > 1e-3
    assert np.abs(make(loss=loss).fit(X, y).transform(blobs[0]) - before).max() == 0


def test_frames_in_names_out(blobs):
    frame = pd.DataFrame(blobs[0], columns=list("abcdef"))
    embedded = make().set_output(transform="pandas").fit(frame, blobs[1]).transform(frame)
    assert list(embedded.columns) == [f"contrastiveembedder{i}" for i in range(4)]


def test_the_learned_distance_as_a_metric(data, blobs):
    X, y, loss = data
    embedder = make(loss=loss, distance="euclidean").fit(X, y)
    metric = pickle.loads(pickle.dumps(embedder.get_metric()))
    points = blobs[0][:8]
    both = np.stack([np.repeat(points, 8, axis=0), np.tile(points, (8, 1))], axis=1)
    distances = [metric(u, v) for u, v in both]
    assert_allclose(distances, embedder.pair_distance(both), atol=1e-6)
    u, v = np.moveaxis(embedder.transform(both.reshape(-1, 6)).reshape(64, 2, 4), 1, 0)
    assert_allclose(distances, np.linalg.norm(u - v, axis=1), atol=1e-6)
    embedder.fit(-X, y)
    assert [metric(u, v) for u, v in both] == distances
    with pytest.raises(ValueError, match=r"u must be one point, shape \(6,\)"):
        metric(points, points)
