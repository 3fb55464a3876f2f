"""Weights of rows and groups in the ranker of each library."""

import warnings

import numpy as np
import pytest

from skmetric.adapters import GroupedRanker
from skmetric.metrics import ndcg_score
from tests.adapters.boosters import NAMES, booster, ranking

# One tree with two leaves and no regularization, whose values are ratios of sums over rows.
PLAIN = {
    "LGBMRanker": {"n_estimators": 1, "num_leaves": 2, "learning_rate": 1, "min_child_weight": 0},
    "XGBRanker": {"n_estimators": 1, "max_depth": 1, "learning_rate": 1, "min_child_weight": 0, "reg_lambda": 0},
    "CatBoostRanker": {
        "iterations": 1,
        "depth": 1,
        "learning_rate": 1,
        "l2_leaf_reg": 0,
        "random_strength": 0,
        "bootstrap_type": "No",
    },
}
LOSSES = [
    ("LGBMRanker", {}),
    ("XGBRanker", {}),
    ("XGBRanker", {"objective": "rank:pairwise"}),
    ("CatBoostRanker", {"loss_function": "QueryRMSE"}),
    ("CatBoostRanker", {"loss_function": "QuerySoftMax"}),
    ("CatBoostRanker", {"loss_function": "PairLogit"}),
]
CASES = pytest.mark.parametrize(("name", "loss"), LOSSES, ids=lambda value: str(value))
each_library = pytest.mark.parametrize("name", NAMES)


def two_valued(n_groups=40):
    """Rows of one column with two values, so that a second copy of a row changes no threshold."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, size=(10 * n_groups, 1)).astype(float)
    y = np.clip(np.round(X[:, 0] + 0.8 * rng.normal(size=len(X)) + 1.5), 0, 3)
    return X, y, rng.permutation(np.repeat(np.arange(n_groups), 10))


def leaves(name, loss, X, y, groups, weights=None):
    ranker = GroupedRanker(booster(name, **PLAIN[name], **loss))
    return ranker.fit(X, y, groups=groups, sample_weight=weights).predict([[0.0], [1.0]])


@CASES
def test_a_group_of_weight_two_is_two_groups(name, loss):
    X, y, groups = two_valued()
    is_twice = groups < 20
    again = np.concatenate([np.arange(len(y)), np.flatnonzero(is_twice)])
    ids = np.concatenate([groups, groups[is_twice] + 1000])
    expected = leaves(name, loss, X[again], y[again], ids)
    weighted = leaves(name, loss, X, y, groups, np.where(is_twice, 2.0, 1.0))
    assert weighted == pytest.approx(expected, rel=1e-5)
    assert leaves(name, loss, X, y, groups) != pytest.approx(expected, rel=1e-3)


@CASES
def test_only_ratios_of_weights_matter(name, loss):
    X, y, groups = two_valued()
    expected = leaves(name, loss, X, y, groups)
    assert leaves(name, loss, X, y, groups, np.full(len(y), 3.0)) == pytest.approx(expected, rel=1e-5)


@CASES
def test_a_row_of_weight_zero_is_left_out(name, loss):
    X, y, groups = two_valued()
    is_kept = np.random.default_rng(1).random(len(y)) < 0.7
    is_kept &= groups > 1
    with warnings.catch_warnings():
        # The other rows have equal weights, so there is nothing to warn about.
        warnings.simplefilter("error")
        weighted = leaves(name, loss, X, y, groups, is_kept)
    assert np.array_equal(weighted, leaves(name, loss, X[is_kept], y[is_kept], groups[is_kept]))


@pytest.mark.parametrize("loss", ["QueryRMSE", "QuerySoftMax"])
def test_a_row_of_weight_two_is_two_rows_where_the_library_can(loss):
    X, y, groups = two_valued()
    is_twice = np.random.default_rng(1).random(len(y)) < 0.5
    again = np.concatenate([np.arange(len(y)), np.flatnonzero(is_twice)])
    loss = {"loss_function": loss}
    expected = leaves("CatBoostRanker", loss, X[again], y[again], groups[again])
    weighted = leaves("CatBoostRanker", loss, X, y, groups, np.where(is_twice, 2.0, 1.0))
    assert weighted == pytest.approx(expected, rel=1e-5)


def test_lightgbm_gets_the_weights_of_rows():
    X, y, groups = ranking()
    weights = np.random.default_rng(0).uniform(1, 3, size=len(y))
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    rows = np.argsort(codes, kind="stable")
    expected = booster("LGBMRanker").fit(X[rows], y[rows], group=sizes, sample_weight=weights[rows]).predict(X)
    ranker = GroupedRanker(booster("LGBMRanker")).fit(X, y, groups=groups, sample_weight=weights)
    assert np.array_equal(ranker.predict(X), expected)


@pytest.mark.parametrize(
    ("name", "loss", "owner"),
    [
        ("XGBRanker", {}, "XGBRanker"),
        ("CatBoostRanker", {}, "loss_function='YetiRank'"),
        ("CatBoostRanker", {"loss_function": "PairLogit:max_pairs=100"}, "loss_function='PairLogit'"),
    ],
)
def test_different_weights_in_a_group_become_their_mean_with_a_warning(name, loss, owner):
    X, y, groups = two_valued()
    weights = np.ones(len(y))
    in_group = np.flatnonzero(groups == 3)
    weights[in_group[:5]] = 3.0
    with pytest.warns(UserWarning, match=f"{owner}.* has one weight per group, but the rows of 1 of 40 groups differ"):
        weighted = leaves(name, loss, X, y, groups, weights)
    weights[in_group] = 2.0
    assert np.array_equal(weighted, leaves(name, loss, X, y, groups, weights))


def test_a_loss_that_ignores_weights_warns():
    X, y, groups = two_valued()
    loss = {"loss_function": "LambdaMart"}
    with pytest.warns(UserWarning, match="CatBoostRanker ignores sample_weight with loss_function='LambdaMart'"):
        weighted = leaves("CatBoostRanker", loss, X, y, groups, np.where(groups < 20, 2.0, 1.0))
    assert np.array_equal(weighted, leaves("CatBoostRanker", loss, X, y, groups))


@each_library
def test_the_score_weights_groups_by_the_mean_of_their_rows(name):
    X, y, groups = ranking()
    weights = np.random.default_rng(0).uniform(1, 3, size=len(y))
    ranker = GroupedRanker(booster(name)).fit(X, y, groups=groups)
    values = ndcg_score(y, ranker.predict(X), groups=groups, reduction=None)
    codes = np.unique(groups, return_inverse=True)[1]
    of_groups = np.bincount(codes, weights) / np.bincount(codes)
    assert ranker.score(X, y, weights, groups=groups) == pytest.approx(np.average(values, weights=of_groups))


@each_library
def test_bad_weights_are_refused(name):
    X, y, groups = ranking()
    for weights, rule in (([1.0], "one weight per row"), (-np.ones(len(y)), "non-negative"), (0 * y, "positive")):
        with pytest.raises(ValueError, match=f"sample_weight must .*{rule}"):
            GroupedRanker(booster(name)).fit(X, y, groups=groups, sample_weight=weights)
