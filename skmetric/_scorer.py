"""Base classes of all scorers, in the form that scikit-learn's model selection requires."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length

from skmetric._sklearn_compat import safe_indexing
from skmetric._warnings import warn_caller

__all__ = [
    "NothingToScoreError",
    "RowScorer",
    "Scorer",
    "carrier_of_groups",
    "groups_carried",
    "labeled_only",
    "score_or_zero",
]


class NothingToScoreError(ValueError):
    """A metric is not defined for any of the lists that it got, regardless of their scores.

    Parameters
    ----------
    reason : str
        What is missing.
    advice : str
        How to avoid this in a call of the metric.
    """

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason, advice)
        self.reason = reason
        self.advice = advice

    def __str__(self) -> str:
        return " ".join(filter(None, self.args))


def score_or_zero(score: Callable[[], float], owner: str) -> float:
    """Return a score, or 0 with a warning if there is nothing to score.

    In a search, the candidates then have equal scores on such a fold. An error would turn all of them into NaN.
    """
    try:
        return float(score())
    except NothingToScoreError as error:
        warn_caller(f"{owner}{error.reason} The score is 0 for any prediction.", UndefinedMetricWarning)
        return 0.0


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
            True targets or classes. Rows that an estimator of skmetric calls ``unlabeled`` are left out.
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
        outputs = self._outputs(estimator, X)
        outputs, y, sample_weight = labeled_only(estimator, y, outputs, y, sample_weight)
        return self.score(outputs, y, sample_weight=sample_weight)

    @abstractmethod
    def _outputs(self, estimator: Any, X: Any) -> Any:
        """Return the outputs to score."""


def carrier_of_groups(estimator: Any) -> Any:
    """Return the estimator that has a method ``groups_of(X)``, inside any Pipelines and searches; None without one."""
    final, _ = _final(estimator)
    return final if hasattr(final, "groups_of") else None


def groups_carried(estimator: Any, X: Any) -> ArrayLike | None:
    """Return the groups of rows from an estimator: alone, at the end of a Pipeline, or inside a search."""
    final, fronts = _final(estimator)
    if not hasattr(final, "groups_of"):
        return None
    if getattr(final, "group_column", None) is not None:
        for front in fronts:
            X = front.transform(X)
    groups: ArrayLike | None = final.groups_of(X)
    return groups


def labeled_only(estimator: Any, y: ArrayLike, *per_row: Any) -> tuple[Any, ...]:
    """Select the labeled rows of arrays, some of which may be None.

    All rows are selected, unless the estimator has a method ``is_labeled(y)`` that returns False for some.
    """
    final, _ = _final(estimator)
    if not hasattr(final, "is_labeled"):
        return per_row
    is_labeled = final.is_labeled(y)
    if is_labeled.all():
        return per_row
    check_consistent_length(y, *per_row)
    rows = np.flatnonzero(is_labeled)
    if not len(rows):
        raise NothingToScoreError("y must hold a labeled row, got only unlabeled rows.", "Score labeled rows.")
    return tuple(None if each is None else safe_indexing(each, rows) for each in per_row)


def _final(estimator: Any) -> tuple[Any, list[Pipeline]]:
    """Return the estimator that predicts, and the steps before it, through any nesting of Pipelines and searches."""
    fronts = []
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline):
            fronts.append(estimator[:-1])
            estimator = estimator.steps[-1][1]
        else:
            return estimator, fronts
