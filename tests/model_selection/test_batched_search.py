"""A batched search gives the results of scikit-learn's search: the same scores, attributes and failures."""

import pickle
import time

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.callback import ProgressBar
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, ShuffleSplit, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmetric._core.engine import fit_stack
from skmetric._core.sampling import ClassBatchSampler
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.metrics import map_at_r_scorer, recall_at_1_scorer
from skmetric.model_selection.search import BatchedGridSearchCV, BatchedRandomizedSearchCV
from tests.estimators.prepared import plan_of


def make(**params):
    return TripletEmbedder(
        **{"n_components": 4, "hidden_layer_sizes": (16,), "max_iter": 3, "device": "cpu", "random_state": 0, **params}
    )


def scores(search, kind="test"):
    names = [name for name in search.cv_results_ if name.startswith("split") and f"_{kind}_" in name]
    return np.stack([search.cv_results_[name] for name in sorted(names)])


def assert_same_search(batched, plain):
    assert batched.cv_results_.keys() == plain.cv_results_.keys()
    np.testing.assert_allclose(scores(batched), scores(plain), rtol=0, atol=1e-6)
    assert batched.cv_results_["params"] == plain.cv_results_["params"]
    for name in plain.cv_results_:
        if name.startswith(("param_", "rank_")):
            np.testing.assert_array_equal(batched.cv_results_[name], plain.cv_results_[name])
    for name in ("best_index_", "n_splits_", "multimetric_", "best_params_"):
        assert getattr(batched, name, None) == getattr(plain, name, None)
    if hasattr(plain, "best_score_"):
        assert batched.best_score_ == pytest.approx(plain.best_score_, abs=1e-6)


def both(estimator, grid, X, y, fit_params=None, **params):
    return [
        search(clone(estimator), grid, **params).fit(X, y, **(fit_params or {}))
        for search in (BatchedGridSearchCV, GridSearchCV)
    ]


# The same scores


@pytest.mark.parametrize("load", [load_digits, load_breast_cancer])
def test_scores_are_those_of_grid_search(load):
    X, y = load(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), make(dropout=0.2, max_iter=5))
    grid = {"tripletembedder__margin": [0.1, 0.3, 1.0], "tripletembedder__learning_rate": [1e-3, 1e-2]}
    batched, plain = both(pipeline, grid, X, y, cv=3)
    assert_same_search(batched, plain)
    np.testing.assert_array_equal(scores(batched), scores(plain))
    np.testing.assert_array_equal(batched.transform(X), plain.transform(X))
    np.testing.assert_array_equal(batched.predict(X), plain.predict(X))
    assert batched.score(X, y) == plain.score(X, y)


@settings(max_examples=15)
@given(
    n_components=st.sampled_from([1, 2, 3, 5, 8, 16]),
    hidden=st.sampled_from([(), (7,), (16,), (12, 9)]),
    dropout=st.sampled_from([0.0, 0.3]),
    mining=st.sampled_from(["semihard", "all", "hard", "easy", "random"]),
    distance=st.sampled_from(["euclidean", "sqeuclidean", "cosine"]),
    normalize=st.booleans(),
    soft=st.booleans(),
    inputs=st.sampled_from(["bounded", "standard", "none"]),
    early_stopping=st.booleans(),
    batch_size=st.sampled_from([12, 24, 64]),
    n_splits=st.sampled_from([2, 3]),
    margins=st.lists(st.floats(0.05, 2), min_size=1, max_size=3, unique=True),
    max_stack=st.sampled_from([None, 1, 2]),
)
@pytest.mark.filterwarnings("ignore:.*collapsed:sklearn.exceptions.ConvergenceWarning")
def test_small_random_grids(blobs, margins, n_splits, max_stack, hidden, **params):
    estimator = make(hidden_layer_sizes=hidden, n_iter_no_change=2, max_iter=8, validation_fraction=0.2, **params)
    batched, plain = both(estimator, {"margin": margins, "weight_decay": [0.0, 0.1]}, *blobs, cv=n_splits)
    assert_same_search(batched, plain)
    assert_same_search(
        BatchedGridSearchCV(
            estimator, {"margin": margins, "weight_decay": [0.0, 0.1]}, cv=n_splits, max_stack=max_stack
        ).fit(*blobs),
        plain,
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_thousands_of_rows_a_batch(threads):
    rng = np.random.default_rng(0)
    y = np.arange(9000) % 64
    X = rng.normal(size=(64, 13))[y] + rng.normal(size=(9000, 13))
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        estimator = make(batch_size=4096, max_iter=2, hidden_layer_sizes=(32,))
        batched, plain = both(estimator, {"margin": [0.2, 0.5]}, X, y, cv=2, refit=False)
    finally:
        torch.set_num_threads(before)
    assert_same_search(batched, plain)


def test_two_threads_and_inputs_of_odd_width():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 5, 3000)
    X = rng.normal(size=(3000, 5)).astype(np.float32)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        plans = [plan_of(make(margin=margin, max_iter=2, hidden_layer_sizes=(64,)), X, y) for margin in (0.1, 0.3, 0.7)]
        together = fit_stack(plans, device=torch.device("cpu"))
        (alone,) = fit_stack(plans[1:2], device=torch.device("cpu"))
    finally:
        torch.set_num_threads(before)
    for name, value in alone.network.weights.items():
        np.testing.assert_array_equal(together[1].network.weights[name], value)


def test_models_stop_at_their_own_epochs(blobs):
    estimator = make(early_stopping=True, n_iter_no_change=2, max_iter=40, validation_fraction=0.3)
    grid = {"margin": [0.05, 0.2, 0.8, 1.5], "learning_rate": [1e-4, 1e-2]}
    epochs = []

    def count_epochs(estimator, X, y):
        epochs.append(estimator.n_iter_)
        return estimator.score(X, y)

    batched = BatchedGridSearchCV(estimator, grid, cv=3, scoring=count_epochs).fit(*blobs)
    stacked, epochs = epochs, []
    plain = GridSearchCV(estimator, grid, cv=3, scoring=count_epochs).fit(*blobs)
    assert_same_search(batched, plain)
    assert stacked == epochs
    assert len(set(stacked)) > 2


def test_parameters_that_change_shapes_go_into_stacks_of_their_own(blobs, capsys):
    grid = {"n_components": [2, 3], "batch_size": [24, 64], "margin": [0.1, 0.5], "max_iter": [2, 3]}
    batched, plain = both(make(), grid, *blobs, cv=2)
    assert_same_search(batched, plain)
    BatchedGridSearchCV(make(), grid, cv=2, verbose=1).fit(*blobs)
    assert "16 candidates, totalling 32 fits, in 8 stack(s)" in capsys.readouterr().out


def test_folds_with_different_step_counts(blobs):
    X, y = blobs
    # 64 and 66 training rows: one and two batches per epoch.
    folds = [(np.arange(64), np.arange(64, 90)), (np.arange(24, 90), np.arange(24))]
    batched, plain = both(make(), {"margin": [0.1, 0.5]}, X, y, cv=folds)
    assert_same_search(batched, plain)


@pytest.mark.parametrize("random_state", [3, np.random.RandomState(5)])
def test_seeds(blobs, random_state):
    assert_same_search(*both(make(random_state=random_state), {"margin": [0.1, 0.5]}, *blobs, cv=2))
    assert_same_search(*both(make(), {"random_state": [0, 1, 2]}, *blobs, cv=2))


# Steps of a pipeline before the last one


@pytest.fixture
def counted():
    """A pipeline, and a list with the number of components of each fit of its first step."""
    calls = []

    class Counting(PCA):
        def fit_transform(self, X, y=None):
            calls.append(self.n_components)
            return super().fit_transform(X, y)

    return calls, make_pipeline(Counting(3, random_state=0), make())


def test_steps_before_the_last_are_fitted_once_a_fold(blobs, counted):
    calls, pipeline = counted
    grid = {"counting__n_components": [2, 3], "tripletembedder__margin": [0.1, 0.5, 1.0]}
    batched = BatchedGridSearchCV(pipeline, grid, cv=3, refit=False).fit(*blobs)
    assert sorted(calls) == [2] * 3 + [3] * 3
    assert_same_search(batched, GridSearchCV(pipeline, grid, cv=3, refit=False).fit(*blobs))


@pytest.mark.parametrize("values", [[2, 3], np.arange(2, 4)], ids=["numbers", "numpy numbers"])
def test_candidates_drawn_at_random_share_steps_of_equal_values(blobs, counted, values):
    calls, pipeline = counted
    drawn = {"counting__n_components": values, "tripletembedder__margin": uniform(0.1, 1)}
    BatchedRandomizedSearchCV(pipeline, drawn, n_iter=8, cv=3, refit=False, random_state=0).fit(*blobs)
    assert sorted(calls) == [2] * 3 + [3] * 3


def test_candidates_share_the_time_of_the_steps_before_the_last(blobs):
    class Slow(PCA):
        def fit_transform(self, X, y=None):
            time.sleep(0.2)
            return super().fit_transform(X, y)

    pipeline = make_pipeline(Slow(3, random_state=0), make())
    grid = {"tripletembedder__margin": [0.1, 0.2, 0.5, 1.0]}
    times = BatchedGridSearchCV(pipeline, grid, cv=2, refit=False).fit(*blobs).cv_results_["mean_fit_time"]
    assert times.min() >= 0.05


def test_frames(blobs):
    X, y = blobs
    frame = pd.DataFrame(X, columns=list("abcdef"))
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), make())
    batched, plain = both(pipeline, {"tripletembedder__margin": [0.1, 0.5]}, frame, y, cv=2)
    assert_same_search(batched, plain)
    np.testing.assert_array_equal(batched.feature_names_in_, plain.feature_names_in_)
    np.testing.assert_array_equal(
        batched.best_estimator_.get_feature_names_out(), plain.best_estimator_.get_feature_names_out()
    )


# Features of scikit-learn's searches


def test_several_metrics(blobs):
    scoring = {"map": map_at_r_scorer, "recall": recall_at_1_scorer}
    batched, plain = both(make(), {"margin": [0.1, 0.5]}, *blobs, cv=2, scoring=scoring, refit="recall")
    assert_same_search(batched, plain)
    assert batched.scorer_.keys() == plain.scorer_.keys()


def test_a_callable_of_several_metrics(blobs):
    def scoring(estimator, X, y):
        return {"map": estimator.score(X, y), "rows": len(y)}

    assert_same_search(*both(make(), {"margin": [0.1, 0.5]}, *blobs, cv=2, scoring=scoring, refit="map"))
    with pytest.raises(ValueError, match="multi-metric scoring"):
        BatchedGridSearchCV(make(), {"margin": [0.1]}, cv=2, scoring=scoring).fit(*blobs)


def test_a_callable_refit(blobs):
    batched, plain = both(make(), {"margin": [0.1, 0.5]}, *blobs, cv=2, refit=lambda results: 1)
    assert batched.best_params_ == plain.best_params_ == {"margin": 0.5}
    assert not hasattr(batched, "best_score_")


def test_no_refit(blobs):
    batched = BatchedGridSearchCV(make(), {"margin": [0.1]}, cv=2, refit=False).fit(*blobs)
    assert not hasattr(batched, "best_estimator_")
    with pytest.raises(AttributeError):
        batched.predict(blobs[0])


def test_train_scores(blobs):
    batched, plain = both(make(), {"margin": [0.1, 0.5]}, *blobs, cv=2, return_train_score=True)
    assert_same_search(batched, plain)
    np.testing.assert_allclose(scores(batched, "train"), scores(plain, "train"), atol=1e-6)


def test_times_are_shared_and_add_up(blobs):
    batched = BatchedGridSearchCV(make(), {"margin": [0.1, 0.5]}, cv=2).fit(*blobs)
    assert (batched.cv_results_["mean_fit_time"] > 0).all()
    assert (batched.cv_results_["mean_score_time"] > 0).all()
    assert batched.refit_time_ > 0


def test_weights_are_routed_to_the_scorer(blobs):
    X, y = blobs
    weights = np.random.default_rng(0).random(len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = type(map_at_r_scorer)().set_score_request(sample_weight=True)
        batched, plain = both(
            make(), {"margin": [0.1, 0.5]}, X, y, {"sample_weight": weights}, cv=StratifiedKFold(2), scoring=scorer
        )
        assert_same_search(batched, plain)
        unweighted = BatchedGridSearchCV(make(), {"margin": [0.1, 0.5]}, cv=2).fit(X, y)
    assert (scores(batched) != scores(unweighted)).any()


def test_random_search(blobs):
    distributions = {"margin": uniform(0.1, 1), "hidden_layer_sizes": [(8,), (16,)]}
    batched, plain = (
        search(make(), distributions, n_iter=5, cv=2, random_state=0).fit(*blobs)
        for search in (BatchedRandomizedSearchCV, RandomizedSearchCV)
    )
    assert_same_search(batched, plain)


def test_a_list_of_grids(blobs):
    assert_same_search(*both(make(), [{"margin": [0.1, 0.5]}, {"mining": ["hard", "all"]}], *blobs, cv=2))


def test_jobs(blobs):
    alone, parallel = (
        BatchedGridSearchCV(make(), {"margin": [0.1, 0.2, 0.5]}, cv=2, n_jobs=n_jobs, max_stack=3).fit(*blobs)
        for n_jobs in (None, 2)
    )
    np.testing.assert_array_equal(scores(alone), scores(parallel))


def test_pickle_and_clone(blobs):
    X, y = blobs
    search = BatchedGridSearchCV(make(), {"margin": [0.1, 0.5]}, cv=2, max_stack=3).fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(search)).transform(X), search.transform(X))
    assert clone(search).max_stack == 3
    assert "BatchedGridSearchCV" in search._repr_html_()


def test_a_progress_bar(blobs, capsys):
    BatchedGridSearchCV(make(), {"margin": [0.1, 0.5]}, cv=2).set_callbacks(ProgressBar()).fit(*blobs)
    assert "100%" in capsys.readouterr().out


# Failures


def test_a_candidate_whose_loss_overflows_fails_alone(blobs):
    grid = {"learning_rate": [1e-3, 1e38, 1e-2]}
    results = {}
    for search in (BatchedGridSearchCV, GridSearchCV):
        with pytest.warns(FitFailedWarning, match=r"2 fits failed(?s:.*)could not be fitted"):
            results[search] = search(make(normalize=False, weight_decay=0), grid, cv=2, error_score=-1).fit(*blobs)
    batched, plain = results.values()
    np.testing.assert_array_equal(scores(batched), scores(plain))
    assert (scores(batched)[:, 1] == -1).all()
    unharmed = BatchedGridSearchCV(make(normalize=False, weight_decay=0), {"learning_rate": [1e-3, 1e-2]}, cv=2).fit(
        *blobs
    )
    np.testing.assert_array_equal(scores(batched)[:, [0, 2]], scores(unharmed))


def test_errors_may_be_raised(blobs):
    embedder = make(normalize=False, weight_decay=0)
    with pytest.raises(ValueError, match="could not be fitted"):
        BatchedGridSearchCV(embedder, {"learning_rate": [1e38]}, cv=2, error_score="raise").fit(*blobs)


def test_all_candidates_failing_is_an_error(blobs):
    with pytest.raises(ValueError, match=r"All the 2 fits failed(?s:.*)margin"):
        BatchedGridSearchCV(make(), {"margin": [-1.0]}, cv=2).fit(*blobs)


def test_a_front_that_fails_fails_its_candidates(blobs):
    def explode(X):
        raise RuntimeError("no such column")

    pipeline = make_pipeline(FunctionTransformer(), make())
    grid = {"functiontransformer__func": [None, explode], "tripletembedder__margin": [0.1, 0.5]}
    with pytest.warns(FitFailedWarning, match=r"4 fits failed(?s:.*)no such column"):
        search = BatchedGridSearchCV(pipeline, grid, cv=2, error_score=0.0).fit(*blobs)
    assert (scores(search)[:, 2:] == 0).all()
    assert (scores(search)[:, :2] > 0).all()


# Candidates that cannot be stacked


def own(n_in, n_out):
    return torch.nn.Linear(n_in, n_out)


@pytest.mark.parametrize(
    ("estimator", "grid", "reason"),
    [
        (
            LogisticRegression(max_iter=10_000),
            {"C": [0.1, 1.0]},
            "LogisticRegression is neither one of skmetric's networks",
        ),
        (make(module=own), {"margin": [0.1, 0.5]}, "a custom module"),
        (make(), {"module": [None, own]}, "a custom module"),
        (make_pipeline(StandardScaler(), make()), {"tripletembedder": [make(), make(margin=1.0)]}, "final step itself"),
    ],
)
def test_what_cannot_be_stacked_runs_as_usual_and_says_so(blobs, estimator, grid, reason):
    with pytest.warns(UserWarning, match=f"trains its candidates one by one.*{reason}") as caught:
        batched = BatchedGridSearchCV(estimator, grid, cv=2).fit(*blobs)
    assert len(caught) == 1
    np.testing.assert_array_equal(scores(batched), scores(GridSearchCV(estimator, grid, cv=2).fit(*blobs)))


def test_bad_parameters_are_named(blobs):
    with pytest.raises(ValueError, match="max_stack"):
        BatchedGridSearchCV(make(), {"margin": [0.1]}, max_stack=0).fit(*blobs)
    with pytest.raises(ValueError, match="Invalid parameter 'margn'"):
        BatchedGridSearchCV(make(), {"margn": [0.1]}, cv=2).fit(*blobs)
    with pytest.raises(ValueError, match=r"No fits were performed|empty"):
        BatchedGridSearchCV(make(), {"margin": []}, cv=ShuffleSplit(2)).fit(*blobs)


# Parts that candidates share


def test_batches_are_drawn_once_for_all_candidates_of_a_fold(blobs, monkeypatch):
    X, y = blobs
    drawn = []
    draw = ClassBatchSampler.draw_epoch
    monkeypatch.setattr(ClassBatchSampler, "draw_epoch", lambda self, rng: drawn.append(self) or draw(self, rng))
    grid = {"margin": [0.1, 0.3, 1.0], "learning_rate": [1e-3, 1e-2], "batch_size": [16, 64]}
    BatchedGridSearchCV(make(max_iter=3), grid, cv=2, refit=False).fit(X, y)
    # Two folds, two sizes of batches, three epochs.
    assert len(drawn) == 2 * 2 * 3


@pytest.mark.parametrize("random_state", [None, [0, 1, 2]])
def test_candidates_of_other_seeds_draw_batches_of_their_own(blobs, monkeypatch, random_state):
    X, y = blobs
    drawn = []
    draw = ClassBatchSampler.draw_epoch
    monkeypatch.setattr(ClassBatchSampler, "draw_epoch", lambda self, rng: drawn.append(draw(self, rng)) or drawn[-1])
    grid = {"margin": [0.1, 0.3, 1.0]} if random_state is None else {"random_state": random_state}
    BatchedGridSearchCV(make(max_iter=1).set_params(random_state=None), grid, cv=2, refit=False).fit(X, y)
    assert len({rows.tobytes() for rows in drawn}) == len(drawn) == 2 * 3
