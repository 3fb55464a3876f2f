import tracemalloc

import numpy as np
import pytest

from skmetric.metrics._neighbors import CHUNK_ROWS, PointTable, find_nearest


def squared_distances(points):
    return ((points[:, np.newaxis] - points) ** 2).sum(axis=-1)


def distances_of_all(points, **kwargs):
    """Distances of every row to all rows, and infinity to itself."""
    points = np.asarray(points, dtype=float)
    found = np.full((len(points), len(points)), np.nan)
    for rows, distances in PointTable.of(points).distances(np.arange(len(points)), **kwargs):
        found[rows] = distances
    assert np.isinf(np.diag(found)).all()
    return found


def ranks(distances):
    """Rank of each distance in its row, equal for equal ones."""
    return np.array([np.unique(row, return_inverse=True)[1] for row in distances])


def ranks_without_self(points):
    expected = squared_distances(np.asarray(points, dtype=float))
    np.fill_diagonal(expected, np.inf)
    return ranks(expected)


@pytest.mark.parametrize("chunk_rows", [1, 2, 7, 39, 40, 41, CHUNK_ROWS])
@pytest.mark.parametrize("block_size", [1, 100, 10_000])
def test_chunks_and_blocks_do_not_change_the_order(chunk_rows, block_size):
    points = np.random.default_rng(0).normal(size=(40, 3))
    found = distances_of_all(points, chunk_rows=chunk_rows, block_size=block_size)
    np.testing.assert_array_equal(ranks(found), ranks_without_self(points))


def test_only_queries_are_compared():
    points = np.random.default_rng(1).normal(size=(30, 2))
    queries = np.array([7, 3, 29, 0])
    blocks = list(PointTable.of(points).distances(queries, block_size=60))
    np.testing.assert_array_equal(np.concatenate([rows for rows, _ in blocks]), queries)
    assert [distances.shape for _, distances in blocks] == [(2, 30), (2, 30)]


@pytest.mark.parametrize("unit", [1.0, 0.25, 3 * 2.0**-30, 2.0**500, 2.0**-500])
@pytest.mark.parametrize("shift", [0.0, 7.0, 12345.0])
def test_points_of_a_grid_tie_exactly(unit, shift):
    """Points of a grid are exact in floating point, and so are their ties."""
    points = np.random.default_rng(2).integers(-2, 3, size=(60, 2)) * 1.0
    np.testing.assert_array_equal(ranks(distances_of_all((points + shift) * unit)), ranks_without_self(points))


@pytest.mark.parametrize("n", [2, 3, 50, 200])
@pytest.mark.parametrize("point", [0.0, 0.1, -1e300, 1e-310])
def test_rows_that_are_all_the_same_are_tied(n, point):
    found = distances_of_all(np.full((n, 5), point))
    assert len(np.unique(found[~np.eye(n, dtype=bool)])) == 1


@pytest.mark.parametrize("d", [1, 3, 17, 64])
def test_equal_rows_are_exactly_tied(d):
    """For all blocks of the matrix product."""
    rng = np.random.default_rng(d)
    points = rng.normal(size=(40, d))[rng.integers(0, 40, size=300)]
    np.testing.assert_array_equal(ranks(distances_of_all(points)), ranks_without_self(points))


def test_zeros_of_both_signs_are_equal():
    points = np.array([[1.0, 0.0], [0.0, 0.0], [-0.0, 0.0], [0.0, -0.0], [-1.0, -0.0]])
    assert len(PointTable.of(points).points) == 3
    assert len(set(distances_of_all(points)[0, 1:4])) == 1


@pytest.mark.parametrize("scale", [1e-200, 1e-8, 1e8, 1e200, 1.7e308])
def test_scale_does_not_overflow(scale):
    points = np.random.default_rng(3).uniform(-1, 1, size=(30, 4))
    np.testing.assert_array_equal(ranks(distances_of_all(points * scale)), ranks_without_self(points))


def test_a_large_offset_costs_no_precision():
    points = np.random.default_rng(4).integers(-999, 999, size=(50, 3)) / 1024
    np.testing.assert_array_equal(ranks(distances_of_all(points + 2.0**40)), ranks_without_self(points))


def test_memory_is_a_chunk_not_all_pairs():
    n = 4_000
    points = np.random.default_rng(5).normal(size=(n, 2))
    tracemalloc.start()
    for _ in PointTable.of(points).distances(np.arange(n)):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    chunk = CHUNK_ROWS * n * 8
    assert peak < 2 * chunk < n * n * 8 / 30


@pytest.mark.parametrize("n", [1, 30, 700, 5_000])
@pytest.mark.parametrize("depth", [1, 4, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("draw", ["distinct", "few values", "sorted"])
def test_the_nearest_entries_are_found_with_their_ties(n, depth, draw):
    depth = min(n, depth) if isinstance(depth, int) else max(1, round(depth * n))
    rng = np.random.default_rng(6)
    table = rng.normal(size=(5, n))
    table = {"distinct": table, "few values": table.round(), "sorted": np.sort(table, axis=1)}[draw]
    positions, inside = find_nearest(np.column_stack([table, np.full(5, np.inf)]), depth)
    for row, (near, valid) in enumerate(zip(positions - row_starts(5, n + 1), inside, strict=True)):
        assert valid[:depth].all()
        found = near[valid]
        reach = table[row, found].max()
        np.testing.assert_array_equal(found, np.flatnonzero(table[row] <= reach))
        assert set(near) == set(found)


def row_starts(m, n):
    return np.arange(m)[:, np.newaxis] * n


def test_rows_whose_nearest_entries_are_not_in_the_sample_are_searched_again():
    """Columns at the end hold everything that is near in one row, and nothing in the others."""
    for depth in (40, 1_000):
        table = np.ones((3, 4_000))
        table[1, -depth:] = 0.0
        table[2] += np.arange(4_000)
        _, inside = find_nearest(table, depth)
        counts = inside.sum(axis=1)
        assert counts[0] == 4_000
        assert (counts[1:] >= depth).all()
