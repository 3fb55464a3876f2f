import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics.pairwise import paired_cosine_distances, paired_euclidean_distances
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.metrics import map_at_r_score, map_at_r_scorer, recall_at_1_scorer


def make(**params):
    return TripletEmbedder(**{"n_components": 4, "max_iter": 3, "device": "cpu", "random_state": 0, **params})


# What it learns


def test_it_learns_wine_better_than_standardized_columns():
    X, y = load_wine(return_X_y=True)
    train, test = np.arange(0, len(y), 2), np.arange(1, len(y), 2)
    scaled = StandardScaler().fit(X[train]).transform(X[test])
    embedder = TripletEmbedder(device="cpu", random_state=0).fit(X[train], y[train])
    assert embedder.score(X[test], y[test]) > map_at_r_score(scaled, y[test]) + 0.1
    assert (embedder.predict(X[test]) == y[test]).mean() > 0.95


def test_mining_turns_hard_triplets_into_easy_ones(blobs):
    history = make(max_iter=60).fit(*blobs).history_
    assert len(history) == 60
    first, last = history[0], history[-1]
    assert {"epoch", "train_loss", "easy", "semihard", "hard", "dur"} <= last.keys()
    assert last["train_loss"] < first["train_loss"]
    assert last["easy"] > first["easy"]
    for epoch in history:
        assert epoch["easy"] + epoch["semihard"] + epoch["hard"] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("mining", ["all", "hard", "semihard", "easy", "random"])
@pytest.mark.parametrize("distance", ["euclidean", "sqeuclidean", "cosine"])
@pytest.mark.parametrize("soft", [False, True])
def test_every_loss_improves_on_no_training(blobs, mining, distance, soft):
    X, y = blobs
    untrained = make(learning_rate=1e-12).fit(X, y).score(X, y)
    assert make(max_iter=30, mining=mining, distance=distance, soft=soft).fit(X, y).score(X, y) > untrained + 0.1


def test_units_of_columns_do_not_matter(blobs):
    X, y = blobs
    units = np.float32([4, 0.25, 1, 8, 0.5, 2])
    embeddings = make().fit(X, y).transform(X)
    np.testing.assert_allclose(make().fit(X * units, y).transform(X * units), embeddings, atol=1e-5)


def test_without_scaling_units_matter(blobs):
    X, y = blobs
    plain = make(inputs="none").fit(X, y).transform(X)
    other = make(inputs="none").fit(X * 4, y).transform(X * 4)
    assert np.abs(plain - other).max() > 0.01


# Use with scikit-learn


def test_search_in_a_pipeline(blobs):
    X, y = blobs
    pipeline = make_pipeline(StandardScaler(), make())
    search = GridSearchCV(pipeline, {"tripletembedder__margin": [0.1, 0.5]}, cv=3).fit(X, y)
    folds = StratifiedKFold(3)
    scores = [
        clone(pipeline).set_params(tripletembedder__margin=0.5).fit(X[train], y[train]).score(X[test], y[test])
        for train, test in folds.split(X, y)
    ]
    np.testing.assert_array_equal([search.cv_results_[f"split{k}_test_score"][1] for k in range(3)], scores)


def test_scorers_agree_with_score(blobs):
    results = cross_validate(
        make(), *blobs, cv=3, scoring={"map": map_at_r_scorer, "recall": recall_at_1_scorer}, return_estimator=True
    )
    X, y = blobs
    for estimator, (_, test), score in zip(
        results["estimator"], StratifiedKFold(3).split(X, y), results["test_map"], strict=True
    ):
        assert estimator.score(X[test], y[test]) == score


def test_parallel_search_gives_the_same_scores(blobs):
    alone, parallel = (
        GridSearchCV(make(), {"margin": [0.2, 0.5]}, cv=2, n_jobs=n_jobs).fit(*blobs).cv_results_["mean_test_score"]
        for n_jobs in (None, 2)
    )
    np.testing.assert_array_equal(alone, parallel)


@pytest.mark.parametrize("how", [lambda e: pickle.loads(pickle.dumps(e)), copy.deepcopy])
def test_copies_give_the_same_embeddings(blobs, how):
    X, y = blobs
    embedder = make().fit(X, y)
    copied = how(embedder)
    np.testing.assert_array_equal(copied.transform(X), embedder.transform(X))
    np.testing.assert_array_equal(copied.predict(X), embedder.predict(X))


def test_joblib_round_trip(blobs, tmp_path):
    X, y = blobs
    embedder = make().fit(X, y)
    joblib.dump(embedder, tmp_path / "embedder.joblib")
    np.testing.assert_array_equal(joblib.load(tmp_path / "embedder.joblib").transform(X), embedder.transform(X))


def test_a_pickle_holds_no_tensors_and_no_training_rows(blobs):
    X, y = blobs
    X = np.tile(X, (200, 1))
    y = np.tile(y, 200)
    pickled = pickle.dumps(make(max_iter=1).fit(X, y))
    assert b"torch" not in pickled
    assert X[0].tobytes() not in pickled


@pytest.mark.parametrize(
    "names", [["a", "b", "c"], [True, False, True], [3, -1, 7], np.array(["x", "y", "z"], dtype=object)]
)
def test_labels_come_back_as_they_were(blobs, names):
    X, codes = blobs
    y = np.asarray(names)[codes]
    embedder = make(max_iter=30).fit(X, y)
    predicted = embedder.predict(X)
    assert predicted.dtype == y.dtype
    assert set(predicted) <= set(y)
    assert (predicted == y).mean() > 0.9
    np.testing.assert_array_equal(embedder.classes_, np.unique(y))
    assert 0 <= embedder.score(X, y) <= 1


def test_frames_in_names_out(blobs):
    X, y = blobs
    frame = pd.DataFrame(X, columns=list("abcdef"), index=np.arange(100, 190))
    embedder = make().fit(frame, y).set_output(transform="pandas")
    embedded = embedder.transform(frame)
    assert list(embedded.columns) == list(embedder.get_feature_names_out())
    assert list(embedded.columns) == [f"tripletembedder{i}" for i in range(4)]
    np.testing.assert_array_equal(embedded.index, frame.index)
    np.testing.assert_array_equal(embedder.feature_names_in_, frame.columns)
    with pytest.raises(ValueError, match="feature names"):
        embedder.transform(frame[list("fedcba")])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.uint8])
def test_embeddings_are_float32(blobs, dtype):
    X, y = blobs
    X = (X - X.min()).astype(dtype) if np.issubdtype(dtype, np.integer) else X.astype(dtype)
    assert make().fit(X, y).transform(X).dtype == np.float32


def test_predict_asks_the_nearest_training_embeddings(blobs):
    X, y = blobs
    embedder = make(n_neighbors=3).fit(X[::2], y[::2])
    neighbors = KNeighborsClassifier(3, algorithm="brute").fit(embedder.transform(X[::2]), y[::2])
    np.testing.assert_array_equal(embedder.predict(X[1::2]), neighbors.predict(embedder.transform(X[1::2])))


def test_more_neighbors_than_rows_are_all_rows():
    X = np.array([[0.0], [0.1], [1.0], [1.1], [1.2]])
    assert make(n_neighbors=100, max_iter=1).fit(X, [0, 0, 1, 1, 1]).predict(X).tolist() == [1] * 5


@pytest.mark.parametrize("distance", ["euclidean", "sqeuclidean", "cosine"])
def test_pair_distance(blobs, distance):
    X, y = blobs
    embedder = make(distance=distance, normalize=distance == "sqeuclidean").fit(X, y)
    left, right = X[:40], X[40:80]
    a, b = embedder.transform(left).astype(float), embedder.transform(right).astype(float)
    expected = {
        "euclidean": paired_euclidean_distances(a, b),
        "sqeuclidean": paired_euclidean_distances(a, b) ** 2,
        "cosine": paired_cosine_distances(a, b),
    }[distance]
    np.testing.assert_allclose(embedder.pair_distance(np.stack([left, right], axis=1)), expected, atol=1e-5)
    np.testing.assert_array_equal(embedder.pair_distance(np.stack([left, left], axis=1)), 0)


def test_pair_distance_is_that_of_the_fit(blobs):
    X, y = blobs
    embedder = make(normalize=False).fit(X, y)
    pairs = np.stack([X[:40], X[40:80]], axis=1)
    before = embedder.pair_distance(pairs)
    np.testing.assert_array_equal(embedder.set_params(distance="cosine").pair_distance(pairs), before)


def test_pairs_of_another_shape_are_an_error(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match=r"pairs of points, shape \(n_pairs, 2, n_features\).*np.stack"):
        make().fit(X, y).pair_distance(X)


@pytest.mark.parametrize("method", ["transform", "predict", "pair_distance"])
def test_unfitted(blobs, method):
    with pytest.raises(NotFittedError):
        getattr(make(), method)(blobs[0])


def test_cosine_embeddings_have_unit_length(blobs):
    X, y = blobs
    embeddings = make(distance="cosine", normalize=False).fit(X, y).transform(X)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)


def test_score_takes_new_classes_and_weights(blobs):
    X, y = blobs
    embedder = make().fit(X[y != 2], y[y != 2])
    weights = np.arange(len(y))
    assert embedder.score(X, y, sample_weight=weights) == map_at_r_score(
        embedder.transform(X), y, sample_weight=weights
    )


def test_score_without_any_pair_is_an_error(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="class"):
        make().fit(X, y).score(X[:5], np.arange(5))


# Determinism


def test_the_same_seed_gives_the_same_bits(blobs):
    X, y = blobs
    first, again = (make(mining="random").fit(X, y).transform(X) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (make(random_state=1).fit(X, y).transform(X) != first).any()


def test_no_seed_differs_from_fit_to_fit(blobs):
    X, y = blobs
    embedder = make(random_state=None)
    np.random.seed(0)  # noqa: NPY002
    first = embedder.fit(X, y).transform(X)
    np.random.seed(0)  # noqa: NPY002
    assert (embedder.fit(X, y).transform(X) != first).any()


def test_a_random_state_instance_moves_on(blobs):
    X, y = blobs
    state = np.random.RandomState(0)
    first, second = (make(random_state=state).fit(X, y).transform(X) for _ in range(2))
    assert (first != second).any()


def dropped(n_in, n_out):
    return torch.nn.Sequential(torch.nn.Linear(n_in, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, n_out))


@pytest.mark.parametrize("params", [{}, {"random_state": None}, {"module": dropped}, {"mining": "random"}])
def test_global_generators_are_left_as_found(blobs, params):
    X, y = blobs
    numpy_before, torch_before = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    make(**params).fit(X, y).predict(X)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before[1])  # noqa: NPY002
    assert np.random.get_state()[2] == numpy_before[2]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_before)


def test_threads_are_left_as_found(blobs):
    before = torch.get_num_threads()
    make().fit(*blobs)
    assert torch.get_num_threads() == before


# Custom networks


def narrow(n_in, n_out):
    return torch.nn.Linear(n_in, n_out + 1)


def frozen(n_in, n_out):
    return torch.nn.Linear(n_in, n_out).requires_grad_(False)


class Pair(torch.nn.Linear):
    def forward(self, x):
        return super().forward(x), x


def pair(n_in, n_out):
    return Pair(n_in, n_out)


def in_place(n_in, n_out):
    return torch.nn.Sequential(torch.nn.ReLU(inplace=True), torch.nn.Linear(n_in, n_out))


def double(n_in, n_out):
    return torch.nn.Linear(n_in, n_out).double()


class Projected(torch.nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.layer = torch.nn.Linear(n_in, n_out)
        self.projection = torch.randn(n_in, n_in)

    def forward(self, x):
        return self.layer(x @ self.projection)


def projected(n_in, n_out):
    return Projected(n_in, n_out)


def normed(n_in, n_out):
    return torch.nn.Sequential(torch.nn.Linear(n_in, 8), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, n_out))


def no_module(n_in, n_out):
    return lambda x: x


def test_module_is_trained_and_pickled(blobs):
    X, y = blobs
    X = (X - X.mean(0)) / X.std(0)
    embedder = make(module=dropped, max_iter=40).fit(X, y)
    assert embedder.score(X, y) > make(module=dropped, learning_rate=1e-12).fit(X, y).score(X, y) + 0.1
    again = make(module=dropped, max_iter=40).fit(X, y)
    np.testing.assert_array_equal(again.transform(X), embedder.transform(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(embedder)).transform(X), embedder.transform(X))


@pytest.mark.parametrize("module", [in_place, double, projected, normed])
def test_modules_of_all_kinds_survive_a_pickle(blobs, module):
    X, y = blobs
    before = X.copy()
    embedder = make(module=module).fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(embedder)).transform(X), embedder.transform(X))
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("params", [{}, {"module": dropped}])
def test_threads_give_the_same_and_leave_global_generators(blobs, params):
    X, y = blobs
    alone = make(**params).fit(X, y).transform(X)
    before = torch.get_rng_state()
    together = joblib.Parallel(4, "threading")(joblib.delayed(make(**params).fit)(X, y) for _ in range(8))
    for embedder in together:
        np.testing.assert_array_equal(embedder.transform(X), alone)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("module", "error", "message"),
    [
        (narrow, ValueError, r"module\(6, 4\) must map rows .*, 6\) to one tensor .*, 4\).*\(2, 5\)"),
        (frozen, ValueError, r"module\(6, 4\) must have trainable parameters"),
        (pair, ValueError, r"module\(6, 4\) must map .* tuple"),
        (torch.nn.Linear(6, 4), TypeError, "module must be a function that builds a network"),
        (no_module, TypeError, r"module\(6, 4\) must return a torch.nn.Module"),
    ],
)
def test_a_module_that_does_not_fit_is_an_error(blobs, module, error, message):
    with pytest.raises(error, match=message):
        make(module=module).fit(*blobs)


# Invalid input


@pytest.mark.parametrize(
    "params",
    [
        {"margin": 0},
        {"margin": -1.0},
        {"margin": np.inf},
        {"margin": np.nan},
        {"n_components": 0},
        {"mining": "best"},
        {"distance": "manhattan"},
        {"samples_per_class": 1},
        {"batch_size": 1},
        {"batch_size": 7},
        {"device": "abacus"},
        {"device": "cuda:99"},
        {"dropout": 1.0},
        {"hidden_layer_sizes": (0,)},
        {"hidden_layer_sizes": (2.5,)},
        {"learning_rate": 0},
        {"max_iter": 0},
        {"n_neighbors": 0},
    ],
)
def test_a_bad_parameter_is_named(blobs, params):
    (name,) = params
    embedder = make(**params)
    with pytest.raises(ValueError, match=name):
        embedder.fit(*blobs)
    assert not hasattr(embedder, "n_features_in_")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (np.where(X[0, 0] == X, np.nan, X), y), "NaN"),
        (lambda X, y: (np.where(X[0, 0] == X, np.inf, X), y), "infinity"),
        (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
        (lambda X, y: (X, np.zeros(len(y))), "at least two classes.*got one class"),
        (lambda X, y: (X, np.arange(len(y))), "a class with at least two rows.*identifier"),
        (lambda X, y: (X, y + 0.5), "continuous"),
        (lambda X, y: (X[:, 0], y), "2D array"),
        (lambda X, y: (X[:0], y[:0]), "minimum of 2|0 sample"),
    ],
)
def test_bad_rows_are_an_error_and_change_nothing(blobs, change, message):
    X, y = blobs
    embedder = make().fit(X, y)
    before, embeddings = vars(embedder).copy(), embedder.transform(X)
    with pytest.raises(ValueError, match=message):
        embedder.fit(*change(X[:, :3] if X.ndim == 2 else X, y))
    assert vars(embedder) == before
    np.testing.assert_array_equal(embedder.transform(X), embeddings)


def test_sparse_input_is_an_error(blobs):
    from scipy.sparse import csr_array

    with pytest.raises(TypeError, match=r"[Ss]parse"):
        make().fit(csr_array(blobs[0]), blobs[1])


def test_an_interrupted_fit_leaves_nothing(blobs):
    from skorch.callbacks import Callback

    class Interrupt(Callback):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) == 2:
                raise KeyboardInterrupt

    embedder = make(callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        embedder.fit(*blobs)
    assert not hasattr(embedder, "n_features_in_")
    with pytest.raises(NotFittedError):
        embedder.transform(blobs[0])


def test_a_loss_that_is_not_finite_is_an_error(blobs):
    with pytest.raises(ValueError, match=r"loss became (nan|inf) in epoch \d+. Lower learning_rate"):
        make(learning_rate=1e38, weight_decay=0, normalize=False, max_iter=20).fit(*blobs)


def test_a_collapsed_embedding_warns(blobs):
    _, y = blobs
    X = np.ones((len(y), 3))
    with pytest.warns(ConvergenceWarning, match="collapsed to a point.*Lower learning_rate") as caught:
        make().fit(X, y)
    assert caught[0].filename == __file__


def test_weights_that_overflow_in_the_last_step_are_an_error(blobs):
    with pytest.raises(ValueError, match=r"could not be fitted: .*(weights|loss|outputs)"):
        make(learning_rate=1e38, weight_decay=0, normalize=False, max_iter=1, batch_size=96, samples_per_class=32).fit(
            *blobs
        )


def test_labels_that_are_no_classes_are_an_error(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match=r"Unknown label type: continuous.*KBinsDiscretizer"):
        make().fit(X, y + 0.5)
    with pytest.raises(ValueError, match="y must have no missing values"):
        make().fit(X, np.where(y == 0, None, "a"))
    with pytest.raises(TypeError, match="y must hold values of one kind"):
        make().fit(X, np.where(y == 0, 1, np.array("a", dtype=object)))


# Difficult data


def test_many_classes_are_no_burden_to_predict():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 4))
    y = np.arange(3000) // 2
    assert make(max_iter=1).fit(X, y).predict(X).shape == (3000,)


def test_mostly_singletons():
    X = np.random.default_rng(0).normal(size=(60, 4))
    y = np.r_[np.zeros(10), np.arange(1, 51)].astype(int)
    assert set(make(max_iter=1).fit(X, y).predict(X)) <= set(y)


def test_an_extreme_outlier_stays_far_out(blobs):
    X, y = blobs
    embedder = make().fit(X, y)
    far, farther = X[:1].copy(), X[:1].copy()
    far[0, 1], farther[0, 1] = 1e8, 1e30
    np.testing.assert_allclose(embedder.transform(far), embedder.transform(farther), atol=1e-4)


def test_rare_classes_and_singletons(blobs):
    X, _ = blobs
    y = np.arange(len(X)) // 3
    y[:20] = np.arange(1000, 1020)
    embedder = make(max_iter=10).fit(X, y)
    assert np.isfinite(embedder.transform(X)).all()
    assert len(embedder.classes_) == len(np.unique(y))


def test_duplicate_rows(blobs):
    X, y = blobs
    X = np.repeat(X[::10], 10, axis=0)
    assert np.isfinite(make(mining="hard").fit(X, y).transform(X)).all()


def test_a_memory_map_is_read_in_place(blobs, tmp_path):
    X, y = blobs
    np.save(tmp_path / "rows.npy", X)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    np.testing.assert_array_equal(make().fit(mapped, y).transform(mapped), make().fit(X, y).transform(X))


def test_large_transforms_in_pieces_give_the_same(blobs, monkeypatch):
    X, y = blobs
    embedder = make().fit(X, y)
    whole = embedder.transform(X)
    monkeypatch.setattr("skmetric._core.engine.trained.CHUNK_ROWS", 7)
    np.testing.assert_allclose(embedder.transform(X), whole, atol=1e-6)
    assert embedder.transform(X).shape == whole.shape
