"""Time and peak memory of NDCG of a million lists of ten items, compared with a loop over scikit-learn's."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import ndcg_score as sklearn_ndcg_score

from benchmarks.harness import Figure, alternate, at_least, at_most, compare, in_fresh_process
from skmetric.metrics import ndcg_score

__all__ = ["Lists", "draw_lists", "our_values", "peer_values", "run"]

SIZE = 10
N_LISTS, QUICK_N_LISTS = 1_000_000, 20_000
# Number of lists in the timed loop. Its time is proportional to this number.
N_SAMPLE, QUICK_N_SAMPLE = 3_000, 300
TARGET_RATIO = at_least(100.0)
TARGET_GB = at_most(2.0)
TOLERANCE = 1e-10


@dataclass(frozen=True)
class Lists:
    """Rows with their relevance, score and list."""

    truth: NDArray[np.int64]
    score: NDArray[np.float64]
    groups: NDArray[np.int64]

    def shuffled(self) -> "Lists":
        """Return the same rows in random order."""
        order = np.random.default_rng(1).permutation(len(self.truth))
        return Lists(self.truth[order], self.score[order], self.groups[order])


def draw_lists(n_lists: int) -> Lists:
    """Draw relevance from 0 to 4 and scores with two decimals: some are tied, and some lists have no relevant row."""
    rng = np.random.default_rng(0)
    truth = rng.choice(5, size=n_lists * SIZE, p=[0.7, 0.15, 0.08, 0.05, 0.02])
    score = rng.random(n_lists * SIZE).round(2)
    return Lists(truth, score, np.repeat(np.arange(n_lists), SIZE))


def our_values(lists: Lists) -> NDArray[np.float64]:
    """Compute the NDCG of each list as scikit-learn does: linear gains, averaged ties, 0 without a relevant row."""
    return ndcg_score(lists.truth, lists.score, groups=lists.groups, convention="sklearn", reduction=None)


def peer_values(lists: Lists, n_lists: int) -> NDArray[np.float64]:
    """Compute the NDCG of the first lists in a loop. The rows must be in list order."""
    truth, score = (column[: n_lists * SIZE].reshape(n_lists, 1, SIZE) for column in (lists.truth, lists.score))
    return np.array([sklearn_ndcg_score(*one) for one in zip(truth, score, strict=True)])


def run(*, quick: bool) -> Iterator[Figure]:
    """Compare times and measure peak memory, with rows in list order and in random order."""
    n_lists, n_sample, rounds = (QUICK_N_LISTS, QUICK_N_SAMPLE, 2) if quick else (N_LISTS, N_SAMPLE, 5)
    in_order = draw_lists(n_lists)
    shuffled = in_order.shuffled()
    _check_same(in_order, shuffled, n_sample)  # also the warm-up

    def time_loop() -> float:
        start = perf_counter()
        peer_values(in_order, n_sample)
        return (perf_counter() - start) * n_lists / n_sample

    sides = {"scikit-learn": time_loop, "in order": lambda: _time(in_order), "shuffled": lambda: _time(shuffled)}
    taken = alternate(sides, rounds)
    for name in ("in order", "shuffled"):
        yield compare(f"{n_lists} lists, {name}: loop / ours", taken, "scikit-learn", name, target=TARGET_RATIO)
    for name in ("in order", "shuffled"):
        before, peak = map(float, in_fresh_process("benchmarks.ndcg", str(n_lists), name).split())
        note = f"of the whole process; {before:.2f} GB with libraries and rows, before the call"
        yield Figure(f"{n_lists} lists, {name}: peak memory", peak, "GB", TARGET_GB, note, {"before_gb": before})


def _time(lists: Lists) -> float:
    start = perf_counter()
    our_values(lists)
    return perf_counter() - start


def _check_same(in_order: Lists, shuffled: Lists, n_sample: int) -> None:
    peer = peer_values(in_order, n_sample)
    for lists in (in_order, shuffled):
        difference = float(np.abs(our_values(lists)[:n_sample] - peer).max())
        if not difference <= TOLERANCE:
            raise AssertionError(f"the two sides differ by {difference:.1e}: they do not compute the same")


def _measure_memory(n_lists: int, order: str) -> None:
    """Print the gigabytes before the call and at the peak. Needs a separate process, because a peak never falls."""
    from benchmarks.peak_memory import peak

    lists = draw_lists(n_lists)
    if order == "shuffled":
        lists = lists.shuffled()
    before = peak()
    our_values(lists)
    print(before / 1e9, peak() / 1e9)


if __name__ == "__main__":
    _measure_memory(int(sys.argv[1]), sys.argv[2])
