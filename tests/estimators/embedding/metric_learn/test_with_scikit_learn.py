"""Learned embeddings and metrics in pipelines, searches, nearest neighbors and clusters of scikit-learn."""

import pickle

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances, precision_recall_fscore_support
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import Pipeline, make_pipeline

from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from tests.estimators.embedding.metric_learn.learners import POINTS, embedders, make, pairs_learner


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
