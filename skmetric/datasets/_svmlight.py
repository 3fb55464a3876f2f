"""Parser for blocks of lines in the SVMlight format with groups."""

import re
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lines", "MalformedLineError", "parse_lines"]

# Integers are read as float64, which represents all integers below this exactly.
LARGEST_INTEGER = 2**53
LARGEST_LABEL, LARGEST_VALUE = float(np.finfo(np.float64).max), float(np.finfo(np.float32).max)
MOST_CHARACTERS = 80

_COMMENT = re.compile(rb"#[^\n]*")
_COLON_TO_SPACE = bytes.maketrans(b":", b" ")


def _lines_of(number: bytes) -> "re.Pattern[bytes]":
    """Match as many well-formed lines as possible. Possessive quantifiers never backtrack: the time is linear."""
    line = rb"(?:%b[ \t\r]++qid:[0-9]++(?:[ \t\r]++[0-9]++:%b)*+)?+[ \t\r]*+\n" % (number, number)
    return re.compile(rb"(?:[ \t\r]*+%b)*+" % line)


# Matching the characters of numbers is three times as fast as matching numbers. Only blocks with an error need the
# strict pattern.
_LINES = _lines_of(rb"[-+.0-9eE]++")
_STRICT_LINES = _lines_of(rb"[-+]?+(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][-+]?+[0-9]++)?+")


class MalformedLineError(ValueError):
    """A line does not have the required form.

    Parameters
    ----------
    line : int
        Index of the line in the block, from 0.
    rule : str
        The rule, and the text that was found instead.
    """

    def __init__(self, line: int, rule: str) -> None:
        super().__init__(line, rule)
        self.line, self.rule = line, rule


@dataclass(frozen=True)
class Lines:
    """The contents of the lines of a block. Empty lines and comment lines are left out.

    Attributes
    ----------
    labels : ndarray of shape (n_samples,)
        Number at the beginning of each line.
    groups : ndarray of int, shape (n_samples,)
        Number after ``qid:`` in each line.
    counts : ndarray of int, shape (n_samples,)
        Number of features in each line.
    columns : ndarray of int, shape (counts.sum(),)
        Columns of the features, from 0, ascending within a line.
    values : ndarray of shape (counts.sum(),)
        Values of the features.
    """

    labels: NDArray[np.float64]
    groups: NDArray[np.int64]
    counts: NDArray[np.intp]
    columns: NDArray[np.intp]
    values: NDArray[np.float64]


def parse_lines(text: bytes, *, first_index: int, n_features: int | None) -> Lines:
    """Parse a block of whole lines.

    One call reads all numbers of the block. There is no Python loop over lines or tokens.

    Raises
    ------
    MalformedLineError
        If a line has another form, or if an index is too small, too large or not in ascending order.
    """
    if b"#" in text:
        text = _COMMENT.sub(b"", text)
    end = _LINES.match(text).end()  # type: ignore[union-attr]  # it matches the empty text
    if end < len(text):
        _refuse(text, end)
    n_colons = _colons_by_line(text)
    line_of_row = np.flatnonzero(n_colons)
    # A line with c colons has c pairs of numbers: label and group, then index and value of each feature.
    pairs = _numbers(text, int(n_colons.sum())).reshape(-1, 2)
    heads = np.cumsum(n_colons[line_of_row]) - n_colons[line_of_row]
    features = np.delete(pairs, heads, axis=0)
    counts = n_colons[line_of_row] - 1
    lines = np.repeat(line_of_row, counts)
    _check_groups(pairs[heads, 1], line_of_row)
    _check_finite(pairs[heads, 0], line_of_row, LARGEST_LABEL, "label")
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

    There are 2 * n_pairs positions for numbers, and each has at least one character that may occur in a number. So each
    position gives one or more numbers, or stops the reading. The count is right only if each gives exactly one.
    """
    if n_pairs == 0:
        return np.empty(0)
    with warnings.catch_warnings():
        # Text that is not a number gives a warning in some versions of numpy, and an error in others.
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
    rule = f"must have the form 'label qid:group index:value index:value ...' with finite numbers, got {shown!r}"
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
    first = int(wrong.argmax())
    index = f"{indices[first]:.0f}"
    if indices[first] < first_index:
        rule = f"must have indices from {first_index}, got {index}: pass zero_based=True if they begin at 0"
    elif indices[first] > largest:
        rule = f"must have indices up to {largest}, got {index}: pass n_features=None, or a larger number"
    else:
        rule = f"must have ascending indices below 2**53, none twice, got {index} after {indices[first - 1]:.0f}"
    raise MalformedLineError(int(lines[first]), rule)
