"""Validation sets whose columns have another scale, as in a Pipeline that transforms X only."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric import BatchedGridSearchCV, ContrastiveEmbedder, PairwiseRanker, RankSimRegressor, TripletEmbedder
from skmetric._core.nn import Columns
from skmetric.estimators import all_estimators
from skmetric.estimators._validation_range import columns_of_other_scale

SMALL = {"hidden_layer_sizes": (8,), "early_stopping": True, "max_iter": 4, "device": "cpu", "random_state": 0}
each = pytest.mark.parametrize(
    "estimator", [kind(**SMALL) for _, kind in all_estimators()], ids=lambda e: type(e).__name__
)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3)) * [1, 1000, 1] + [0, 5000, 100]
Y = (X[:, 1] > 5000).astype(int) + (X[:, 0] > 0)
GROUPS = np.arange(120) // 6
IS_TRAIN = GROUPS < 15
TRAIN = X[IS_TRAIN], Y[IS_TRAIN]


def validation(estimator):
    """The arguments of fit besides X and y, and the requests that route them."""
    data = {"X_val": X[~IS_TRAIN], "y_val": Y[~IS_TRAIN]}
    if hasattr(estimator, "group_column"):
        data |= {"groups": GROUPS[IS_TRAIN], "groups_val": GROUPS[~IS_TRAIN]}
    return data, dict.fromkeys(data, True)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@each
@pytest.mark.usefixtures("routing")
def test_a_pipeline_transforms_the_validation_set_if_it_is_named(estimator):
    data, requests = validation(estimator)
    scaler = StandardScaler().fit(TRAIN[0])
    expected = clone(estimator).fit(
        scaler.transform(TRAIN[0]), TRAIN[1], **data | {"X_val": scaler.transform(data["X_val"])}
    )
    requesting = clone(estimator).set_fit_request(**requests)
    pipeline = make_pipeline(StandardScaler(), requesting, transform_input=["X_val"]).fit(*TRAIN, **data)
    assert pipeline[-1].history_[0]["valid_score"] == expected.history_[0]["valid_score"]
    assert_array_equal(pipeline[-1].transform(X[:5]), expected.transform(X[:5]))
    with pytest.warns(UserWarning, match=r"X_val has another scale.*In column 1, 2, more.*transform_input=") as caught:
        make_pipeline(StandardScaler(), clone(requesting)).fit(*TRAIN, **data)
    assert len(caught) == 1


@pytest.mark.usefixtures("routing")
def test_a_batched_search_transforms_it_too():
    ranker = PairwiseRanker(**SMALL)
    data, requests = validation(ranker)
    pipeline = make_pipeline(StandardScaler(), ranker.set_fit_request(**requests), transform_input=["X_val"])
    search = BatchedGridSearchCV(pipeline, {"pairwiseranker__margin": [0.5]}, cv=GroupKFold(2)).fit(*TRAIN, **data)
    alone = clone(pipeline).set_params(pairwiseranker__margin=0.5).fit(*TRAIN, **data)
    assert_array_equal(search.predict(X), alone.predict(X))


@each
def test_names_and_usual_sets(estimator):
    data, _ = validation(estimator)
    names = ["a", "b", "c"]
    frames = pd.DataFrame(TRAIN[0], columns=names), pd.DataFrame(data["X_val"], columns=names)
    clone(estimator).fit(frames[0], TRAIN[1], **data | {"X_val": frames[1] * [2, 2, 1]})
    with pytest.warns(UserWarning, match=r"In column 'b', more than a tenth"):
        clone(estimator).fit(frames[0], TRAIN[1], **data | {"X_val": frames[1].assign(b=-1e6)})


def test_the_group_column_is_no_feature():
    data, _ = validation(PairwiseRanker())
    for column in ("qid", 0, -4):
        ranker = PairwiseRanker(group_column=column, **SMALL)
        train = pd.DataFrame(TRAIN[0], columns=list("abc"))
        train.insert(0, "qid", data["groups"])
        other = pd.DataFrame(data["X_val"], columns=list("abc"))
        other.insert(0, "qid", data["groups_val"] + 10**9)
        clone(ranker).fit(train, TRAIN[1], X_val=other, y_val=data["y_val"])
        with pytest.warns(UserWarning, match=r"In column 'c', more"):
            clone(ranker).fit(train, TRAIN[1], X_val=other.assign(c=1e9), y_val=data["y_val"])
    with pytest.warns(UserWarning, match=r"In column 3, more"):
        clone(ranker).fit(train.to_numpy(), TRAIN[1], X_val=other.assign(c=1e9).to_numpy(), y_val=data["y_val"])


def test_points_of_tuples_are_compared():
    rng = np.random.default_rng(0)
    triplets, pairs = rng.normal(size=(40, 3, 2)), rng.normal(size=(40, 2, 2))
    with pytest.warns(UserWarning, match="In column 0, 1, more"):
        TripletEmbedder(**SMALL).fit(triplets, X_val=triplets * 100)
    with pytest.warns(UserWarning, match="In column 0, 1, more"):
        ContrastiveEmbedder(**SMALL).fit(pairs, X_val=pairs * 100)
    outcome = np.tile([1, -1], 20)
    with pytest.warns(UserWarning, match="In column 0, 1, more"):
        PairwiseRanker(**SMALL).fit(pairs, outcome, X_val=pairs * 100, y_val=outcome)


def test_early_stopping_without_a_set_compares_nothing():
    RankSimRegressor(**SMALL).fit(np.r_[X, X[:1] * 1e6], np.r_[Y, 1])


def by_hand(train, held_out):
    """The definition, value by value."""
    found = []
    for column in range(train.shape[1]):
        low, high = train[:, column].min(), train[:, column].max()
        away = [max(low - value, value - high, 0) > 5 * (high - low) for value in held_out[:, column]]
        if sum(away) > len(away) / 10:
            found.append(column)
    return found


@pytest.mark.parametrize("n", [1, 9, 10, 11, 70_000])
def test_more_than_a_tenth_beyond_five_ranges(n):
    train = np.array([[0, 0, 3, -1], [1, 10, 3, 1]], dtype=np.float64)
    held_out = np.tile([0.5, 5, 3, 0], (n, 1))
    assert columns_of_other_scale(Columns(train), Columns(held_out)).tolist() == []
    tenth = n // 10
    held_out[:tenth] = [6.01, -50.1, 3.0001, -11.1]
    assert columns_of_other_scale(Columns(train), Columns(held_out)).tolist() == by_hand(train, held_out) == []
    held_out[: tenth + 1] = [6.01, -50, 3.0001, -11.1]
    assert columns_of_other_scale(Columns(train), Columns(held_out)).tolist() == by_hand(train, held_out) == [0, 2, 3]


def test_huge_values_do_not_overflow():
    train = np.array([[-3e38], [3e38]], dtype=np.float32)
    assert columns_of_other_scale(Columns(train), Columns(train)).tolist() == []
