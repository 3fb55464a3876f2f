"""Preprocessors: arrays, lists and callables that return points for indices and file names."""

import numpy as np
import pytest
from sklearn.base import clone

from tests.estimators.embedding.metric_learn.learners import (
    NEW_PAIRS,
    NEW_POINTS,
    PAIRS,
    POINTS,
    TRIPLETS,
    Y_PAIRS,
    embedders,
    make,
    pairs_learner,
    triplets_learner,
)


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
