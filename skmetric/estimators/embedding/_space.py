"""The learned space: points, distances and what is told from them."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_consistent_length
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmetric._sklearn_compat import check_sample_weight
from skmetric.estimators.embedding._data import PointTuples, is_unlabeled, read_outcome
from skmetric.estimators.embedding._distances import LearnedMetric
from skmetric.estimators.points import count_axes, points_at, read_tuples
from skmetric.metrics import map_at_r_score

__all__ = ["LearnedSpaceMixin"]


def _is_fitted_on_tuples(embedder: Any) -> bool:
    return getattr(embedder, "tuple_size_", None) is not None


class LearnedSpaceMixin(ClassNamePrefixFeaturesOutMixin, ClassifierMixin, TransformerMixin):
    """Embed points; classify, score and measure by their distances.

    An embedder says in ``_tuple_size`` which tuples it takes, and in ``_predict_tuples`` what it predicts for them.
    """

    _tuple_size: ClassVar[int]

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Embed points.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The points; or, of shape (n,), what ``preprocessor`` turns into them.

        Returns
        -------
        ndarray of shape (n, n_components), float32
            Their embeddings; a DataFrame where ``set_output`` asks for one.
        """
        return self._outputs(self._looked_up(X))

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
        return self.classes_[self._neighbors.predict(self._outputs(self._looked_up(X)), self.n_neighbors)]

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
            weights = check_sample_weight(sample_weight, tuples.places, dtype=np.float64, ensure_non_negative=True)
            if not (tuples.outcome[weights > 0] > 0).any() or (
                tuples.has_both and not (tuples.outcome[weights > 0] < 0).any()
            ):
                raise ValueError(
                    "y must hold pairs of both kinds that have a weight, 1 and -1, or only pairs that are alike, 1."
                )
            return tuples.score(self._embed(tuples.X), self._distance, weights)
        if y is None:
            raise ValueError(f"{type(self).__name__}.score requires y, the classes of the rows; got None.")
        embeddings, known = self._outputs(self._looked_up(X)), ~is_unlabeled(np.asarray(y), self.unlabeled)
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
        inequality, on which search trees rely; the Euclidean one orders neighbours alike. For many points,
        ``transform`` and a Euclidean distance find the same neighbours much faster.
        """
        check_is_fitted(self)
        return LearnedMetric(self._network, self.device)

    def _read_tuples(self, X: ArrayLike, y: ArrayLike | None, *, reset: bool) -> PointTuples:
        points, places = read_tuples(self, X, self._tuple_size, reset=reset)
        return PointTuples(points, places, read_outcome(y, len(places), self._tuple_size))

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
        points, places = read_tuples(self, X, size, reset=False)
        return self._distances_of(PointTuples(points, places, np.ones(len(places), dtype=int)))

    def _distances_of(self, tuples: PointTuples) -> NDArray[np.float32]:
        return tuples.distances(self._embed(tuples.X), self._distance)

    def _embed(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._network.apply(points, self.device)

    def _predict_tuples(self, X: ArrayLike) -> NDArray[np.integer]:
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
