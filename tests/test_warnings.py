"""Warnings show the line of the user's code, also if a search or a pipeline calls the library."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.model_selection.search import BatchedGridSearchCV

RANKER = PairwiseRanker(max_iter=1, max_group_size=8, random_state=0)
SPLITS = {"cv": 2, "error_score": "raise"}

ROUTES = {
    "fit": lambda X, y: RANKER.fit(X, y),
    "the last step of a Pipeline": lambda X, y: make_pipeline(StandardScaler(), RANKER).fit(X, y),
    "a search of scikit-learn": lambda X, y: GridSearchCV(RANKER, {"margin": [1.0]}, **SPLITS).fit(X, y),
    "a search in stacks": lambda X, y: BatchedGridSearchCV(RANKER, {"margin": [1.0]}, **SPLITS).fit(X, y),
}


@pytest.fixture
def one_list():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 3)), rng.integers(0, 3, 40)


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
def test_a_fit_is_warned_of_where_it_was_asked_for(one_list, route):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        route(*one_list)
    assert caught
    for each in caught:
        assert "got no groups" in str(each.message)
        assert each.filename == __file__


def test_where_no_line_is_the_users_the_caller_of_fit_is_named(one_list):
    with warnings.catch_warnings(record=True) as caught, parallel_config("threading", n_jobs=2):
        warnings.simplefilter("always")
        GridSearchCV(RANKER, {"margin": [0.5, 1.0]}, **SPLITS).fit(*one_list)
    in_workers = {Path(each.filename).name for each in caught if each.filename != __file__}
    assert in_workers == {"_validation.py"}


@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_a_search_that_is_not_stacked_says_so_where_it_was_asked_for(blobs, method):
    embedder = make_pipeline(TripletEmbedder(max_iter=1, random_state=0), StandardScaler())
    search = BatchedGridSearchCV(embedder, {}, scoring=lambda *_: 0.0, **SPLITS)
    with pytest.warns(UserWarning, match="one by one") as caught:
        getattr(search, method)(*blobs)
    assert {each.filename for each in caught} == {__file__}
