import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.decomposition import PCA
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Ridge
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, GroupKFold, HalvingGridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.metrics import (
    MapScorer,
    MrrScorer,
    NdcgScorer,
    kendall_score,
    kendall_scorer,
    map_score,
    map_scorer,
    mrr_score,
    mrr_scorer,
    ndcg_score,
    ndcg_scorer,
    pairwise_accuracy_score,
    pairwise_accuracy_scorer,
    spearman_score,
    spearman_scorer,
)

METRICS = {
    ndcg_scorer: ndcg_score,
    spearman_scorer: spearman_score,
    kendall_scorer: kendall_score,
    pairwise_accuracy_scorer: pairwise_accuracy_score,
    mrr_scorer: mrr_score,
    map_scorer: map_score,
}
SCORERS = pytest.mark.parametrize("scorer", METRICS, ids=repr)
SEVERAL = {"ndcg": ndcg_scorer, "ndcg@3": NdcgScorer(k=3), "tau": kendall_scorer}

RNG = np.random.default_rng(0)
GROUPS = RNG.permutation(np.repeat(np.arange(30), 6))
X = RNG.normal(size=(180, 4))
Y = (X[:, 0] + X[:, 1] / 2 + RNG.normal(size=180)).round().clip(0, 4)
WEIGHTS = RNG.uniform(0.1, 3, size=180)
CV = GroupKFold(3)
SPLITS = list(CV.split(X, Y, GROUPS))


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


class ColumnRanker(RegressorMixin, BaseEstimator):
    """Reads the groups from a column of X, if ``group_column`` is set."""

    def __init__(self, group_column=None):
        self.group_column = group_column

    def fit(self, X, y):
        self.ridge_ = Ridge().fit(X[:, :4], y)
        return self

    def predict(self, X):
        return self.ridge_.predict(X[:, :4])

    def groups_of(self, X):
        return None if self.group_column is None else X[:, self.group_column]


def by_hand(metric, *, grouped, weights=None, estimator=None, splits=SPLITS):
    values = []
    for train, test in splits:
        fitted = clone(estimator or Ridge()).fit(X[train], Y[train])
        values.append(
            metric(
                Y[test],
                fitted.predict(X[test]),
                groups=GROUPS[test] if grouped else None,
                sample_weight=None if weights is None else weights[test],
            )
        )
    return np.array(values)


# The object itself


@pytest.mark.parametrize("scorer", [*METRICS, NdcgScorer(k=3, gain="linear"), MapScorer(k=2)], ids=repr)
def test_pickle_clone_repr(scorer):
    ridge = Ridge().fit(X, Y)
    for copy in (pickle.loads(pickle.dumps(scorer)), clone(scorer)):
        assert copy is not scorer
        assert repr(copy) == repr(scorer)
        assert copy(ridge, X, Y, groups=GROUPS) == scorer(ridge, X, Y, groups=GROUPS)


def test_made_scorers():
    assert repr(NdcgScorer()) == repr(ndcg_scorer) == "NdcgScorer()"
    made = NdcgScorer(k=3, gain="linear", ties="order", empty=1)
    assert made.get_params() == {"k": 3, "gain": "linear", "ties": "order", "empty": 1, "convention": None}
    given = {"groups": GROUPS}
    assert made.score(X[:, 0], Y, **given) == ndcg_score(Y, X[:, 0], k=3, gain="linear", ties="order", empty=1, **given)
    made = NdcgScorer(convention="catboost")
    assert made.score(X[:, 0], Y, **given) == ndcg_score(Y, X[:, 0], convention="catboost", **given)
    for scorer, metric in ((MrrScorer(k=2, empty=0), mrr_score), (MapScorer(k=2, empty=0), map_score)):
        assert scorer.score(X[:, 0], Y, **given) == metric(Y, X[:, 0], k=2, empty=0, **given)


@SCORERS
def test_scikit_learn_takes_it_as_a_scorer(scorer):
    assert check_scoring(Ridge(), scoring=scorer) is scorer


@SCORERS
def test_calls_predict_then_the_metric(scorer):
    ridge = Ridge().fit(X, Y)
    for given in ({}, {"groups": GROUPS}, {"groups": GROUPS, "sample_weight": WEIGHTS}):
        value = scorer(ridge, X, Y, **given)
        assert isinstance(value, float)
        assert value == scorer.score(ridge.predict(X), Y, **given) == METRICS[scorer](Y, ridge.predict(X), **given)


@SCORERS
def test_estimator_without_predict(scorer):
    with pytest.raises(TypeError, match=r"estimator must have a predict method .*, got PCA, which has none"):
        scorer(PCA().fit(X), X, Y)


@SCORERS
def test_lists_that_the_estimator_knows(scorer):
    table = np.column_stack([X, GROUPS])
    knows, does_not = ColumnRanker(group_column=4).fit(table, Y), ColumnRanker().fit(table, Y)
    metric, predicted = METRICS[scorer], knows.predict(table)
    assert scorer(knows, table, Y) == metric(Y, predicted, groups=GROUPS)
    with pytest.warns(UserWarning, match=r"got no groups: it scores all rows as one list.* of the ColumnRanker"):
        assert scorer(does_not, table, Y) == metric(Y, predicted)
    with sklearn.config_context(enable_metadata_routing=True):
        one_list = clone(scorer).set_score_request(groups=False)
    assert one_list(does_not, table, Y) == metric(Y, predicted)
    # Groups from the caller have priority.
    assert scorer(knows, table, Y, groups=GROUPS % 7) == metric(Y, predicted, groups=GROUPS % 7)


# In model selection, without routing


@SCORERS
def test_one_list_without_routing(scorer):
    scores = cross_val_score(Ridge(), X, Y, cv=SPLITS, scoring=scorer)
    np.testing.assert_allclose(scores, by_hand(METRICS[scorer], grouped=False))


def test_groups_of_the_estimator_without_routing():
    table = np.column_stack([X, GROUPS])
    search = GridSearchCV(ColumnRanker(), {"group_column": [4]}, scoring=SEVERAL, refit="tau", cv=CV)
    search.fit(table, Y, groups=GROUPS)
    assert search.cv_results_["mean_test_ndcg"] == pytest.approx([by_hand(ndcg_score, grouped=True).mean()])
    assert search.cv_results_["mean_test_tau"] == pytest.approx([by_hand(kendall_score, grouped=True).mean()])


@pytest.mark.parametrize("scoring", [kendall_scorer, SEVERAL], ids=["one", "several"])
def test_weights_without_routing(scoring):
    several = isinstance(scoring, dict)
    # With one list, weights between lists change nothing, but they must be accepted.
    search = GridSearchCV(Ridge(), {"alpha": [1.0]}, scoring=scoring, refit="tau" if several else True, cv=SPLITS)
    search.fit(X, Y, sample_weight=WEIGHTS)
    weighted = [
        kendall_score(Y[test], Ridge().fit(X[train], Y[train], sample_weight=WEIGHTS[train]).predict(X[test]))
        for train, test in SPLITS
    ]
    assert search.cv_results_["mean_test_tau" if several else "mean_test_score"] == pytest.approx([np.mean(weighted)])


# Metadata routing


@SCORERS
@pytest.mark.usefixtures("routing")
def test_groups_are_routed_by_default(scorer):
    assert scorer.get_metadata_routing().score.requests == {"groups": True, "sample_weight": None}
    expected = by_hand(METRICS[scorer], grouped=True)
    given = {"params": {"groups": GROUPS}, "cv": CV, "scoring": scorer}
    np.testing.assert_allclose(cross_val_score(Ridge(), X, Y, **given), expected)
    np.testing.assert_allclose(cross_val_score(make_pipeline(Ridge()), X, Y, **given), expected)
    assert not np.allclose(expected, by_hand(METRICS[scorer], grouped=False))


@SCORERS
@pytest.mark.usefixtures("routing")
def test_requests_survive_clone_and_pickle(scorer):
    asking = clone(scorer).set_score_request(sample_weight=True, groups=False)
    for copy in (clone(asking), pickle.loads(pickle.dumps(asking))):
        assert copy.get_metadata_routing().score.requests == {"groups": False, "sample_weight": True}
    assert scorer.get_metadata_routing().score.requests == {"groups": True, "sample_weight": None}


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("scoring", [ndcg_scorer, SEVERAL], ids=["one", "several"])
def test_grid_search_of_a_pipeline(scoring):
    several = isinstance(scoring, dict)
    pipeline = make_pipeline(StandardScaler(), Ridge())
    grid = {"ridge__alpha": [1.0, 1e3]}
    search = GridSearchCV(pipeline, grid, scoring=scoring, refit="ndcg" if several else True, cv=CV)
    search.fit(X, Y, groups=GROUPS)
    for name, metric in (
        {"ndcg": ndcg_score, "tau": kendall_score}.items() if several else {"score": ndcg_score}.items()
    ):
        expected = [
            by_hand(metric, grouped=True, estimator=clone(pipeline).set_params(ridge__alpha=alpha)).mean()
            for alpha in grid["ridge__alpha"]
        ]
        np.testing.assert_allclose(search.cv_results_[f"mean_test_{name}"], expected)
    predicted = search.best_estimator_.predict(X)
    assert search.score(X, Y, groups=GROUPS) == ndcg_score(Y, predicted, groups=GROUPS)


@pytest.mark.usefixtures("routing")
def test_nested_search():
    search = GridSearchCV(Ridge(), {"alpha": [1.0]}, scoring=ndcg_scorer, cv=CV)
    scores = cross_validate(search, X, Y, scoring=SEVERAL, cv=CV, params={"groups": GROUPS})
    np.testing.assert_allclose(scores["test_ndcg"], by_hand(ndcg_score, grouped=True))


@pytest.mark.usefixtures("routing")
def test_halving_search():
    grid = {"alpha": [1.0, 10.0, 1e5, 1e6]}
    search = HalvingGridSearchCV(
        Ridge(random_state=0), grid, scoring=ndcg_scorer, cv=CV, resource="max_iter", min_resources=5, max_resources=40
    ).fit(X, Y, groups=GROUPS)
    assert search.n_candidates_[0] == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    expected = by_hand(ndcg_score, grouped=True, estimator=Ridge(alpha=search.best_params_["alpha"])).mean()
    assert search.best_score_ == pytest.approx(expected)


@pytest.mark.usefixtures("routing")
def test_weights_are_routed_to_the_scorers_that_ask():
    scoring = {
        "asked": NdcgScorer().set_score_request(sample_weight=True),
        "refused": NdcgScorer().set_score_request(sample_weight=False),
        "alias": NdcgScorer().set_score_request(sample_weight="importance", groups="queries"),
    }
    params = {"groups": GROUPS, "queries": GROUPS, "sample_weight": WEIGHTS, "importance": WEIGHTS[::-1]}
    scores = cross_validate(Ridge().set_fit_request(sample_weight=False), X, Y, cv=CV, scoring=scoring, params=params)
    np.testing.assert_allclose(scores["test_asked"], by_hand(ndcg_score, grouped=True, weights=WEIGHTS))
    np.testing.assert_allclose(scores["test_refused"], by_hand(ndcg_score, grouped=True))
    np.testing.assert_allclose(scores["test_alias"], by_hand(ndcg_score, grouped=True, weights=WEIGHTS[::-1]))


@pytest.mark.usefixtures("routing")
def test_weights_without_a_request_are_an_error():
    with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="sample_weight"):
        cross_val_score(Ridge(), X, Y, cv=CV, scoring=ndcg_scorer, params={"groups": GROUPS, "sample_weight": WEIGHTS})


@pytest.mark.usefixtures("routing")
def test_lightgbm_by_a_thin_adapter():
    lightgbm = pytest.importorskip("lightgbm")

    class GroupedLGBMRanker(lightgbm.LGBMRanker):
        __metadata_request__fit = {"groups": True}  # noqa: RUF012

        def fit(self, X, y, *, groups):
            rows = np.argsort(groups, kind="stable")
            sizes = np.unique(groups, return_counts=True)[1]
            return super().fit(X[rows], y[rows], group=sizes)

    ranker = GroupedLGBMRanker(n_estimators=5, min_child_samples=5, n_jobs=1, verbosity=-1)
    expected = []
    for train, test in SPLITS:
        order = train[np.argsort(GROUPS[train], kind="stable")]
        plain = lightgbm.LGBMRanker(**ranker.get_params())
        plain.fit(X[order], Y[order], group=np.unique(GROUPS[train], return_counts=True)[1])
        expected.append(ndcg_score(Y[test], plain.predict(X[test]), groups=GROUPS[test], k=5))
    search = GridSearchCV(ranker, {"num_leaves": [31, 4]}, scoring=NdcgScorer(k=5), cv=CV)
    search.fit(X, Y, groups=GROUPS)
    assert search.cv_results_["mean_test_score"][0] == pytest.approx(np.mean(expected))
