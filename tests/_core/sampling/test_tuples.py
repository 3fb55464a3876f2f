"""Batches of whole tuples, and their random negatives."""

import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skmetric._core.sampling import TupleBatchSampler

seeds = st.integers(0, 2**32 - 1)
tables = st.fixed_dictionaries(
    {
        "n": st.one_of(st.integers(1, 12), st.integers(1, 150)),
        "tuple_size": st.integers(2, 3),
        "batch_size": st.one_of(st.integers(2, 9), st.integers(2, 80)),
        "n_negatives": st.one_of(st.just(0), st.integers(1, 20)),
        "n_candidates": st.integers(1, 20),
        "n_left_out": st.integers(0, 30),
        "seed": seeds,
    }
)
any_table = given(table=tables)
thoroughly = settings(max_examples=120)


def build(table):
    """Build a sampler for some tuples of a table, in random order. Candidates follow the items of all tuples."""
    n_all = table["n"] + table["n_left_out"]
    tuples = np.random.default_rng(table["seed"]).permutation(n_all)[: table["n"]]
    first = n_all * table["tuple_size"]
    sampler = TupleBatchSampler(
        tuples,
        tuple_size=table["tuple_size"],
        batch_size=table["batch_size"],
        n_negatives=table["n_negatives"],
        negatives=(first, table["n_candidates"]) if table["n_negatives"] else (0, 0),
    )
    return tuples, first, sampler


def parts_of(batches, table):
    """Return the slots of tuples, (n_steps, n_slots, tuple_size), and the negatives, (n_steps, n_negatives)."""
    end = batches.shape[1] - table["n_negatives"]
    return batches[:, :end].reshape(len(batches), -1, table["tuple_size"]), batches[:, end:]


@thoroughly
@any_table
def test_an_epoch_shows_every_tuple_once_whole_and_in_order(table):
    tuples, _, sampler = build(table)
    size = table["tuple_size"]
    rng = np.random.default_rng(table["seed"])
    for _ in range(2):
        slots, _ = parts_of(sampler.draw_epoch(rng), table)
        real = slots[slots[..., 0] >= 0]
        shown = real[:, 0] // size
        assert_array_equal(np.sort(shown), np.sort(tuples))
        assert_array_equal(real, shown[:, None] * size + np.arange(size))


@thoroughly
@any_table
def test_only_whole_tuples_are_missing(table):
    _, _, sampler = build(table)
    slots, negatives = parts_of(sampler.draw_epoch(np.random.default_rng(table["seed"])), table)
    is_missing = slots[..., 0] < 0
    assert_array_equal(slots < 0, np.broadcast_to(is_missing[..., None], slots.shape))
    assert (slots[is_missing] == -1).all()
    assert (negatives >= 0).all()


@thoroughly
@any_table
def test_batches_are_of_the_size_asked_for_as_few_as_possible_and_even(table):
    _, _, sampler = build(table)
    size = table["tuple_size"]
    batches = sampler.draw_epoch(np.random.default_rng(table["seed"]))
    assert batches.shape == (len(sampler.list_lengths), sampler.batch_length)
    assert set(sampler.list_lengths) == {sampler.batch_length}
    # As many tuples as fit, but at least two: a single pair has no other pair to compare with.
    # A batch is no longer than all tuples and the negatives, in steps of 64.
    enough = -(-(table["n"] * size + table["n_negatives"]) // 64) * 64
    per_batch = max(2, (min(table["batch_size"], enough) - table["n_negatives"]) // size)
    assert sampler.batch_length == per_batch * size + table["n_negatives"]
    assert len(batches) == -(-table["n"] // per_batch)
    n_tuples = (parts_of(batches, table)[0] >= 0).sum(axis=(1, 2)) // size
    assert n_tuples.min() > 0
    assert n_tuples.max() - n_tuples.min() <= 1


@thoroughly
@any_table
def test_negatives_are_candidates_alone(table):
    table = {**table, "n_negatives": max(1, table["n_negatives"])}
    _, first, sampler = build(table)
    slots, negatives = parts_of(sampler.draw_epoch(np.random.default_rng(table["seed"])), table)
    assert negatives.shape == (len(sampler.list_lengths), table["n_negatives"])
    assert negatives.min() >= first
    assert negatives.max() < first + table["n_candidates"]
    assert slots.max() < first


@thoroughly
@any_table
def test_the_same_generator_gives_the_same_epochs(table):
    _, _, sampler = build(table)
    again = build(table)[2]
    rng, other = np.random.default_rng(5), np.random.default_rng(5)
    for _ in range(3):
        assert_array_equal(sampler.draw_epoch(rng), again.draw_epoch(other))


@thoroughly
@any_table
def test_shapes_are_decided_by_numbers_alone(table):
    """Shapes depend neither on the tuples nor on the number of candidates, so folds of equal size make one stack."""
    sampler = build(table)[2]
    other = build({**table, "seed": table["seed"] + 1, "n_left_out": 7, "n_candidates": 5})[2]
    assert other.batch_length == sampler.batch_length
    assert other.list_lengths == sampler.list_lengths


def test_the_tuples_are_left_as_they_were():
    tuples = np.array([4, 0, 2])
    sampler = TupleBatchSampler(tuples, tuple_size=2, batch_size=4)
    first = sampler.draw_epoch(np.random.default_rng(0))
    assert_array_equal(tuples, [4, 0, 2])
    # An epoch depends on the generator, not on the epochs before it.
    assert_array_equal(sampler.draw_epoch(np.random.default_rng(0)), first)


def test_every_place_and_every_meeting_is_as_likely():
    """Of 7 triplets in 3 steps (of 3, 2 and 2), all pairs share a step equally often."""
    sampler = TupleBatchSampler(np.arange(7), tuple_size=3, batch_size=9)
    rng = np.random.default_rng(0)
    n_epochs = 4000
    steps, meetings = Counter(), Counter()
    for _ in range(n_epochs):
        for step, batch in enumerate(sampler.draw_epoch(rng)):
            shown = sorted(batch[batch >= 0][::3] // 3)
            steps.update((step, i) for i in shown)
            meetings.update((i, j) for i in shown for j in shown if i < j)
    sizes = [sum(steps[step, i] for i in range(7)) // n_epochs for step in range(3)]
    assert sorted(sizes) == [2, 2, 3]
    # The tolerance is five standard deviations.
    assert all(abs(steps[step, i] / n_epochs - sizes[step] / 7) < 0.04 for step in range(3) for i in range(7))
    assert len(meetings) == 21
    assert all(abs(times / n_epochs - (3 + 1 + 1) / 21) < 0.04 for times in meetings.values())


def test_negatives_are_drawn_uniformly_and_independently_and_anew():
    table = {"tuple_size": 2, "n_negatives": 3}
    sampler = TupleBatchSampler(np.arange(20), tuple_size=2, batch_size=11, n_negatives=3, negatives=(100, 8))
    rng = np.random.default_rng(0)
    slots, negatives = (
        np.stack(each) for each in zip(*(parts_of(sampler.draw_epoch(rng), table) for _ in range(3000)), strict=True)
    )
    negatives = negatives - 100
    assert negatives.shape == (3000, 5, 3)

    def assert_independent(a, b):
        shares = np.bincount((a * 8 + b).ravel()) / a.size
        assert np.abs(shares - 1 / len(shares)).max() < 5 * np.sqrt(1 / len(shares) / a.size)

    nothing = np.zeros_like(negatives[..., 0])
    for index in range(3):
        assert_independent(nothing, negatives[..., index])
    # Independent of each other in a batch, of the next batch, of the next epoch, and of the tuples.
    assert_independent(negatives[..., 0], negatives[..., 1])
    assert_independent(negatives[:, :-1, 2], negatives[:, 1:, 2])
    assert_independent(negatives[:-1, :, 2], negatives[1:, :, 2])
    assert_independent(slots[:, :, 0, 0] // 2, negatives[..., 0])


def test_negatives_leave_the_order_of_the_tuples_alone():
    """With the same number of tuples per batch, negatives do not change the tuples of the first epoch."""
    plain = TupleBatchSampler(np.arange(9), tuple_size=2, batch_size=8)
    with_negatives = TupleBatchSampler(np.arange(9), tuple_size=2, batch_size=11, n_negatives=3, negatives=(18, 4))
    batches = with_negatives.draw_epoch(np.random.default_rng(3))
    assert_array_equal(batches[:, :-3], plain.draw_epoch(np.random.default_rng(3)))


@pytest.mark.parametrize(("n_negatives", "batch_size"), [(0, 2), (0, 5), (1, 6), (40, 45), (40, 20)])
def test_two_tuples_are_in_a_batch_however_small_it_is(n_negatives, batch_size):
    sampler = TupleBatchSampler(
        np.arange(5), tuple_size=3, batch_size=batch_size, n_negatives=n_negatives, negatives=(15, 1)
    )
    assert sampler.batch_length == 2 * 3 + n_negatives
    batches = sampler.draw_epoch(np.random.default_rng(0))
    assert sorted((batches >= 0).sum(axis=1) - n_negatives) == [3, 6, 6]


def test_one_tuple():
    sampler = TupleBatchSampler(np.array([3]), tuple_size=2, batch_size=4, n_negatives=1, negatives=(8, 1))
    assert sampler.list_lengths == (5,)
    assert_array_equal(sampler.draw_epoch(np.random.default_rng(0)), [[6, 7, -1, -1, 8]])


def test_a_million_tuples_take_a_moment():
    sampler = TupleBatchSampler(
        np.arange(10**6), tuple_size=2, batch_size=1024, n_negatives=24, negatives=(2 * 10**6, 9)
    )
    start = time.perf_counter()
    batches = sampler.draw_epoch(np.random.default_rng(0))
    assert time.perf_counter() - start < 5
    assert (batches[:, :1000] >= 0).sum() == 2 * 10**6
