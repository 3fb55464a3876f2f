"""load_letor against a slow, plain reader of one line after the other."""

import re
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skmetric.datasets import _blocks, load_letor

NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
BLANKS = re.compile("[ \t\r]+")
N_FEATURES = 9


def is_missing(text):
    if re.fullmatch(r"null|[-+]?nan(\([a-z0-9_]*\))?", text.lower()):
        return True
    return bool(NUMBER.fullmatch(text)) and Decimal("1.797e308") <= abs(Decimal(text)) <= Decimal("1.8e308")


def number_of(text, largest):
    if not NUMBER.fullmatch(text) or is_missing(text) or abs(float(text)) > largest:
        raise ValueError(text)
    return float(text)


def row_of(line, missing):
    """Label, group and row of X; None for a line without a row; a ValueError for a malformed line."""
    data, _, comment = line.partition("#")
    special = re.search(r":[-+]?1\.$", data) and re.match("(QNAN|SNAN|IND|INF)[0-9]*", comment)
    if special:
        value = "inf" if special.group().startswith("INF") else "nan"
        return row_of(data.removesuffix("1.") + value + comment[special.end() :], missing)
    label, *others = BLANKS.split(data.strip(" \t\r"))
    if label == "":
        return None
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", data) or (re.search("qid:[^ \t\r]*$", data) and "#" in line):
        raise ValueError(data)
    y = number_of(label, np.finfo(np.float64).max)
    group = others.pop(0) if others else ""
    if not re.fullmatch("qid:.+", group) or is_missing(group[4:]) or len(group[4:].encode()) > 255:
        raise ValueError(group)
    row, last = np.zeros(N_FEATURES), 0
    for pair in others:
        index, value = pair.split(":")
        if not re.fullmatch("[0-9]+", index) or not last < int(index) <= N_FEATURES:
            raise ValueError(pair)
        last = int(index)
        fill = missing is not None and is_missing(value)
        row[last - 1] = missing if fill else number_of(value, np.finfo(np.float32).max)
    return y, group[4:], row


def read_slowly(text, missing):
    """The table, or the numbers of the malformed lines."""
    rows, wrong = [], []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        try:
            rows.append(row_of(line, missing))
        except ValueError:
            wrong.append(number)
    rows = [row for row in rows if row is not None]
    if wrong or not rows:
        return wrong
    y, groups, X = zip(*rows, strict=True)
    if all(re.fullmatch("[-+]?[0-9]+", group) and -(2**63) <= int(group) < 2**63 for group in groups):
        groups = [int(group) for group in groups]
    return np.array(X, dtype=np.float32), np.array(y), np.array(groups)


def assert_read_as_slowly(tmp_path_factory, text, missing, block_bytes):
    path = tmp_path_factory.mktemp("letor") / "train.txt"
    path.write_bytes(text.encode())
    expected = read_slowly(text, missing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_blocks, "BLOCK_BYTES", block_bytes)
        kwargs = {"n_features": N_FEATURES, "missing": "error" if missing is None else missing}
        if isinstance(expected, tuple):
            for found, array in zip(load_letor(path, **kwargs), expected, strict=True):
                np.testing.assert_array_equal(found, array)
                assert found.dtype.kind == array.dtype.kind
            return
        with pytest.raises(ValueError, match=r"^(line|path)") as caught:
            load_letor(path, **kwargs)
    message = str(caught.value)
    if not expected:
        assert "path must be a file with at least one row" in message
        return
    assert int(re.match("line ([0-9]+) of ", message).group(1)) in expected
    # Every malformed line has an explanation of its own.
    assert "must have the form 'label" not in message


missing_text = st.sampled_from(["NULL", "null", "nan", "NaN", "-nan", "1.#QNAN", "1.797693135e+308", "-1.8E308"])
number = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(["0", "-0", "1.", ".5", "+2", "1e3", "-1.5E-7", "007", "1e-400"]),
)
value = st.one_of(number, number, missing_text)
whole_id = st.one_of(st.integers(0, 9).map(str), st.sampled_from(["007", "-3", "+4", str(2**53 + 1), str(2**64)]))
text_id = st.sampled_from(["GX004-12", "CLEF:1", "\u00e9t\u00e9", "1.0", "1_0", "nano", "e5", "qid:3", "x" * 255])
space = st.sampled_from([" ", "  ", "\t", "\r "])
comment = st.sampled_from(["", " # a:1 qid:3#4", " #", " # 1.#INF NULL \0", " ", "\r"])
# What takes the position of a part of a line.
wrong_part = st.sampled_from(
    [
        "",
        "x",
        "1",
        "qid:1",
        "qid:",
        "qid",
        "1:",
        ":1",
        "1:2:3",
        "1.0:2",
        "0:1",
        "10:1",
        "3:1",
        "-1:2",
        "2:inf",
        "2:1e39",
        "2:1e999",
        "2:1,5",
        "2:1.2.3",
        "2:--1",
        "2:0x1",
        "2:½",
        "nan",
        "1,5",
        "1.8e308",
        "1e999",
        "qid:NULL",
        "qid:a#b",
        "QID:3",
        "\ufeff",
        "2:1\x0c",
        "\x00",
        "qid:a\x00",
        "2:1.#INF",
        "2:1.#IND00",
        "1:1-2",
    ]
)


@st.composite
def line(draw, ids):
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(["", "  ", "# nothing", "\t# qid:a#b"]))
    parts = [draw(number), f"qid:{draw(ids)}"]
    parts += [f"{index}:{draw(value)}" for index in sorted(draw(st.sets(st.integers(1, N_FEATURES), max_size=5)))]
    return draw(space).join(parts) + draw(comment)


@st.composite
def malformed_line(draw):
    parts = BLANKS.split(draw(line(st.one_of(whole_id, text_id))))
    k = draw(st.integers(0, len(parts)))
    parts[k : k + draw(st.integers(0, 1))] = [draw(wrong_part)]
    return " ".join(parts)


block_bytes = st.sampled_from([1, 40, 2**20])
missing = st.sampled_from([None, np.nan, 0.0, -7.5])


@given(
    lines=st.lists(line(whole_id), max_size=5),
    more=st.lists(line(st.one_of(whole_id, text_id)), max_size=3),
    mark=st.sampled_from(["", "\ufeff"]),
    end=st.sampled_from(["\n", "\r\n"]),
    missing=missing,
    block_bytes=block_bytes,
)
@settings(max_examples=100)
def test_a_well_formed_file(tmp_path_factory, lines, more, mark, end, missing, block_bytes):
    text = mark + end.join([*lines, *more])
    assert_read_as_slowly(tmp_path_factory, text, missing, block_bytes)


@given(
    lines=st.lists(line(whole_id), max_size=3),
    wrong=st.lists(malformed_line(), min_size=1, max_size=3),
    missing=missing,
    block_bytes=block_bytes,
)
@settings(max_examples=200)
def test_a_file_with_malformed_lines(tmp_path_factory, lines, wrong, missing, block_bytes):
    assert_read_as_slowly(tmp_path_factory, "\n".join([*lines, *wrong, *lines]), missing, block_bytes)


@given(text=st.text("01 :.-eqid\tn#a\n\r", max_size=30), missing=missing, block_bytes=block_bytes)
@settings(max_examples=200)
def test_any_text(tmp_path_factory, text, missing, block_bytes):
    assert_read_as_slowly(tmp_path_factory, text + "\n1 qid:1 1:1", missing, block_bytes)
