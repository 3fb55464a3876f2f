import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gmean
from sklearn.metrics import mean_absolute_error

from skmetric.imbalance import balanced_mean_absolute_error, geometric_mean_error

FUNCTIONS = pytest.mark.parametrize("function", [balanced_mean_absolute_error, geometric_mean_error])
HIT = 2.0**-23


def looped_balanced(y_true, y_pred, bins, weights):
    """The definition, row by row."""
    if isinstance(bins, int):
        low, high = min(y_true), max(y_true)
        edges = [low + (high - low) * b / bins for b in range(bins + 1)]
    else:
        edges = list(bins)
    groups = {}
    for truth, predicted, weight in zip(y_true, y_pred, weights, strict=True):
        b = "below" if truth < edges[0] else max(i for i in range(len(edges)) if edges[i] <= truth)
        b = len(edges) - 2 if truth == edges[-1] or edges[0] == edges[-1] else b
        groups.setdefault(b, []).append((abs(predicted - truth), weight))
    means = []
    for rows in groups.values():
        total = sum(weight for _, weight in rows)
        if total:
            means.append(sum(error * weight for error, weight in rows) / total)
    return sum(means) / len(means)


rows = st.lists(
    st.tuples(st.integers(-8, 8), st.integers(-20, 20), st.sampled_from([0.0, 0.5, 1.0, 3.0])), min_size=1, max_size=30
).filter(lambda rows: any(row[2] for row in rows))


# Balanced


@given(rows, st.sampled_from([1, 2, 4, 8, [-8, 0, 1, 8], [-2.5, 2.5], [0, 1, 2]]))
def test_balanced_matches_plain_loops(rows, bins):
    y_true, y_pred, weights = (list(column) for column in zip(*rows, strict=True))
    found = balanced_mean_absolute_error(y_true, y_pred, bins=bins, sample_weight=weights)
    # Whole numbers times eighths, so edges are exact in the loops too.
    assert found == pytest.approx(looped_balanced(y_true, y_pred, bins, weights), rel=1e-12, abs=1e-12)


def test_balanced_by_hand():
    y_true, y_pred = [0, 1, 2, 10], [1, 1, 4, 4]
    # Two bins: (1 + 0 + 2) / 3 and 6.
    assert balanced_mean_absolute_error(y_true, y_pred, bins=2) == pytest.approx(3.5)
    weighted = balanced_mean_absolute_error(y_true, y_pred, bins=2, sample_weight=[0, 1, 3, 7])
    assert weighted == pytest.approx((1.5 + 6) / 2)
    assert balanced_mean_absolute_error(y_true, y_pred, bins=[0, 2, 10]) == pytest.approx((0.5 + 4) / 2)


def test_balanced_defaults_to_ten_bins():
    y_true, y_pred = np.arange(50.0) ** 2, np.arange(50.0)
    expected = balanced_mean_absolute_error(y_true, y_pred, bins=10)
    assert balanced_mean_absolute_error(y_true, y_pred) == expected
    assert balanced_mean_absolute_error(y_true, y_pred, bins=np.linspace(0, 49**2, 11)) == pytest.approx(expected)


def test_one_bin_is_the_mean_absolute_error():
    rng = np.random.default_rng(0)
    y_true, y_pred, weights = rng.normal(size=20), rng.normal(size=20), rng.uniform(size=20)
    found = balanced_mean_absolute_error(y_true, y_pred, bins=1, sample_weight=weights)
    assert found == pytest.approx(mean_absolute_error(y_true, y_pred, sample_weight=weights))
    same = balanced_mean_absolute_error(np.full(20, 3.0), y_pred)
    assert same == pytest.approx(mean_absolute_error(np.full(20, 3.0), y_pred))


def test_a_bin_without_weight_is_empty():
    assert balanced_mean_absolute_error([0, 1], [5, 2], bins=2, sample_weight=[0, 1]) == 1.0


def test_values_beyond_the_edges_form_a_bin_on_each_side():
    found = balanced_mean_absolute_error([-9, -1, 0, 1, 2, 9], [-8, 4, 2, 4, 3, 13], bins=[0, 1, 2])
    assert found == pytest.approx(((1 + 5) / 2 + 2 + (3 + 1) / 2 + 4) / 4)
    weights = [1, 0, 1, 1, 1, 0]
    found = balanced_mean_absolute_error(
        [-9, -1, 0, 1, 2, 9], [-8, 4, 2, 4, 3, 13], bins=[0, 1, 2], sample_weight=weights
    )
    assert found == pytest.approx((1 + 2 + (3 + 1) / 2) / 3)


@pytest.mark.parametrize(
    ("bins", "error", "message"),
    [
        (0, ValueError, "bins must be at least 1, got bins=0. Pass 10, or an array of edges"),
        (-1, ValueError, "bins must be at least 1"),
        (2.0, TypeError, "bins must be an integer or an array of edges, got 2.0 of type float"),
        (True, TypeError, "bins must be an integer or an array of edges, got True"),
        (None, TypeError, "bins must be an integer or an array of edges, got None"),
        ("auto", TypeError, "bins must be an integer or an array of edges, got 'auto'"),
        ([1], ValueError, r"bins must be two or more edges in strictly increasing order, got \[1.\]"),
        ([0, 1, 1], ValueError, "bins must be two or more edges in strictly increasing order.* np.unique"),
        ([1, 0], ValueError, "bins must be two or more edges in strictly increasing order"),
        ([0, np.inf], ValueError, "bins must be finite, got inf at row 1"),
        ([[0, 1], [2, 3]], ValueError, "bins must have one number per row"),
    ],
)
def test_bins_are_checked(bins, error, message):
    with pytest.raises(error, match=message):
        balanced_mean_absolute_error([0, 1], [0, 1], bins=bins)


# Geometric mean


def test_geometric_mean_by_hand():
    assert geometric_mean_error([0, 0, 0], [2, -4, 1]) == pytest.approx(2.0)
    assert geometric_mean_error([0, 0], [1, 16], sample_weight=[3, 1]) == pytest.approx(2.0)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=20), st.integers(0, 9))
def test_geometric_mean_is_scipys_without_hits(errors, seed):
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.1, 1, size=len(errors))
    y_pred = np.array(errors) * rng.choice([-1, 1], size=len(errors))
    y_true = np.zeros(len(errors))
    assert geometric_mean_error(y_true, y_pred) == pytest.approx(gmean(errors))
    assert geometric_mean_error(y_true, y_pred, sample_weight=weights) == pytest.approx(gmean(errors, weights=weights))


def test_a_hit_counts_as_the_resolution_of_the_mean_error():
    assert geometric_mean_error([1, 1], [1, 3]) == pytest.approx(math.sqrt(2 * HIT * 1))
    found = geometric_mean_error([1, 1, 1], [1, 3, 9], sample_weight=[1, 2, 1])
    assert found == pytest.approx((HIT * (2 * 2 + 8) / 4 * 2**2 * 8) ** (1 / 4))
    # An error that single precision cannot distinguish from 0 counts as 0.
    assert geometric_mean_error([0, 0], [1e-30, 2]) == geometric_mean_error([0, 0], [0, 2])
    one_of_hundred = geometric_mean_error(np.zeros(100), np.r_[0, np.ones(99)])
    assert 0.84 < one_of_hundred < 0.87


@pytest.mark.parametrize("error", [5e-324, 1e-320, 1e-310, 1e-300, 1.0, 1e300])
def test_errors_of_any_size_have_a_geometric_mean(error):
    # Numbers near 0 have few digits.
    assert geometric_mean_error([0, 0], [error] * 2) == pytest.approx(error, rel=1e-12, abs=5e-324)


def test_nothing_but_hits_is_0():
    assert geometric_mean_error([1, 2], [1, 2]) == 0.0
    assert geometric_mean_error([1, 2, 3], [1, 2, 9], sample_weight=[1, 1, 0]) == 0.0


@given(rows, st.integers(-10, 10), st.integers(-30, 30))
def test_units_and_rows_without_weight(rows, exponent, shift):
    y_true, y_pred, weights = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    scale = 2.0**exponent
    for function in (geometric_mean_error, balanced_mean_absolute_error):
        error = function(y_true, y_pred, sample_weight=weights)
        scaled = function((y_true + shift) * scale, (y_pred + shift) * scale, sample_weight=weights * 7)
        assert scaled == pytest.approx(error * scale, rel=1e-9)
    kept = weights > 0
    without = geometric_mean_error(y_true[kept], y_pred[kept], sample_weight=weights[kept])
    assert geometric_mean_error(y_true, y_pred, sample_weight=weights) == pytest.approx(without)
    assert without <= mean_absolute_error(y_true, y_pred, sample_weight=weights) * (1 + 1e-12)


# Both


@FUNCTIONS
def test_kinds_of_input(function):
    y_true, y_pred = [0, 1, 5], [1.5, 0.5, 4.0]
    expected = function(y_true, y_pred)
    assert isinstance(expected, float)
    assert function(np.array(y_true)[:, np.newaxis], np.array(y_pred, dtype=np.float32)[:, np.newaxis]) == expected
    assert function(pd.Series(y_true, index=[7, 8, 9]), pd.DataFrame({"p": y_pred})) == expected
    assert function(y_true, y_pred, sample_weight=[1e308] * 3) == pytest.approx(expected)


@FUNCTIONS
@pytest.mark.parametrize(
    ("arguments", "weights", "message"),
    [
        (([np.nan, 1], [0, 1]), None, "y_true must have no missing values"),
        (([0, 1], [0, np.inf]), None, "y_pred must be finite, got inf at row 1"),
        (([], []), None, "y_true must have at least one row"),
        (
            ([0, 1], [0, 1, 2]),
            None,
            r"y_pred must have one prediction per row of y_true, shape \(2,\), got shape \(3,\)",
        ),
        (([[0, 1], [0, 1]], [0, 1]), None, r"y_true must have one number per row, .* y_true\[:, 0\]"),
        ((["a", "b"], [0, 1]), None, "y_true must hold numbers, got text, such as 'a'"),
        (([0, 1], [0, 1]), [1], r"sample_weight must have one weight per row, shape \(2,\), got shape \(1,\)"),
        (([0, 1], [0, 1]), [1, -2], "sample_weight must be non-negative, got -2 at row 1"),
        (([0, 1], [0, 1]), [0, 0], "sample_weight must be positive for at least one row"),
        (([0, 1], [0, 1]), [np.nan, 1], "sample_weight must have no missing values"),
    ],
)
def test_input_is_checked(function, arguments, weights, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments, sample_weight=weights)
