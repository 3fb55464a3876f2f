"""The examples in the documentation of metric-learn, with its classes replaced by the embedders.

Not included are examples that need a linear map (``components_``, ``get_mahalanobis_matrix``), quadruplets, or learning
without labels.
"""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.utils import check_random_state

from tests.estimators.embedding.metric_learn.learners import (
    EMBEDDERS,
    PAIRS,
    POINTS,
    TRIPLETS,
    Y_PAIRS,
    make,
    pairs_learner,
    triplets_learner,
)


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
