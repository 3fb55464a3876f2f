from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skmetric.estimators.embedding import _neighbors
from skmetric.estimators.embedding._neighbors import NeighborVote


def elected(embeddings, codes, query, k):
    """Count the votes in fractions: tied rows at the k-th place share what nearer rows leave."""
    distances = ((np.asarray(embeddings, dtype=float) - query) ** 2).sum(axis=1)
    reach = np.sort(distances)[k - 1]
    nearer, tied = distances < reach, distances == reach
    share = Fraction(int(k - nearer.sum()), int(tied.sum()))
    votes = {code: int(nearer[codes == code].sum()) + share * int(tied[codes == code].sum()) for code in set(codes)}
    return min(code for code in votes if votes[code] == max(votes.values()))


def points(*values):
    return np.array(values, dtype=np.float32)[:, np.newaxis]


def test_tied_rows_share_the_remaining_votes():
    # Row 0 has one vote. Three rows share the other two votes: 4/3 for class 2.
    codes = np.array([0, 2, 2, 1])
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [0, 3, 1, 2]):
        vote = NeighborVote(points(0.0, 1.0, 1.0, -1.0)[order], codes[order])
        assert vote.predict(points(0.0), 3).tolist() == [2]


def test_of_equal_sums_of_shares_the_lowest_code_wins():
    # One full vote for class 1. Class 0 has three times a third.
    vote = NeighborVote(points(0.0, 1.0, 1.0, -1.0, 5.0), np.array([1, 0, 0, 0, 1]))
    assert vote.predict(points(0.0), 2).tolist() == [0]
    vote = NeighborVote(points(0.0, 1.0, 1.0, -1.0, 5.0), np.array([0, 1, 1, 1, 0]))
    assert vote.predict(points(0.0), 2).tolist() == [0]


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32 - 1))
def test_matches_votes_in_fractions_in_any_row_order(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 50))
    embeddings, codes = rng.integers(-2, 3, size=(n, 2)).astype(np.float32), rng.integers(0, 4, size=n)
    queries, k = rng.integers(-3, 4, size=(9, 2)).astype(np.float32), int(rng.integers(1, n + 1))
    expected = [elected(embeddings, codes, query, k) for query in queries]
    order = rng.permutation(n)
    assert NeighborVote(embeddings, codes).predict(queries, k).tolist() == expected
    assert NeighborVote(embeddings[order], codes[order]).predict(queries, k).tolist() == expected


def test_equal_rows_are_tied_in_all_blocks():
    rng = np.random.default_rng(0)
    distinct = rng.normal(size=(3, 17)).astype(np.float32)
    at = np.repeat(np.arange(3), 1_000)
    codes = rng.integers(0, 5, size=3_000)
    queries = rng.normal(size=(20, 17)).astype(np.float32)
    nearest = ((queries[:, np.newaxis] - distinct) ** 2).sum(axis=-1).argmin(axis=1)
    expected = [np.bincount(codes[at == point]).argmax() for point in nearest]
    for order in (np.arange(3_000), rng.permutation(3_000)):
        assert NeighborVote(distinct[at][order], codes[order]).predict(queries, 7).tolist() == expected


@pytest.mark.parametrize("max_ballots", [1, 10, 100])
def test_blocks_of_ballots_do_not_change_the_winner(monkeypatch, max_ballots):
    rng = np.random.default_rng(1)
    embeddings, codes = rng.integers(0, 3, size=(200, 2)).astype(np.float32), rng.integers(0, 50, size=200)
    queries = rng.normal(size=(30, 2)).astype(np.float32)
    expected = NeighborVote(embeddings, codes).predict(queries, 9)
    monkeypatch.setattr(_neighbors, "MAX_BALLOTS", max_ballots)
    np.testing.assert_array_equal(NeighborVote(embeddings, codes).predict(queries, 9), expected)


def test_more_neighbors_than_rows_are_all_rows():
    vote = NeighborVote(points(0.0, 1.0, 2.0, 2.0, 9.0), np.array([0, 1, 1, 1, 0]))
    assert vote.predict(points(0.0, 9.0), 100).tolist() == [1, 1]
