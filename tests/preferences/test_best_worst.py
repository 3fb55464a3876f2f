from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skmetric.preferences import best_worst_pairs, best_worst_scores

TUPLES = [[0, 1, 2, 3], [3, 4, 5, 0]]


def enumerated_pairs(tuples, best, worst):
    """The pairs by their definition."""
    implied, n_dropped = Counter(), 0
    for shown, b, w in zip(tuples, best, worst, strict=True):
        if b == w:
            n_dropped += 1
            continue
        implied.update({(b, i) for i in shown if i != b} | {(i, w) for i in shown if i != w})
    return dict(implied), n_dropped


def enumerated_scores(tuples, best, worst, n_items):
    scores = []
    for item in range(n_items):
        shown = sum(row.count(item) for row in tuples)
        scores.append((best.count(item) - worst.count(item)) / shown if shown else np.nan)
    return scores


def found_pairs(implied):
    return {tuple(pair): weight for pair, weight in zip(implied.pairs.tolist(), implied.weights.tolist(), strict=True)}


@st.composite
def judgments(draw, n_items=6):
    """Judgments, also with items that occur twice in a tuple, which allow contradictions."""
    t = draw(st.integers(2, 5))
    rows = []
    for _ in range(draw(st.integers(1, 12))):
        shown = draw(st.lists(st.integers(0, n_items - 1), min_size=t, max_size=t))
        # Two positions in the tuple. If both have the same item, it is a contradiction.
        b, w = draw(st.permutations(range(t)))[:2]
        rows.append((shown, shown[b], shown[w]))
    return tuple(list(column) for column in zip(*rows, strict=True))


# Values by hand


def test_five_of_six_pairs():
    implied = best_worst_pairs([[0, 1, 2, 3]], [1], [2])
    assert found_pairs(implied) == {(1, 0): 1, (1, 2): 1, (1, 3): 1, (0, 2): 1, (3, 2): 1}
    assert implied.n_dropped == 0


def test_two_items_give_one_pair():
    assert found_pairs(best_worst_pairs([[4, 7]], [7], [4])) == {(7, 4): 1}


def test_an_item_shown_twice_is_one_item():
    assert found_pairs(best_worst_pairs([[0, 0, 1, 2]], [0], [2])) == {(0, 1): 1, (0, 2): 1, (1, 2): 1}
    assert found_pairs(best_worst_pairs([[0, 0, 1, 2]], [1], [0])) == {(1, 0): 1, (1, 2): 1, (2, 0): 1}
    assert found_pairs(best_worst_pairs([[0, 1, 1, 2]], [0], [2])) == {(0, 1): 1, (0, 2): 1, (1, 2): 1}


def test_a_contradiction_is_dropped_and_counted():
    implied = best_worst_pairs([[0, 0, 1, 2], [0, 1, 2, 3]], [0, 0], [0, 3])
    assert implied.n_dropped == 1
    assert found_pairs(implied) == found_pairs(best_worst_pairs([[0, 1, 2, 3]], [0], [3]))


def test_nothing_but_contradictions_gives_no_pairs():
    pairs, weights, n_dropped = best_worst_pairs([[1, 1], [1, 1]], [1, 1], [1, 1])
    assert pairs.shape == (0, 2)
    assert weights.shape == (0,)
    assert n_dropped == 2


def test_scores_by_hand():
    scores = best_worst_scores([*TUPLES, [0, 0, 1, 2]], [0, 3, 0], [3, 0, 0], n_items=8)
    np.testing.assert_array_equal(scores, [0 / 4, 0, 0, 0 / 2, 0, 0, np.nan, np.nan])
    np.testing.assert_array_equal(best_worst_scores([[0, 0, 1, 2]] * 2, [0, 0], [1, 2]), [0.5, -0.5, -0.5])


def test_types():
    implied = best_worst_pairs(np.array(TUPLES, dtype=np.uint8), np.array([0, 3], dtype=np.uint8), [3, 0])
    assert implied.pairs.dtype == np.intp
    assert implied.weights.dtype == np.float64
    assert isinstance(implied.n_dropped, int)
    frame = pd.DataFrame(TUPLES)
    assert found_pairs(best_worst_pairs(frame, pd.Series([0, 3]), pd.Series([3, 0]))) == found_pairs(implied)


def test_large_codes_do_not_overflow():
    top = 2**31 - 1
    assert found_pairs(best_worst_pairs([[top, top - 1, 0]], [top], [0])) == {
        (top, top - 1): 1,
        (top, 0): 1,
        (top - 1, 0): 1,
    }


# Against the plain loops


@given(judgments())
def test_pairs_match_enumeration(rows):
    implied = best_worst_pairs(*rows)
    expected, n_dropped = enumerated_pairs(*rows)
    assert found_pairs(implied) == expected
    assert implied.n_dropped == n_dropped
    assert implied.pairs.tolist() == sorted(implied.pairs.tolist())
    assert (implied.pairs[:, 0] != implied.pairs[:, 1]).all()


@given(judgments())
def test_scores_match_enumeration(rows):
    scores = best_worst_scores(*rows, n_items=7)
    np.testing.assert_array_equal(scores, enumerated_scores(*rows, n_items=7))
    assert np.nanmax(np.abs(scores)) <= 1


@given(judgments(), st.randoms())
def test_order_of_rows_and_of_items_does_not_matter(rows, random):
    order = random.sample(range(len(rows[0])), len(rows[0]))
    shuffled = [[column[i] for i in order] for column in rows]
    shuffled[0] = [random.sample(shown, len(shown)) for shown in shuffled[0]]
    assert found_pairs(best_worst_pairs(*shuffled)) == found_pairs(best_worst_pairs(*rows))
    np.testing.assert_array_equal(best_worst_scores(*shuffled), best_worst_scores(*rows))


@given(judgments())
def test_best_and_worst_exchanged_turn_everything_round(rows):
    tuples, best, worst = rows
    turned = {pair[::-1]: weight for pair, weight in found_pairs(best_worst_pairs(tuples, worst, best)).items()}
    assert turned == found_pairs(best_worst_pairs(*rows))
    np.testing.assert_array_equal(best_worst_scores(tuples, worst, best), -best_worst_scores(*rows))


# Errors


@pytest.mark.parametrize("function", [best_worst_pairs, best_worst_scores])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0, 1], [0], [1]), ValueError, r"tuples must have .* tuple_size\), got shape \(2,\). Pass the codes"),
        (([[0]], [0], [0]), ValueError, r"tuples must have .* two columns or more, .* got shape \(1, 1\)"),
        ((np.empty((0, 4), dtype=int), [], []), ValueError, r"tuples must have .* got shape \(0, 4\)"),
        (([], [], []), ValueError, r"tuples must have .* got shape \(0,\)"),
        (([["a", "b"]], ["a"], ["b"]), TypeError, r"tuples must hold integer item codes .* np.unique\(names"),
        (([[0, 1.5]], [0], [1]), TypeError, "tuples must hold integer item codes from 0, got numbers with fractions"),
        (
            ([[0, -2]], [0], [1]),
            ValueError,
            r"tuples must hold item codes from 0 to 2\*\*31 - 1, got -2. Codes are row",
        ),
        (([[0, 2**31]], [0], [1]), ValueError, r"tuples must hold item codes from 0 .* got 2147483648"),
        (
            (TUPLES, [0], [3, 0]),
            ValueError,
            r"best must have one item code .* shape \(2,\), got shape \(1,\). Pass one",
        ),
        ((TUPLES, [0, 3], [[3], [0]]), ValueError, r"worst must have one item code .* got shape \(2, 1\)"),
        ((TUPLES, [0.0, None], [3, 0]), ValueError, "best must have no missing values"),
        (
            (TUPLES, [0, 1], [3, 0]),
            ValueError,
            r"best must be an item .* got best=1 and .* \[3, 4, 5, 0\] in row 1. Corr",
        ),
        ((TUPLES, [0, 3], [4, 0]), ValueError, r"worst must be an item .* got worst=4 and .* \[0, 1, 2, 3\] in row 0"),
        ((TUPLES, [0, 5], [3, 5]), ValueError, "best and worst must differ, unless .* got item 5 as both .* in row 1"),
    ],
)
def test_judgments_are_checked(function, arguments, error, message):
    with pytest.raises(error, match=message):
        function(*arguments)


def test_n_items_is_checked():
    with pytest.raises(ValueError, match=r"n_items must be larger .* n_items=5 and the code 5. Pass n_items >= 6"):
        best_worst_scores(TUPLES, [0, 3], [3, 0], n_items=5)
    for wrong in (6.0, True, "6"):
        with pytest.raises(TypeError, match=r"n_items must be an integer or None, got .* Pass len\(X\)"):
            best_worst_scores(TUPLES, [0, 3], [3, 0], n_items=wrong)


@pytest.mark.parametrize("function", [best_worst_pairs, best_worst_scores])
def test_tuples_that_are_filled_up_are_refused(function):
    message = (
        r"tuples must have equal size .* got -1. If -1 fills up .* pass the tuples of each size in a separate call"
    )
    with pytest.raises(ValueError, match=message):
        function([[0, 1, 2], [0, 1, -1]], [0, 0], [1, 1])
