"""Triplets: their predictions and scores."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split

from tests.estimators.embedding.metric_learn.learners import NEW_POINTS, PAIRS, POINTS, TRIPLETS, triplets_learner


def test_triplets_of_points_in_a_three_dimensional_array(fitted_on_triplets):
    assert fitted_on_triplets.tuple_size_ == 3
    assert fitted_on_triplets.n_features_in_ == 3
    np.testing.assert_array_equal(fitted_on_triplets.classes_, [-1, 1])


def test_triplets_of_points_in_lists_of_lists_of_lists(fitted_on_triplets):
    scml = triplets_learner().fit(POINTS[TRIPLETS].tolist())
    np.testing.assert_array_equal(scml.transform(NEW_POINTS), fitted_on_triplets.transform(NEW_POINTS))


def test_two_triplets_are_enough():
    triplets = np.array([[[1.0, 3.0], [2.5, 5.5], [2.0, 0.5]], [[4.5, 2.5], [2.0, 2.5], [7.5, 3.5]]])
    scml = triplets_learner().fit(triplets)
    assert set(scml.predict(triplets)) <= {-1, 1}


def test_triplets_of_indices_with_the_points_as_preprocessor(fitted_on_triplets):
    scml = triplets_learner(preprocessor=POINTS).fit(TRIPLETS)
    assert scml.tuple_size_ == 3
    np.testing.assert_allclose(scml.transform(NEW_POINTS), fitted_on_triplets.transform(NEW_POINTS), atol=1e-5)
    np.testing.assert_array_equal(scml.predict(TRIPLETS), scml.predict(POINTS[TRIPLETS]))
    np.testing.assert_allclose(scml.decision_function(TRIPLETS), scml.decision_function(POINTS[TRIPLETS]), atol=1e-6)
    assert scml.score(TRIPLETS) == scml.score(POINTS[TRIPLETS])
    np.testing.assert_allclose(scml.pair_distance(PAIRS), scml.pair_distance(POINTS[PAIRS]), atol=1e-6)


def test_the_decision_function_of_triplets_is_a_difference_of_distances(fitted_on_triplets):
    triplets_test = POINTS[[[2, 1, 0], [0, 4, 3], [1, 2, 3]]]
    decision = fitted_on_triplets.decision_function(triplets_test)
    positive = fitted_on_triplets.pair_distance(triplets_test[:, [0, 1]])
    negative = fitted_on_triplets.pair_distance(triplets_test[:, [0, 2]])
    np.testing.assert_allclose(decision, negative - positive, atol=1e-6)
    np.testing.assert_array_equal(fitted_on_triplets.predict(triplets_test), np.where(decision > 0, 1, -1))


def test_no_triplet_is_predicted_0(fitted_on_triplets):
    a, b = POINTS[:2]
    np.testing.assert_array_equal(fitted_on_triplets.predict([[a, b, b], [a, a, a]]), [-1, -1])


def test_the_score_of_triplets_is_the_share_in_order(fitted_on_triplets):
    triplets_test = POINTS[[[2, 1, 0], [0, 4, 3], [1, 2, 3], [2, 0, 1]]]
    assert fitted_on_triplets.score(triplets_test) == np.mean(fitted_on_triplets.predict(triplets_test) == 1)
    assert fitted_on_triplets.score(triplets_test[[0, 3]]) == 0.5


def test_triplets_are_split_between_training_and_test(labeled, index_triplets):
    X, _ = labeled
    triplets_train, triplets_test = train_test_split(index_triplets, random_state=0)
    scml = triplets_learner(preprocessor=X, max_iter=5).fit(triplets_train)
    assert set(scml.predict(triplets_test)) <= {-1, 1}
    assert scml.score(triplets_test) > 0.7


@pytest.mark.parametrize("as_points", [False, True], ids=["indices", "points"])
def test_triplets_are_cross_validated_without_labels(labeled, index_triplets, as_points):
    X, _ = labeled
    scml = triplets_learner() if as_points else triplets_learner(preprocessor=X)
    scores = cross_val_score(scml, X[index_triplets] if as_points else index_triplets, cv=3)
    assert scores.shape == (3,)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_parameters_are_searched_on_triplets_without_labels(labeled, index_triplets):
    X, _ = labeled
    search = GridSearchCV(triplets_learner(), {"margin": [0.2, 0.5]}, cv=2)
    search.fit(X[index_triplets])
    assert 0 <= search.best_score_ <= 1
    assert search.best_params_["margin"] in (0.2, 0.5)
    assert search.score(X[index_triplets]) == search.best_estimator_.score(X[index_triplets])
