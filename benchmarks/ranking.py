"""Held-out NDCG@10 of our rankers and of gradient boosting on a table of 251 queries, compared query by query."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_svmlight_file
from sklearn.model_selection import GroupKFold

from benchmarks.harness import Figure, at_least, at_most, seconds
from benchmarks.ranking_methods import FIRST_CHOICE, LEADING_PEER, OURS, PEERS, Method
from skmetric.metrics import ndcg_score

__all__ = ["FOLDER", "PARTS", "Outcome", "Queries", "compared", "evaluate", "intervals", "load", "run"]

FOLDER = "lightgbm_rank"
PARTS = ("rank.train", "rank.test")
N_FEATURES = 301
K = 10
N_FOLDS = 5
N_SEEDS = 3
N_DRAWS = 10_000
LEVEL = 0.95

Folds = Sequence[tuple[NDArray[np.integer], NDArray[np.integer]]]


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


@dataclass(frozen=True)
class Outcome:
    """Results of one method: the NDCG of each query and the seconds of all folds, per seed."""

    values: NDArray[np.float64]
    fit_seconds: list[float]
    predict_seconds: list[float]

    @property
    def of_queries(self) -> NDArray[np.float64]:
        """Mean of each query over the seeds."""
        return self.values.mean(axis=0)

    @property
    def mean(self) -> float:
        """Mean over queries and seeds."""
        return float(self.of_queries.mean())

    @property
    def standard_error(self) -> float:
        """Standard error of the mean over the queries."""
        return float(self.of_queries.std(ddof=1) / np.sqrt(self.values.shape[1]))

    def __str__(self) -> str:
        of_seeds = self.values.mean(axis=1)
        spread = f", seeds {of_seeds.min():.3f} to {of_seeds.max():.3f}" if len(of_seeds) > 1 else ""
        fit, predict = (seconds(float(np.median(each))) for each in (self.fit_seconds, self.predict_seconds))
        return f"standard error {self.standard_error:.3f}{spread}; fit {fit}, predict {predict}"


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
    folds = list(GroupKFold(n_folds, shuffle=True, random_state=0).split(queries.X, queries.y, queries.groups))
    outcomes = {}
    for method in (*ours, *peers):
        outcomes[method.name] = outcome = evaluate(method, queries, folds, range(n_seeds), rounds)
        note = "; ".join(filter(None, (str(outcome), method.label)))
        yield Figure(f"{method.name}: NDCG@{K}", outcome.mean, note=note, details=_details(outcome))
    yield from compared(outcomes, [method.name for method in ours], [method.name for method in peers], n_draws)


def evaluate(method: Method, queries: Queries, folds: Folds, seeds: Sequence[int], rounds: int | None) -> Outcome:
    """Score each row by the model of the fold that holds it out. Queries without a relevant row are left out."""
    each = [_evaluate_once(method, queries, folds, seed, rounds) for seed in seeds]
    values, fit_seconds, predict_seconds = zip(*each, strict=True)
    return Outcome(np.stack(values), list(fit_seconds), list(predict_seconds))


def _evaluate_once(
    method: Method, queries: Queries, folds: Folds, seed: int, rounds: int | None
) -> tuple[NDArray[np.float64], float, float]:
    scores = np.full(len(queries.y), np.nan)
    fitting = predicting = 0.0
    for train, test in folds:
        fit = method.make(seed, rounds)
        X, y, groups = queries.X[train], queries.y[train], queries.groups[train]
        start = perf_counter()
        predict = fit(X, y, groups)
        fitting += perf_counter() - start
        X = queries.X[test]
        start = perf_counter()
        scores[test] = predict(X)
        predicting += perf_counter() - start
    values = ndcg_score(queries.y, scores, groups=queries.groups, k=K, reduction=None)
    return values[np.isfinite(values)], fitting, predicting


def compared(
    outcomes: Mapping[str, Outcome], ours: Sequence[str], peers: Sequence[str], n_draws: int
) -> Iterator[Figure]:
    """Compare the peers with the best of our rankers, with the first choice, and with the others."""
    best = max(ours, key=lambda name: outcomes[name].mean)
    if LEADING_PEER in peers:
        lead = outcomes[best].mean - outcomes[LEADING_PEER].mean
        yield Figure(f"{best} - {LEADING_PEER}", lead, "", at_least(0.0), note=_chosen(best, ours))
    # The best, the first choice, then the others, each once.
    order = list(dict.fromkeys([best, *(name for name in ours if name == FIRST_CHOICE), *ours]))
    pairs = [(peer, own) for own in order for peer in peers]
    differences = np.column_stack([outcomes[peer].of_queries - outcomes[own].of_queries for peer, own in pairs])
    lower, upper = intervals(differences, n_draws)
    for own in order:
        mine = [i for i, pair in enumerate(pairs) if pair[1] == own]
        if own in (best, FIRST_CHOICE):
            target = at_most(0) if own == best else None
            note = _chosen(own, ours) if own == best else "the first choice"
            n_better = int(np.count_nonzero(lower[mine] > 0))
            yield Figure(f"peers better than {own}", n_better, "", target, note=f"{note}, of {len(mine)} peers")
        for i in mine:
            yield _difference(*pairs[i], float(differences[:, i].mean()), float(lower[i]), float(upper[i]))


def intervals(
    differences: NDArray[np.float64], n_draws: int, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute bootstrap intervals of the column means, with the same draws of n queries for all columns."""
    n = len(differences)
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=n_draws)
    lower, upper = np.quantile(times @ differences / n, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return lower, upper


def _difference(peer: str, own: str, mean: float, lower: float, upper: float) -> Figure:
    verdict = "better" if lower > 0 else "worse" if upper < 0 else "no clear difference"
    note = f"{LEVEL:.0%} interval {lower:+.3f} to {upper:+.3f}: {verdict}"
    return Figure(f"{peer} - {own}", mean, note=note, details={"interval": [lower, upper], "verdict": verdict})


def _chosen(best: str, ours: Sequence[str]) -> str:
    return f"{best} is the best of our {len(ours)} on these same queries"


def _details(outcome: Outcome) -> dict[str, list]:
    return {
        "ndcg_of_seeds_and_queries": outcome.values.tolist(),
        "fit_s": outcome.fit_seconds,
        "predict_s": outcome.predict_seconds,
    }
