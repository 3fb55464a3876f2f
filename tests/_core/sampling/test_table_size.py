"""Batches are no larger than the table, and a batch that fits is not changed."""

import numpy as np
import pytest

from skmetric._core.sampling import ClassBatchSampler, GroupBatchSampler, TupleBatchSampler, cut_to_table


@pytest.mark.parametrize(
    ("size", "n_items", "expected"),
    [(64, 3, 64), (65, 3, 64), (10, 3, 10), (128, 128, 128), (129, 128, 128), (200, 129, 192), (0, 9, 0)],
)
def test_a_size_is_cut_to_the_items_rounded_up(size, n_items, expected):
    assert cut_to_table(size, n_items) == expected


def by_class(batch_size):
    return ClassBatchSampler(np.arange(150) % 3, batch_size=batch_size, samples_per_class=4)


def by_group(batch_size):
    return GroupBatchSampler(np.repeat(np.arange(20), [3, 7] * 10), batch_size=batch_size, max_group_size=50)


def by_item(batch_size):
    return GroupBatchSampler(np.zeros(150, int), batch_size=batch_size, max_group_size=batch_size)


def by_tuple(batch_size):
    return TupleBatchSampler(np.arange(40), tuple_size=2, batch_size=batch_size, n_negatives=20, negatives=(80, 9))


@pytest.mark.parametrize(
    ("make", "cut"),
    [(by_class, 192), (by_group, 192), (by_item, 192), (by_tuple, 128)],
    ids=["class", "group", "item", "tuple"],
)
def test_a_huge_batch_draws_what_the_cut_batch_draws(make, cut):
    drawn = make(100_000).draw_epoch(np.random.default_rng(0))
    assert drawn.shape[0] == 1
    assert drawn.shape[1] <= cut
    np.testing.assert_array_equal(drawn, make(cut).draw_epoch(np.random.default_rng(0)))


def test_groups_of_different_lengths_still_fit_into_one_step():
    sampler = by_group(100_000)
    assert sampler.list_lengths == (7,)
    items = sampler.draw_epoch(np.random.default_rng(0))
    assert sorted(items[items >= 0]) == list(range(100))


def test_two_classes_fit_even_if_they_repeat_rows():
    sampler = ClassBatchSampler(np.array([0, 0, 1]), batch_size=1000, samples_per_class=80)
    assert (sampler.classes_per_batch, sampler.samples_per_class) == (2, 96)


def test_random_negatives_are_not_cut():
    assert by_tuple(100_000).batch_length == 40 * 2 + 20 + (128 - 100) // 2 * 2
