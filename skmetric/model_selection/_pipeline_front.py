"""What reaches a pipeline's last step: the steps before it, fitted once for all candidates that share them."""

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


# The parameters that are searched of the steps before the last, by name and value.
Key = frozenset[tuple[str, Hashable]]
# What is the same wherever it comes from. Anything else is known by its identity: it need be neither hashable nor
# comparable.
PLAIN = (bool, int, float, complex, str, bytes, NoneType, np.generic)


class _Capture(BaseEstimator):
    """Stands in for an estimator and keeps what its ``fit`` would have been given."""

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
    """The estimator itself, or a pipeline's last step."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) and estimator.steps else estimator


def final_prefix(estimator: Any) -> str:
    """What the names of the final step's parameters begin with."""
    return f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) and estimator.steps else ""


class Front:
    """The fitted steps before the last one, and what comes out of them.

    Parameters
    ----------
    estimator : estimator
        A pipeline, or the final estimator alone: then there are no steps before it.
    X, y, params
        What the whole is to be fitted on.

    Attributes
    ----------
    received : tuple
        What comes out: ``(X, y, params)`` for the last step's ``fit``.
    n_users : int
        How many candidates share these steps.
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
        """Each candidate's equal share of the time that the steps took."""
        return self._seconds / self.n_users

    def complete(self, final: Any) -> Any:
        """The whole, with a fitted final estimator behind these steps."""
        if self._pipeline is None:
            return final
        whole = copy.copy(self._pipeline)
        whole.steps = [*whole.steps[:-1], (whole.steps[-1][0], final)]
        return whole


class Fronts:
    """The fronts of one fold: one for each setting of the steps before the last.

    Parameters
    ----------
    split : callable
        Gives ``(X, y, params)``, what the whole is fitted on, anew at every call: steps may work in place.
    """

    def __init__(self, split: Callable[[], tuple[Any, Any, dict[str, Any]]]) -> None:
        self._split = split
        # For the first front. An error here is one of the whole search, and not of a candidate.
        self._data: tuple[Any, Any, dict[str, Any]] | None = split()
        self._fitted: dict[Key, Front] = {}
        self._failed: dict[Key, tuple[Exception, TracebackType | None]] = {}

    def of(self, estimator: Any, parameters: dict[str, Any]) -> Front:
        """The front of a candidate: ``estimator`` with the search's ``parameters`` already set.

        Raises whatever fitting the front raised, for every candidate that shares it.
        """
        prefix = final_prefix(estimator)
        key = frozenset((name, _known_by(value)) for name, value in parameters.items() if not name.startswith(prefix))
        if key not in self._fitted and key not in self._failed:
            self._fit(key, estimator)
        if key in self._failed:
            error, traceback = self._failed[key]
            # With the frames that it had at first: each time it is raised adds some.
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


def _known_by(value: Any) -> Hashable:
    # By what is written, too: 1 and True are equal, and 0.0 and -0.0; NaN is not equal to itself.
    return (type(value), repr(value)) if isinstance(value, PLAIN) else id(value)
