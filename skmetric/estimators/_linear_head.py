"""What estimators share whose network has a linear head: its last hidden layer is their representation."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skmetric._core.nn import NetworkSpec, SmoothingSpec
from skmetric._sklearn_compat import Interval

__all__ = ["LastLayerMixin"]


class LastLayerMixin(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Transform rows to the last hidden layer, ``n_components`` wide.

    An estimator says in ``_points`` how rows are checked.
    """

    _last_layer_constraints: ClassVar[dict[str, list]] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
    }

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Give the representation that the predictions are a linear function of: the last hidden layer.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n, n_components), float32
            A DataFrame where ``set_output`` asks for one.
        """
        check_is_fitted(self)
        return self._network.represent(self._points(X), self.device)

    def _points(self, X: Any) -> NDArray[np.float32]:
        raise NotImplementedError

    def _spec(self, n_features: int, n_scores: int, smoothing: SmoothingSpec | None = None) -> NetworkSpec:
        widths = self._hidden_widths()
        if self.n_components is not None and self.module is None:
            widths = (*widths, self.n_components)
        n_outputs = self.n_components or (widths[-1] if widths else n_features)
        return self._network_spec(
            n_features, n_outputs, hidden_layer_sizes=widths, n_scores=n_scores, smoothing=smoothing
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
