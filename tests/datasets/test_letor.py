import codecs
import gzip
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

from skmetric.datasets import _blocks, load_letor

BLOCKS = [1, 7, 60, _blocks.BLOCK_BYTES]


def table(seed, n=200, d=12):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * (rng.random((n, d)) < 0.6) * 10.0 ** rng.integers(-12, 12, size=(n, d))
    return X, rng.integers(0, 5, size=n), np.sort(rng.integers(0, 30, size=n))


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.toarray() if hasattr(a, "toarray") else a, b)


# Values by hand


def test_a_file_by_hand(write):
    path = write(
        "# a table\n\n2 qid:10 1:0.5 3:-1e2 # docid = 7:1\n0.5\tqid:10  2:.25\r\n  1 qid:9 \n-1 qid:11 3:2. 4:+3"
    )
    X, y, groups = load_letor(path)
    np.testing.assert_array_equal(X, [[0.5, 0, -100, 0], [0, 0.25, 0, 0], [0, 0, 0, 0], [0, 0, 2, 3]])
    np.testing.assert_array_equal(y, [2, 0.5, 1, -1])
    np.testing.assert_array_equal(groups, [10, 10, 9, 11])
    assert X.dtype == np.float32
    assert y.dtype == np.float64
    assert groups.dtype == np.int64


def test_n_features_and_zero_based(write):
    path = write("1 qid:1 1:5\n0 qid:1 2:6\n")
    assert load_letor(path)[0].tolist() == [[5, 0], [0, 6]]
    assert load_letor(path, n_features=4)[0].tolist() == [[5, 0, 0, 0], [0, 6, 0, 0]]
    path = write("1 qid:1 0:5\n0 qid:1 2:6\n")
    assert load_letor(path, zero_based=True)[0].tolist() == [[5, 0, 0], [0, 0, 6]]
    assert load_letor(path, zero_based=np.True_, n_features=3)[0].tolist() == [[5, 0, 0], [0, 0, 6]]
    path = write("1 qid:1\n")
    assert load_letor(path, zero_based=True, n_features=1)[0].tolist() == [[0]]


def test_a_zero_based_file_without_index_0_gets_a_warning(write):
    path = write("1 qid:1 1:5\n0 qid:1 2:6\n")
    with pytest.warns(UserWarning, match=r"No line of .* has a feature with the index 0, .* Pass zero_based=False"):
        X = load_letor(path, zero_based=True)[0]
    assert X.tolist() == [[0, 5, 0], [0, 0, 6]]


def test_rows_without_features(write):
    path = write("1 qid:1\n0 qid:2 # nothing\n")
    assert load_letor(path)[0].shape == (2, 0)
    assert load_letor(path, n_features=3)[0].tolist() == [[0] * 3] * 2
    assert load_letor(path, sparse=True)[0].shape == (2, 0)


def test_sparse_keeps_what_is_written(write):
    X = load_letor(write("1 qid:1 2:0 3:5\n0 qid:1\n1 qid:2 1:1\n"), sparse=True)[0]
    assert X.dtype == np.float32
    assert X.indices.dtype == np.int32
    assert (X.data.tolist(), X.indices.tolist(), X.indptr.tolist()) == ([0, 5, 1], [1, 2, 0], [0, 2, 2, 3])


def test_the_largest_integers_are_exact(write):
    top = 2**53 - 1
    assert load_letor(write(f"1 qid:{top} 1:{2**24}\n"))[2].tolist() == [top]


# Against scikit-learn


@pytest.mark.parametrize("block_bytes", BLOCKS)
@pytest.mark.parametrize("zero_based", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_matches_load_svmlight_file(tmp_path, monkeypatch, block_bytes, zero_based, sparse):
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", block_bytes)
    X, y, groups = table(0)
    path = tmp_path / "train.txt"
    dump_svmlight_file(X, y, str(path), query_id=groups, zero_based=zero_based, comment="made")
    expected = load_svmlight_file(str(path), query_id=True, zero_based=zero_based, dtype=np.float32)
    assert_same(
        load_letor(path, zero_based=zero_based, sparse=sparse), (expected[0].toarray(), expected[1], expected[2])
    )


@pytest.mark.parametrize("block_bytes", BLOCKS)
def test_compressed(write, tmp_path, monkeypatch, block_bytes):
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", block_bytes)
    X, y, groups = table(1, n=50)
    dump_svmlight_file(X, y, str(tmp_path / "plain.txt"), query_id=groups, zero_based=False)
    expected = load_letor(tmp_path / "plain.txt")
    compressed = gzip.compress((tmp_path / "plain.txt").read_bytes())
    # The first bytes decide, not the name.
    for name in ("train.gz", "train.txt"):
        assert_same(load_letor(write(compressed, name)), expected)


number = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(["0", "-0", "1.", ".5", "+2", "1e3", "-1.5E-7", "007", "1e-400", "123456789012345678901234567890"]),
)
space = st.sampled_from([" ", "  ", "\t"])
comment = st.sampled_from(["", " # a:1 qid:3", " #", "\t# qid:3#4", " "])


@st.composite
def line(draw):
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(["", "  ", "# nothing", "\t#"]))
    parts = [draw(number), f"qid:{draw(st.integers(0, 2**40))}"]
    parts += [f"{index}:{draw(number)}" for index in sorted(draw(st.sets(st.integers(1, 9), max_size=6)))]
    return draw(space).join(parts) + draw(comment)


@given(lines=st.lists(line(), min_size=1, max_size=12), ending=st.sampled_from(["\n", "\r\n"]), last=st.booleans())
def test_any_well_formed_file_is_read_as_by_scikit_learn(tmp_path_factory, lines, ending, last):
    path = tmp_path_factory.mktemp("letor") / "train.txt"
    path.write_bytes((ending.join(["3 qid:5 2:1", *lines]) + (ending if last else "")).encode())
    expected = load_svmlight_file(str(path), query_id=True, n_features=9, zero_based=False, dtype=np.float32)
    assert_same(load_letor(path, n_features=9), (expected[0].toarray(), expected[1], expected[2]))


# Groups


@pytest.mark.parametrize("block_bytes", BLOCKS)
@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["7", "007", "-3", "+4"], [7, 7, -3, 4]),
        (["7", "007", "GX004-12"], ["7", "007", "GX004-12"]),
        (["CLEF:2011:01", "a:b", "\u00e9t\u00e9", "1.0", "1e3", "1_0"], None),
        ([str(2**53 - 1), str(2**53), str(2**53 + 1)], [2**53 - 1, 2**53, 2**53 + 1]),
        ([str(2**63 - 1), str(-(2**63)), "007"], [2**63 - 1, -(2**63), 7]),
        ([str(2**64 - 1), "7"], None),
        (["7", "1_0"], None),
        (["nano", "NULLS", "none", "e5", "q", "qid:", "x" * 255], None),
    ],
)
def test_groups_are_int64_if_all_are_whole_numbers_and_texts_otherwise(write, monkeypatch, block_bytes, ids, expected):
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", block_bytes)
    expected = np.array(ids if expected is None else expected)
    X, y, groups = load_letor(write("".join(f"{k} qid:{i} 1:{k} # qid:a#b\n" for k, i in enumerate(ids))))
    np.testing.assert_array_equal(groups, expected)
    assert groups.dtype == expected.dtype
    assert X.ravel().tolist() == y.tolist() == list(range(len(ids)))


def test_a_late_text_makes_all_groups_texts(write, monkeypatch):
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 100)
    path = write("1 qid:012 1:1 2:2\n" * 50 + "# end\n0 qid:last 3:1\n")
    for sparse in (False, True):
        X, y, groups = load_letor(path, sparse=sparse)
        assert groups.tolist() == ["012"] * 50 + ["last"]
        assert X.shape == (51, 3)
        assert X.sum() == 151
        assert y.sum() == 50


# Missing values


@pytest.mark.parametrize("block_bytes", [1, _blocks.BLOCK_BYTES])
@pytest.mark.parametrize(
    "text",
    [
        "NULL",
        "null",
        "nan",
        "NaN",
        "-nan",
        "NAN",
        "-nan(ind)",
        "1.#QNAN",
        "-1.#IND00",
        "1.797693135e+308",
        "1.79769313486e+308",
        "1.7976931348623157e308",
        "-1.7976931348623157E+308",
        "1.797e308",
        "1.798e+308",
        "1.8e+308",
        "1.80e+308",
        f"{np.finfo(float).max:.0f}",
        f"{np.finfo(float).max:f}",
    ],
)
def test_missing_values_become_what_missing_says(write, monkeypatch, block_bytes, text):
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", block_bytes)
    path = write(f"1 qid:1 1:0.5 2:{text} 3:2\n0 qid:1 1:7 # NULL\n0 qid:2 3:{text}\n")
    for missing, sparse in ((np.nan, False), (0, False), (-1.5, True), (np.float32(3), False)):
        X, y, groups = load_letor(path, missing=missing, sparse=sparse)
        X = X.toarray() if sparse else X
        np.testing.assert_array_equal(X, np.array([[0.5, missing, 2], [7, 0, 0], [0, 0, missing]], dtype=np.float32))
        assert (y.tolist(), groups.tolist()) == ([1, 0, 0], [1, 1, 2])
    with pytest.raises(
        ValueError, match=r"line 1 of .* got the missing value '2:.* Pass missing=np.nan .* missing=0.0"
    ):
        load_letor(path)


def test_missing_values_in_a_sparse_table_are_stored(write):
    X = load_letor(write("1 qid:1 1:1 2:NULL\n"), sparse=True, missing=0.0)[0]
    assert (X.data.tolist(), X.indices.tolist()) == ([1, 0], [0, 1])


def test_missing_values_and_text_groups_at_the_end_of_a_file(write, monkeypatch):
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 1)
    path = write("1 qid:1 1:1\n" * 3 + "1 qid:2 1:1.8e308\n1 qid:x 1:NULL\n")
    X, _, groups = load_letor(path, missing=9)
    assert X.ravel().tolist() == [1, 1, 1, 9, 9]
    assert groups.tolist() == ["1", "1", "1", "2", "x"]


# Encodings and large files


@pytest.mark.parametrize("block_bytes", BLOCKS)
def test_a_byte_order_mark_is_skipped(write, monkeypatch, block_bytes):
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", block_bytes)
    text = codecs.BOM_UTF8 + b"2 qid:1 1:3\r\n1 qid:1 1:4\r\n"
    for path in (write(text, "plain"), write(gzip.compress(text), "compressed")):
        X, y, _ = load_letor(path)
        assert (X.tolist(), y.tolist()) == ([[3], [4]], [2, 1])


def test_line_ends_and_blanks(write):
    path = write("1 qid:1 1:1\r\n\r\n\t 0\t\tqid:2  1:2\t\r\n \n2 qid:3 1:3")
    X, y, groups = load_letor(path)
    assert (X.ravel().tolist(), y.tolist(), groups.tolist()) == ([1, 2, 3], [1, 0, 2], [1, 2, 3])


@pytest.mark.parametrize("first", [1, 2**31 - 1, 2**31])
def test_indices_beyond_int32_are_columns_of_a_sparse_table(write, monkeypatch, first):
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 1)
    indices = [first, 2**31, 2**31 + 1, 2**32 + 1, 2**53 - 1]
    path = write("".join(f"1 qid:1 {index}:{k}\n" for k, index in enumerate(indices)))
    X = load_letor(path, sparse=True)[0]
    assert X.shape == (5, 2**53 - 1)
    assert X.indices.tolist() == [index - 1 for index in indices]
    assert X.indptr.tolist() == [0, 1, 2, 3, 4, 5]
    assert load_letor(path, sparse=True, n_features=2**53)[0].shape == (5, 2**53)


def test_an_index_at_the_end_of_int32(write):
    for index in (2**31 - 1, 2**31):
        X = load_letor(write(f"1 qid:1 {index}:4\n"), sparse=True)[0]
        assert X.shape == (1, index)
        assert X.indices.tolist() == [index - 1]


# Memory


@pytest.mark.parametrize("sparse", [False, True])
def test_memory_is_that_of_the_result(write, sparse):
    row = " ".join(f"{index}:0.5" for index in range(1, 101))
    path = write(f"1 qid:1 {row}\n" * 30_000)
    tracemalloc.start()
    X = load_letor(path, sparse=sparse)[0]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = X.data.nbytes + X.indices.nbytes if sparse else X.nbytes
    block = 20 * _blocks.BLOCK_BYTES
    assert size / 2 < block
    assert peak < size + block
    assert X.sum() == 30_000 * 50


def test_a_table_that_becomes_wider(write, monkeypatch):
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 1)
    X = load_letor(write("1 qid:1 1:1\n1 qid:1 3:3\n1 qid:1 2:2\n1 qid:1 5:5\n"))[0]
    assert X.tolist() == [[1, 0, 0, 0, 0], [0, 0, 3, 0, 0], [0, 2, 0, 0, 0], [0, 0, 0, 0, 5]]
