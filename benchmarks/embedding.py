"""Accuracy of nearest neighbors in learned embeddings, compared with baselines."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedShuffleSplit
from sklearn.neighbors import KNeighborsClassifier, NeighborhoodComponentsAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.harness import Figure, at_least, seconds
from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.model_selection import BatchedGridSearchCV

__all__ = ["CHOICE", "DEFAULTS", "Outcome", "baselines", "compared", "evaluate", "learned", "run", "standard_errors"]

TABLES = {"wine": load_wine, "iris": load_iris, "breast_cancer": load_breast_cancer}
LOSSES = ("contrastive", "info_nce", "sup_con", "nce", "nca", "multi_similarity", "proxy_anchor")
DEFAULTS = ("TripletEmbedder", "ContrastiveEmbedder")
# The loss with a target in two components, chosen before the halves were drawn. Folds within the first training half
# show no difference between it and the best loss.
CHOICE = "ContrastiveEmbedder nca"
N_NEIGHBORS = 3
N_FOLDS, N_REPEATS, N_SEEDS = 5, 4, 5
MOST_COMPONENTS = 16
# In standard errors: a default embedder should not be worse than the best baseline by more than chance.
TARGET_DIFFERENCE = at_least(-1.0)
TARGET_DIGITS = at_least(0.93)
QUICK_MAX_ITER, QUICK_ROWS = 3, 300

Folds = Sequence[tuple[NDArray[np.integer], NDArray[np.integer]]]


@dataclass(frozen=True)
class Outcome:
    """Accuracy on each fold, and the seconds of all fits and predictions together."""

    accuracy: NDArray[np.float64]
    duration: float


def run(*, quick: bool) -> Iterator[Figure]:
    """Evaluate every method on every table, compare the defaults with the best baseline, then digits in 2D."""
    max_iter = QUICK_MAX_ITER if quick else None
    for name in list(TABLES)[: 1 if quick else None]:
        X, y = TABLES[name](return_X_y=True)
        cv = RepeatedStratifiedKFold(n_splits=N_FOLDS, n_repeats=1 if quick else N_REPEATS, random_state=0)
        folds = list(cv.split(X, y))
        outcomes = _all_outcomes(X, y, folds, baselines(min(X.shape[1], MOST_COMPONENTS)), learned(max_iter=max_iter))
        yield from (_accuracy_figure(f"{name}: {method}", outcome, folds) for method, outcome in outcomes.items())
        yield from compared(name, outcomes, folds)
    yield from _in_two_dimensions(QUICK_ROWS if quick else None, 1 if quick else N_SEEDS, max_iter)


def baselines(n_components: int) -> dict[str, Any]:
    """Build the baselines, each followed by the vote of neighbors."""
    ways = {
        "scaled columns": [StandardScaler()],
        "LDA": [LinearDiscriminantAnalysis()],
        "scaler, NCA": [StandardScaler(), NeighborhoodComponentsAnalysis(n_components, random_state=0)],
    }
    return _with_vote(ways)


def learned(*, max_iter: int | None = None, triplet: Mapping[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """Build the embedders with default parameters, except for the given ones."""
    options = {"n_neighbors": N_NEIGHBORS, "device": "cpu", "random_state": 0, **options}
    if max_iter is not None:
        options["max_iter"] = max_iter
    return {
        "TripletEmbedder": TripletEmbedder(**options, **(triplet or {})),
        "ContrastiveEmbedder": ContrastiveEmbedder(**options),
        **{f"ContrastiveEmbedder {loss}": ContrastiveEmbedder(loss=loss, **options) for loss in LOSSES},
    }


def evaluate(estimator: Any, X: NDArray, y: NDArray, folds: Folds) -> Outcome:
    """Fit and score on each fold. Our embedders train as one stack, with the same bits as single fits."""
    start = perf_counter()
    if isinstance(estimator, TripletEmbedder | ContrastiveEmbedder):
        grid = {"n_neighbors": [estimator.n_neighbors]}
        search = BatchedGridSearchCV(estimator, grid, scoring="accuracy", cv=folds, refit=False).fit(X, y)
        accuracy = [float(search.cv_results_[f"split{fold}_test_score"][0]) for fold in range(len(folds))]
    else:
        accuracy = [clone(estimator).fit(X[train], y[train]).score(X[test], y[test]) for train, test in folds]
    return Outcome(np.array(accuracy), perf_counter() - start)


def standard_errors(values: NDArray[np.float64], folds: Folds) -> tuple[float, float]:
    """Return two standard errors of a mean over folds: for independent folds, and for shared training rows."""
    spread = float(values.std(ddof=1))
    test_share = float(np.mean([len(test) / len(train) for train, test in folds]))
    return spread * len(values) ** -0.5, spread * (1 / len(values) + test_share) ** 0.5


def compared(table: str, outcomes: Mapping[str, Outcome], folds: Folds) -> Iterator[Figure]:
    """Compare the defaults with the best baseline without a network, fold by fold."""
    best = max((name for name in outcomes if "Embedder" not in name), key=lambda name: outcomes[name].accuracy.mean())
    for name in DEFAULTS:
        differences = outcomes[name].accuracy - outcomes[best].accuracy
        mean, (plain, corrected) = float(differences.mean()), standard_errors(differences, folds)
        yield Figure(
            f"{table}: {name} - {best}",
            _in_units(mean, plain),
            "se",
            TARGET_DIFFERENCE,
            note=f"{mean:+.4f}; standard error {plain:.4f}, of Nadeau and Bengio {corrected:.4f}, "
            f"in which {_in_units(mean, corrected):+.2f}",
            details={"of_folds": differences.tolist(), "best_baseline": best},
        )


def _in_units(mean: float, error: float) -> float:
    """Return a difference in standard errors: 0 or infinite if all folds have the same difference."""
    if error:
        return mean / error
    return math.copysign(math.inf, mean) if mean else 0.0


def _with_vote(ways: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    return {name: make_pipeline(*steps, KNeighborsClassifier(N_NEIGHBORS)) for name, steps in ways.items()}


def _all_outcomes(X: NDArray, y: NDArray, folds: Folds, *groups: Mapping[str, Any]) -> dict[str, Outcome]:
    return {name: evaluate(estimator, X, y, folds) for group in groups for name, estimator in group.items()}


def _accuracy_figure(name: str, outcome: Outcome, folds: Folds, target: Any = None) -> Figure:
    values, n_fits = outcome.accuracy, len(outcome.accuracy)
    spread = "one half"
    if n_fits > 1:
        plain, corrected = standard_errors(values, folds)
        spread = f"sd {values.std(ddof=1):.3f}, standard error {plain:.4f}, of Nadeau and Bengio {corrected:.4f}"
    return Figure(
        name,
        float(values.mean()),
        target=target,
        note=f"{spread}; {n_fits} {'fit' if n_fits == 1 else 'fits'} {seconds(outcome.duration)}",
        details={"of_folds": values.tolist(), "seconds": outcome.duration},
    )


def _in_two_dimensions(n_rows: int | None, n_seeds: int, max_iter: int | None) -> Iterator[Figure]:
    """Split digits into stratified halves, and embed their images in two dimensions."""
    X, y = (column[:n_rows] for column in load_digits(return_X_y=True))
    halves = [next(StratifiedShuffleSplit(1, test_size=0.5, random_state=seed).split(X, y)) for seed in range(n_seeds)]
    linear = _with_vote(
        {
            "scaler, PCA": [StandardScaler(), PCA(2, random_state=0)],
            "scaler, LDA": [StandardScaler(), LinearDiscriminantAnalysis(n_components=2)],
            "scaler, NCA": [StandardScaler(), NeighborhoodComponentsAnalysis(2, random_state=0)],
        }
    )
    ours = learned(max_iter=max_iter, n_components=2, normalize=False, triplet={"margin": 1.0})
    for method, outcome in _all_outcomes(X, y, halves, linear, ours).items():
        target = TARGET_DIGITS if method == CHOICE else None
        yield _accuracy_figure(f"digits in 2: {method}", outcome, halves, target)
