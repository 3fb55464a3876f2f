"""Searching a margin: a batched search beside GridSearchCV over our estimator, and over a skorch net.

Digits, 8 margins x 5 folds, 20 epochs, batches of at most 64, semi-hard, 64-128-16, pixels divided by 16.
"""

import sys
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from benchmarks.harness import Figure, Target, alternate, at_least, compare, in_fresh_process
from benchmarks.search_peer import SkorchEmbedder
from skmetric import BatchedGridSearchCV, TripletEmbedder
from skmetric.metrics import map_at_r_scorer

__all__ = ["run"]

MARGINS = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7]
N_MODELS = (1, 8, 40, 160, 640)
N_JOBS = 2


def plain_embedder(max_iter: int) -> TripletEmbedder:
    """Build the network of the comparison: inputs as given, no dropout."""
    return TripletEmbedder(
        16, hidden_layer_sizes=(128,), dropout=0.0, scale_inputs=False, max_iter=max_iter, device="cpu", random_state=0
    )


def run(*, quick: bool) -> Iterator[Figure]:
    """Ratios of times, scores, and how time and memory grow with the stack."""
    max_iter, rounds = (2, 1) if quick else (20, 3)
    X, y = _digits()
    ours = plain_embedder(max_iter)
    peer = SkorchEmbedder(max_epochs=max_iter)
    Parallel(N_JOBS)(delayed(clone)(each) for each in (ours, peer))  # start the workers, and let them import torch

    found: dict[str, GridSearchCV] = {}
    searches = {
        "batched": BatchedGridSearchCV(ours, {"margin": MARGINS}, cv=5, scoring=map_at_r_scorer),
        "ours, GridSearchCV": GridSearchCV(ours, {"margin": MARGINS}, cv=5, scoring=map_at_r_scorer, n_jobs=N_JOBS),
        "skorch, GridSearchCV": GridSearchCV(peer, {"margin": MARGINS}, cv=5, scoring=map_at_r_scorer, n_jobs=N_JOBS),
    }
    taken = alternate({name: _timed(search, X, y, found, name) for name, search in searches.items()}, rounds)
    yield compare("search: skorch / batched", taken, "skorch, GridSearchCV", "batched", target=at_least(12))
    yield compare("search: ours one by one / batched", taken, "ours, GridSearchCV", "batched", target=at_least(3))
    for name in ("batched", "ours, GridSearchCV", "skorch, GridSearchCV"):
        target = at_least(found["skorch, GridSearchCV"].best_score_) if name == "batched" else None
        yield _best_score(f"search: best MAP@R, {name}", found[name], target)
    yield Figure("search: largest difference of scores to one by one", _difference(found))

    fits = {"ours": _timed(ours, X, y, {}, ""), "skorch": _timed(peer, X, y, {}, "")}
    yield compare("one fit: skorch / ours", alternate(fits, rounds), "skorch", "ours", target=at_least(1))
    yield from _with_defaults(X, y, max_iter)
    yield from _growth(max_iter, quick)


def _with_defaults(X: NDArray, y: NDArray, max_iter: int) -> Iterator[Figure]:
    """The same with the estimator's own defaults: wider, with dropout and scaled inputs."""
    estimator = TripletEmbedder(max_iter=max_iter, device="cpu", random_state=0)
    found: dict[str, GridSearchCV] = {}
    searches = {
        "batched": BatchedGridSearchCV(estimator, {"margin": MARGINS}, cv=5),
        "one by one": GridSearchCV(estimator, {"margin": MARGINS}, cv=5, n_jobs=N_JOBS),
    }
    taken = alternate({name: _timed(search, X, y, found, name) for name, search in searches.items()}, 1)
    yield compare("search with defaults: one by one / batched", taken, "one by one", "batched")
    yield _best_score("search with defaults: best MAP@R", found["batched"])


def _growth(max_iter: int, quick: bool) -> Iterator[Figure]:
    for n_models in N_MODELS[:2] if quick else N_MODELS:
        seconds, peak = map(float, in_fresh_process("benchmarks.search", str(n_models), str(max_iter)).split())
        note = f"{1e3 * seconds / n_models:.0f} ms a model, peak memory {peak:.0f} MB above the start"
        yield Figure(f"stack of {n_models}: seconds", seconds, " s", note=note, details={"peak_mb": peak})


def _timed(estimator: Any, X: NDArray, y: NDArray, found: dict[str, Any], name: str) -> Any:
    def measure() -> float:
        fresh = clone(estimator)
        start = perf_counter()
        found[name] = fresh.fit(X, y)
        return perf_counter() - start

    return measure


def _digits() -> tuple[NDArray, NDArray]:
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


def _best_score(name: str, search: GridSearchCV, target: Target | None = None) -> Figure:
    return Figure(name, search.best_score_, target=target, note=f"margin {search.best_params_['margin']:g}")


def _difference(found: dict[str, GridSearchCV]) -> float:
    one, other = (found[name].cv_results_ for name in ("batched", "ours, GridSearchCV"))
    return max(float(np.abs(one[key] - other[key]).max()) for key in one if key.startswith("split"))


def _train_stack(n_models: int, max_iter: int) -> None:
    """In a process of its own: seconds and peak memory of one stack, five folds by as many margins as it takes."""
    import resource

    X, y = _digits()
    n_margins = -(-n_models // 5)
    # Scoring is no part of this: a few rows of two classes.
    few = np.flatnonzero(y < 2)[:8]
    folds = [(np.flatnonzero(np.arange(len(y)) % 5 != k), few) for k in range(min(n_models, 5))]
    search = BatchedGridSearchCV(
        plain_embedder(max_iter),
        {"margin": np.linspace(0.05, 0.7, n_margins)},
        cv=folds,
        refit=False,
        max_stack=n_models,
    )
    clone(search).set_params(estimator__max_iter=1, cv=folds[:1], param_grid={"margin": [0.2]}).fit(X, y)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = perf_counter()
    search.fit(X, y)
    seconds = perf_counter() - start
    print(seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


if __name__ == "__main__":
    _train_stack(*map(int, sys.argv[1:]))
