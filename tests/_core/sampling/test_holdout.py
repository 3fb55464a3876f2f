import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skmetric._core.sampling import spread_holdout


@given(n=st.integers(1, 60), seed=st.integers(0, 2**32 - 1), data=st.data())
def test_each_run_of_neighbors_gives_one(n, seed, data):
    n_held_out = data.draw(st.integers(1, n))
    values = np.random.default_rng(seed).normal(size=n).round(1)
    train, held_out = spread_holdout(values, n_held_out, np.random.default_rng(seed))
    np.testing.assert_array_equal(np.sort(np.r_[train, held_out]), np.arange(n))
    assert len(held_out) == n_held_out
    rank = np.empty(n, dtype=int)
    rank[np.argsort(values, kind="stable")] = np.arange(n)
    run = np.searchsorted(np.arange(n_held_out + 1) * n // n_held_out, rank[held_out], side="right")
    assert len(np.unique(run)) == n_held_out


def test_every_item_has_its_turn():
    counts = np.zeros(9)
    rng = np.random.default_rng(0)
    for _ in range(600):
        counts[spread_holdout(np.arange(9.0), 3, rng)[1]] += 1
    assert counts.min() > 150
    assert counts.sum() == pytest.approx(1800)
