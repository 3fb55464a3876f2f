"""A fit that fails leaves the estimator as it was."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, TypeVar, cast

__all__ = ["all_or_nothing"]

Method = TypeVar("Method", bound=Callable[..., Any])


def all_or_nothing(fit: Method) -> Method:
    """Restore the estimator if fitting fails or is interrupted; errors about arguments name the estimator's class."""
    takes = signature(fit)

    @wraps(fit)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            takes.bind(self, *args, **kwargs)
        except TypeError as error:
            # Python would name the class that defines the method, which may be a base class that users do not know.
            raise TypeError(f"{type(self).__name__}.{fit.__name__}(): {error}; it takes {_shown(takes)}.") from None
        before = self.__dict__.copy()
        try:
            return fit(self, *args, **kwargs)
        except BaseException:
            # One assignment: a predict in another thread finds either the old or the new attributes, never none.
            self.__dict__ = before
            raise

    return cast(Method, guarded)


def _shown(takes: Signature) -> str:
    """Signature of a method as text, without types and ``self``."""
    plain = [each.replace(annotation=Parameter.empty) for each in list(takes.parameters.values())[1:]]
    return str(takes.replace(parameters=plain, return_annotation=Signature.empty))
