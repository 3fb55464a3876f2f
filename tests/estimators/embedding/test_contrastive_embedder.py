"""ContrastiveEmbedder: what it learns from labels and from pairs, and its parameters.

Early stopping, continued training and pickles are in test_contrastive_control.py, thresholds and probabilities of pairs
in test_pair_classifier.py.
"""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from skmetric.estimators.embedding._losses import LOSSES
from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.metrics import map_at_r_score
from tests.estimators.prepared import plan_of

each_loss = pytest.mark.parametrize("loss", LOSSES)
each_loss_of_pairs = pytest.mark.parametrize("loss", [name for name, loss in LOSSES.items() if not loss.has_proxies])


def make(**params):
    small = {"n_components": 4, "hidden_layer_sizes": (16,), "max_iter": 3, "device": "cpu", "random_state": 0}
    return ContrastiveEmbedder(**small | params)


@pytest.fixture(scope="module")
def wine():
    """Training rows and test rows, half of the table each."""
    X, y = load_wine(return_X_y=True)
    return X[::2], y[::2], X[1::2], y[1::2]


def pairs_of(X, y, n, seed=0):
    index = np.random.default_rng(seed).integers(0, len(y), (n, 2))
    index = index[index[:, 0] != index[:, 1]]
    return X[index], np.where(y[index[:, 0]] == y[index[:, 1]], 1, -1)


@pytest.fixture(scope="module")
def pairs(blobs):
    return pairs_of(*blobs, 160)


# What it learns


@each_loss
def test_it_learns_labels(loss, wine):
    X, y, X_test, y_test = wine
    scaled = map_at_r_score(StandardScaler().fit(X).transform(X_test), y_test)
    embedder = make(loss=loss, max_iter=20, learning_rate=0.02).fit(X, y)
    assert embedder.score(X_test, y_test) > scaled + 0.05
    assert (embedder.predict(X_test) == y_test).mean() > 0.9
    assert embedder.history_[-1]["train_loss"] < embedder.history_[0]["train_loss"]


@pytest.mark.filterwarnings("ignore:.*does not push the given pairs apart:UserWarning")
@pytest.mark.parametrize("given", ["both kinds", "similar", "similar, random negatives"])
@each_loss_of_pairs
def test_it_learns_pairs(loss, given, wine):
    X, y, X_test, y_test = wine
    pairs, outcome = pairs_of(X, y, 400)
    if given != "both kinds":
        pairs, outcome = pairs[outcome > 0], None
    n_negatives = 4 if given == "similar, random negatives" else None
    embedder = make(loss=loss, max_iter=20, learning_rate=0.02, n_negatives=n_negatives).fit(pairs, outcome)
    test_pairs, test_outcome = pairs_of(X_test, y_test, 300)
    scaler = StandardScaler().fit(X)
    raw = [np.linalg.norm(np.subtract(*scaler.transform(pair))) for pair in test_pairs]
    # Dissimilar pairs are either given or only assumed.
    better = 0.05 if given == "both kinds" else 0.02
    assert embedder.score(test_pairs, test_outcome) > roc_auc_score(test_outcome, -np.array(raw)) + better


@each_loss
def test_defaults_of_margin_temperature_and_distance(loss, blobs):
    margin = {"contrastive": 1.0, "nce": 0.7, "multi_similarity": 0.1, "proxy_anchor": 0.1}.get(loss)
    temperature = {"info_nce": 0.1, "sup_con": 0.1, "nce": 0.3, "nca": 0.2, "multi_similarity": 0.02}
    temperature = temperature.get(loss, 1 / 32 if loss == "proxy_anchor" else None)
    distance = {"contrastive": "euclidean", "nce": "euclidean", "nca": "sqeuclidean"}.get(loss, "cosine")
    X, y = blobs
    default = make(loss=loss).fit(X, y).transform(X)
    spelled_out = make(loss=loss, margin=margin, temperature=temperature, distance=distance)
    assert_array_equal(spelled_out.fit(X, y).transform(X), default)
    for name, value in [("margin", margin), ("temperature", temperature)]:
        if value is not None:
            other = clone(spelled_out).set_params(**{name: value * 3}).fit(X, y).transform(X)
            assert np.abs(other - default).max() > 1e-4
    free = make(loss=loss, normalize=False).fit(X, y).transform(X)
    named = make(loss=loss, normalize=False, distance="sqeuclidean" if distance == "cosine" else distance)
    assert_array_equal(named.fit(X, y).transform(X), free)
    assert np.ptp(np.linalg.norm(free, axis=1)) > 0.01


@each_loss_of_pairs
def test_a_loss_that_takes_no_given_negatives_says_so(loss, pairs):
    for method in ("fit", "partial_fit"):
        embedder = make(loss=loss)
        if LOSSES[loss].is_of_pairs:
            getattr(embedder, method)(*pairs)  # a warning would be an error
        else:
            with pytest.warns(UserWarning, match=f"loss='{loss}'.*does not push.*'contrastive' or 'nce'") as caught:
                getattr(embedder, method)(*pairs)
            assert caught[0].filename == __file__
        embedder.calibrate_probabilities(*pairs, cv=2)
    make(loss=loss).fit(pairs[0][pairs[1] > 0])


def test_the_automatic_loss_is_the_one_for_what_is_given(blobs, pairs):
    X, y = pairs
    given = {"sup_con": blobs, "nce": pairs, "info_nce": (X[y > 0], None)}
    embedder = make()
    for loss, data in given.items():
        assert embedder.fit(*data).loss_ == loss
        assert_array_equal(embedder.transform(blobs[0]), make(loss=loss).fit(*data).transform(blobs[0]))
    assert make().fit(X[y > 0], y[y > 0]).loss_ == "info_nce"
    # The loss is chosen in the first call: later calls may have pairs of one kind only.
    assert make().partial_fit(X, y).partial_fit(X[y > 0], y[y > 0]).loss_ == "nce"


def test_partners_of_the_same_point_are_no_negatives_of_each_other():
    points = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    a, b, p, q, r = points
    pairs = np.array([[a, p], [a, q], [b, r]])
    embedder = make(
        loss="info_nce", distance="euclidean", learning_rate=1e-12, max_iter=1, dropout=0, batch_size=6
    ).fit(pairs)
    history = embedder.history_[0]
    assert history["positive_distance"] == pytest.approx(embedder.pair_distance(pairs).mean(), abs=1e-6)
    expected = embedder.pair_distance([[a, r], [a, r], [b, p], [b, q]]).mean()
    assert history["negative_distance"] == pytest.approx(expected, abs=1e-6)


def test_random_negatives_are_any_seconds_of_pairs(pairs):
    X = pairs[0]
    plan = plan_of(make(n_negatives=9, inputs="none"), X)
    batches = plan.sampler.draw_epoch(np.random.default_rng(0))
    drawn = {point.tobytes() for point in plan.X[plan.items[batches[:, -9:]]].reshape(-1, X.shape[2])}
    assert drawn < {point.tobytes() for point in X[:, 1].astype(np.float32)}
    assert len(drawn) > 9


@pytest.mark.parametrize("loss", ["sup_con", "contrastive"])
def test_a_memory_adds_comparisons(loss, blobs):
    X, y = blobs
    params = {"loss": loss, "batch_size": 12, "max_iter": 2, "dropout": 0}
    plain, remembering = (make(**params, memory_size=size).fit(X, y) for size in (0, 60))
    assert np.abs(plain.transform(X) - remembering.transform(X)).max() > 1e-3
    # The memory is empty in the first batch, and with these sizes there is only one batch.
    one_batch = [make(**params | {"max_iter": 1, "batch_size": 90}, memory_size=size).fit(X, y) for size in (0, 60)]
    assert_array_equal(*(embedder.transform(X) for embedder in one_batch))


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("on", ["labels", "proxies", "memory", "pairs", "negatives", "shared points"])
def test_a_batch_in_pieces_gives_the_same_up_to_rounding(on, dropout, blobs, pairs):
    X, y = blobs
    data = (X, y) if on in ("labels", "proxies", "memory") else pairs
    special = {
        "proxies": {"loss": "proxy_anchor"},
        "memory": {"memory_size": 100},
        "negatives": {"n_negatives": 2},
        "shared points": {"batch_size": 320},
    }
    if on == "negatives":
        data = (data[0][data[1] > 0], None)
    whole, pieces, full = (
        make(dropout=dropout, **special.get(on, {}), cached_batch_size=size).fit(*data).transform(X)
        for size in (None, 7, 10**6)
    )
    assert_allclose(pieces, whole, atol=2e-4)
    assert_array_equal(full, whole)


# Rows of unknown class


@pytest.mark.parametrize("kind", [*LOSSES, "triplets"])
def test_unlabeled_rows_are_in_no_batch_and_no_neighbors(kind, blobs):
    X, y = blobs
    known = np.arange(len(y)) % 3 > 0
    partly = np.where(known, y, -1)
    plain = TripletEmbedder(max_iter=3, device="cpu", random_state=0) if kind == "triplets" else make(loss=kind)
    without = clone(plain).set_params(inputs="none").fit(X[known], y[known])
    embedder = clone(without).set_params(unlabeled=-1).fit(X, partly)
    assert_array_equal(embedder.transform(X), without.transform(X))
    assert_array_equal(embedder.predict(X), without.predict(X))
    assert_array_equal(embedder.classes_, [0, 1, 2])
    assert embedder.score(X, partly) == without.score(X[known], y[known])
    weights = np.random.default_rng(0).uniform(size=len(y))
    weighted = embedder.score(X, partly, sample_weight=weights)
    assert weighted == without.score(X[known], y[known], sample_weight=weights[known])
    # All rows, also unlabeled ones, scale the inputs.
    scaled = clone(plain).set_params(unlabeled=-1).fit(X, partly).transform(X)
    assert np.abs(scaled - clone(plain).fit(X[known], y[known]).transform(X)).max() > 1e-3


@pytest.mark.parametrize("unlabeled", ["?", -1, 2.0, False])
def test_any_label_may_stand_for_unknown(unlabeled, blobs):
    X, y = blobs
    names = {"?": ["?", "b", "c"], -1: [-1, 7, 9], 2.0: [2.0, 0.0, 1.0], False: [0, 1, 2]}[unlabeled]
    embedder = make(unlabeled=unlabeled).fit(X, np.array(names)[y])
    assert set(embedder.classes_.tolist()) == set(names[1:])
    assert set(embedder.predict(X).tolist()) == set(names[1:])
    for loss in LOSSES:
        again = make(unlabeled=unlabeled, loss=loss, max_iter=1).fit(X, pd.Series(np.array(names)[y]))
        assert len(again.classes_) == 2


def test_a_label_that_is_not_there_changes_nothing(blobs):
    X, y = blobs
    plain = make().fit(X, y).transform(X)
    for unlabeled in (-1, "?"):
        assert_array_equal(make(unlabeled=unlabeled).fit(X, y).transform(X), plain)
    names = np.array(["a", "b", "c"])[y]
    assert_array_equal(make(unlabeled=-1).fit(X, names).transform(X), plain)


@pytest.mark.parametrize("embedder", [make(), TripletEmbedder(device="cpu")])
def test_too_few_known_rows_are_an_error(embedder, blobs):
    X, y = blobs
    embedder = clone(embedder).set_params(unlabeled=-1)
    with pytest.raises(ValueError, match="y must hold labels, got only unlabeled rows"):
        embedder.fit(X, np.full(len(y), -1))
    with pytest.raises(ValueError, match="at least two classes"):
        embedder.fit(X, np.where(y == 1, 1, -1))
    assert not hasattr(embedder, "classes_")


# Errors


ON_ROWS = [
    ({"loss": "triplet"}, "loss"),
    ({"margin": 0}, "margin"),
    ({"temperature": -1.0}, "temperature"),
    ({"distance": "manhattan"}, "distance"),
    ({"loss": "sup_con", "margin": 0.5}, "margin must be None for loss='sup_con'"),
    ({"margin": 0.5}, "margin must be None for loss='sup_con'"),
    ({"loss": "contrastive", "temperature": 0.5}, "temperature must be None for loss='contrastive'"),
    ({"n_negatives": 0}, "n_negatives"),
    ({"n_negatives": 3}, "n_negatives must be None for labels"),
    ({"memory_size": -1}, "memory_size"),
    ({"cached_batch_size": 0}, "cached_batch_size"),
    ({"normalize": "yes"}, "normalize"),
    ({"batch_size": 7}, "batch_size"),
]
ON_PAIRS = [
    ({"loss": "proxy_anchor"}, "loss must not be 'proxy_anchor' for pairs"),
    ({"memory_size": 10}, "memory_size must be 0 for pairs"),
    ({"n_negatives": 3}, "n_negatives must be None if y has dissimilar pairs"),
]


@pytest.mark.parametrize(("params", "message"), ON_ROWS)
def test_a_parameter_that_rows_do_not_take_is_named(params, message, blobs):
    embedder = make().fit(*blobs)
    before, embedded = vars(embedder).copy(), embedder.transform(blobs[0])
    embedder.set_params(**params)
    with pytest.raises(ValueError, match=message):
        embedder.fit(*blobs)
    assert vars(embedder) == before | params
    assert_array_equal(embedder.transform(blobs[0]), embedded)


@pytest.mark.parametrize(("params", "message"), ON_PAIRS)
def test_a_parameter_that_pairs_do_not_take_is_named(params, message, pairs):
    embedder = make(**params)
    with pytest.raises(ValueError, match=message):
        embedder.fit(*pairs)
    assert vars(embedder) == vars(make(**params))
