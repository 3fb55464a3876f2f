"""What embedders share: fitting on labels or tuples."""

from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning

from skmetric._core.engine import (
    FitPlan,
    FitResult,
    Stream,
    TrainedNetwork,
    Validation,
    constant,
    open_stream,
)
from skmetric._core.engine.plan import Objective, Sampler
from skmetric._core.nn import NetworkSpec
from skmetric._sklearn_compat import Interval, fit_context
from skmetric._warnings import warn_caller
from skmetric.estimators._base import all_or_nothing, not_fitted
from skmetric.estimators._validation import is_given
from skmetric.estimators.embedding._data import LabelledRows, PointTuples, is_unlabeled
from skmetric.estimators.embedding._neighbors import NeighborVote
from skmetric.estimators.embedding._space import LearnedSpaceMixin
from skmetric.estimators.points import is_tuples

__all__ = ["EmbedderMixin"]

# An embedding whose rows are this much closer together than they should be has collapsed.
COLLAPSED = 0.01

Given = LabelledRows | PointTuples


def _distinct(classes: ArrayLike, unlabeled: Any) -> NDArray:
    distinct = np.unique(classes)
    return distinct[~is_unlabeled(distinct, unlabeled)]


class EmbedderMixin(LearnedSpaceMixin):
    """Learn an embedding from labels or tuples.

    An embedder says in ``_objective`` which loss it trains with, in ``_hyperparameters`` which numbers enter it, in
    ``_resolved_distance`` by which distance, and in ``_length_scale`` how far apart that puts points.
    """

    _embedder_constraints: ClassVar[dict[str, list]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "normalize": ["boolean"],
        "samples_per_class": [Interval(Integral, 2, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "preprocessor": [object],
        "unlabeled": [object],
    }

    _instead_of_collapse: ClassVar[str]

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
        plan = self._plan(X, y, X_val=X_val, y_val=y_val)
        self._finish(plan, self._train(plan))
        self.__dict__.pop("_moments", None)
        return self

    @all_or_nothing
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: ArrayLike, y: ArrayLike | None = None, classes: ArrayLike | None = None) -> Self:
        """Learn from some more rows or tuples, for one epoch at a constant learning rate.

        ``predict`` then looks for neighbours among these rows, embedded after the epoch. A column is scaled by the
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
        plan = self._plan_more(X, y, classes)
        result = self._train(plan)
        self._finish(plan, result, getattr(self, "history_", []))
        self._moments = result.moments
        return self

    def _plan(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
    ) -> FitPlan:
        given = self._read(X, y, reset=True)
        self._decide(given)
        self._check_given(given)
        self.classes_ = given.classes
        seed = self._seed_sequence()
        train, validation = self._split(given, X_val, y_val, seed)
        spec = self._spec()
        return self._plan_for(
            given,
            train,
            spec,
            seed=seed,
            validation=validation,
            initial_weights=self._initial_weights(spec, go_on=self.warm_start),
        )

    def _plan_more(self, X: ArrayLike, y: ArrayLike | None, classes: ArrayLike | None) -> FitPlan:
        is_first = not hasattr(self, "_network")
        given = self._read(X, y, reset=is_first)
        if is_first:
            self._decide(given)
        self._check_given(given)
        if is_first:
            self.classes_ = given.classes if classes is None else _distinct(classes, self.unlabeled)
        elif classes is not None and not np.array_equal(_distinct(classes, self.unlabeled), self.classes_):
            raise ValueError(
                f"classes must be the same in every call of partial_fit, {self.classes_.tolist()}; "
                f"got {np.unique(classes).tolist()}. Call fit to start anew."
            )
        self._refuse_new_classes(given)
        spec = self._spec()
        plan = self._plan_for(
            given,
            given.usable,
            spec,
            # Each call draws from a stream of its own, or every epoch would see the same batches.
            seed=np.random.SeedSequence(self._seed_sequence().entropy, spawn_key=(len(getattr(self, "history_", [])),)),
            initial_weights=self._initial_weights(spec, go_on=True),
        )
        return replace(plan, max_iter=1, schedule=constant, stopping=None, moments=getattr(self, "_moments", None))

    def _refuse_new_classes(self, given: Given) -> None:
        new = set(given.classes.tolist()).difference(self.classes_.tolist())
        if new:
            raise ValueError(
                f"y must hold the classes that the first call of partial_fit announced, {self.classes_.tolist()}; "
                f"got {sorted(new)} too. Pass all of them as classes= in the first call."
            )

    def _plan_for(self, given: Given, train: NDArray[np.integer], spec: NetworkSpec, **decided: Any) -> FitPlan:
        batches = self._batches(given, train)
        return FitPlan(
            network=spec,
            objective=self._objective(given, batches["sampler"]),
            hyperparameters=self._hyperparameters(),
            **batches,
            **self._training(),
            **decided,
        )

    def _batches(self, given: Given, train: NDArray[np.integer]) -> dict[str, Any]:
        if isinstance(given, LabelledRows):
            return given.batches(
                train, self.classes_, batch_size=self.batch_size, samples_per_class=self.samples_per_class
            )
        return given.batches(train, batch_size=self.batch_size)

    def _split(
        self, given: Given, X_val: ArrayLike | None, y_val: ArrayLike | None, seed: np.random.SeedSequence
    ) -> tuple[NDArray[np.integer], Validation | None]:
        """Places of what to train on, and what to stop early by."""
        needs_y = isinstance(given, LabelledRows) or given.has_both
        named = {"X_val": X_val, **({"y_val": y_val} if needs_y or y_val is not None else {})}
        if is_given(self.early_stopping, **named):
            return given.usable, self._read(X_val, y_val, reset=False).validation(self._measured_by())
        if not self.early_stopping:
            return given.usable, None
        rng = open_stream(seed, Stream.HOLDOUT)
        return given.hold_out(self.validation_fraction, rng, self._measured_by())

    def _spec(self) -> NetworkSpec:
        # A cosine does not see lengths: rows of unit length are the same embedding, ready for Euclidean neighbours.
        normalize = self.normalize or self._resolved_distance() == "cosine"
        return self._network_spec(
            self.n_features_in_, self.n_components, hidden_layer_sizes=self._hidden_widths(), normalize=normalize
        )

    def _read(self, X: Any, y: Any, *, reset: bool) -> Given:
        if reset:
            self.tuple_size_ = self._tuple_size if is_tuples(X, self.preprocessor) else None
        if self.tuple_size_ is not None:
            return self._read_tuples(X, y, reset=reset)
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: rows need labels. Tuples of "
                "points have three axes; tuples of places in a table need preprocessor= set to that table."
            )
        rows, labels = self._check_input(self._looked_up(X), y, reset=reset, ensure_min_samples=2 if reset else 1)
        return LabelledRows(rows, labels, ~is_unlabeled(labels, self.unlabeled))

    def _decide(self, given: Given) -> None:
        """Settle what a parameter leaves to the data."""

    def _check_given(self, given: Given) -> None:
        """Raise for rows or tuples that cannot be learned from."""
        if isinstance(given, LabelledRows):
            given.check()

    def _finish(self, plan: FitPlan, result: FitResult, history: Sequence[dict[str, Any]] = ()) -> None:
        self._adopt(plan, result, history)
        embeddings = self._neighbors.embeddings if self.tuple_size_ is None else self._finite(self._network, plan)
        self._take_from_training(plan, embeddings, anew=not history)
        self._warn_if_collapsed(embeddings)

    def _take_from_training(self, plan: FitPlan, embeddings: NDArray[np.float32], *, anew: bool) -> None:
        """Learn what there is to learn from what was trained on, once that is embedded."""

    def _fitted_attributes(self, network: TrainedNetwork, plan: FitPlan) -> dict[str, Any]:
        learned = {**super()._fitted_attributes(network, plan), "_distance": self._measured_by()}
        if self.tuple_size_ is not None:
            return {**learned, "_neighbors": None}
        # The rows that predict looks for neighbours among are kept as embeddings only.
        embeddings, known = self._finite(network, plan), plan.targets >= 0
        return {**learned, "_neighbors": NeighborVote(embeddings[known], plan.targets[known])}

    def _finite(self, network: TrainedNetwork, plan: FitPlan) -> NDArray[np.float32]:
        """Embeddings of what was trained on."""
        embeddings = network.apply(plan.X, self.device)
        if not np.isfinite(embeddings).all():
            raise ValueError(not_fitted(self, "the embedding of its training rows is not finite"))
        return embeddings

    def _warn_if_collapsed(self, embeddings: NDArray[np.float32]) -> None:
        spread = float(np.sqrt(np.square(embeddings - embeddings.mean(axis=0)).sum(axis=1).mean()))
        # Unit length spans the unit sphere; otherwise the loss has the only scale there is.
        if spread < COLLAPSED * (1.0 if self._network.spec.normalize else self._length_scale()):
            warn_caller(
                f"{type(self).__name__}'s embedding has collapsed to a point (spread {spread:.1e}): every distance is "
                f"near 0 and nothing can be told apart. Lower learning_rate, {self._instead_of_collapse}, or look for "
                "columns that tell the classes apart.",
                ConvergenceWarning,
            )

    def _objective(self, given: Given, sampler: Sampler) -> Objective:
        raise NotImplementedError

    def _hyperparameters(self) -> dict[str, float]:
        raise NotImplementedError

    def _resolved_distance(self) -> str:
        raise NotImplementedError

    def _measured_by(self) -> str:
        """By what points are measured once the embedding is learned: a distance that is not named is the loss's own."""
        return self.distance or "euclidean"

    def _length_scale(self) -> float:
        raise NotImplementedError
