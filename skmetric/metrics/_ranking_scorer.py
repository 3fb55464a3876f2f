"""What the scorers of rankings have in common."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from skmetric.metrics._lists import Score

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
        if not hasattr(estimator, "predict"):
            raise TypeError(
                f"estimator must have a predict method for {self!r}, but {type(estimator).__name__} has none. Score a "
                "ranker, a regressor, or a Pipeline that ends in one."
            )
        if groups is None:
            groups = _groups_of(estimator, X)
        return self.score(estimator.predict(X), y, sample_weight=sample_weight, groups=groups)

    def _accept_sample_weight(self) -> bool:
        # Without metadata routing, searches over several metrics ask every scorer this, and fail without an answer.
        return True


def _groups_of(estimator: Any, X: Any) -> ArrayLike | None:
    """Groups that the table brings itself; None where all rows may be scored as one list."""
    if hasattr(estimator, "best_estimator_"):
        return _groups_of(estimator.best_estimator_, X)
    ranker = estimator
    if isinstance(estimator, Pipeline):
        ranker = estimator.steps[-1][1]
        if getattr(ranker, "group_column", None) is not None and len(estimator) > 1:
            X = estimator[:-1].transform(X)
    if getattr(ranker, "tuple_size_", None) is not None:
        raise ValueError(
            f"{type(ranker).__name__} was fitted on pairs, whose predictions say who wins, and are no scores to rank "
            "by. Take its own score, or rank points by its score_samples."
        )
    groups: ArrayLike | None = ranker.groups_of(X) if hasattr(ranker, "groups_of") else None
    if groups is None and getattr(ranker, "has_groups_", False):
        raise ValueError(
            f"groups must be given: this {type(ranker).__name__} was fitted with groups, and one list of all rows is "
            "another question. Turn on sklearn.set_config(enable_metadata_routing=True), by which searches pass groups "
            "to scorers, or name their column by group_column=."
        )
    return groups
