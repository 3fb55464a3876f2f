"""Pairs: their predictions, thresholds and scores."""

from functools import partial

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import accuracy_score, f1_score, fbeta_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score, train_test_split

from tests.estimators.embedding.metric_learn.learners import (
    NEW_PAIRS,
    NEW_POINTS,
    PAIRS,
    POINTS,
    Y_PAIRS,
    pairs_learner,
)

# Prediction


def test_predictions_of_pairs_are_1_and_minus_1(labeled, index_pairs):
    X, _ = labeled
    mmc = pairs_learner(preprocessor=X).fit(*index_pairs)
    predicted = mmc.predict(index_pairs[0])
    assert predicted.shape == (80,)
    assert set(predicted) == {-1, 1}


def test_the_threshold_is_calibrated_by_fit(labeled, index_pairs):
    X, _ = labeled
    pairs, y = index_pairs
    mmc = pairs_learner(preprocessor=X).fit(pairs, y)
    fit_threshold, predicted = mmc.threshold_, mmc.predict(pairs)
    np.testing.assert_array_equal(predicted, np.where(mmc.pair_distance(pairs) <= fit_threshold, 1, -1))
    assert mmc.calibrate_threshold(pairs, y).threshold_ == pytest.approx(fit_threshold, rel=1e-5)
    np.testing.assert_array_equal(mmc.predict(pairs), predicted)


def rates(y, predicted):
    return np.mean(predicted[y == 1] == 1), np.mean(predicted[y == -1] == -1)


def true_positives_bounded(y, predicted, bound):
    true_positive, true_negative = rates(y, predicted)
    return true_positive if true_negative >= bound else -1


def true_negatives_bounded(y, predicted, bound):
    true_positive, true_negative = rates(y, predicted)
    return true_negative if true_positive >= bound else -1


@pytest.mark.parametrize(
    ("params", "criterion"),
    [
        ({}, accuracy_score),
        ({"strategy": "accuracy"}, accuracy_score),
        ({"strategy": "f_beta"}, partial(f1_score, zero_division=0)),
        ({"strategy": "f_beta", "beta": 0.5}, partial(fbeta_score, beta=0.5, zero_division=0)),
        ({"strategy": "max_tpr", "min_rate": 0.8}, partial(true_positives_bounded, bound=0.8)),
        ({"strategy": "max_tnr", "min_rate": 0.8}, partial(true_negatives_bounded, bound=0.8)),
    ],
)
def test_the_threshold_is_calibrated_on_other_pairs(labeled, index_pairs, params, criterion):
    X, _ = labeled
    pairs_train, pairs_valid, y_train, y_valid = train_test_split(*index_pairs, test_size=0.5, random_state=0)
    mmc = pairs_learner(preprocessor=X).fit(pairs_train, y_train)
    assert mmc.calibrate_threshold(pairs_valid, y_valid, **params) is mmc
    best = criterion(y_valid, mmc.predict(pairs_valid))
    distances = mmc.pair_distance(pairs_valid)
    found = [criterion(y_valid, mmc.set_threshold(t).predict(pairs_valid)) for t in [0.0, *distances.tolist()]]
    assert best == pytest.approx(max(found))
    assert len(set(found)) > 1


def test_the_threshold_is_calibrated_on_lists_with_float_labels(fitted_on_pairs):
    mmc = pairs_learner().fit(POINTS[PAIRS], Y_PAIRS)
    assert mmc.calibrate_threshold(POINTS[PAIRS].tolist(), [1.0, -1.0, 1.0, -1.0]) is mmc
    assert mmc.threshold_ == pytest.approx(fitted_on_pairs.threshold_)


def test_the_threshold_is_set_by_hand():
    mmc = pairs_learner().fit(POINTS[PAIRS], Y_PAIRS)
    assert mmc.set_threshold(0.4) is mmc
    assert mmc.threshold_ == 0.4
    np.testing.assert_array_equal(mmc.predict(NEW_PAIRS), np.where(mmc.pair_distance(NEW_PAIRS) <= 0.4, 1, -1))
    np.testing.assert_array_equal(mmc.set_threshold(100).predict(NEW_PAIRS), [1, 1, 1])


# Scores


def test_the_decision_function_of_pairs_is_their_score(fitted_on_pairs):
    decision = fitted_on_pairs.decision_function(NEW_PAIRS)
    assert decision.shape == (3,)
    np.testing.assert_array_equal(decision, fitted_on_pairs.pair_score(NEW_PAIRS))
    predicted = fitted_on_pairs.predict(NEW_PAIRS)
    np.testing.assert_array_equal(predicted, np.where(decision >= -fitted_on_pairs.threshold_, 1, -1))


def test_float_labels(fitted_on_pairs):
    mmc = pairs_learner().fit(POINTS[PAIRS], np.array([1.0, -1.0, 1.0, -1.0]))
    np.testing.assert_array_equal(mmc.transform(NEW_POINTS), fitted_on_pairs.transform(NEW_POINTS))
    np.testing.assert_array_equal(mmc.classes_, [-1, 1])
    np.testing.assert_array_equal(mmc.predict(NEW_PAIRS), fitted_on_pairs.predict(NEW_PAIRS))
    assert mmc.score(POINTS[PAIRS], [1.0, -1.0, 1.0, -1.0]) == fitted_on_pairs.score(POINTS[PAIRS], Y_PAIRS)


def test_the_score_of_pairs_is_the_area_under_the_roc_curve(labeled, index_pairs):
    X, _ = labeled
    pairs_train, pairs_test, y_train, y_test = train_test_split(*index_pairs, random_state=0)
    mmc = pairs_learner(preprocessor=X).fit(pairs_train, y_train)
    score = mmc.score(pairs_test, y_test.astype(float))
    assert score == pytest.approx(roc_auc_score(y_test, mmc.pair_score(pairs_test)))
    assert score == mmc.set_threshold(0.01).score(pairs_test, y_test)


def test_scores_of_three_pairs(fitted_on_pairs):
    assert fitted_on_pairs.score(NEW_PAIRS, np.array([1.0, -1.0, -1.0])) in (0, 0.5, 1)


def test_metrics_of_scikit_learn_judge_pairs(labeled, index_pairs):
    X, _ = labeled
    pairs, y = index_pairs
    mmc = pairs_learner(preprocessor=X, max_iter=5).fit(pairs, y)
    assert accuracy_score(y, mmc.predict(pairs)) > 0.7
    assert 0 < f1_score(y, mmc.predict(pairs)) <= 1
    assert roc_auc_score(y, mmc.decision_function(pairs)) > 0.7


@pytest.mark.parametrize("scoring", [None, "accuracy", "f1", "roc_auc"])
@pytest.mark.parametrize("as_points", [False, True], ids=["indices", "points"])
def test_pairs_are_cross_validated(labeled, index_pairs, scoring, as_points):
    X, _ = labeled
    pairs, y = index_pairs
    mmc, tuples = (pairs_learner(), X[pairs]) if as_points else (pairs_learner(preprocessor=X), pairs)
    scores = cross_val_score(mmc, tuples, y.astype(float), scoring=scoring)
    assert scores.shape == (5,)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_random_pairs_of_iris_are_cross_validated():
    rng = np.random.RandomState(42)
    X, _ = load_iris(return_X_y=True)
    pairs_indices = rng.randint(X.shape[0], size=(30, 2))
    y = 2 * rng.randint(2, size=30) - 1
    scores = cross_val_score(pairs_learner(preprocessor=X), pairs_indices, y)
    assert scores.shape == (5,)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_cross_validation_of_pairs_by_hand(labeled, index_pairs):
    X, _ = labeled
    pairs, y = index_pairs
    mmc, folds = pairs_learner(preprocessor=X), KFold(3)
    scores, predicted = [], np.zeros(len(y))
    for train, test in folds.split(pairs):
        mmc.fit(pairs[train], y[train])
        scores.append(mmc.score(pairs[test], y[test]))
        predicted[test] = mmc.predict(pairs[test])
    np.testing.assert_allclose(cross_val_score(mmc, pairs, y, cv=folds), scores)
    np.testing.assert_array_equal(cross_val_predict(mmc, pairs, y, cv=folds), predicted)


@pytest.mark.parametrize("scoring", [None, "accuracy"])
def test_parameters_are_searched_on_pairs(labeled, index_pairs, scoring):
    X, _ = labeled
    pairs, y = index_pairs
    search = GridSearchCV(pairs_learner(preprocessor=X), {"learning_rate": [0.001, 0.01]}, scoring=scoring, cv=2)
    search.fit(pairs, y)
    assert 0 <= search.best_score_ <= 1
    np.testing.assert_array_equal(search.predict(pairs), search.best_estimator_.predict(pairs))
