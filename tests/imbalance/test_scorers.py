import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.cluster import DBSCAN
from sklearn.linear_model import Ridge
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.imbalance import (
    BalancedMaeScorer,
    GeometricMeanErrorScorer,
    balanced_mean_absolute_error,
    geometric_mean_error,
    neg_balanced_mae_scorer,
    neg_geometric_mean_scorer,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = np.exp(X[:, 0] + 0.3 * RNG.normal(size=120))
WEIGHTS = RNG.uniform(size=120)
SPLITS = list(KFold(3, shuffle=True, random_state=0).split(X))
EDGES = np.linspace(0, 10, 6)
SCORERS = pytest.mark.parametrize(
    ("scorer", "error"),
    [
        (neg_balanced_mae_scorer, balanced_mean_absolute_error),
        (BalancedMaeScorer(bins=3), lambda y, p, **weights: balanced_mean_absolute_error(y, p, bins=3, **weights)),
        (BalancedMaeScorer(EDGES), lambda y, p, **weights: balanced_mean_absolute_error(y, p, bins=EDGES, **weights)),
        (neg_geometric_mean_scorer, geometric_mean_error),
    ],
    ids=["default", "bins", "edges", "geometric"],
)
BOTH = {"balanced": neg_balanced_mae_scorer, "geometric": neg_geometric_mean_scorer}


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


class UnweightedRidge(RegressorMixin, BaseEstimator):
    """Accepts sample_weight in fit, because searches without routing pass it there too, and ignores it."""

    def fit(self, X, y, sample_weight=None):
        self.ridge_ = Ridge().fit(X, y)
        return self

    def predict(self, X):
        return self.ridge_.predict(X)


def by_hand(error, weights=None, alpha=1.0):
    values = []
    for train, test in SPLITS:
        predicted = Ridge(alpha=alpha).fit(X[train], Y[train]).predict(X[test])
        values.append(-error(Y[test], predicted, sample_weight=None if weights is None else weights[test]))
    return np.array(values)


# The object itself


@SCORERS
def test_it_is_the_negative_error(scorer, error):
    ridge = Ridge().fit(X, Y)
    predicted = ridge.predict(X)
    assert scorer(ridge, X, Y) == scorer.score(predicted, Y) == -error(Y, predicted) < 0
    assert scorer(ridge, X, Y, sample_weight=WEIGHTS) == -error(Y, predicted, sample_weight=WEIGHTS)
    assert scorer(ridge, X, Y, sample_weight=WEIGHTS) != scorer(ridge, X, Y)


@SCORERS
def test_pickle_clone(scorer, error):
    ridge = Ridge().fit(X, Y)
    for copy in (pickle.loads(pickle.dumps(scorer)), clone(scorer)):
        assert copy is not scorer
        assert repr(copy) == repr(scorer)
        assert copy(ridge, X, Y) == scorer(ridge, X, Y)


def test_repr():
    assert repr(neg_balanced_mae_scorer) == "BalancedMaeScorer()"
    assert repr(BalancedMaeScorer(bins=4)) == "BalancedMaeScorer(bins=4)"
    assert repr(neg_geometric_mean_scorer) == "GeometricMeanErrorScorer()"


@SCORERS
def test_scikit_learn_takes_it_as_a_scorer(scorer, error):
    assert check_scoring(Ridge(), scoring=scorer) is scorer


@SCORERS
def test_estimator_without_predict(scorer, error):
    with pytest.raises(TypeError, match=r"estimator must have a predict method for .*, got DBSCAN, which has none"):
        scorer(DBSCAN().fit(X), X, Y)


@SCORERS
def test_predictions_in_a_column(scorer, error):
    column = Ridge().fit(X, Y[:, np.newaxis])
    assert scorer(column, X, Y[:, np.newaxis]) == pytest.approx(scorer(Ridge().fit(X, Y), X, Y))


# In model selection


@SCORERS
def test_cross_val_score(scorer, error):
    np.testing.assert_allclose(cross_val_score(Ridge(), X, Y, cv=SPLITS, scoring=scorer), by_hand(error))


@SCORERS
def test_grid_search_takes_the_smallest_error(scorer, error):
    grid = {"ridge__alpha": [1.0, 1e5]}
    plain = GridSearchCV(Ridge(), {"alpha": grid["ridge__alpha"]}, scoring=scorer, cv=SPLITS).fit(X, Y)
    expected = [by_hand(error, alpha=alpha).mean() for alpha in grid["ridge__alpha"]]
    np.testing.assert_allclose(plain.cv_results_["mean_test_score"], expected)
    assert plain.best_params_ == {"alpha": grid["ridge__alpha"][int(np.argmax(expected))]}
    search = GridSearchCV(make_pipeline(StandardScaler(), Ridge()), grid, scoring=scorer, cv=SPLITS).fit(X, Y)
    assert search.score(X, Y) == scorer(search.best_estimator_, X, Y)


def test_grid_search_over_several_metrics():
    search = GridSearchCV(Ridge(), {"alpha": [1.0, 10.0]}, scoring=BOTH, refit="balanced", cv=SPLITS).fit(X, Y)
    for name, error in (("balanced", balanced_mean_absolute_error), ("geometric", geometric_mean_error)):
        expected = [by_hand(error, alpha=alpha).mean() for alpha in (1.0, 10.0)]
        np.testing.assert_allclose(search.cv_results_[f"mean_test_{name}"], expected)


@pytest.mark.parametrize("scoring", [neg_balanced_mae_scorer, BOTH], ids=["one", "several"])
def test_weights_reach_the_scorer_without_routing(scoring):
    several = isinstance(scoring, dict)
    search = GridSearchCV(UnweightedRidge(), {}, scoring=scoring, refit="balanced" if several else True, cv=SPLITS)
    search.fit(X, Y, sample_weight=WEIGHTS)
    expected = by_hand(balanced_mean_absolute_error, WEIGHTS).mean()
    assert expected != by_hand(balanced_mean_absolute_error).mean()
    assert search.cv_results_["mean_test_balanced" if several else "mean_test_score"] == pytest.approx([expected])


# Metadata routing


@SCORERS
@pytest.mark.usefixtures("routing")
def test_weights_are_routed(scorer, error):
    asking = clone(scorer).set_score_request(sample_weight=True)
    expected = by_hand(error, WEIGHTS)
    estimator = Ridge().set_fit_request(sample_weight=False)
    given = {"params": {"sample_weight": WEIGHTS}, "cv": SPLITS, "scoring": asking}
    np.testing.assert_allclose(cross_val_score(estimator, X, Y, **given), expected)
    search = GridSearchCV(estimator, {"alpha": [1.0]}, scoring=asking, cv=SPLITS).fit(X, Y, sample_weight=WEIGHTS)
    assert search.cv_results_["mean_test_score"] == pytest.approx([expected.mean()])
    assert search.score(X, Y, sample_weight=WEIGHTS) == asking(search.best_estimator_, X, Y, sample_weight=WEIGHTS)


@pytest.mark.usefixtures("routing")
def test_weights_are_routed_to_the_scorers_that_ask():
    scoring = {
        "asked": BalancedMaeScorer().set_score_request(sample_weight=True),
        "refused": BalancedMaeScorer().set_score_request(sample_weight=False),
        "alias": GeometricMeanErrorScorer().set_score_request(sample_weight="importance"),
    }
    params = {"sample_weight": WEIGHTS, "importance": WEIGHTS[::-1]}
    estimator = Ridge().set_fit_request(sample_weight=False)
    scores = cross_validate(estimator, X, Y, cv=SPLITS, scoring=scoring, params=params)
    np.testing.assert_allclose(scores["test_asked"], by_hand(balanced_mean_absolute_error, WEIGHTS))
    np.testing.assert_allclose(scores["test_refused"], by_hand(balanced_mean_absolute_error))
    np.testing.assert_allclose(scores["test_alias"], by_hand(geometric_mean_error, WEIGHTS[::-1]))


@SCORERS
@pytest.mark.usefixtures("routing")
def test_requests_survive_clone_and_pickle(scorer, error):
    asking = clone(scorer).set_score_request(sample_weight=True)
    for copy in (clone(asking), pickle.loads(pickle.dumps(asking))):
        assert copy.get_metadata_routing().score.requests == {"sample_weight": True}
    assert scorer.get_metadata_routing().score.requests == {"sample_weight": None}


@SCORERS
@pytest.mark.usefixtures("routing")
def test_routing_without_weights(scorer, error):
    np.testing.assert_allclose(cross_val_score(Ridge(), X, Y, cv=SPLITS, scoring=scorer), by_hand(error))
