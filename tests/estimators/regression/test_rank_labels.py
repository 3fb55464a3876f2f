"""Labels by which targets are ranked: equal steps stay equal in float32, for any unit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skmetric.estimators.regression._data import rank_labels


@given(
    steps=st.lists(st.integers(0, 3000), min_size=2, max_size=30),
    unit=st.sampled_from([1.0, 0.1, 1 / 3, 7.5, 1e-20, 1e20]),
    shift=st.sampled_from([0.0, -3.0, 18.0]),
)
def test_a_grid_is_counted_in_steps(steps, unit, shift):
    steps = np.array(sorted({*steps, 0, 1}), dtype=float)  # two neighboring values determine the unit
    labels = rank_labels((steps + shift)[:, None] * unit)
    assert_array_equal(labels, steps)


def test_gaps_without_neighbors_are_still_a_grid():
    labels = rank_labels(np.array([[0.0], [0.2], [0.5], [0.7]]))
    assert labels[1] - labels[0] == labels[3] - labels[2]


@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e300])
def test_other_targets_keep_their_order_and_differences(scale):
    y = np.random.default_rng(0).normal(size=50)
    labels = rank_labels(scale * y[:, None])
    np.testing.assert_allclose(labels, (y - y.min()) / np.ptp(y), rtol=1e-12)


def test_extremes_are_told_apart():
    labels = rank_labels(np.array([[0.0], [1e-300], [1e300], [0.0]]))
    assert labels[2] > labels[1] >= labels[0] == labels[3]
    assert_array_equal(rank_labels(np.full((3, 1), 7.0)), np.zeros(3))


def test_rows_of_several_targets_have_codes():
    labels = rank_labels(np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 1.0]]))
    assert labels[0] == labels[2] != labels[1]
