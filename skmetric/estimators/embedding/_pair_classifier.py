"""Decisions and probabilities for pairs, from their learned distances."""

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
from skmetric.estimators.training_data import Given, Prepared
from skmetric.metrics import distance_threshold, sigmoid_calibration
from skmetric.metrics.thresholds import Strategy

__all__ = ["PairClassifier"]


def _is_fitted_on_pairs(embedder: Any) -> bool:
    if getattr(embedder, "tuple_size_", None) != 2:
        raise AttributeError(f"{type(embedder).__name__} has this method only after fit on pairs.")
    return True


def _is_calibrated(embedder: Any) -> bool:
    if _is_fitted_on_pairs(embedder) and embedder._decision.sigmoid is None:
        raise AttributeError(f"{type(embedder).__name__} has this method only after calibrate_probabilities.")
    return True


@dataclass(frozen=True)
class Decision:
    """How distances are turned into predictions for pairs.

    Attributes
    ----------
    threshold : float, optional
        Largest distance at which a pair is predicted as similar.
    sigmoid : (slope, offset), optional
        Parameters of the logistic curve that computes probabilities.
    """

    threshold: float | None = None
    sigmoid: tuple[float, float] | None = None


class PairClassifier(Embedder):
    """Predict whether pairs are similar, by a threshold on the learned distance or as a probability."""

    _decision: Decision

    @property
    def threshold_(self) -> float:
        """Largest distance at which ``predict`` calls a pair similar."""
        decision = getattr(self, "_decision", Decision())
        if decision.threshold is None:
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'threshold_'. It appears after fit on similar and "
                "dissimilar pairs, calibrate_threshold or set_threshold."
            )
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
        """Choose the threshold of ``predict`` on pairs that were not used for training.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or indices of shape (n_pairs, 2)
            The pairs. Indices need a ``preprocessor``.
        y : array-like of shape (n_pairs,)
            1 for similar pairs, -1 for dissimilar pairs.
        strategy : {"accuracy", "f_beta", "max_tpr", "max_tnr"}, default="accuracy"
            Criterion to maximize: the accuracy, the F score, or the true positive (negative) rate under the condition
            that the true negative (positive) rate is at least ``min_rate``; see
            :func:`skmetric.metrics.distance_threshold`.
        min_rate : float, optional
            Minimum of the other rate, for "max_tpr" and "max_tnr".
        beta : float, default=1.0
            Parameter of the F score. Above 1, recall counts more than precision.

        Returns
        -------
        self : object
            The estimator with a new ``threshold_``, which is always finite.

        Raises
        ------
        ValueError
            If the input is invalid.
        """
        tuples = self._read_tuples(pairs, y, reset=False)
        threshold = distance_threshold(
            tuples.outcome, self._distances_of(tuples)[:, 0], strategy=strategy, min_rate=min_rate, beta=beta
        )
        self._decision = replace(self._decision, threshold=threshold)
        return self

    @available_if(_is_fitted_on_pairs)
    def set_threshold(self, threshold: float) -> Self:
        """Set the largest distance at which ``predict`` calls a pair similar.

        Parameters
        ----------
        threshold : float
            A finite distance, in units of ``pair_distance``.

        Returns
        -------
        self : object
            The estimator with the new ``threshold_``.

        Raises
        ------
        ValueError
            If the threshold is not a finite number.
        """
        check_is_fitted(self)
        if not isinstance(threshold, Real) or not np.isfinite(threshold):
            raise ValueError(f"threshold must be a finite number, got {threshold!r}. Pass a distance.")
        self._decision = replace(self._decision, threshold=float(threshold))
        return self

    @available_if(_is_fitted_on_pairs)
    def calibrate_probabilities(self, pairs: ArrayLike, y: ArrayLike, *, cv: Any = 5) -> Self:
        """Fit a logistic curve that turns distances into probabilities, for ``predict_proba`` (Platt scaling).

        Distances separate training pairs better than new pairs. Copies of the embedder are therefore trained in a
        cross-validation, as one stack if possible, and the curve is fitted to the distances of the held-out pairs.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2, n_features), or indices of shape (n_pairs, 2)
            The pairs of ``fit``; with ``cv="prefit"``, pairs that were not used in ``fit``. Indices need a
            ``preprocessor``.
        y : array-like of shape (n_pairs,)
            1 for similar pairs, -1 for dissimilar pairs.
        cv : int, splitter, iterable or "prefit", default=5
            The folds. Use :class:`skmetric.model_selection.TupleKFold` if training and test pairs must not share
            points. With "prefit", nothing is trained, and the curve is fitted to the distances of this embedder.

        Returns
        -------
        self : object
            The estimator, which now has ``predict_proba``.

        Raises
        ------
        ValueError
            If the input is invalid.

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
        """Predict the probability that each pair is similar. Available after ``calibrate_probabilities``.

        Parameters
        ----------
        X : array-like of shape (n_pairs, 2, n_features), or indices of shape (n_pairs, 2)
            The pairs. Indices need a ``preprocessor``.

        Returns
        -------
        probabilities : ndarray of shape (n_pairs, 2)
            The probability of -1 (dissimilar) in the first column, and of 1 (similar) in the second.
        """
        assert self._decision.sigmoid is not None
        slope, offset = self._decision.sigmoid
        logit = slope * self.pair_distance(X).astype(np.float64) + offset
        dissimilar = expit(logit)
        return np.column_stack([dissimilar, 1 - dissimilar])

    def _predict_tuples(self, X: ArrayLike) -> NDArray[np.bool_]:
        if not hasattr(self, "threshold_"):
            raise ValueError(
                f"{type(self).__name__}: y of fit must hold dissimilar pairs, -1, to give predict a threshold, got "
                "only similar pairs. Call calibrate_threshold with pairs of both kinds, or set_threshold; "
                "decision_function needs no threshold."
            )
        return self.pair_distance(X) <= self.threshold_

    def _decided(
        self, prepared: Prepared[EmbedderData, EmbedderChoice], embeddings: NDArray[np.float32]
    ) -> dict[str, Any]:
        """Choose a threshold on the training pairs; keep the last one if training continues on similar pairs only."""
        threshold = prepared.data.threshold(embeddings, self._measured_by())
        if threshold is None and prepared.earlier:
            return {"_decision": self._decision}
        return {"_decision": Decision(threshold)}

    def _out_of_fold(
        self, X: ArrayLike, outcome: NDArray[np.integer], cv: Any
    ) -> tuple[NDArray[np.integer], NDArray[np.float32]]:
        """Return the outcomes of held-out pairs and their distances, by copies that were trained on the other folds."""
        folds = list(check_cv(cv, outcome, classifier=True).split(X, outcome))
        # The copies use the loss of fit, and dissimilar pairs only if fit had given negatives.
        copies = [clone(self).set_params(loss=self._choice.loss) for _ in folds]
        is_used = np.ones(len(outcome), dtype=bool) if self._choice.negatives == "given" else outcome > 0
        with warnings.catch_warnings():
            # fit has already warned about these pairs and parameters.
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
