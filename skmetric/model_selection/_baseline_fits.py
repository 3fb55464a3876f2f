"""The embeddings of a baseline comparison, and their evaluation on the folds."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_validate
from sklearn.neighbors import KNeighborsClassifier, NeighborhoodComponentsAnalysis
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.estimators import ContrastiveEmbedder, TorchEstimator, TripletEmbedder
from skmetric.model_selection._named import named_estimators
from skmetric.model_selection._pipeline_front import final_prefix, final_step
from skmetric.model_selection.search import BatchedGridSearchCV

__all__ = ["Contender", "Folds", "Outcome", "baselines", "defaults", "evaluate", "learned", "noting", "search_one"]

Folds: TypeAlias = list[tuple[NDArray[np.intp], NDArray[np.intp]]]

# NeighborhoodComponentsAnalysis compares all pairs of rows, ten to a hundred times. One fold takes seconds with 2000
# training rows, but a minute and gigabytes of memory with 10000.
NCA_ROWS = 3000
# Names of the baselines, which embedders must not have.
BASELINES = (
    "raw columns",
    "standardized columns",
    "PCA",
    "LinearDiscriminantAnalysis",
    "NeighborhoodComponentsAnalysis",
)


@dataclass(frozen=True)
class Contender:
    """One embedding of the comparison."""

    name: str
    kind: str
    embedder: Any
    why_skipped: str | None = None


@dataclass(frozen=True)
class Outcome:
    """Results of one embedding on all folds."""

    scores: NDArray[np.float64]
    accuracies: NDArray[np.float64]
    width: float
    fit_time: float


def baselines(y: NDArray, n_features: int, folds: Folds, n_components: int, random_state: Any) -> list[Contender]:
    """Build the baselines. Widths fit the smallest fold, so that all folds use the same estimators."""
    n_rows = [len(train) for train, _ in folds]
    n_classes = min(len(np.unique(y[train])) for train, _ in folds)
    width = min(n_components, n_features)
    reduced = {
        "PCA": PCA(min(width, *n_rows), random_state=random_state),
        "LinearDiscriminantAnalysis": LinearDiscriminantAnalysis(n_components=min(width, n_classes - 1)),
        "NeighborhoodComponentsAnalysis": NeighborhoodComponentsAnalysis(width, random_state=random_state),
    }
    too_many = f"skipped above {NCA_ROWS} training rows, because it takes too long; pass it in embedders= to include it"
    skipped = {"NeighborhoodComponentsAnalysis": too_many} if max(n_rows) > NCA_ROWS else {}
    return [
        Contender("raw columns", "columns", "passthrough"),
        Contender("standardized columns", "columns", StandardScaler()),
        *(
            Contender(name, "baseline", make_pipeline(StandardScaler(), reducer), skipped.get(name))
            for name, reducer in reduced.items()
        ),
    ]


def defaults(n_components: int, random_state: Any) -> list[Contender]:
    """Build the learned embeddings: skmetric's embedders with default parameters."""
    kinds = (TripletEmbedder, ContrastiveEmbedder)
    return [Contender(kind.__name__, "learned", kind(n_components, random_state=random_state)) for kind in kinds]


def learned(embedders: Any) -> list[Contender]:
    """Check the embedders of the user, and name them."""
    named = named_estimators(embedders, "embedders", "[TripletEmbedder()]", BASELINES)
    for name, embedder in named.items():
        if isinstance(embedder, type) or not (hasattr(embedder, "fit") and hasattr(embedder, "transform")):
            raise TypeError(
                f"embedders must be estimators with fit and transform, got {embedder!r} for {name!r}. Pass instances, "
                "such as TripletEmbedder(), or Pipelines that end in one."
            )
        if name in BASELINES:
            raise ValueError(f"embedders must not have the name of a baseline, got {name!r}. Use another name.")
    return [Contender(str(name), "learned", embedder) for name, embedder in named.items()]


def evaluate(
    contender: Contender, X: Any, y: NDArray, folds: Folds, scorer: Any, n_neighbors: int, n_jobs: int | None
) -> Outcome:
    """Fit on the training rows of each fold and score on its test rows."""
    if contender.why_skipped:
        nothing = np.full(len(folds), np.nan)
        return Outcome(nothing, nothing, np.nan, np.nan)
    with noting(contender):
        final = final_step(contender.embedder)
        if isinstance(final, TorchEstimator) and is_classifier(final):
            # ``predict`` is the k-NN vote.
            scoring = partial(_figures, scorer)
            figures, seconds = search_one(contender.embedder, n_neighbors, X, y, folds, scoring)
            return Outcome(figures["score"], figures["accuracy"], figures["width"].mean(), seconds)
        return _evaluate_alone(contender.embedder, X, y, folds, scorer, n_neighbors, n_jobs)


@contextmanager
def noting(contender: Contender) -> Iterator[None]:
    """Add the name of the embedding to an error."""
    try:
        yield
    except Exception as error:
        error.add_note(f"The error is from {contender.name!r}, one of the embeddings in compare_baselines.")
        raise


def search_one(
    embedder: Any, n_neighbors: int, X: Any, y: NDArray | None, folds: Folds, scoring: Callable[..., dict[str, float]]
) -> tuple[dict[str, NDArray[np.float64]], float]:
    """Train the networks of all folds in one stack, as a search with one candidate.

    Returns each figure of ``scoring`` by fold, and the seconds to fit one fold.
    """
    one = {f"{final_prefix(embedder)}n_neighbors": [n_neighbors]}
    search = BatchedGridSearchCV(embedder, one, scoring=scoring, cv=folds, refit=False, error_score="raise")
    with warnings.catch_warnings():
        # For a custom module or callbacks. The user did not choose a batched search.
        warnings.filterwarnings("ignore", "BatchedGridSearchCV trains its candidates one by one")
        results = search.fit(X, y).cv_results_
    names = [name.removeprefix("mean_test_") for name in results if name.startswith("mean_test_")]
    figures = {name: np.array([results[f"split{fold}_test_{name}"][0] for fold in range(len(folds))]) for name in names}
    return figures, results["mean_fit_time"][0]


def _evaluate_alone(
    embedder: Any, X: Any, y: NDArray, folds: Folds, scorer: Any, n_neighbors: int, n_jobs: int | None
) -> Outcome:
    pipeline = Pipeline([("embedder", embedder), ("neighbors", KNeighborsClassifier(n_neighbors))])
    scoring = partial(_pipeline_figures, scorer)
    results = cross_validate(pipeline, X, y, cv=folds, scoring=scoring, n_jobs=n_jobs, error_score="raise")
    return Outcome(
        results["test_score"], results["test_accuracy"], results["test_width"].mean(), results["fit_time"].mean()
    )


def _pipeline_figures(scorer: Any, pipeline: Pipeline, X: Any, y: NDArray) -> dict[str, float]:
    return _figures(scorer, pipeline, X, y, pipeline[:-1])


def _figures(scorer: Any, voter: Any, X: Any, y: NDArray, embedder: Any = None) -> dict[str, float]:
    embedder = voter if embedder is None else embedder
    return {
        "score": scorer(embedder, X, y),
        "accuracy": float(np.mean(voter.predict(X) == y)),
        "width": embedder.transform(X).shape[1],
    }
