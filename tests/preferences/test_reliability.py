import numpy as np
import pytest
from scipy.stats import spearmanr

from skmetric.preferences import best_worst_scores, split_half_reliability
from skmetric.preferences.reliability import _Halves


def judged(seed, *, noise, n_items=40, n_tuples=80, times=6):
    """Judgments of random tuples by people who see the code of each item plus noise."""
    rng = np.random.default_rng(seed)
    tuples = np.repeat([rng.choice(n_items, size=4, replace=False) for _ in range(n_tuples)], times, axis=0)
    seen = tuples + noise * rng.normal(size=tuples.shape)
    rows = np.arange(len(tuples))
    return tuples, tuples[rows, seen.argmax(axis=1)], tuples[rows, seen.argmin(axis=1)]


@pytest.mark.parametrize("sizes", [[2, 4, 6], [1, 3, 5], [1, 1, 1, 2, 7]])
def test_halves_are_even_within_each_tuple(sizes):
    rng = np.random.default_rng(0)
    of_tuple = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    tuples = np.column_stack([of_tuple, of_tuple + 10, of_tuple + 20])
    # The items of a tuple are in any order.
    halves = _Halves(rng.permuted(tuples, axis=1))
    draws = np.array([halves.draw(rng) for _ in range(400)])
    for k, size in enumerate(sizes):
        counts = draws[:, of_tuple == k].sum(axis=1)
        assert set(counts) == {size // 2, (size + 1) // 2}
    # Every judgment is in each half equally often, within five standard deviations.
    assert np.abs(draws.mean(axis=0) - 0.5).max() < 5 * 0.5 / np.sqrt(len(draws))


def test_judgments_of_a_tuple_are_split_at_random():
    tuples = np.array([[0, 1, 2]] * 4)
    rng = np.random.default_rng(0)
    seen = {tuple(_Halves(tuples).draw(rng).tolist()) for _ in range(200)}
    assert len(seen) == 6


def test_one_split_is_spearman_of_the_halves():
    rows = judged(0, noise=5)
    in_first = _Halves(rows[0]).draw(np.random.default_rng(3))
    halves = [best_worst_scores(*(column[half] for column in rows), n_items=40) for half in (in_first, ~in_first)]
    expected = spearmanr(*halves, nan_policy="omit").statistic
    assert split_half_reliability(*rows, n_splits=1, random_state=3) == pytest.approx(expected, rel=1e-12)


def test_items_scored_in_one_half_only_are_left_out():
    tuples, best, worst = judged(0, noise=0)
    tuples, best, worst = np.append(tuples, [[40, 41, 42, 43]], axis=0), np.append(best, 43), np.append(worst, 40)
    assert 0.9 < split_half_reliability(tuples, best, worst, n_splits=5, random_state=0) <= 1


def test_agreement_is_ordered_by_noise():
    values = [
        split_half_reliability(*judged(1, noise=noise), n_splits=20, random_state=0) for noise in (0, 10, 40, 1e6)
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.95
    assert abs(values[-1]) < 0.3


def test_random_state():
    rows = judged(0, noise=10)
    assert split_half_reliability(*rows, random_state=0) == split_half_reliability(*rows, random_state=0)
    assert split_half_reliability(*rows, random_state=0) != split_half_reliability(*rows, random_state=1)
    generator = np.random.default_rng(0)
    assert split_half_reliability(*rows, random_state=generator) != split_half_reliability(
        *rows, random_state=generator
    )
    states = [np.random.RandomState(0) for _ in range(2)]
    assert len({split_half_reliability(*rows, random_state=state) for state in states}) == 1


@pytest.mark.parametrize("rows", [([[0, 1]], [0], [1]), ([[0, 1, 0, 1]] * 4, [0] * 4, [0] * 4)])
def test_nothing_to_correlate(rows):
    with pytest.raises(
        ValueError, match=r"tuples must give at least two items with different scores .* Pass more judgments per"
    ):
        split_half_reliability(*rows, random_state=0)


@pytest.mark.parametrize(
    ("n_splits", "error", "message"),
    [
        (0, ValueError, "n_splits must be at least 1, got n_splits=0. Pass 100"),
        (1.5, TypeError, "n_splits must be an integer, got 1.5 of type float. Pass 100"),
        (True, TypeError, "n_splits must be an integer, got True"),
    ],
)
def test_n_splits_is_checked(n_splits, error, message):
    with pytest.raises(error, match=message):
        split_half_reliability(*judged(0, noise=0), n_splits=n_splits)


def test_judgments_are_checked():
    with pytest.raises(ValueError, match="best must be an item of the tuple in the same row"):
        split_half_reliability([[0, 1]], [2], [1])
