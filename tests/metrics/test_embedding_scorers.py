import pickle
import subprocess
import sys

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmetric.metrics
from skmetric.metrics import (
    MapAtRScorer,
    RecallAtKScorer,
    map_at_r_score,
    map_at_r_scorer,
    recall_at_1_scorer,
    recall_at_k_score,
)

X, Y = load_iris(return_X_y=True)
WEIGHTS = np.random.default_rng(0).uniform(size=len(Y))
SPLITS = list(StratifiedKFold(3, shuffle=True, random_state=0).split(X, Y))
SCORERS = pytest.mark.parametrize("scorer", [map_at_r_scorer, recall_at_1_scorer, RecallAtKScorer(k=5)], ids=repr)
BOTH = {"map": map_at_r_scorer, "recall": recall_at_1_scorer}


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


class WeightedPCA(TransformerMixin, BaseEstimator):
    """Takes sample_weight in fit, as searches without routing pass it there too."""

    def fit(self, X, y=None, sample_weight=None):
        self.pca_ = PCA(2).fit(X)
        return self

    def transform(self, X):
        return self.pca_.transform(X)


def by_hand(score, weights=None):
    values = []
    for train, test in SPLITS:
        embedded = PCA(2).fit(X[train]).transform(X[test])
        values.append(score(embedded, Y[test], sample_weight=None if weights is None else weights[test]))
    return np.array(values)


# The object itself


@SCORERS
def test_pickle_clone_repr(scorer):
    pca = PCA(2).fit(X)
    for copy in (pickle.loads(pickle.dumps(scorer)), clone(scorer)):
        assert copy is not scorer
        assert repr(copy) == repr(scorer)
        assert copy(pca, X, Y) == scorer(pca, X, Y)


def test_repr():
    assert repr(map_at_r_scorer) == "MapAtRScorer()"
    assert repr(recall_at_1_scorer) == "RecallAtKScorer(k=1)"


@SCORERS
def test_scikit_learn_takes_it_as_a_scorer(scorer):
    assert check_scoring(PCA(), scoring=scorer) is scorer


def test_calls_transform_then_the_metric():
    pca = PCA(2).fit(X)
    embedded = pca.transform(X)
    assert map_at_r_scorer(pca, X, Y) == map_at_r_scorer.score(embedded, Y) == map_at_r_score(embedded, Y)
    assert RecallAtKScorer(k=3)(pca, X, Y) == recall_at_k_score(embedded, Y, k=3)
    expected = map_at_r_score(embedded, Y, sample_weight=WEIGHTS)
    assert map_at_r_scorer(pca, X, Y, sample_weight=WEIGHTS) == expected
    expected = recall_at_k_score(embedded, Y, k=1, sample_weight=WEIGHTS)
    assert recall_at_1_scorer(pca, X, Y, sample_weight=WEIGHTS) == expected


@SCORERS
@pytest.mark.parametrize("estimator", [LinearRegression(), make_pipeline(StandardScaler(), LinearRegression())])
def test_estimator_without_transform(scorer, estimator):
    name = type(estimator).__name__
    with pytest.raises(TypeError, match=rf"estimator must have a transform method .*, got {name}, which has none"):
        scorer(estimator.fit(X, Y), X, Y)


def test_works_with_pandas_output():
    pipeline = make_pipeline(StandardScaler(), PCA(2))
    expected = map_at_r_scorer(clone(pipeline).fit(X), X, Y)
    assert map_at_r_scorer(pipeline.set_output(transform="pandas").fit(X), X, Y) == expected


# In model selection


def test_cross_val_score_and_cross_validate():
    np.testing.assert_allclose(
        cross_val_score(PCA(2), X, Y, cv=SPLITS, scoring=map_at_r_scorer), by_hand(map_at_r_score)
    )
    scores = cross_validate(PCA(2), X, Y, cv=SPLITS, scoring=BOTH, return_train_score=True)
    np.testing.assert_allclose(scores["test_map"], by_hand(map_at_r_score))
    np.testing.assert_allclose(scores["test_recall"], by_hand(recall_at_1_scorer.score))
    assert scores["train_map"].shape == (3,)


def test_grid_search_over_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), PCA())
    grid = {"pca__n_components": [1, 2, 3]}
    search = GridSearchCV(pipeline, grid, scoring=map_at_r_scorer, cv=SPLITS).fit(X, Y)
    candidates = [clone(pipeline).set_params(pca__n_components=c) for c in grid["pca__n_components"]]
    each = [cross_val_score(candidate, X, Y, cv=SPLITS, scoring=map_at_r_scorer) for candidate in candidates]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], np.mean(each, axis=1))
    assert search.score(X, Y) == map_at_r_scorer(search.best_estimator_, X, Y)
    assert clone(search).scoring is not map_at_r_scorer


def test_grid_search_over_several_metrics():
    search = GridSearchCV(PCA(), {"n_components": [1, 2]}, scoring=BOTH, refit="recall", cv=SPLITS).fit(X, Y)
    np.testing.assert_allclose(search.cv_results_["mean_test_map"][1], by_hand(map_at_r_score).mean())
    np.testing.assert_allclose(search.cv_results_["mean_test_recall"][1], by_hand(recall_at_1_scorer.score).mean())


@pytest.mark.parametrize("scoring", [map_at_r_scorer, BOTH], ids=["one", "several"])
def test_weights_reach_the_scorer_without_routing(scoring):
    several = isinstance(scoring, dict)
    search = GridSearchCV(WeightedPCA(), {}, scoring=scoring, refit="map" if several else True, cv=SPLITS)
    search.fit(X, Y, sample_weight=WEIGHTS)
    expected = by_hand(map_at_r_score, WEIGHTS).mean()
    assert expected != by_hand(map_at_r_score).mean()
    assert search.cv_results_["mean_test_map" if several else "mean_test_score"] == pytest.approx([expected])


# Metadata routing


def asking_for_weights(scorer):
    return clone(scorer).set_score_request(sample_weight=True)


@pytest.mark.usefixtures("routing")
def test_weights_are_routed_to_one_scorer():
    scorer = asking_for_weights(map_at_r_scorer)
    expected = by_hand(map_at_r_score, WEIGHTS)
    given = {"params": {"sample_weight": WEIGHTS}, "cv": SPLITS, "scoring": scorer}
    np.testing.assert_allclose(cross_val_score(PCA(2), X, Y, **given), expected)
    np.testing.assert_allclose(cross_val_score(make_pipeline(PCA(2)), X, Y, **given), expected)
    search = GridSearchCV(make_pipeline(PCA()), {"pca__n_components": [2]}, scoring=scorer, cv=SPLITS)
    search.fit(X, Y, sample_weight=WEIGHTS)
    assert search.cv_results_["mean_test_score"] == pytest.approx([expected.mean()])
    weighted = search.score(X, Y, sample_weight=WEIGHTS)
    assert weighted == scorer(search.best_estimator_, X, Y, sample_weight=WEIGHTS)
    assert weighted != search.score(X, Y)


@pytest.mark.usefixtures("routing")
def test_weights_are_routed_to_the_scorers_that_ask():
    scoring = {
        "asked": asking_for_weights(map_at_r_scorer),
        "refused": clone(map_at_r_scorer).set_score_request(sample_weight=False),
        "alias": RecallAtKScorer(k=2).set_score_request(sample_weight="importance"),
    }
    params = {"sample_weight": WEIGHTS, "importance": WEIGHTS[::-1]}
    scores = cross_validate(PCA(2), X, Y, cv=SPLITS, scoring=scoring, params=params)
    np.testing.assert_allclose(scores["test_asked"], by_hand(map_at_r_score, WEIGHTS))
    np.testing.assert_allclose(scores["test_refused"], by_hand(map_at_r_score))
    np.testing.assert_allclose(scores["test_alias"], by_hand(RecallAtKScorer(k=2).score, WEIGHTS[::-1]))


@pytest.mark.usefixtures("routing")
def test_weights_without_a_request_are_an_error():
    with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="sample_weight"):
        cross_val_score(PCA(2), X, Y, cv=SPLITS, scoring=MapAtRScorer(), params={"sample_weight": WEIGHTS})


@SCORERS
@pytest.mark.usefixtures("routing")
def test_requests_survive_clone_and_pickle(scorer):
    asking = asking_for_weights(scorer)
    for copy in (clone(asking), pickle.loads(pickle.dumps(asking))):
        assert copy.get_metadata_routing().score.requests == {"sample_weight": True}
    assert scorer.get_metadata_routing().score.requests == {"sample_weight": None}


@SCORERS
@pytest.mark.usefixtures("routing")
def test_routing_without_weights(scorer):
    scores = cross_val_score(make_pipeline(StandardScaler(), PCA(2)), X, Y, cv=SPLITS, scoring=scorer)
    assert np.isfinite(scores).all()


# The folder


def test_metrics_need_no_torch():
    script = "import sys, skmetric.metrics; assert not {'torch', 'skorch', 'matplotlib'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_everything_public_is_exported():
    for name in skmetric.metrics.__all__:
        assert hasattr(skmetric.metrics, name)
