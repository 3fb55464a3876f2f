"""Search for a margin: a batched search, compared with GridSearchCV over our estimator and over a skorch net.

Digits, 8 margins x 5 folds, 20 epochs, batches of at most 64, semi-hard, 64-128-16, pixels divided by 16.
"""

import sys
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from benchmarks.harness import Figure, Target, alternate, at_least, compare, in_fresh_process
from benchmarks.search_peer import SkorchEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.metrics import map_at_r_scorer
from skmetric.model_selection.search import BatchedGridSearchCV

__all__ = ["run", "run_on_gpu"]

MARGINS = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7]
N_MODELS = (1, 8, 40, 160, 640)
N_JOBS = 2


def plain_embedder(max_iter: int, device: str = "cpu") -> TripletEmbedder:
    """Build the network of the comparison, with unscaled inputs and without dropout."""
    return TripletEmbedder(
        16, hidden_layer_sizes=(128,), dropout=0.0, inputs="none", max_iter=max_iter, device=device, random_state=0
    )


def run(*, quick: bool, device: str = "cpu") -> Iterator[Figure]:
    """Compare times and scores, and measure the growth of time and memory with the stack."""
    max_iter = 2 if quick else 20
    # On a GPU, one round of the peer takes minutes.
    rounds = 3 if device == "cpu" and not quick else 1
    X, y = _digits()
    found: dict[str, GridSearchCV] = {}
    for search in _searches(1, device).values():  # warm-up, also of joblib's workers
        search.fit(X, y)
    searches = _searches(max_iter, device)
    taken = alternate({name: _timed(search, X, y, found, name) for name, search in searches.items()}, rounds)
    yield compare("search: skorch / batched", taken, "skorch, GridSearchCV", "batched", target=at_least(12))
    yield compare("search: ours one by one / batched", taken, "ours, GridSearchCV", "batched", target=at_least(3))
    for name in searches:
        target = at_least(found["skorch, GridSearchCV"].best_score_) if name == "batched" else None
        yield _best_score(f"search: best MAP@R, {name}", found[name], target)
    yield Figure("search: largest difference of scores to one by one", _difference(found))

    fits = {"ours": _timed(plain_embedder(max_iter, device), X, y, {}, "")}
    fits["skorch"] = _timed(SkorchEmbedder(max_epochs=max_iter, device=device), X, y, {}, "")
    yield compare("one fit: skorch / ours", alternate(fits, rounds), "skorch", "ours", target=at_least(1))
    # The figure has a target only on a GPU.
    yield _one_after_another(X, y, max_iter, device, rounds=1 if quick or device == "cpu" else 3)
    yield from _with_defaults(X, y, max_iter, device)
    yield from _growth(max_iter, quick, device)


def run_on_gpu(*, quick: bool) -> Iterator[Figure]:
    """Run the same benchmark on a GPU, if there is one."""
    if torch.cuda.is_available():
        yield from run(quick=quick, device="cuda")
    else:
        print("skipped: it needs a CUDA device")


def _searches(max_iter: int, device: str) -> dict[str, GridSearchCV]:
    grid, how = {"margin": MARGINS}, {"cv": 5, "scoring": map_at_r_scorer}
    ours = plain_embedder(max_iter, device)
    peer = SkorchEmbedder(max_epochs=max_iter, device=device)
    return {
        "batched": BatchedGridSearchCV(ours, grid, **how),
        "ours, GridSearchCV": GridSearchCV(ours, grid, n_jobs=N_JOBS, **how),
        "skorch, GridSearchCV": GridSearchCV(peer, grid, n_jobs=N_JOBS, **how),
    }


def _one_after_another(X: NDArray, y: NDArray, max_iter: int, device: str, *, rounds: int) -> Figure:
    """Compare complete single fits in one process with one stack of the same fits."""
    ours = plain_embedder(max_iter, device)
    folds = _hardly_scored_folds(y)

    def one_by_one() -> float:
        start = perf_counter()
        for margin in MARGINS:
            for train, _ in folds:
                clone(ours).set_params(margin=margin).fit(X[train], y[train])
        return perf_counter() - start

    stack = BatchedGridSearchCV(ours, {"margin": MARGINS}, cv=folds, refit=False)
    clone(stack).set_params(estimator__max_iter=1).fit(X, y)  # a warm-up, as the first single fit is one for the others
    taken = alternate({"fits": one_by_one, "one stack": _timed(stack, X, y, {}, "")}, rounds)
    target = at_least(30) if device == "cuda" else None
    return compare("40 fits, one after another / one stack", taken, "fits", "one stack", target=target)


def _with_defaults(X: NDArray, y: NDArray, max_iter: int, device: str) -> Iterator[Figure]:
    """Run the search with the default parameters of the estimator: wider, with dropout and scaled inputs."""
    estimator = TripletEmbedder(max_iter=max_iter, device=device, random_state=0)
    found: dict[str, GridSearchCV] = {}
    searches = {
        "batched": BatchedGridSearchCV(estimator, {"margin": MARGINS}, cv=5),
        "one by one": GridSearchCV(estimator, {"margin": MARGINS}, cv=5, n_jobs=N_JOBS),
    }
    taken = alternate({name: _timed(search, X, y, found, name) for name, search in searches.items()}, 1)
    yield compare("search with defaults: one by one / batched", taken, "one by one", "batched")
    yield _best_score("search with defaults: best MAP@R", found["batched"])


def _growth(max_iter: int, quick: bool, device: str) -> Iterator[Figure]:
    for n_models in N_MODELS[:2] if quick else N_MODELS:
        arguments = str(n_models), str(max_iter), device
        seconds, peak = map(float, in_fresh_process("benchmarks.search", *arguments).split())
        note = f"{1e3 * seconds / n_models:.0f} ms per model, peak memory {peak:.0f} MB above the start"
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


def _hardly_scored_folds(y: NDArray, n_folds: int = 5) -> list[tuple[NDArray, NDArray]]:
    """Return folds that measure training only: they score a few rows of two classes."""
    few = np.flatnonzero(y < 2)[:8]
    return [(np.flatnonzero(np.arange(len(y)) % 5 != k), few) for k in range(n_folds)]


def _train_stack(n_models: int, max_iter: int, device: str) -> None:
    """Print the seconds and the peak memory of one stack, with five folds and as many margins as needed.

    Needs a separate process, because a peak never falls again.
    """
    X, y = _digits()
    n_margins = -(-n_models // 5)
    folds = _hardly_scored_folds(y, min(n_models, 5))
    search = BatchedGridSearchCV(
        plain_embedder(max_iter, device),
        {"margin": np.linspace(0.05, 0.7, n_margins)},
        cv=folds,
        refit=False,
        max_stack=n_models,
    )
    clone(search).set_params(estimator__max_iter=1, cv=folds[:1], param_grid={"margin": [0.2]}).fit(X, y)
    before = _peak_bytes(device)
    start = perf_counter()
    search.fit(X, y)
    seconds = perf_counter() - start
    print(seconds, (_peak_bytes(device) - before) / 2**20)


def _peak_bytes(device: str) -> int:
    """Return the peak memory so far, of the process or on the device."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    from benchmarks.peak_memory import peak

    return peak()


if __name__ == "__main__":
    _train_stack(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
