"""The scorer of an order, group by group."""

from abc import abstractmethod
from typing import Any, ClassVar

from numpy.typing import ArrayLike

from skmetric._scorer import Scorer, groups_carried
from skmetric.metrics._lists import Score

__all__ = ["RankingScorer"]


class RankingScorer(Scorer):
    """Score the order that an estimator's ``predict`` gives to the rows of each list."""

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
            The id of each row's list. None: those in the ``group_column`` of a ranker of skmetric, alone or at the
            end of a Pipeline; otherwise one list.

        Returns
        -------
        score : float
            Greater is better.

        Raises
        ------
        TypeError
            If the estimator has no ``predict``.
        ValueError
            If a ranker that was fitted with groups has none to be scored by, or was fitted on pairs.
        """
        predict = self._method(estimator, "predict", "a ranker, a regressor")
        if groups is None:
            groups = groups_carried(estimator, X)
        return self.score(predict(X), y, sample_weight=sample_weight, groups=groups)
