"""All kinds of training data: embeddings, and distances between points."""

import pickle
from itertools import permutations

import numpy as np
import pytest

from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from tests.estimators.embedding.metric_learn.learners import (
    NEW_PAIRS,
    NEW_POINTS,
    PAIRS,
    POINTS,
    Y_PAIRS,
    embedders,
    make,
    pairs_learner,
)


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
