"""A batched search over rankers gives the results of scikit-learn's search, bit for bit, with groups and weights."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, GroupKFold, HalvingGridSearchCV, KFold, ParameterGrid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.estimators.points import Rows
from skmetric.estimators.ranking.listwise import ListwiseRanker
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.estimators.ranking.pointwise import PointwiseRanker
from skmetric.metrics import NdcgScorer, ndcg_score, ndcg_scorer, spearman_scorer
from skmetric.model_selection.search import BatchedGridSearchCV

SMALL = {
    "hidden_layer_sizes": (8,),
    "max_iter": 3,
    "batch_size": 32,
    "dropout": 0.2,
    "weight_decay": 0.05,
    "device": "cpu",
    "random_state": 0,
}
RATES = {"learning_rate": [1e-3, 1e-2]}
CASES = [
    (PairwiseRanker(loss="hinge", **SMALL), {"margin": [0.1, 0.5, 2.0], **RATES}),
    (PairwiseRanker(loss="logistic", **SMALL), {"weight_decay": [0.0, 0.5], **RATES}),
    (PairwiseRanker(loss="lambda", metric="ndcg@5", **SMALL), RATES),
    (ListwiseRanker(loss="softmax", **SMALL), {"temperature": [0.2, 1.0], **RATES}),
    (ListwiseRanker(loss="list_mle", **SMALL), {"temperature": [0.2, 1.0], **RATES}),
    (ListwiseRanker(loss="approx_ndcg", **SMALL), {"temperature": [0.2, 1.0], **RATES}),
    (PointwiseRanker(**SMALL), {"weight_decay": [0.0, 0.5], **RATES}),
]
each_ranker = pytest.mark.parametrize(("ranker", "grid"), CASES, ids=lambda v: getattr(v, "loss", ""))
KINDS = [CASES[0], CASES[3], CASES[6]]
each_kind = pytest.mark.parametrize(("ranker", "grid"), KINDS, ids=lambda v: getattr(v, "loss", ""))


def make_table(sizes):
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = (rng.normal(size=(len(groups), 4)) * [1, 100, 0.1, 1] + 5).astype(np.float32)
    noise = rng.normal(size=len(groups))
    y = np.clip(np.round(X[:, 0] - 5 + (X[:, 1] - 5) / 100 + 2 + noise), 0, 4)
    return X, y, groups * 3 + 1


TABLES = {
    "ragged": make_table(np.r_[1, 60, np.random.default_rng(1).integers(2, 15, 25)]),
    "even": make_table(np.full(24, 8)),
}


@pytest.fixture(params=TABLES)
def table(request):
    return TABLES[request.param]


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def figures(search):
    """Return cv_results_ without the times."""
    return {name: value for name, value in search.cv_results_.items() if "time" not in name}


def assert_same_search(batched, plain):
    assert batched.cv_results_.keys() == plain.cv_results_.keys()
    for name, value in figures(plain).items():
        assert_array_equal(batched.cv_results_[name], value, err_msg=name)
    assert any(name.startswith("split0_test") for name in figures(plain))
    for name in ("best_params_", "best_index_", "best_score_", "n_splits_", "multimetric_"):
        assert getattr(batched, name) == getattr(plain, name)


def both(estimator, grid, X, y, fit_params=None, **params):
    return [
        search(clone(estimator), grid, **params).fit(X, y, **(fit_params or {}))
        for search in (BatchedGridSearchCV, GridSearchCV)
    ]


def prefixed(estimator, grid):
    return {f"{estimator.steps[-1][0]}__{name}": values for name, values in grid.items()}


# Routed groups


@pytest.mark.usefixtures("routing")
@each_ranker
def test_groups_routed_through_a_pipeline(ranker, grid, table):
    X, y, groups = table
    pipeline = make_pipeline(StandardScaler(), ranker)
    grid = prefixed(pipeline, grid)
    batched, plain = both(pipeline, grid, X, y, {"groups": groups}, cv=GroupKFold(3))
    assert_same_search(batched, plain)
    assert_array_equal(batched.predict(X), plain.predict(X))
    assert batched.score(X, y, groups=groups) == plain.score(X, y, groups=groups)

    by_hand = []
    for parameters in ParameterGrid(grid):
        candidate = clone(pipeline).set_params(**parameters)
        scores = []
        for train, test in GroupKFold(3).split(X, y, groups):
            candidate.fit(X[train], y[train], groups=groups[train])
            scores.append(candidate.score(X[test], y[test], groups=groups[test]))
        by_hand.append(scores)
    found = np.column_stack([batched.cv_results_[f"split{fold}_test_score"] for fold in range(3)])
    assert_array_equal(found, by_hand)
    # Candidates and folds have different scores.
    assert len(np.unique(found)) > found.size // 2


@pytest.mark.usefixtures("routing")
@each_kind
def test_equal_groups_train_as_one_stack(ranker, grid, capsys):
    X, y, groups = TABLES["even"]
    search = BatchedGridSearchCV(ranker, grid, cv=GroupKFold(3), refit=False, verbose=1).fit(X, y, groups=groups)
    n_fits = 3 * len(ParameterGrid(grid))
    assert f"{n_fits} fits, in 1 stack(s)" in capsys.readouterr().out
    alone = BatchedGridSearchCV(ranker, grid, cv=GroupKFold(3), refit=False, max_stack=1).fit(X, y, groups=groups)
    for name, value in figures(alone).items():
        assert_array_equal(search.cv_results_[name], value)


@pytest.mark.usefixtures("routing")
@each_kind
def test_weights_are_routed(ranker, grid, table):
    X, y, groups = table
    weights = np.random.default_rng(2).uniform(0.1, 3, len(y))
    weights[::7] = 0
    weighted = clone(ranker).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    data = {"groups": groups, "sample_weight": weights}
    pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), weighted)
    grid = prefixed(pipeline, grid)
    batched, plain = both(pipeline, grid, X, y, data, cv=GroupKFold(3))
    assert_same_search(batched, plain)
    train, test = next(iter(GroupKFold(3).split(X, y, groups)))
    first = clone(pipeline).set_params(**batched.cv_results_["params"][0])
    first.fit(X[train], y[train], groups=groups[train], sample_weight=weights[train])
    score = first.score(X[test], y[test], groups=groups[test], sample_weight=weights[test])
    assert batched.cv_results_["split0_test_score"][0] == score
    unweighted = BatchedGridSearchCV(make_pipeline(StandardScaler(), ranker), grid, cv=GroupKFold(3))
    unweighted.fit(X, y, groups=groups)
    assert (figures(unweighted)["mean_test_score"] != figures(batched)["mean_test_score"]).all()


@pytest.mark.usefixtures("routing")
@each_kind
def test_several_metrics(ranker, grid, table):
    X, y, groups = table
    scoring = {"ndcg": ndcg_scorer, "spearman": spearman_scorer, "top": NdcgScorer(k=3)}
    data = {"groups": groups}
    batched, plain = both(ranker, grid, X, y, data, cv=GroupKFold(2), scoring=scoring, refit="spearman")
    assert_same_search(batched, plain)
    results = batched.cv_results_
    assert (results["mean_test_ndcg"] != results["mean_test_top"]).any()
    fold = list(GroupKFold(2).split(X, y, groups))[1]
    first = clone(ranker).set_params(**results["params"][0]).fit(X[fold[0]], y[fold[0]], groups=groups[fold[0]])
    expected = ndcg_score(y[fold[1]], first.predict(X[fold[1]]), groups=groups[fold[1]], k=3)
    assert results["split1_test_top"][0] == expected


@pytest.mark.usefixtures("routing")
@each_ranker
def test_early_stopping(ranker, grid, table):
    X, y, groups = table
    stopping = clone(ranker).set_params(
        early_stopping=True, n_iter_no_change=2, max_iter=12, validation_fraction=0.3, metric="ndcg@4"
    )
    data = {"groups": groups}
    batched, plain = both(stopping, grid, X, y, data, cv=GroupKFold(2), return_train_score=True)
    assert_same_search(batched, plain)
    assert batched.best_estimator_.n_iter_ == plain.best_estimator_.n_iter_


# Groups in a column


@pytest.mark.parametrize("as_frame", [True, False])
@each_kind
def test_groups_in_a_column(ranker, grid, as_frame, table):
    X, y, groups = table
    whole = np.insert(X, 2, groups, axis=1)
    column = 2
    if as_frame:
        column, whole = "query", pd.DataFrame(whole, columns=["a", "b", "query", "c", "d"])
        whole["query"] = [f"q{group:03.0f}" for group in whole["query"]]
    named = clone(ranker).set_params(group_column=column)
    folds = list(GroupKFold(3).split(X, y, groups))
    batched, plain = both(named, grid, whole, y, cv=folds)
    assert_same_search(batched, plain)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = BatchedGridSearchCV(ranker, grid, cv=folds).fit(X, y, groups=groups)
    for name, value in figures(routed).items():
        assert_array_equal(batched.cv_results_[name], value)
    # A scorer gets the groups from the ranker.
    scored = BatchedGridSearchCV(named, grid, cv=folds, scoring=NdcgScorer()).fit(whole, y)
    assert_array_equal(scored.cv_results_["mean_test_score"], batched.cv_results_["mean_test_score"])
    # Without routing, a search passes groups only to the splitter.
    split = BatchedGridSearchCV(named, grid, cv=GroupKFold(3)).fit(whole, y, groups=groups)
    assert_array_equal(split.cv_results_["mean_test_score"], batched.cv_results_["mean_test_score"])


# Pairs


@pytest.mark.parametrize("loss", ["hinge", "logistic", "lambda"])
def test_pairs_of_shared_rows(loss):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(50, 3)).astype(np.float32)
    index = np.array([(i, j) for i, j in rng.integers(0, 50, (150, 2)) if i != j])
    gap = points[index[:, 0], 0] - points[index[:, 1], 0]
    y = np.where(np.abs(gap) < 0.2, 0, np.sign(gap)).astype(int)
    ranker = PairwiseRanker(loss=loss, preprocessor=Rows(points), **SMALL)
    grid = {"weight_decay": [0.0, 0.5], **RATES} | ({"margin": [0.2, 1.0]} if loss == "hinge" else {})
    batched, plain = both(ranker, grid, index, y, cv=KFold(3, shuffle=True, random_state=0))
    assert_same_search(batched, plain)
    by_points = both(clone(ranker).set_params(preprocessor=None), grid, points[index], y, cv=KFold(3))
    assert_same_search(*by_points)
    assert_array_equal(batched.predict(index), plain.predict(index))


# Searches of scikit-learn


@pytest.mark.usefixtures("routing")
@each_kind
def test_halving_over_epochs(ranker, grid, table):
    X, y, groups = table
    search = HalvingGridSearchCV(
        ranker, grid, resource="max_iter", min_resources=2, max_resources=8, factor=2, cv=GroupKFold(2), random_state=0
    ).fit(X, y, groups=groups)
    assert search.best_estimator_.max_iter == search.n_resources_[-1] > 2
    assert search.n_candidates_[0] == len(ParameterGrid(grid)) > search.n_candidates_[-1]
    results = search.cv_results_
    folds = list(GroupKFold(2).split(X, y, groups))
    for n_epochs in search.n_resources_:
        rows = np.flatnonzero(results["n_resources"] == n_epochs)
        # The candidates of a round, one by one.
        candidates = [{name: [value] for name, value in results["params"][row].items()} for row in rows]
        again = BatchedGridSearchCV(clone(ranker), candidates, cv=folds, refit=False).fit(X, y, groups=groups)
        for fold in range(2):
            name = f"split{fold}_test_score"
            assert_array_equal(results[name][rows], again.cv_results_[name])


@pytest.mark.usefixtures("routing")
def test_another_library_s_ranker_is_searched_by_the_same_scorer(table):
    lightgbm = pytest.importorskip("lightgbm")

    class GroupedLGBMRanker(BaseEstimator):
        """Takes group ids, as the rankers of skmetric do."""

        __metadata_request__fit = {"groups": True}  # noqa: RUF012

        def __init__(self, num_leaves=31):
            self.num_leaves = num_leaves

        def fit(self, X, y, *, groups):
            rows, sizes = np.argsort(groups, kind="stable"), np.unique(groups, return_counts=True)[1]
            model = lightgbm.LGBMRanker(
                n_estimators=5, num_leaves=self.num_leaves, min_child_samples=2, n_jobs=1, verbose=-1
            )
            self.model_ = model.fit(X[rows], y[rows].astype(int), group=sizes)
            return self

        def predict(self, X):
            return self.model_.booster_.predict(X)

    X, y, groups = table
    grid = {"num_leaves": [3, 15]}
    data = {"cv": GroupKFold(3), "scoring": ndcg_scorer}
    plain = GridSearchCV(GroupedLGBMRanker(), grid, **data).fit(X, y, groups=groups)
    assert plain.best_score_ > 0.7
    with pytest.warns(UserWarning, match="GroupedLGBMRanker is neither one of skmetric's networks"):
        batched = BatchedGridSearchCV(GroupedLGBMRanker(), grid, **data).fit(X, y, groups=groups)
    assert_same_search(batched, plain)
    # Both rankers give the same columns of results, with the same folds and scores.
    ours = BatchedGridSearchCV(PairwiseRanker(**SMALL), RATES, **data).fit(X, y, groups=groups)
    assert ours.cv_results_.keys() >= {"split2_test_score", "mean_test_score"}


# Groups that reach only the splitter


@each_kind
def test_a_search_says_so_where_groups_reach_the_splitter_alone(ranker, grid):
    X, y, groups = TABLES["even"]
    search = BatchedGridSearchCV(make_pipeline(StandardScaler(), ranker), {}, cv=GroupKFold(3), refit=False)
    with pytest.warns(UserWarning, match=r"got no groups: .* pass it on only after sklearn.set_config\(enable"):
        search.fit(X, y, groups=groups)


@pytest.mark.usefixtures("routing")
@each_kind
def test_a_user_who_turned_groups_off_hears_nothing(ranker, grid):
    X, y, groups = TABLES["even"]
    ungrouped = clone(ranker).set_fit_request(groups=False).set_score_request(groups=False)
    BatchedGridSearchCV(ungrouped, {}, cv=GroupKFold(3), refit=False).fit(X, y, groups=groups)
