"""Points with labels."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.utils import check_random_state

from tests.estimators.embedding.metric_learn.learners import embedders, make


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
