import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skmetric._core.sampling import ClassBatchSampler, block_shape, stratified_holdout
from skmetric._core.sampling.classes import _share_out


@pytest.mark.parametrize(
    ("n_classes", "batch_size", "k", "shape"),
    [(10, 64, 4, (10, 6)), (2, 64, 4, (2, 32)), (1000, 64, 4, (16, 4)), (3, 8, 4, (2, 4)), (100, 9, 4, (2, 4))],
)
def test_block_shape_fills_the_batch(n_classes, batch_size, k, shape):
    assert block_shape(n_classes, batch_size, k) == shape


@pytest.mark.parametrize(("n_classes", "batch_size"), [(10, 7), (1, 64)])
def test_a_batch_smaller_than_two_classes_is_an_error(n_classes, batch_size):
    with pytest.raises(ValueError, match="batch_size must hold at least two classes"):
        block_shape(n_classes, batch_size, 4)


@settings(max_examples=150)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=30),
    batch_size=st.integers(4, 80),
    k=st.integers(2, 6),
    seed=st.integers(0, 2**32 - 1),
)
def test_batches_hold_different_classes_in_blocks(sizes, batch_size, k, seed):
    if batch_size // k < 2:
        return
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    sampler = ClassBatchSampler(labels, batch_size=batch_size, samples_per_class=k)
    rows = sampler.draw_epoch(rng)
    p, k = sampler.classes_per_batch, sampler.samples_per_class
    assert rows.shape == (-(-len(labels) // (p * k)), p * k)
    assert p * k <= batch_size
    blocks = rows.reshape(-1, p, k)
    classes = labels[blocks]
    assert (classes == classes[..., :1]).all()
    assert all(len(set(batch)) == p for batch in classes[..., 0])
    for block, label in zip(blocks.reshape(-1, k), classes[..., 0].ravel(), strict=True):
        assert len(set(block)) == min(k, sizes[label])


def test_an_epoch_deals_every_row_about_once():
    labels = np.repeat(np.arange(50), 40)
    sampler = ClassBatchSampler(labels, batch_size=64, samples_per_class=4)
    times = np.bincount(sampler.draw_epoch(np.random.default_rng(0)).ravel(), minlength=len(labels))
    assert times.sum() == sampler.n_steps * 64
    # Ten slots per class, some rounded up: each row is drawn, and only the first shuffled rows are drawn again.
    assert set(times) <= {0, 1, 2}
    assert (times == 1).mean() > 0.95


def test_classes_come_up_in_proportion_to_their_size():
    sizes = np.array([1, 2, 10, 50, 200, 400, 30, 30, 30, 30])
    labels = np.repeat(np.arange(10), sizes)
    sampler = ClassBatchSampler(labels, batch_size=12, samples_per_class=4)
    rng = np.random.default_rng(0)
    slots = np.mean([np.bincount(labels[sampler.draw_epoch(rng)[:, ::4]].ravel(), minlength=10) for _ in range(200)], 0)
    assert sampler.n_steps == 66
    # The largest class is capped at once per batch. The others share the remaining slots.
    assert slots[5] == 66
    others = np.delete(sizes, 5)
    np.testing.assert_allclose(np.delete(slots, 5), others * (3 * 66 - 66) / others.sum(), rtol=0.15, atol=0.1)


@pytest.mark.parametrize(("sizes", "batch_size"), [([360, 25], 64), ([170, 286], 32), ([90, 89, 88, 92] * 4, 64)])
def test_classes_that_fit_into_a_batch_are_all_in_every_batch(sizes, batch_size):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    sampler = ClassBatchSampler(labels, batch_size=batch_size, samples_per_class=4)
    rng = np.random.default_rng(0)
    for _ in range(100):
        classes = labels[sampler.draw_epoch(rng)]
        assert (np.diff(np.sort(classes[:, :: sampler.samples_per_class])) == 1).all()


@settings(max_examples=300)
@given(st.lists(st.integers(1, 5000), min_size=2, max_size=12), st.integers(1, 300), st.data())
def test_shares_add_up_below_the_cap(sizes, cap, data):
    per_batch = data.draw(st.integers(1, len(sizes)))
    shares = _share_out(np.array(sizes), per_batch * cap, cap)
    assert (shares <= cap).all()
    assert shares.sum() == pytest.approx(per_batch * cap, rel=1e-9)
    free = shares < cap
    if free.any():
        np.testing.assert_allclose(shares[free] / np.array(sizes)[free], (shares[free] / np.array(sizes)[free])[0])
    if per_batch == len(sizes):
        assert (shares == cap).all()


def test_gaps_in_the_class_codes_are_no_classes():
    labels = np.array([0, 0, 5, 5, 5])
    rows = ClassBatchSampler(labels, batch_size=8, samples_per_class=4).draw_epoch(np.random.default_rng(0))
    assert set(labels[rows].ravel()) == {0, 5}


def test_the_generator_decides():
    labels = np.repeat(np.arange(7), 9)
    sampler = ClassBatchSampler(labels, batch_size=16, samples_per_class=4)
    first, again, other = (sampler.draw_epoch(np.random.default_rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@settings(max_examples=100)
@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=20).filter(sum),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32 - 1),
)
def test_holdout_is_a_partition_that_leaves_pairs(sizes, fraction, seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    train, validation = stratified_holdout(labels, fraction, rng)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, validation])), np.arange(len(labels)))
    kept = np.bincount(labels[train], minlength=len(sizes))
    for size, left in zip(sizes, kept, strict=True):
        assert left >= min(size, 2)
        assert abs((size - left) - fraction * size) <= max(0.5, 2 - (1 - fraction) * size) + 1e-9
