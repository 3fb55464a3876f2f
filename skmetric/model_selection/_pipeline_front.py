"""The front of a pipeline: its steps before the last one, fitted once for all candidates that share them."""

import copy
import time
from collections.abc import Callable, Hashable
from traceback import clear_frames
from types import NoneType, TracebackType
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, get_tags

__all__ = ["Front", "Fronts", "final_prefix", "final_step"]


# The searched parameters of the steps before the last one, by name and value.
Key = frozenset[tuple[str, Hashable]]
# Values of these types are compared by value. Other values are compared by identity, because they may be neither
# hashable nor comparable.
PLAIN = (bool, int, float, complex, str, bytes, NoneType, np.generic)


class _Capture(BaseEstimator):
    """Replaces an estimator and stores the arguments that its ``fit`` would receive."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        self.received_ = X, y, params
        return self

    def get_metadata_routing(self) -> Any:
        return self.estimator.get_metadata_routing()

    def __sklearn_tags__(self) -> Tags:
        return get_tags(self.estimator)


def final_step(estimator: Any) -> Any:
    """Return the estimator itself, or the last step of a pipeline."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) and estimator.steps else estimator


def final_prefix(estimator: Any) -> str:
    """Return the prefix of the parameters of the final step: empty without a pipeline."""
    return f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) and estimator.steps else ""


class Front:
    """The fitted steps before the last one, and their output.

    Parameters
    ----------
    estimator : estimator
        A pipeline, or the final estimator alone, which has no steps before it.
    X, y, params
        Data to fit the pipeline on.

    Attributes
    ----------
    received : tuple
        Output of the steps: ``(X, y, params)`` for ``fit`` of the last step.
    n_users : int
        Number of candidates that share these steps.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, params: dict[str, Any]) -> None:
        start = time.perf_counter()
        capture = _Capture(final_step(estimator))
        self._pipeline = None
        if isinstance(estimator, Pipeline):
            self._pipeline = copy.copy(estimator)
            self._pipeline.steps = [*estimator.steps[:-1], (estimator.steps[-1][0], capture)]
            self._pipeline.fit(X, y, **params)
        else:
            capture.fit(X, y, **params)
        self.received: tuple[Any, Any, dict[str, Any]] = capture.received_
        self.n_users = 0
        self._seconds = time.perf_counter() - start

    @property
    def seconds_each(self) -> float:
        """Time of fitting the steps, divided equally among the candidates that share them."""
        return self._seconds / self.n_users

    def complete(self, final: Any) -> Any:
        """Return the whole pipeline: these steps, and the fitted final estimator."""
        if self._pipeline is None:
            return final
        whole = copy.copy(self._pipeline)
        whole.steps = [*whole.steps[:-1], (whole.steps[-1][0], final)]
        return whole


class Fronts:
    """The fronts of one fold, one for each setting of the steps before the last one.

    Parameters
    ----------
    split : callable
        Returns the training data ``(X, y, params)``, a new copy at every call, because steps may work in place.
    """

    def __init__(self, split: Callable[[], tuple[Any, Any, dict[str, Any]]]) -> None:
        self._split = split
        # Data of the first front. An error here concerns the whole search, not one candidate.
        self._data: tuple[Any, Any, dict[str, Any]] | None = split()
        self._fitted: dict[Key, Front] = {}
        self._failed: dict[Key, tuple[Exception, TracebackType | None]] = {}

    def of(self, estimator: Any, parameters: dict[str, Any]) -> Front:
        """Return the front of a candidate, where ``estimator`` already has the ``parameters`` of the search.

        If fitting the front raised an error, the same error is raised for every candidate that shares the front.
        """
        prefix = final_prefix(estimator)
        key = frozenset((name, _identity(value)) for name, value in parameters.items() if not name.startswith(prefix))
        if key not in self._fitted and key not in self._failed:
            self._fit(key, estimator)
        if key in self._failed:
            error, traceback = self._failed[key]
            # With its first frames, because each raise adds more.
            raise error.with_traceback(traceback)
        front = self._fitted[key]
        front.n_users += 1
        return front

    def _fit(self, key: Key, estimator: Any) -> None:
        data, self._data = self._data or self._split(), None
        try:
            self._fitted[key] = Front(clone(estimator), *data)
        except Exception as error:
            self._failed[key] = error, error.__traceback__
            clear_frames(error.__traceback__)


def _identity(value: Any) -> Hashable:
    # By type and text, because 1 equals True, 0.0 equals -0.0, and NaN is not equal to itself.
    return (type(value), repr(value)) if isinstance(value, PLAIN) else id(value)
