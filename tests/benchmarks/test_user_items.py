import numpy as np
import pytest
from sklearn.metrics import euclidean_distances

from benchmarks import user_items
from benchmarks.user_items import (
    CORRECTED,
    LEARNED,
    N_ITEMS,
    N_PAST,
    PEERS,
    Space,
    all_scores,
    draw_world,
    reciprocal_ranks,
    run,
)


@pytest.fixture(scope="module")
def world():
    return draw_world(1_500, seed=5)


def test_users_choose_nothing_twice_and_pairs_say_what(world):
    chosen = np.column_stack([world.past, world.following])
    assert chosen.shape == (1_500, N_PAST + 1)
    assert all(len(np.unique(row)) == N_PAST + 1 for row in chosen)
    users, items = world.pairs.T
    assert np.array_equal(items.reshape(-1, N_PAST) - 1_500, world.past)
    assert np.array_equal(users.reshape(-1, N_PAST), np.arange(1_500)[:, None].repeat(N_PAST, axis=1))
    assert world.popularity.sum() == 15_000


def test_users_and_items_have_columns_of_their_own(world):
    is_used = world.table != 0
    of_users, of_items = is_used[:1_500].any(axis=0), is_used[1_500:].any(axis=0)
    assert not (of_users & of_items).any()
    assert (of_users | of_items).all()
    assert np.array_equal(world.ids[:, 0], np.arange(1_500 + N_ITEMS))


def test_ranks_are_among_what_was_not_chosen_before(world, monkeypatch):
    monkeypatch.setattr(user_items, "BLOCK", 400)
    scores = np.random.default_rng(0).normal(size=world.log_odds.shape)
    expected = []
    for row, past, following in zip(scores, world.past, world.following, strict=True):
        others = np.delete(np.arange(N_ITEMS), past)
        expected.append(1 / (1 + (row[others] > row[following]).sum()))
    assert reciprocal_ranks(world, scores) == pytest.approx(expected)


def test_popularity_is_added_to_squared_distances(world):
    rng = np.random.default_rng(0)
    space = Space(rng.normal(size=(7, 4)), rng.normal(size=(N_ITEMS, 4)), 1.0)
    plain = euclidean_distances(space.users, space.items, squared=True) - np.log(world.popularity + 1)
    assert np.ptp(space.with_popularity(world.popularity).scores ** 2 - plain) < 1e-9
    assert np.array_equal(space.scores, -euclidean_distances(space.users, space.items))


def test_pairs_alone_beat_popularity_where_it_is_let_in(world):
    mrr = {name: reciprocal_ranks(world, scores).mean() for name, scores, _ in all_scores(world, max_iter=3)}
    for name in ("random negatives", "in-batch, with popularity"):
        assert 2 * mrr["popularity"] < mrr[name] < 1.1 * mrr["the true odds"]
    assert mrr["popularity"] < mrr["truncated SVD"] < mrr["the true odds"]


def test_figures(monkeypatch):
    grown = {("1000", "random"): 2.0, ("3000", "random"): 2.3, ("1000", "in-batch"): 1.0, ("3000", "in-batch"): 1.5}
    monkeypatch.setattr(user_items, "in_fresh_process", lambda _, *arguments: f"{grown[arguments]}\n")
    figures = {figure.name: figure for figure in run(quick=True)}
    assert [name.removeprefix("MRR: ") for name in figures if "MRR" in name] == [*PEERS, *LEARNED, *CORRECTED]
    assert [name.removeprefix("an epoch: ") for name in figures if "epoch" in name] == list(LEARNED)
    ratio = figures["random negatives / popularity"].value
    assert ratio == pytest.approx(figures["MRR: random negatives"].value / figures["MRR: popularity"].value)
    each, in_batch = (figures[f"{negatives}: bytes per further pair"] for negatives in ("random", "in-batch"))
    assert (each.value, each.is_met) == (pytest.approx(150.0), True)
    assert (in_batch.value, in_batch.is_met) == (pytest.approx(250.0), False)


@pytest.mark.parametrize("negatives", ["random", "in-batch"])
def test_memory_is_that_of_a_fit(negatives):
    assert 0 <= user_items._measure_memory(3_000, negatives) < 100
