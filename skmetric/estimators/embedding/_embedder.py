"""Base class of embedders: learn from labels or tuples, and use the learned embedding."""

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

from skmetric._all_or_nothing import all_or_nothing
from skmetric._checks import check_weights
from skmetric._core.engine import Moments, TrainedNetwork, constant
from skmetric._core.nn import Columns, NetworkSpec, Weights, identity_weights
from skmetric._sklearn_compat import ClassifierMixin, Interval, StrOptions, fit_context
from skmetric._values import check_shape, read_labels, read_values, refuse_missing
from skmetric._warnings import warn_caller
from skmetric.estimators._base import Head, Judge, TorchEstimator
from skmetric.estimators.embedding._data import (
    EmbedderBatching,
    EmbedderData,
    LabeledRows,
    PointTuples,
    read_tuple_outcomes,
)
from skmetric.estimators.embedding._learned_metric import LearnedMetric
from skmetric.estimators.embedding._neighbors import NeighborVote
from skmetric.estimators.embedding.tuple_order import columns_that_order_better
from skmetric.estimators.points import (
    Preprocessor,
    check_preprocessor,
    count_axes,
    is_tuples,
    points_at,
    read_tuples,
    refuse_indices_as_rows,
)
from skmetric.estimators.training_data import Given, Indices, Prepared
from skmetric.metrics import map_at_r_score

__all__ = ["Embedder", "EmbedderChoice"]

# An embedding has collapsed if its spread is below this fraction of the length scale of the loss.
COLLAPSED = 0.01


@dataclass(frozen=True, eq=False)
class EmbedderChoice:
    """What an embedder resolves from its data.

    Attributes
    ----------
    classes : array of shape (n_classes,)
        The classes, in the order of their codes.
    loss : str
        Name of the loss, with "auto" resolved.
    negatives : {"given", "batch", "random"}
        Negatives of similar pairs: given dissimilar pairs, the rest of the batch, or random points.
    """

    classes: NDArray
    loss: str = "triplet"
    negatives: str = "given"


def _is_fitted_on_tuples(embedder: Any) -> bool:
    if getattr(embedder, "tuple_size_", None) is None:
        name = "pairs" if embedder._tuple_size == 2 else "triplets"
        raise AttributeError(f"{type(embedder).__name__} has this method only after fit on {name}.")
    return True


class Embedder(ClassifierMixin, TorchEstimator[EmbedderData, EmbedderChoice]):
    """Learn an embedding from labels or tuples; embed points, predict classes, and compute scores and distances.

    A subclass defines ``_tuple_size`` (points per tuple), ``_predict_tuples`` (predictions for tuples),
    ``_resolved_distance`` (distance in the loss), and ``_length_scale`` (how far apart the loss puts points).
    """

    n_components: int
    normalize: bool
    init: str
    samples_per_class: int
    n_neighbors: int
    preprocessor: Preprocessor | None
    unlabeled: Any
    distance: str | None

    classes_: NDArray
    tuple_size_: int | None
    _has_both: bool
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
        "init": [StrOptions({"random", "identity"})],
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
        """Learn an embedding in which similar points are close to each other.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or tuples
            Rows, or tuples of points: pairs of shape (n_pairs, 2, n_features) for
            ContrastiveEmbedder, triplets (anchor, positive, negative) of shape (n_triplets, 3, n_features) for
            TripletEmbedder. With a ``preprocessor``, also indices in place of points: shapes (n_samples,),
            (n_pairs, 2) and (n_triplets, 3).
        y : array-like of shape (n_samples,) or (n_pairs,), optional
            For rows, their classes: numbers, strings or booleans; at least two classes, and at least one of them with
            two rows. For pairs, 1 if similar and -1 if dissimilar, or booleans (True if similar); without ``y``, all
            pairs are similar. Triplets need no ``y``.
        X_val, y_val : array-like, optional
            Rows and classes, or tuples, for early stopping. They replace the data held out from ``X`` and need
            ``early_stopping=True``. A Pipeline transforms ``X_val`` only with ``transform_input=["X_val"]``.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input is invalid, or training diverges: the loss becomes NaN or infinite, or outputs for training
            rows become implausibly large. The estimator is then unchanged.

        Warns
        -----
        ConvergenceWarning
            If the embedding has collapsed to a point.
        UserWarning
            If ``X_val`` has another scale than ``X``. If learning hurts: after ``fit`` on tuples with early stopping,
            Euclidean distances between the raw or standardized columns order the validation tuples better than the
            embedding does. The difference of the scores must be above two standard errors, computed as if the tuples
            were independent. If the values of a column differ only by rounding errors: it is then ignored, as a
            constant column is.
        """
        return self._fit(Given.of(X, y, X_val=X_val, y_val=y_val))

    @all_or_nothing
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: ArrayLike, y: ArrayLike | None = None, classes: ArrayLike | None = None) -> Self:
        """Train for one epoch on more rows or tuples, at a constant learning rate.

        Afterwards ``predict`` looks for neighbors among these rows. A column is scaled by the rows of the first call in
        which it varies, so the first call should have typical rows. No data are held out.

        Parameters
        ----------
        X, y : array-like
            Rows and classes, or tuples, as in ``fit``.
        classes : array-like of shape (n_classes,), optional
            All classes that any call will have. It is needed in the first call only; without it, the classes in ``y``
            of the first call are used.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input is invalid, a class was not in the first call, or training diverges. The estimator is then
            unchanged.
        """
        prepared = self._prepare_more(Given.of(X, y), classes)
        self._finish(prepared, self._train(prepared))
        return self

    def predict(self, X: ArrayLike) -> NDArray:
        """Predict the class of each row, or 1 or -1 for each tuple.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or tuples
            Rows if ``fit`` had rows, tuples if ``fit`` had tuples.

        Returns
        -------
        predictions : ndarray of shape (n_samples,)
            For rows, the most frequent class among the ``n_neighbors`` nearest training rows in the embedding. Training
            rows that are tied at the distance of the last neighbor share the remaining votes in equal parts. Of equally
            frequent classes, the first in ``classes_`` is predicted. For pairs, 1 if the distance is at most
            ``threshold_``, else -1 (True or False if ``y`` of ``fit`` held booleans). For triplets, 1 if the second
            point is closer to the first than the third is, else -1.
        """
        check_is_fitted(self)
        if self.tuple_size_ is not None:
            return self.classes_[self._predict_tuples(X).astype(np.intp)]
        assert self._neighbors is not None
        return self.classes_[self._neighbors.predict(self._embed(X), self.n_neighbors)]

    def score(self, X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None) -> float:
        """Compute MAP@R for rows, the area under the ROC curve for pairs, or the accuracy for triplets.

        For each row, MAP@R (mean average precision at R) orders all other rows of ``X`` by distance. It is high if rows
        of the same class come first; see :func:`skmetric.metrics.map_at_r_score`. It uses neither training rows nor
        ``predict``, and ``y`` may have classes that are not in the training data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or tuples
            Rows if ``fit`` had rows, tuples if ``fit`` had tuples.
        y : array-like of shape (n_samples,) or (n_pairs,), optional
            For rows, their classes; unlabeled rows are left out. For pairs, 1 or -1, and both if ``fit`` had both.
            Without ``y``, all pairs are similar, and the first point of each pair with the second point of the next
            pair counts as a dissimilar pair.
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each row as a query, or of each tuple.

        Returns
        -------
        score : float
            A value between 0 and 1; higher is better.

        Raises
        ------
        ValueError
            If no class has two rows, or if there are dissimilar pairs but all pairs with positive weight are of one
            kind.
        """
        check_is_fitted(self)
        if self.tuple_size_ is not None:
            tuples = self._read_tuples(X, y, reset=False)
            weights = check_weights(sample_weight, len(tuples.indices), per="tuple")
            judged = tuples.outcome[weights > 0]
            needs_both = tuples.has_both or (y is not None and self._has_both)
            if not (judged > 0).any() or (needs_both and not (judged < 0).any()):
                raise ValueError(
                    "y must hold pairs of both kinds with positive weight, 1 and -1, or only similar pairs, 1, if fit "
                    "had no others; got one kind. Add pairs of the other kind, or leave y out to compare similar pairs "
                    "with crossed pairs."
                )
            return tuples.score(self._network.apply(tuples.columns, self.device), self._distance, weights)
        if y is None:
            raise ValueError(f"{type(self).__name__}.score requires y, got None. Pass the classes of the rows.")
        embeddings, (labels, is_known) = self._embed(X), read_labels(y, "y", self.unlabeled)
        labels, is_known = check_shape(labels, "y", "label"), is_known.reshape(-1)
        check_consistent_length(embeddings, labels)
        of_queries = None if sample_weight is None else check_weights(sample_weight, len(labels))[is_known]
        return map_at_r_score(embeddings[is_known], labels[is_known], sample_weight=of_queries)

    def is_labeled(self, y: ArrayLike) -> NDArray[np.bool_]:
        """Return which rows have a label. Scorers leave out the others.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            The classes of the rows.

        Returns
        -------
        is_labeled : ndarray of bool, shape (n_samples,)
            Whether each value differs from ``unlabeled``.
        """
        return read_labels(y, "y", self.unlabeled)[1].reshape(-1)

    @available_if(_is_fitted_on_tuples)
    def decision_function(self, X: ArrayLike) -> NDArray[np.float32]:
        """Compute minus the distance of each pair, or how much closer the positive of each triplet is.

        Parameters
        ----------
        X : array-like of shape (n_pairs, 2, n_features) or (n_triplets, 3, n_features)
            Pairs if ``fit`` had pairs, triplets if ``fit`` had triplets.

        Returns
        -------
        decision : ndarray of shape (n_samples,), float32
            For pairs, higher is more similar, and ``predict`` returns 1 if the value is at least minus ``threshold_``.
            For triplets, the distance to the negative minus the distance to the positive; ``predict`` returns 1 if it
            is above 0.
        """
        d = self._tuple_distances(X, self._tuple_size)
        return -d[:, 0] if d.shape[1] == 1 else d[:, 1] - d[:, 0]

    def pair_distance(self, pairs: ArrayLike) -> NDArray[np.float32]:
        """Compute the learned distance between the two points of each pair.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or indices of shape (n_pairs, 2)
            The pairs. Indices need a ``preprocessor``.

        Returns
        -------
        distances : ndarray of shape (n_pairs,), float32
            The ``distance`` of the fit, or Euclidean if it was None. Equal points have distance 0.

        Raises
        ------
        ValueError
            If ``pairs`` has another shape.
        """
        return self._tuple_distances(pairs, 2)[:, 0]

    def pair_score(self, pairs: ArrayLike) -> NDArray[np.float32]:
        """Compute the learned similarity between the two points of each pair: minus their distance.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or indices of shape (n_pairs, 2)
            The pairs. Indices need a ``preprocessor``.

        Returns
        -------
        similarities : ndarray of shape (n_pairs,), float32
            Higher is more similar. Equal points have similarity 0.
        """
        return -self.pair_distance(pairs)

    def get_metric(self) -> LearnedMetric:
        """Return the learned metric as a function of two points, for estimators that have a ``metric`` parameter.

        Returns
        -------
        metric : callable
            A function ``(u, v, squared=False) -> float`` of two points of shape (n_features,): the Euclidean distance
            between their embeddings. It can be pickled, and does not change if the estimator is fitted again.

        Notes
        -----
        If ``distance`` is Euclidean, the metric equals ``pair_distance``. Squared and cosine distances violate the
        triangle inequality, which search trees need; the Euclidean distance orders neighbors in the same way. For many
        points, ``transform`` followed by a Euclidean distance finds the same neighbors much faster.
        """
        check_is_fitted(self)
        return LearnedMetric(self._network, self.device)

    def _read(self, given: Given, like: EmbedderData | None = None) -> EmbedderData:
        if like is not None:
            data = self._read_as(given, like.tuple_size, reset=False)
            if like.has_both and not data.has_both:
                raise ValueError(
                    "y_val must hold similar and dissimilar pairs, 1 and -1, because y does, got one kind. Add pairs "
                    "of the other kind."
                )
            return data
        check_preprocessor(self.preprocessor)
        if self.preprocessor is None:
            refuse_indices_as_rows(given.X, given.y, self._tuple_size, (-1, 1))
        data = self._read_as(given, self._tuple_size if is_tuples(given.X, self.preprocessor) else None, reset=True)
        data.check()
        return data

    def _read_as(self, given: Given, tuple_size: int | None, *, reset: bool) -> EmbedderData:
        """Check rows or tuples; with ``reset``, their columns become those that later data must have."""
        if tuple_size is not None:
            return self._read_tuples(given.X, given.y, reset=reset)
        if given.y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None. Pass labels of the rows, or "
                "tuples: of points, with three axes, or of indices, with preprocessor set to the table."
            )
        least = 2 if reset else 1
        labels, is_known = read_labels(given.y, "y", self.unlabeled)
        rows, labels = self._check_input(self._looked_up(given.X), labels, reset=reset, ensure_min_samples=least)
        return LabeledRows(Columns(rows), labels, is_known.reshape(-1))

    def _prepare_more(self, given: Given, classes: ArrayLike | None) -> Prepared[EmbedderData, EmbedderChoice]:
        """Decide everything before one more epoch. No data are held out, and the choices of the first call are kept."""
        last = self._last_fit()
        data = self._read(given) if last is None else self._read_more(given, self.tuple_size_)
        choice = self._choose(data, data.usable(), None) if last is None else last.choice
        if classes is not None:
            labels, is_known = read_labels(classes, "classes", self.unlabeled)
            announced = np.unique(labels[is_known])
            if last is not None and not np.array_equal(announced, choice.classes):
                raise ValueError(
                    f"classes must be the same in every call of partial_fit, {choice.classes.tolist()}, got "
                    f"{announced.tolist()}. Call fit to start again."
                )
            choice = replace(choice, classes=announced)
        _refuse_new_classes(data, choice.classes)
        earlier = getattr(self, "history_", [])
        # Each call has a separate random stream; otherwise every epoch would have the same batches.
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
        outcome, kind = read_tuple_outcomes(y, len(indices), self._tuple_size)
        return PointTuples(Columns(points), indices, outcome, kind.predictions(np.array([-1, 1])))

    def _read_points(
        self, X: ArrayLike, size: int, *, reset: bool = False
    ) -> tuple[NDArray[np.floating], NDArray[np.integer]]:
        return read_tuples(X, size, self.preprocessor, partial(self._check_input, reset=reset))

    def _choose(self, data: EmbedderData, train: Indices, last: EmbedderChoice | None) -> EmbedderChoice:
        return EmbedderChoice(data.classes)

    def _head(self, data: EmbedderData, choice: EmbedderChoice, input_width: int) -> Head:
        # Lengths do not matter for the cosine; with unit length, Euclidean distances find the same neighbors.
        normalize = self.normalize or self._resolved_distance(choice) == "cosine"
        widths = self._hidden_widths()
        if self.init == "identity":
            self._check_identity(widths, input_width)
        return Head(widths, self.n_components, {"normalize": normalize})

    def _check_identity(self, hidden_widths: tuple[int, ...], input_width: int) -> None:
        instead = "or set init='random'"
        if self.module is not None:
            raise ValueError(
                f"module must be None for init='identity', which is for a linear layer, got module={self.module!r}. "
                f"Start the module at the identity yourself, {instead}."
            )
        if hidden_widths:
            raise ValueError(
                "hidden_layer_sizes must be empty for init='identity', because a network with hidden layers cannot "
                f"start at the identity, got {self.hidden_layer_sizes!r}. Set hidden_layer_sizes=(), {instead}."
            )
        if self.n_components != input_width:
            raise ValueError(
                "n_components must be the number of inputs for init='identity', because the identity keeps the width, "
                f"got n_components={self.n_components} and {input_width} inputs. Set n_components={input_width}, "
                f"{instead}."
            )

    def _first_weights(self, spec: NetworkSpec) -> Weights | None:
        return identity_weights(spec) if self.init == "identity" else None

    def _batching(self, choice: EmbedderChoice) -> EmbedderBatching:
        return EmbedderBatching(choice.classes, self.batch_size, self.samples_per_class)

    def _validation(self, held_out: EmbedderData, choice: EmbedderChoice) -> tuple[Columns, Judge]:
        return held_out.judged(self._measured_by())

    def _largest_output(self, prepared: Prepared[EmbedderData, EmbedderChoice]) -> float:
        # A linear map of large columns has large outputs.
        columns = prepared.data.columns
        some = columns.take(np.arange(0, len(columns), max(1, len(columns) // 64)))
        largest_input = float(np.abs(prepared.plan.inputs.encode(some)).max())
        return super()._largest_output(prepared) * max(1.0, self._length_scale(prepared.choice), largest_input)

    def _fitted_attributes(
        self, network: TrainedNetwork, prepared: Prepared[EmbedderData, EmbedderChoice]
    ) -> dict[str, Any]:
        data, classes = prepared.data, prepared.choice.classes
        embeddings = network.apply(data.columns, self.device)
        if not np.isfinite(embeddings).all():
            raise ValueError(self._not_fitted("the embedding of its training rows is not finite"))
        # Only the embeddings of the training rows are kept, as neighbors for predict.
        neighbors = data.neighbors(embeddings, classes)
        return {
            **super()._fitted_attributes(network, prepared),
            "classes_": classes,
            "tuple_size_": data.tuple_size,
            "_has_both": data.has_both,
            "_distance": self._measured_by(),
            "_neighbors": neighbors,
            "_spread": _spread(embeddings if neighbors is None else neighbors.embeddings),
            **self._decided(prepared, embeddings),
        }

    def _decided(
        self, prepared: Prepared[EmbedderData, EmbedderChoice], embeddings: NDArray[np.float32]
    ) -> dict[str, Any]:
        """Return further fitted attributes, computed from the embeddings of the training data."""
        return {}

    def _check_learned(self, prepared: Prepared[EmbedderData, EmbedderChoice]) -> None:
        # With unit length, embeddings spread over the unit sphere; otherwise the scale comes from the loss.
        scale = 1.0 if self._network.spec.normalize else self._length_scale(prepared.choice)
        if self._spread < COLLAPSED * scale:
            warn_caller(
                f"{type(self).__name__}: the embedding has collapsed to a point (spread {self._spread:.1e}), and all "
                f"distances are near 0. Lower learning_rate, {self._instead_of_collapse}, or add columns that separate "
                "the classes.",
                ConvergenceWarning,
            )

    def _check_benefit(self, prepared: Prepared[EmbedderData, EmbedderChoice]) -> None:
        held_out, weights = prepared.held_out, prepared.batches.row_weights
        if not isinstance(held_out, PointTuples) or weights is None:
            return
        better = columns_that_order_better(
            held_out,
            self._network.apply(held_out.columns, self.device),
            self._distance,
            prepared.data.columns.numbers[weights > 0],
        )
        if better is None:
            return
        width = prepared.data.columns.n_features
        start = f"start at them (init='identity' with hidden_layer_sizes=() and n_components={width}) and "
        warn_caller(
            f"{type(self).__name__}: learning hurts. On the validation tuples, the Euclidean distance between "
            f"{better.columns} has a score of {better.score:.3f}, the learned distance {better.learned_score:.3f}, a "
            f"difference of {better.n_errors:.1f} standard errors. Use the columns without an embedding, "
            f"{'' if self.init == 'identity' else start}learn less (such as max_iter=5, learning_rate=0.0005). "
            "skmetric.model_selection.compare_baselines compares embeddings with columns on several folds."
        )

    def _embed(self, X: Any) -> NDArray[np.float32]:
        return self._network.represent(self._points(X), self.device)

    def _points(self, X: Any) -> Columns:
        return Columns(self._check_input(self._looked_up(X), reset=False))

    def _looked_up(self, X: Any) -> Any:
        """Return rows, or the points of the preprocessor if X holds indices."""
        n_axes = count_axes(X)
        if n_axes == 3:
            raise ValueError(
                f"X must hold points, shape (n_samples, n_features), got tuples of points, shape {np.shape(X)}. "
                "Reshape them to (-1, n_features). Only predict, decision_function and score take tuples, after fit on "
                "tuples."
            )
        if n_axes != 1 or self.preprocessor is None:
            return X
        return points_at(self.preprocessor, refuse_missing(read_values(X, "X"), "X"))

    def _tuple_distances(self, X: ArrayLike, size: int) -> NDArray[np.float32]:
        check_is_fitted(self)
        points, indices = self._read_points(X, size)
        return self._distances_of(PointTuples(Columns(points), indices, np.ones(len(indices), dtype=int)))

    def _distances_of(self, tuples: PointTuples) -> NDArray[np.float32]:
        return tuples.distances(self._network.apply(tuples.columns, self.device), self._distance)

    @abstractmethod
    def _predict_tuples(self, X: ArrayLike) -> NDArray[np.bool_]:
        """Predict whether each pair is similar, or whether the positive of each triplet is closer."""

    @abstractmethod
    def _resolved_distance(self, choice: EmbedderChoice) -> str:
        """Return the distance that the loss uses."""

    @abstractmethod
    def _length_scale(self, choice: EmbedderChoice) -> float:
        """Return how far apart the loss puts points if they do not have unit length."""

    def _measured_by(self) -> str:
        """Return the distance after training. ``distance=None`` sets only the distance in the loss."""
        return self.distance or "euclidean"


def _refuse_new_classes(data: EmbedderData, classes: NDArray) -> None:
    new = set(data.classes.tolist()).difference(classes.tolist())
    if new:
        raise ValueError(
            f"y must hold only classes of the first call of partial_fit, {classes.tolist()}, got also {sorted(new)}. "
            "Pass all classes as classes= in the first call."
        )


def _spread(embeddings: NDArray[np.float32]) -> float:
    """Compute the root mean square distance of embeddings from their mean."""
    return float(np.sqrt(np.square(embeddings - embeddings.mean(axis=0)).sum(axis=1).mean()))
