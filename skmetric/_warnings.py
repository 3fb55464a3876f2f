"""Warnings that point at the user's own line."""

import inspect
import warnings
from collections.abc import Iterator

__all__ = ["warn_caller"]

OURS = __name__.partition(".")[0]
# What calls the library on a user's behalf, and what a worker's call begins with, where no line is the user's.
BETWEEN = {"sklearn", "joblib"}
WORKERS = {"multiprocessing", "threading", "concurrent"}


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line from which the library was entered, through a Pipeline, a search or a decorator too."""
    packages = list(_packages_on_the_stack())
    place = next((k for k, package in enumerate(packages) if package not in {OURS, *BETWEEN}), len(packages))
    if place == len(packages) or packages[place] in WORKERS:
        # Nobody's line: that of whoever called us last.
        place = max(k for k, package in enumerate(packages[:place]) if package == OURS) + 1
    # As Python counts: 1 is this function.
    warnings.warn(message, category, stacklevel=1 + place)


def _packages_on_the_stack() -> Iterator[str]:
    """Names of the packages whose code is running, from ``warn_caller`` outwards."""
    here = inspect.currentframe()
    frame = here and here.f_back
    while frame is not None:
        yield str(frame.f_globals.get("__name__")).partition(".")[0]
        frame = frame.f_back
