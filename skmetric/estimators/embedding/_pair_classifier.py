"""From learned distances of pairs to decisions and probabilities."""

import warnings
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import clone
from sklearn.model_selection import check_cv
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmetric._core.engine import fit_each, resolve_device
from skmetric._sklearn_compat import safe_indexing
from skmetric.estimators.embedding._data import EmbedderData
from skmetric.estimators.embedding._embedder import Embedder, EmbedderChoice
from skmetric.estimators.preparation import Given, Prepared
from skmetric.metrics import distance_threshold, sigmoid_calibration
from skmetric.metrics.thresholds import Strategy

__all__ = ["PairClassifier"]


def _is_fitted_on_pairs(embedder: Any) -> bool:
    return getattr(embedder, "tuple_size_", None) == 2


def _is_calibrated(embedder: Any) -> bool:
    return _is_fitted_on_pairs(embedder) and embedder._decision.sigmoid is not None


@dataclass(frozen=True)
class Decision:
    """How it is decided of a pair whether it is similar.

    Attributes
    ----------
    threshold : float, optional
        The largest distance of a similar pair.
    sigmoid : (slope, offset), optional
        Of the logistic curve that gives probabilities.
    """

    threshold: float | None = None
    sigmoid: tuple[float, float] | None = None


class PairClassifier(Embedder):
    """Say of pairs whether they are similar: by a threshold on the learned distance, or with a probability."""

    _decision: Decision

    @property
    def threshold_(self) -> float:
        """Distance up to which ``predict`` calls a pair similar."""
        decision = getattr(self, "_decision", Decision())
        if decision.threshold is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute 'threshold_'")
        return decision.threshold

    @available_if(_is_fitted_on_pairs)
    def calibrate_threshold(
        self,
        pairs: ArrayLike,
        y: ArrayLike,
        strategy: Strategy = "accuracy",
        min_rate: float | None = None,
        beta: float = 1.0,
    ) -> Self:
        """Choose the distance up to which ``predict`` calls a pair alike, by pairs that were not trained on.

        Parameters
        ----------
        pairs : array-like
            Pairs, as ``fit`` had them.
        y : array-like of shape (n,)
            1 where they are alike, -1 where they are not.
        strategy : {"accuracy", "f_beta", "max_tpr", "max_tnr"}, default="accuracy"
            What is to be highest: the accuracy, the F score, or the true positive (negative) rate where the true
            negative (positive) rate is at least ``min_rate``; see :func:`skmetric.metrics.distance_threshold`.
        min_rate : float, optional
            For "max_tpr" and "max_tnr".
        beta : float, default=1.0
            Of the F score: above 1, recall counts more than precision.

        Returns
        -------
        self
            With a new ``threshold_``, which is always finite.

        Raises
        ------
        ValueError
            For bad input.
        """
        tuples = self._read_tuples(pairs, y, reset=False)
        threshold = distance_threshold(
            tuples.outcome, self._distances_of(tuples)[:, 0], strategy=strategy, min_rate=min_rate, beta=beta
        )
        self._decision = replace(self._decision, threshold=threshold)
        return self

    @available_if(_is_fitted_on_pairs)
    def set_threshold(self, threshold: float) -> Self:
        """Set the distance up to which ``predict`` calls a pair alike.

        Parameters
        ----------
        threshold : float
            In units of ``pair_distance``, finite.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            When it is not a finite number.
        """
        check_is_fitted(self)
        if not isinstance(threshold, Real) or not np.isfinite(threshold):
            raise ValueError(f"threshold must be a finite number, a distance; got {threshold!r}.")
        self._decision = replace(self._decision, threshold=float(threshold))
        return self

    @available_if(_is_fitted_on_pairs)
    def calibrate_probabilities(self, pairs: ArrayLike, y: ArrayLike, *, cv: Any = 5) -> Self:
        """Learn what share of pairs is alike at which distance: a logistic curve, for ``predict_proba``.

        Distances of pairs that were trained on are too good. Copies of the embedder are therefore trained on the other
        folds of a cross-validation, side by side where they can be, and the curve is fitted to the distances that they
        give to the pairs that they have not seen (Platt scaling).

        Parameters
        ----------
        pairs : array-like
            The pairs of ``fit``; with ``cv="prefit"``, others.
        y : array-like of shape (n,)
            1 where they are alike, -1 where they are not.
        cv : int, splitter, iterable or "prefit", default=5
            The folds; :class:`skmetric.model_selection.TupleKFold` keeps points apart too. "prefit" takes the distances
            that this embedder gives, for pairs that it was not trained on.

        Returns
        -------
        self
            With a ``predict_proba``.

        Raises
        ------
        ValueError
            For bad input.

        References
        ----------
        Platt (1999). Probabilistic Outputs for Support Vector Machines and Comparisons to Regularized Likelihood
        Methods.
        """
        tuples = self._read_tuples(pairs, y, reset=False)
        if isinstance(cv, str) and cv == "prefit":
            outcome, distances = tuples.outcome, self._distances_of(tuples)[:, 0]
        else:
            outcome, distances = self._out_of_fold(pairs, tuples.outcome, cv)
        self._decision = replace(self._decision, sigmoid=sigmoid_calibration(outcome, distances))
        return self

    @available_if(_is_calibrated)
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probability of each pair to be alike, after ``calibrate_probabilities``.

        Parameters
        ----------
        X : array-like
            Pairs, as ``fit`` had them.

        Returns
        -------
        ndarray of shape (n, 2)
            First the probability of -1, then of 1.
        """
        assert self._decision.sigmoid is not None
        slope, offset = self._decision.sigmoid
        logit = slope * self.pair_distance(X).astype(np.float64) + offset
        dissimilar = expit(logit)
        return np.column_stack([dissimilar, 1 - dissimilar])

    def _predict_tuples(self, X: ArrayLike) -> NDArray[np.integer]:
        if not hasattr(self, "threshold_"):
            raise ValueError(
                f"{type(self).__name__} has no threshold to predict by: fit had no pairs that are not alike. Call "
                "calibrate_threshold with pairs of both kinds, or set_threshold; decision_function needs neither."
            )
        return np.where(self.pair_distance(X) <= self.threshold_, 1, -1)

    def _decided(
        self, prepared: Prepared[EmbedderData, EmbedderChoice], embeddings: NDArray[np.float32]
    ) -> dict[str, Any]:
        """Take a threshold from the training pairs; a network that learns on from similar ones alone keeps its own."""
        threshold = prepared.data.threshold(embeddings, self._measured_by())
        if threshold is None and prepared.earlier:
            return {"_decision": self._decision}
        return {"_decision": Decision(threshold)}

    def _out_of_fold(
        self, X: ArrayLike, outcome: NDArray[np.integer], cv: Any
    ) -> tuple[NDArray[np.integer], NDArray[np.float32]]:
        """Outcomes of pairs, and the distances that copies trained on other folds give them."""
        folds = list(check_cv(cv, outcome, classifier=True).split(X, outcome))
        # With the loss of fit, and where fit had only pairs that are similar, so do they.
        copies = [clone(self).set_params(loss=self._choice.loss) for _ in folds]
        is_used = np.ones(len(outcome), dtype=bool) if self._choice.negatives == "given" else outcome > 0
        with warnings.catch_warnings():
            # What is to be said of these pairs and parameters, fit has said.
            warnings.simplefilter("ignore")
            prepared = [
                copy._prepare(Given(safe_indexing(X, train[is_used[train]]), outcome[train[is_used[train]]]))
                for copy, (train, _) in zip(copies, folds, strict=True)
            ]
            results = fit_each([each.plan for each in prepared], resolve_device(self.device))
            for copy, each, result in zip(copies, prepared, results, strict=True):
                copy._finish(each, result)
        tests = [test for _, test in folds]
        distances = [copy.pair_distance(safe_indexing(X, test)) for copy, test in zip(copies, tests, strict=True)]
        return np.concatenate([outcome[test] for test in tests]), np.concatenate(distances)
