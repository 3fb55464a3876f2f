"""Two forms of tuples: points, and indices of points."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, shuffle

from tests.estimators.embedding.metric_learn.learners import (
    NEW_PAIRS,
    NEW_POINTS,
    PAIRS,
    POINTS,
    Y_PAIRS,
    pairs_learner,
)


def test_pairs_that_are_not_alike_are_put_apart():
    pairs = [[[1.0, 7.5], [1.5, 1.5]], [[6.5, 2.5], [6.0, 9.5]], [[1.5, 4.5], [3.0, 4.5]], [[6.0, 5.5], [5.5, 5.5]]]
    y = [1, 1, -1, -1]
    itml = pairs_learner(max_iter=100).fit(pairs, y)
    assert itml.score(pairs, y) == 1
    np.testing.assert_array_equal(itml.predict(pairs), y)


def test_pairs_of_points_in_a_three_dimensional_array(fitted_on_pairs):
    assert fitted_on_pairs.tuple_size_ == 2
    assert fitted_on_pairs.n_features_in_ == 3
    np.testing.assert_array_equal(fitted_on_pairs.classes_, [-1, 1])


def test_pairs_of_points_in_lists_of_lists_of_lists(fitted_on_pairs):
    itml = pairs_learner().fit(POINTS[PAIRS].tolist(), Y_PAIRS.tolist())
    np.testing.assert_array_equal(itml.transform(NEW_POINTS), fitted_on_pairs.transform(NEW_POINTS))
    np.testing.assert_array_equal(itml.predict(NEW_PAIRS), fitted_on_pairs.predict(NEW_PAIRS))


def test_two_pairs_are_enough():
    pairs = np.array([[[1.0, 3.0], [2.5, 5.5]], [[4.5, 2.5], [2.0, 2.5]]])
    mmc = pairs_learner().fit(pairs, np.array([1, -1]))
    assert set(mmc.predict([[[0.5, 1.5], [1.0, 3.0]], [[3.0, 1.0], [5.5, 6.0]]])) <= {-1, 1}


def test_pairs_of_indices_with_the_points_as_preprocessor():
    mmc = pairs_learner(preprocessor=POINTS).fit(PAIRS, Y_PAIRS)
    assert mmc.tuple_size_ == 2
    np.testing.assert_array_equal(mmc.predict(PAIRS), mmc.predict(POINTS[PAIRS]))
    np.testing.assert_allclose(mmc.decision_function(PAIRS), mmc.decision_function(POINTS[PAIRS]), atol=1e-6)
    np.testing.assert_allclose(mmc.pair_distance(PAIRS), mmc.pair_distance(POINTS[PAIRS]), atol=1e-6)
    np.testing.assert_allclose(mmc.pair_score(PAIRS), mmc.pair_score(POINTS[PAIRS]), atol=1e-6)
    assert mmc.score(PAIRS, Y_PAIRS) == pytest.approx(mmc.score(POINTS[PAIRS], Y_PAIRS))
    np.testing.assert_allclose(mmc.transform([2, 0]), mmc.transform(POINTS[[2, 0]]), atol=1e-6)


def test_indices_are_learned_from_as_the_points_are(fitted_on_pairs):
    mmc = pairs_learner(preprocessor=POINTS).fit(PAIRS, Y_PAIRS)
    np.testing.assert_allclose(mmc.transform(NEW_POINTS), fitted_on_pairs.transform(NEW_POINTS), atol=1e-5)
    assert mmc.threshold_ == pytest.approx(fitted_on_pairs.threshold_, abs=1e-5)


def test_indices_are_split_between_training_and_test(labeled, index_pairs):
    X, _ = labeled
    pairs_train, pairs_test, y_train, y_test = train_test_split(*index_pairs, random_state=0)
    mmc = pairs_learner(preprocessor=X).fit(pairs_train, y_train)
    assert mmc.predict(pairs_test).shape == y_test.shape
    assert 0 <= mmc.score(pairs_test, y_test) <= 1


def test_pairs_of_points_are_split_between_training_and_test(labeled, index_pairs):
    X, _ = labeled
    pairs, y = index_pairs
    pairs_train, pairs_test, y_train, y_test = train_test_split(X[pairs], y, random_state=0)
    assert pairs_test.shape == (20, 2, 4)
    mmc = pairs_learner().fit(pairs_train, y_train)
    assert mmc.predict(pairs_test).shape == y_test.shape
    assert 0 <= mmc.score(pairs_test, y_test) <= 1


def test_constraints_made_from_labels(labeled):
    X, y = labeled
    both = np.array(list(combinations(range(len(y)), 2)))
    similar = both[y[both[:, 0]] == y[both[:, 1]]]
    dissimilar = check_random_state(0).permutation(both[y[both[:, 0]] != y[both[:, 1]]])[: len(similar)]
    pairs = np.vstack([similar, dissimilar])
    pairs_labels = np.concatenate([np.ones(len(similar)), -np.ones(len(dissimilar))])
    itml = pairs_learner(preprocessor=X)
    itml.fit(pairs, pairs_labels)
    assert itml.transform(X).shape == (60, 16)
    assert itml.score(pairs, pairs_labels) > 0.8


def test_pairs_of_pictures_with_targets_0_and_1():
    rng = check_random_state(0)
    dataset, target = rng.uniform(size=(20, 2, 4, 3)), np.repeat([0, 1], 10)
    pairs, y = shuffle(dataset, target, random_state=42)
    y = 2 * y - 1
    pairs = pairs.reshape(pairs.shape[0], 2, -1)
    itml = pairs_learner().fit(pairs, y)
    assert itml.n_features_in_ == 12
    assert set(itml.predict(pairs)) <= {-1, 1}
