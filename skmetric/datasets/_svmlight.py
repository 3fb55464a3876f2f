"""Lines of SVMlight's format with groups, a block of text at a time."""

import re
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lines", "MalformedLineError", "parse_lines"]

# Integers are read as float64.
LARGEST_INTEGER = 2**53
LARGEST_LABEL, LARGEST_VALUE = float(np.finfo(np.float64).max), float(np.finfo(np.float32).max)
MOST_CHARACTERS = 80

_COMMENT = re.compile(rb"#[^\n]*")
_COLON_TO_SPACE = bytes.maketrans(b":", b" ")


def _lines_of(number: bytes) -> "re.Pattern[bytes]":
    """Match as many well-formed lines as there are. Possessive, so that it takes linear time and never backtracks."""
    line = rb"(?:%b[ \t\r]++qid:[0-9]++(?:[ \t\r]++[0-9]++:%b)*+)?+[ \t\r]*+\n" % (number, number)
    return re.compile(rb"(?:[ \t\r]*+%b)*+" % line)


# The characters of numbers are three times as fast to match as numbers: the strict form is for blocks with an error.
_LINES = _lines_of(rb"[-+.0-9eE]++")
_STRICT_LINES = _lines_of(rb"[-+]?+(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][-+]?+[0-9]++)?+")


class MalformedLineError(ValueError):
    """A line is not what it should be.

    Parameters
    ----------
    line : int
        Which line of the block, from 0.
    rule : str
        What was expected, and what was there.
    """

    def __init__(self, line: int, rule: str) -> None:
        super().__init__(line, rule)
        self.line, self.rule = line, rule


@dataclass(frozen=True)
class Lines:
    """What the lines of a block say; lines that are empty or a comment are left out.

    Attributes
    ----------
    labels : ndarray of shape (n,)
        The number that a line begins with.
    groups : ndarray of int, shape (n,)
        The number after ``qid:``.
    counts : ndarray of int, shape (n,)
        How many features a line has.
    columns : ndarray of int, shape (counts.sum(),)
        Their columns, from 0, ascending within a line.
    values : ndarray of shape (counts.sum(),)
        Their values.
    """

    labels: NDArray[np.float64]
    groups: NDArray[np.int64]
    counts: NDArray[np.intp]
    columns: NDArray[np.intp]
    values: NDArray[np.float64]


def parse_lines(text: bytes, *, first_index: int, n_features: int | None) -> Lines:
    """Parse a block of whole lines.

    All numbers of a block are read by one call: nothing is done a token, or a line, at a time.

    Raises
    ------
    MalformedLineError
        If a line has another form, or an index that is not ascending, too small or too large.
    """
    if b"#" in text:
        text = _COMMENT.sub(b"", text)
    end = _LINES.match(text).end()  # type: ignore[union-attr]  # it matches the empty text
    if end < len(text):
        _refuse(text, end)
    n_colons = _colons_by_line(text)
    written = np.flatnonzero(n_colons)
    # A line of c colons has c pairs of numbers: the label and the group, then an index and a value each.
    pairs = _numbers(text, int(n_colons.sum())).reshape(-1, 2)
    heads = np.cumsum(n_colons[written]) - n_colons[written]
    features = np.delete(pairs, heads, axis=0)
    counts = n_colons[written] - 1
    lines = np.repeat(written, counts)
    _check_groups(pairs[heads, 1], written)
    _check_finite(pairs[heads, 0], written, LARGEST_LABEL, "label")
    _check_finite(features[:, 1], lines, LARGEST_VALUE, "value")
    _check_indices(features[:, 0], lines, first_index, n_features)
    return Lines(
        pairs[heads, 0],
        pairs[heads, 1].astype(np.int64),
        counts,
        features[:, 0].astype(np.intp) - first_index,
        features[:, 1],
    )


def _colons_by_line(text: bytes) -> NDArray[np.intp]:
    characters = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero(characters == ord("\n"))
    return np.diff(np.searchsorted(np.flatnonzero(characters == ord(":")), ends), prepend=0)


def _numbers(text: bytes, n_pairs: int) -> NDArray[np.float64]:
    """Read all numbers.

    Each of the 2 * n_pairs places where a number should be has at least one of its characters. So it either gives a
    number or stops the reading, and the count is right only where each gives just one.
    """
    if n_pairs == 0:
        return np.empty(0)
    with warnings.catch_warnings():
        # What ends the reading is a warning in some versions of numpy and an error in others.
        warnings.simplefilter("error", DeprecationWarning)
        try:
            numbers = np.fromstring(text.translate(_COLON_TO_SPACE, b"qid"), sep=" ")
        except (DeprecationWarning, ValueError):
            numbers = np.empty(0)
    if len(numbers) != 2 * n_pairs:
        _refuse(text, _STRICT_LINES.match(text).end())  # type: ignore[union-attr]  # it matches the empty text
    return numbers


def _refuse(text: bytes, start: int) -> None:
    line = text[start : text.index(b"\n", start)].decode(errors="replace").strip()
    shown = line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}..."
    rule = f"must read 'label qid:group index:value index:value ...', all of them finite numbers, got {shown!r}"
    if "qid:" not in line:
        rule += "; sklearn.datasets.load_svmlight_file reads files without groups"
    raise MalformedLineError(text.count(b"\n", 0, start), rule)


def _check_groups(groups: NDArray[np.float64], lines: NDArray[np.intp]) -> None:
    wrong = groups >= LARGEST_INTEGER
    if wrong.any():
        raise MalformedLineError(
            int(lines[wrong.argmax()]), f"must have a group below 2**53 after qid:, got {groups[wrong][0]:.0f}"
        )


def _check_finite(numbers: NDArray[np.float64], lines: NDArray[np.intp], largest: float, name: str) -> None:
    wrong = np.abs(numbers) > largest
    if wrong.any():
        raise MalformedLineError(
            int(lines[wrong.argmax()]), f"must have a {name} of at most {largest:.3g}, got {numbers[wrong][0]:.3g}"
        )


def _check_indices(
    indices: NDArray[np.float64], lines: NDArray[np.intp], first_index: int, n_features: int | None
) -> None:
    largest = np.inf if n_features is None else n_features - 1 + first_index
    wrong = (indices < first_index) | (indices > largest) | (indices >= LARGEST_INTEGER)
    wrong[1:] |= (indices[1:] <= indices[:-1]) & (lines[1:] == lines[:-1])
    if not wrong.any():
        return
    place = int(wrong.argmax())
    index = f"{indices[place]:.0f}"
    if indices[place] < first_index:
        rule = f"must have indices from {first_index}, got {index}: pass zero_based=True where they begin at 0"
    elif indices[place] > largest:
        rule = f"must have indices up to {largest}, got {index}: pass n_features=None, or a larger one"
    else:
        rule = f"must have ascending indices below 2**53, none twice, got {index} after {indices[place - 1]:.0f}"
    raise MalformedLineError(int(lines[place]), rule)
