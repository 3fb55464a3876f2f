"""Quality of TripletEmbedder's defaults on small tables, compared with baselines, and how they were chosen."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, NeighborhoodComponentsAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from benchmarks.harness import Figure, at_least, at_most, seconds
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.metrics import map_at_r_score

__all__ = ["run"]

TABLES = {"digits": load_digits, "wine": load_wine, "breast_cancer": load_breast_cancer}
N_SEEDS = 5
MOST_COMPONENTS = 16
N_NEIGHBORS = 5
TARGET_DIGITS_MAP = at_least(0.94)
TARGET_DIGITS_SECONDS = at_most(8.0)
# Values of each factor around the defaults. The other factors keep their defaults.
GRID: Mapping[str, Sequence[float]] = {
    "margin": (0.2, 0.3, 0.5, 0.75),
    "dropout": (0.0, 0.1, 0.2, 0.3),
    "learning_rate": (1e-3, 3e-3, 5e-3, 1e-2, 2e-2),
    "max_iter": (30, 60, 100),
}

Make = Callable[[int, int], BaseEstimator]


def embedder(seed: int, **parameters: Any) -> TripletEmbedder:
    """Build an embedder with defaults except for the given parameters, on the CPU, where times are comparable."""
    return TripletEmbedder(device="cpu", random_state=seed, **parameters)


# Functions that build an estimator from a seed and the number of columns.
METHODS: Mapping[str, Make] = {
    "TripletEmbedder()": lambda seed, _: embedder(seed),
    "scaler, TripletEmbedder()": lambda seed, _: make_pipeline(StandardScaler(), embedder(seed)),
    "raw": lambda *_: FunctionTransformer(),
    "scaler": lambda *_: StandardScaler(),
    "scaler, PCA": lambda seed, d: make_pipeline(StandardScaler(), PCA(min(d, MOST_COMPONENTS), random_state=seed)),
    "LDA": lambda *_: LinearDiscriminantAnalysis(),
    "scaler, NCA": lambda seed, d: make_pipeline(
        StandardScaler(), NeighborhoodComponentsAnalysis(min(d, MOST_COMPONENTS), random_state=seed)
    ),
}


@dataclass(frozen=True)
class Quality:
    """Figures of one method, one value per seed."""

    map_at_r: list[float]
    knn_accuracy: list[float]
    fit_seconds: list[float]

    def __str__(self) -> str:
        return (
            f"{min(self.map_at_r):.3f} to {max(self.map_at_r):.3f}, {N_NEIGHBORS}-NN {np.mean(self.knn_accuracy):.3f}, "
            f"fit {seconds(float(np.median(self.fit_seconds)))}"
        )


def run(*, quick: bool) -> Iterator[Figure]:
    """Evaluate every method on every table by held-out MAP@R, then the variants of the defaults."""
    tables = ["wine"] if quick else list(TABLES)
    seeds = range(1 if quick else N_SEEDS)
    for table in tables:
        for name, make in METHODS.items():
            yield from _quality_figures(table, name, evaluate(table, make, seeds))
    for factor, values in GRID.items():
        for value in values[: 1 if quick else None]:
            yield _grid_figure(factor, value, tables, seeds)


def evaluate(table: str, make: Make, seeds: Sequence[int]) -> Quality:
    """Fit on a stratified half and score the embedding of the other half, once per seed."""
    X, y = TABLES[table](return_X_y=True)
    figures = [_evaluate_once(X, y, make(seed, X.shape[1]), seed) for seed in seeds]
    return Quality(*(list(column) for column in zip(*figures, strict=True)))


def _evaluate_once(X: NDArray, y: NDArray, estimator: Any, seed: int) -> tuple[float, float, float]:
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)
    start = perf_counter()
    estimator.fit(X_train, y_train)
    duration = perf_counter() - start
    train, test = estimator.transform(X_train), estimator.transform(X_test)
    neighbors = KNeighborsClassifier(N_NEIGHBORS).fit(train, y_train)
    return map_at_r_score(test, y_test), float(neighbors.score(test, y_test)), duration


def _quality_figures(table: str, name: str, quality: Quality) -> Iterator[Figure]:
    is_judged = (table, name) == ("digits", "TripletEmbedder()")
    target = TARGET_DIGITS_MAP if is_judged else None
    mean = float(np.mean(quality.map_at_r))
    yield Figure(f"{table}: {name}", mean, "", target, str(quality), asdict(quality))
    if is_judged:
        yield Figure(
            f"{table}: {name}, fit",
            float(np.median(quality.fit_seconds)),
            "s",
            TARGET_DIGITS_SECONDS,
            "median of seeds",
        )


def _grid_figure(factor: str, value: float, tables: Sequence[str], seeds: range) -> Figure:
    is_default = embedder(0).get_params()[factor] == value
    changes = () if is_default else ((factor, value),)
    qualities = {table: _evaluate_variant(table, changes, seeds) for table in tables}
    means = {table: float(np.mean(quality.map_at_r)) for table, quality in qualities.items()}
    return Figure(
        f"{factor}={value:g}{' (default)' if is_default else ''}",
        float(np.mean(list(means.values()))),
        note=", ".join(f"{table} {mean:.3f}" for table, mean in means.items()),
        details={table: asdict(quality) for table, quality in qualities.items()},
    )


@lru_cache
def _evaluate_variant(table: str, changes: tuple[tuple[str, float], ...], seeds: range) -> Quality:
    """Evaluate the defaults with some changes. Cached, because every factor includes the defaults themselves."""
    return evaluate(table, lambda seed, _: embedder(seed, **dict(changes)), seeds)
