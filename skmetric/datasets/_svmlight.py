"""Parser for blocks of lines in the SVMlight format with groups."""

import re
import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmetric.datasets._rules import (
    GROUP_BYTES,
    LARGEST_INTEGER,
    LARGEST_VALUE,
    MISSING,
    MISSING_FROM,
    NUMBER,
    Rules,
    explain,
    shown,
)

__all__ = ["Lines", "MalformedLineError", "OtherRulesError", "parse_lines"]

_COMMENT = re.compile(rb"#[^\n]*")
_COLON_TO_SPACE = bytes.maketrans(b":", b" ")
_COMMENT_IN_GROUP = re.compile(rb"qid:[^ \t\r\n#]*+#")

# Some C libraries print NaN and infinity with a number sign, which would begin a comment.
_C_SPECIAL = re.compile(rb"#(?:QNAN|SNAN|IND|INF)")
_C_NAN = re.compile(rb"(:[-+]?)1\.#(?:QNAN|SNAN|IND)[0-9]*+")
_C_INFINITY = re.compile(rb"(:[-+]?)1\.#INF[0-9]*+")

_MISSING_VALUE = re.compile(rb":%b(?=[ \t\r\n])" % MISSING.encode())
_MISSING_GROUP = re.compile(rb"^%b$" % MISSING.encode(), re.MULTILINE)

_TEXT_GROUP = re.compile(rb"qid:([^\x00-\x20\x7f]++)")
_WHOLE_GROUP = rb"[-+]?+[0-9]++"
_LINE_WITH_TEXT_GROUP = re.compile(rb"[ \t\r]*+[^ \t\r]++[ \t\r]++qid:(?!%b(?:[ \t\r]|$))[^ \t\r]" % _WHOLE_GROUP)


def _lines_of(number: bytes) -> "re.Pattern[bytes]":
    """Match as many well-formed lines as possible. Possessive quantifiers never backtrack: the time is linear."""
    line = rb"(?:%b[ \t\r]++qid:%b(?:[ \t\r]++[0-9]++:%b)*+)?+[ \t\r]*+\n" % (number, _WHOLE_GROUP, number)
    return re.compile(rb"(?:[ \t\r]*+%b)*+" % line)


# Matching the characters of numbers is three times as fast as matching numbers. Only blocks with an error need the
# strict pattern.
_LINES = _lines_of(rb"[-+.0-9eE]++")
_STRICT_LINES = _lines_of(NUMBER.encode())


class MalformedLineError(ValueError):
    """A line does not have the required form.

    Parameters
    ----------
    line : int
        Index of the line in the block, from 0.
    reason : str
        The rule, the text that was found instead, and the way out.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line, self.reason = line, reason


class _RefusedLineError(Exception):
    """A line is refused; its argument is the index of the line in the block. What is wrong is found out later."""


class OtherRulesError(Exception):
    """The file must be read again from its beginning, by more expensive rules.

    Parameters
    ----------
    rules : Rules
        The rules to read it by.
    """

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.rules = rules


@dataclass(frozen=True)
class Lines:
    """The contents of the lines of a block. Empty lines and comment lines are left out.

    Attributes
    ----------
    labels : ndarray of shape (n_samples,)
        Number at the beginning of each line.
    groups : ndarray of int or str, shape (n_samples,)
        What follows ``qid:`` in each line.
    counts : ndarray of int, shape (n_samples,)
        Number of features in each line.
    columns : ndarray of int, shape (counts.sum(),)
        Columns of the features, from 0, ascending within a line.
    values : ndarray of shape (counts.sum(),)
        Values of the features.
    """

    labels: NDArray[np.float64]
    groups: NDArray[np.int64] | NDArray[np.str_]
    counts: NDArray[np.intp]
    columns: NDArray[np.intp]
    values: NDArray[np.float64]


def parse_lines(text: bytes, rules: Rules) -> Lines:
    """Parse a block of whole lines.

    One call reads all numbers of the block. There is no Python loop over lines or tokens.

    Raises
    ------
    MalformedLineError
        If a line has another form, or contents that the rules refuse.
    OtherRulesError
        If a group is not a whole number below 2**53, or a value is infinite, and the rules do not expect it.
    """
    if b"#" in text:
        text = _without_comments(text)
    try:
        return _parse(text, rules)
    except _RefusedLineError as refused:
        number = int(refused.args[0])
        line = text.split(b"\n")[number]
        if not rules.text_groups and _LINE_WITH_TEXT_GROUP.match(line):
            raise OtherRulesError(replace(rules, text_groups=True)) from None
        raise MalformedLineError(number, explain(line, rules)) from None


def _parse(text: bytes, rules: Rules) -> Lines:
    ids: list[bytes] = []
    if rules.text_groups:
        ids, text = _TEXT_GROUP.findall(text), _TEXT_GROUP.sub(b"qid:0", text)
    if rules.largest_floats or b"n" in text or b"N" in text:
        text = _missing_as_numbers(text)
    _refuse_rest(text, _LINES)
    n_colons = _colons_by_line(text)
    line_of_row = np.flatnonzero(n_colons)
    # A line with c colons has c pairs of numbers: label and group, then index and value of each feature.
    pairs = _numbers(text, int(n_colons.sum())).reshape(-1, 2)
    heads = np.cumsum(n_colons[line_of_row]) - n_colons[line_of_row]
    features = np.delete(pairs, heads, axis=0)
    counts = n_colons[line_of_row] - 1
    line_of_value = np.repeat(line_of_row, counts)
    labels, indices, values = pairs[heads, 0], features[:, 0], features[:, 1]
    groups = _text_groups(ids, line_of_row) if rules.text_groups else _number_groups(pairs[heads, 1], rules)
    _refuse_first(np.abs(labels) >= MISSING_FROM, line_of_row)
    _check_indices(indices, line_of_value, rules)
    _fill_missing(values, line_of_value, rules)
    return Lines(labels, groups, counts, indices.astype(np.intp) - rules.first_index, values)


def _without_comments(text: bytes) -> bytes:
    for match in _COMMENT_IN_GROUP.finditer(text):
        line_start = text.rfind(b"\n", 0, match.start()) + 1
        if b"#" not in text[line_start : match.start()]:
            raise MalformedLineError(
                text.count(b"\n", 0, line_start),
                f"must have a blank between the group and '#', which begins a comment, got "
                f"{shown(match.group().decode(errors='replace'))}. Write the blank, or rename the group.",
            )
    if _C_SPECIAL.search(text):
        text = _C_INFINITY.sub(rb"\1inf", _C_NAN.sub(rb"\1nan", text))
    return _COMMENT.sub(b"", text)


def _missing_as_numbers(text: bytes) -> bytes:
    """Write all missing values as one number that is finite as float64."""
    return _MISSING_VALUE.sub(b":%g" % MISSING_FROM, text)


def _refuse_rest(text: bytes, lines: "re.Pattern[bytes]") -> None:
    """Refuse the first line that is not well-formed."""
    end = lines.match(text).end()  # type: ignore[union-attr]  # it matches the empty text
    if end < len(text):
        raise _RefusedLineError(text.count(b"\n", 0, end))


def _refuse_first(refused: NDArray[np.bool_], lines: NDArray[np.intp]) -> None:
    if refused.any():
        raise _RefusedLineError(lines[refused.argmax()])


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
        _refuse_rest(text, _STRICT_LINES)
    return numbers


def _number_groups(numbers: NDArray[np.float64], rules: Rules) -> NDArray[np.int64]:
    if (np.abs(numbers) >= LARGEST_INTEGER).any():
        raise OtherRulesError(replace(rules, text_groups=True))
    return numbers.astype(np.int64)


def _text_groups(ids: list[bytes], line_of_row: NDArray[np.intp]) -> NDArray[np.str_]:
    if not ids:
        return np.empty(0, dtype=np.str_)
    _refuse_first(np.fromiter(map(len, ids), np.intp, len(ids)) > GROUP_BYTES, line_of_row)
    joined = b"\n".join(ids)
    missing = _MISSING_GROUP.search(joined)
    if missing is not None:
        raise _RefusedLineError(line_of_row[joined.count(b"\n", 0, missing.start())])
    try:
        return np.array(joined.decode().split("\n"))
    except UnicodeDecodeError as error:
        raise _RefusedLineError(line_of_row[joined.count(b"\n", 0, error.start)]) from None


def _check_indices(indices: NDArray[np.float64], lines: NDArray[np.intp], rules: Rules) -> None:
    refused = (indices < rules.first_index) | (indices > rules.last_index)
    refused[1:] |= (indices[1:] <= indices[:-1]) & (lines[1:] == lines[:-1])
    _refuse_first(refused, lines)


def _fill_missing(values: NDArray[np.float64], lines: NDArray[np.intp], rules: Rules) -> None:
    large = np.abs(values) > LARGEST_VALUE
    if not large.any():
        return
    infinite = np.isinf(values)
    if infinite.any() and not rules.largest_floats:
        raise OtherRulesError(replace(rules, largest_floats=True))
    missing = (np.abs(values) >= MISSING_FROM) & ~infinite
    if rules.missing is None:
        _refuse_first(large, lines)
    else:
        _refuse_first(large & ~missing, lines)
        values[missing] = rules.missing
