"""Grades that a metric cannot score, and rows among which there is nothing to score."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import GridSearchCV, GroupKFold

from skmetric.estimators import all_estimators
from skmetric.estimators.ranking._ranker import Ranker
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.metrics import map_scorer, mrr_scorer, ndcg_score, ndcg_scorer, pairwise_accuracy_scorer, spearman_scorer
from skmetric.model_selection.search import BatchedGridSearchCV

SMALL = {"hidden_layer_sizes": (8,), "max_iter": 2, "device": "cpu", "random_state": 0}
each_kind = pytest.mark.parametrize(
    "ranker",
    [ranker(**SMALL) for _, ranker in all_estimators() if issubclass(ranker, Ranker)],
    ids=lambda r: type(r).__name__,
)
X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
Y = (np.arange(60) % 5).astype(float)
GROUPS = np.arange(60) // 6
RELEVANT_AT_FIRST = np.where(GROUPS < 8, Y, 0)  # the last fold of two has clicks only in groups 5 to 7


def with_value(value, row=7):
    y = Y.copy()
    y[row:] = np.where(y[row:] == 2, value, y[row:])
    return y


@each_kind
@pytest.mark.parametrize(
    ("metric", "value", "told"),
    [
        ("ndcg", -1, r"from 0 to 31, got -1 at row 7\. Shift .*'spearman'.*set unlabeled=-1\.$"),
        ("ndcg@3", -2, r"from 0 to 31, got -2 at row 7\. Shift y .* or set metric='spearman'\.$"),
        ("ndcg", 0.5, r"from 0 to 31, got 0\.5 at row 7\. Set metric='ndcg_linear', or set metric='spearman'\.$"),
        ("ndcg", 40, r"from 0 to 31, got 40 at row 7\. Set metric='ndcg_linear'"),
        ("ndcg_linear", -1, r"non-negative numbers, got -1 at row 7\. Shift y"),
    ],
)
def test_fit_warns_once_of_grades_that_score_refuses(ranker, metric, value, told):
    y = with_value(value)
    ranker = clone(ranker).set_params(metric=metric)
    with pytest.warns(UserWarning, match=f"metric='{metric}' is not defined for it.*{told}") as caught:
        ranker.fit(X, y, groups=GROUPS)
    assert len(caught) == 1
    with pytest.raises(ValueError, match=f"metric must be defined for these rows, got metric='{metric}'.*{told}"):
        ranker.score(X, y, groups=GROUPS)


@each_kind
@pytest.mark.parametrize("metric", ["ndcg_linear", "mrr", "map", "spearman", "kendall", "pairwise_accuracy"])
def test_metrics_that_score_the_grades_get_no_warning(ranker, metric):
    clone(ranker).set_params(metric=metric).fit(X, with_value(0.5), groups=GROUPS).score(X, Y, groups=GROUPS)


@each_kind
def test_early_stopping_raises_where_it_would_score_the_grades(ranker):
    stopping = clone(ranker).set_params(early_stopping=True)
    y_val = with_value(-1)
    with pytest.raises(ValueError, match=r"got metric='ndcg': .* got -1 at row 7.*unlabeled=-1"):
        stopping.fit(X, Y, groups=GROUPS, X_val=X, y_val=y_val, groups_val=GROUPS + 100)
    with pytest.warns(UserWarning, match="score will raise an error"):
        stopping.fit(X, y_val, groups=GROUPS, X_val=X, y_val=Y, groups_val=GROUPS + 100)


@each_kind
@pytest.mark.parametrize("metric", ["ndcg", "mrr", "map"])
def test_rows_without_a_relevant_one_score_zero_with_a_warning(ranker, metric):
    fitted = clone(ranker).set_params(metric=metric).fit(X, Y, groups=GROUPS)
    with pytest.warns(UndefinedMetricWarning, match=f"metric='{metric}': groups must have .* The score is 0") as caught:
        assert fitted.score(X[:12], np.zeros(12), groups=GROUPS[:12]) == 0.0
    assert len(caught) == 1
    assert "empty=" not in str(caught[0].message)
    scorer = {"ndcg": ndcg_scorer, "mrr": mrr_scorer, "map": map_scorer}[metric]
    with pytest.warns(UndefinedMetricWarning, match=r"Scorer\(\): groups must have .* The score is 0") as caught:
        assert scorer(fitted, X[:12], np.zeros(12), groups=GROUPS[:12]) == 0.0
    assert len(caught) == 1
    with pytest.raises(ValueError, match="early_stopping=False"):
        clone(fitted).set_params(early_stopping=True).fit(
            X, Y, groups=GROUPS, X_val=X, y_val=np.zeros(60), groups_val=GROUPS + 100
        )


@each_kind
@pytest.mark.parametrize("metric", ["spearman", "kendall", "pairwise_accuracy"])
def test_rows_without_an_order_score_zero_too(ranker, metric):
    fitted = clone(ranker).set_params(metric=metric).fit(X, Y, groups=GROUPS)
    with pytest.warns(UndefinedMetricWarning, match="one true value for all its items. The score is 0"):
        assert fitted.score(X[:12], np.ones(12), groups=GROUPS[:12]) == 0.0
    for scorer in (spearman_scorer, pairwise_accuracy_scorer):
        with pytest.warns(UndefinedMetricWarning, match="The score is 0"):
            assert scorer(fitted, X[:12], np.ones(12), groups=GROUPS[:12]) == 0.0


def test_the_function_still_raises():
    with pytest.raises(ValueError, match=r"has only items of grade 0\. Pass empty=0 or empty=1"):
        ndcg_score(np.zeros(12), X[:12, 0], groups=GROUPS[:12])
    with pytest.raises(ValueError, match=r"in all 1 of them\. Pass sample_weight=None"):
        ndcg_score([1, 0, 0], [1, 2, 3], groups=[0, 0, 1], sample_weight=[0, 0, 1])


@pytest.mark.parametrize("search", [GridSearchCV, BatchedGridSearchCV])
@pytest.mark.parametrize("scoring", [None, ndcg_scorer])
def test_a_fold_without_clicks_leaves_the_search_usable(search, scoring):
    frame = pd.DataFrame(X, columns=list("abc")).assign(qid=GROUPS)
    ranker = PairwiseRanker(group_column="qid", **SMALL)
    folds = [(np.flatnonzero(GROUPS < 5), np.flatnonzero(GROUPS >= 8)), (np.flatnonzero(GROUPS >= 5), np.arange(30))]
    with pytest.warns(UndefinedMetricWarning, match="The score is 0"):
        found = search(ranker, {"margin": [0.1, 1.0, 10.0]}, cv=folds, scoring=scoring).fit(frame, RELEVANT_AT_FIRST)
    assert (found.cv_results_["split0_test_score"] == 0).all()
    scores = found.cv_results_["split1_test_score"]
    assert (scores > 0).all()
    assert found.best_score_ == scores.max() / 2


def test_a_batched_search_without_any_score_says_that_no_candidate_is_the_best():
    search = BatchedGridSearchCV(
        PairwiseRanker(group_column=3, **SMALL), {"margin": [0.1, 1.0]}, cv=GroupKFold(2), refit=False
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(np.column_stack([X, GROUPS]), Y - 1, groups=GROUPS)
    assert np.isnan(search.best_score_)
    messages = [str(each.message) for each in caught]
    (said,) = [each for each in messages if "no candidate is the best" in each]
    assert said.startswith("BatchedGridSearchCV: all 2 candidates have the score NaN")
    assert any("set unlabeled=-1" in each for each in messages)
