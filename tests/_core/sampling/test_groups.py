"""Batches of whole groups, and the holdout of whole groups."""

import time
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skmetric._core.sampling import GroupBatchSampler, holdout_lists

seeds = st.integers(0, 2**32 - 1)
tables = st.fixed_dictionaries(
    {
        "sizes": st.lists(st.one_of(st.integers(0, 12), st.integers(0, 90)), min_size=1, max_size=25).filter(any),
        "batch_size": st.integers(1, 70),
        "max_group_size": st.integers(1, 40),
        "seed": seeds,
    }
)
any_table = given(table=tables)
thoroughly = settings(max_examples=200)


def shuffled_groups(sizes, seed):
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))


def build(table, **changes):
    groups = shuffled_groups(table["sizes"], table["seed"])
    limits = {name: table[name] for name in ("batch_size", "max_group_size")}
    return groups, GroupBatchSampler(groups, **limits, **changes)


def lists_of(sampler, batches):
    """Return the items of each list of an epoch, one array per list, step after step, and check the padding."""
    found = []
    for batch, length in zip(batches, sampler.list_lengths, strict=True):
        n_lists = len(batch) // length
        assert (batch[n_lists * length :] == -1).all()
        for slot in batch[: n_lists * length].reshape(n_lists, length):
            items = slot[slot >= 0]
            assert_array_equal(slot[: len(items)], items)
            found += [items] if len(items) else []
    return found


@thoroughly
@any_table
def test_an_epoch_shows_every_item_once(table):
    groups, sampler = build(table)
    for seed in (0, 1):
        batches = sampler.draw_epoch(np.random.default_rng(seed))
        assert batches.shape == (len(sampler.list_lengths), sampler.batch_length)
        assert_array_equal(np.sort(batches[batches >= 0]), np.arange(len(groups)))
        assert (batches[batches < 0] == -1).all()
        assert (batches >= 0).any(axis=1).all()


@thoroughly
@any_table
def test_lists_are_groups_or_even_parts_of_them(table):
    groups, sampler = build(table)
    longest = table["max_group_size"]
    lists = lists_of(sampler, sampler.draw_epoch(np.random.default_rng(table["seed"])))
    lengths = {}
    for items in lists:
        (group,) = set(groups[items])
        lengths.setdefault(group, []).append(len(items))
    for group, parts in lengths.items():
        size = table["sizes"][group]
        assert len(parts) == -(-size // longest)
        assert max(parts) - min(parts) <= 1
        assert max(parts) <= longest
        assert sum(parts) == size


@thoroughly
@any_table
def test_steps_are_the_same_in_every_epoch_and_hold_a_batch(table):
    _, sampler = build(table)
    before = sampler.list_lengths, sampler.batch_length
    rng = np.random.default_rng(table["seed"])
    filled = []
    for _ in range(3):
        lists = lists_of(sampler, sampler.draw_epoch(rng))
        filled.append(len(lists))
    assert len(set(filled)) == 1
    assert (sampler.list_lengths, sampler.batch_length) == before
    longest = max(map(len, lists))
    # No longer than all lists in one step need, in steps of 64.
    enough = -(-len(lists) * longest // 64) * 64
    assert sampler.batch_length == max(min(table["batch_size"], enough), longest)
    assert max(sampler.list_lengths) == longest
    # No step is unnecessary: all steps except the last packed one hold as many lists as fit.
    room = sorted((sampler.batch_length // length for length in sampler.list_lengths), reverse=True)
    assert sum(room) - len(lists) < max(room)


@thoroughly
@any_table
def test_the_same_generator_gives_the_same_epoch(table):
    groups, sampler = build(table)
    again = build(table)[1]
    rng, other = np.random.default_rng(5), np.random.default_rng(5)
    for _ in range(2):
        assert_array_equal(sampler.draw_epoch(rng), again.draw_epoch(other))
    assert_array_equal(groups, shuffled_groups(table["sizes"], table["seed"]))


@thoroughly
@any_table
def test_numbers_of_items_are_passed_on(table):
    groups, sampler = build(table)
    items = np.random.default_rng(1).permutation(10 * len(groups))[: len(groups)]
    named = build(table, items=items)[1]
    batches = sampler.draw_epoch(np.random.default_rng(2))
    expected = np.where(batches < 0, -1, items[batches])
    assert_array_equal(named.draw_epoch(np.random.default_rng(2)), expected)


@thoroughly
@any_table
def test_numbering_and_order_decide_nothing_about_the_shapes(table):
    groups, sampler = build(table)
    rng = np.random.default_rng(table["seed"])
    numbers = rng.permutation(len(table["sizes"]) + 5)
    renumbered = numbers[groups][rng.permutation(len(groups))]
    other = GroupBatchSampler(renumbered, batch_size=table["batch_size"], max_group_size=table["max_group_size"])
    assert other.list_lengths == sampler.list_lengths
    assert other.batch_length == sampler.batch_length


def numbered(how):
    """Groups of 5, 2, 2, 2, 2 and 2 items, numbered in three ways, and the plain number of each item."""
    plain = np.repeat(np.arange(6), [5, 2, 2, 2, 2, 2])
    if how == "renumbered":
        return np.array([7, 0, 3, 2, 9, 4])[plain], np.arange(15)
    if how == "shuffled":
        order = np.random.default_rng(3).permutation(15)
        return plain[order], order
    return plain, np.arange(15)


@pytest.mark.parametrize("how", ["plain", "renumbered", "shuffled"])
def test_every_split_and_every_meeting_is_as_likely(how):
    """The long group is split into 3 + 2 items at random. All pairs of other groups share a step equally often."""
    groups, plain = numbered(how)
    sampler = GroupBatchSampler(groups, batch_size=4, max_group_size=3)
    rng = np.random.default_rng(0)
    n_epochs = 3000
    together, meetings = Counter(), Counter()
    for _ in range(n_epochs):
        batches = sampler.draw_epoch(rng)
        lists = [sorted(plain[items]) for items in lists_of(sampler, batches)]
        together.update((a, b) for items in lists for a in items for b in items if a < b < 5)
        for batch in batches:
            met = sorted({(plain[item] - 5) // 2 for item in batch[batch >= 0] if plain[item] > 4})
            meetings.update((a, b) for a in met for b in met if a < b)
    assert len(together) == 10
    # Of the 10 pairs of a group of 5, 3 + 1 are in one list. The tolerance is five standard deviations.
    assert all(abs(times / n_epochs - 0.4) < 0.05 for times in together.values())
    assert len(meetings) == 10
    # With the rest of the long group there are six lists, two per step.
    assert all(abs(times / n_epochs - 0.2) < 0.04 for times in meetings.values())


def test_similar_lengths_share_a_step_so_that_little_is_padding():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(3000), rng.integers(1, 200, 3000))
    sampler = GroupBatchSampler(groups, batch_size=512, max_group_size=200)
    padding = (sampler.draw_epoch(rng) < 0).mean()
    assert padding < 0.25
    even = GroupBatchSampler(np.arange(10_000) // 10, batch_size=250, max_group_size=250)
    assert set(even.list_lengths) == {10}
    assert (even.draw_epoch(rng) >= 0).all()


def test_one_item_and_short_lists():
    sampler = GroupBatchSampler(np.array([0]), batch_size=1, max_group_size=1)
    assert sampler.list_lengths == (1,)
    assert_array_equal(sampler.draw_epoch(np.random.default_rng(0)), [[0]])
    # Limits above the number of items pad only the batch, not the list.
    wide = GroupBatchSampler(np.array([1, 1, 1]), batch_size=10, max_group_size=50)
    assert (wide.list_lengths, wide.batch_length) == ((3,), 10)


@pytest.mark.parametrize(
    ("n_items", "size", "max_group_size"),
    [(100_000, 100_000, 256), (100_000, 100_000, 100_000), (1_000_000, 10, 256), (100_000, 1, 2)],
    ids=["one long group", "one list", "groups of ten", "groups of one"],
)
def test_large_tables_take_little_time_and_memory(n_items, size, max_group_size):
    groups = np.random.default_rng(0).permutation(np.arange(n_items) // size)
    tracemalloc.start()
    start = time.perf_counter()
    sampler = GroupBatchSampler(groups, batch_size=256, max_group_size=max_group_size)
    batches = sampler.draw_epoch(np.random.default_rng(0))
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (batches >= 0).sum() == n_items
    assert batches.size < 1.1 * n_items + 256
    # A few integers per item, and seconds even on a busy machine.
    assert peak < 130 * n_items + (1 << 20)
    assert seconds < 10


@thoroughly
@given(sizes=st.lists(st.integers(1, 9), min_size=2, max_size=30), fraction=st.floats(0.001, 0.999), seed=seeds)
def test_whole_lists_are_held_out(sizes, fraction, seed):
    lists = shuffled_groups(sizes, seed) * 3 + 1
    train, validation = holdout_lists(lists, fraction, np.random.default_rng(seed))
    assert_array_equal(np.sort(np.concatenate([train, validation])), np.arange(len(lists)))
    assert (np.diff(train) > 0).all()
    assert (np.diff(validation) > 0).all()
    held_out = set(lists[validation])
    assert not held_out & set(lists[train])
    assert len(held_out) == min(max(round(fraction * len(sizes)), 1), len(sizes) - 1)
    again = holdout_lists(lists, fraction, np.random.default_rng(seed))
    assert_array_equal(again[1], validation)


def test_every_list_is_as_likely_to_be_held_out():
    lists = np.repeat([4, 0, 9, 2, 7], [1, 20, 3, 1, 6])
    rng = np.random.default_rng(0)
    times = Counter()
    for _ in range(2000):
        times.update(set(lists[holdout_lists(lists, 0.4, rng)[1]]))
    assert all(abs(times[each] / 2000 - 0.4) < 0.06 for each in (0, 2, 4, 7, 9))


def test_one_list_cannot_be_held_out():
    with pytest.raises(ValueError, match="early_stopping must hold out whole groups, got only one group"):
        holdout_lists(np.zeros(9, dtype=int), 0.5, np.random.default_rng(0))
