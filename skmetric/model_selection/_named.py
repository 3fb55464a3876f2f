"""Names of the estimators of a comparison."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from skmetric.adapters import GroupedRanker
from skmetric.model_selection._pipeline_front import final_step

__all__ = ["named_estimators"]


def named_estimators(estimators: Any, argument: str, example: str, taken: Collection[str] = ()) -> Mapping[str, Any]:
    """Return a dict as it is, and name the estimators of a list by class, with numbers for several of one class.

    Parameters
    ----------
    estimators : dict or list of estimators
        As given by the user.
    argument, example : str
        Name of the argument, and a correct value, for messages.
    taken : collection of str
        Names that are used already.
    """
    if isinstance(estimators, Mapping):
        return estimators
    if isinstance(estimators, str) or hasattr(estimators, "fit") or not isinstance(estimators, Iterable):
        raise TypeError(f"{argument} must be a list or a dict of estimators, got {estimators!r}. Pass {example}.")
    named: dict[str, Any] = {}
    for estimator in estimators:
        name = base = _class_name(estimator)
        number = 1
        while name in taken or name in named:
            number += 1
            name = f"{base}-{number}"
        named[name] = estimator
    return named


def _class_name(estimator: Any) -> str:
    final = final_step(estimator)
    return type(final.estimator if isinstance(final, GroupedRanker) else final).__name__
