"""The units in which PointwiseRanker learns the relevance."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmetric import PointwiseRanker
from tests.estimators.prepared import prepared_of


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4)).astype(np.float32)
    y = np.round(np.clip(X[:, 0] + rng.normal(size=200) + 2, 0, 4))
    return X, y, np.repeat(np.arange(20), 10)


def make(**params):
    return PointwiseRanker(metric="spearman", device="cpu", random_state=0, max_iter=3, **params)


def test_held_out_rows_do_not_enter_the_units(table):
    X, y, groups = table
    ranker = make(early_stopping=True, validation_fraction=0.3, inputs="none")
    prepared = prepared_of(ranker, X, y, groups=groups)
    held_out = (X[:, None] == prepared.plan.validation.X).all(-1).any(1)
    assert held_out.sum() == 60
    units = prepared.choice.units
    assert_allclose(units.origin + units.center, y[~held_out].mean())
    assert_allclose(units.scale, y[~held_out].std())
    assert abs(y.mean() - y[~held_out].mean()) > 0.01


def test_rows_without_weight_do_not_enter_the_units(table):
    X, y, groups = table
    weights = np.ones(200)
    y[::4], weights[::4] = 1e9, 0
    units = prepared_of(make(), X, y, weights, groups=groups).choice.units
    assert_allclose(units.origin + units.center, y[weights > 0].mean())


def test_a_warm_start_keeps_the_units(table):
    X, y, groups = table
    ranker = make(warm_start=True).fit(X, y, groups=groups)
    before = ranker.predict(X)
    ranker.set_params(learning_rate=1e-12, weight_decay=0.0).fit(X, 10 * y + 100, groups=groups)
    assert_allclose(ranker.predict(X), before, rtol=1e-5)


def test_a_warm_start_after_a_constant_relevance_takes_new_units(table):
    X, y, groups = table
    ranker = make(warm_start=True).fit(X, np.ones(200), groups=groups).fit(X, y, groups=groups)
    assert_allclose(ranker.predict(X).mean(), y.mean(), atol=0.3)
