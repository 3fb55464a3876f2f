import math
from fractions import Fraction

import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, fbeta_score, roc_curve

from skmetric.metrics.thresholds import distance_threshold, sigmoid_calibration
from tests.metrics.labeled_pairs import BAD_PAIRS, pairs, settings, table

CRITERIA = [
    {"strategy": "accuracy"},
    {"strategy": "f_beta"},
    {"strategy": "f_beta", "beta": 0.5},
    {"strategy": "f_beta", "beta": 3},
    *({"strategy": name, "min_rate": k / 20} for name in ("max_tpr", "max_tnr") for k in (0, 3, 10, 14, 19, 20)),
]


def by_name(criterion):
    return "-".join(str(value) for value in criterion.values())


every_criterion = pytest.mark.parametrize("criterion", CRITERIA, ids=by_name)
any_criterion = st.sampled_from(CRITERIA)


def reference_cut(y_true, distance, weights, *, strategy, beta=1, min_rate=0):
    """The definitions in fractions: how many of the distinct distances are classified as similar."""
    values = sorted({d for d, w in zip(distance, weights, strict=True) if w > 0})
    scored = []
    for cut in range(len(values) + 1):
        tp = fp = tn = fn = Fraction(0)
        for y, d, w in zip(y_true, distance, weights, strict=True):
            called_similar = any(d == value for value in values[:cut])
            tp += Fraction(w) * (y == 1 and called_similar)
            fp += Fraction(w) * (y == -1 and called_similar)
            tn += Fraction(w) * (y == -1 and not called_similar)
            fn += Fraction(w) * (y == 1 and not called_similar)
        tpr, tnr, b2 = tp / (tp + fn), tn / (tn + fp), Fraction(beta) ** 2
        # The rates of the tests are twentieths, which floats do not represent exactly.
        least = Fraction(round(min_rate * 20), 20)
        if strategy == "accuracy":
            scored.append(((tp + tn) / (tp + fp + tn + fn), 0))
        elif strategy == "f_beta":
            scored.append(((1 + b2) * tp / ((1 + b2) * tp + b2 * fn + fp), 0))
        elif strategy == "max_tpr":
            scored.append((tpr, tnr) if tnr >= least else (-1, 0))
        else:
            scored.append((tnr, tpr) if tpr >= least else (-1, 0))
    best = [cut for cut, score in enumerate(scored) if score == max(scored)]
    return best[(len(best) - 1) // 2], values


def reference_threshold(cut, values):
    gap = (values[-1] - values[0]) / (len(values) - 1) if len(values) > 1 else abs(values[0]) or 1
    if cut == len(values):
        return values[-1] + gap / 2
    if cut == 0:
        below = values[0] - gap
        return (max(below, 0) + values[0]) / 2 if values[0] > 0 else values[0] - gap / 2
    return (values[cut - 1] + values[cut]) / 2


# Thresholds by definition


@pytest.mark.parametrize(
    ("y_true", "distance", "threshold"),
    [
        # Between the classes.
        ([1, 1, -1], [0, 1, 4], 2.5),
        # Similar pairs are farther: all are similar, then none. The mean gap is 1.5.
        ([-1, 1, 1], [1, 2, 4], 4.75),
        ([-1, -1, 1], [2, 3, 5], 1.25),
        # Half of the smallest distance is nearer than half the gap. For 0 or less, only the gap is used.
        ([-1, -1, 1], [1, 2, 4], 0.5),
        ([-1, -1, 1], [0, 2, 4], -1.0),
        ([-1, -1, 1], [-3, -2, 0], -3.75),
        # All distances equal.
        ([1, 1, -1], [3, 3, 3], 4.5),
        ([1, -1, -1], [3, 3, 3], 1.5),
        ([1, 1, -1], [0, 0, 0], 0.5),
        ([1, -1, -1], [0, 0, 0], -0.5),
        ([1, 1, -1], [-2, -2, -2], -1.0),
        ([1, -1, -1], [-2, -2, -2], -3.0),
        # Equally good thresholds: the middle one, or the lower of two.
        ([1, -1, 1, -1], [1, 2, 3, 4], 1.5),
        ([1, -1, 1, -1, 1, -1], [1, 2, 3, 4, 5, 6], 3.5),
        # All or none, at one distance: none.
        ([1, -1], [2, 2], 1.0),
    ],
)
def test_thresholds_by_hand(y_true, distance, threshold):
    assert distance_threshold(y_true, distance) == threshold


@hypothesis.settings(settings, max_examples=300)
@given(criterion=any_criterion, data=pairs(), unit=st.sampled_from([1, 0.1, 1 / 3, 1e-300, 1e307]))
def test_it_is_the_threshold_of_the_definition(criterion, data, unit):
    y_true, distance, weight = data
    cut, values = reference_cut(y_true, distance, weight, **criterion)
    # Ties of the criterion are ties in any unit, despite rounding.
    threshold = distance_threshold(y_true, distance, sample_weight=np.multiply(weight, unit), **criterion)
    assert type(threshold) is float
    assert sum(value <= threshold for value in values) == cut
    assert threshold == pytest.approx(reference_threshold(cut, values), rel=1e-15)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weighted", [False, True])
def test_scikit_learns_scores_are_never_better_elsewhere(seed, weighted):
    y_true, distance, weight = table(seed)
    weight = weight if weighted else None
    candidates = np.append(distance, distance.min() - 1)

    def best(score):
        return max(score(np.where(distance <= t, 1, -1)) for t in candidates)

    def accuracy(y_pred):
        return accuracy_score(y_true, y_pred, sample_weight=weight)

    def f_beta(y_pred):
        return fbeta_score(y_true, y_pred, beta=2, sample_weight=weight, zero_division=0)

    for score, criterion in ((accuracy, {}), (f_beta, {"strategy": "f_beta", "beta": 2})):
        threshold = distance_threshold(y_true, distance, sample_weight=weight, **criterion)
        assert score(np.where(distance <= threshold, 1, -1)) == pytest.approx(best(score), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("min_rate", [0.0, 0.5, 0.8, 0.95, 1.0])
def test_the_rates_are_those_of_the_roc_curve(seed, min_rate):
    y_true, distance, _ = table(seed)
    fpr, tpr, _ = roc_curve(y_true, -distance, drop_intermediate=False)
    tnr = 1 - fpr
    for strategy, goal, bound in (("max_tpr", tpr, tnr), ("max_tnr", tnr, tpr)):
        similar = distance <= distance_threshold(y_true, distance, strategy=strategy, min_rate=min_rate)
        rates = {"max_tpr": similar[y_true == 1].mean(), "max_tnr": (~similar)[y_true == -1].mean()}
        assert rates.pop(strategy) == pytest.approx(goal[bound >= min_rate - 1e-9].max())
        assert rates.popitem()[1] >= min_rate


def test_beta_leads_from_precision_to_recall():
    y_true, distance = [1, -1, 1, 1, -1, -1, 1], [1, 2, 3, 4, 5, 6, 7]
    cuts = [distance_threshold(y_true, distance, strategy="f_beta", beta=b) for b in (1e-200, 0.1, 1, 10, 1e200)]
    assert cuts == [1.5, 1.5, 4.5, 7.5, 7.5]


@pytest.mark.parametrize("weight", [None, 0.1])
@pytest.mark.parametrize("k", range(11))
def test_rounding_does_not_miss_the_rate(k, weight):
    # In floating point, neither the sum of k tenths nor 1 - (10 - k) / 10 is k / 10.
    y_true, distance = [-1] * 10 + [1], [*range(10), -1]
    weight = None if weight is None else [weight] * 11
    similar = distance_threshold(y_true, distance, strategy="max_tpr", min_rate=k / 10, sample_weight=weight)
    assert similar == -0.5
    y_true, distance = [1] * 10 + [-1], [*range(10), 10]
    similar = distance_threshold(y_true, distance, strategy="max_tnr", min_rate=k / 10, sample_weight=weight)
    assert similar == 9.5
    # If the other class is spread out, the rate is the binding condition.
    y_true, distance = [1, -1] * 10, range(20)
    similar = distance_threshold(
        y_true, distance, strategy="max_tpr", min_rate=k / 10, sample_weight=weight and weight[:1] * 20
    )
    assert similar == min(2 * (10 - k), 18) + 0.5


# Thresholds in floating point


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@settings
@given(criterion=any_criterion, data=st.data())
def test_comparing_gives_the_classes_that_were_judged(dtype, criterion, data):
    limits = np.finfo(dtype)
    width = 8 * np.dtype(dtype).itemsize
    # Any float, and floats next to 1 and to 0, with no number between them or beyond them.
    anywhere = st.floats(
        width=width, allow_nan=False, allow_infinity=False, exclude_min=True, min_value=float(limits.min)
    )
    crowded = st.integers(-3, 3).map(lambda k: float(dtype(1) + dtype(k) * limits.eps))
    tiny = st.integers(-3, 3).map(lambda k: k * float(limits.smallest_subnormal))
    y_true, distance, weight = data.draw(
        pairs(distances=anywhere | crowded | tiny, weights=st.sampled_from([0.0, 1, 2]))
    )
    ranks = np.unique(distance, return_inverse=True)[1]
    cut, kept = reference_cut(y_true, ranks, weight, **criterion)
    distance = np.array(distance, dtype)
    threshold = distance_threshold(y_true, distance, sample_weight=weight, **criterion)
    assert type(threshold) is float
    assert math.isfinite(threshold)
    assert threshold == float(dtype(threshold))
    expected = np.isin(ranks, kept[:cut])
    is_counted = np.array(weight) > 0
    for compared in (distance <= threshold, distance <= np.float64(threshold), distance.astype(float) <= threshold):
        np.testing.assert_array_equal(compared[is_counted], expected[is_counted])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("base", [0.0, 1.0, 3.0, -1.0, -3.0])
def test_between_adjacent_floats_it_is_the_lower_one(dtype, base):
    lower = dtype(base)
    upper = np.nextafter(lower, dtype(np.inf))
    distance = np.array([lower, upper])
    threshold = distance_threshold([1, -1], distance)
    assert threshold == float(lower)
    assert (distance <= threshold).tolist() == [True, False]


@settings
@given(criterion=any_criterion, data=pairs(distances=st.integers(0, 40).map(lambda k: k / 8)))
def test_float32_and_float64_agree(criterion, data):
    y_true, distance, weight = data
    single, double = (
        distance_threshold(y_true, np.array(distance, dtype), sample_weight=weight, **criterion)
        for dtype in (np.float32, np.float64)
    )
    # Eighths are exact in float64. Only the ends are rounded, for instance thirds of a gap.
    assert single == np.float32(double)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_ends_of_the_range_of_floats(dtype):
    limits = np.finfo(dtype)
    ends = np.array([limits.min, limits.max], dtype)
    assert distance_threshold([1, -1], ends) == 0
    assert distance_threshold([1, -1], np.array([limits.max / 2, limits.max])) == pytest.approx(
        0.75 * float(limits.max), rel=float(limits.eps)
    )
    assert distance_threshold([1, 1, -1], ends[[1, 1, 1]]) == float(limits.max)
    with pytest.raises(ValueError, match=r"distance must be larger than the smallest float.*Divide the distances"):
        distance_threshold([1, -1], ends[::-1])


# Thresholds: what must not matter, and what must


@settings
@given(criterion=any_criterion, data=pairs(weights=st.integers(1, 30).map(lambda k: k / 10)), seed=st.integers(0, 99))
def test_the_order_of_the_pairs_does_not_matter(criterion, data, seed):
    y_true, distance, weight = map(np.array, data)
    order = np.random.default_rng(seed).permutation(len(y_true))
    assert distance_threshold(y_true, distance, sample_weight=weight, **criterion) == distance_threshold(
        y_true[order], distance[order], sample_weight=weight[order], **criterion
    )


@every_criterion
@pytest.mark.parametrize("scale", [2.0**-40, 0.25, 2.0, 2.0**60])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_scales_with_the_distances(criterion, scale, dtype):
    y_true, distance, weight = table(3, n=40)
    distance = distance.astype(dtype)
    for sign in (1, -1):
        threshold = distance_threshold(sign * y_true, distance, sample_weight=weight, **criterion)
        scaled = distance_threshold(sign * y_true, dtype(scale) * distance, sample_weight=weight, **criterion)
        assert scaled == scale * threshold


@settings
@given(criterion=any_criterion, data=pairs(), shift=st.integers(-50, 50))
def test_it_shifts_with_the_distances(criterion, data, shift):
    y_true, distance, weight = data
    before = distance_threshold(y_true, distance, sample_weight=weight, **criterion)
    after = distance_threshold(y_true, np.add(distance, shift), sample_weight=weight, **criterion)
    kept = [d for d, w in zip(distance, weight, strict=True) if w > 0]
    if before < min(kept) or min(kept) == max(kept):
        # Half of the smallest distance is the limit, and it does not shift with the distances.
        assert (after < min(kept) + shift) == (before < min(kept))
    else:
        assert after == pytest.approx(before + shift, abs=1e-13)


@settings
@given(criterion=any_criterion, data=pairs())
def test_the_classes_depend_on_the_order_of_the_distances_only(criterion, data):
    y_true, distance, weight = map(np.array, data)
    keep = weight > 0
    stretched = np.exp(3.0 * distance)
    expected = distance <= distance_threshold(y_true, distance, sample_weight=weight, **criterion)
    similar = stretched <= distance_threshold(y_true, stretched, sample_weight=weight, **criterion)
    np.testing.assert_array_equal(similar[keep], expected[keep])


@every_criterion
@pytest.mark.parametrize("weight", [0.1, 1 / 3, 1e-300, 1e308])
def test_equal_weights_are_none(criterion, weight):
    y_true, distance, _ = table(4)
    assert distance_threshold(
        y_true, distance, sample_weight=np.full(len(distance), weight), **criterion
    ) == distance_threshold(y_true, distance, **criterion)


@settings
@given(criterion=any_criterion, data=pairs(weights=st.integers(0, 4)))
def test_an_integer_weight_is_that_many_repeats(criterion, data):
    y_true, distance, weight = map(np.array, data)
    assert distance_threshold(y_true, distance, sample_weight=weight, **criterion) == distance_threshold(
        y_true.repeat(weight), distance.repeat(weight), **criterion
    )


@pytest.mark.parametrize(
    ("criterion", "y_true", "tenths"),
    [
        ({}, [-1, -1, 1], [2, 6, 8]),
        ({"strategy": "f_beta"}, [1, -1, 1, -1], [4, 3, 2, 5]),
        ({"strategy": "max_tnr", "min_rate": 0.7}, [1, -1, 1, -1, 1], [7, 3, 1, 9, 2]),
        ({"strategy": "max_tnr", "min_rate": 0.6}, [1, -1, 1], [3, 4, 2]),
    ],
)
def test_rounded_sums_of_weights_are_ties_still(criterion, y_true, tenths):
    distance = range(len(y_true))
    assert distance_threshold(y_true, distance, sample_weight=np.array(tenths) / 10, **criterion) == distance_threshold(
        np.repeat(y_true, tenths), np.repeat(distance, tenths), **criterion
    )


def test_a_rare_class_is_not_lost_in_rounding():
    # The best F is about 2e-14.
    assert distance_threshold([-1, 1, -1], [1, 2, 3], strategy="f_beta", sample_weight=[1, 1e-14, 1]) == 2.5


def test_a_weight_matters():
    y_true, distance = [1, -1, 1, -1], [1, 2, 3, 4]
    assert distance_threshold(y_true, distance, sample_weight=[1, 1, 5, 1]) == 3.5
    assert distance_threshold(y_true, distance, sample_weight=[1, 5, 1, 1]) == 1.5


@pytest.mark.parametrize(
    "convert",
    [list, tuple, np.array, pd.Series, lambda x: pd.Series(x, dtype="Float64"), lambda x: np.array(x, object)],
)
def test_array_likes(convert):
    y_true, distance, weight = [1, 1, -1, -1], [1.0, 2.0, 4.0, 5.0], [1.0, 1.0, 2.0, 0.0]
    result = distance_threshold(convert(y_true), convert(distance), sample_weight=convert(weight))
    assert result == 3.0
    slope, offset = sigmoid_calibration(convert(y_true), convert(distance), sample_weight=convert(weight))
    assert type(slope) is type(offset) is float


# Errors


@pytest.mark.parametrize(("y_true", "distance", "weight", "message"), BAD_PAIRS)
def test_pairs_that_do_not_fit(y_true, distance, weight, message):
    with pytest.raises(ValueError, match=message):
        distance_threshold(y_true, distance, sample_weight=weight)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"strategy": "precision"}, ValueError, r"strategy must be one of 'accuracy', 'f_beta'.*got 'precision'"),
        ({"strategy": None}, ValueError, r"strategy must be one of"),
        ({"strategy": "f_beta", "beta": 0}, ValueError, r"beta must be positive and finite, got 0"),
        ({"strategy": "f_beta", "beta": -1.0}, ValueError, r"beta must be positive and finite, got -1\.0"),
        ({"strategy": "f_beta", "beta": np.nan}, ValueError, r"beta must be positive and finite, got nan"),
        ({"strategy": "f_beta", "beta": np.inf}, ValueError, r"beta must be positive and finite, got inf"),
        ({"strategy": "f_beta", "beta": "2"}, TypeError, r"beta must be a number, got '2' of type str"),
        ({"strategy": "f_beta", "beta": None}, TypeError, r"beta must be a number, got None"),
        ({"beta": 2}, ValueError, r"beta must be 1 unless strategy='f_beta', got beta=2 with strategy='accuracy'"),
        ({"min_rate": 0.5}, ValueError, r"min_rate must be None unless .*, got min_rate=0\.5 with strategy='accuracy'"),
        (
            {"strategy": "f_beta", "min_rate": 0.5},
            ValueError,
            r"min_rate must be None unless .* with strategy='f_beta'",
        ),
        ({"strategy": "max_tpr"}, ValueError, r"min_rate must be the lower bound on the true negative rate.*got None"),
        ({"strategy": "max_tnr"}, ValueError, r"min_rate must be the lower bound on the true positive rate.*got None"),
        ({"strategy": "max_tpr", "min_rate": -0.1}, ValueError, r"from 0 to 1.*got -0\.1"),
        ({"strategy": "max_tnr", "min_rate": 1.1}, ValueError, r"from 0 to 1.*got 1\.1"),
        ({"strategy": "max_tnr", "min_rate": np.nan}, ValueError, r"from 0 to 1.*got nan"),
        ({"strategy": "max_tnr", "min_rate": "0.5"}, TypeError, r"min_rate must be a number, got '0\.5' of type str"),
        ({"strategy": "max_tnr", "min_rate": True}, TypeError, r"min_rate must be a number, got True of type bool"),
    ],
)
def test_criteria_that_do_not_fit(arguments, error, message):
    with pytest.raises(error, match=message):
        distance_threshold([1, -1], [1, 2], **arguments)
