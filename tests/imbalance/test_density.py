import math
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gaussian_kde
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.neighbors import KernelDensity

import skmetric.imbalance
from skmetric.imbalance import LabelDensityWeighter

METHODS = pytest.mark.parametrize("method", ["lds", "kde"])
KERNELS = pytest.mark.parametrize("kernel", ["gaussian", "triangular", "laplace"])
SKEWED = np.random.default_rng(0).lognormal(0, 1.5, 300)
# With whole numbers, shifts by whole numbers and scales by powers of 2 leave distances exact.
targets = st.lists(st.integers(-50, 50), min_size=1, max_size=40).map(lambda y: np.array(y, dtype=float))


def kernel_value(kernel, distance):
    if kernel == "gaussian":
        return math.exp(-(distance**2) / 2) if distance <= 4 else 0.0
    if kernel == "laplace":
        return math.exp(-distance) if distance <= 8 else 0.0
    return max(1 - distance, 0.0)


def looped_lds_counts(y, kernel, bandwidth, n_bins):
    """The definition, row by row and bin by bin."""
    low, width = min(y), (max(y) - min(y)) / n_bins
    bins = [min(int((value - low) / width), n_bins - 1) for value in y]
    counts = [bins.count(b) for b in range(n_bins)]
    smooth = []
    for b in range(n_bins):
        smooth.append(sum(kernel_value(kernel, abs(b - a) * width / bandwidth) * counts[a] for a in range(n_bins)))
    return smooth, bins


def mean_one(raw):
    raw = np.asarray(raw, dtype=float)
    return raw / raw.mean()


def by_bisection(raw, limit):
    """The limited weights with a mean of 1. The factor is found by bisection."""
    low, high = 0.0, limit / min(raw)
    for _ in range(300):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(middle * raw, limit).mean() < 1 else (low, middle)
    return np.minimum(high * raw, limit)


# Label distribution smoothing


def test_lds_by_hand():
    # The kernel is two bins wide: 1/2 in the next bin, 0 beyond. Counts 3, 0, 1, 0, 2; smoothed 3, 2, 1, 1.5, 2.
    y = [0, 0, 0.9, 2, 5, 4.5]
    weighter = LabelDensityWeighter(kernel="triangular", n_bins=5)
    weights = weighter.fit_transform(y)
    np.testing.assert_allclose(weighter.estimate_.counts, [3, 2, 1, 1.5, 2])
    assert weighter.bandwidth_ == 2.0
    assert weighter.range_ == (0, 5)
    np.testing.assert_allclose(weights, mean_one([1 / 3, 1 / 3, 1 / 3, 1, 1 / 2, 1 / 2]))


@KERNELS
@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(("bandwidth", "n_bins"), [(0.7, 10), (3.1, 40), (50.0, 25), (0.01, 7), (1e9, 12)])
def test_lds_matches_plain_loops(kernel, power, bandwidth, n_bins):
    counts, bins = looped_lds_counts(SKEWED.tolist(), kernel, bandwidth, n_bins)
    weighter = LabelDensityWeighter("lds", kernel=kernel, bandwidth=bandwidth, n_bins=n_bins, power=power)
    weights = weighter.fit_transform(SKEWED)
    np.testing.assert_allclose(weighter.estimate_.counts, counts, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(weights, mean_one([counts[b] ** -power for b in bins]), rtol=1e-12)


def test_default_bandwidth_is_two_bins():
    y = np.arange(11.0)
    weighter = LabelDensityWeighter(n_bins=20).fit(y)
    assert weighter.bandwidth_ == pytest.approx(1.0)
    explicit = LabelDensityWeighter(n_bins=20, bandwidth=1.0).fit_transform(y)
    np.testing.assert_allclose(weighter.transform(y), explicit, rtol=1e-12)


def test_a_narrow_kernel_gives_the_inverse_counts():
    y = np.repeat([0.0, 3.0, 10.0], [6, 3, 1])
    weights = LabelDensityWeighter(bandwidth=1e-3, n_bins=10).fit_transform(y)
    np.testing.assert_allclose(weights, mean_one(np.repeat([1 / 6, 1 / 3, 1], [6, 3, 1])), rtol=1e-12)


def test_fewer_rows_than_bins_weigh_about_alike():
    weights = LabelDensityWeighter(n_bins=1000).fit_transform(np.random.default_rng(0).uniform(size=10))
    np.testing.assert_allclose(weights, 1.0, rtol=0.02)


# Kernel density


@pytest.mark.parametrize("power", [0.5, 1.0])
@pytest.mark.parametrize("bandwidth", [0.05, 0.8, 30.0])
def test_kde_is_scipys_gaussian_one(power, bandwidth):
    density = gaussian_kde(SKEWED, bw_method=bandwidth / SKEWED.std(ddof=1))(SKEWED)
    weights = LabelDensityWeighter("kde", bandwidth=bandwidth, power=power).fit_transform(SKEWED)
    np.testing.assert_allclose(weights, mean_one(density**-power), rtol=1e-7)


@KERNELS
def test_kde_is_exact_for_few_values(kernel):
    y = np.concatenate([SKEWED, SKEWED[:50]])
    weights = LabelDensityWeighter("kde", kernel=kernel, bandwidth=0.5).fit_transform(y)
    exact = [sum(max(kernel_value_uncut(kernel, abs(a - b) / 0.5), 0.0) for b in y) for a in y]
    np.testing.assert_allclose(weights, mean_one(1 / np.array(exact)), rtol=1e-7)


def kernel_value_uncut(kernel, distance):
    return {"gaussian": math.exp(-(distance**2) / 2), "triangular": 1 - distance, "laplace": math.exp(-distance)}[
        kernel
    ]


@pytest.mark.parametrize(
    ("kernel", "name", "tolerance"),
    [("gaussian", "gaussian", 5e-4), ("triangular", "linear", 0.02), ("laplace", "exponential", 0.02)],
)
@pytest.mark.parametrize("draw", ["normal", "lognormal", "standard_cauchy", "uniform"])
def test_the_grid_is_close_to_the_exact_density(kernel, name, tolerance, draw):
    y = getattr(np.random.default_rng(1), draw)(size=1500)
    weighter = LabelDensityWeighter("kde", kernel=kernel).fit(y)
    exact = KernelDensity(kernel=name, bandwidth=weighter.bandwidth_).fit(y[:, np.newaxis])
    weights = np.exp(-exact.score_samples(y[:, np.newaxis]))
    assert weighter.estimate_.step is not None
    np.testing.assert_allclose(weighter.transform(y), mean_one(weights), rtol=tolerance)


def test_many_rows_need_few_points_of_the_grid():
    y = np.random.default_rng(0).lognormal(size=100_000)
    weighter = LabelDensityWeighter("kde")
    assert weighter.fit_transform(y).mean() == pytest.approx(1, abs=1e-12)
    assert len(weighter.estimate_.estimator.tree_.data) < 20_000


def test_few_different_values_are_exact_however_many_rows():
    y = np.repeat([0.0, 1.0, 5.0], [30_000, 9_000, 10])
    weights = LabelDensityWeighter("kde", bandwidth=0.5).fit_transform(y)
    near = math.exp(-2)
    rows = [30_000 + 9_000 * near, 9_000 + 30_000 * near + 10 * math.exp(-32), 10 + 9_000 * math.exp(-32)]
    np.testing.assert_allclose(weights, mean_one(1 / np.repeat(rows, [30_000, 9_000, 10])), rtol=1e-7)


def test_silvermans_rule():
    lower, upper = np.percentile(SKEWED, [25, 75])
    expected = 0.9 * min(SKEWED.std(ddof=1), (upper - lower) / 1.349) * 300**-0.2
    assert LabelDensityWeighter("kde").fit(SKEWED).bandwidth_ == pytest.approx(expected)
    triangular = LabelDensityWeighter("kde", kernel="triangular").fit(SKEWED)
    assert triangular.bandwidth_ == pytest.approx(expected * math.sqrt(6))
    laplace = LabelDensityWeighter("kde", kernel="laplace").fit(SKEWED)
    assert laplace.bandwidth_ == pytest.approx(expected / math.sqrt(2))


def test_silvermans_rule_without_an_interquartile_range():
    y = np.repeat([0.0, 4.0], [90, 10])
    weighter = LabelDensityWeighter("kde").fit(y)
    assert weighter.bandwidth_ == pytest.approx(0.9 * y.std(ddof=1) * 100**-0.2)
    assert weighter.transform([4.0]) > weighter.transform([0.0])


# Mean and limit


@METHODS
@KERNELS
@given(y=targets, power=st.sampled_from([0, 0.5, 1, 3]), limit=st.sampled_from([None, 1, 1.25, 2, 10]))
def test_the_mean_is_one_and_the_limit_holds(method, kernel, y, power, limit):
    weighter = LabelDensityWeighter(method, kernel=kernel, power=power, max_weight=limit)
    weights = weighter.fit_transform(y)
    assert weights.mean() == pytest.approx(1, abs=1e-12)
    assert weights.min() > 0
    if limit is not None:
        assert weights.max() <= limit
    np.testing.assert_array_equal(weighter.transform(y), weights)


@pytest.mark.parametrize("limit", [1.0, 1.01, 1.5, 3.0, 20.0])
def test_the_limit_is_found_like_by_bisection(limit):
    raw = LabelDensityWeighter("lds", n_bins=30).fit_transform(SKEWED)
    assert raw.max() > 3
    weights = LabelDensityWeighter("lds", n_bins=30, max_weight=limit).fit_transform(SKEWED)
    np.testing.assert_allclose(weights, by_bisection(raw, limit), rtol=1e-9)


def test_the_limit_by_hand():
    # Inverse counts 1/8 and 1/2 give 0.625 and 2.5 without a limit. With 1.5 for two rows, 7/8 is left for the eight.
    y = np.repeat([0.0, 10.0], [8, 2])
    given = {"n_bins": 10, "bandwidth": 0.1}
    np.testing.assert_allclose(
        LabelDensityWeighter(**given).fit_transform(y), np.repeat([0.625, 2.5], [8, 2]), rtol=1e-12
    )
    limited = LabelDensityWeighter(**given, max_weight=1.5).fit_transform(y)
    np.testing.assert_allclose(limited, np.repeat([7 / 8, 1.5], [8, 2]), rtol=1e-12)
    np.testing.assert_array_equal(LabelDensityWeighter(**given, max_weight=1).fit_transform(y), np.ones(10))


@METHODS
def test_a_limit_that_nothing_reaches_changes_nothing(method):
    weights = LabelDensityWeighter(method).fit_transform(SKEWED)
    limited = LabelDensityWeighter(method, max_weight=weights.max() * 1.01).fit_transform(SKEWED)
    np.testing.assert_allclose(limited, weights, rtol=1e-12)


@METHODS
def test_power_0_gives_ones(method):
    np.testing.assert_array_equal(LabelDensityWeighter(method, power=0).fit_transform(SKEWED), np.ones(300))


@METHODS
@pytest.mark.parametrize("limit", [None, 1, 5])
def test_a_huge_power_leaves_finite_weights(method, limit):
    weights = LabelDensityWeighter(method, power=1e4, max_weight=limit).fit_transform(SKEWED)
    assert weights.min() > 0
    assert weights.mean() == pytest.approx(1, abs=1e-12)


@METHODS
def test_rarer_rows_weigh_more(method):
    weights = LabelDensityWeighter(method).fit_transform(SKEWED)
    assert weights[SKEWED.argmax()] == weights.max()
    assert weights[SKEWED < 1].max() < 1


# Invariances


@METHODS
@KERNELS
@given(y=targets, shift=st.integers(-1000, 1000), exponent=st.integers(-20, 20))
def test_weights_do_not_depend_on_units(method, kernel, y, shift, exponent):
    scale = 2.0**exponent
    weights = LabelDensityWeighter(method, kernel=kernel, bandwidth=3.0).fit_transform(y)
    moved = LabelDensityWeighter(method, kernel=kernel, bandwidth=3.0 * scale).fit_transform((y + shift) * scale)
    np.testing.assert_allclose(moved, weights, rtol=1e-9)
    default = LabelDensityWeighter(method, kernel=kernel)
    np.testing.assert_allclose(default.fit_transform((y + shift) * scale), default.fit_transform(y), rtol=1e-9)


@METHODS
@given(y=targets, shift=st.floats(-100, 100), scale=st.floats(1e-3, 1e3))
def test_rounding_does_not_move_values_over_an_edge(method, y, shift, scale):
    weights = LabelDensityWeighter(method, n_bins=10, bandwidth=5.0).fit_transform(y)
    moved = LabelDensityWeighter(method, n_bins=10, bandwidth=5.0 * scale).fit_transform(y * scale + shift)
    np.testing.assert_allclose(moved, weights, rtol=1e-5)


def test_values_on_edges_stay_in_their_bins():
    # 0.29 * 100 is 28.999999999999996.
    y = np.arange(101) * 0.01
    for same in (y, y + 0.3, y * 3 - 7):
        weighter = LabelDensityWeighter(n_bins=100, bandwidth=1e-6).fit(same)
        np.testing.assert_array_equal(weighter.estimate_.counts, [1] * 99 + [2])


@METHODS
@given(y=targets, seed=st.integers(0, 100))
def test_the_order_of_rows_does_not_matter(method, y, seed):
    order = np.random.default_rng(seed).permutation(len(y))
    weighter = LabelDensityWeighter(method, max_weight=2.0)
    np.testing.assert_allclose(weighter.fit_transform(y[order]), weighter.fit_transform(y)[order], rtol=1e-9)


@given(y=targets)
def test_turning_y_round_turns_the_kernel_density(y):
    weighter = LabelDensityWeighter("kde")
    np.testing.assert_allclose(weighter.fit_transform(-y), weighter.fit_transform(y), rtol=1e-7)


@METHODS
@given(y=targets)
def test_repeated_rows_weigh_the_same(method, y):
    given_bandwidth = LabelDensityWeighter(method, bandwidth=4.0, max_weight=3.0)
    twice = given_bandwidth.fit_transform(np.tile(y, 2))
    np.testing.assert_allclose(twice, np.tile(given_bandwidth.fit_transform(y), 2), rtol=1e-9)


# New targets


@METHODS
def test_new_targets_take_the_factor_and_the_limit(method):
    weighter = LabelDensityWeighter(method, max_weight=2.5)
    weights = weighter.fit_transform(SKEWED)
    np.testing.assert_array_equal(weighter.transform(SKEWED[::7]), weights[::7])
    assert weighter.transform(np.linspace(-10, 200, 1000)).max() == 2.5


@METHODS
@KERNELS
@pytest.mark.parametrize("limit", [None, 1.5])
def test_targets_beyond_the_range_have_the_largest_weight(method, kernel, limit):
    y = np.repeat([0.0, 1.0, 4.0, 10.0], [50, 3, 20, 40])
    weighter = LabelDensityWeighter(method, kernel=kernel, n_bins=20, max_weight=limit)
    weights = weighter.fit_transform(y)
    assert weights[y == 0].max() < weights.max() > weights[y == 10].max()
    beyond = weighter.transform([-1e300, -1.0, -1e-6, 10 + 1e-6, 11.0, 1e300])
    np.testing.assert_array_equal(beyond, weights.max())
    np.testing.assert_array_equal(weighter.transform([0.0, 10.0]), weights[[0, -1]])
    # Rounding does not move an end of the range out of it.
    np.testing.assert_allclose(weighter.transform([-1e-12, 10 + 1e-12]), weights[[0, -1]], rtol=1e-9)


def test_a_row_of_many_weighs_the_same_alone():
    y = np.random.default_rng(0).normal(size=5000)
    weighter = LabelDensityWeighter("kde").fit(y)
    assert weighter.estimate_.step is not None
    np.testing.assert_allclose(weighter.transform(y[:3]), weighter.transform(y)[:3], rtol=1e-7)


@METHODS
@KERNELS
def test_a_gap_counts_as_rare_as_the_rarest_row(method, kernel):
    y = np.repeat([0.0, 1.0, 100.0], [50, 20, 2])
    weighter = LabelDensityWeighter(method, kernel=kernel, bandwidth=0.5).fit(y)
    assert weighter.transform([50.0]) == weighter.transform([100.0]) == weighter.factor_


# Edge cases


@METHODS
@pytest.mark.parametrize("y", [[3.0], [7, 7, 7], np.full(200, -1e300), np.zeros(3)])
def test_constant_targets_weigh_1(method, y):
    weighter = LabelDensityWeighter(method, max_weight=1)
    np.testing.assert_array_equal(weighter.fit_transform(y), np.ones(len(y)))
    np.testing.assert_array_equal(weighter.transform([-5.0, 5.0]), [1, 1])
    np.testing.assert_array_equal(LabelDensityWeighter(method, bandwidth=2).fit_transform(y), np.ones(len(y)))
    assert LabelDensityWeighter(method).fit(y).bandwidth_ == 0


@METHODS
@pytest.mark.parametrize("bandwidth", [1e-300, 1e300, None])
@pytest.mark.parametrize("unit", [5e-324, 1e-300, 1.0, 1e307])
def test_extreme_units(method, bandwidth, unit):
    y = np.array([0.0, 1, 1, 1, 3]) * unit
    weights = LabelDensityWeighter(method, bandwidth=bandwidth).fit_transform(y)
    assert weights.mean() == pytest.approx(1, abs=1e-12)
    assert weights[4] >= weights[1]
    if bandwidth is None:
        expected = LabelDensityWeighter(method).fit_transform([0.0, 1, 1, 1, 3])
        np.testing.assert_allclose(weights, expected, rtol=1e-9)


def test_a_bandwidth_of_nothing_on_the_grid():
    weights = LabelDensityWeighter("kde", bandwidth=1e-200).fit_transform(np.random.default_rng(0).normal(size=3000))
    np.testing.assert_allclose(weights, 1, rtol=0.02)


@METHODS
def test_kinds_of_input(method):
    y = [1, 1, 2, 2, 2, 9]
    weights = LabelDensityWeighter(method).fit_transform(y)
    for same in (tuple(y), np.array(y, dtype=np.int8), np.array(y, dtype=np.float32), pd.Series(y, index=range(5, 11))):
        np.testing.assert_array_equal(LabelDensityWeighter(method).fit_transform(same), weights)
    np.testing.assert_array_equal(
        LabelDensityWeighter(method).fit_transform(np.array(y, dtype=object)), weights, strict=True
    )


@pytest.mark.parametrize("call", ["fit", "fit_transform"])
def test_a_column_is_taken_with_a_warning(call):
    column = SKEWED[:, np.newaxis]
    weighter = LabelDensityWeighter()
    with pytest.warns(
        DataConversionWarning, match=r"y must have one number per row.* got a column of shape \(300, 1\). Pass y.ravel"
    ):
        getattr(weighter, call)(column)
    expected = LabelDensityWeighter().fit_transform(SKEWED)
    np.testing.assert_array_equal(weighter.transform(column), expected)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0, np.nan], "y must have no missing values .* got one in row 1. Drop"),
        ([-np.inf, 1.0, np.inf], r"y must be finite, got -inf at row 0 \(2 such"),
        ([1.0, None], "y must have no missing values .* got one in row 1"),
        ([], r"y must have at least one row, got shape \(0,\)"),
        (["low", "high"], "y must hold numbers, got text, such as 'low'"),
        (["1", "2"], "y must hold numbers"),
        ([1 + 2j], "y must hold numbers, got complex numbers"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "y must hold numbers, got dates"),
        (
            [[1.0, 2.0], [3.0, 4.0]],
            r"y must have one number per row, shape \(n_samples,\), got shape \(2, 2\). .* y\[:, 0\]",
        ),
        (np.zeros((2, 1, 1)), r"y must have one number per row"),
        (3.0, "y must have one value per row, got 3.0"),
        (None, "y must have one value per row, got None"),
        ([[1.0], [2.0, 3.0]], "y must have one value per row, got rows with several values"),
        ([-1e308, 1e308], "y must have a range that fits into float64.* Divide y by a scale"),
    ],
)
def test_y_is_checked(y, message):
    for method in ("fit", "fit_transform"):
        with pytest.raises(ValueError, match=message):
            getattr(LabelDensityWeighter(), method)(y)
    with pytest.raises(ValueError, match=message):
        LabelDensityWeighter().fit([1.0, 2.0]).transform(y)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("method", "histogram"),
        ("kernel", "epanechnikov"),
        ("bandwidth", 0.0),
        ("bandwidth", np.nan),
        ("bandwidth", "scott"),
        ("n_bins", 0),
        ("n_bins", 10.0),
        ("power", -1),
        ("power", None),
        ("max_weight", 0.99),
        ("max_weight", np.nan),
    ],
)
def test_parameters_are_checked(name, value):
    weighter = LabelDensityWeighter(**{name: value})
    for call in (weighter.fit, weighter.fit_transform):
        with pytest.raises(ValueError, match=f"'{name}' parameter of LabelDensityWeighter"):
            call([1.0, 2.0])


# The object itself


def test_not_fitted():
    with pytest.raises(NotFittedError, match="LabelDensityWeighter"):
        LabelDensityWeighter().transform([1.0])


@METHODS
def test_clone_pickle_repr(method):
    weighter = LabelDensityWeighter(method, power=0.5, max_weight=3.0).fit(SKEWED)
    assert repr(weighter).startswith("LabelDensityWeighter(max_weight=3.0")
    copy = pickle.loads(pickle.dumps(weighter))
    np.testing.assert_array_equal(copy.transform(SKEWED), weighter.transform(SKEWED))
    fresh = clone(weighter)
    assert fresh.get_params() == weighter.get_params()
    assert not hasattr(fresh, "factor_")
    np.testing.assert_array_equal(fresh.fit_transform(SKEWED), weighter.transform(SKEWED))


@METHODS
def test_fitting_again_forgets(method):
    weighter = LabelDensityWeighter(method).fit(SKEWED)
    expected = LabelDensityWeighter(method).fit_transform(-(SKEWED**2))
    assert weighter.fit(-(SKEWED**2)) is weighter
    np.testing.assert_array_equal(weighter.transform(-(SKEWED**2)), expected)


def test_y_is_not_changed():
    y = SKEWED.copy()
    weights = LabelDensityWeighter().fit_transform(y)
    weights[:] = 0
    np.testing.assert_array_equal(y, SKEWED)


# The folder


def test_needs_no_torch():
    code = "import sys, skmetric.imbalance; assert not {'torch', 'skorch', 'matplotlib'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_everything_public_is_exported():
    for name in skmetric.imbalance.__all__:
        assert hasattr(skmetric.imbalance, name)
