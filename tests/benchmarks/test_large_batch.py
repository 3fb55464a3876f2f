import numpy as np
import pytest

from benchmarks.harness import in_fresh_process
from benchmarks.large_batch import MEMORY_SIZES, N_FEATURES, draw_table, gradient_gap, recall, run


def test_classes_are_of_one_size_and_hard_to_see_in_the_columns():
    X, y = draw_table(600, 20, seed=0)
    assert X.shape == (600, N_FEATURES)
    assert X.dtype == np.float32
    assert (np.bincount(y) == 30).all()
    means = np.stack([X[y == label].mean(axis=0) for label in range(20)])
    # The classes explain some of the variance, but less than half of it.
    assert 0.01 < means.var(axis=0).sum() / X.var(axis=0).sum() < 0.5
    assert np.array_equal(draw_table(600, 20, seed=0)[0], X)
    assert not np.array_equal(draw_table(600, 20, seed=1)[0], X)


def test_pieces_give_the_gradient_of_the_whole():
    gap = gradient_gap(128, 48)
    assert gap.n_items == 128
    assert 0 < gap.of_pieces <= gap.of_worst_tensor <= 1e-6
    assert 0 < gap.whole_rounding < 1e-5
    assert 0 < gap.pieces_rounding < 1e-5


def test_one_piece_is_the_whole():
    gap = gradient_gap(128, 128)
    assert gap.of_pieces == 0
    assert gap.whole_rounding == gap.pieces_rounding


def test_an_epoch_is_measured():
    growth, second, n_steps, n_items = map(
        float, in_fresh_process("benchmarks.large_batch", "256", "1024", "512").split()
    )
    # 20000 rows in batches with 10 rows of each of 100 classes.
    assert (n_steps, n_items) == (20, 1000)
    assert growth >= 0
    assert second > 0


def test_a_memory_is_compared_seed_by_seed(monkeypatch):
    monkeypatch.setattr("benchmarks.large_batch.N_MANY_CLASSES", 10)
    found = recall(64, [0, 1], 2)
    assert len(found.map_at_r) == len(found.epoch_seconds) == 2
    assert all(0 < score <= 1 for score in found.map_at_r)
    assert found.map_at_r[0] != found.map_at_r[1]


def test_figures(monkeypatch):
    monkeypatch.setattr("benchmarks.large_batch.in_fresh_process", lambda *args: "0.5 2.0 3 400")
    monkeypatch.setattr("benchmarks.large_batch.N_MANY_CLASSES", 10)
    *costs, gap, smallest, middle, largest = run(quick=True)
    assert [figure.name for figure in costs] == [
        f"256, batch {batch}: {what}"
        for batch in ("512, whole", "1024, whole", "1024, pieces of 512")
        for what in ("peak memory", "time per step")
    ]
    assert [figure.value for figure in costs] == [0.5, 2.0] * 3
    assert costs[1].note == "an epoch of 3 steps of 400 rows, 6 s"
    assert gap.name == "gradient, batch 256: pieces - whole, 1e-6"
    assert gap.is_met
    assert gap.value == pytest.approx(gap.details["of_pieces"] * 1e6)
    names = [f"batch 32, memory {size}: MAP@R" for size in MEMORY_SIZES]
    assert [figure.name for figure in (smallest, middle, largest)] == names
