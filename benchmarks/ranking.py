"""Held-out NDCG@10 of our rankers and of gradient boosting on a table of 251 queries, compared query by query."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_svmlight_file
from sklearn.model_selection import GroupKFold

from benchmarks.harness import Figure, at_least, at_most, seconds
from benchmarks.ranking_methods import FIRST_CHOICE, LEADING_PEER, OURS, PEERS, Method
from skmetric.model_selection import RankerComparison, compare_rankers

__all__ = ["FOLDER", "PARTS", "Queries", "compared", "evaluate", "load", "mean_of_seeds", "run"]

FOLDER = "lightgbm_rank"
PARTS = ("rank.train", "rank.test")
N_FEATURES = 301
K = 10
N_FOLDS = 5
N_SEEDS = 3
N_DRAWS = 10_000


@dataclass(frozen=True)
class Queries:
    """Rows with their relevance, query by query."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    groups: NDArray[np.intp]

    def first(self, n: int) -> "Queries":
        """Return the first ``n`` queries."""
        rows = self.groups < n
        return Queries(self.X[rows], self.y[rows], self.groups[rows])


def load(folder: Path) -> Queries:
    """Read both parts: rows in libsvm format, and the number of rows of each query in a separate file."""
    parts = [load_svmlight_file(str(folder / part), n_features=N_FEATURES, zero_based=True) for part in PARTS]
    sizes = np.concatenate([np.loadtxt(folder / f"{part}.query", dtype=np.intp, ndmin=1) for part in PARTS])
    X, y = np.vstack([X.toarray() for X, _ in parts]), np.concatenate([y for _, y in parts])
    return Queries(X, y, np.repeat(np.arange(len(sizes)), sizes))


def run(
    folder: Path, *, quick: bool, ours: Sequence[Method] = OURS, peers: Sequence[Method] = PEERS
) -> Iterator[Figure]:
    """Evaluate every method, then compare every peer with each of our rankers."""
    n_folds, n_seeds, rounds, n_draws = (2, 1, 2, 200) if quick else (N_FOLDS, N_SEEDS, None, N_DRAWS)
    queries = load(folder)
    if quick:
        queries = queries.first(150)
    methods = [*ours, *peers]
    seeds = [evaluate(methods, queries, n_folds, n_draws, seed, rounds) for seed in range(n_seeds)]
    pooled = mean_of_seeds(seeds)
    for index, method in enumerate(methods):
        note = "; ".join(filter(None, (_spread(pooled, seeds, index), method.label)))
        mean = float(pooled.results["mean_score"][index])
        yield Figure(f"{method.name}: NDCG@{K}", mean, note=note, details=_details(seeds, index))
    yield from compared(pooled, [method.name for method in ours], [method.name for method in peers])


def evaluate(
    methods: Sequence[Method], queries: Queries, n_folds: int, n_draws: int, seed: int, rounds: int | None
) -> RankerComparison:
    """Compare all methods with one seed. Queries without a relevant row are left out."""
    return compare_rankers(
        {method.name: method.make(seed, rounds) for method in methods},
        queries.X,
        queries.y,
        groups=queries.groups,
        cv=GroupKFold(n_folds, shuffle=True, random_state=0),
        metric=f"ndcg@{K}",
        n_bootstrap=n_draws,
    )


def mean_of_seeds(seeds: Sequence[RankerComparison]) -> RankerComparison:
    """Average the values of each query over the seeds, whose draws of queries are the same."""
    return replace(
        seeds[0],
        values=np.mean([each.values for each in seeds], axis=0),
        bootstrap_means=np.mean([each.bootstrap_means for each in seeds], axis=0),
    )


def compared(pooled: RankerComparison, ours: Sequence[str], peers: Sequence[str]) -> Iterator[Figure]:
    """Compare the peers with the best of our rankers, with the first choice, and with the others."""
    mean_of = dict(zip(pooled.names, pooled.results["mean_score"].tolist(), strict=True))
    best = max(ours, key=lambda name: mean_of[name])
    if LEADING_PEER in peers:
        lead = mean_of[best] - mean_of[LEADING_PEER]
        yield Figure(f"{best} - {LEADING_PEER}", lead, "", at_least(0.0), note=_chosen(best, ours))
    # The best, the first choice, then the others, each once.
    for own in dict.fromkeys([best, *(name for name in ours if name == FIRST_CHOICE), *ours]):
        results = pooled.against(own).results
        rows = [pooled.names.index(peer) for peer in peers]
        if own in (best, FIRST_CHOICE):
            target = at_most(0) if own == best else None
            note = _chosen(own, ours) if own == best else "the first choice"
            n_better = int(np.count_nonzero(results["lower_difference"][rows] > 0))
            yield Figure(f"peers better than {own}", n_better, "", target, note=f"{note}, of {len(rows)} peers")
        for row in rows:
            difference, lower, upper = (
                float(results[f"{each}_difference"][row]) for each in ("mean", "lower", "upper")
            )
            yield _difference(pooled.names[row], own, difference, lower, upper)


def _difference(peer: str, own: str, mean: float, lower: float, upper: float) -> Figure:
    verdict = "better" if lower > 0 else "worse" if upper < 0 else "no clear difference"
    note = f"95% interval {lower:+.3f} to {upper:+.3f}: {verdict}"
    return Figure(f"{peer} - {own}", mean, note=note, details={"interval": [lower, upper], "verdict": verdict})


def _spread(pooled: RankerComparison, seeds: Sequence[RankerComparison], index: int) -> str:
    means = [float(each.values[index].mean()) for each in seeds]
    spread = f", seeds {min(means):.3f} to {max(means):.3f}" if len(means) > 1 else ""
    fit, predict = (
        seconds(float(np.median([getattr(each, times)[index].sum() for each in seeds])))
        for times in ("fit_times", "predict_times")
    )
    return f"standard error {pooled.results['se_score'][index]:.3f}{spread}; fit {fit}, predict {predict}"


def _chosen(best: str, ours: Sequence[str]) -> str:
    return f"{best} is the best of our {len(ours)} on these same queries"


def _details(seeds: Sequence[RankerComparison], index: int) -> dict[str, list]:
    return {
        "ndcg_of_seeds_and_queries": [each.values[index].tolist() for each in seeds],
        "fit_s": [float(each.fit_times[index].sum()) for each in seeds],
        "predict_s": [float(each.predict_times[index].sum()) for each in seeds],
    }
