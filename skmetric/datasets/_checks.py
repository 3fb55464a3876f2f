"""Checks of arguments that the functions of this package share."""

from typing import Any

import numpy as np

__all__ = ["check_flags"]


def check_flags(**flags: Any) -> None:
    """Validate switches, given by name: a text such as "auto" or "no" would count as True."""
    for name, flag in flags.items():
        if not isinstance(flag, bool | np.bool_):
            raise TypeError(
                f"{name} must be True or False, got {flag!r} of type {type(flag).__name__}. Pass one of them."
            )
