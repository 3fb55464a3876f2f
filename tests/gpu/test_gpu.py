"""Tests that need a GPU: scores as on the CPU, and no step that waits for the device."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits

from skmetric.datasets import make_ranking
from skmetric.estimators.embedding._losses import LOSSES
from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.ranking.listwise import ListwiseRanker
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.estimators.ranking.pointwise import PointwiseRanker
from skmetric.estimators.regression.ranksim import RankSimRegressor
from tests.estimators.prepared import plan_of
from tests.gpu.steps import assert_no_step_waits

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[::2], X[1::2], y[::2], y[1::2]


@pytest.mark.parametrize("params", [{}, {"dropout": 0.0, "mining": "all"}, {"mining": "hard", "distance": "cosine"}])
def test_scores_are_those_of_the_cpu(digits, params):
    X, X_test, y, y_test = digits
    # Few epochs, because a rounding error that changes one mined triplet grows from step to step.
    cpu, gpu = (
        TripletEmbedder(max_iter=2, device=device, random_state=0, **params).fit(X, y) for device in ("cpu", "cuda")
    )
    assert gpu.score(X_test, y_test) == pytest.approx(cpu.score(X_test, y_test), abs=1e-3)


def test_one_set_of_weights_gives_the_same_embeddings(digits):
    X, X_test, y, _ = digits
    embedder = TripletEmbedder(max_iter=2, device="cuda", random_state=0).fit(X, y)
    gpu = embedder.transform(X_test)
    np.testing.assert_allclose(embedder.set_params(device="cpu").transform(X_test), gpu, atol=1e-5)


@pytest.mark.parametrize("mining", ["semihard", "all", "random"])
def test_no_step_waits_for_the_device(digits, mining):
    X, _, y, _ = digits
    embedder = TripletEmbedder(max_iter=2, device="cuda", random_state=0, mining=mining)
    assert_no_step_waits(plan_of(embedder, X, y))


RANKERS = [
    kind(loss=loss, max_iter=2, random_state=0)
    for kind in (PairwiseRanker, ListwiseRanker, PointwiseRanker)
    for loss in kind._losses
]


@pytest.mark.parametrize("ranker", RANKERS, ids=lambda r: r.loss)
def test_rankers_score_as_on_the_cpu_and_never_wait(ranker):
    X, y, groups = make_ranking(60, random_state=0)
    cpu, gpu = (clone(ranker).set_params(device=device).fit(X, y, groups=groups) for device in ("cpu", "cuda"))
    assert gpu.score(X, y, groups=groups) == pytest.approx(cpu.score(X, y, groups=groups), abs=5e-3)
    assert_no_step_waits(plan_of(clone(ranker), X, y, groups=groups))


@pytest.mark.parametrize(
    "params", [{}, {"similarity": "cosine", "scale_free": False, "gamma": 2.0}, {"feature_smoothing": True}]
)
@pytest.mark.parametrize("n_targets", [1, 2])
def test_a_regressor_predicts_as_on_the_cpu_and_never_waits(params, n_targets):
    if n_targets == 2 and "feature_smoothing" in params:
        pytest.skip("features are smoothed over one target")
    X, y = load_diabetes(return_X_y=True)
    y = np.column_stack([y, X[:, 0]])[:, :n_targets]
    regressor = RankSimRegressor(max_iter=2, random_state=0, **params)
    cpu, gpu = (clone(regressor).set_params(device=device).fit(X, y) for device in ("cpu", "cuda"))
    assert gpu.score(X, y) == pytest.approx(cpu.score(X, y), abs=5e-3)
    assert_no_step_waits(plan_of(clone(regressor), X, y))


@pytest.mark.parametrize(
    "params", [*({"loss": loss} for loss in LOSSES), {"memory_size": 256}, {"cached_batch_size": 16}], ids=str
)
def test_contrasts_of_classes_score_as_on_the_cpu_and_never_wait(digits, params):
    X, X_test, y, y_test = digits
    embedder = ContrastiveEmbedder(max_iter=2, random_state=0, **params)
    cpu, gpu = (clone(embedder).set_params(device=device).fit(X, y) for device in ("cpu", "cuda"))
    assert gpu.score(X_test, y_test) == pytest.approx(cpu.score(X_test, y_test), abs=5e-3)
    assert_no_step_waits(plan_of(clone(embedder), X, y))


@pytest.mark.parametrize("n_points", [30, 800], ids=["all points at once", "points of a batch"])
@pytest.mark.parametrize(
    "embedder",
    [
        *(ContrastiveEmbedder(loss=loss, max_iter=2, random_state=0) for loss in ("contrastive", "nce")),
        TripletEmbedder(max_iter=2, random_state=0),
    ],
    ids=str,
)
def test_tuples_score_as_on_the_cpu_and_never_wait(digits, embedder, n_points):
    X, _, y, _ = digits
    size = embedder._tuple_size
    tuples = np.random.default_rng(0).integers(0, n_points, (600, size))
    y_pairs = np.where(y[tuples[:, 0]] == y[tuples[:, 1]], 1, -1) if size == 2 else None
    embedder = clone(embedder).set_params(preprocessor=X)
    cpu, gpu = (clone(embedder).set_params(device=device).fit(tuples, y_pairs) for device in ("cpu", "cuda"))
    assert gpu.score(tuples, y_pairs) == pytest.approx(cpu.score(tuples, y_pairs), abs=1e-2)
    assert_no_step_waits(plan_of(clone(embedder), tuples, y_pairs))


@pytest.mark.parametrize("n_negatives", [None, 8])
def test_pairs_that_are_all_alike_train_as_on_the_cpu_and_never_wait(digits, n_negatives):
    X, _, y, _ = digits
    pairs = np.random.default_rng(0).integers(0, len(X), (4000, 2))
    pairs = pairs[y[pairs[:, 0]] == y[pairs[:, 1]]]
    embedder = ContrastiveEmbedder(loss="info_nce", n_negatives=n_negatives, preprocessor=X, max_iter=2, random_state=0)
    cpu, gpu = (clone(embedder).set_params(device=device).fit(pairs) for device in ("cpu", "cuda"))
    assert gpu.history_[-1]["train_loss"] == pytest.approx(cpu.history_[-1]["train_loss"], abs=1e-2)
    assert_no_step_waits(plan_of(clone(embedder), pairs))


def test_a_pickle_is_read_where_there_is_no_gpu(digits, tmp_path):
    X, X_test, y, _ = digits
    embedder = TripletEmbedder(max_iter=2, random_state=0).fit(X, y)
    expected = embedder.transform(X_test)
    (tmp_path / "embedder.pickle").write_bytes(pickle.dumps(embedder))
    np.save(tmp_path / "rows.npy", X_test)
    script = (
        "import pickle, sys, numpy as np, torch\n"
        "assert not torch.cuda.is_available()\n"
        "embedder = pickle.load(open(sys.argv[1] + '/embedder.pickle', 'rb'))\n"
        "np.save(sys.argv[1] + '/out.npy', embedder.transform(np.load(sys.argv[1] + '/rows.npy')))\n"
    )

    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], check=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    )
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-5)


def test_rows_that_do_not_fit_stay_on_the_host(digits, monkeypatch):
    X, X_test, y, _ = digits
    fitted = TripletEmbedder(max_iter=2, device="cuda", random_state=0).fit(X, y).transform(X_test)
    monkeypatch.setattr("skmetric._core.engine.tables.DEVICE_SHARE", 0.0)
    on_host = TripletEmbedder(max_iter=2, device="cuda", random_state=0).fit(X, y).transform(X_test)
    np.testing.assert_allclose(on_host, fitted, atol=1e-5)


def test_the_same_seed_gives_nearly_the_same(digits):
    X, X_test, y, _ = digits
    first, again = (
        TripletEmbedder(max_iter=2, device="cuda", random_state=0).fit(X, y).transform(X_test) for _ in range(2)
    )
    np.testing.assert_allclose(first, again, atol=1e-4)
