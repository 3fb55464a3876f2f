"""Rows that are not judged: they scale the inputs, and are in no list and no score."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline

from skmetric import TripletEmbedder
from skmetric._values import read_labels
from skmetric.estimators import all_estimators
from skmetric.estimators.ranking._ranker import Ranker
from skmetric.metrics import map_at_r_score, map_at_r_scorer, ndcg_scorer, recall_at_1_scorer
from skmetric.model_selection.search import BatchedGridSearchCV

SMALL = {"hidden_layer_sizes": (8,), "max_iter": 3, "device": "cpu", "random_state": 0}
each_kind = pytest.mark.parametrize(
    "ranker",
    [ranker(**SMALL) for _, ranker in all_estimators() if issubclass(ranker, Ranker)],
    ids=lambda r: type(r).__name__,
)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3)).astype(np.float32)
X[60:] *= 5
GROUPS = np.arange(90) // 6
NEW_GROUPS = GROUPS + 100
Y = (np.arange(90) % 5).astype(float)
KNOWN = RNG.random(90) < 0.6
KNOWN[GROUPS == 4] = False  # a whole group without judgments
GRADES = np.where(KNOWN, Y, -1)

MISSING = {
    "float": np.where(KNOWN, Y, np.nan),
    "list": [y if known else None for y, known in zip(Y.tolist(), KNOWN, strict=True)],
    "Int64": pd.Series(np.where(KNOWN, Y, np.nan)).astype("Int64"),
    "object": pd.Series([y if known else pd.NA for y, known in zip(Y, KNOWN, strict=True)], dtype=object, index=Y),
}


@each_kind
@pytest.mark.parametrize("params", [{}, {"early_stopping": True}], ids=["", "early_stopping"])
def test_a_fit_is_that_on_the_judged_rows(ranker, params):
    """Except for the scaling of the inputs, which is off here: bit for bit."""
    ranker = clone(ranker).set_params(inputs="none", **params)
    expected = clone(ranker).fit(X[KNOWN], Y[KNOWN], groups=GROUPS[KNOWN])
    fitted = clone(ranker).set_params(unlabeled=-1).fit(X, GRADES, groups=GROUPS)
    assert_array_equal(fitted.predict(X), expected.predict(X))
    assert [row["train_loss"] for row in fitted.history_] == [row["train_loss"] for row in expected.history_]
    assert fitted.score(X, GRADES, groups=GROUPS) == expected.score(X[KNOWN], Y[KNOWN], groups=GROUPS[KNOWN])
    weights = RNG.random(90)
    assert fitted.score(X, GRADES, weights, groups=GROUPS) == expected.score(
        X[KNOWN], Y[KNOWN], weights[KNOWN], groups=GROUPS[KNOWN]
    )


@each_kind
def test_rows_without_a_judgment_scale_the_inputs(ranker):
    ranker = clone(ranker).set_params(inputs="standard", unlabeled=-1, metric="spearman")
    # The judged rows all have one grade per group except in the first five groups.
    y = np.where(GROUPS < 5, Y, -1)
    near, far = clone(ranker).fit(X, y, groups=GROUPS), clone(ranker)
    moved = X.copy()
    moved[60:] += 100
    far.fit(moved, y, groups=GROUPS)
    assert not np.allclose(near.predict(X[:5]), far.predict(X[:5]))
    weightless = clone(ranker).fit(moved, y, groups=GROUPS, sample_weight=np.where(GROUPS < 10, 1.0, 0.0))
    same = clone(ranker).fit(X, y, groups=GROUPS, sample_weight=np.where(GROUPS < 10, 1.0, 0.0))
    assert_array_equal(weightless.predict(X[:5]), same.predict(X[:5]))


@each_kind
@pytest.mark.parametrize("form", MISSING)
@pytest.mark.parametrize("unlabeled", [np.nan, pd.NA], ids=["NaN", "NA"])
def test_nan_stands_for_all_missing_values(ranker, form, unlabeled):
    expected = clone(ranker).set_params(unlabeled=-1).fit(X, GRADES, groups=GROUPS)
    fitted = clone(ranker).set_params(unlabeled=unlabeled).fit(X, MISSING[form], groups=GROUPS)
    assert_array_equal(fitted.predict(X), expected.predict(X))
    assert fitted.score(X, MISSING[form], groups=GROUPS) == expected.score(X, GRADES, groups=GROUPS)
    assert ndcg_scorer(fitted, X, MISSING[form], groups=GROUPS) == expected.score(X, GRADES, groups=GROUPS)


@each_kind
def test_missing_values_are_refused_otherwise(ranker):
    for unlabeled in (None, -1):
        with pytest.raises(ValueError, match="NaN"):
            clone(ranker).set_params(unlabeled=unlabeled).fit(X, MISSING["float"], groups=GROUPS)


@each_kind
def test_the_row_in_a_message_is_that_of_y(ranker):
    y = GRADES.copy()
    row = np.flatnonzero(KNOWN)[10]
    y[row] = 0.5
    with pytest.warns(UserWarning, match=f"got 0.5 at row {row}"):
        clone(ranker).set_params(unlabeled=-1).fit(X, y, groups=GROUPS)


@each_kind
def test_validation_sets_leave_out_rows_too(ranker):
    stopping = clone(ranker).set_params(early_stopping=True, unlabeled=-1)
    whole = clone(stopping).fit(X, GRADES, groups=GROUPS, X_val=X, y_val=GRADES, groups_val=NEW_GROUPS)
    judged = {"X_val": X[KNOWN], "y_val": GRADES[KNOWN], "groups_val": NEW_GROUPS[KNOWN]}
    part = clone(stopping).fit(X, GRADES, groups=GROUPS, **judged)
    assert [row["valid_score"] for row in whole.history_] == [row["valid_score"] for row in part.history_]


@each_kind
def test_without_judged_rows_there_is_nothing_to_learn_or_score(ranker):
    ranker = clone(ranker).set_params(unlabeled=-1)
    for data in ({"y": np.full(90, -1.0)}, {"y": GRADES, "sample_weight": (~KNOWN).astype(float)}):
        with pytest.raises(ValueError, match=r"y must hold a labeled row with a positive weight.*unlabeled=-1"):
            clone(ranker).fit(X, groups=GROUPS, **data)
    fitted = ranker.fit(X, GRADES, groups=GROUPS)
    unjudged = X[:6], np.full(6, -1.0)
    with pytest.warns(UndefinedMetricWarning, match="The score is 0"):
        assert fitted.score(*unjudged, groups=GROUPS[:6]) == 0
    with pytest.warns(UndefinedMetricWarning, match="only unlabeled rows. The score is 0"):
        assert ndcg_scorer(fitted, *unjudged, groups=GROUPS[:6]) == 0


@each_kind
@pytest.mark.parametrize("search", [GridSearchCV, BatchedGridSearchCV])
def test_scorers_ask_the_estimator(ranker, search):
    frame = pd.DataFrame(X, columns=list("abc")).assign(qid=GROUPS)
    ranker = clone(ranker).set_params(unlabeled=-1, group_column="qid")
    fitted = ranker.fit(frame, GRADES)
    expected = fitted.score(frame, GRADES)
    pipeline = make_pipeline("passthrough", fitted)
    for whole in (fitted, pipeline, make_pipeline("passthrough", pipeline), FrozenEstimator(fitted)):
        assert ndcg_scorer(whole, frame, GRADES) == expected
    found = [
        search(ranker, {"max_iter": [1, 3]}, cv=GroupKFold(2), scoring=scoring).fit(frame, GRADES, groups=GROUPS)
        for scoring in (None, ndcg_scorer)
    ]
    assert_array_equal(found[0].cv_results_["mean_test_score"], found[1].cv_results_["mean_test_score"])
    assert ndcg_scorer(found[1], frame, GRADES) == found[1].score(frame, GRADES) == found[0].score(frame, GRADES)
    inside = make_pipeline("passthrough", search(ranker, {"max_iter": [1, 3]}, cv=GroupKFold(2), scoring=ndcg_scorer))
    with pytest.raises(ValueError, match="'groups' parameter should not be None"):
        inside.fit(frame, GRADES)
    inside.steps[-1] = ("search", found[1])
    assert ndcg_scorer(inside, frame, GRADES) == found[1].score(frame, GRADES)


@each_kind
def test_it_is_kept_by_pickles(ranker):
    fitted = clone(ranker).set_params(unlabeled=np.nan).fit(X, MISSING["float"], groups=GROUPS)
    loaded = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(loaded.is_labeled(MISSING["list"]), KNOWN)


@pytest.mark.parametrize("scorer", [map_at_r_scorer, recall_at_1_scorer])
def test_scorers_of_embeddings_leave_out_rows_too(scorer):
    labels = np.where(KNOWN, np.arange(90) % 3, -1)
    embedder = TripletEmbedder(n_components=2, unlabeled=-1, **SMALL).fit(X, labels)
    embeddings = embedder.transform(X)[KNOWN]
    weights = RNG.random(90)
    assert scorer(embedder, X, labels) == scorer.score(embeddings, labels[KNOWN])
    assert scorer(embedder, X, labels, sample_weight=weights) == scorer.score(
        embeddings, labels[KNOWN], sample_weight=weights[KNOWN]
    )
    assert (
        map_at_r_scorer(embedder, X, labels) == embedder.score(X, labels) == map_at_r_score(embeddings, labels[KNOWN])
    )


@pytest.mark.parametrize(
    ("y", "unlabeled", "expected"),
    [
        ([1, -1, 0], -1, [False, True, False]),
        (["a", "?", "b"], "?", [False, True, False]),
        (["a", None, float("nan")], np.nan, [False, True, True]),
        (pd.array([1, None, -1], dtype="Int64"), np.nan, [False, True, False]),
        (pd.Series(["a", None], dtype="string"), pd.NA, [False, True]),
        (pd.to_datetime(["2020-01-01", None]), pd.NaT, [False, True]),
        (np.array([[1.0], [np.nan]]), np.nan, [[False], [True]]),
        ([1, 2], None, [False, False]),
        ([True, False], "x", [False, False]),
    ],
)
def test_values_that_mean_unlabeled(y, unlabeled, expected):
    assert_array_equal(~read_labels(y, "y", unlabeled)[1], expected)
