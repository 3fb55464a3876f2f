"""Time of MAP@R and recall@k, compared with sorting the distances between all rows in float32."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from time import process_time

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from benchmarks.harness import Figure, Measurement, alternate, at_most, compare
from benchmarks.one_thread import one_thread
from skmetric.metrics import map_at_r_score, recall_at_k_score

__all__ = ["run"]

N_ROWS, QUICK_N_ROWS = (12_000, 50_000), (1_000,)
N_COLUMNS = 16
K = 5
TARGET = at_most(1.0)
# Rows whose distances are sorted at once. Sorting all rows takes n / SORTED_ROWS times as long.
SORTED_ROWS = 64
Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


def distinct(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return rng.normal(size=(n, N_COLUMNS))


def equal(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.full((n, N_COLUMNS), rng.normal())


def duplicates(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Rows that occur a hundred times on average."""
    return distinct(rng, n // 100)[rng.integers(0, n // 100, size=n)]


def corners(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Corners of a cube of 30 dimensions: distinct rows, with 31 different distances."""
    return rng.integers(0, 2, size=(n, 30)).astype(np.float64)


TABLES: Mapping[str, Draw] = {
    "distinct rows": distinct,
    "equal rows": equal,
    "many duplicates": duplicates,
    "distinct rows at few distances": corners,
}


def run(*, quick: bool) -> Iterator[Figure]:
    """Compare the CPU times of both metrics and of the sort, on one thread."""
    with one_thread():
        for n in QUICK_N_ROWS if quick else N_ROWS:
            rounds = 5 if n <= min(N_ROWS) else 2
            for name, draw in TABLES.items():
                yield from _compare(f"{n} rows, 2 classes, {name}", draw, n, 2, rounds)
            yield from _compare(f"{n} rows, {n // 5} classes, distinct rows", distinct, n, n // 5, rounds)


def _compare(name: str, draw: Draw, n: int, n_classes: int, rounds: int) -> Iterator[Figure]:
    rng = np.random.default_rng(0)
    embeddings, labels = draw(rng, n), rng.permutation(n) % n_classes
    # Of distinct rows, for all tables: equal distances are sorted in no time.
    points = distinct(rng, n)
    distances = cdist(points[:SORTED_ROWS], points, "sqeuclidean").astype(np.float32)
    sides: Mapping[str, Measurement] = {
        "sort": lambda: _cpu_time(partial(np.sort, distances, axis=1)) * n / SORTED_ROWS,
        "MAP@R": lambda: _cpu_time(partial(map_at_r_score, embeddings, labels)),
        f"recall@{K}": lambda: _cpu_time(partial(recall_at_k_score, embeddings, labels, k=K)),
    }
    taken = alternate(sides, rounds)
    target = TARGET if n_classes == 2 and draw is not corners else None
    yield compare(f"{name}: MAP@R / sort", taken, "MAP@R", "sort", target=target)
    yield compare(f"{name}: recall@{K} / sort", taken, f"recall@{K}", "sort", target=target)


def _cpu_time(call: Callable[[], object]) -> float:
    start = process_time()
    call()
    return process_time() - start
