"""Base classes of all scorers, in the form that scikit-learn's model selection requires."""

from abc import ABC, abstractmethod
from typing import Any, Protocol, runtime_checkable

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

__all__ = ["CarriesGroups", "RowScorer", "Scorer", "carrier_of_groups", "groups_carried"]


class Scorer(BaseEstimator, ABC):
    """A metric of the output of one method of an estimator.

    It is a ``BaseEstimator``, because this is the public way to support cloning and metadata routing. The requests are
    read from the signature of ``score``.
    """

    def _method(self, estimator: Any, name: str, instead: str) -> Any:
        if not hasattr(estimator, name):
            raise TypeError(
                f"estimator must have a {name} method for {self!r}, got {type(estimator).__name__}, which has none. "
                f"Score {instead}, or a Pipeline that ends in one."
            )
        return getattr(estimator, name)

    def _accept_sample_weight(self) -> bool:
        # Without metadata routing, searches over several metrics call this on every scorer, and fail if it is missing.
        return True


class RowScorer(Scorer):
    """A metric of the output of one method of an estimator for each row. ``_outputs`` calls the method."""

    @abstractmethod
    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Score given outputs."""

    def __call__(self, estimator: Any, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Score the outputs of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator, or a Pipeline that ends in one.
        X : array-like of shape (n_samples, n_features)
            Input of the estimator.
        y : array-like of shape (n_samples,)
            True targets or classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights.

        Returns
        -------
        score : float
            Greater is better.

        Raises
        ------
        TypeError
            If the estimator does not have the required method.
        """
        return self.score(self._outputs(estimator, X), y, sample_weight=sample_weight)

    @abstractmethod
    def _outputs(self, estimator: Any, X: Any) -> Any:
        """Return the outputs to score."""


@runtime_checkable
class CarriesGroups(Protocol):
    """An estimator that can return the groups of rows. Scorers use them if they are given no groups."""

    def groups_of(self, X: Any) -> ArrayLike | None:
        """Return the group of each row, or None if all rows may be scored as one list.

        Raises
        ------
        ValueError
            If the rows cannot be scored as lists, or if groups are required.
        """


def carrier_of_groups(estimator: Any) -> CarriesGroups | None:
    """Return the estimator that carries groups: this one, the end of a Pipeline, or the best one of a search."""
    if hasattr(estimator, "best_estimator_"):
        return carrier_of_groups(estimator.best_estimator_)
    final = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    return final if isinstance(final, CarriesGroups) else None


def groups_carried(estimator: Any, X: Any) -> ArrayLike | None:
    """Return the groups of rows from an estimator: alone, at the end of a Pipeline, or inside a search."""
    if hasattr(estimator, "best_estimator_"):
        return groups_carried(estimator.best_estimator_, X)
    final = carrier_of_groups(estimator)
    if final is None:
        return None
    if isinstance(estimator, Pipeline) and len(estimator) > 1 and getattr(final, "group_column", None) is not None:
        X = estimator[:-1].transform(X)
    return final.groups_of(X)
