"""What embedders share: neighbours, scores and distances in the learned space."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skmetric.estimators._base import float32_overflow_is_infinity
from skmetric.metrics import map_at_r_score

__all__ = ["EmbedderMixin"]


class EmbedderMixin(ClassNamePrefixFeaturesOutMixin, ClassifierMixin, TransformerMixin):
    """Classify, score and measure by distances between the rows of ``_outputs``."""

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Embed rows.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n, n_components), float32
            Their embeddings; a DataFrame where ``set_output`` asks for one.
        """
        return self._outputs(X)

    def predict(self, X: ArrayLike) -> NDArray:
        """Class of each row: the most frequent one among its nearest training rows in the embedding.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n,)
            Labels as they were given to ``fit``.
        """
        outputs = self._outputs(X)
        return self.classes_[self._neighbors.predict(outputs, self.n_neighbors)]

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Mean average precision at R (MAP@R) of the rows given, among themselves.

        For each row, how well the rows of its class come first when the others are ordered by distance; see
        :func:`skmetric.metrics.map_at_r_score`. Neither the training rows nor ``predict`` enter, and classes may be
        new ones.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows.
        y : array-like of shape (n,)
            Their classes.
        sample_weight : array-like of shape (n,), optional
            The weight of each row as a query.

        Returns
        -------
        float
            Between 0 and 1, higher is better.

        Raises
        ------
        ValueError
            When no class has two rows.
        """
        return map_at_r_score(self._outputs(X), y, sample_weight=sample_weight)

    def pair_distance(self, pairs: ArrayLike) -> NDArray[np.float32]:
        """Learned distance between the two points of each pair.

        Parameters
        ----------
        pairs : array-like of shape (n, 2, n_features)
            The pairs.

        Returns
        -------
        ndarray of shape (n,)
            In the ``distance`` of the fit: 0 for equal points, smaller is closer.

        Raises
        ------
        ValueError
            When ``pairs`` is of another shape.
        """
        check_is_fitted(self)
        with float32_overflow_is_infinity():
            points = check_array(pairs, dtype=np.float32, allow_nd=True, ensure_2d=False, order="C", input_name="pairs")
        if points.ndim != 3 or points.shape[1:] != (2, self.n_features_in_):
            raise ValueError(
                f"pairs must be of shape (n, 2, {self.n_features_in_}), two points of n_features_in_ values each; "
                f"got shape {points.shape}. For two tables A and B: np.stack([A, B], axis=1)."
            )
        outputs = self._network.apply(points.reshape(-1, self.n_features_in_), self.device)
        left, right = outputs[0::2], outputs[1::2]
        square = np.square(left - right).sum(axis=1)
        if self._distance == "euclidean":
            return np.sqrt(square)
        # Cosine embeddings have unit length: half the squared distance is one minus the cosine.
        return square if self._distance == "sqeuclidean" else square / 2

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
