"""What a line of a LETOR file may contain, and the explanation for one that is refused."""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = [
    "GROUP_BYTES",
    "LARGEST_INTEGER",
    "LARGEST_VALUE",
    "MISSING",
    "MISSING_FROM",
    "NUMBER",
    "Rules",
    "explain",
    "shown",
]

# Integers are read as float64, which represents all integers below this exactly.
LARGEST_INTEGER = 2**53
LARGEST_VALUE = float(np.finfo(np.float32).max)
# Long enough for any id, and short enough for one per row.
GROUP_BYTES = 255
SHOWN_CHARACTERS = 80

# Patterns of the text of numbers. Possessive quantifiers never backtrack: the time is linear.
NUMBER = r"[-+]?+(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][-+]?+[0-9]++)?+"
# The largest float64, 1.7976931348623157e308, is the missing value of Istella. With fewer digits it is rounded or cut
# to a number from 1.797e308 to 1.8e308, and most of these are infinite as float64: their text decides.
MISSING_FROM = 1.797e308
_LARGEST_FLOAT = r"[-+]?+1\.(?:79[789][0-9]*+|80*+)[eE]\+?+308"
MISSING = rf"(?:[nN][uU][lL][lL]|[-+]?+[nN][aA][nN](?:\([A-Za-z0-9_]*+\))?+|{_LARGEST_FLOAT})"

_NUMBER, _MISSING = re.compile(NUMBER), re.compile(MISSING)
_INFINITE = re.compile(r"[-+]?+inf(?:inity)?+", re.IGNORECASE)
_INDEX, _BLANKS = re.compile("[0-9]++"), re.compile(r"[ \t\r]++")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Rules:
    """What the lines of a file may contain.

    Attributes
    ----------
    first_index : int
        Index of the first column: 0 or 1.
    n_features : int or None
        Number of columns, if the user gave it.
    most_columns : int or None
        Largest number of columns that a dense table may have, if the user did not give their number.
    n_rows : int
        Number of rows of the dense table, for messages.
    missing : float or None
        What a missing value becomes. None if there must be no missing values.
    text_groups : bool
        Whether groups are read as texts instead of whole numbers below 2**53.
    largest_floats : bool
        Whether the text is searched for rounded forms of the largest float64, which are infinite as numbers.
    """

    first_index: int
    n_features: int | None
    most_columns: int | None
    n_rows: int
    missing: float | None
    text_groups: bool = False
    largest_floats: bool = False

    @cached_property
    def last_index(self) -> float:
        """Largest valid index."""
        widths = [LARGEST_INTEGER - self.first_index, self.n_features, self.most_columns]
        return min(width for width in widths if width is not None) - 1 + self.first_index


def explain(line: bytes, rules: Rules) -> str:
    """Explain why a line without its comment is refused: the rest of a sentence that begins with the line number."""
    text = line.decode(errors="surrogateescape").strip(" \t\r")
    reason = _wrong_character(text)
    if reason is None:
        label, *others = _BLANKS.split(text)
        reason = _wrong_label(label) or _wrong_group(others, text) or _wrong_features(others[1:], rules)
    return reason or (
        f"must have the form 'label qid:group index:value index:value ...', got {shown(text)}. Correct the line, or "
        "leave it out."
    )


def shown(text: str) -> str:
    """Return the text in quotes, cut if it is long."""
    return repr(text) if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]!r}..."


def _wrong_character(text: str) -> str | None:
    if text.startswith("\ufeff"):
        return (
            "must not begin with a byte order mark, which only the first line of a file may have, got "
            f"{shown(text)}. Remove its three bytes."
        )
    found = _CONTROL.search(text)
    if found is None:
        if "\r" in text and text.count("qid:") > 1:
            return "must end in a line feed, got several lines with only carriage returns between them. Convert them."
        return None
    if found.group() == "\0":
        return (
            "must be text, got a NUL byte. Check that the file is neither damaged nor an archive, and convert text in "
            "UTF-16 to UTF-8."
        )
    return f"must have blanks or tabs between its parts, got the control character {found.group()!r}. Replace it."


def _wrong_label(label: str) -> str | None:
    if label.startswith("qid:"):
        return f"must begin with a label, got {shown(label)}. Write the relevance grade before 'qid:'."
    if is_missing(label):
        return f"must have a label, got the missing label {shown(label)}. Leave the line out, or give it a label."
    if _NUMBER.fullmatch(label) is None and _INFINITE.fullmatch(label) is None:
        return (
            f"must begin with a number, the label, got {shown(label)}. Write grades as numbers, higher for more "
            "relevant rows."
        )
    if np.isinf(float(label)):
        return f"must have a finite label, got {shown(label)}. Leave the line out, or give it a finite label."
    return None


def is_missing(text: str) -> bool:
    """Return whether the text of a value says that it is missing."""
    if _MISSING.fullmatch(text) is not None:
        return True
    return _NUMBER.fullmatch(text) is not None and MISSING_FROM <= abs(float(text)) < np.inf


def _wrong_group(others: list[str], text: str) -> str | None:
    if not any(other.startswith("qid:") for other in others):
        if any(other.lower().startswith("qid") for other in others):
            return f"must have its group in the form 'qid:group', lower case and without blanks, got {shown(text)}."
        return (
            f"must have a group, 'qid:' and an id, after the label, got {shown(text)}. Read a file without groups by "
            "sklearn.datasets.load_svmlight_file."
        )
    if not others[0].startswith("qid:"):
        return f"must have 'qid:' directly after the label, got {shown(others[0])} between them. Move it."
    group = others[0].removeprefix("qid:")
    if not group:
        return f"must have an id directly after 'qid:', got {shown(text)}. Write the id without a blank before it."
    if is_missing(group):
        return f"must have a group, got the missing group {shown(group)}. Leave the line out, or give it a group."
    encoded = group.encode(errors="surrogateescape")
    if len(encoded) > GROUP_BYTES:
        return f"must have a group of at most {GROUP_BYTES} bytes, got {shown(group)}. Shorten it."
    if encoded.decode(errors="ignore") != group:
        return f"must have a group in UTF-8, got the bytes {encoded!r}. Convert the file to UTF-8."
    return None


def _wrong_features(pairs: list[str], rules: Rules) -> str | None:
    previous = ""
    for pair in pairs:
        index, _, value = pair.partition(":")
        reason = _wrong_pair(pair) or _wrong_index(index, previous, rules) or _wrong_value(value, pair, rules)
        if reason is not None:
            return reason
        previous = index
    return None


def _wrong_pair(pair: str) -> str | None:
    index, colon, value = pair.partition(":")
    if index == "qid":
        return f"must have one group, got {shown(pair)} as a second one. Remove one of them."
    if not colon:
        return f"must have the form index:value after the group, got {shown(pair)}. Write '#' before a comment."
    if not index:
        return f"must have an index before each ':', got {shown(pair)}. Write it without a blank after it."
    if not value:
        return (
            f"must have a value after each ':', got {shown(pair)}. Write it without a blank before it, or nan if it is "
            "missing."
        )
    if ":" in value:
        return f"must have one ':' per value, got {shown(pair)}. Separate values by blanks."
    if _INDEX.fullmatch(index) is None:
        return f"must have whole numbers as indices, got {shown(pair)}. Number the features."
    return None


def _wrong_index(index: str, previous: str, rules: Rules) -> str | None:
    number, last = float(index), rules.last_index
    if number < rules.first_index:
        return (
            f"must have indices from {rules.first_index}, got {index}. Pass zero_based=True if the indices of the file "
            "begin at 0."
        )
    if number > last:
        return _too_large(index, last, rules)
    if previous and number == float(previous):
        return f"must have each index once, got {index} twice. Remove one of its values."
    if previous and number < float(previous):
        return f"must have ascending indices, got {index} after {previous}. Sort the values of each line."
    return None


def _too_large(index: str, last: float, rules: Rules) -> str:
    start = f"must have indices up to {last}, got {shown(index)[1:-1]}"
    if rules.n_features is not None:
        way_out = "Pass n_features=None, or a larger number"
        if rules.first_index == 0:
            way_out += ", or zero_based=False if the indices of the file begin at 1"
        return f"{start}. {way_out}."
    if rules.most_columns is None or float(index) >= LARGEST_INTEGER:
        return f"{start}. Renumber the features."
    n_columns = int(index) + 1 - rules.first_index
    gigabytes = 4 * n_columns * rules.n_rows / 2**30
    return (
        f"{start}: a dense X of {n_columns} columns for {rules.n_rows} lines needs {gigabytes:.3g} GiB, out of "
        f"proportion to the file. Correct the index, or pass sparse=True, or n_features={n_columns} if X should be so "
        "large."
    )


def _wrong_value(value: str, pair: str, rules: Rules) -> str | None:
    if is_missing(value):
        if rules.missing is not None:
            return None
        return (
            f"must have a number for each feature, got the missing value {shown(pair)}. Pass missing=np.nan to keep "
            "missing values as NaN, or missing=0.0, for instance."
        )
    if _INFINITE.fullmatch(value) is not None:
        return f"must have finite values, got {shown(pair)}. Write a number, or nan and pass missing=."
    if _NUMBER.fullmatch(value) is None:
        if _NUMBER.fullmatch(value.replace(",", ".", 1)) is not None:
            return f"must have points as decimal marks, got {shown(pair)}. Replace the commas."
        return f"must have numbers as values, got {shown(pair)}. Write a number, or nan if the value is missing."
    if abs(float(value)) > LARGEST_VALUE:
        return (
            f"must have values of at most {LARGEST_VALUE:.3g}, the largest float32, got {shown(pair)}. Scale the "
            "feature, or write nan and pass missing=."
        )
    return None
