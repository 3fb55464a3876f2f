"""Small tables of points and tuples, and embedders that are fitted to them fast."""

from functools import partial

import numpy as np
import pytest

from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder

EMBEDDERS = [TripletEmbedder, ContrastiveEmbedder]

# Five points of three columns, in pairs that share some of them, and two new points.
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
