import gzip
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

from skmetric.datasets import letor, load_letor

BLOCKS = [1, 7, 60, letor.BLOCK_BYTES]


@pytest.fixture
def write(tmp_path):
    def write(text, name="train.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


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
    assert load_letor(path, zero_based=True)[0].tolist() == [[0, 5, 0], [0, 0, 6]]
    path = write("1 qid:1 0:5\n")
    assert load_letor(path, zero_based=True, n_features=1)[0].tolist() == [[5]]


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
    monkeypatch.setattr(letor, "BLOCK_BYTES", block_bytes)
    X, y, groups = table(0)
    path = tmp_path / "train.txt"
    dump_svmlight_file(X, y, str(path), query_id=groups, zero_based=zero_based, comment="made")
    expected = load_svmlight_file(str(path), query_id=True, zero_based=zero_based, dtype=np.float32)
    assert_same(
        load_letor(path, zero_based=zero_based, sparse=sparse), (expected[0].toarray(), expected[1], expected[2])
    )


@pytest.mark.parametrize("block_bytes", BLOCKS)
def test_compressed(write, tmp_path, monkeypatch, block_bytes):
    monkeypatch.setattr(letor, "BLOCK_BYTES", block_bytes)
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
comment = st.sampled_from(["", " # a:1 qid:3", "#", " "])


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
    block = 20 * letor.BLOCK_BYTES
    assert size / 2 < block
    assert peak < size + block
    assert X.sum() == 30_000 * 50


def test_a_table_that_becomes_wider(write, monkeypatch):
    monkeypatch.setattr(letor, "BLOCK_BYTES", 1)
    X = load_letor(write("1 qid:1 1:1\n1 qid:1 3:3\n1 qid:1 2:2\n1 qid:1 5:5\n"))[0]
    assert X.tolist() == [[1, 0, 0, 0, 0], [0, 0, 3, 0, 0], [0, 2, 0, 0, 0], [0, 0, 0, 0, 5]]


# Errors


@pytest.mark.parametrize("block_bytes", [1, letor.BLOCK_BYTES])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "1 1:0.5",
            "must have the form 'label qid:group index:value .*' .* got '1 1:0.5'; sklearn.datasets.load_svmlight_file",
        ),
        ("qid:1 1:0.5", "must have the form .* got 'qid:1 1:0.5'. Correct the line"),
        ("1 qid: 1:0.5", "must have the form"),
        ("1 qid:a 1:0.5", "must have the form"),
        ("1 qid:-3 1:0.5", "must have the form"),
        ("1 1:0.5 qid:3", "must have the form"),
        ("1 qid:1 qid:2", "must have the form"),
        ("1 qid:1 1:0.5 2", "must have the form"),
        ("1 qid:1 1:2:3 4", "must have the form"),
        ("1 qid:1 1:", "must have the form"),
        ("1 qid:1 :2", "must have the form"),
        ("1 qid:1 1: 2:3", "must have the form"),
        ("1 qid:1 1 :2", "must have the form"),
        ("1 qid:1 1.0:2", "must have the form"),
        ("1 qid:1 -1:2", "must have the form"),
        ("1 qid:1 1:2+3", "must have the form"),
        ("1 qid:1 1:2-3 2:.", "must have the form"),
        ("1 qid:1 1:1e 2:3", "must have the form"),
        ("1 qid:1 1:e5", "must have the form"),
        ("1 qid:1 1:1.2.3", "must have the form"),
        ("1 qid:1 1:--1", "must have the form"),
        ("1 qid:1 1:nan", "must have the form"),
        ("1 qid:1 1:inf", "must have the form"),
        ("1 qid:1 1:NULL", "must have the form"),
        ("1 qid:1 1:0x1p3", "must have the form"),
        ("1 qid:1 1:1_000", "must have the form"),
        ("1,2 qid:1 1:1", "must have the form"),
        ("1-2 qid:1 1:1", "must have the form"),
        ("label", "must have the form"),
        ("5", "must have the form"),
        ("1 qid:1 1:½", "must have the form"),
        ("1 qid:1 1:" + "x" * 200, r"got '1 qid:1 1:x{70}\.\.\.'"),
        ("1 qid:1 0:1", "must have indices from 1, got 0: pass zero_based=True"),
        ("1 qid:1 2:1 2:1", "must have ascending indices below .*, none twice, got 2 after 2"),
        ("1 qid:1 3:1 2:1", "must have ascending indices .* got 2 after 3"),
        ("1 qid:1 6:1", "must have indices up to 5, got 6: pass n_features=None"),
        ("1 qid:9007199254740992 1:1", r"must have a group below 2\*\*53 after qid:, got 9007199254740992"),
        ("1 qid:1 1:3e39", r"must have a value of at most 3.4e\+38, got 3e\+39"),
        ("1 qid:1 1:-1e999", r"must have a value of at most 3.4e\+38, got -inf"),
        ("1e999 qid:1 1:1", r"must have a label of at most 1.8e\+308, got inf"),
    ],
)
def test_a_malformed_line_is_named(write, monkeypatch, block_bytes, text, message):
    monkeypatch.setattr(letor, "BLOCK_BYTES", block_bytes)
    good = "# made\n0 qid:1 1:1 5:2\n\n2 qid:2 # none\n"
    path = write(f"{good}{text}\n{good}")
    with pytest.raises(ValueError, match=rf"line 5 of .*train.txt .*{message}"):
        load_letor(path, n_features=5)


def test_a_huge_index_is_named(write):
    with pytest.raises(ValueError, match=r"line 1 of .* must have ascending indices below 2\*\*53"):
        load_letor(write("1 qid:1 99999999999999999999:1\n"))


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "  "])
def test_a_file_without_rows(write, text):
    with pytest.raises(ValueError, match=r"path must be a file with at least one row .* Pass another file"):
        load_letor(write(text))


@pytest.mark.parametrize(
    ("n_features", "error", "message"),
    [
        (0, ValueError, "n_features must be at least 1, got n_features=0. Pass None"),
        (2.0, TypeError, "n_features must be an integer or None, got 2.0 of type float. Pass None"),
        (True, TypeError, "n_features must be an integer or None, got True"),
    ],
)
def test_n_features_is_checked(write, n_features, error, message):
    with pytest.raises(error, match=message):
        load_letor(write("1 qid:1 1:1\n"), n_features=n_features)


def test_a_missing_file():
    with pytest.raises(FileNotFoundError):
        load_letor("no such file")
