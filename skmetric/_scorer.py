"""What all scorers have in common: the form that scikit-learn's model selection takes."""

from abc import ABC, abstractmethod
from typing import Any, Protocol, runtime_checkable

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

__all__ = ["CarriesGroups", "RowScorer", "Scorer", "groups_carried"]


class Scorer(BaseEstimator, ABC):
    """A metric of what one method of an estimator gives.

    A ``BaseEstimator``, because that is the public way to be cloned and to take part in metadata routing: requests are
    read from the signature of ``score``.
    """

    def _method(self, estimator: Any, name: str, instead: str) -> Any:
        if not hasattr(estimator, name):
            raise TypeError(
                f"estimator must have a {name} method for {self!r}, but {type(estimator).__name__} has none. Score "
                f"{instead}, or a Pipeline that ends in one."
            )
        return getattr(estimator, name)

    def _accept_sample_weight(self) -> bool:
        # Without metadata routing, searches over several metrics ask every scorer this, and fail without an answer.
        return True


class RowScorer(Scorer):
    """A metric of what one method of an estimator gives for each row. A scorer says in ``_outputs`` which method."""

    @abstractmethod
    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Score outputs that are there already."""

    def __call__(self, estimator: Any, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Score what a fitted estimator makes of rows.

        Parameters
        ----------
        estimator : estimator
            Fitted; or a Pipeline that ends in one.
        X : array-like of shape (n_samples, n_features)
            What the estimator takes.
        y : array-like of shape (n_samples,)
            The truth.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            Greater is better.

        Raises
        ------
        TypeError
            If the estimator lacks the method that is looked at.
        """
        return self.score(self._outputs(estimator, X), y, sample_weight=sample_weight)

    @abstractmethod
    def _outputs(self, estimator: Any, X: Any) -> Any:
        """What is scored."""


@runtime_checkable
class CarriesGroups(Protocol):
    """An estimator that knows the groups of rows itself: scorers ask it when they are given none."""

    def groups_of(self, X: Any) -> ArrayLike | None:
        """Give the group of each row; None if all rows may be scored as one list.

        Raises
        ------
        ValueError
            If the rows cannot be scored as lists at all, or not without groups.
        """


def groups_carried(estimator: Any, X: Any) -> ArrayLike | None:
    """Groups of rows that an estimator knows itself, alone, at the end of a Pipeline or inside a search."""
    if hasattr(estimator, "best_estimator_"):
        return groups_carried(estimator.best_estimator_, X)
    final = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(final, CarriesGroups):
        return None
    if isinstance(estimator, Pipeline) and len(estimator) > 1 and getattr(final, "group_column", None) is not None:
        X = estimator[:-1].transform(X)
    return final.groups_of(X)
