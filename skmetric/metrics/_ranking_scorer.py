"""What the scorers of rankings have in common."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skmetric.metrics._groups import Score

__all__ = ["RankingScorer"]


class RankingScorer(BaseEstimator, ABC):
    """Score the order that an estimator's ``predict`` gives to the rows of each list.

    A ``BaseEstimator``, because that is the public way to be cloned and to take part in metadata routing: requests are
    read from the signature of ``score``, and from the class attribute.
    """

    __metadata_request__score: ClassVar[dict[str, bool]] = {"groups": True}

    @abstractmethod
    def _metric(
        self, y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike | None, sample_weight: ArrayLike | None
    ) -> Score: ...

    def score(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> float:
        """Score predictions that are there already.

        Parameters
        ----------
        X : array-like of shape (n,)
            Predicted scores.
        y : array-like of shape (n,)
            The truth.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows; a list weighs as much as its rows on average.
        groups : array-like of shape (n,), default=None
            The id of each row's list. None: one list.

        Returns
        -------
        score : float
            Greater is better.
        """
        return float(self._metric(y, X, groups, sample_weight))

    def __call__(
        self,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> float:
        """Predict ``X`` by the fitted estimator, and score the order of the predictions.

        Parameters
        ----------
        estimator : estimator with a ``predict``
            A fitted ranker or regressor, or a pipeline that ends in one. Rows with a higher prediction rank higher.
        X : array-like of shape (n, n_features)
            What the estimator takes.
        y : array-like of shape (n,)
            The truth.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows; a list weighs as much as its rows on average.
        groups : array-like of shape (n,), default=None
            The id of each row's list. None: what ``estimator.groups_of(X)`` gives, where there is such a method;
            otherwise, or if it gives None, one list.

        Returns
        -------
        score : float
            Greater is better.

        Raises
        ------
        TypeError
            If the estimator has no ``predict``.
        """
        if not hasattr(estimator, "predict"):
            raise TypeError(
                f"estimator must have a predict method for {self!r}, but {type(estimator).__name__} has none. Score a "
                "ranker, a regressor, or a Pipeline that ends in one."
            )
        if groups is None and hasattr(estimator, "groups_of"):
            groups = estimator.groups_of(X)
        return self.score(estimator.predict(X), y, sample_weight=sample_weight, groups=groups)

    def _accept_sample_weight(self) -> bool:
        # Without metadata routing, searches over several metrics ask every scorer this, and fail without an answer.
        return True
