import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from skmetric.preferences import best_worst_pairs, bradley_terry_scores

CYCLE = [[0, 1], [1, 2], [2, 0]]


def gradient(scores, pairs, y, weights, alpha):
    """Gradient of the penalized loss, summed over the comparisons."""
    slope = alpha * np.nan_to_num(scores)
    for (i, j), outcome, weight in zip(pairs, y, weights, strict=True):
        surplus = weight * (1 / (1 + np.exp(scores[j] - scores[i])) - (outcome + 1) / 2)
        slope[i] += surplus
        slope[j] -= surplus
    return slope


def by_minorisation(pairs, n_items, *, steps=20_000):
    """Hunter's (2004) MM algorithm, if the first item always wins."""
    strength = np.ones(n_items)
    for _ in range(steps):
        wins, share = np.zeros(n_items), np.zeros(n_items)
        for i, j in pairs:
            wins[i] += 1
            share[[i, j]] += 1 / (strength[i] + strength[j])
        strength = wins / share
    return np.log(strength) - np.log(strength).mean()


@st.composite
def comparisons(draw, n_items=6):
    pair = st.permutations(range(n_items)).map(lambda order: order[:2])
    row = st.tuples(pair, st.sampled_from([-1, 0, 1]), st.sampled_from([0.0, 0.5, 1.0, 3.0]))
    rows = draw(st.lists(row, min_size=1, max_size=30).filter(lambda rows: any(row[2] for row in rows)))
    return [list(column) for column in zip(*rows, strict=True)]


# Values by hand


@pytest.mark.parametrize(
    ("pairs", "y", "gap"),
    [
        ([[0, 1]] * 4, [1, 1, 1, -1], np.log(3)),
        ([[0, 1], [1, 0]], [1, 1], 0),
        ([[0, 1]], [0], 0),
        # One win and two ties count as two wins of three.
        ([[0, 1]] * 3, [1, 0, 0], np.log(2)),
        ([[1, 0]] * 3, [-1, 0, 0], np.log(2)),
    ],
)
def test_two_items(pairs, y, gap):
    np.testing.assert_allclose(bradley_terry_scores(pairs, y, ties=True), [gap / 2, -gap / 2], atol=1e-9)


def test_booleans_say_whether_the_first_item_won():
    """An item that lost seven of ten comparisons is the weaker one."""
    pairs, first_won = [[0, 1]] * 10, np.arange(10) < 3
    scores = bradley_terry_scores(pairs, first_won)
    np.testing.assert_array_equal(scores, bradley_terry_scores(pairs, np.where(first_won, 1, -1)))
    np.testing.assert_allclose(scores, [np.log(3 / 7) / 2, np.log(7 / 3) / 2])


@pytest.mark.parametrize("ratio", [1.0, 7.0, 1e3, 1e6])
@pytest.mark.parametrize("unit", [1e-308, 1.0, 1e300])
def test_weights_are_repeats(ratio, unit):
    scores = bradley_terry_scores([[0, 1], [1, 0]], sample_weight=[ratio * unit, unit])
    np.testing.assert_allclose(scores, [np.log(ratio) / 2, -np.log(ratio) / 2], rtol=1e-6, atol=1e-12)


@given(st.floats(0, 15), st.floats(-300, 280))
def test_two_items_differ_by_the_log_of_their_wins(exponent, unit):
    """The ratio of the weights is the ratio of the wins, however few the losses are."""
    many, few = 10.0 ** (unit + exponent), 10.0**unit
    scores = bradley_terry_scores([[0, 1], [1, 0]], sample_weight=[many, few])
    assert scores[0] - scores[1] == pytest.approx(np.log(many / few), rel=1e-12, abs=1e-12)


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=8))
def test_the_gaps_of_a_chain_are_the_logs_of_its_wins(exponents):
    first = np.arange(len(exponents))
    pairs = np.concatenate([np.column_stack([first, first + 1]), np.column_stack([first + 1, first])])
    weights = np.concatenate([np.power(10.0, exponents), np.ones(len(first))])
    gaps = -np.diff(bradley_terry_scores(pairs, sample_weight=weights))
    # An item's sum over its pairs is rounded to the digits of its largest pair, which the smallest pair may not reach.
    wins = weights[: len(first)]
    ratio = np.minimum(wins, 1).max() / np.minimum(wins, 1).min()
    np.testing.assert_allclose(gaps, np.log(wins), rtol=1e-9, atol=1e-9 + 8 * np.finfo(float).eps * ratio)


@pytest.mark.parametrize("alpha", [1e-12, 1e-10, 1e-9, 1e-6, 1e-3, 1.0, 1e3])
def test_a_small_penalty_gives_the_root_of_the_slope(alpha):
    """Four wins to none, beside seven wins to none of two other items."""
    scores = bradley_terry_scores([[0, 1]] * 4 + [[2, 3]] * 7, alpha=alpha)
    for gap, wins in ((scores[0] - scores[1], 4), (scores[2] - scores[3], 7)):
        root = brentq(lambda d, wins=wins: alpha * d / 2 - wins * expit(-d), 0, 100, xtol=1e-14, rtol=1e-14)
        assert gap == pytest.approx(root, rel=1e-10)
    np.testing.assert_allclose([scores[:2].sum(), scores[2:].sum()], 0, atol=1e-12)


@pytest.mark.parametrize("strong", [1e3, 1e6, 1e9, 1e12])
def test_few_comparisons_beside_many_keep_their_gap(strong):
    """Two cycles of many comparisons, connected by three wins and one loss."""
    pairs = [[0, 1], [1, 2], [2, 0], [3, 4], [4, 5], [5, 3], [2, 3], [3, 2]]
    scores = bradley_terry_scores(pairs, sample_weight=[strong] * 6 + [3, 1])
    assert scores[2] - scores[3] == pytest.approx(np.log(3), rel=1e-9)
    np.testing.assert_allclose(scores[[0, 1]], scores[2], rtol=1e-9)


def test_the_first_wins_unless_said_otherwise():
    np.testing.assert_array_equal(bradley_terry_scores(CYCLE), bradley_terry_scores(CYCLE, np.ones(3)))
    np.testing.assert_allclose(bradley_terry_scores(CYCLE), 0, atol=1e-12)


def test_an_item_never_compared_is_nan():
    scores = bradley_terry_scores([[1, 3], [3, 1], [1, 4]], sample_weight=[2, 1, 0], n_items=6)
    assert np.isnan(scores).tolist() == [True, False, True, False, True, True]
    np.testing.assert_allclose(scores[[1, 3]], [np.log(2) / 2, -np.log(2) / 2])


def test_penalized_components_are_centered_each():
    scores = bradley_terry_scores([[0, 1], [2, 3], [2, 4]], alpha=0.5)
    np.testing.assert_allclose([scores[:2].sum(), scores[2:].sum()], 0, atol=1e-9)
    assert scores[0] > 0 > scores[1]


@pytest.mark.parametrize("alpha", [1e-12, 1e12])
def test_penalties_of_any_size(alpha):
    scores = bradley_terry_scores([[0, 1]], alpha=alpha)
    assert np.isfinite(scores).all()
    assert scores[0] == -scores[1] > 0


# Against other ways to the same


@pytest.mark.parametrize("seed", range(3))
def test_matches_minorisation(seed):
    rng = np.random.default_rng(seed)
    pairs = rng.integers(0, 8, size=(60, 2))
    pairs = np.concatenate([pairs[pairs[:, 0] != pairs[:, 1]], [[i, (i + 1) % 8] for i in range(8)]])
    np.testing.assert_allclose(bradley_terry_scores(pairs), by_minorisation(pairs, 8, steps=2000), atol=1e-8)


@pytest.mark.parametrize("alpha", [0.1, 5.0])
def test_matches_logistic_regression(alpha):
    rng = np.random.default_rng(0)
    pairs = np.array([rng.choice(7, size=2, replace=False) for _ in range(50)])
    y, weights = rng.choice([-1, 1], size=50), rng.uniform(0, 2, size=50)
    design = np.eye(7)[pairs[:, 0]] - np.eye(7)[pairs[:, 1]]
    model = LogisticRegression(C=1 / alpha, fit_intercept=False, tol=1e-12, solver="newton-cg", max_iter=1000)
    expected = model.fit(design, y, sample_weight=weights).coef_[0]
    np.testing.assert_allclose(
        bradley_terry_scores(pairs, y, sample_weight=weights, alpha=alpha, ties=True), expected, atol=1e-7
    )


@given(comparisons(), st.sampled_from([0.01, 1.0, 100.0]))
def test_the_slope_is_zero(rows, alpha):
    pairs, y, weights = rows
    scores = bradley_terry_scores(pairs, y, sample_weight=weights, alpha=alpha, ties=True, n_items=6)
    compared = {item for pair, weight in zip(pairs, weights, strict=True) if weight for item in pair}
    assert {item for item in range(6) if not np.isnan(scores[item])} == compared
    counted = [k for k, weight in enumerate(weights) if weight]
    slope = gradient(scores, [pairs[k] for k in counted], [y[k] for k in counted], [weights[k] for k in counted], alpha)
    assert np.abs(slope).max() <= 1e-10 * 2 * sum(weights)
    assert abs(np.nanmean(scores)) < 1e-12


@given(comparisons())
def test_order_and_sides_do_not_matter(rows):
    pairs, y, weights = rows
    scores = bradley_terry_scores(pairs, y, sample_weight=weights, alpha=1, ties=True)
    turned = bradley_terry_scores(
        [pair[::-1] for pair in pairs[::-1]],
        [-outcome for outcome in y[::-1]],
        sample_weight=weights[::-1],
        alpha=1,
        ties=True,
    )
    np.testing.assert_allclose(turned, scores, atol=1e-8)


@given(comparisons())
def test_maximum_likelihood_is_given_or_refused(rows):
    """There are scores if wins lead from every item to every other, as found by plain search."""
    pairs, y, weights = rows
    beats = {}
    for (i, j), outcome, weight in zip(pairs, y, weights, strict=True):
        if weight:
            beats.setdefault(i, set()).update({j} if outcome >= 0 else set())
            beats.setdefault(j, set()).update({i} if outcome <= 0 else set())
    if all(reach(beats, item) == set(beats) for item in beats):
        scores = bradley_terry_scores(pairs, y, sample_weight=weights, ties=True, n_items=6)
        assert {item for item in range(6) if not np.isnan(scores[item])} == set(beats)
    else:
        with pytest.raises(ValueError, match="alpha > 0"):
            bradley_terry_scores(pairs, y, sample_weight=weights, ties=True)


def reach(beats, item):
    seen, todo = {item}, [item]
    while todo:
        todo += (new := beats[todo.pop()] - seen)
        seen |= new
    return seen


def test_a_long_chain():
    """Conjugate gradients need many steps: each item beats the next in two games of three."""
    first = np.arange(2_000)
    pairs = np.repeat(np.column_stack([first, first + 1]), 3, axis=0)
    scores = bradley_terry_scores(pairs, np.tile([1, -1, 1], len(first)))
    np.testing.assert_allclose(np.diff(scores), -np.log(2), rtol=1e-8)


def test_recovers_strengths():
    rng = np.random.default_rng(0)
    strengths = rng.normal(size=50)
    pairs = np.array([rng.choice(50, size=2, replace=False) for _ in range(20_000)])
    chance = 1 / (1 + np.exp(strengths[pairs[:, 1]] - strengths[pairs[:, 0]]))
    y = np.where(rng.random(len(pairs)) < chance, 1, -1)
    np.testing.assert_allclose(bradley_terry_scores(pairs, y), strengths - strengths.mean(), atol=0.3)


def test_takes_what_best_worst_judgments_give():
    pairs, weights, _ = best_worst_pairs([[0, 1, 2, 3]] * 2, [0, 3], [3, 0])
    scores = bradley_terry_scores(pairs, sample_weight=weights)
    np.testing.assert_allclose(scores, 0, atol=1e-10)


# Errors


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (
            [[0, 1], [1, 0], [2, 3], [3, 2], [3, 4], [4, 2]],
            r"2 components that were never compared with each other \(sizes: 3 with item 2, 2 with item 0\)",
        ),
        ([*CYCLE, [0, 3]], r"2 components between which all wins go one way \(sizes: 3 with item 0, 1 with item 3\)"),
        ([[i, i + 1] for i in range(9)], r"10 components .* \(sizes: 1 with item 0, .* 1 with item 4, \.\.\.\)"),
    ],
)
def test_no_maximum(pairs, message):
    message = "pairs must connect every item to every other by wins if alpha=0, got " + message
    with pytest.raises(ValueError, match=message + ".* Pass alpha > 0, for instance alpha=0.1, or keep only"):
        bradley_terry_scores(pairs)
    assert np.isfinite(bradley_terry_scores(pairs, alpha=1e-3)).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"pairs": [0, 1]}, ValueError, r"pairs must have .* shape \(n_pairs, 2\), got shape \(2,\). Pass the codes"),
        ({"pairs": [[0, 1, 2]]}, ValueError, r"pairs must have .* got shape \(1, 3\)"),
        ({"pairs": []}, ValueError, r"pairs must have .* got shape \(0,\)"),
        ({"pairs": [[0, 1], [2, 2]]}, ValueError, "pairs must compare two different items, got item 2 twice in row 1"),
        ({"pairs": [[0.5, 1.0]]}, TypeError, "pairs must hold integer item codes from 0, got numbers with fractions"),
        ({"pairs": [["a", "b"]]}, TypeError, "pairs must hold integer item codes from 0, got text"),
        ({"pairs": [[0, None]]}, ValueError, "pairs must have no missing values"),
        ({"pairs": [[0, -1]]}, ValueError, r"pairs must hold item codes from 0 to 2\*\*31 - 1, got -1"),
        ({"y": [1]}, ValueError, r"y must have one outcome per pair, got 1 for 3 pairs. Pass 1 \(the first wins\), -1"),
        ({"y": [1, 2, 1]}, ValueError, r"y must be 1 \(the first wins\), -1 .* got 2 at pair 1. Convert"),
        ({"y": [1, np.nan, 1]}, ValueError, "y must have no missing values .* got one in pair 1"),
        (
            {"y": [1, 0, 1]},
            ValueError,
            r"y must show what 0 means, .* pass 2 \* y - 1. If 0 means a tie, set ties=True",
        ),
        ({"y": [0, 0, 0]}, ValueError, "y must show what 0 means"),
        (
            {"sample_weight": [1]},
            ValueError,
            r"sample_weight must have one weight per pair, shape \(3,\), got shape \(1,\)",
        ),
        ({"sample_weight": [1, -2, 1]}, ValueError, "sample_weight must be non-negative, got -2 at pair 1"),
        (
            {"sample_weight": [1, 1, np.inf]},
            ValueError,
            "sample_weight must be finite, got inf at pair 2",
        ),
        ({"sample_weight": [0, 0, 0]}, ValueError, "sample_weight must be positive for at least one pair, got 3 zeros"),
        ({"alpha": -1}, ValueError, "alpha must be finite and not negative, got alpha=-1. Pass alpha=0"),
        ({"alpha": np.nan}, ValueError, "alpha must be finite and not negative, got alpha=nan"),
        ({"alpha": "1"}, TypeError, "alpha must be a number, got '1' of type str. Pass alpha=0"),
        ({"n_items": 2}, ValueError, "n_items must be larger than every item code, got n_items=2 and the code 2"),
        ({"n_items": 3.0}, TypeError, "n_items must be an integer or None, got 3.0"),
    ],
)
def test_arguments_are_checked(arguments, error, message):
    with pytest.raises(error, match=message):
        bradley_terry_scores(**{"pairs": CYCLE, **arguments})


def test_a_tolerance_that_is_not_reached_is_an_error(monkeypatch):
    monkeypatch.setattr("skmetric.preferences._newton.MAX_STEPS", 1)
    with pytest.raises(
        RuntimeError,
        match=r"alpha must be .*, got alpha=0: after at most 1 steps, .* more than 1e-10 of the .* Pass a larger alpha",
    ):
        bradley_terry_scores([[0, 1], [1, 0]], sample_weight=[5, 1])
