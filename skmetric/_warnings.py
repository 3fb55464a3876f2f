"""Warnings that point at the user's own line."""

import inspect
import warnings
from types import FrameType

__all__ = ["warn_caller"]

# Whose frames a user has not written: this library's, and those that call it on a user's behalf.
INSIDE = {__name__.partition(".")[0], "sklearn", "joblib"}


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line from which the library was entered, through a Pipeline, a search or a decorator too."""
    # As Python counts: 1 is this function.
    level, frame = 1, inspect.currentframe()
    while frame is not None and _is_inside(frame):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _is_inside(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in INSIDE
