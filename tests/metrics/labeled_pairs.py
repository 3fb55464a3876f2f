"""Pairs with classes, distances and weights: random ones, and those that thresholds and sigmoids refuse."""

import hypothesis
import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

settings = hypothesis.settings(max_examples=100)

WITH_TIES = st.integers(0, 8)
# Sums of eighths are exact, so ties of the criterion are ties in the fractions of test_thresholds.py too.
EIGHTHS = st.integers(0, 24).map(lambda k: k / 8)


@st.composite
def pairs(draw, distances=WITH_TIES, weights=EIGHTHS):
    """Classes, distances with ties, and weights. Both classes have a positive weight."""
    n = draw(st.integers(2, 12))
    y_true = draw(st.lists(st.sampled_from([-1, 1]), min_size=n, max_size=n))
    distance = draw(st.lists(distances, min_size=n, max_size=n))
    weight = draw(st.lists(weights | st.just(1), min_size=n, max_size=n))
    assume({y for y, w in zip(y_true, weight, strict=True) if w > 0} == {-1, 1})
    return y_true, distance, weight


def table(seed, n=200):
    """Overlapping classes. Similar pairs are nearer on average."""
    rng = np.random.default_rng(seed)
    y_true = np.where(rng.random(n) < 0.4, 1, -1)
    return y_true, rng.gamma(3, size=n) * np.where(y_true == 1, 1.0, 1.7), rng.exponential(size=n)


# Classes, distances and weights that do not fit, and the message about them.
BAD_PAIRS = [
    ([1, 0], [1, 2], None, r"y_true must be 1 \(similar\), -1 .* got 0 and no -1\. If .* pass 2 \* y_true - 1"),
    ([1, -1, 0], [1, 2, 3], None, r"y_true must be 1 \(similar\), -1 .* got 0 at pair 2\. Convert"),
    (["1", "-1"], [1, 2], None, r"got '1' at pair 0"),
    ([1, 0.5], [1, 2], None, r"got 0\.5 at pair 1"),
    ([1, np.nan], [1, 2], None, r"y_true must have no missing values .* got one in pair 1"),
    ([1, -1, 1], [1, 2], None, r"y_true must have one outcome per pair, got 3 for 2 pairs"),
    ([[1, -1]], [1], None, r"y_true must have one outcome per pair, shape \(n_pairs,\), got shape \(1, 2\)"),
    ([1, 1], [1, 2], None, r"y_true must hold similar \(\+1\) and dissimilar \(-1\).*got only \+1 in 2 pairs"),
    ([-1, -1], [1, 2], None, r"got only -1 in 2 pairs"),
    ([-1, 1], [1, 2], [1, 0], r"got only -1 in 1 pairs.*Pass pairs of both classes"),
    ([1, -1], [1, np.nan], None, r"Input distance contains NaN"),
    ([1, -1], [1, np.inf], None, r"Input distance contains infinity"),
    ([1, -1], [[1], [2]], None, r"distance must have one value per pair, shape \(n_pairs,\), got shape \(2, 1\)"),
    ([], [], None, r"0 sample"),
    ([1, -1], [1, 2], [1], r"sample_weight must have one weight per pair, shape \(2,\), got shape \(1,\)"),
    ([1, -1], [1, 2], [1, -2], r"sample_weight must be non-negative, got -2 at pair 1"),
    ([1, -1], [1, 2], [0, 0], r"sample_weight must be positive for at least one pair, got 2 zeros"),
    ([1, -1], [1, 2], [1, np.nan], "sample_weight must have no missing values"),
]
