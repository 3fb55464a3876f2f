"""Warnings that show the line of the user's code."""

import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["each_warning_once", "warn_caller"]

OURS = __name__.partition(".")[0]
# Packages that call the library for the user, and packages at the bottom of the stack of a worker, which has no line of
# the user's code.
BETWEEN = {"sklearn", "joblib"}
WORKERS = {"multiprocessing", "threading", "concurrent"}

# What has been shown within ``each_warning_once``; None outside.
SHOWN: ContextVar[set[tuple[type[Warning], str]] | None] = ContextVar("SHOWN", default=None)


@contextmanager
def each_warning_once() -> Iterator[None]:
    """Show each warning of this library once, although the candidates and folds of a search repeat it."""
    already = SHOWN.get()
    token = SHOWN.set(set() if already is None else already)
    try:
        yield
    finally:
        SHOWN.reset(token)


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user's code that called the library, also through a Pipeline, search or decorator."""
    shown = SHOWN.get()
    if shown is not None and (category, message) in shown:
        return
    packages = list(_packages_on_the_stack())
    depth = next((k for k, package in enumerate(packages) if package not in {OURS, *BETWEEN}), len(packages))
    if depth == len(packages) or packages[depth] in WORKERS:
        # There is no line of the user's code. Use the line that called this library last.
        depth = max(k for k, package in enumerate(packages[:depth]) if package == OURS) + 1
    # For Python, level 1 is this function.
    warnings.warn(message, category, stacklevel=1 + depth)
    if shown is not None:
        # Not if a filter has turned it into an error: each fit raises that error.
        shown.add((category, message))


def _packages_on_the_stack() -> Iterator[str]:
    """Yield the package of each frame on the stack, from ``warn_caller`` outward."""
    here = inspect.currentframe()
    frame = here and here.f_back
    while frame is not None:
        yield str(frame.f_globals.get("__name__")).partition(".")[0]
        frame = frame.f_back
