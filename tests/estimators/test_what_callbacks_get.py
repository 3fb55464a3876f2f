"""scikit-learn's callbacks get what fit was given, as it was given."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.callback import ScoringMonitor
from sklearn.model_selection import GridSearchCV, GroupKFold

from skmetric import (
    BatchedGridSearchCV,
    ContrastiveEmbedder,
    ListwiseRanker,
    PairwiseRanker,
    PointwiseRanker,
    RankSimRegressor,
)
from skmetric.datasets import make_ranking
from skmetric.metrics import ndcg_scorer

SMALL = {"max_iter": 2, "device": "cpu", "random_state": 0}


class Recorder:
    """Keeps the arguments of each task's end."""

    def __init__(self):
        self.seen = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None):
        self.seen.append((X, y, metadata))


@pytest.fixture
def table():
    return make_ranking(20, random_state=0)


def test_they_get_the_very_arguments(table):
    X, y, groups = table
    recorder, weights = Recorder(), np.ones(len(y))
    frame = pd.DataFrame(X).rename(columns=str)
    ranker = ListwiseRanker(early_stopping=True, **SMALL).set_callbacks(recorder)
    ranker.fit(frame, y, sample_weight=weights, groups=groups, X_val=frame, y_val=y, groups_val=groups + 1000)
    assert len(recorder.seen) == 3
    for seen_X, seen_y, metadata in recorder.seen:
        assert seen_X is frame
        assert seen_y is y
        assert metadata.keys() == {"sample_weight", "groups"}
        assert metadata["groups"] is groups
        assert metadata["sample_weight"] is weights


def test_they_get_tuples_as_they_came():
    recorder, pairs = Recorder(), np.random.default_rng(0).normal(size=(30, 2, 3))
    y = np.tile([1, -1], 15)
    ContrastiveEmbedder(**SMALL).set_callbacks(recorder).fit(pairs, y)
    assert all(X is pairs and seen is y and metadata is None for X, seen, metadata in recorder.seen)


each_ranker = pytest.mark.parametrize("kind", [PairwiseRanker, ListwiseRanker, PointwiseRanker])


@each_ranker
def test_a_monitor_scores_a_ranker_by_its_groups(kind, table):
    X, y, groups = table
    monitor = ScoringMonitor(scoring={"ndcg": ndcg_scorer})
    ranker = kind(**SMALL).set_callbacks(monitor).fit(X, y, groups=groups)
    scores = [task["ndcg"] for task in monitor.get_logs().data]
    assert len(scores) == 2
    assert scores[-1] == ranker.score(X, y, groups=groups)


@each_ranker
def test_a_monitor_scores_a_ranker_by_its_group_column(kind, table):
    X, y, groups = table
    frame = pd.DataFrame(X).rename(columns=str).assign(qid=[f"group {group}" for group in groups])
    monitor = ScoringMonitor(scoring={"ndcg": ndcg_scorer})
    ranker = kind(group_column="qid", **SMALL).set_callbacks(monitor).fit(frame, y)
    assert monitor.get_logs().data[-1]["ndcg"] == ranker.score(frame, y)


@each_ranker
@pytest.mark.parametrize("in_column", [False, True])
@pytest.mark.filterwarnings("ignore:BatchedGridSearchCV trains its candidates one by one:UserWarning")
def test_a_monitor_scores_the_fits_of_a_search(kind, in_column, table):
    X, y, groups = table
    frame = pd.DataFrame(X).rename(columns=str)
    data = frame.assign(qid=groups) if in_column else frame
    for search in (GridSearchCV, BatchedGridSearchCV):
        monitor = ScoringMonitor(scoring={"ndcg": ndcg_scorer})
        ranker = kind(group_column="qid" if in_column else None, **SMALL).set_callbacks(monitor)
        with sklearn.config_context(enable_metadata_routing=not in_column):
            found = search(ranker, {"margin": [1.0]} if kind is PairwiseRanker else {}, cv=GroupKFold(2))
            found.fit(data, y, groups=groups)
            score = found.score(data, y) if in_column else found.score(data, y, groups=groups)
        scores = [task["ndcg"] for task in monitor.get_logs().data]
        # Two folds and the last fit, of two epochs each.
        assert len(scores) == 6
        assert score in scores


def test_a_monitor_scores_a_weighted_regressor():
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(40, 2)), rng.uniform(size=40)
    monitor = ScoringMonitor(scoring=["r2"])
    regressor = RankSimRegressor(**SMALL).set_callbacks(monitor).fit(X, X[:, 0], sample_weight=weights)
    assert monitor.get_logs().data[-1]["r2"] == pytest.approx(regressor.score(X, X[:, 0], weights))
