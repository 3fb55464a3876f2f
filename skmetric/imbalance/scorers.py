"""Scorers of regression errors under imbalance for scikit-learn's model selection."""

from abc import abstractmethod
from typing import Any

from numpy.typing import ArrayLike

from skmetric._scorer import RowScorer
from skmetric.imbalance.errors import balanced_mean_absolute_error, geometric_mean_error

__all__ = ["BalancedMaeScorer", "GeometricMeanErrorScorer", "neg_balanced_mae_scorer", "neg_geometric_mean_scorer"]


class _ErrorScorer(RowScorer):
    """The negative error of the predictions of an estimator."""

    @abstractmethod
    def _error(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None) -> float: ...

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Score given predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Predictions.
        y : array-like of shape (n_samples,)
            True targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights.

        Returns
        -------
        score : float
            The negative error: at most 0, greater is better.
        """
        return -self._error(y, X, sample_weight)

    def _outputs(self, estimator: Any, X: Any) -> Any:
        return self._method(estimator, "predict", "a regressor")(X)


class BalancedMaeScorer(_ErrorScorer):
    """Negative balanced mean absolute error of an estimator's predictions, for ``scoring=``.

    Calls ``estimator.predict(X)``, then :func:`skmetric.imbalance.balanced_mean_absolute_error` (see there for the
    formula), and negates the result: greater is better.

    Parameters
    ----------
    bins : int or array-like of shape (n_bins + 1,), default=10
        Number of bins of equal width over the range of the scored rows, or the edges of the bins, in units of the
        target.

    See Also
    --------
    skmetric.imbalance.neg_balanced_mae_scorer : A ready instance with the defaults.

    Notes
    -----
    If ``bins`` is an int, the bins span the range of each test fold. Edges, such as
    ``np.linspace(y.min(), y.max(), 11)``, are the same for all folds. Targets below all edges form one more bin, and so
    do targets above all edges.

    With metadata routing enabled, ``set_score_request(sample_weight=True)`` requests weights. It changes the scorer
    itself, so call it on a new ``BalancedMaeScorer()``, not on the shared ``neg_balanced_mae_scorer``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> from skmetric.imbalance import BalancedMaeScorer
    >>> from skmetric.model_selection import DensityStratifiedKFold
    >>> X = np.linspace(0, 1, 60)[:, np.newaxis]
    >>> y = X[:, 0] ** 4
    >>> search = GridSearchCV(
    ...     KNeighborsRegressor(), {"n_neighbors": [1, 2, 20]},
    ...     scoring=BalancedMaeScorer(bins=[0, 0.25, 0.5, 0.75, 1]), cv=DensityStratifiedKFold(3),
    ... ).fit(X, y)
    >>> search.best_params_
    {'n_neighbors': 2}
    """

    def __init__(self, bins: int | ArrayLike = 10) -> None:
        self.bins = bins

    def _error(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None) -> float:
        return balanced_mean_absolute_error(y_true, y_pred, bins=self.bins, sample_weight=sample_weight)


class GeometricMeanErrorScorer(_ErrorScorer):
    """Negative geometric mean of an estimator's absolute errors, for ``scoring=``.

    Calls ``estimator.predict(X)``, then :func:`skmetric.imbalance.geometric_mean_error` (see there for the formula, and
    for how errors of 0 are counted), and negates the result: greater is better.

    See Also
    --------
    skmetric.imbalance.neg_geometric_mean_scorer : A ready instance.

    Notes
    -----
    With metadata routing enabled, ``set_score_request(sample_weight=True)`` requests weights. It changes the scorer
    itself, so call it on a new ``GeometricMeanErrorScorer()``, not on the shared ``neg_geometric_mean_scorer``.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> from skmetric.imbalance import GeometricMeanErrorScorer
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 1.0, -1.0, -16.0]
    >>> constant = DummyRegressor(strategy="constant", constant=0.0).fit(X, y)
    >>> GeometricMeanErrorScorer()(constant, X, y)
    -2.0
    """

    def _error(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None) -> float:
        return geometric_mean_error(y_true, y_pred, sample_weight=sample_weight)


neg_balanced_mae_scorer = BalancedMaeScorer()
neg_geometric_mean_scorer = GeometricMeanErrorScorer()
