"""The embeddings of a baseline comparison on pairs and triplets, and their evaluation on the folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmetric.estimators import ContrastiveEmbedder, TripletEmbedder
from skmetric.estimators.embedding.tuple_order import PointTuples, read_point_tuples
from skmetric.estimators.points import Preprocessor, Rows, check_preprocessor, count_axes, is_tuples
from skmetric.model_selection._baseline_fits import Contender, Folds, Outcome, noting, search_one
from skmetric.model_selection._split_groups import read_folds, warn_of_split_groups
from skmetric.model_selection.tuple_folds import TupleKFold

__all__ = ["TupleTable", "holds_tuples", "tuple_baselines", "tuple_defaults"]

# A square map has this number of columns at most, because its weights grow with the square of the number.
LINEAR_COLUMNS = 1024
# So that a linear map does not forget its start. With the default rate and number of epochs, it does.
GENTLE: Mapping[str, Any] = {"learning_rate": 0.0005, "max_iter": 5}


@dataclass(frozen=True, eq=False)
class TupleTable:
    """Pairs or triplets, as they were given and as indices of points.

    Attributes
    ----------
    X : array
        Tuples as given by the user, of points or of indices.
    y : array of shape (n_pairs,), optional
        1 or -1 for each pair, if given by the user.
    preprocessor : array-like, dict, callable or Rows, optional
        Source of the points, if X holds indices.
    tuples : PointTuples
        The same tuples, as indices into a table of distinct points.
    """

    X: NDArray
    y: NDArray[np.integer] | None
    preprocessor: Preprocessor | None
    tuples: PointTuples

    @classmethod
    def read(cls, X: Any, y: Any, preprocessor: Preprocessor | None) -> "TupleTable":
        """Check tuples. The second axis decides whether they are pairs or triplets."""
        given = np.asarray(X)
        size = given.shape[1]
        if size not in (2, 3):
            raise ValueError(
                f"X must hold pairs or triplets, 2 or 3 points per tuple, got {size}, shape {given.shape}. Pass "
                "np.stack([A, B], axis=1) for two tables A and B; for rows with classes, pass a table with two axes "
                "and no preprocessor."
            )
        check_preprocessor(preprocessor)
        table = preprocessor if preprocessor is None or callable(preprocessor) else Rows(preprocessor)
        tuples = read_point_tuples(given, y, size, table)
        if tuples.columns.are_equal():
            raise ValueError("X must hold points that differ, got tuples of equal points. Pass columns that vary.")
        if not tuples.has_similar:
            raise ValueError("y must hold similar pairs, 1, got only -1. Add similar pairs.")
        return cls(given, None if y is None else tuples.outcome, table, tuples)

    @property
    def n_features(self) -> int:
        """Number of columns of the points."""
        return self.tuples.columns.n_features

    @property
    def metric(self) -> tuple[str, str]:
        """Name of the score, and its description."""
        if self.tuples.tuple_size == 3:
            return "accuracy", "share of test triplets in the right order; 0.5 for random distances, 1 at best."
        other = "dissimilar pair" if self.tuples.has_both else "pair of its first point and the next second point"
        return "ROC AUC", f"chance that a similar pair is closer than a {other}; 0.5 if random, 1 at best."

    def folds(self, cv: Any, groups: Any, random_state: Any) -> Folds:
        """Return the training and the test tuples of each fold. The splitter gets indices of points."""
        outcome, both = self.tuples.outcome, self.tuples.has_both
        splitter = self._splitter(cv, random_state)
        folds = read_folds(cv, splitter, self.tuples.indices, outcome, groups, len(outcome))
        if groups is not None:
            warn_of_split_groups(cv, splitter, folds, groups)
        for number, parts in enumerate(folds):
            for name, part in zip(("training", "test"), parts, strict=True):
                similar = int((outcome[part] > 0).sum())
                least_similar = 1 if both or self.tuples.tuple_size == 3 else 2
                if similar < least_similar or (both and similar == len(part)):
                    raise ValueError(
                        "cv must give folds with training and test tuples (of both kinds, if y has both; two, if all "
                        f"pairs are similar), got {similar} similar of {len(part)} {name} tuples in fold {number}. Use "
                        "fewer folds."
                    )
        return folds

    def about(self, folds: Folds) -> str:
        """Describe the tuples and their folds."""
        indices, name = self.tuples.indices, {2: "pairs", 3: "triplets"}[self.tuples.tuple_size]
        tested = [test for _, test in folds]
        is_seen = np.concatenate([np.isin(indices[test], indices[train]).any(axis=1) for train, test in folds])
        seen = (
            f"{is_seen.mean():.0%} of the test {name} have points that training has seen, which favors learned ones"
            if is_seen.any()
            else f"training has seen no point of the test {name}"
        )
        return (
            f"{len(indices)} {name} of {len(self.tuples.columns)} points, {self.n_features} columns. {len(folds)} "
            f"folds, the same for all lines, test {len(np.unique(np.concatenate(tested)))} of the {name}; {seen}."
        )

    def evaluate(self, contender: Contender, folds: Folds) -> Outcome:
        """Fit on the training tuples of each fold, and score the order of its test tuples."""
        unknown = np.full(len(folds), np.nan)
        if contender.why_skipped:
            return Outcome(unknown, unknown, np.nan, np.nan)
        with noting(contender):
            if isinstance(contender.embedder, TripletEmbedder | ContrastiveEmbedder):
                embedder = self._with_points(contender.embedder)
                figures, seconds = search_one(embedder, embedder.n_neighbors, self.X, self.y, folds, _figures)
                return Outcome(figures["score"], unknown, figures["width"].mean(), seconds)
            figures, seconds = self._evaluate_alone(contender, folds)
            return Outcome(figures["score"], unknown, figures["width"].mean(), seconds)

    def _splitter(self, cv: Any, random_state: Any) -> Any:
        if cv is None or isinstance(cv, Integral):
            return TupleKFold(5 if cv is None else int(cv), shuffle=True, random_state=random_state)
        return check_cv(cv)

    def _with_points(self, embedder: Any) -> Any:
        """Return the embedder with the table that the indices belong to, unless it has one."""
        if self.preprocessor is None or embedder.preprocessor is not None:
            return embedder
        return clone(embedder).set_params(preprocessor=self.preprocessor)

    def _evaluate_alone(self, contender: Contender, folds: Folds) -> tuple[dict[str, NDArray], float]:
        """Fit transformers of points to the points of the training tuples, and other embedders to tuples of points."""
        points, indices = self.tuples.columns.numbers, self.tuples.indices
        is_learned = contender.kind == "learned"
        scores, widths, seconds = [], [], []
        for train, test in folds:
            embedder, start = clone(contender.embedder), perf_counter()
            if is_learned:
                embedder.fit(points[indices[train]], None if self.y is None else self.y[train])
            else:
                embedder.fit(points[np.unique(indices[train])])
            seconds.append(perf_counter() - start)
            tested = self.tuples.some(test)
            embedded = np.asarray(embedder.transform(tested.columns.numbers))
            scores.append(tested.score(embedded, "euclidean"))
            widths.append(embedded.shape[1])
        return {"score": np.array(scores), "width": np.array(widths, dtype=np.float64)}, float(np.mean(seconds))


def tuple_baselines(table: TupleTable, folds: Folds, n_components: int, random_state: Any) -> list[Contender]:
    """Build the baselines, which are fitted to points and need no classes."""
    n_points = [len(np.unique(table.tuples.indices[train])) for train, _ in folds]
    width = min(n_components, table.n_features, *n_points)
    return [
        Contender("raw columns", "columns", FunctionTransformer()),
        Contender("standardized columns", "columns", StandardScaler()),
        Contender("PCA", "baseline", make_pipeline(StandardScaler(), PCA(width, random_state=random_state))),
    ]


def tuple_defaults(table: TupleTable, n_components: int, random_state: Any) -> list[Contender]:
    """Build the learned embeddings: the default network, and a linear map that stays close to the columns."""
    kind = TripletEmbedder if table.tuples.tuple_size == 3 else ContrastiveEmbedder
    width = table.n_features
    linear = kind(width, hidden_layer_sizes=(), init="identity", **GENTLE, random_state=random_state)
    too_wide = (
        f"skipped above {LINEAR_COLUMNS} columns, because it has a weight per pair of columns; pass it in embedders= "
        "to include it"
    )
    return [
        Contender(kind.__name__, "learned", kind(n_components, random_state=random_state)),
        Contender(f"{kind.__name__}, linear", "learned", linear, too_wide if width > LINEAR_COLUMNS else None),
    ]


def holds_tuples(X: Any, preprocessor: Preprocessor | None, given: Sequence[Contender]) -> bool:
    """Whether X holds tuples. Raise if it must, but does not, or if an embedder of the user cannot take tuples."""
    embedders = [contender.embedder for contender in given]
    if is_tuples(X, preprocessor):
        for embedder in embedders:
            if isinstance(embedder, Pipeline):
                raise TypeError(
                    "embedders must not be Pipelines for tuples, whose steps would take tuples for rows, got "
                    f"{embedder!r}. Pass the embedder alone; it scales the columns itself (inputs=)."
                )
        return True
    if preprocessor is not None:
        raise ValueError(
            f"X must hold pairs or triplets of indices with preprocessor, two axes, got {count_axes(X)}. For rows with "
            "classes, leave preprocessor out and pass the rows themselves."
        )
    if any(getattr(embedder, "preprocessor", None) is not None for embedder in embedders):
        raise ValueError(
            "preprocessor must be given to compare_baselines, too, if embedders have one, because the points that X "
            "refers to are a baseline, got preprocessor=None. Pass the table that the indices belong to."
        )
    return False


def _figures(embedder: Any, X: Any, y: Any = None) -> dict[str, float]:
    return {"score": embedder.score(X, y), "width": float(embedder.n_components)}
