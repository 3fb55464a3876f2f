"""PairwiseRanker on pairs."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from skmetric.estimators.points import Rows
from skmetric.estimators.ranking.pairwise import LOSSES, PairwiseRanker
from skmetric.metrics import spearman_scorer
from skmetric.model_selection.search import BatchedGridSearchCV

SMALL = {
    "hidden_layer_sizes": (16,),
    "max_iter": 40,
    "batch_size": 64,
    "learning_rate": 0.01,
    "device": "cpu",
    "random_state": 0,
}


@pytest.fixture(scope="module")
def preferences():
    """Pairs of points whose first column decides; the closest pairs are ties."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(80, 3)).astype(np.float32)
    index = rng.integers(0, 80, (400, 2))
    index = index[index[:, 0] != index[:, 1]]
    gap = points[index[:, 0], 0] - points[index[:, 1], 0]
    return points, index, np.where(np.abs(gap) < 0.2, 0, np.sign(gap)).astype(int)


@pytest.mark.parametrize("loss", LOSSES)
def test_it_learns_who_wins(loss, preferences):
    points, index, y = preferences
    ranker = PairwiseRanker(loss=loss, **SMALL).fit(points[index[:300]], y[:300])
    assert ranker.tuple_size_ == 2
    assert ranker.n_features_in_ == 3
    assert ranker.score(points[index[300:]], y[300:]) > 0.9
    assert np.corrcoef(ranker.score_samples(points), points[:, 0])[0, 1] > 0.9
    decided = y[300:] != 0
    right = ranker.predict(points[index[300:]])[decided] == y[300:][decided]
    assert ranker.score(points[index[300:]], y[300:]) == pytest.approx(right.mean())


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), n=st.integers(1, 70))
def test_swapping_the_points_changes_the_sign_and_nothing_else(seed, n, preferences):
    points, index, y = preferences
    pairs = np.random.default_rng(seed).normal(size=(n, 2, 3)).astype(np.float32)
    ranker = PairwiseRanker(loss="logistic", **SMALL | {"max_iter": 1}).fit(points[index], y)
    swapped = pairs[:, ::-1]
    assert_array_equal(ranker.decision_function(swapped), -ranker.decision_function(pairs))
    assert_array_equal(ranker.predict(swapped), -ranker.predict(pairs))
    assert_array_equal(ranker.predict_proba(swapped), ranker.predict_proba(pairs)[:, ::-1])
    same = np.stack([pairs[:, 0], pairs[:, 0]], axis=1)
    assert_array_equal(ranker.predict(same), np.zeros(n))


@pytest.mark.parametrize(
    "as_preprocessor", [Rows, lambda X: X, lambda X: X.tolist(), lambda X: lambda indices: X[indices]]
)
def test_index_pairs_are_their_points(as_preprocessor, preferences):
    points, index, y = preferences
    used = np.unique(index)
    ranker = PairwiseRanker(preprocessor=as_preprocessor(points), inputs="none", **SMALL).fit(index, y)
    by_points = PairwiseRanker(inputs="none", **SMALL).fit(points[index], y)
    assert len(used) < len(points) or len(used) == 80
    assert_allclose(ranker.decision_function(index), by_points.decision_function(points[index]), atol=1e-5)
    assert_array_equal(ranker.predict(index[:, ::-1]), -ranker.predict(index))
    assert ranker.score(index, y) == by_points.score(points[index], y)


def test_ties_pull_scores_together(preferences):
    points, index, _ = preferences
    pairs = points[index]
    ranker = PairwiseRanker(loss="logistic", ties=True, **SMALL | {"max_iter": 60})
    wins = clone(ranker).fit(pairs, np.sign(pairs[:, 0, 0] - pairs[:, 1, 0]))
    ties = clone(ranker).fit(pairs, np.zeros(len(pairs)))
    assert np.abs(ties.decision_function(pairs)).mean() < 0.1 * np.abs(wins.decision_function(pairs)).mean()


def test_probabilities_are_shares_of_the_weights():
    """Of two points, the first wins in three of four judgments, by weight."""
    pairs = np.tile(np.array([[[1.0, 0.0], [0.0, 1.0]]]), (64, 1, 1))
    y = np.tile([1, -1], 32)
    ranker = PairwiseRanker(loss="logistic", ties=True, dropout=0, weight_decay=0, **SMALL | {"max_iter": 200})
    for weights, share in [(np.where(y > 0, 3.0, 1.0), 0.75), (np.where(y > 0, 0.1, 0.3), 0.25), (None, 0.5)]:
        probabilities = clone(ranker).fit(pairs, y, sample_weight=weights).predict_proba(pairs)
        assert_allclose(probabilities[:, 1], share, atol=0.01)
        assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    thirds = clone(ranker).fit(pairs[:60], np.tile([1, 1, 0], 20)).predict_proba(pairs)
    assert_allclose(thirds[:, 1], 5 / 6, atol=0.01)


def test_no_outcome_means_the_first_wins(preferences):
    points, index, y = preferences
    winners_first = points[np.where(y[:, np.newaxis] < 0, index[:, ::-1], index)]
    ranker = PairwiseRanker(**SMALL)
    given = clone(ranker).fit(winners_first, np.ones(len(y)))
    assert_array_equal(clone(ranker).fit(winners_first, None).score_samples(points), given.score_samples(points))
    assert given.score(winners_first, None) == given.score(winners_first, np.ones(len(y)))


def test_scorers_of_rankings_refuse_pairs(preferences):
    points, index, y = preferences
    ranker = PairwiseRanker(**SMALL).fit(points[index], y)
    with pytest.raises(ValueError, match="was fitted on pairs"):
        spearman_scorer(ranker, points[index], y)


def test_early_stopping_holds_out_pairs(preferences):
    points, index, y = preferences
    ranker = PairwiseRanker(early_stopping=True, n_iter_no_change=3, **SMALL).fit(points[index], y)
    assert 0.5 < max(row["valid_score"] for row in ranker.history_) <= 1
    given = clone(ranker).fit(points[index[:300]], y[:300], X_val=points[index[300:]], y_val=y[300:])
    best = max(row["valid_score"] for row in given.history_)
    ties = (y[300:] == 0).mean()
    # In the validation score, a tie counts one half, regardless of the scores.
    assert given.score(points[index[300:]], y[300:]) == pytest.approx((best - ties / 2) / (1 - ties), abs=0.05)


@pytest.mark.parametrize("search", [GridSearchCV, BatchedGridSearchCV])
def test_searches_split_pairs_and_share_the_rows(search, preferences):
    points, index, y = preferences
    ranker = PairwiseRanker(preprocessor=Rows(points), **SMALL | {"max_iter": 20})
    assert clone(ranker).preprocessor is ranker.preprocessor
    found = search(ranker, {"margin": [0.1, 1.0]}, cv=3).fit(index, y)
    assert found.best_score_ > 0.8
    points_search = GridSearchCV(PairwiseRanker(**SMALL | {"max_iter": 20}), {"margin": [0.1, 1.0]}, cv=3)
    assert points_search.fit(points[index], y).best_score_ > 0.8
    assert cross_val_score(ranker, index, y, cv=3).min() > 0.8


def test_a_pickle_leaves_the_rows_out(preferences):
    points, index, y = preferences
    ranker = PairwiseRanker(preprocessor=Rows(points), **SMALL).fit(index, y)
    loaded = pickle.loads(pickle.dumps(ranker))
    assert len(pickle.dumps(Rows(np.zeros((10**5, 10))))) < 200
    assert_array_equal(loaded.score_samples(points), ranker.score_samples(points))
    with pytest.raises(ValueError, match="loaded from a pickle"):
        loaded.predict(index)
    assert_array_equal(loaded.set_params(preprocessor=Rows(points)).predict(index), ranker.predict(index))


def test_methods_of_pairs_are_hidden_on_rows(preferences):
    points, index, y = preferences
    rows = PairwiseRanker(loss="logistic", **SMALL).fit(points, points[:, 0] > 0, groups=np.zeros(len(points)))
    assert rows.tuple_size_ is None
    assert not hasattr(rows, "decision_function")
    assert not hasattr(rows, "predict_proba")
    pairs = PairwiseRanker(**SMALL).fit(points[index], y)
    assert hasattr(pairs, "decision_function")
    assert not hasattr(pairs, "predict_proba")


@pytest.mark.parametrize(
    ("params", "change", "message"),
    [
        ({}, {"y": 2}, r"y must be 1 \(the first wins\), -1 .*, 0 \(a tie\), or booleans.* got 2 at pair 0"),
        ({}, {"y": "first"}, "got 'first' at pair 0"),
        ({}, {"groups": 1}, r"groups must hold one id per pair, got \d+ ids for \d+ pairs"),
        ({"group_column": 0}, {}, "group_column must be None for pairs, got group_column=0.*Pass the ids of pairs"),
        ({"preprocessor": np.zeros((5, 3))}, {"index": True}, "must hold indices into preprocessor, from 0 to 4"),
        ({"preprocessor": Rows(np.zeros((5, 3)))}, {"index": True}, "must hold indices into preprocessor, from 0 to 4"),
        ({}, {"triplets": True}, r"shape \(n_pairs, 2, n_features\)"),
    ],
)
def test_bad_pairs_are_named(params, change, message, preferences):
    points, index, y = preferences
    data = {"X": points[index], "y": y}
    if "y" in change:
        data["y"] = None if change["y"] is None else np.full(len(y), change["y"])
    if "groups" in change:
        data["groups"] = np.zeros(len(y) - change["groups"])
    if "index" in change:
        data["X"] = index
    if "triplets" in change:
        data["X"] = points[np.column_stack([index, index[:, :1]])]
    with pytest.raises(ValueError, match=message):
        PairwiseRanker(**SMALL, **params).fit(**data)


def test_a_tie_is_held_out_whole(preferences):
    points, index, _ = preferences
    ranker = PairwiseRanker(early_stopping=True, ties=True, **SMALL | {"max_iter": 6})
    ranker.fit(points[index], np.zeros(len(index)))
    assert {row["valid_score"] for row in ranker.history_} == {0.5}


@pytest.mark.parametrize("outcomes", [[0, 1], [0]], ids=str)
def test_losses_that_are_written_as_ties_are_pointed_out(preferences, outcomes):
    points, index, _ = preferences
    pairs, y = points[index], np.resize(outcomes, len(index))
    with pytest.raises(ValueError, match=r"pass 2 \* y - 1. If 0 means a tie, set ties=True"):
        PairwiseRanker(**SMALL | {"max_iter": 1}).fit(pairs, y)
