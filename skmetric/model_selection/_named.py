"""Names of the estimators of a comparison."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from skmetric.adapters import GroupedRanker
from skmetric.model_selection._pipeline_front import final_step

__all__ = ["named_estimators"]


def named_estimators(estimators: Any, argument: str, example: str, taken: Collection[str] = ()) -> dict[str, Any]:
    """Return estimators by name: the keys of a dict as text, or the classes of a list, with numbers if they repeat.

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
        by_name = {str(name): estimator for name, estimator in estimators.items()}
        if len(by_name) < len(estimators):
            texts = [str(name) for name in estimators]
            twice = next(text for text in texts if texts.count(text) > 1)
            raise ValueError(
                f"{argument} must have names that differ as text, got two whose text is {twice!r}. Rename one of them."
            )
        return by_name
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
