"""Scorers of embeddings for scikit-learn's model selection."""

from typing import Any

from numpy.typing import ArrayLike

from skmetric._scorer import RowScorer
from skmetric.metrics.retrieval import map_at_r_score, recall_at_k_score

__all__ = ["MapAtRScorer", "RecallAtKScorer", "map_at_r_scorer", "recall_at_1_scorer"]


class _EmbeddingScorer(RowScorer):
    """Score the output of an estimator's ``transform``."""

    def _outputs(self, estimator: Any, X: Any) -> Any:
        return self._method(estimator, "transform", "an embedder, a transformer such as PCA")(X)


class MapAtRScorer(_EmbeddingScorer):
    """Mean average precision at R of an estimator's embedding, for ``scoring=``.

    Calls ``estimator.transform(X)``, then :func:`skmetric.metrics.map_at_r_score` (see there for the formula).

    See Also
    --------
    skmetric.metrics.map_at_r_scorer : A ready instance.

    Notes
    -----
    With metadata routing enabled, ``set_score_request(sample_weight=True)`` requests weights. It changes the scorer
    itself, so call it on a new ``MapAtRScorer()``, not on the shared ``map_at_r_scorer``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.model_selection import GridSearchCV, StratifiedKFold
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmetric.metrics import MapAtRScorer
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearchCV(
    ...     make_pipeline(StandardScaler(), PCA()), {"pca__n_components": [1, 2]},
    ...     scoring=MapAtRScorer(), cv=StratifiedKFold(5),
    ... ).fit(X, y)
    >>> search.best_params_
    {'pca__n_components': 1}
    """

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Score given embeddings with :func:`skmetric.metrics.map_at_r_score`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.
        y : array-like of shape (n_samples,)
            Class of each row.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row as a query.

        Returns
        -------
        score : float
            Between 0 and 1.
        """
        return map_at_r_score(X, y, sample_weight=sample_weight)


class RecallAtKScorer(_EmbeddingScorer):
    """Recall at k of an estimator's embedding, for ``scoring=``.

    Calls ``estimator.transform(X)``, then :func:`skmetric.metrics.recall_at_k_score` (see there for the formula).

    Parameters
    ----------
    k : int
        Number of nearest neighbors, from 1 to one less than the number of rows in the smallest fold.

    See Also
    --------
    skmetric.metrics.recall_at_1_scorer : A ready instance with ``k=1``.

    Notes
    -----
    With metadata routing enabled, ``set_score_request(sample_weight=True)`` requests weights. It changes the scorer
    itself, so call it on a new ``RecallAtKScorer(k=1)``, not on the shared ``recall_at_1_scorer``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.model_selection import cross_validate, StratifiedKFold
    >>> from skmetric.metrics import MapAtRScorer, RecallAtKScorer
    >>> X, y = load_iris(return_X_y=True)
    >>> scores = cross_validate(
    ...     PCA(2), X, y, cv=StratifiedKFold(5), scoring={"map": MapAtRScorer(), "recall": RecallAtKScorer(k=3)}
    ... )
    >>> float(scores["test_recall"].mean().round(2))
    0.98
    """

    def __init__(self, k: int) -> None:
        self.k = k

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Score given embeddings with :func:`skmetric.metrics.recall_at_k_score`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.
        y : array-like of shape (n_samples,)
            Class of each row.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row as a query.

        Returns
        -------
        score : float
            Between 0 and 1.
        """
        return recall_at_k_score(X, y, k=self.k, sample_weight=sample_weight)


map_at_r_scorer = MapAtRScorer()
recall_at_1_scorer = RecallAtKScorer(k=1)
