"""Decisions and probabilities for pairs, from their learned distances."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import fbeta_score, log_loss
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold

from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.points import Rows
from skmetric.metrics import distance_threshold, sigmoid_calibration


def make(**params):
    small = {"n_components": 4, "hidden_layer_sizes": (16,), "max_iter": 3, "device": "cpu", "random_state": 0}
    return ContrastiveEmbedder(**small | params)


@pytest.fixture(scope="module")
def pairs(blobs):
    X, y = blobs
    index = np.random.default_rng(0).integers(0, len(y), (200, 2))
    return X[index], np.where(y[index[:, 0]] == y[index[:, 1]], 1, -1)


@pytest.fixture(scope="module")
def fitted(pairs):
    X, y = pairs
    return make(max_iter=10).fit(X[:100], y[:100])


@pytest.fixture(scope="module")
def noisy():
    """Pairs on a line. The closer the points of a pair are, the more likely it is to be similar."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.uniform(-2, 2, 4000), rng.normal(size=4000)]).reshape(2000, 2, 2).astype(np.float32)
    chance = 1 / (1 + np.exp(4 * (np.abs(X[:, 0, 0] - X[:, 1, 0]) - 1)))
    return X, np.where(rng.uniform(size=2000) < chance, 1, -1), chance


# Available methods

METHODS = ["decision_function", "calibrate_threshold", "set_threshold", "calibrate_probabilities", "predict_proba"]


def test_methods_are_those_of_the_kind(blobs, pairs):
    X, y = pairs
    triplets = np.concatenate([X, X[::-1, :1]], axis=1)

    def methods(embedder):
        return [name for name in METHODS if hasattr(embedder, name)]

    assert methods(make()) == []
    assert methods(make().fit(*blobs)) == []
    on_pairs = make().fit(X, y)
    assert methods(on_pairs) == METHODS[:-1]
    assert methods(make().fit(X[y > 0])) == METHODS[:-1]
    assert methods(on_pairs.calibrate_probabilities(X, y, cv="prefit")) == METHODS
    assert methods(on_pairs.fit(*blobs)) == []
    assert methods(on_pairs.fit(X, y)) == METHODS[:-1]  # a new fit discards the probabilities
    assert methods(TripletEmbedder(device="cpu", max_iter=1).fit(triplets)) == METHODS[:1]
    for embedder in (on_pairs, make().fit(*blobs)):
        assert all(hasattr(embedder, name) for name in ("pair_distance", "pair_score", "get_metric", "transform"))


# Thresholds


def test_predictions_are_distances_up_to_the_threshold(fitted, pairs):
    X, _ = pairs
    for threshold in [fitted.threshold_, *np.float64(fitted.pair_distance(X[:20])), 0.0, -1.0, 10]:
        embedder = pickle.loads(pickle.dumps(fitted)).set_threshold(threshold)
        assert embedder.threshold_ == threshold
        expected = np.where(embedder.pair_distance(X) <= threshold, 1, -1)
        assert_array_equal(embedder.predict(X), expected)
        assert_array_equal(embedder.decision_function(X) >= -threshold, expected > 0)
    assert_array_equal(fitted.decision_function(X), fitted.pair_score(X))
    assert_array_equal(fitted.pair_score(X), -fitted.pair_distance(X))


def test_fit_takes_the_threshold_of_highest_accuracy_on_its_pairs(fitted, pairs):
    X, y = (each[:100] for each in pairs)
    assert fitted.threshold_ == distance_threshold(y, fitted.pair_distance(X))
    accuracies = [(np.where(fitted.pair_distance(X) <= t, 1, -1) == y).mean() for t in fitted.pair_distance(X)]
    assert (fitted.predict(X) == y).mean() == max(accuracies)


@pytest.mark.parametrize(
    ("strategy", "options", "figure"),
    [
        ("accuracy", {}, lambda y, p: (y == p).mean()),
        ("f_beta", {"beta": 2.0}, lambda y, p: fbeta_score(y, p, beta=2.0, zero_division=0)),
        ("max_tpr", {"min_rate": 0.8}, lambda y, p: (p[y > 0] > 0).mean() if (p[y < 0] < 0).mean() >= 0.8 else -1),
        ("max_tnr", {"min_rate": 0.8}, lambda y, p: (p[y < 0] < 0).mean() if (p[y > 0] > 0).mean() >= 0.8 else -1),
    ],
)
def test_the_threshold_is_calibrated_by_each_strategy(strategy, options, figure, fitted, pairs):
    X, y = (each[100:] for each in pairs)
    embedder = pickle.loads(pickle.dumps(fitted))
    assert embedder.calibrate_threshold(X, y, strategy, **options) is embedder
    best = max(figure(y, np.where(embedder.pair_distance(X) <= t, 1, -1)) for t in embedder.pair_distance(X))
    assert figure(y, embedder.predict(X)) == pytest.approx(best)
    assert best > 0
    assert embedder.threshold_ != fitted.threshold_


@pytest.mark.parametrize("upside_down", [False, True])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_threshold_is_never_infinite(share, upside_down, fitted, pairs):
    X, _ = pairs
    d = fitted.pair_distance(X)
    y = np.where((d <= np.quantile(d, share)) != upside_down, 1, -1)
    embedder = pickle.loads(pickle.dumps(fitted))
    for options in ({}, {"strategy": "max_tpr", "min_rate": 1.0}, {"strategy": "max_tnr", "min_rate": 1.0}):
        assert np.isfinite(embedder.calibrate_threshold(X, y, **options).threshold_)
    same = make(max_iter=1).fit(np.repeat(X[:, :1], 2, axis=1), y)
    assert np.isfinite(same.threshold_)


def test_pairs_that_are_all_alike_give_no_threshold(pairs):
    X, y = pairs
    embedder = make().fit(X[y > 0])
    assert not hasattr(embedder, "threshold_")
    assert embedder.decision_function(X).shape == y.shape
    with pytest.raises(ValueError, match=r"must hold dissimilar pairs.*threshold.*calibrate_threshold.*set_threshold"):
        embedder.predict(X)
    assert (embedder.calibrate_threshold(X, y).predict(X) == y).mean() > 0.6
    assert hasattr(make().fit(X, y), "threshold_")


@pytest.mark.parametrize("threshold", [np.inf, -np.inf, np.nan, "near", None])
def test_a_threshold_must_be_a_number(threshold, fitted):
    before = fitted.threshold_
    with pytest.raises(ValueError, match="threshold must be a finite number"):
        fitted.set_threshold(threshold)
    assert fitted.threshold_ == before


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"y": 1}, {}, r"\+1"),
        ({"y": 0}, {}, "y must be 1 .* got 0 and no -1"),
        ({}, {"strategy": "best"}, "strategy"),
        ({}, {"strategy": "max_tpr"}, "min_rate"),
        ({}, {"min_rate": 0.5}, "min_rate"),
        ({}, {"strategy": "f_beta", "beta": 0.0}, "beta"),
        ({"X": "rows"}, {}, r"X must hold pairs of points, shape \(n_pairs, 2, n_features\)"),
    ],
)
def test_bad_calibrations_are_named_and_change_nothing(change, options, message, fitted, pairs):
    X, y = pairs
    X, y = X[:, 0] if "X" in change else X, np.full(len(y), change["y"]) if "y" in change else y
    before = vars(fitted).copy()
    with pytest.raises(ValueError, match=message):
        fitted.calibrate_threshold(X, y, **options)
    assert vars(fitted) == before
    if not options:
        with pytest.raises(ValueError, match=message):
            fitted.calibrate_probabilities(X, y, cv="prefit")
        assert vars(fitted) == before


# Probabilities


def probabilities(slope, offset, distances):
    dissimilar = 1 / (1 + np.exp(-(slope * distances.astype(float) + offset)))
    return np.column_stack([dissimilar, 1 - dissimilar])


def own_module(n_in, n_out):
    return torch.nn.Linear(n_in, n_out)


@pytest.mark.parametrize("params", [{}, {"module": own_module}, {"early_stopping": True}, {"preprocessor": True}])
@pytest.mark.parametrize("cv", [3, KFold(4, shuffle=True, random_state=1), ShuffleSplit(2, random_state=0), "list"])
def test_copies_are_trained_on_other_folds(cv, params, blobs):
    points, labels = blobs
    index = np.random.default_rng(1).integers(0, len(points), (150, 2))
    y = np.where(labels[index[:, 0]] == labels[index[:, 1]], 1, -1)
    X = index if "preprocessor" in params else points[index]
    params = {"preprocessor": Rows(points)} if "preprocessor" in params else params
    embedder = make(**params).fit(X, y)
    before = embedder.transform(points)
    splitter = StratifiedKFold(3) if cv == 3 else KFold(3) if cv == "list" else cv
    folds = list(splitter.split(X, y))
    assert embedder.calibrate_probabilities(X, y, cv=folds if cv == "list" else cv) is embedder
    tests = np.concatenate([test for _, test in folds])
    distances = [clone(embedder).fit(X[train], y[train]).pair_distance(X[test]) for train, test in folds]
    expected = probabilities(*sigmoid_calibration(y[tests], np.concatenate(distances)), embedder.pair_distance(X))
    assert_allclose(embedder.predict_proba(X), expected, atol=1e-6)
    assert_array_equal(embedder.transform(points), before)


def test_prefit_takes_the_distances_of_the_fit(fitted, pairs):
    X, y = (each[100:] for each in pairs)
    embedder = pickle.loads(pickle.dumps(fitted)).calibrate_probabilities(X, y, cv="prefit")
    slope, offset = sigmoid_calibration(y, fitted.pair_distance(X))
    assert_allclose(embedder.predict_proba(X), probabilities(slope, offset, fitted.pair_distance(X)), atol=1e-12)
    loaded = pickle.loads(pickle.dumps(embedder))
    assert_array_equal(loaded.predict_proba(X), embedder.predict_proba(X))
    assert not hasattr(clone(embedder).fit(X, y), "predict_proba")


def test_probabilities_sum_to_one_and_fall_with_the_distance(fitted, pairs):
    X, y = pairs
    embedder = pickle.loads(pickle.dumps(fitted)).calibrate_probabilities(X, y, cv="prefit")
    probability = embedder.predict_proba(X)
    assert probability.shape == (200, 2)
    assert_allclose(probability.sum(axis=1), 1, atol=1e-15)
    assert (np.diff(probability[np.argsort(embedder.pair_distance(X)), 1]) <= 0).all()
    assert ((probability >= 0) & (probability <= 1)).all()
    # The second of classes_ is 1, similar.
    assert embedder.classes_.tolist() == [-1, 1]
    assert probability[y > 0, 1].mean() > probability[y < 0, 1].mean() + 0.2


def test_probabilities_are_frequencies(noisy):
    X, y, chance = noisy
    embedder = make(loss="nce", temperature=0.25, normalize=False, max_iter=20, learning_rate=0.02).fit(
        X[:1000], y[:1000]
    )
    probability = embedder.calibrate_probabilities(X[:1000], y[:1000], cv=4).predict_proba(X[1000:])[:, 1]
    assert np.abs(probability - chance[1000:]).mean() < 0.05
    for fifth in np.array_split(np.argsort(probability), 5):
        assert abs(probability[fifth].mean() - chance[1000:][fifth].mean()) < 0.05
    assert np.ptp(probability) > 0.9


def test_out_of_fold_distances_do_not_flatter():
    """With random labels, only the training pairs seem to be predictable."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 2, 5)).astype(np.float32), rng.permutation(np.repeat([1, -1], 60))
    embedder = make(hidden_layer_sizes=(64,), dropout=0, max_iter=60, learning_rate=0.02, weight_decay=0).fit(X, y)
    flattered = pickle.loads(pickle.dumps(embedder)).calibrate_probabilities(X, y, cv="prefit")
    honest = embedder.calibrate_probabilities(X, y, cv=5)
    new, outcome = rng.normal(size=(400, 2, 5)).astype(np.float32), rng.permutation(np.repeat([1, -1], 200))
    losses = [log_loss(outcome, each.predict_proba(new)) for each in (honest, flattered)]
    assert losses[0] < 0.75 < losses[1] - 0.1


@pytest.mark.parametrize("loss", ["auto", "info_nce", "contrastive"])
@pytest.mark.filterwarnings("ignore:.*does not push the given pairs apart:UserWarning")
def test_probabilities_of_an_embedder_of_alike_pairs(loss, pairs):
    """The copies must learn like the embedder, although they get pairs of both kinds."""
    X, y = pairs
    embedder = make(loss=loss, max_iter=20).fit(X[y > 0])
    probability = embedder.calibrate_probabilities(X, y, cv=4).predict_proba(X)[:, 1]
    assert probability.mean() == pytest.approx((y > 0).mean(), abs=0.15)


@pytest.mark.parametrize("cv", [1, "five", 3.5])
def test_bad_folds_are_an_error_and_change_nothing(cv, fitted, pairs):
    before = vars(fitted).copy()
    with pytest.raises(ValueError, match=r"n_splits|cv"):
        fitted.calibrate_probabilities(*pairs, cv=cv)
    assert vars(fitted) == before
