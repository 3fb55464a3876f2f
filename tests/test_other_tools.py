"""What the chapter on ranking says about tools of scikit-learn that do not know groups."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GroupKFold, HalvingGridSearchCV

from skmetric import PairwiseRanker
from skmetric.datasets import make_ranking
from skmetric.metrics import ndcg_score, ndcg_scorer


class Sizes(BaseEstimator):
    """Notes the sizes of the groups that each fit gets."""

    __metadata_request__fit = {"groups": True}  # noqa: RUF012
    seen: list = []  # noqa: RUF012

    def __init__(self, index=0, max_iter=1):
        self.index = index
        self.max_iter = max_iter

    def fit(self, X, y, *, groups):
        self.seen.append(np.unique(groups, return_counts=True)[1])
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return X[:, self.index]


@pytest.mark.parametrize("resource", ["n_samples", "max_iter"])
def test_halving_over_rows_cuts_groups_and_over_a_budget_does_not(resource):
    X, y, groups = make_ranking(n_groups=60, random_state=0)
    whole = np.bincount(groups)
    budget = {"min_resources": 5, "max_resources": 20} if resource == "max_iter" else {}
    Sizes.seen.clear()
    with sklearn.config_context(enable_metadata_routing=True):
        search = HalvingGridSearchCV(
            Sizes(),
            {"index": [0, 1, 2, 3]},
            scoring=ndcg_scorer,
            cv=GroupKFold(3),
            resource=resource,
            factor=2,
            random_state=0,
            **budget,
        ).fit(X, y, groups=groups)
    first = Sizes.seen[0]
    assert (whole.min(), whole.max()) == (5, 30)
    if resource == "n_samples":
        assert (first.min(), first.max()) == (1, 9)
    else:
        assert set(first) <= set(whole)
        assert first.min() == 5
        assert search.n_resources_ == [5, 10, 20]


def test_permutation_importance_counts_the_group_column_unless_scoring_knows_the_groups():
    X, y, groups = make_ranking(n_groups=60, random_state=0)
    table = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]).assign(qid=groups)
    train = groups < 45
    ranker = PairwiseRanker(group_column="qid", device="cpu", random_state=0).fit(table[train], y[train])
    held_out, relevance = table[~train], y[~train]
    misleading = permutation_importance(ranker, held_out, relevance, random_state=0)
    assert table.columns[misleading.importances_mean.argmax()] == "qid"

    def score(ranker, X, y):
        return ndcg_score(y, ranker.predict(X), groups=groups[~train])

    correct = permutation_importance(ranker, held_out, relevance, scoring=score, random_state=0)
    assert correct.importances_mean[-1] == 0
    assert correct.importances_mean.max() > 0
