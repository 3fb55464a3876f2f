"""Types of tensors that losses take: scores are floating point, masks are boolean; all is computed in float32."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor

__all__ = ["in_float32"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

HALF = (torch.float16, torch.bfloat16)

# Differences of integers wrap around in types without a sign, and integers carry no gradient. Arguments that are in
# neither set, such as labels and grades, may have any type.
MEASURED = {
    *("anchors", "columns", "embeddings", "features", "positives", "proxies"),
    *("d", "d_an", "d_ap", "s1", "s2", "scores", "values"),
    *("noise_logits", "real_logits", "sampled_logits", "true_logits"),
    *("log_rate", "log_sampled_rate", "log_true_rate"),
}
MASKS = {"is_hit", "mask", "noise_mask", "real_mask"}


def in_float32(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Check the types of the arguments of a loss, and convert tensors in half precision to float32.

    Sums of squares and of exponentials would lose most digits in half precision.
    """
    parameters = signature(function).parameters
    names = tuple(parameters)
    tensors = {name for name, each in parameters.items() if each.annotation in (Tensor, Tensor | None)}
    optional = {name for name, each in parameters.items() if each.default is None}

    def checked(name: str, value: Any) -> Any:
        if name in tensors and not (value is None and name in optional):
            _check_tensor(name, value)
        return value.float() if isinstance(value, Tensor) and value.dtype in HALF else value

    @wraps(function)
    def converted(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        positional: Any = [checked(name, value) for name, value in zip(names, args, strict=False)]
        # Python's own error for too many arguments names the function.
        positional += args[len(names) :]
        named: Any = {name: checked(name, value) for name, value in kwargs.items()}
        return function(*positional, **named)

    return converted


def refuse_integers(name: str, value: Tensor) -> None:
    """Raise if a tensor is not floating point."""
    if not value.is_floating_point():
        raise TypeError(f"{name} must be floating point, got {value.dtype}. Pass {name}.float().")


def _check_tensor(name: str, value: Any) -> None:
    if not isinstance(value, Tensor):
        kind = type(value)
        kind_name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
        raise TypeError(f"{name} must be a torch.Tensor, got {kind_name}. Pass torch.as_tensor({name}).")
    if name in MEASURED:
        refuse_integers(name, value)
    elif name in MASKS and value.dtype != torch.bool:
        raise TypeError(f"{name} must be boolean, got {value.dtype}. Pass {name}.bool().")
