"""The examples in the documentation of metric-learn, with its classes replaced by the embedders.

Not included are examples that need a linear map (``components_``, ``get_mahalanobis_matrix``), quadruplets, or learning
without labels.
"""

import pickle
from functools import partial
from itertools import combinations, permutations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, make_blobs, make_classification
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    fbeta_score,
    pairwise_distances,
    precision_recall_fscore_support,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import check_random_state, shuffle

from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder

EMBEDDERS = [TripletEmbedder, ContrastiveEmbedder]

# Four points of three columns, in pairs that share some of them, and two new points.
POINTS = np.array([[0.1, 1.0, -0.5], [0.3, 0.8, -0.4], [-2.0, 0.1, 0.6], [1.5, 0.2, 0.9], [0.9, -0.3, 2.4]])
PAIRS = np.array([[0, 1], [2, 3], [3, 4], [0, 2]])
Y_PAIRS = np.array([1, -1, 1, -1])
NEW_POINTS = np.array([[9.0, 4.0, 4.5], [2.0, 4.5, 2.5]])
NEW_PAIRS = [[[3.5, 3.5, 5.0], [5.5, 2.5, 6.5]], [[1.0, 4.0, 7.5], [2.0, 6.5, 1.0]], [[0.0, 0.5, 0.0], [0.1, 0.5, 0.0]]]
TRIPLETS = np.array([[0, 1, 2], [3, 4, 2], [1, 0, 3], [4, 3, 0]])

embedders = pytest.mark.parametrize("embedder", EMBEDDERS)


def make(embedder, **params):
    return embedder(**{"max_iter": 3, "device": "cpu", "random_state": 0, **params})


pairs_learner = partial(make, ContrastiveEmbedder)
triplets_learner = partial(make, TripletEmbedder)


@pytest.fixture(scope="module")
def labeled():
    return make_blobs(60, 4, centers=3, cluster_std=2.0, random_state=0)


@pytest.fixture(scope="module")
def index_pairs(labeled):
    """80 pairs of rows, similar if they have the same class."""
    _, y = labeled
    pairs = check_random_state(0).randint(len(y), size=(80, 2))
    return pairs, np.where(y[pairs[:, 0]] == y[pairs[:, 1]], 1, -1)


@pytest.fixture(scope="module")
def index_triplets(labeled):
    """60 triplets of an anchor, a row of its class and a row of another class."""
    _, y = labeled
    rng = check_random_state(0)
    return np.array(
        [[a, rng.choice(np.flatnonzero(y == y[a])), rng.choice(np.flatnonzero(y != y[a]))] for a in range(60)]
    )


@pytest.fixture(scope="module")
def fitted_on_pairs():
    return pairs_learner().fit(POINTS[PAIRS], Y_PAIRS)


@pytest.fixture(scope="module")
def fitted_on_triplets():
    return triplets_learner().fit(POINTS[TRIPLETS])


@pytest.fixture(scope="module", params=[*EMBEDDERS, "pairs", "triplets"])
def fitted(request, fitted_on_pairs, fitted_on_triplets):
    """A fitted embedder of points with three columns, for each kind of training data."""
    if request.param == "pairs":
        return fitted_on_pairs
    if request.param == "triplets":
        return fitted_on_triplets
    return make(request.param).fit(POINTS, ["dog", "dog", "cat", "cat", "cat"])


# All kinds of training data: embeddings, and distances between points


def test_constructors_need_no_arguments():
    pairs = [[[1.0, 7.5], [1.5, 1.5]], [[6.5, 2.5], [6.0, 9.5]], [[1.5, 4.5], [3.0, 4.5]], [[6.0, 5.5], [5.5, 5.5]]]
    itml = ContrastiveEmbedder()
    assert itml.fit(pairs, [1, 1, -1, -1]) is itml
    triplets = [[[1.0, 7.5], [1.5, 1.5], [6.0, 9.5]], [[1.5, 4.5], [3.0, 4.5], [5.5, 5.5]]]
    scml = TripletEmbedder()
    assert scml.fit(triplets) is scml
    assert itml.transform([[1.0, 7.5]]).shape == scml.transform([[1.0, 7.5]]).shape == (1, 16)


def test_new_points_are_transformed(fitted):
    embeddings = fitted.transform(NEW_POINTS)
    assert embeddings.shape == (2, 16)
    assert np.isfinite(embeddings).all()


def test_distances_of_pairs_in_lists(fitted):
    distances = fitted.pair_distance(NEW_PAIRS)
    assert distances.shape == (3,)
    assert (distances > 0).all()
    embeddings = fitted.transform(np.reshape(NEW_PAIRS, (6, 3))).reshape(3, 2, -1)
    straight = np.linalg.norm(embeddings[:, 0] - embeddings[:, 1], axis=1)
    np.testing.assert_array_equal(np.argsort(distances), np.argsort(straight))


@embedders
def test_euclidean_distances_of_pairs_are_those_of_the_transformed_points(embedder):
    nca = make(embedder, distance="euclidean").fit(POINTS, [0, 0, 1, 1, 1])
    embeddings = nca.transform(np.reshape(NEW_PAIRS, (6, 3))).reshape(3, 2, -1)
    straight = np.linalg.norm(embeddings[:, 0] - embeddings[:, 1], axis=1)
    np.testing.assert_allclose(nca.pair_distance(NEW_PAIRS), straight, atol=1e-6)


def test_scores_of_pairs_are_minus_their_distances(fitted):
    score = fitted.pair_score(NEW_PAIRS)
    np.testing.assert_array_equal(score, -fitted.pair_distance(NEW_PAIRS))


def test_the_metric_of_two_points_is_their_distance(fitted):
    metric_fun = fitted.get_metric()
    for (u, v), distance in zip(NEW_PAIRS, fitted.pair_distance(NEW_PAIRS), strict=True):
        assert metric_fun(u, v) == pytest.approx(distance, abs=1e-5)
        assert metric_fun(np.array(u), np.array(v)) == metric_fun(u, v)


def test_the_metric_is_a_number_symmetric_and_zero_on_equal_points(fitted):
    metric_fun = fitted.get_metric()
    for u, v in NEW_PAIRS:
        assert np.ndim(metric_fun(u, v)) == 0
        assert float(metric_fun(u, v)) > 0
        assert metric_fun(u, v) == pytest.approx(metric_fun(v, u), abs=1e-6)
        assert metric_fun(u, u) == pytest.approx(0, abs=1e-6)


@embedders
def test_a_euclidean_metric_keeps_the_triangle_inequality(embedder):
    metric_fun = make(embedder, distance="euclidean").fit(POINTS, [0, 0, 1, 1, 1]).get_metric()
    for u, v, w in permutations(POINTS, 3):
        assert metric_fun(u, w) <= metric_fun(u, v) + metric_fun(v, w) + 1e-5


def test_the_metric_pickles(fitted):
    metric_fun = fitted.get_metric()
    restored = pickle.loads(pickle.dumps(metric_fun))
    assert [restored(u, v) for u, v in NEW_PAIRS] == [metric_fun(u, v) for u, v in NEW_PAIRS]


def test_the_metric_is_independent_of_its_learner():
    mmc = pairs_learner().fit(POINTS[PAIRS], Y_PAIRS)
    metric_fun = mmc.get_metric()
    before = [metric_fun(u, v) for u, v in NEW_PAIRS]
    mmc.set_params(random_state=1, max_iter=5).fit(POINTS[PAIRS], -Y_PAIRS)
    assert [metric_fun(u, v) for u, v in NEW_PAIRS] == before
    assert [mmc.get_metric()(u, v) for u, v in NEW_PAIRS] != before


def test_an_embedder_shows_its_parameters():
    assert "random_state=42" in repr(ContrastiveEmbedder(random_state=42))
    assert "random_state=42" in repr(TripletEmbedder(random_state=42))


# Two forms of tuples


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


# Preprocessors


def find_images(file_paths):
    """Points of the files "img00.png", "img01.png", ..., for a one-dimensional array-like of names."""
    return np.vstack([POINTS[int(path[3:5])] for path in file_paths])


def fetch(indices):
    assert np.ndim(indices) == 1
    return POINTS[indices]


def not_yet(indicators):
    raise NotImplementedError("This preprocessor does nothing yet.")


def paths(indices):
    return np.char.add(np.char.add("img0", np.asarray(indices).astype(str)), ".png").tolist()


@embedders
@pytest.mark.parametrize("preprocessor", [POINTS, POINTS.tolist(), fetch], ids=["array", "lists", "callable"])
def test_labeled_indices(embedder, preprocessor):
    points_indices, y = np.array([2, 0, 1, 0]), np.array([1, 0, 1, 1])
    nca = make(embedder, preprocessor=preprocessor)
    assert nca.fit(points_indices, y) is nca
    assert nca.tuple_size_ is None
    np.testing.assert_array_equal(nca.classes_, [0, 1])
    np.testing.assert_allclose(nca.transform(points_indices), nca.transform(POINTS[points_indices]), atol=1e-6)
    assert set(nca.predict(points_indices)) <= {0, 1}
    np.testing.assert_allclose(nca.pair_distance(PAIRS), nca.pair_distance(POINTS[PAIRS]), atol=1e-6)
    np.testing.assert_allclose(nca.pair_score(PAIRS), nca.pair_score(POINTS[PAIRS]), atol=1e-6)


@embedders
def test_labeled_indices_are_learned_from_as_the_points_are(embedder):
    indices, y = [2, 0, 1, 3, 4], [1, 0, 0, 1, 1]
    by_index = make(embedder, preprocessor=POINTS).fit(indices, y).transform(NEW_POINTS)
    np.testing.assert_allclose(by_index, make(embedder).fit(POINTS[indices], y).transform(NEW_POINTS), atol=1e-6)


@embedders
def test_labeled_file_names(embedder):
    nca = make(embedder, preprocessor=find_images)
    nca.fit(["img01.png", "img00.png", "img02.png"], [1, 0, 1])
    embeddings = nca.transform(["img04.png", "img00.png"])
    np.testing.assert_allclose(embeddings, nca.transform(POINTS[[4, 0]]), atol=1e-6)
    assert set(nca.predict(np.array(["img04.png", "img03.png"]))) <= {0, 1}


@pytest.mark.parametrize("as_indicators", [paths, lambda pairs: np.array(paths(pairs))], ids=["lists", "array"])
def test_pairs_of_file_names(as_indicators):
    mmc = pairs_learner(preprocessor=find_images)
    mmc.fit(as_indicators(PAIRS), Y_PAIRS)
    assert mmc.tuple_size_ == 2
    np.testing.assert_array_equal(mmc.predict(as_indicators(PAIRS)), mmc.predict(POINTS[PAIRS]))
    distances = mmc.pair_distance(as_indicators(PAIRS))
    np.testing.assert_allclose(distances, mmc.pair_distance(POINTS[PAIRS]), atol=1e-6)
    assert mmc.calibrate_threshold(as_indicators(PAIRS), Y_PAIRS) is mmc


def test_pairs_of_indices_with_a_callable():
    mmc = pairs_learner(preprocessor=fetch).fit(PAIRS, Y_PAIRS)
    assert mmc.score(PAIRS, Y_PAIRS) == pytest.approx(mmc.score(POINTS[PAIRS], Y_PAIRS))
    by_array = pairs_learner(preprocessor=POINTS).fit(PAIRS, Y_PAIRS)
    np.testing.assert_allclose(mmc.transform(NEW_POINTS), by_array.transform(NEW_POINTS), atol=1e-6)


def test_triplets_of_file_names():
    scml = triplets_learner(preprocessor=find_images).fit(paths(TRIPLETS))
    assert scml.tuple_size_ == 3
    np.testing.assert_array_equal(scml.predict(paths(TRIPLETS)), scml.predict(POINTS[TRIPLETS]))


def test_points_are_taken_as_they_are_where_there_is_a_preprocessor():
    mmc = pairs_learner(preprocessor=not_yet).fit(POINTS[PAIRS], Y_PAIRS)
    assert set(mmc.predict(POINTS[PAIRS])) <= {-1, 1}
    assert mmc.pair_distance(NEW_PAIRS).shape == (3,)
    assert mmc.transform(NEW_POINTS).shape == (2, 16)
    scml = triplets_learner(preprocessor=not_yet).fit(POINTS[TRIPLETS])
    assert set(scml.predict(POINTS[TRIPLETS])) <= {-1, 1}


def test_pairs_of_other_points_where_the_preprocessor_is_an_array():
    mmc = pairs_learner(preprocessor=POINTS)
    mmc.fit(POINTS[PAIRS], Y_PAIRS)
    assert mmc.tuple_size_ == 2
    assert mmc.pair_distance(NEW_PAIRS).shape == (3,)
    assert mmc.transform(NEW_POINTS).shape == (2, 16)


def test_a_preprocessor_is_cloned_with_its_estimator(labeled, index_pairs):
    X, _ = labeled
    mmc = clone(pairs_learner(preprocessor=X))
    assert mmc.fit(*index_pairs).transform(X).shape == (60, 16)


# Pairs: prediction


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


# Pairs: scores


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


# Triplets


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


# Labels


@embedders
def test_three_animals_of_two_kinds(embedder):
    X = np.array([[2.5, 3.5], [0.0, 0.5], [6.5, 2.0]])
    y = np.array(["dog", "cat", "dog"])
    nca = make(embedder)
    assert nca.fit(X, y) is nca
    assert nca.tuple_size_ is None
    np.testing.assert_array_equal(nca.classes_, ["cat", "dog"])
    assert nca.transform(np.array([[9.5, 4.0], [2.0, 4.5]])).shape == (2, 16)
    pairs = [[[3.5, 3.5], [5.5, 2.5]], [[1.0, 4.0], [2.0, 6.5]], [[3.5, 8.0], [11.0, 0.0]]]
    distances = nca.pair_distance(pairs)
    assert distances.shape == (3,)
    np.testing.assert_array_equal(nca.pair_score(pairs), -distances)
    assert nca.get_metric()([3.5, 3.5], [5.5, 2.5]) == pytest.approx(distances[0], abs=1e-5)


@embedders
def test_fit_and_transform_at_once(embedder, labeled):
    X, y = labeled
    at_once = make(embedder).fit_transform(X, y)
    assert at_once.shape == (60, 16)
    np.testing.assert_array_equal(at_once, make(embedder).fit(X, y).transform(X))


@embedders
def test_two_components(embedder):
    X, y = make_classification(
        40, 5, n_informative=3, n_redundant=0, n_classes=3, scale=[1, 1, 20, 20, 20], random_state=0
    )
    lfda = make(embedder, n_components=2)
    assert lfda.fit_transform(X, y).shape == (40, 2)


@embedders
def test_chunks_are_classes(embedder):
    X = [[0.0, 3.0], [0.1, -3.0], [0.2, -3.5], [-0.1, 3.5], [-1.0, 0.0], [1.0, 0.1], [0.5, 0.1], [-0.5, 0.0]]
    chunks = [0, 0, 1, 1, 2, 2, 3, 3]
    rca = make(embedder).fit(X, chunks)
    assert rca.transform(X).shape == (8, 16)
    assert rca.pair_distance([X[:2], X[2:4]]).shape == (2,)


@embedders
def test_rows_of_unknown_class_are_left_out(embedder, labeled):
    X, y = labeled
    partly = np.where(np.arange(60) % 3 == 0, -1, y)
    mmc = make(embedder, unlabeled=-1, inputs="none").fit(X, partly)
    np.testing.assert_array_equal(mmc.classes_, [0, 1, 2])
    assert -1 not in mmc.predict(X)
    known = partly != -1
    without = make(embedder, inputs="none").fit(X[known], y[known])
    np.testing.assert_allclose(mmc.transform(X), without.transform(X), atol=1e-5)


@embedders
def test_nearest_neighbors_after_an_embedder_are_cross_validated(embedder, labeled):
    clf = make_pipeline(make(embedder), KNeighborsClassifier())
    scores = cross_val_score(clf, *labeled)
    assert scores.shape == (5,)
    assert scores.mean() > 0.6


@embedders
def test_a_pipeline_with_names_predicts(embedder, labeled):
    X_train, X_test, y_train, y_test = train_test_split(*labeled, test_size=0.25, random_state=42)
    knn = KNeighborsClassifier(n_neighbors=5, algorithm="kd_tree")
    pipe = Pipeline([("metric-learner", make(embedder)), ("knn", knn)])
    pipe.fit(X_train, y_train)
    y_pred = pipe.predict(X_test)
    precision, recall, f_score, _ = precision_recall_fscore_support(y_test, y_pred, average="weighted", zero_division=0)
    assert 0.3 < min(precision, recall, f_score) <= 1


@embedders
def test_an_embedder_is_searched_in_a_pipeline(embedder, labeled):
    pipe = Pipeline([("metric", make(embedder)), ("knn", KNeighborsClassifier())])
    search = GridSearchCV(pipe, {"metric__n_components": [2, 4], "knn__n_neighbors": [1, 5]}, cv=2).fit(*labeled)
    assert search.best_score_ > 0.5
    assert search.best_params_["metric__n_components"] in (2, 4)


@embedders
def test_nearest_neighbors_with_a_learned_metric(embedder, labeled):
    X, y = labeled
    nca = make(embedder, n_components=4)
    nca.fit(X, y)
    knn = KNeighborsClassifier(metric=nca.get_metric())
    knn.fit(X[:30], y[:30])
    predicted = knn.predict(X[50:])
    embedded = KNeighborsClassifier().fit(nca.transform(X[:30]), y[:30])
    assert np.mean(predicted == embedded.predict(nca.transform(X[50:]))) >= 0.9
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(knn)).predict(X[50:]), predicted)


@embedders
def test_a_search_tree_finds_the_nearest_by_the_learned_metric(embedder, labeled):
    X, y = labeled
    nca = make(embedder).fit(X, y)
    distances, _ = NearestNeighbors(n_neighbors=3, leaf_size=2, metric=nca.get_metric()).fit(X[:40]).kneighbors(X[40:])
    all_pairs = np.array([[u, v] for u in X[40:] for v in X[:40]])
    nearest = np.sort(nca.pair_distance(all_pairs).reshape(20, 40))[:, :3]
    np.testing.assert_allclose(distances, nearest, atol=1e-5)


@pytest.mark.parametrize("algorithm", ["ball_tree", "brute"])
def test_neighbors_of_a_metric_learned_from_pairs(labeled, index_pairs, algorithm):
    X, y = labeled
    mmc = pairs_learner(preprocessor=X).fit(*index_pairs)
    knn = KNeighborsClassifier(n_neighbors=3, algorithm=algorithm, metric=mmc.get_metric()).fit(X[:30], y[:30])
    distances, neighbors = knn.kneighbors(X[30:35])
    nearest = [[X[30 + row], X[row_neighbors[0]]] for row, row_neighbors in enumerate(neighbors)]
    np.testing.assert_allclose(distances[:, 0], mmc.pair_distance(nearest), atol=1e-5)


def test_all_distances_by_the_learned_metric(fitted):
    distances = pairwise_distances(POINTS, metric=fitted.get_metric())
    assert distances.shape == (5, 5)
    np.testing.assert_allclose(distances, distances.T)
    both = np.array([[u, v] for u in POINTS for v in POINTS])
    np.testing.assert_allclose(distances.ravel(), fitted.pair_distance(both), atol=1e-5)


def test_neighborhood_graphs_of_several_embedders(labeled):
    X, y = labeled
    names = []
    for learner in [make(TripletEmbedder), make(ContrastiveEmbedder), make(ContrastiveEmbedder, loss="nca")]:
        learner.fit(X, y)
        embeddings = learner.transform(X)
        neighbors = NearestNeighbors(n_neighbors=2).fit(embeddings).kneighbors(embeddings, return_distance=False)
        assert neighbors.shape == (60, 2)
        assert np.mean(y[neighbors[:, 1]] == y) > 0.6
        names.append(type(learner).__name__)
    assert names == ["TripletEmbedder", "ContrastiveEmbedder", "ContrastiveEmbedder"]


def test_clusters_in_the_learned_space(labeled, index_pairs):
    X, _ = labeled
    mmc = pairs_learner(preprocessor=X).fit(*index_pairs)
    clusters = KMeans(3, n_init=1, random_state=0).fit_predict(mmc.transform(X))
    assert set(clusters) == {0, 1, 2}


@embedders
def test_a_random_state_of_several_learners(embedder, labeled):
    RNG = check_random_state(33)
    first, second = make(embedder, random_state=RNG), make(embedder, random_state=RNG)
    assert not np.array_equal(first.fit_transform(*labeled), second.fit_transform(*labeled))


@embedders
def test_progress_is_printed_where_verbose_is_true(embedder, labeled, capsys):
    make(embedder, verbose=False).fit(*labeled)
    assert capsys.readouterr().out == ""
    make(embedder, verbose=True).fit(*labeled)
    assert capsys.readouterr().out != ""
