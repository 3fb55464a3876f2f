"""Comparisons of rankers: each group once, by a model that is not fitted on it, and honest words."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, GroupShuffleSplit, KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import PointwiseRanker
from skmetric.adapters import GroupedRanker
from skmetric.metrics import ndcg_score, ndcg_scorer, spearman_score
from skmetric.model_selection import _report_text
from skmetric.model_selection.ranker_comparison import RankerComparison, compare_rankers
from tests.adapters.boosters import NAMES, booster, ranking


class Column(BaseEstimator):
    """Ranks by one column, and notes the groups that it is fitted on."""

    fitted_on: list = []  # noqa: RUF012

    def __init__(self, index=0, sign=1.0, column=None):
        self.index = index
        self.sign = sign
        self.column = column

    def fit(self, X, y, groups=None):
        self.fitted_on.append(None if groups is None else set(np.asarray(groups)))
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return self.sign * np.asarray(X)[:, self.index]


@pytest.fixture(autouse=True)
def no_fits():
    Column.fitted_on.clear()


@pytest.fixture(scope="module")
def graded():
    """Rows in random order; the first column is the relevance with noise, the others are noise."""
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat([f"q{i}" for i in range(30)], 8))
    y = rng.integers(0, 4, size=len(groups))
    X = np.column_stack([y + rng.normal(size=len(y)), rng.normal(size=(len(y), 2))])
    return X, y, groups


def test_figures_are_those_of_held_out_predictions(graded):
    X, y, groups = graded
    models = {"ridge": Ridge(), "one column": Column(1)}
    comparison = compare_rankers(models, X, y, groups=groups, metric="ndcg@5")
    scores = np.empty(len(y))
    for train, test in GroupKFold(5).split(X, y, groups):
        scores[test] = Ridge().fit(X[train], y[train]).predict(X[test])
    expected = [ndcg_score(y, each, groups=groups, k=5, reduction=None) for each in (scores, X[:, 1])]
    assert comparison.values == pytest.approx(np.array(expected), abs=1e-12)
    assert comparison.groups.tolist() == np.unique(groups).tolist()
    results = comparison.results
    assert results["mean_score"] == pytest.approx(np.mean(expected, axis=1))
    assert results["se_score"] == pytest.approx(np.std(expected, axis=1, ddof=1) / np.sqrt(30))
    assert results["mean_difference"][1] == pytest.approx(np.mean(expected[1] - expected[0]))
    assert np.isnan([results[name][0] for name in ("mean_difference", "lower_difference", "p_value")]).all()
    assert comparison.fit_times.shape == comparison.predict_times.shape == (2, 5)
    assert (comparison.fit_times > 0).all()


def test_intervals_and_p_values_are_those_of_a_paired_test(graded):
    """For many groups, the bootstrap agrees with the normal distribution of the mean difference."""
    from scipy.stats import norm

    X, y, groups = graded
    comparison = compare_rankers({"a": Column(1), "b": Column(2)}, X, y, groups=groups, metric="spearman")
    gap = comparison.values[1] - comparison.values[0]
    error = gap.std() / np.sqrt(len(gap))
    results = comparison.results
    assert results["lower_difference"][1] == pytest.approx(gap.mean() - 1.96 * error, abs=0.1 * error)
    assert results["upper_difference"][1] == pytest.approx(gap.mean() + 1.96 * error, abs=0.1 * error)
    assert results["p_value"][1] == pytest.approx(2 * norm.sf(abs(gap.mean()) / error), abs=0.03)


def test_the_order_of_rows_and_the_kind_of_ids_do_not_matter(graded):
    X, y, groups = graded
    rows = np.random.default_rng(1).permutation(len(y))
    models = {"ridge": Ridge(), "column": Column()}
    comparison = compare_rankers(models, X, y, groups=groups)
    again = compare_rankers(models, X[rows], y[rows], groups=groups[rows])
    assert again.values == pytest.approx(comparison.values)
    assert again.results["p_value"][1] == comparison.results["p_value"][1]
    numbers = np.unique(groups, return_inverse=True)[1]
    assert np.array_equal(compare_rankers(models, X, y, groups=numbers).values, comparison.values)


def test_no_group_is_scored_by_a_model_that_has_seen_it(graded):
    X, y, groups = graded
    codes = np.unique(groups, return_inverse=True)[1]
    compare_rankers({"column": Column()}, X, y, groups=groups, cv=3)
    tested = [set(codes[test]) for _, test in GroupKFold(3).split(X, y, groups)]
    assert [fitted & held_out for fitted, held_out in zip(Column.fitted_on, tested, strict=True)] == [set()] * 3
    assert set().union(*tested) == set(range(30))


@pytest.mark.parametrize("routing", [False, True])
def test_groups_reach_whatever_takes_them(graded, routing):
    X, y, groups = graded
    models = {
        "alone": Column(),
        "pipeline": make_pipeline(StandardScaler(), Column()),
        "search": GridSearchCV(Column(), {"index": [0, 1]}, scoring=ndcg_scorer, cv=GroupKFold(2)),
    }
    with sklearn.config_context(enable_metadata_routing=True):
        models["search"].estimator.set_fit_request(groups=True)
    with sklearn.config_context(enable_metadata_routing=routing):
        for name, model in models.items():
            Column.fitted_on.clear()
            comparison = compare_rankers({name: model}, X, y, groups=groups, cv=3)
            assert Column.fitted_on
            assert None not in Column.fitted_on
            direct = ndcg_score(y, X[:, 0], groups=groups, reduction=None)
            assert comparison.values[0] == pytest.approx(direct)


@pytest.mark.parametrize("name", NAMES)
def test_boosters_are_compared_through_the_adapter(name):
    X, y, groups = ranking(15)
    table = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])]).assign(qid=groups)
    ranker = GroupedRanker(booster(name))
    by_groups = compare_rankers([ranker, Ridge()], X, y, groups=groups, cv=3)
    by_column = compare_rankers([GroupedRanker(booster(name), group_column="qid")], table, y, groups=groups, cv=3)
    assert by_groups.names == [name, "Ridge"]
    assert np.array_equal(by_column.values[0], by_groups.values[0])
    with pytest.raises(TypeError, match=f"must take one group id per row, got a {name} for .* into an adapter"):
        compare_rankers([booster(name)], X, y, groups=groups)


def test_our_rankers_are_compared(graded):
    X, y, groups = graded
    ours = PointwiseRanker(max_iter=2, device="cpu", random_state=0)
    comparison = compare_rankers([ours, DummyRegressor()], X, y, groups=groups, cv=2, metric="spearman")
    assert comparison.names == ["PointwiseRanker", "DummyRegressor"]
    scores = np.empty(len(y))
    for train, test in GroupKFold(2).split(X, y, groups):
        scores[test] = ours.fit(X[train], y[train], groups=groups[train]).predict(X[test])
    assert np.array_equal(comparison.values[0], spearman_score(y, scores, groups=groups, reduction=None))
    assert (comparison.values[1] == 0).all()


def test_groups_without_a_score_are_left_out_for_all_models_and_counted(graded):
    X, y, groups = graded
    y = np.where(np.isin(groups, ["q3", "q7"]), 0, y)
    comparison = compare_rankers({"ridge": Ridge(), "column": Column()}, X, y, groups=groups)
    assert comparison.values.shape == (2, 28)
    assert not {"q3", "q7"} & set(comparison.groups)
    assert np.isfinite(comparison.values).all()
    assert "2 groups are left out, because the metric is not defined for them" in comparison.about
    assert comparison.results["mean_score"][1] == pytest.approx(ndcg_score(y, X[:, 0], groups=groups))


def test_groups_that_are_never_tested_are_counted(graded):
    X, y, groups = graded
    cv = GroupShuffleSplit(1, test_size=10, random_state=0)
    comparison = compare_rankers([Ridge(), Column()], X, y, groups=groups, cv=cv)
    assert comparison.values.shape == (2, 10)
    assert "20 groups are in no test fold" in comparison.about


def test_a_clear_difference_is_a_sentence_and_so_is_none(graded):
    X, y, groups = graded
    good, bad = Column(0), Column(0, sign=-1.0)
    comparison = compare_rankers(
        {"noise": Column(1), "good": good, "more noise": Column(2), "bad": bad}, X, y, groups=groups
    )
    first, second, third = comparison.verdict
    assert first.startswith("By ndcg, good ranks better than noise: +0.")
    assert second.startswith("By ndcg, bad ranks worse than noise: -0.")
    assert third == "Not significantly different from noise: more noise."

    (only,) = compare_rankers({"a": Column(1), "b": Column(2), "c": Column(1)}, X, y, groups=groups).verdict
    assert only == (
        "By ndcg, no model is significantly better or worse than a on these 30 groups: each 95% interval of the "
        "difference contains 0."
    )
    (only,) = compare_rankers({"a": Column(1), "same": Column(1)}, X, y, groups=groups).verdict
    assert only.startswith("By ndcg, same is not significantly better or worse than a on these 30 groups: the 95%")
    assert compare_rankers({"alone": good}, X, y, groups=groups).verdict == []


def test_equal_models_are_never_called_different(graded):
    X, y, groups = graded
    comparison = compare_rankers([Column(0), Column(0)], X, y, groups=groups)
    assert comparison.names == ["Column", "Column-2"]
    assert comparison.results["p_value"][1] == 1.0
    assert comparison.results["lower_difference"][1] == comparison.results["upper_difference"][1] == 0


def test_another_reference(graded):
    X, y, groups = graded
    comparison = compare_rankers({"noise": Column(1), "good": Column(0)}, X, y, groups=groups)
    other = comparison.against("good")
    assert other.reference == "good"
    assert other.results["mean_difference"][0] == -comparison.results["mean_difference"][1]
    assert other.results["lower_difference"][0] == pytest.approx(-comparison.results["upper_difference"][1])
    assert other.results["p_value"][0] == comparison.results["p_value"][1]
    with pytest.raises(
        ValueError, match=r"name must be the name of a model, got 'best'. Pass one of \['noise', 'good'\]"
    ):
        comparison.against("best")


def test_few_groups_are_named(graded):
    X, y, groups = graded
    few = np.isin(groups, [f"q{i}" for i in range(6)])
    comparison = compare_rankers([Column(0), Column(1)], X[few], y[few], groups=groups[few], cv=2)
    assert "There are only 6 groups: the intervals are too short, and p is too small." in str(comparison)
    one = GroupShuffleSplit(1, test_size=1, random_state=0)
    comparison = compare_rankers([Column(0), Column(1)], X[few], y[few], groups=groups[few], cv=one)
    assert comparison.verdict == ["By ndcg, the models cannot be compared by a single group."]
    assert np.isnan(comparison.results["p_value"]).all()
    assert "±" not in str(comparison).splitlines()[3]


def test_the_table_has_a_line_per_model(graded):
    X, y, groups = graded
    comparison = compare_rankers({"noise": Column(1), "good": Column(0)}, X, y, groups=groups, metric="mrr@3")
    lines = str(comparison).splitlines()
    assert lines[0] == "30 groups, 240 rows, 3 columns. 5 folds, the same for all models."
    assert lines[2].split() == ["mrr@3", "minus", "noise", "95%", "interval", "p", "fit", "(s)", "predict", "(s)"]
    assert lines[3].split()[:5] == [
        "noise",
        f"{comparison.values[0].mean():.3f}",
        "±",
        lines[3].split()[3],
        "reference",
    ]
    assert f"{comparison.results['mean_difference'][1]:+.3f}" in lines[4]
    assert repr(comparison) == str(comparison)
    assert comparison.to_frame().loc["good", "mean_score"] == comparison.values[1].mean()


def test_without_pandas_a_frame_is_refused(graded, monkeypatch):
    X, y, groups = graded
    comparison = compare_rankers([Column()], X, y, groups=groups)

    def no_pandas(name):
        raise ImportError(name)

    monkeypatch.setattr(_report_text, "import_module", no_pandas)
    with pytest.raises(ImportError, match="to_frame returns a pandas DataFrame"):
        comparison.to_frame()


def test_the_seed_decides_the_draws_and_jobs_decide_nothing(graded):
    X, y, groups = graded
    models = {"ridge": Ridge(), "column": Column(1)}
    first = compare_rankers(models, X, y, groups=groups, n_bootstrap=50)
    again = compare_rankers(models, X, y, groups=groups, n_bootstrap=50, n_jobs=2)
    other = compare_rankers(models, X, y, groups=groups, n_bootstrap=50, random_state=1)
    assert first.bootstrap_means.shape == (50, 2)
    assert np.array_equal(again.bootstrap_means, first.bootstrap_means)
    assert np.array_equal(other.values, first.values)
    assert not np.array_equal(other.bootstrap_means, first.bootstrap_means)
    assert isinstance(first, RankerComparison)


def as_table(X, groups):
    return pd.DataFrame(X, columns=["a", "b", "c"]).assign(qid=groups)


class ByColumn(Column):
    """Ranks by one column, and takes groups from a column."""

    def __init__(self, index=0, sign=1.0, column=None, group_column=None):
        super().__init__(index, sign, column)
        self.group_column = group_column

    def fit(self, X, y, groups=None):
        assert groups is None or self.group_column is None
        return super().fit(X, y, groups)

    def score(self, X, y, sample_weight=None, groups=None):
        assert groups is None or self.group_column is None
        return 0.0


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("scoring", [None, ndcg_scorer], ids=["score", "scorer"])
def test_a_search_over_a_ranker_with_a_group_column_is_compared(graded, routing, scoring):
    X, y, groups = graded
    codes = np.unique(groups, return_inverse=True)[1]
    table = as_table(X, codes)
    ranker = ByColumn(group_column="qid")
    search = GridSearchCV(ranker, {"index": [0, 1]}, scoring=scoring, cv=GroupKFold(2))
    nested = GridSearchCV(make_pipeline("passthrough", ranker), {"bycolumn__index": [0]}, scoring=scoring)
    with sklearn.config_context(enable_metadata_routing=routing):
        comparison = compare_rankers({"search": search, "nested": nested}, table, y, groups=codes, cv=3)
    expected = ndcg_score(y, X[:, 0], groups=groups, reduction=None)
    assert comparison.values == pytest.approx(np.stack([expected, expected]))
    assert set(Column.fitted_on) == {None}


def test_a_search_over_an_adapter_with_a_group_column_is_compared():
    X, y, groups = ranking(12)
    table = pd.DataFrame(X).rename(columns=str).assign(qid=groups)
    ranker = GroupedRanker(booster("LGBMRanker"), group_column="qid")
    search = GridSearchCV(ranker, {"estimator__n_estimators": [5]}, cv=GroupKFold(2))
    comparison = compare_rankers({"alone": ranker, "search": search}, table, y, groups=groups, cv=3)
    assert np.array_equal(comparison.values[0], comparison.values[1])
    with pytest.raises(TypeError, match=r"got a LGBMRanker for 'raw', which does not\. Put it"):
        compare_rankers({"raw": GridSearchCV(booster("LGBMRanker"), {"n_estimators": [5]})}, X, y, groups=groups)


def test_groups_that_a_user_declines_are_not_passed(graded):
    X, y, groups = graded
    with sklearn.config_context(enable_metadata_routing=True):
        ranker = Column().set_fit_request(groups=False)
    compare_rankers({"alone": ranker, "pipeline": make_pipeline(StandardScaler(), ranker)}, X, y, groups=groups)
    assert set(Column.fitted_on) == {None}


def test_names_must_differ_as_text(graded):
    X, y, groups = graded
    with pytest.raises(ValueError, match="models must have names that differ as text, got two whose text is '1'"):
        compare_rankers({1: Column(0), "1": Column(1)}, X, y, groups=groups)
    assert compare_rankers({1: Column(0), 2: Column(1)}, X, y, groups=groups).names == ["1", "2"]


def test_tested_groups_must_have_a_score(graded):
    X, y, groups = graded
    y = np.where(groups == "q3", 0, y)
    rows = np.arange(len(y))
    cv = [(rows[groups != "q3"], rows[groups == "q3"])]
    with pytest.raises(ValueError, match=r"cv must test a group that metric='ndcg' can score, got none in 1 tested gr"):
        compare_rankers([Column()], X, y, groups=groups, cv=cv)
    assert not Column.fitted_on


@pytest.mark.parametrize(
    "model", [ByColumn(group_column="qid"), make_pipeline("passthrough", ByColumn(group_column="qid"))]
)
def test_a_group_column_must_hold_the_groups(graded, model):
    X, y, groups = graded
    other = np.where(groups == "q3", "q4", groups)
    with pytest.raises(ValueError, match=r"groups must be those in the group_column .* got 30 groups, and 29 in"):
        compare_rankers([model], as_table(X, other), y, groups=groups)
    shuffled = np.random.default_rng(0).permutation(groups)
    with pytest.raises(ValueError, match="groups must be those in the group_column"):
        compare_rankers([model], as_table(X, shuffled), y, groups=groups)
    assert not Column.fitted_on
    renamed = np.unique(groups, return_inverse=True)[1]
    assert len(compare_rankers([model], as_table(X, renamed), y, groups=groups).groups) == 30


def test_other_models_do_not_get_the_group_column_silently(graded):
    X, y, groups = graded
    codes = np.unique(groups, return_inverse=True)[1]
    table = as_table(X, codes)
    by_column = ByColumn(group_column="qid")
    with pytest.warns(UserWarning, match="should not see the ids of groups, but Ridge get column 'qid' as a feature"):
        compare_rankers([by_column, Ridge()], table, y, groups=groups)
    dropped = make_pipeline(ColumnTransformer([("keep", "passthrough", ["a", "b"])]), Ridge())
    compare_rankers([by_column, dropped], table, y, groups=groups)


def test_a_warning_of_several_fits_is_shown_once(graded):
    X, y, groups = graded
    constant = np.column_stack([X, 1e9 + np.random.default_rng(0).normal(size=len(y)) * 1e-7])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compare_rankers(
            [PointwiseRanker(max_iter=1, device="cpu"), PointwiseRanker(max_iter=1, device="cpu")],
            constant,
            y,
            groups=groups,
            cv=2,
        )
    texts = [str(each.message) for each in caught]
    assert texts
    assert len(texts) == len(set(texts))


def test_few_groups_need_folds_of_the_user(graded):
    X, y, groups = graded
    few = np.isin(groups, ["q0", "q1", "q2", "q3"])
    with pytest.raises(ValueError, match=r"fewer than five groups, got cv=None and 4 groups. Pass cv=4"):
        compare_rankers([Column()], X[few], y[few], groups=groups[few])
    assert len(compare_rankers([Column()], X[few], y[few], groups=groups[few], cv=4).groups) == 4
    one = groups == "q0"
    with pytest.raises(ValueError, match=r"got cv=None and 1 group. Pass more groups"):
        compare_rankers([Column()], X[one], y[one], groups=groups[one])


def test_single_things_are_singular_and_the_legend_explains_only_what_is_there(graded):
    X, y, groups = graded
    y = np.where(groups == "q3", 0, y)
    rows = np.arange(len(y))
    is_tested = groups != "q5"
    cv = [(rows[~is_tested], rows[is_tested])]
    text = str(compare_rankers({"alone": Column()}, X, y, groups=groups, cv=cv)).replace("\n   ", " ")
    assert "30 groups, 240 rows, 3 columns. 1 fold, the same" in text
    assert "1 group is in no test fold." in text
    assert "1 group is left out, because the metric is not defined for it." in text
    assert "minus" not in text
    assert "interval" not in text
    assert "predict (s): seconds per fold." in text


def test_results_can_be_changed_without_effect(graded):
    X, y, groups = graded
    comparison = compare_rankers([Column(0), Column(1)], X, y, groups=groups)
    text = str(comparison)
    comparison.results["mean_score"][:] = 0
    assert str(comparison) == text


BAD = {
    "no groups": ({"groups": None}, ValueError, "groups must hold one id per row, got None"),
    "few groups": ({"groups": ["a"] * 3}, ValueError, "inconsistent numbers of samples"),
    "metric": ({"metric": "auc"}, ValueError, "metric must be one of 'ndcg'"),
    "grades": ({"y": np.linspace(0, 1, 240)}, ValueError, "metric must be defined for these rows, got metric='ndcg'"),
    "nothing relevant": ({"y": np.zeros(240)}, ValueError, "each list has only items of grade 0"),
    "no models": ({"models": {}}, ValueError, "models must hold at least one model"),
    "one model": ({"models": Ridge()}, TypeError, "models must be a list or a dict of estimators"),
    "a class": ({"models": [Ridge]}, TypeError, "models must be estimators with fit and predict"),
    "no predict": ({"models": [StandardScaler()]}, TypeError, "models must be estimators with fit and predict"),
    "no advice of other functions": (
        {"y": np.zeros(240)},
        ValueError,
        r"only items of grade 0. Score groups with relevant rows\.$",
    ),
    "missing id": ({"groups": [None] + ["a"] * 239}, ValueError, "^groups must have no missing values"),
    "draws": ({"n_bootstrap": 0}, ValueError, "n_bootstrap must be an integer of at least 1"),
    "cut groups": ({"cv": KFold(3)}, ValueError, "cv must keep the rows of a group together"),
    "two tests": ({"cv": GroupShuffleSplit(3, random_state=0)}, ValueError, "cv must test each group at most once"),
    "random rows": ({"cv": ShuffleSplit(1, random_state=0)}, ValueError, "cv must keep the rows of a group together"),
    "no folds": ({"cv": []}, ValueError, "cv must give at least one fold"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_named_before_any_fit(graded, case):
    X, y, groups = graded
    changes, error, message = BAD[case]
    arguments = {"models": [Column()], "X": X, "y": y, "groups": groups, **changes}
    with pytest.raises(error, match=message):
        compare_rankers(arguments.pop("models"), arguments.pop("X"), arguments.pop("y"), **arguments)
    assert not Column.fitted_on


@pytest.mark.parametrize("sign", [np.nan, np.array([[1.0], [2.0]])], ids=["not finite", "two scores"])
def test_an_error_names_the_model(graded, sign):
    X, y, groups = graded
    with pytest.raises(ValueError, match="models must predict one finite score per row") as caught:
        compare_rankers({"good": Column(), "broken": Column(sign=sign)}, X, y, groups=groups)
    assert caught.value.__notes__ == ["The error is from 'broken', one of the models in compare_rankers."]
