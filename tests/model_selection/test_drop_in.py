"""Cases where a batched search could differ from scikit-learn's: steps, splits, failures, reports."""

import gc
import pickle
import weakref

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from skmetric._core.engine import TrainedNetwork
from skmetric.datasets import make_ranking
from skmetric.estimators import all_estimators
from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.regression.ranksim import RankSimRegressor
from skmetric.metrics import map_at_r_scorer
from skmetric.model_selection.search import BatchedGridSearchCV
from tests.estimators.prepared import plan_of

ONLY_SOME_SCORES = pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")


def make(**params):
    return TripletEmbedder(
        **{"n_components": 4, "hidden_layer_sizes": (8,), "max_iter": 2, "device": "cpu", "random_state": 0, **params}
    )


def scores(search):
    return np.stack([value for name, value in sorted(search.cv_results_.items()) if name.startswith("split")])


def assert_same_scores(estimator, grid, X, y, **params):
    batched, plain = (
        search(clone(estimator), grid, **params).fit(X.copy(), y) for search in (BatchedGridSearchCV, GridSearchCV)
    )
    np.testing.assert_array_equal(scores(batched), scores(plain))
    assert batched.best_index_ == plain.best_index_
    return batched


class Recorder:
    """Records the tasks of which it is notified."""

    def __init__(self):
        self.tasks = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.note("begin", context, X, y, metadata)

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None):
        self.note("end", context, X, y, metadata)

    def note(self, what, context, X, y, metadata):
        sizes = tuple(None if each is None else len(each) for each in (X, y, (metadata or {}).get("sample_weight")))
        self.tasks.append((context.task_name, str(context.task_id), what, sizes))


def doubled(X):
    X *= 2
    X[:, 0] += 1
    return X


# Steps before the last one


@pytest.mark.parametrize(
    ("step", "grid"),
    [
        ("passthrough", {"step": ["passthrough", StandardScaler(copy=False), MinMaxScaler(copy=False)]}),
        (StandardScaler(copy=False), {"step__with_mean": [False, True], "step__with_std": [True, False]}),
        (PCA(copy=False, random_state=0), {"step__n_components": [2, 4, 6]}),
        (FunctionTransformer(doubled), {"step": [FunctionTransformer(doubled), "passthrough"]}),
    ],
)
def test_steps_that_work_in_place_touch_no_other_candidate(blobs, step, grid):
    X, y = blobs
    pipeline = Pipeline([("step", step), ("net", make(inputs="none"))])
    assert_same_scores(pipeline, {**grid, "net__margin": [0.1, 0.5]}, X, y, cv=2)


class Failing(FunctionTransformer):
    def fit(self, X, y=None):
        raise RuntimeError("no such column")


def test_a_step_that_fails_is_reported_alike_for_few_and_many_candidates(blobs):
    lengths = []
    for n_margins in (1, 30):
        grid = {"tripletembedder__margin": np.linspace(0.1, 1, n_margins)}
        with pytest.raises(ValueError, match="no such column") as caught:
            BatchedGridSearchCV(make_pipeline(Failing(), make()), grid, cv=2).fit(*blobs)
        lengths.append(str(caught.value).count("\n"))
        assert "in fit\n    raise RuntimeError" in str(caught.value)
    assert lengths[1] <= lengths[0] + 2


# Splits


@pytest.mark.parametrize(
    "split",
    [
        lambda rows, test: (range(60), range(60, 90)),
        lambda rows, test: (list(rows[~test]), tuple(rows[test])),
        lambda rows, test: (~test, test),
    ],
    ids=["ranges", "list and tuple", "masks"],
)
def test_splits_may_be_anything_that_indexes(blobs, split):
    X, y = blobs
    rows = np.arange(len(y))
    cv = [split(rows, rows >= 60), split(rows, rows % 3 == 0)]
    assert_same_scores(make(), {"margin": [0.1, 0.5]}, X, y, cv=cv)


class Lying(KFold):
    def get_n_splits(self, X=None, y=None, groups=None):
        return 5


def test_a_splitter_that_contradicts_itself_is_an_error(blobs):
    with pytest.raises(ValueError, match="same number of folds in get_n_splits and split, got 5 and 3"):
        BatchedGridSearchCV(make(), {"margin": [0.1]}, cv=Lying(3)).fit(*blobs)


# Failures


@ONLY_SOME_SCORES
def test_a_candidate_too_large_for_the_memory_leaves_the_others_their_scores(blobs):
    grid = {"hidden_layer_sizes": [(8,), (2_000_000, 2_000_000)], "margin": [0.1, 0.5]}
    with pytest.warns(FitFailedWarning, match="4 fits failed out of a total of 8"):
        search = BatchedGridSearchCV(make(), grid, cv=2).fit(*blobs)
    assert np.isnan(scores(search)[:, 2:]).all()
    assert np.isfinite(scores(search)[:, :2]).all()
    with pytest.raises(MemoryError):
        BatchedGridSearchCV(make(), grid, cv=2, error_score="raise").fit(*blobs)


@ONLY_SOME_SCORES
@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a device that is not there")
def test_a_candidate_on_a_device_that_is_not_there_fails_alone(blobs):
    with pytest.warns(FitFailedWarning, match="2 fits failed out of a total of 4"):
        search = BatchedGridSearchCV(make(), {"device": ["cpu", "cuda"]}, cv=2).fit(*blobs)
    assert search.best_params_ == {"device": "cpu"}


def test_a_parameter_that_fit_does_not_know_is_named(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match=r"TripletEmbedder\.fit\(\) got an unexpected keyword argument 'weight'"):
        BatchedGridSearchCV(make(), {"margin": [0.1]}, cv=2).fit(X, y, weight=np.ones(len(y)))


# Cases that run through scikit-learn's search


class OneAgainstRest(TripletEmbedder):
    """Learns another task than the given one."""

    def fit(self, X, y=None, **params):
        return super().fit(X, np.asarray(y) == 0, **params)


@pytest.mark.filterwarnings("ignore:.*trains its candidates one by one")
@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (OneAgainstRest(2, max_iter=2, device="cpu", random_state=0), {"margin": [0.1, 0.5]}),
        (make_pipeline(StandardScaler(), make()), {"steps": [[("net", make())], [("knn", KNeighborsClassifier())]]}),
    ],
    ids=["custom fit", "other steps"],
)
def test_what_would_be_trained_otherwise_is_not_stacked(blobs, estimator, grid):
    assert_same_scores(estimator, grid, *blobs, cv=2)


@pytest.mark.parametrize(
    ("estimator", "grid", "reason"),
    [
        (OneAgainstRest(device="cpu", max_iter=1), {"margin": [0.1]}, "OneAgainstRest has a custom fit method"),
        (make_pipeline(make_pipeline(StandardScaler(), make())), {}, "the Pipeline's last step, Pipeline, is not one"),
        (
            make_pipeline(StandardScaler(), make()),
            {"steps": [[("net", make())]]},
            "replaces the final step itself, 'steps'",
        ),
        (
            make_pipeline(StandardScaler(), make()).set_callbacks(Recorder()),
            {"tripletembedder__margin": [0.1]},
            "callbacks follow one fit",
        ),
    ],
    ids=["custom fit", "nested pipeline", "other steps", "callbacks of a pipeline"],
)
def test_the_warning_says_why(blobs, estimator, grid, reason):
    with pytest.warns(UserWarning, match=f"trains its candidates one by one.*{reason}"):
        BatchedGridSearchCV(estimator, grid, cv=2, refit=False).fit(*blobs)


@pytest.mark.filterwarnings("ignore:.*trains its candidates one by one")
@pytest.mark.parametrize(("estimator", "grid"), [(Pipeline([]), {}), (make(), [1])])
def test_what_is_no_search_gets_scikit_learn_s_own_error(blobs, estimator, grid):
    raised = []
    for search in (GridSearchCV, BatchedGridSearchCV):
        with pytest.raises((TypeError, ValueError)) as caught:
            search(estimator, grid, scoring=map_at_r_scorer, cv=2).fit(*blobs)
        raised.append((caught.type, str(caught.value)))
    assert raised[0] == raised[1]


# Plans are sent to other processes


STOPPING = {"max_iter": 2, "device": "cpu", "random_state": 0, "early_stopping": True, "validation_fraction": 0.3}
ESTIMATORS = [
    *(kind(**STOPPING) for _, kind in all_estimators()),
    *(RankSimRegressor(**STOPPING, metric=metric) for metric in ("spearman", "neg_mean_absolute_error")),
]


def data_for(estimator, blobs):
    if isinstance(estimator, RankSimRegressor):
        return load_diabetes(return_X_y=True), {}
    if isinstance(estimator, (TripletEmbedder, ContrastiveEmbedder)):
        return blobs, {}
    X, y, groups = make_ranking(30, random_state=0)
    return (X, y), {"groups": groups}


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_plans_can_be_sent_to_other_processes(blobs, estimator):
    data, params = data_for(estimator, blobs)
    estimator = clone(estimator)
    plan = plan_of(estimator, *data, **params)
    # Plain pickle, as in joblib's multiprocessing backend, cannot handle nested functions.
    sent = pickle.loads(pickle.dumps(plan))
    outputs = np.random.default_rng(0).normal(size=(len(plan.validation.X), 1)).astype(np.float32)
    assert sent.validation.score(outputs) == plan.validation.score(outputs)


@pytest.mark.parametrize("n_components", [2, 3])
def test_plans_of_tuples_can_be_sent_to_other_processes(blobs, n_components):
    X, _ = blobs
    triplets = X[np.random.default_rng(0).integers(0, len(X), (60, 3))]
    plan = plan_of(make(n_components=n_components, early_stopping=True, validation_fraction=0.3), triplets)
    sent = pickle.loads(pickle.dumps(plan))
    outputs = np.random.default_rng(0).normal(size=(len(plan.validation.X), n_components)).astype(np.float32)
    assert sent.validation.score(outputs) == plan.validation.score(outputs)


# Reports


@ONLY_SOME_SCORES
def test_lines_say_what_is_searched_and_what_comes_of_it(blobs, capsys):
    def printed(**params):
        BatchedGridSearchCV(make(), {"margin": [0.1, 0.5]}, cv=2, **params).fit(*blobs)
        return capsys.readouterr().out.splitlines()

    assert printed() == []
    assert printed(verbose=1) == ["Fitting 2 folds for each of 2 candidates, totalling 4 fits, in 1 stack(s)"]
    lines = printed(verbose=2, return_train_score=True)
    assert len(lines) == 1 + 4
    assert lines[1].startswith("[CV 1/2; 1/2] margin=0.1: train score=")
    assert lines[4].startswith("[CV 2/2; 2/2] margin=0.5: train score=")
    assert printed(verbose=2, scoring={"a": map_at_r_scorer, "b": map_at_r_scorer}, refit=False)[1].count(" b 0.") == 1
    with pytest.warns(FitFailedWarning):
        BatchedGridSearchCV(make(), {"learning_rate": [1e38, 1e-3]}, cv=2, verbose=2).fit(*blobs)
    assert "learning_rate=1e+38: failed, score=nan" in capsys.readouterr().out


def test_it_says_what_is_searched_before_it_trains(blobs, capsys, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "skmetric.model_selection._parallel.fit_in_stacks",
        lambda plans, device: seen.append(capsys.readouterr().out) or [MemoryError()] * len(plans),
    )
    with pytest.raises(ValueError, match="All the 2 fits failed"):
        BatchedGridSearchCV(make(), {"margin": [0.1]}, cv=2, verbose=1).fit(*blobs)
    assert "totalling 2 fits" in seen[0]


@pytest.mark.parametrize("weighted", [False, True])
def test_callbacks_are_told_of_every_candidate_and_fold(weighted):
    X, y = load_diabetes(return_X_y=True)
    X, y = X[:90], y[:90]
    params = {"sample_weight": np.ones(len(y))} if weighted else {}
    estimator = RankSimRegressor(max_iter=2, device="cpu", random_state=0)
    tasks = []
    for kind in (GridSearchCV, BatchedGridSearchCV):
        recorder = Recorder()
        search = kind(estimator, {"learning_rate": [1e-3, 1e-2]}, cv=3, refit=False).set_callbacks(recorder)
        search.fit(X, y, **params)
        tasks.append(sorted(recorder.tasks))
    assert len([task for task in tasks[0] if task[0] == "candidate-split-evaluation"]) == 2 * 6
    assert tasks[1] == tasks[0]


# Memory


@ONLY_SOME_SCORES
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.parametrize("learning_rate", [[1e-3], [1e38, 1e-3]], ids=["healthy", "half of them fail"])
def test_no_more_models_are_kept_than_a_stack_holds(blobs, learning_rate):
    scored, alive = [], []

    def scorer(estimator, X, y):
        gc.collect()
        scored.append(weakref.ref(estimator))
        alive.append(sum(type(each) is TrainedNetwork for each in gc.get_objects()))
        return 0.5

    before = sum(type(each) is TrainedNetwork for each in gc.get_objects())
    grid = {"n_components": [2, 3, 4, 5, 6], "learning_rate": learning_rate}
    BatchedGridSearchCV(make(), grid, scoring=scorer, cv=StratifiedKFold(2), refit=False).fit(*blobs)
    assert len(scored) == 10
    # The models of a stack that are not scored yet, and none of earlier stacks.
    assert max(alive) - before <= 2 * len(learning_rate)
    assert sum(each() is not None for each in scored) == 0


# Failures in other processes


@pytest.mark.parametrize("error_score", ["raise", 0.0])
def test_what_fails_in_another_process_says_where(blobs, error_score):
    grid = {"hidden_layer_sizes": [(2_000_000, 2_000_000), (2_000_000, 3_000_000)]}
    search = BatchedGridSearchCV(make(), grid, cv=2, n_jobs=2, error_score=error_score)
    if error_score == "raise":
        with pytest.raises(MemoryError, match="Lower batch_size or hidden_layer_sizes") as caught:
            search.fit(*blobs)
        assert "engine/stacks.py" in caught.value.__notes__[0]
    else:
        with pytest.raises(ValueError, match=r"All the 4 fits failed[\s\S]*engine/stacks\.py[\s\S]*Lower batch_size"):
            search.fit(*blobs)


def test_a_search_that_ends_early_leaves_no_warning(blobs):
    def failing(estimator, X, y):
        raise RuntimeError("no score")

    grid = {"n_components": [2, 3, 4, 5, 6, 7]}
    search = BatchedGridSearchCV(make(), grid, scoring=failing, cv=2, n_jobs=2, error_score="raise")
    with pytest.raises(RuntimeError, match="no score"):
        search.fit(*blobs)


# Custom searches


class Twice(BatchedGridSearchCV):
    """Evaluates candidates in two rounds, and has no parameter for callbacks."""

    def _run_search(self, evaluate_candidates):
        evaluate_candidates([{"margin": 0.1}])
        evaluate_candidates([{"margin": 0.5}, {"margin": 1.0}])


def test_a_search_may_ask_in_several_turns(blobs):
    search = Twice(make(), {}, cv=2).set_callbacks(Recorder()).fit(*blobs)
    plain = GridSearchCV(make(), {"margin": [0.1, 0.5, 1.0]}, cv=2).fit(*blobs)
    assert search.cv_results_["params"] == plain.cv_results_["params"]
    np.testing.assert_array_equal(scores(search), scores(plain))
