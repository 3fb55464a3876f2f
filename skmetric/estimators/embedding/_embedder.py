"""What embedders share: learning from labels or tuples, and the learned space."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_consistent_length
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmetric._core.engine import Moments, TrainedNetwork, constant
from skmetric._core.nn import Columns
from skmetric._sklearn_compat import ClassifierMixin, Interval, check_sample_weight, fit_context
from skmetric._warnings import warn_caller
from skmetric.estimators._base import Head, Judge, TorchEstimator, all_or_nothing
from skmetric.estimators.embedding._data import (
    EmbedderBatching,
    EmbedderData,
    LabeledRows,
    PointTuples,
    is_unlabeled,
    read_outcome,
)
from skmetric.estimators.embedding._distances import LearnedMetric
from skmetric.estimators.embedding._neighbors import NeighborVote
from skmetric.estimators.points import Preprocessor, count_axes, is_tuples, points_at, read_tuples
from skmetric.estimators.preparation import Given, Indices, Prepared
from skmetric.metrics import map_at_r_score

__all__ = ["Embedder", "EmbedderChoice"]

# An embedding whose rows are this much closer together than they should be has collapsed.
COLLAPSED = 0.01


@dataclass(frozen=True, eq=False)
class EmbedderChoice:
    """What an embedder settles by looking at its data.

    Attributes
    ----------
    classes : array of shape (n_classes,)
        In the order of their codes.
    loss : str
        Name of the loss, "auto" resolved.
    negatives : {"given", "batch", "random"}
        What similar pairs are told from.
    """

    classes: NDArray
    loss: str = "triplet"
    negatives: str = "given"


def _is_fitted_on_tuples(embedder: Any) -> bool:
    return getattr(embedder, "tuple_size_", None) is not None


def _distinct(classes: ArrayLike, unlabeled: Any) -> NDArray:
    distinct = np.unique(classes)
    return distinct[~is_unlabeled(distinct, unlabeled)]


class Embedder(ClassifierMixin, TorchEstimator[EmbedderData, EmbedderChoice]):
    """Learn an embedding from labels or tuples; embed points, classify, score and measure by their distances.

    An embedder says in ``_tuple_size`` which tuples it takes, in ``_predict_tuples`` what it predicts for them, in
    ``_resolved_distance`` by which distance it learns, and in ``_length_scale`` how far apart that puts points.
    """

    n_components: int
    normalize: bool
    samples_per_class: int
    n_neighbors: int
    preprocessor: Preprocessor | None
    unlabeled: Any
    distance: str | None

    classes_: NDArray
    tuple_size_: int | None
    _distance: str
    _neighbors: NeighborVote | None
    _spread: float
    _moments: Moments | None

    _tuple_size: ClassVar[int]
    _instead_of_collapse: ClassVar[str]

    _embedder_constraints: ClassVar[dict[str, list]] = {
        **TorchEstimator._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "normalize": ["boolean"],
        "samples_per_class": [Interval(Integral, 2, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "preprocessor": [object],
        "unlabeled": [object],
    }

    @all_or_nothing
    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Learn an embedding in which what is alike is close.

        Parameters
        ----------
        X : array-like of shape (n, n_features), or tuples
            The rows, converted to float32. Or tuples of points, of shape (n, size, n_features); where there is a
            ``preprocessor``, of shape (n, size), of what it turns into points (rows then are of shape (n,)). Size is 3
            for triplets (anchor, positive, negative), 2 for pairs.
        y : array-like of shape (n,), optional
            The classes of rows: numbers, strings or booleans; at least two, one of them with two rows. For pairs 1
            where they are alike, -1 where they are not; without y, all are alike. Triplets have none.
        X_val, y_val : array-like, optional
            Rows and classes, or tuples, to stop early by, in place of some held out from X; they need
            ``early_stopping=True``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For bad input, and when the loss becomes NaN or infinite. The estimator is then as it was before.

        Warns
        -----
        ConvergenceWarning
            When the embedding has collapsed to a point.
        """
        return self._fit(Given.of(X, y, X_val=X_val, y_val=y_val))

    @all_or_nothing
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: ArrayLike, y: ArrayLike | None = None, classes: ArrayLike | None = None) -> Self:
        """Learn from some more rows or tuples, for one epoch at a constant learning rate.

        ``predict`` then looks for neighbors among these rows, embedded after the epoch. A column is scaled by the
        rows of the first call in which it varies: let the first call's rows be typical. Nothing is held out.

        Parameters
        ----------
        X, y : array-like
            As for ``fit``.
        classes : array-like of shape (n_classes,), optional
            All classes that will ever come, in the first call; without it, the classes of the first call's ``y``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For bad input, and for a class that the first call did not announce.
        """
        prepared = self._prepare_more(Given.of(X, y), classes)
        self._finish(prepared, self._train(prepared))
        return self

    def predict(self, X: ArrayLike) -> NDArray:
        """Predict the class of each row, or what is alike of each tuple.

        Parameters
        ----------
        X : array-like of shape (n, n_features), or tuples
            Rows or tuples, as ``fit`` had them.

        Returns
        -------
        ndarray of shape (n,)
            For rows the most frequent class among the nearest training rows in the embedding. For triplets 1 where the
            second point is closer to the first than the third, for pairs 1 where they are within ``threshold_`` of each
            other; else -1.
        """
        check_is_fitted(self)
        if self.tuple_size_ is not None:
            return self._predict_tuples(X)
        assert self._neighbors is not None
        return self.classes_[self._neighbors.predict(self._embed(X), self.n_neighbors)]

    def score(self, X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None) -> float:
        """Mean average precision at R (MAP@R) of rows; the area under the ROC curve of pairs, the accuracy of triplets.

        For each row, how well the rows of its class come first when the others are ordered by distance; see
        :func:`skmetric.metrics.map_at_r_score`. Neither the training rows nor ``predict`` enter, and classes may be
        new ones.

        Parameters
        ----------
        X : array-like of shape (n, n_features), or tuples
            Rows or tuples, as ``fit`` had them.
        y : array-like of shape (n,), optional
            Classes of rows, of which unlabeled ones are left out; 1 and -1 for pairs. Without it pairs are all alike,
            and judged by how well they are told from each first point with the second point of another pair.
        sample_weight : array-like of shape (n,), optional
            The weight of each row as a query, or of each tuple.

        Returns
        -------
        float
            Between 0 and 1, higher is better.

        Raises
        ------
        ValueError
            When no class has two rows, or pairs are not of both kinds.
        """
        check_is_fitted(self)
        if self.tuple_size_ is not None:
            tuples = self._read_tuples(X, y, reset=False)
            weights = check_sample_weight(sample_weight, tuples.indices, dtype=np.float64, ensure_non_negative=True)
            if not (tuples.outcome[weights > 0] > 0).any() or (
                tuples.has_both and not (tuples.outcome[weights > 0] < 0).any()
            ):
                raise ValueError(
                    "y must hold pairs of both kinds that have a weight, 1 and -1, or only pairs that are alike, 1."
                )
            return tuples.score(self._network.apply(tuples.columns, self.device), self._distance, weights)
        if y is None:
            raise ValueError(f"{type(self).__name__}.score requires y, the classes of the rows; got None.")
        embeddings, known = self._embed(X), ~is_unlabeled(np.asarray(y), self.unlabeled)
        if known.all():
            return map_at_r_score(embeddings, y, sample_weight=sample_weight)
        check_consistent_length(embeddings, y, sample_weight)
        weights = None if sample_weight is None else np.asarray(sample_weight)[known]
        return map_at_r_score(embeddings[known], np.asarray(y)[known], sample_weight=weights)

    @available_if(_is_fitted_on_tuples)
    def decision_function(self, X: ArrayLike) -> NDArray[np.float32]:
        """Say how sure each tuple is: minus the distance of a pair, and by how much a triplet's positive is closer.

        Parameters
        ----------
        X : array-like
            Tuples, as ``fit`` had them.

        Returns
        -------
        ndarray of shape (n,), float32
            The higher, the more alike. For pairs, ``predict`` compares it with minus ``threshold_``; for triplets,
            with 0.
        """
        d = self._tuple_distances(X, self._tuple_size)
        return -d[:, 0] if d.shape[1] == 1 else d[:, 1] - d[:, 0]

    def pair_distance(self, pairs: ArrayLike) -> NDArray[np.float32]:
        """Learned distance between the two points of each pair.

        Parameters
        ----------
        pairs : array-like of shape (n, 2, n_features)
            The pairs; where there is a ``preprocessor``, also of shape (n, 2), of what it turns into points.

        Returns
        -------
        ndarray of shape (n,)
            In the ``distance`` of the fit, Euclidean where none was named: 0 for equal points, smaller is closer.

        Raises
        ------
        ValueError
            When ``pairs`` is of another shape.
        """
        return self._tuple_distances(pairs, 2)[:, 0]

    def pair_score(self, pairs: ArrayLike) -> NDArray[np.float32]:
        """Learned similarity between the two points of each pair: minus their distance.

        Parameters
        ----------
        pairs : array-like
            As for ``pair_distance``.

        Returns
        -------
        ndarray of shape (n,)
            0 for equal points, higher is closer.
        """
        return -self.pair_distance(pairs)

    def get_metric(self) -> LearnedMetric:
        """Give the learned metric as a function of two points, for estimators that take a ``metric``.

        Returns
        -------
        callable
            ``(u, v, squared=False) -> float`` for points of shape (n_features,): the Euclidean distance of their
            embeddings. It pickles, and stays as it is when the estimator is fitted anew.

        Notes
        -----
        Where ``distance`` is Euclidean, this is ``pair_distance``. A squared or cosine distance violates the triangle
        inequality, on which search trees rely; the Euclidean one orders neighbors alike. For many points,
        ``transform`` and a Euclidean distance find the same neighbors much faster.
        """
        check_is_fitted(self)
        return LearnedMetric(self._network, self.device)

    def _read(self, given: Given, like: EmbedderData | None = None) -> EmbedderData:
        if like is not None:
            return self._read_as(given, like.tuple_size, reset=False)
        data = self._read_as(given, self._tuple_size if is_tuples(given.X, self.preprocessor) else None, reset=True)
        data.check()
        return data

    def _read_as(self, given: Given, tuple_size: int | None, *, reset: bool) -> EmbedderData:
        """Check rows or tuples; with ``reset``, their columns are those that later ones must have."""
        if tuple_size is not None:
            return self._read_tuples(given.X, given.y, reset=reset)
        if given.y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: rows need labels. Tuples of "
                "points have three axes; tuples of places in a table need preprocessor= set to that table."
            )
        least = 2 if reset else 1
        rows, labels = self._check_input(self._looked_up(given.X), given.y, reset=reset, ensure_min_samples=least)
        return LabeledRows(Columns(rows), labels, ~is_unlabeled(labels, self.unlabeled))

    def _prepare_more(self, given: Given, classes: ArrayLike | None) -> Prepared[EmbedderData, EmbedderChoice]:
        """Decide everything before one more epoch: nothing is held out, and what the first call chose stays."""
        last = self._last_fit()
        data = self._read(given) if last is None else self._read_more(given, self.tuple_size_)
        choice = self._choose(data, data.usable(), None) if last is None else last.choice
        if classes is not None:
            announced = _distinct(classes, self.unlabeled)
            if last is not None and not np.array_equal(announced, choice.classes):
                raise ValueError(
                    f"classes must be the same in every call of partial_fit, {choice.classes.tolist()}; "
                    f"got {np.unique(classes).tolist()}. Call fit to start anew."
                )
            choice = replace(choice, classes=announced)
        _refuse_new_classes(data, choice.classes)
        earlier = getattr(self, "history_", [])
        # Each call draws from a stream of its own, or every epoch would see the same batches.
        seed = np.random.SeedSequence(self._seed_sequence().entropy, spawn_key=(len(earlier),))
        prepared = self._planned(given, data, data.usable(), None, seed=seed, last=last, choice=choice)
        moments = getattr(self, "_moments", None)
        plan = replace(prepared.plan, max_iter=1, schedule=constant, stopping=None, moments=moments)
        return replace(prepared, plan=plan, earlier=earlier)

    def _read_more(self, given: Given, tuple_size: int | None) -> EmbedderData:
        data = self._read_as(given, tuple_size, reset=False)
        data.check()
        return data

    def _read_tuples(self, X: ArrayLike, y: ArrayLike | None, *, reset: bool) -> PointTuples:
        points, indices = self._read_points(X, self._tuple_size, reset=reset)
        return PointTuples(Columns(points), indices, read_outcome(y, len(indices), self._tuple_size))

    def _read_points(
        self, X: ArrayLike, size: int, *, reset: bool = False
    ) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
        return read_tuples(X, size, self.preprocessor, partial(self._check_input, reset=reset))

    def _choose(self, data: EmbedderData, train: Indices, last: EmbedderChoice | None) -> EmbedderChoice:
        return EmbedderChoice(data.classes)

    def _head(self, data: EmbedderData, choice: EmbedderChoice, input_width: int) -> Head:
        # A cosine does not see lengths: rows of unit length are the same embedding, ready for Euclidean neighbors.
        normalize = self.normalize or self._resolved_distance(choice) == "cosine"
        return Head(self._hidden_widths(), self.n_components, {"normalize": normalize})

    def _batching(self, choice: EmbedderChoice) -> EmbedderBatching:
        return EmbedderBatching(choice.classes, self.batch_size, self.samples_per_class)

    def _validation(self, held_out: EmbedderData, choice: EmbedderChoice) -> tuple[Columns, Judge]:
        return held_out.judged(self._measured_by())

    def _fitted_attributes(
        self, network: TrainedNetwork, prepared: Prepared[EmbedderData, EmbedderChoice]
    ) -> dict[str, Any]:
        data, classes = prepared.data, prepared.choice.classes
        embeddings = network.apply(data.columns, self.device)
        if not np.isfinite(embeddings).all():
            raise ValueError(self._not_fitted("the embedding of its training rows is not finite"))
        # The rows that predict looks for neighbors among are kept as embeddings only.
        neighbors = data.neighbors(embeddings, classes)
        return {
            **super()._fitted_attributes(network, prepared),
            "classes_": classes,
            "tuple_size_": data.tuple_size,
            "_distance": self._measured_by(),
            "_neighbors": neighbors,
            "_spread": _spread(embeddings if neighbors is None else neighbors.embeddings),
            **self._decided(prepared, embeddings),
        }

    def _decided(
        self, prepared: Prepared[EmbedderData, EmbedderChoice], embeddings: NDArray[np.float32]
    ) -> dict[str, Any]:
        """Further fitted attributes, from the embeddings of what was trained on."""
        return {}

    def _check_learned(self, prepared: Prepared[EmbedderData, EmbedderChoice]) -> None:
        # Unit length spans the unit sphere; otherwise the loss has the only scale there is.
        scale = 1.0 if self._network.spec.normalize else self._length_scale(prepared.choice)
        if self._spread < COLLAPSED * scale:
            warn_caller(
                f"{type(self).__name__}'s embedding has collapsed to a point (spread {self._spread:.1e}): every "
                f"distance is near 0 and nothing can be told apart. Lower learning_rate, {self._instead_of_collapse}, "
                "or look for columns that tell the classes apart.",
                ConvergenceWarning,
            )

    def _embed(self, X: Any) -> NDArray[np.float32]:
        return self._network.represent(self._points(X), self.device)

    def _points(self, X: Any) -> Columns:
        return Columns(self._check_input(self._looked_up(X), reset=False))

    def _looked_up(self, X: Any) -> Any:
        """Rows; where they are indices into a preprocessor, its points."""
        n_axes = count_axes(X)
        if n_axes == 3:
            raise ValueError(
                f"X must hold points, shape (n, n_features); got tuples of them, shape {np.shape(X)}. Reshape them to "
                "(-1, n_features); predict, decision_function and score take tuples where fit had some."
            )
        return points_at(self.preprocessor, np.asarray(X)) if n_axes == 1 and self.preprocessor is not None else X

    def _tuple_distances(self, X: ArrayLike, size: int) -> NDArray[np.float32]:
        check_is_fitted(self)
        points, indices = self._read_points(X, size)
        return self._distances_of(PointTuples(Columns(points), indices, np.ones(len(indices), dtype=int)))

    def _distances_of(self, tuples: PointTuples) -> NDArray[np.float32]:
        return tuples.distances(self._network.apply(tuples.columns, self.device), self._distance)

    @abstractmethod
    def _predict_tuples(self, X: ArrayLike) -> NDArray[np.integer]:
        """Predict 1 or -1 for each tuple."""

    @abstractmethod
    def _resolved_distance(self, choice: EmbedderChoice) -> str:
        """Distance that the loss is made of."""

    @abstractmethod
    def _length_scale(self, choice: EmbedderChoice) -> float:
        """How far apart the loss puts points, where they have no unit length."""

    def _measured_by(self) -> str:
        """By what points are measured once the embedding is learned: a distance that is not named is the loss's own."""
        return self.distance or "euclidean"


def _refuse_new_classes(data: EmbedderData, classes: NDArray) -> None:
    new = set(data.classes.tolist()).difference(classes.tolist())
    if new:
        raise ValueError(
            f"y must hold the classes that the first call of partial_fit announced, {classes.tolist()}; "
            f"got {sorted(new)} too. Pass all of them as classes= in the first call."
        )


def _spread(embeddings: NDArray[np.float32]) -> float:
    """Root mean square distance of embeddings from their mean."""
    return float(np.sqrt(np.square(embeddings - embeddings.mean(axis=0)).sum(axis=1).mean()))
