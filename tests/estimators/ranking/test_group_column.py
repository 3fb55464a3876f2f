"""The column of a table that holds the groups: what it must not be, and where it may be absent."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.feature_selection import VarianceThreshold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.estimators import all_estimators
from skmetric.estimators.ranking._ranker import Ranker
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.estimators.ranking.pointwise import PointwiseRanker
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
FRAME = pd.DataFrame(X, columns=list("abc"))
FRAME.insert(1, "qid", GROUPS)
OTHERS = FRAME[["a", "b", "c"]]


@pytest.mark.parametrize("index", [2, -1, np.int64(2)])
def test_an_index_that_an_earlier_step_has_moved_is_noticed(index):
    table = np.column_stack([np.zeros(30), X[:, 0], GROUPS, X[:, 1]])
    pipeline = make_pipeline(VarianceThreshold(), PointwiseRanker(group_column=index, **SMALL))
    with pytest.warns(UserWarning, match=r"group_column=\S+ looks like a feature.*no group has two of the 30 rows"):
        pipeline.fit(table, Y)


@each_kind
def test_fractions_are_no_ids(ranker):
    halves = np.round(X[:, :1] * 2) / 2
    table = np.column_stack([halves, X, GROUPS])
    with pytest.warns(UserWarning, match=r"group_column=0 looks like a feature.*it holds fractions.*set_out") as caught:
        fitted = clone(ranker).set_params(group_column=0).fit(table, Y)
    assert len(caught) == 1
    assert f"first values are {', '.join(map(str, table[:3, 0].tolist()))}" in str(caught[0].message)
    fitted.score(table, Y)


@each_kind
def test_scaled_ids_are_noticed_too(ranker):
    table = np.column_stack([X, GROUPS])
    pipeline = make_pipeline(StandardScaler(), clone(ranker).set_params(group_column=3))
    with pytest.warns(UserWarning, match="dropped, moved or scaled"):
        pipeline.fit(table, Y)


@each_kind
@pytest.mark.parametrize(
    "ids",
    [GROUPS, GROUPS.astype(float), GROUPS.astype(str), pd.array(GROUPS, dtype="Int64"), pd.Categorical(GROUPS)],
    ids=["int", "float", "str", "Int64", "category"],
)
def test_ids_get_no_warning(ranker, ids):
    clone(ranker).set_params(group_column=1).fit(FRAME.assign(qid=ids), Y)
    clone(ranker).set_params(group_column="qid").fit(FRAME.assign(qid=ids), Y)
    clone(ranker).set_params(group_column="qid").fit(FRAME.assign(qid=GROUPS / 4), Y)


def test_a_named_column_of_row_numbers_is_noticed():
    with pytest.warns(UserWarning, match=r"group_column='qid' looks like a feature.*with the ids of the groups"):
        PointwiseRanker(group_column="qid", **SMALL).fit(FRAME.assign(qid=np.arange(30)), Y)


@each_kind
def test_a_table_without_the_named_column_must_have_the_others(ranker):
    fitted = clone(ranker).set_params(group_column="qid").fit(FRAME, Y)
    before = dict(vars(fitted))
    for table, message in [
        (OTHERS[["a", "c", "b"]], "same order as they were in fit"),
        (OTHERS[["a", "c"]], "seen at fit time, yet now missing:\n- b"),
        (OTHERS.assign(d=1.0), "unseen at fit time:\n- d"),
        (OTHERS.rename(columns={"b": "x"}), "unseen at fit time:\n- x"),
        (X, "group_column must be an index if X has no column names"),
    ]:
        for method in ("predict", "score_samples", "transform"):
            with pytest.raises(ValueError, match=message):
                getattr(fitted, method)(table)
    assert fitted.predict(OTHERS.iloc[:1]) == fitted.predict(FRAME.iloc[:1])
    assert vars(fitted) == before
    assert fitted.n_features_in_ == 4


@each_kind
def test_scores_need_groups_from_somewhere(ranker):
    fitted = clone(ranker).set_params(group_column="qid").fit(FRAME, Y)
    expected = fitted.score(FRAME, Y)
    assert fitted.score(OTHERS, Y, groups=GROUPS) == expected
    assert ndcg_scorer(fitted, OTHERS, Y, groups=GROUPS) == expected
    with pytest.raises(ValueError, match="groups must be given if X has no column 'qid', the group_column"):
        fitted.score(OTHERS, Y)
    with pytest.raises(ValueError, match="got 'qid', the name of 0 columns"):
        ndcg_scorer(fitted, OTHERS, Y)
    with pytest.raises(ValueError, match="groups must be None if group_column is set"):
        fitted.score(FRAME, Y, groups=GROUPS)
    with pytest.raises(ValueError, match="groups must be None if group_column is set"):
        fitted.fit(OTHERS, Y, groups=GROUPS)


@each_kind
def test_a_validation_set_may_have_its_groups_beside_it(ranker):
    stopping = clone(ranker).set_params(group_column="qid", early_stopping=True)
    inside = clone(stopping).fit(FRAME, Y, X_val=FRAME.assign(qid=GROUPS + 100), y_val=Y)
    beside = clone(stopping).fit(FRAME, Y, X_val=OTHERS, y_val=Y, groups_val=GROUPS + 100)
    assert [row["valid_score"] for row in inside.history_] == [row["valid_score"] for row in beside.history_]


@each_kind
def test_names_that_are_no_strings_or_are_double(ranker):
    numbered = pd.DataFrame(np.column_stack([X, GROUPS]), columns=[3, 2, 1, 0])
    expected = clone(ranker).fit(X, Y, groups=GROUPS).predict(X)
    # An int is an index, also if a column has this name.
    assert_array_equal(clone(ranker).set_params(group_column=3).fit(numbered, Y).predict(numbered), expected)
    levels = numbered.set_axis(pd.MultiIndex.from_product([["x", "y"], ["u", "v"]]), axis=1)
    assert_array_equal(clone(ranker).set_params(group_column=-1).fit(levels, Y).predict(levels), expected)
    double = FRAME.set_axis(["a", "qid", "qid", "c"], axis=1)
    with pytest.raises(ValueError, match=r"got 'qid', the name of 2 columns\. Rename one of them"):
        clone(ranker).set_params(group_column="qid").fit(double, Y)


@pytest.mark.parametrize("table", [csr_array(np.eye(30)), X[:, 0]], ids=["sparse", "one axis"])
def test_no_table_is_refused(table):
    with pytest.raises(ValueError, match="X must be a dense table with two axes"):
        PointwiseRanker(group_column=0, **SMALL).fit(table, Y)


def test_pairs_have_no_group_column():
    with pytest.raises(ValueError, match="group_column must be None for pairs"):
        PairwiseRanker(group_column=0, **SMALL).fit(np.zeros((3, 2, 2)), [1, 1, 1])
