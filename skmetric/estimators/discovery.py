"""List the estimators of the package."""

from importlib import import_module
from inspect import isabstract

from skmetric.estimators._base import TorchEstimator

__all__ = ["all_estimators"]


def all_estimators() -> list[tuple[str, type[TorchEstimator]]]:
    """List the public estimators, as :func:`sklearn.utils.discovery.all_estimators` does for scikit-learn.

    Returns
    -------
    estimators : list of (name, class)
        The estimators, sorted by name.

    Examples
    --------
    >>> from skmetric.estimators import all_estimators
    >>> [name for name, _ in all_estimators()][:2]
    ['ContrastiveEmbedder', 'ListwiseRanker']
    """
    package = import_module("skmetric.estimators")
    public = {name: getattr(package, name) for name in package.__all__}
    return [
        (name, value)
        for name, value in sorted(public.items())
        if isinstance(value, type) and issubclass(value, TorchEstimator) and not isabstract(value)
    ]
