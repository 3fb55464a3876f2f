"""Half precision: all losses compute in float32."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor

__all__ = ["in_float32"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

HALF = (torch.float16, torch.bfloat16)


def in_float32(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Convert tensors in half precision to float32: sums of their squares and exponentials would lose most digits."""

    @wraps(function)
    def converted(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        positional: Any = map(_at_least_float32, args)
        named: Any = {name: _at_least_float32(value) for name, value in kwargs.items()}
        return function(*positional, **named)

    return converted


def _at_least_float32(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) and value.dtype in HALF else value
