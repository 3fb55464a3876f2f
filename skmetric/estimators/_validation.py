"""Rows to stop early by: given, or held out."""

from typing import Any

__all__ = ["is_given"]


def is_given(early_stopping: bool, **given: Any) -> bool:
    """Whether what early stopping judges by is given, all of it; it must be on for that."""
    names = " and ".join(given) if len(given) < 3 else ", ".join(given)
    present = [name for name, value in given.items() if value is not None]
    if present and not early_stopping:
        raise ValueError(
            f"{' and '.join(present)}: for early stopping, which is off; set early_stopping=True, or leave them out."
        )
    if 0 < len(present) < len(given):
        raise ValueError(f"{names} must be given together; got only {' and '.join(present)}.")
    return bool(present)
