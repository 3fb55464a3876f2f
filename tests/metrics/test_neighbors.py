import tracemalloc

import numpy as np
import pytest

from skmetric.metrics._neighbors import CHUNK_ROWS, nearest_rows


def by_direct_differences(points, query):
    distances = ((points - points[query]) ** 2).sum(axis=1)
    order = np.argsort(distances, kind="stable")
    return order[order != query]


def neighbors_of_all(points, depths, **kwargs):
    depths = np.broadcast_to(depths, len(points)).astype(np.intp)
    found = {}
    for rows, neighbors in nearest_rows(np.asarray(points, dtype=float), depths, **kwargs):
        for row, near in zip(rows, neighbors, strict=True):
            assert row not in found
            found[int(row)] = near[: depths[row]].tolist()
    return found


@pytest.mark.parametrize("chunk_rows", [1, 2, 7, 39, 40, 41, CHUNK_ROWS])
@pytest.mark.parametrize("depth", [1, 5, 39])
def test_chunks_do_not_change_the_neighbors(chunk_rows, depth):
    points = np.random.default_rng(0).normal(size=(40, 3))
    found = neighbors_of_all(points, depth, chunk_rows=chunk_rows)
    assert found == {i: by_direct_differences(points, i)[:depth].tolist() for i in range(40)}


@pytest.mark.parametrize("chunk_rows", [1, 4, 30, 64])
def test_depths_may_differ_and_zero_is_no_query(chunk_rows):
    rng = np.random.default_rng(1)
    points, depths = rng.normal(size=(30, 2)), rng.integers(0, 30, size=30)
    found = neighbors_of_all(points, depths, chunk_rows=chunk_rows)
    assert found == {i: by_direct_differences(points, i)[: depths[i]].tolist() for i in np.flatnonzero(depths)}


@pytest.mark.parametrize("unit", [1.0, 0.25, 3 * 2.0**-30, 2.0**500, 2.0**-500])
@pytest.mark.parametrize("shift", [0.0, 7.0, 12345.0])
def test_ties_on_a_grid_follow_row_order(unit, shift):
    """Points of a grid are exact in floating point, and so are their ties."""
    points = np.random.default_rng(2).integers(-2, 3, size=(60, 2)) * 1.0
    found = neighbors_of_all((points + shift) * unit, 59)
    assert found == {i: by_direct_differences(points, i).tolist() for i in range(60)}


@pytest.mark.parametrize("n", [2, 3, 50, 200])
@pytest.mark.parametrize("point", [0.0, 0.1, -1e300, 1e-310])
def test_rows_that_are_all_the_same_come_in_row_order(n, point):
    depth = max(1, n // 3)
    found = neighbors_of_all(np.full((n, 5), point), depth)
    assert found == {i: [j for j in range(n) if j != i][:depth] for i in range(n)}


@pytest.mark.parametrize("d", [1, 3, 17, 64])
def test_equal_rows_are_exactly_tied(d):
    """For all blocks of the matrix product: copies of a row are neighbors of each other in every order."""
    rng = np.random.default_rng(d)
    copy_of = rng.integers(0, 40, size=300)
    points = rng.normal(size=(40, d))[copy_of]
    for row, near in neighbors_of_all(points, 299).items():
        assert near == by_direct_differences(points, row).tolist()


def test_zeros_of_both_signs_are_equal():
    points = np.array([[1.0, 0.0], [0.0, 0.0], [-0.0, 0.0], [0.0, -0.0], [-1.0, -0.0]])
    assert neighbors_of_all(points, 3)[0] == [1, 2, 3]


@pytest.mark.parametrize("scale", [1e-200, 1e-8, 1e8, 1e200, 1.7e308])
def test_scale_does_not_overflow(scale):
    points = np.random.default_rng(3).uniform(-1, 1, size=(30, 4))
    assert neighbors_of_all(points * scale, 29) == neighbors_of_all(points, 29)


def test_a_large_offset_costs_no_precision():
    points = np.random.default_rng(4).integers(-999, 999, size=(50, 3)) / 1024
    assert neighbors_of_all(points + 2.0**40, 49) == neighbors_of_all(points, 49)


def test_memory_is_a_chunk_not_all_pairs():
    n = 4_000
    points, depths = np.random.default_rng(5).normal(size=(n, 2)), np.full(n, 10)
    tracemalloc.start()
    for _ in nearest_rows(points, depths):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    chunk = CHUNK_ROWS * n * 8
    assert peak < 4 * chunk < n * n * 8 / 15
