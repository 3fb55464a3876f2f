import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.calibration import _sigmoid_calibration

from skmetric.metrics.thresholds import sigmoid_calibration
from tests.metrics.labeled_pairs import BAD_PAIRS, pairs, settings, table


def reference_loss(y_true, distance, weight, slope, offset):
    """The loss by its definition."""
    positive = sum(w for y, w in zip(y_true, weight, strict=True) if y == 1)
    negative = sum(w for y, w in zip(y_true, weight, strict=True) if y == -1)
    loss = 0.0
    for y, d, w in zip(y_true, distance, weight, strict=True):
        target = (positive + 1) / (positive + 2) if y == 1 else 1 / (negative + 2)
        logit = slope * d + offset
        # -log p = log(1 + exp(logit)), without overflow.
        loss += w * (target * np.logaddexp(0, logit) + (1 - target) * np.logaddexp(0, -logit))
    return loss


@settings
@given(data=pairs(distances=st.floats(-5, 5).map(lambda d: round(d, 3))))
def test_no_other_slope_and_offset_is_better(data):
    slope, offset = sigmoid_calibration(data[0], data[1], sample_weight=data[2])
    assert math.isfinite(slope)
    assert math.isfinite(offset)
    best = reference_loss(*data, slope, offset)
    distance = np.array(data[1])
    middle, spread = distance.mean(), distance.std() or 1.0
    for size in (1e-3, 0.1, 1.0):
        for angle in np.linspace(0, 2 * np.pi, 9):
            # Turn around the middle and shift the logits, in all directions, because the loss is convex.
            turn = size * math.cos(angle) / spread
            other = reference_loss(*data, slope + turn, offset + size * math.sin(angle) - turn * middle)
            assert other >= best * (1 - 1e-13)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_it_is_scikit_learns(seed, weighted):
    y_true, distance, weight = table(seed)
    weight = weight if weighted else np.ones(len(weight))
    expected = _sigmoid_calibration(distance, y_true, weight)
    slope, offset = sigmoid_calibration(y_true, distance, sample_weight=weight)
    ours, theirs = (reference_loss(y_true, distance, weight, a, b) for a, b in ((slope, offset), expected))
    # L-BFGS of scikit-learn stops at a gradient of about 1e-6, or if the loss does not change.
    assert theirs - 1e-6 < ours <= theirs + 1e-10
    np.testing.assert_allclose((slope, offset), expected, rtol=1e-3)


@pytest.mark.parametrize("gap", [1e-6, 1.0, 1e6])
def test_separable_classes_have_a_finite_sigmoid(gap):
    y_true, distance = np.repeat([1, -1], 50), np.repeat([1.0, 1.0 + gap], 50)
    slope, offset = sigmoid_calibration(y_true, distance)
    # With two distances and two parameters, the probabilities equal the targets.
    p = expit(-(slope * distance + offset))
    np.testing.assert_allclose(p, np.where(y_true == 1, 51 / 52, 1 / 52), rtol=1e-6)


def test_distances_may_be_as_far_apart_as_floats():
    slope, offset = sigmoid_calibration([1, 1, -1], [-1.7e308, -1.7e308, 1.7e308])
    assert expit(-(slope * -1.7e308 + offset)) == pytest.approx(3 / 4)
    assert expit(-(slope * 1.7e308 + offset)) == pytest.approx(1 / 3)


@settings
@given(data=pairs())
def test_it_falls_where_similar_pairs_are_nearer_on_average(data):
    y_true, distance, weight = map(np.array, data)
    similar, dissimilar = (np.average(distance[y_true == c], weights=weight[y_true == c]) for c in (1, -1))
    slope, offset = sigmoid_calibration(y_true, distance, sample_weight=weight)
    if abs(similar - dissimilar) < 1e-9:
        assert slope == pytest.approx(0, abs=1e-9)
    else:
        assert np.sign(slope) == np.sign(dissimilar - similar)
    p = expit(-(slope * np.unique(distance) + offset))
    assert (np.diff(p) * np.sign(slope) <= 0).all()


@pytest.mark.parametrize("distance", [0.0, 3.0, -1e-300, 1.7e308])
def test_equal_distances_give_the_mean_of_the_targets(distance):
    slope, offset = sigmoid_calibration([1, 1, 1, -1], [distance] * 4)
    assert slope == 0
    assert expit(-offset) == pytest.approx((3 * 4 / 5 + 1 / 3) / 4, rel=1e-12)


@pytest.mark.parametrize("scale", [2.0**-300, 0.25, 2.0**300])
def test_the_slope_is_per_distance(scale):
    y_true, distance, weight = table(5)
    slope, offset = sigmoid_calibration(y_true, distance, sample_weight=weight)
    scaled = sigmoid_calibration(y_true, scale * distance, sample_weight=weight)
    assert scaled == (slope / scale, offset)


@pytest.mark.parametrize("shift", [-3.0, 1e3, 1e6])
def test_a_shift_is_in_the_offset(shift):
    y_true, distance, weight = table(6)
    slope, offset = sigmoid_calibration(y_true, distance, sample_weight=weight)
    shifted = sigmoid_calibration(y_true, distance + shift, sample_weight=weight)
    np.testing.assert_allclose(shifted, (slope, offset - slope * shift), rtol=1e-8)


def test_exchanged_classes_have_the_opposite_sigmoid():
    y_true, distance, weight = table(7)
    slope, offset = sigmoid_calibration(y_true, distance, sample_weight=weight)
    opposite = sigmoid_calibration(-y_true, distance, sample_weight=weight)
    np.testing.assert_allclose(opposite, (-slope, -offset), rtol=1e-9)


def test_the_order_and_the_dtype_of_the_pairs_do_not_matter():
    y_true, distance, weight = table(8)
    distance = distance.astype(np.float32)
    order = np.random.default_rng(0).permutation(len(y_true))
    expected = sigmoid_calibration(y_true, distance, sample_weight=weight)
    np.testing.assert_allclose(
        sigmoid_calibration(y_true[order], distance[order], sample_weight=weight[order]), expected, rtol=1e-9
    )
    assert sigmoid_calibration(y_true, distance.astype(float), sample_weight=weight) == expected


@settings
@given(data=pairs(weights=st.integers(0, 4)))
def test_an_integer_weight_counts_as_repeats_in_the_sigmoid(data):
    y_true, distance, weight = map(np.array, data)
    np.testing.assert_allclose(
        sigmoid_calibration(y_true, distance, sample_weight=weight),
        sigmoid_calibration(y_true.repeat(weight), distance.repeat(weight)),
        rtol=1e-7,
        atol=1e-9,
    )


@pytest.mark.parametrize("outlier", [1e3, 1e9, 1e13, 1e200])
@pytest.mark.parametrize("label", [1, -1])
@pytest.mark.parametrize("share", [1.0, 1e-10])
def test_an_outlier_does_not_keep_it_from_settling(outlier, label, share):
    y_true, distance, _ = table(9)
    distance, y_true = np.append(distance, outlier), np.append(y_true, label)
    weight = np.append(np.full(len(distance) - 1, 1e3), 1e3 * share)
    slope, offset = sigmoid_calibration(y_true, distance, sample_weight=weight)
    best = reference_loss(y_true, distance, weight, slope, offset)
    for turn in (0.99, 1.01):
        assert reference_loss(y_true, distance, weight, turn * slope, offset) >= best * (1 - 1e-12)


@pytest.mark.parametrize("weight", [(1.3, 615.3), (1e-3, 1e3), (1e30, 1.0), (1e30, 1e30), (1e-8, 1e20)])
@pytest.mark.parametrize("distance", [(6, 10), (0, 1e-3), (5, -5)])
def test_one_pair_a_class_by_hand(weight, distance):
    # With two distances and two parameters, the odds equal those of the targets. Plain Newton steps overshoot here.
    log_odds = np.log(weight[0] + 1), -np.log(weight[1] + 1)
    slope = (log_odds[0] - log_odds[1]) / (distance[1] - distance[0])
    expected = slope, -log_odds[0] - slope * distance[0]
    np.testing.assert_allclose(
        sigmoid_calibration([1, -1], distance, sample_weight=weight), expected, rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("weight", [1e-300, 1e-8, 1e12, 1e100, 1e308])
def test_weights_of_any_size(weight):
    # The classes overlap. With more weight, Platt's one pair in each class counts less. Almost no weight gives slope 0.
    y_true, distance = [1, 1, -1, 1, -1, -1], [1, 2, 3, 4, 5, 6]
    slope, offset = sigmoid_calibration(y_true, distance, sample_weight=[weight] * 6)
    if weight < 1:
        np.testing.assert_allclose((slope, offset), 0, atol=1e-7)
    else:
        expected = sigmoid_calibration(y_true, distance, sample_weight=[1e10] * 6)
        np.testing.assert_allclose((slope, offset), expected, rtol=1e-8)


@pytest.mark.parametrize(
    ("distance", "weight"),
    [
        # The first needs too many steps. In the second, every probability is 0 or 1, so there is no direction.
        ([1, 2, 1], [1e100, 1e100, 1e100]),
        ([2, 5, 5], [1e24, 1e28, 1e-26]),
    ],
)
def test_weights_apart_by_too_much_are_refused(distance, weight):
    with pytest.raises(RuntimeError, match=r"got no convergence within .*orders of magnitude"):
        sigmoid_calibration([1, -1, 1], distance, sample_weight=weight)


def test_a_slope_that_is_no_float_is_refused():
    with pytest.raises(ValueError, match=r"distance must have a range that allows a finite slope.*Multiply"):
        sigmoid_calibration([1, 1, -1, -1], [0, 0, 1e-310, 1e-310])


# Errors


@pytest.mark.parametrize(("y_true", "distance", "weight", "message"), BAD_PAIRS)
def test_pairs_that_do_not_fit(y_true, distance, weight, message):
    with pytest.raises(ValueError, match=message):
        sigmoid_calibration(y_true, distance, sample_weight=weight)
