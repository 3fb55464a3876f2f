"""Groups, group columns and invalid input of rankers."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.estimators import all_estimators
from skmetric.estimators.ranking._ranker import Ranker
from skmetric.estimators.ranking.listwise import ListwiseRanker
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.metrics import ndcg_scorer

SMALL = {"hidden_layer_sizes": (8,), "max_iter": 3, "device": "cpu", "random_state": 0}
each_kind = pytest.mark.parametrize(
    "ranker",
    [ranker(**SMALL) for _, ranker in all_estimators() if issubclass(ranker, Ranker)],
    ids=lambda r: type(r).__name__,
)
X = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
Y = np.arange(30) % 5
GROUPS = np.arange(30) // 6


@each_kind
@pytest.mark.parametrize(
    "ids", [GROUPS, GROUPS.astype(float), np.array(list("abcde"))[GROUPS]], ids=lambda i: i.dtype.kind
)
def test_a_named_column_is_the_groups(ranker, ids):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    expected = clone(ranker).fit(frame, Y, groups=GROUPS)
    frame.insert(1, "qid", ids)
    named = clone(ranker).set_params(group_column="qid").fit(frame, Y)
    assert named.n_features_in_ == 4
    assert list(named.feature_names_in_) == ["a", "qid", "b", "c"]
    assert_array_equal(named.predict(frame), expected.predict(frame[["a", "b", "c"]]))
    assert named.score(frame, Y) == expected.score(frame[["a", "b", "c"]], Y, groups=GROUPS)
    # Its values are not used, and it may be absent.
    assert_array_equal(named.predict(frame.assign(qid="x")), named.predict(frame))
    others = frame[["a", "b", "c"]]
    for method in ("predict", "score_samples", "transform"):
        assert_array_equal(getattr(named, method)(others), getattr(named, method)(frame))
    assert named.score(others, Y, groups=ids) == named.score(frame, Y)


@each_kind
def test_a_column_by_its_place(ranker):
    expected = clone(ranker).fit(X, Y, groups=GROUPS)
    for table in (
        np.column_stack([X, GROUPS]),
        np.column_stack([X, GROUPS]).tolist(),
        pd.DataFrame(X).assign(q=GROUPS),
    ):
        if isinstance(table, pd.DataFrame):
            table.columns = table.columns.astype(str)
        placed = clone(ranker).set_params(group_column=-1).fit(table, Y)
        assert_array_equal(placed.predict(table), expected.predict(X))
        assert placed.score(table, Y) == expected.score(X, Y, groups=GROUPS)


@each_kind
@pytest.mark.parametrize(
    ("params", "data", "message"),
    [
        ({"group_column": "qid"}, {}, "must be an index if X has no column names.*X of type ndarray"),
        ({"group_column": 3}, {}, "must be the index of a column of X, which has 3 columns"),
        ({"group_column": 0}, {"groups": GROUPS}, "groups must be None if group_column is set"),
        ({}, {"groups": GROUPS[:-1]}, "groups must hold one id per row, got 29 ids for 30 rows"),
        ({}, {"groups": np.where(GROUPS == 2, np.nan, GROUPS)}, "groups must have no missing values"),
        ({}, {"groups": [None, *GROUPS[1:]]}, "groups must have no missing values"),
        ({}, {"groups": np.column_stack([GROUPS, GROUPS])}, "groups must have one id per row"),
        ({}, {"sample_weight": -np.ones(30)}, "[Nn]egative"),
        ({}, {"sample_weight": np.zeros(30)}, "zero"),
        ({}, {"sample_weight": np.ones(29)}, "sample_weight"),
        ({"metric": "auc"}, {}, "metric must be one of 'ndcg'"),
        ({"metric": "spearman@3"}, {}, "metric must be one of"),
        ({"metric": "ndcg@0"}, {}, "metric must be one of"),
        ({}, {"y": np.full(30, np.nan)}, "NaN"),
        ({}, {"y": None}, "requires y"),
        ({"early_stopping": True}, {"X_val": X}, "must be given together"),
        ({}, {"X_val": X, "y_val": Y}, "must be None without early stopping.*Set early_stopping=True"),
        ({"early_stopping": True}, {"groups": np.arange(30) == 29}, "early_stopping must have two groups in which y"),
        (
            {"early_stopping": True},
            {"y": Y - 2, "groups": GROUPS},
            "metric must be defined for these rows, got metric='ndcg'",
        ),
    ],
)
def test_bad_input_is_named_and_changes_nothing(ranker, params, data, message):
    ranker = clone(ranker).fit(X, Y, groups=GROUPS)
    before = dict(vars(ranker.set_params(**params)))
    data = {"X": X, "y": Y, **data}
    with pytest.raises(ValueError, match=message):
        ranker.fit(**data)
    assert vars(ranker) == before


@pytest.mark.parametrize("ranker", [PairwiseRanker(**SMALL), ListwiseRanker(**SMALL)])
@pytest.mark.parametrize("data", [{"groups": np.arange(30)}, {"y": np.ones(30)}, {"groups": Y}])
def test_nothing_to_rank_is_an_error(ranker, data):
    with pytest.raises(ValueError, match="y must differ within a group"):
        ranker.fit(**{"X": X, "y": Y, "groups": GROUPS, **data})


@pytest.mark.parametrize(
    "ranker", [PairwiseRanker(loss="lambda", **SMALL), ListwiseRanker(loss="approx_ndcg", **SMALL)]
)
def test_losses_made_of_gains_refuse_other_grades(ranker):
    with pytest.raises(ValueError, match=r"y must hold grades.*uses the gains of NDCG.*metric='ndcg_linear'"):
        ranker.fit(X, Y + 0.5, groups=GROUPS)
    clone(ranker).set_params(metric="ndcg_linear").fit(X, Y + 0.5, groups=GROUPS)


def test_other_losses_take_any_relevance():
    for ranker in (PairwiseRanker(**SMALL), PairwiseRanker(loss="logistic", **SMALL), ListwiseRanker(**SMALL)):
        ranker.set_params(metric="spearman").fit(X, Y - 7.5, groups=GROUPS)
        assert np.isfinite(ranker.predict(X)).all()


@each_kind
def test_scorers_find_the_column_behind_a_pipeline_too(ranker):
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(qid=GROUPS)
    named = clone(ranker).set_params(group_column="qid").fit(frame, Y)
    assert ndcg_scorer(named, frame, Y) == named.score(frame, Y)
    columns = ColumnTransformer(
        [("scale", StandardScaler(), ["a", "b", "c"])], remainder="passthrough", verbose_feature_names_out=False
    ).set_output(transform="pandas")
    pipeline = make_pipeline(columns, clone(named)).fit(frame, Y)
    assert ndcg_scorer(pipeline, frame, Y) == pipeline.score(frame, Y)
    found = GridSearchCV(
        pipeline, {"columntransformer__scale__with_mean": [True]}, cv=GroupKFold(2), scoring=ndcg_scorer
    )
    own = GridSearchCV(pipeline, {"columntransformer__scale__with_mean": [True]}, cv=GroupKFold(2))
    assert found.fit(frame, Y, groups=GROUPS).best_score_ == own.fit(frame, Y, groups=GROUPS).best_score_


@each_kind
def test_scorers_do_not_score_one_list_in_silence(ranker):
    fitted = clone(ranker).fit(X, Y, groups=GROUPS)
    assert fitted.has_groups_
    for whole in (fitted, make_pipeline("passthrough", fitted)):
        with pytest.raises(ValueError, match="groups must be given"):
            ndcg_scorer(whole, X, Y)
        assert ndcg_scorer(whole, X, Y, groups=GROUPS) == fitted.score(X, Y, groups=GROUPS)
    with pytest.warns(UserWarning, match="got no groups: it learns from all rows as one list"):
        one_list = clone(ranker).fit(X, Y)
    assert not one_list.has_groups_
    expected = one_list.score(X, Y)
    for whole in (one_list, make_pipeline("passthrough", one_list)):
        with pytest.warns(UserWarning, match=r"NdcgScorer\(\) got no groups: it scores all rows as one list"):
            assert ndcg_scorer(whole, X, Y) == expected
        assert ndcg_scorer(whole, X, Y, groups=np.zeros(30)) == expected


@each_kind
@pytest.mark.parametrize("n_rows", [10, 30])
def test_one_id_for_every_row_is_one_list_without_a_warning(ranker, n_rows):
    rows, y, one = X[:n_rows], Y[:n_rows], np.full(n_rows, "all")
    if hasattr(ranker, "max_group_size"):
        ranker = clone(ranker).set_params(max_group_size=20)
    for early_stopping in (False, True):
        ranker = clone(ranker).set_params(early_stopping=early_stopping)
        with pytest.warns(UserWarning, match=f"{type(ranker).__name__} got no groups.*pass the same id for every row"):
            without = clone(ranker).fit(rows, y)
        fitted = ranker.fit(rows, y, groups=one)
        assert_array_equal(fitted.predict(X), without.predict(X))
        assert fitted.score(rows, y, groups=one) == without.score(rows, y)
    # A new list with the same id is no group that was trained on.
    ranker.fit(X, Y, groups=np.zeros(30), X_val=X, y_val=Y, groups_val=np.zeros(30))


@each_kind
@pytest.mark.parametrize("place", ["argument", "column"])
def test_validation_rows_of_groups_that_are_trained_on_are_an_evident_mistake(ranker, place):
    ids = np.array(list("abcde"))[GROUPS]
    stopping = clone(ranker).set_params(early_stopping=True)

    def fit(groups_val):
        if place == "argument":
            return stopping.fit(X, Y, groups=ids, X_val=X, y_val=Y, groups_val=groups_val)
        tables = [pd.DataFrame(X, columns=["x", "y", "z"]).assign(qid=qid) for qid in (ids, groups_val)]
        return stopping.set_params(group_column="qid").fit(tables[0], Y, X_val=tables[1], y_val=Y)

    with pytest.warns(UserWarning, match="groups of the validation set should be new, got 2 of 5 ids .* such as 'd'"):
        shared = fit(np.array(list("dexyz"))[GROUPS]).history_
    new = fit(np.array(list("uvxyz"))[GROUPS]).history_
    assert [row["valid_score"] for row in shared] == [row["valid_score"] for row in new]
