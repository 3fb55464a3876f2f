"""Reports of comparisons as text: aligned tables, wrapped paragraphs, and DataFrames."""

from collections.abc import Mapping
from importlib import import_module
from textwrap import wrap
from typing import Any

import numpy as np

__all__ = ["aligned", "counted", "frame_of", "plus_minus", "wrapped"]

LINE = 100


def frame_of(results: Mapping[str, Any]) -> Any:
    """Return results as a pandas DataFrame, with one row per name."""
    try:
        pandas = import_module("pandas")
    except ImportError as error:
        raise ImportError(
            "to_frame returns a pandas DataFrame, but pandas cannot be imported. Install it by "
            "pip install pandas, or use the same figures in results, a dict of arrays."
        ) from error
    return pandas.DataFrame(results).set_index("name")


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number with its noun, in the plural unless it is 1: with an s, if ``several`` is not given."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def plus_minus(mean: float, error: float, sign: str = "") -> str:
    """Format a mean and its standard error, which may be NaN."""
    return f"{mean:{sign}.3f}" + ("" if np.isnan(error) else f" ± {error:.3f}")


def wrapped(*paragraphs: str) -> list[str]:
    """Break paragraphs into lines."""
    return [line for text in paragraphs for line in wrap(text, LINE, subsequent_indent="   ") or [""]]


def aligned(lines: list[list[str]], titles: dict[int, str]) -> list[str]:
    """Format lines of cells, the first column left-aligned and the others right-aligned, with some title lines."""
    whole = [line for line in lines if len(line) == len(lines[0])]
    widths = [max(map(len, cells)) for cells in zip(*whole, strict=True)]
    widths[0] = max(len(line[0]) for line in lines)
    text = []
    for number, line in enumerate(lines):
        if number in titles:
            text.append(f"-- {titles[number]} ".ljust(sum(widths) + 2 * len(widths) - 2, "-"))
        # A line with a remark instead of figures has fewer cells.
        cells = [f"{cell:>{width}}" for cell, width in zip(line[1:], widths[1:], strict=False)]
        text.append("  ".join([f"{line[0]:<{widths[0]}}", *(cells if line in whole else line[1:])]))
    return text
