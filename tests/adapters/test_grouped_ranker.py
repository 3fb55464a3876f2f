"""GroupedRanker: rows in any order, groups as ids or as a column, weights, validation rows, searches."""

import pickle

import numpy as np
import pytest
import scipy.sparse
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.adapters import GroupedRanker
from skmetric.metrics import NdcgScorer, ndcg_score, ndcg_scorer
from tests.adapters.boosters import FEW_TREES, NAMES, booster, ranking

pandas = pytest.importorskip("pandas")

each_library = pytest.mark.parametrize("name", NAMES)
TREES = {"LGBMRanker": "n_estimators", "XGBRanker": "n_estimators", "CatBoostRanker": "iterations"}


def fitted_by_hand(name, X, y, groups, **parameters):
    """The ranker of the library itself, as its documentation says: sorted rows, and groups in its form."""
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    rows = np.argsort(codes, kind="stable")
    form = {
        "LGBMRanker": {"group": sizes},
        "XGBRanker": {"qid": codes[rows]},
        "CatBoostRanker": {"group_id": codes[rows]},
    }
    return booster(name, **parameters).fit(X[rows], y[rows], **form[name])


def as_table(X, groups, column="qid"):
    """A DataFrame with the ids between the columns."""
    table = pandas.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    table.insert(2, column, groups)
    return table


@each_library
def test_it_equals_the_library_itself_on_sorted_rows(name):
    X, y, groups = ranking()
    expected = fitted_by_hand(name, X, y, groups).predict(X)
    ranker = GroupedRanker(booster(name)).fit(X, y, groups=groups)
    assert np.array_equal(ranker.predict(X), expected)
    assert np.ptp(expected) > 0
    assert ranker.has_groups_
    assert ranker.score(X, y, groups=groups) == pytest.approx(ndcg_score(y, expected, groups=groups))


@each_library
@pytest.mark.parametrize(
    "kind", [list, pandas.Series, lambda ids: np.unique(ids, return_inverse=True)[1].astype(np.int8)]
)
def test_ids_of_any_kind_give_the_same_ranker(name, kind):
    X, y, groups = ranking()
    expected = GroupedRanker(booster(name)).fit(X, y, groups=groups).predict(X)
    assert np.array_equal(GroupedRanker(booster(name)).fit(X, y, groups=kind(groups)).predict(X), expected)


@each_library
def test_a_column_of_ids_gives_the_same_ranker(name):
    X, y, groups = ranking()
    expected = GroupedRanker(booster(name)).fit(X, y, groups=groups)
    table = as_table(X, groups)
    ranker = GroupedRanker(booster(name), group_column="qid").fit(table, pandas.Series(y))
    assert np.array_equal(ranker.predict(table), expected.predict(X))
    assert ranker.score(table, y) == expected.score(X, y, groups=groups)
    assert ranker.n_features_in_ == X.shape[1] + 1
    assert "qid" in ranker.feature_names_in_

    by_index = GroupedRanker(booster(name), group_column=2).fit(table.to_numpy(dtype=object), y)
    assert np.array_equal(by_index.predict(table.to_numpy(dtype=object)), expected.predict(X))


@each_library
def test_predict_does_not_need_a_named_group_column(name):
    X, y, groups = ranking()
    table = as_table(X, groups)
    ranker = GroupedRanker(booster(name), group_column="qid").fit(table, y)
    assert np.array_equal(ranker.predict(table.drop(columns="qid")), ranker.predict(table))
    with pytest.raises(ValueError, match="feature names should match"):
        ranker.predict(table.drop(columns=["qid", "x0"]))
    with pytest.raises(ValueError, match="feature names"):
        ranker.predict(table.drop(columns="qid")[[f"x{j}" for j in reversed(range(X.shape[1]))]])
    with pytest.raises(ValueError, match="group_column must be the name of one column of X"):
        ranker.score(table.drop(columns="qid"), y)


@each_library
@pytest.mark.parametrize("form", [scipy.sparse.csr_array, scipy.sparse.csc_matrix])
def test_sparse_rows_are_sorted_too(name, form):
    X, y, groups = ranking()
    X = np.where(np.abs(X) < 0.5, 0, X)
    expected = fitted_by_hand(name, scipy.sparse.csr_matrix(X), y, groups).predict(scipy.sparse.csr_matrix(X))
    assert np.array_equal(GroupedRanker(booster(name)).fit(form(X), y, groups=groups).predict(form(X)), expected)


@each_library
def test_missing_values_and_categories_reach_the_library(name):
    X, y, groups = ranking()
    table = as_table(X, groups)
    table["x0"] = np.nan
    parameters = {"enable_categorical": True} if name == "XGBRanker" else {}
    ranker = GroupedRanker(booster(name, **parameters), group_column="qid")
    without = cross_val_score(ranker, table, y, groups=groups, cv=GroupKFold(3)).mean()
    table["color"] = pandas.Categorical(np.select([y > 1, y > 0], ["red", "green"], "blue"))
    assert cross_val_score(ranker, table, y, groups=groups, cv=GroupKFold(3)).mean() > max(without + 0.1, 0.9)
    assert ranker.fit(table, y, X_val=table, y_val=y).score(table, y) > 0.9


@each_library
def test_it_pickles(name):
    X, y, groups = ranking()
    ranker = GroupedRanker(booster(name)).fit(X, y, groups=groups)
    again = pickle.loads(pickle.dumps(ranker))
    assert np.array_equal(again.predict(X), ranker.predict(X))


def test_subclasses_are_adapted():
    lightgbm = pytest.importorskip("lightgbm")

    class Mine(lightgbm.LGBMRanker):
        pass

    X, y, groups = ranking()
    expected = fitted_by_hand("LGBMRanker", X, y, groups).predict(X)
    ranker = GroupedRanker(Mine(**FEW_TREES["LGBMRanker"])).fit(X, y, groups=groups)
    assert np.array_equal(ranker.predict(X), expected)


@pytest.mark.parametrize("wrong", [Ridge(), make_pipeline(StandardScaler(), Ridge()), Ridge, None])
def test_other_estimators_are_refused(wrong):
    X, y, groups = ranking()
    with pytest.raises(
        TypeError, match=r"LGBMRanker \(lightgbm\), XGBRanker \(xgboost\), CatBoostRanker \(catboost\), got"
    ):
        GroupedRanker(wrong).fit(X, y, groups=groups)


@each_library
def test_rows_without_groups_are_one_list_with_a_warning(name):
    X, y, _ = ranking()
    with pytest.warns(UserWarning, match=r"GroupedRanker got no groups: it .* pass the same id for every row"):
        ranker = GroupedRanker(booster(name)).fit(X, y)
    assert not ranker.has_groups_
    assert ranker.score(X, y) == ndcg_score(y, ranker.predict(X))


@each_library
def test_declined_groups_and_one_id_for_every_row_do_not_warn(name):
    X, y, _ = ranking()
    with sklearn.config_context(enable_metadata_routing=True):
        declines = GroupedRanker(booster(name)).set_fit_request(groups=False).fit(X, y)
    one = GroupedRanker(booster(name)).fit(X, y, groups=np.zeros(len(y)))
    assert not declines.has_groups_
    assert np.array_equal(declines.predict(X), one.predict(X))


@each_library
def test_a_score_without_groups_is_refused_after_a_fit_with_groups(name):
    X, y, groups = ranking()
    ranker = GroupedRanker(booster(name)).fit(X, y, groups=groups)
    with pytest.raises(ValueError, match="groups must be given because this GroupedRanker was fitted with groups"):
        ranker.score(X, y)
    with pytest.raises(ValueError, match="groups must be given because this GroupedRanker was fitted with groups"):
        ndcg_scorer(ranker, X, y)


@each_library
def test_bad_arguments_are_named(name):
    X, y, groups = ranking()
    ranker = GroupedRanker(booster(name))
    with pytest.raises(ValueError, match="metric must be one of 'ndcg', 'ndcg_linear'"):
        clone(ranker).set_params(metric="auc").fit(X, y, groups=groups)
    with pytest.raises(ValueError, match="groups must hold one id per row, got 3 ids"):
        clone(ranker).fit(X, y, groups=groups[:3])
    with pytest.raises(ValueError, match="groups must have no missing values"):
        clone(ranker).fit(X, y, groups=np.where(groups == groups[0], None, groups))
    with pytest.raises(ValueError, match="fit_params must not hold groups, weights or validation rows, got eval_set"):
        clone(ranker).fit(X, y, groups=groups, eval_set=[(X, y)])
    with pytest.raises(ValueError, match="groups must be None if group_column is set"):
        clone(ranker).set_params(group_column=0).fit(X, y, groups=groups)
    with pytest.raises(ValueError, match="y_val must be given with X_val"):
        clone(ranker).fit(X, y, groups=groups, X_val=X)
    with pytest.raises(ValueError, match="X_val must be given"):
        clone(ranker).fit(X, y, groups=groups, y_val=y)
    with pytest.raises(ValueError, match="got no groups for X_val and groups for X"):
        clone(ranker).fit(X, y, groups=groups, X_val=X, y_val=y)


@each_library
def test_bad_arguments_of_score_are_named_and_not_blamed_on_the_metric(name):
    X, y, groups = ranking()
    ranker = GroupedRanker(booster(name)).fit(X, y, groups=groups)
    with pytest.raises(ValueError, match=r"^groups must have no missing values"):
        ranker.score(X, y, groups=np.where(groups == groups[0], None, groups))
    with pytest.raises(ValueError, match=r"^Found input variables with inconsistent numbers of samples"):
        ranker.score(X, y, groups=groups[:3])
    with pytest.raises(ValueError, match=r"^y must be finite"):
        ranker.score(X, np.where(y > 1, np.inf, y), groups=groups)
    with pytest.raises(ValueError, match=r"^sample_weight must have one weight per row"):
        ranker.score(X, y, [1.0], groups=groups)
    with pytest.raises(ValueError, match=r"GroupedRanker: metric must be defined .* Score groups with relevant"):
        ranker.score(X, 0 * y, groups=groups)
    ranker.set_params(metric="ndcg_linear")
    with pytest.raises(ValueError, match="y must hold non-negative numbers, got -1") as caught:
        ranker.score(X, y - 1.0, groups=groups)
    assert "Set metric='ndcg_linear'" not in str(caught.value)
    ranker.set_params(metric="ndcg")
    is_first = groups == groups[0]
    with pytest.raises(ValueError, match=r"^GroupedRanker: sample_weight must be positive in at least one list"):
        ranker.score(X, np.where(is_first, 0, y), is_first.astype(float), groups=groups)


@each_library
def test_bad_validation_rows_are_named(name):
    X, y, groups = ranking()
    ranker = GroupedRanker(booster(name))
    held_out = {"X_val": X, "y_val": y, "groups_val": groups}
    for changes, message in (
        ({"y_val": np.where(y > 1, np.nan, y)}, "^y_val must have no missing values|^y_val must be finite"),
        ({"y_val": y[:3]}, "^y_val must hold one relevance per row"),
        ({"groups_val": groups[:3]}, "^groups_val must hold one id per row, got 3 ids"),
        ({"groups_val": np.where(groups == groups[0], None, groups)}, "^groups_val must have no missing values"),
    ):
        with pytest.raises(ValueError, match=message):
            ranker.fit(X, y, groups=groups, **{**held_out, **changes})


@pytest.mark.parametrize(
    ("name", "argument"), [("LGBMRanker", "eval_sample_weight"), ("XGBRanker", "sample_weight_eval_set")]
)
def test_weights_of_validation_rows_are_refused(name, argument):
    X, y, groups = ranking()
    with pytest.raises(ValueError, match=f"fit_params must not hold weights of validation rows, got {argument}. They"):
        GroupedRanker(booster(name)).fit(X, y, groups=groups, **{argument: [np.ones(3)]})


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("LGBMRanker", "early_stopping_round"),
        ("LGBMRanker", "early_stopping_rounds"),
        ("LGBMRanker", "n_iter_no_change"),
        ("XGBRanker", "early_stopping_rounds"),
    ],
)
def test_early_stopping_needs_validation_rows(name, parameter):
    X, y, groups = ranking()
    with pytest.raises(ValueError, match=f"X_val must be given for early stopping, got None and {name}.{parameter}=3"):
        GroupedRanker(booster(name, **{parameter: 3})).fit(X, y, groups=groups)


@pytest.mark.filterwarnings("ignore:Found 'application' in params")
def test_lightgbm_needs_whole_grades_only_for_its_losses_of_grades():
    X, y, groups = ranking()
    for wrong in (y + 0.5, y - 1):
        with pytest.raises(ValueError, match="y must hold whole numbers from 0 for LGBMRanker, got"):
            GroupedRanker(booster("LGBMRanker")).fit(X, wrong, groups=groups)
    for objective in ("objective", "application"):
        ranker = GroupedRanker(booster("LGBMRanker", **{objective: "regression"}), metric="spearman")
        assert ranker.fit(X, y + 0.5, groups=groups).score(X, y + 0.5, groups=groups) > 0


def test_catboost_takes_missing_categories_only_as_a_category():
    catboost = pytest.importorskip("catboost")
    X, y, groups = ranking()
    table = as_table(X, groups).assign(color=pandas.Categorical(np.where(y > 1, "red", None)))
    ranker = GroupedRanker(booster("CatBoostRanker"), group_column="qid")
    with pytest.raises(catboost.CatBoostError, match="NaN values should be converted to string"):
        ranker.fit(table, y)
    table["color"] = table["color"].cat.add_categories("none").fillna("none")
    assert ranker.fit(table, y).score(table, y) > 0.5


@each_library
def test_the_order_of_whole_groups_has_no_effect(name):
    X, y, groups = ranking()
    expected = GroupedRanker(booster(name)).fit(X, y, groups=groups).predict(X)
    order = np.random.default_rng(0).permutation(np.unique(groups))
    rows = np.concatenate([np.flatnonzero(groups == group) for group in order])
    again = GroupedRanker(booster(name)).fit(X[rows], y[rows], groups=groups[rows])
    assert np.array_equal(again.predict(X), expected)


def test_the_order_of_rows_within_a_group_matters_to_lightgbm():
    X, y, groups = ranking()
    expected = GroupedRanker(booster("LGBMRanker")).fit(X, y, groups=groups).predict(X)
    again = GroupedRanker(booster("LGBMRanker")).fit(X[::-1], y[::-1], groups=groups[::-1]).predict(X)
    assert not np.allclose(again, expected)


@each_library
def test_a_sparse_matrix_has_no_group_column(name):
    X, y, _ = ranking()
    with pytest.raises(ValueError, match=r"X must be a dense table .* got a sparse matrix\. Convert it"):
        GroupedRanker(booster(name), group_column=0).fit(scipy.sparse.csr_array(X), y)


@each_library
def test_a_failed_fit_keeps_the_last_one(name):
    X, y, groups = ranking()
    ranker = GroupedRanker(booster(name)).fit(X, y, groups=groups)
    expected = ranker.predict(X)
    with pytest.raises(ValueError, match="groups must hold one id per row"):
        ranker.fit(X[:, 1:], y, groups=groups[:3])
    assert ranker.n_features_in_ == X.shape[1]
    assert np.array_equal(ranker.predict(X), expected)


def search_of(estimator, prefix, name, **settings):
    return GridSearchCV(estimator, {f"{prefix}estimator__{TREES[name]}": [1, 20]}, cv=GroupKFold(3), **settings)


@each_library
def test_a_search_over_a_pipeline_routes_groups(name):
    X, y, groups = ranking(30)
    pipeline = make_pipeline(StandardScaler(), GroupedRanker(booster(name), metric="ndcg@5"))
    with sklearn.config_context(enable_metadata_routing=True):
        search = search_of(pipeline, "groupedranker__", name).fit(X, y, groups=groups)
        by_scorer = search_of(pipeline, "groupedranker__", name, scoring=NdcgScorer(k=5)).fit(X, y, groups=groups)
        figures = cross_validate(
            search.best_estimator_, X, y, cv=GroupKFold(3), params={"groups": groups}, return_estimator=True
        )
        assert search.score(X, y, groups=groups) > 0.8
    assert np.array_equal(search.cv_results_["mean_test_score"], by_scorer.cv_results_["mean_test_score"])
    assert search.best_params_ == {f"groupedranker__estimator__{TREES[name]}": 20}
    assert search.best_score_ == pytest.approx(figures["test_score"].mean())
    for fitted, (_, test) in zip(figures["estimator"], GroupKFold(3).split(X, y, groups), strict=True):
        assert fitted[-1].has_groups_
        value = ndcg_score(y[test], fitted.predict(X[test]), groups=groups[test], k=5)
        assert value in figures["test_score"]


@each_library
def test_a_search_without_routing_takes_a_column(name):
    X, y, groups = ranking(30)
    table = as_table(X, groups)
    names = [column for column in table if column != "qid"]
    scaled = ColumnTransformer(
        [("scale", StandardScaler(), names)], remainder="passthrough", verbose_feature_names_out=False
    ).set_output(transform="pandas")
    pipeline = make_pipeline(scaled, GroupedRanker(booster(name), metric="ndcg@5", group_column="qid"))
    search = search_of(pipeline, "groupedranker__", name).fit(table, y, groups=groups)
    by_scorer = search_of(pipeline, "groupedranker__", name, scoring=NdcgScorer(k=5)).fit(table, y, groups=groups)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = make_pipeline(StandardScaler(), GroupedRanker(booster(name), metric="ndcg@5"))
        routed = search_of(routed, "groupedranker__", name).fit(X, y, groups=groups)
    assert search.cv_results_["mean_test_score"] == pytest.approx(routed.cv_results_["mean_test_score"])
    assert by_scorer.cv_results_["mean_test_score"] == pytest.approx(routed.cv_results_["mean_test_score"])


@each_library
def test_a_search_without_routing_and_column_warns_for_every_fit(name):
    X, y, groups = ranking()
    with pytest.warns(UserWarning, match="got no groups"):
        cross_val_score(GroupedRanker(booster(name)), X, y, groups=groups, cv=GroupKFold(3))


@each_library
def test_validation_rows_stop_early(name):
    X, y, groups = ranking(40)
    is_held_out = np.isin(groups, np.unique(groups)[:20])
    noise = np.random.default_rng(0).permutation(y)
    early = {"LGBMRanker": "early_stopping_round", "XGBRanker": "early_stopping_rounds"}
    ranker = booster(name, **{TREES[name]: 200, early.get(name, "early_stopping_rounds"): 3})
    held_out = {
        "X_val": X[is_held_out],
        "y_val": y[is_held_out],
        "groups_val": groups[is_held_out],
    }
    # Trained on noise, no later tree is better on the held-out groups for long.
    rows = ~is_held_out
    stopped = GroupedRanker(ranker).fit(X[rows], noise[rows], groups=groups[rows], **held_out)
    inner = stopped.estimator_
    n_trees = {
        "LGBMRanker": lambda: inner.best_iteration_,
        "XGBRanker": lambda: inner.best_iteration + 1,
        "CatBoostRanker": lambda: inner.tree_count_,
    }[name]()
    assert 0 < n_trees < 100
    fixed = fitted_by_hand(name, X[rows], noise[rows], groups[rows], **{TREES[name]: n_trees})
    assert stopped.predict(X) == pytest.approx(fixed.predict(X), abs=1e-6)


@each_library
def test_validation_rows_are_evaluated_by_group(name):
    """The metric of the library on the validation rows equals ours with its convention, so groups arrive."""
    X, y, groups = ranking(30)
    parameters = {
        "LGBMRanker": {},
        "XGBRanker": {"eval_metric": "ndcg@5"},
        "CatBoostRanker": {"eval_metric": "NDCG:top=5;type=Exp", "use_best_model": False},
    }[name]
    more = {"eval_at": [5]} if name == "LGBMRanker" else {}
    ranker = GroupedRanker(booster(name, **parameters), group_column="qid")
    other, other_y, other_groups = ranking(15, seed=1)
    inner = ranker.fit(as_table(X, groups), y, X_val=as_table(other, other_groups), y_val=other_y, **more).estimator_
    value = {
        "LGBMRanker": lambda: inner.evals_result_["valid_0"]["ndcg@5"][-1],
        "XGBRanker": lambda: inner.evals_result()["validation_0"]["ndcg@5"][-1],
        "CatBoostRanker": lambda: inner.get_evals_result()["validation"]["NDCG:top=5;type=Exp"][-1],
    }[name]()
    library = {"LGBMRanker": "lightgbm", "XGBRanker": "xgboost"}
    rules = {"convention": library[name]} if name in library else {"ties": "pessimistic", "empty": 1}
    # The rows of a list in the order in which the library gets them, because ties take it.
    rows = np.argsort(other_groups, kind="stable")
    scores = ranker.predict(as_table(other, other_groups))[rows]
    expected = ndcg_score(other_y[rows], scores, groups=other_groups[rows], k=5, **rules)
    assert value == pytest.approx(expected, abs=1e-6)


def test_more_arguments_reach_fit():
    lightgbm = pytest.importorskip("lightgbm")
    X, y, groups = ranking()
    seen = {}
    GroupedRanker(booster("LGBMRanker")).fit(
        X, y, groups=groups, X_val=X, y_val=y, groups_val=groups, callbacks=[lightgbm.record_evaluation(seen)]
    )
    assert len(seen["valid_0"]["ndcg@1"]) == 5
