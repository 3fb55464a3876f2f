import codecs
import gzip
import io
import itertools
import os
import re
import tarfile
import tracemalloc
import zlib

import numpy as np
import pytest

from skmetric.datasets import _blocks, letor, load_letor

# Text of a line, and the rest of the message about it.
MALFORMED = [
    # labels
    ("qid:1 1:0.5", "must begin with a label, got 'qid:1'. Write the relevance grade before 'qid:'."),
    ("good qid:1 1:1", "must begin with a number, the label, got 'good'. Write grades as numbers"),
    ("label", "must begin with a number, the label, got 'label'"),
    ("1,2 qid:1 1:1", "must begin with a number, the label, got '1,2'"),
    ("1-2 qid:1 1:1", "must begin with a number, the label, got '1-2'"),
    ("NULL qid:1 1:1", "must have a label, got the missing label 'NULL'. Leave the line out"),
    ("nan qid:1 1:1", "must have a label, got the missing label 'nan'"),
    ("1.797693135e+308 qid:1 1:1", r"must have a label, got the missing label '1.797693135e\+308'"),
    ("1.79769313486e+308 qid:1 1:1", r"must have a label, got the missing label '1.79769313486e\+308'"),
    ("-inf qid:1 1:1", "must have a finite label, got '-inf'"),
    ("1e999 qid:1 1:1", "must have a finite label, got '1e999'"),
    # groups
    ("1 1:0.5", "must have a group, 'qid:' and an id, after the label, got '1 1:0.5'. Read .*load_svmlight_file."),
    ("5", "must have a group, 'qid:' and an id, after the label, got '5'"),
    ("1 qid :3 1:1", "must have its group in the form 'qid:group', lower case and without blanks, got '1 qid :3 1:1'"),
    ("1 QID:3 1:1", "must have its group in the form 'qid:group', lower case"),
    ("1 1:0.5 qid:3", "must have 'qid:' directly after the label, got '1:0.5' between them. Move it."),
    ("1 qid: 1:0.5", "must have an id directly after 'qid:', got '1 qid: 1:0.5'. Write the id"),
    ("1 qid:NULL 1:1", "must have a group, got the missing group 'NULL'. Leave the line out, or give it a group."),
    ("1 qid:-nan 1:1", "must have a group, got the missing group '-nan'"),
    ("1 qid:1 qid:2", "must have one group, got 'qid:2' as a second one. Remove one of them."),
    ("1 qid:a qid:b", "must have one group, got 'qid:b' as a second one"),
    ("1 qid:" + "x" * 256, "must have a group of at most 255 bytes, got 'xx"),
    (b"1 qid:\xe9t\xe9 1:1", r"must have a group in UTF-8, got the bytes b'\\xe9t\\xe9'. Convert the file"),
    ("1 qid:C#1 1:0.5", "must have a blank between the group and '#', which begins a comment, got 'qid:C#'. Write"),
    ("1 qid:7#1 1:0.5", "must have a blank between the group and '#'.* got 'qid:7#'"),
    # pairs
    ("1 qid:1 1:0.5 2", "must have the form index:value after the group, got '2'. Write '#' before a comment."),
    ("1 qid:1 1:0.5 docid = 7", "must have the form index:value after the group, got 'docid'"),
    ("1 qid:1 1 :2", "must have the form index:value after the group, got '1'"),
    ("1 qid:1 :2", "must have an index before each ':', got ':2'. Write it without a blank after it."),
    ("1 qid:1 1:", "must have a value after each ':', got '1:'. Write it without a blank before it, or nan"),
    ("1 qid:1 1: 2:3", "must have a value after each ':', got '1:'"),
    ("1 qid:1 1:2:3 4", "must have one ':' per value, got '1:2:3'. Separate values by blanks."),
    ("1 qid:1 1:0.5,2:1", "must have one ':' per value, got '1:0.5,2:1'"),
    ("1 qid:1 1.0:2", "must have whole numbers as indices, got '1.0:2'. Number the features."),
    ("1 qid:1 -1:2", "must have whole numbers as indices, got '-1:2'"),
    ("1 qid:1 bm25:2", "must have whole numbers as indices, got 'bm25:2'"),
    # indices
    ("1 qid:1 0:1", "must have indices from 1, got 0. Pass zero_based=True if the indices of the file begin at 0."),
    ("1 qid:1 2:1 2:1", "must have each index once, got 2 twice. Remove one of its values."),
    ("1 qid:1 3:1 2:1", "must have ascending indices, got 2 after 3. Sort the values of each line."),
    ("1 qid:1 6:1", "must have indices up to 5, got 6. Pass n_features=None, or a larger number."),
    ("1 qid:1 " + "9" * 5000 + ":1", "must have indices up to 5, got 99"),
    # values
    ("1 qid:1 1:nan", "must have a number for each feature, got the missing value '1:nan'. Pass missing=np.nan"),
    ("1 qid:1 2:NULL", "must have a number for each feature, got the missing value '2:NULL'. Pass missing=np.nan"),
    ("1 qid:1 1:inf", "must have finite values, got '1:inf'. Write a number, or nan and pass missing=."),
    ("1 qid:1 1:-Infinity", "must have finite values, got '1:-Infinity'"),
    ("1 qid:1 1:1.#INF 2:3", "must have finite values, got '1:inf'"),
    ("1 qid:1 1:3e39", r"must have values of at most 3.4e\+38, the largest float32, got '1:3e39'. Scale the feature"),
    ("1 qid:1 1:-1e999", r"must have values of at most 3.4e\+38, the largest float32, got '1:-1e999'"),
    ("1 qid:1 1:1.7e308", r"must have values of at most 3.4e\+38, the largest float32, got '1:1.7e308'"),
    ("1 qid:1 1:0,5", "must have points as decimal marks, got '1:0,5'. Replace the commas."),
    *(
        (f"1 qid:1 1:{text}", f"must have numbers as values, got '1:{re.escape(text)}'. Write a number, or nan if")
        for text in (
            "2+3",
            "2-3",
            ".",
            "1e",
            "e5",
            "1.2.3",
            "--1",
            "0x1p3",
            "1_000",
            "\u00bd",
            "NA",
            "?",
            "None",
            "1.0f",
        )
    ),
    ("1 qid:1 1:" + "x" * 200, r"must have numbers as values, got '1:x{78}'\.\.\.\. Write"),
    # characters
    ("1 qid:1\f1:1", r"must have blanks or tabs between its parts, got the control character '\\x0c'. Replace it."),
    ("1 qid:1 1:1\x1a", r"must have blanks or tabs .* got the control character '\\x1a'"),
    ("1 qid:a\0b 1:1", "must be text, got a NUL byte. Check that the file is neither damaged nor an archive"),
    ("\ufeff1 qid:1 1:1", "must not begin with a byte order mark, which only the first line .* Remove its three"),
    ("1 qid:1 1:1\r0 qid:1 1:2", "must end in a line feed, got several lines with only carriage returns between"),
]


@pytest.mark.parametrize(("text", "message"), MALFORMED)
def test_a_malformed_line_is_named(write, monkeypatch, text, message):
    text = text if isinstance(text, bytes) else text.encode()
    # A number for missing values changes nothing about values that are wrong in another way.
    missing = ["error"] if "missing value" in message else ["error", np.nan]
    for group, block_bytes, fill in itertools.product(("2", "two"), (1, _blocks.BLOCK_BYTES), missing):
        monkeypatch.setattr(_blocks, "BLOCK_BYTES", block_bytes)
        good = f"# made\n0 qid:1 1:1 5:2\n\n2 qid:{group} # none\n".encode()
        with pytest.raises(ValueError, match=rf"line 5 of .*train.txt {message}"):
            load_letor(write(good + text + b"\n" + good), n_features=5, missing=fill)


def test_an_index_beyond_the_columns_of_a_zero_based_file(write):
    path = write("1 qid:1 0:1\n1 qid:1 2:1\n")
    with pytest.raises(ValueError, match=r"line 2 of .* up to 1, got 2. Pass n_features=None, .* or zero_based=False"):
        load_letor(path, n_features=2, zero_based=True)


@pytest.mark.parametrize("index", [2**53, 10**19, "9" * 5000])
def test_an_index_beyond_all_tables_is_named(write, index):
    path = write(f"1 qid:1 1:1\n1 qid:1 {index}:1\n")
    with pytest.raises(ValueError, match=rf"line 2 of .* up to {2**53 - 1}, got {str(index)[:80]}.* Renumber the"):
        load_letor(path, sparse=True)
    with pytest.raises(ValueError, match=rf"line 2 of .* up to {2**27}, got {str(index)[:80]}.* Renumber the"):
        load_letor(path)


# Memory


def test_a_wild_index_is_named_before_its_table_is_made(write):
    path = write("1 qid:1 1:1 2:1\n" * 9 + "0 qid:1 99999999999:1\n")
    message = (
        r"line 10 of .* must have indices up to 26843545, got 99999999999: a dense X of 99999999999 columns for 10 "
        r"lines needs 3.73e\+03 GiB, out of proportion to the file. Correct the index, or pass sparse=True, or "
        "n_features=99999999999"
    )
    tracemalloc.start()
    with pytest.raises(ValueError, match=message):
        load_letor(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**24
    assert load_letor(path, sparse=True)[0].shape == (10, 99999999999)


def test_the_largest_dense_table_follows_from_the_size_of_the_text(write, monkeypatch):
    monkeypatch.setattr(letor, "DENSE_BYTES", 1)
    text = "1 qid:1 1:1\n" * 10
    # Ten lines of 12 bytes or one more, ten bytes per byte, and four per value.
    assert load_letor(write(text.replace("1:", "30:")))[0].shape == (10, 30)
    assert load_letor(write(text.replace("1:", "32:")), n_features=40)[0].shape == (10, 40)
    with pytest.raises(ValueError, match=r"line 1 of .* up to 32, got 33: a dense X of 33 columns for 10 lines"):
        load_letor(write(text.replace("1:", "33:", 1).replace(" 1:", " 33:")))
    monkeypatch.setattr(letor, "DENSE_BYTES", 33 * 40)
    assert load_letor(write(text.replace(" 1:", " 33:")))[0].shape == (10, 33)


@pytest.mark.parametrize("n_features", [10**14, 2**53])
def test_a_dense_table_that_does_not_fit_into_memory(write, n_features):
    path = write("1 qid:1 1:1\n" * 1000)
    with pytest.raises(
        MemoryError, match=rf"dense X must fit into memory, got {n_features} columns .* Pass sparse=True"
    ):
        load_letor(path, n_features=n_features)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_line_without_an_end_takes_bounded_memory(write, compress):
    path = write(compress(b"1 qid:1 1:1\n1 qid:1 1:1" + b" " * (4 * _blocks.LONGEST_LINE)))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"line 2 of .* must have at most 16777216 bytes, got more. Check"):
        load_letor(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * _blocks.LONGEST_LINE


def test_the_longest_line_is_read(write, monkeypatch):
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 4)
    monkeypatch.setattr(_blocks, "LONGEST_LINE", 20)
    line = "1 qid:1 1:1".ljust(20)
    for end in ("", "\n", "\n1 qid:1 1:1\n"):
        assert load_letor(write(line + end))[1].sum() == 1 + end.count("1:1")
        with pytest.raises(ValueError, match=r"line 1 of .* must have at most 20 bytes"):
            load_letor(write(line + " " + end))


# Files


def test_a_cut_gzip_file_is_named_with_the_line_reached(write):
    rng = np.random.default_rng(0)
    lines = [f"1 qid:1 1:{value}\n" for value in rng.normal(size=2000)]
    data = gzip.compress("".join(lines).encode())
    cut = data[: len(data) // 2]
    reached = zlib.decompressobj(wbits=31).decompress(cut).count(b"\n")
    assert 500 < reached < 1500
    with pytest.raises(
        ValueError, match=rf"complete, got .*train.gz, which .* after line {reached}: .* Copy or download"
    ):
        load_letor(write(cut, "train.gz"))


@pytest.mark.parametrize("position", [1, 2, 12, -6, -2])
def test_a_damaged_gzip_file_is_named(write, position):
    rng = np.random.default_rng(0)
    data = bytearray(gzip.compress("".join(f"1 qid:1 1:{value}\n" for value in rng.normal(size=99)).encode()))
    data[position] ^= 255
    if position == 1:
        # Without its first bytes, it is not recognized as compressed.
        message = "line 1 of .*train.gz must "
    else:
        message = "path must be a file whose compressed data are complete, got .*train.gz, which cannot be decompressed"
    with pytest.raises(ValueError, match=message):
        load_letor(write(bytes(data), "train.gz"))


def archive(text):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        member = tarfile.TarInfo("train.txt")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    return file.getvalue()


ROW = "1 qid:1 1:1\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (ROW.encode("utf-16"), "which is text in UTF-16. Unpack or convert it first."),
        (codecs.BOM_UTF16_BE + ROW.encode("utf-16-be"), "which is text in UTF-16"),
        (b"PK\x03\x04" + bytes(30), "which is a zip archive. Unpack"),
        (archive(ROW.encode()), "which is a tar archive"),
        (gzip.compress(archive(ROW.encode())), "which is a tar archive"),
        (gzip.compress(gzip.compress(ROW.encode())), "which is a file compressed twice"),
    ],
    # The bytes hold the time, so they cannot be names that all processes of a run agree on.
    ids=["utf-16", "utf-16-be", "zip", "tar", "tar.gz", "gz.gz"],
)
def test_a_file_of_another_format_is_named(write, data, message):
    with pytest.raises(ValueError, match=rf"path must be a text file in UTF-8, plain or .* got .*train.txt, {message}"):
        load_letor(write(data))


def test_utf_16_without_a_mark(write):
    with pytest.raises(ValueError, match=r"line 1 of .* must be text, got a NUL byte. .* convert text in UTF-16"):
        load_letor(write(ROW.encode("utf-16-le")))


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "  ", "\ufeff", "\ufeff\r\n"])
def test_a_file_without_rows(write, text):
    with pytest.raises(ValueError, match=r"path must be a file with at least one row .* Pass another file"):
        load_letor(write(text))


@pytest.mark.parametrize("more", [ROW, "1 qid:1 1:1 2:1\n"])
def test_a_file_that_grows_while_it_is_read(write, monkeypatch, more):
    path = write(ROW * 2)
    measure = letor._measure

    def grow(name):
        size = measure(name)
        path.write_text(ROW + more + (ROW if more == ROW else ""))
        return size

    monkeypatch.setattr(letor, "_measure", grow)
    with pytest.raises(ValueError, match=r"path must be a file that does not change while it is read, got .* Load it"):
        load_letor(path, sparse=True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(
        ValueError, match=r"path must be a file that can be read twice, got .*pipe, .* Save its contents"
    ):
        load_letor(tmp_path / "pipe")


@pytest.mark.parametrize("kind", [open, lambda path: path.read_bytes(), lambda path: 3, lambda path: None])
def test_a_path_is_required(write, kind):
    source = kind(write(ROW))
    with pytest.raises(
        TypeError, match=r"path must be the path of a file, a str or pathlib.Path, got .* Pass the name"
    ):
        load_letor(source)
    if hasattr(source, "close"):
        source.close()


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_letor("no such file")
    with pytest.raises((IsADirectoryError, PermissionError)):
        load_letor(tmp_path)


# Arguments


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"n_features": 0}, ValueError, r"n_features must be from 1 to 2\*\*53, got n_features=0. Pass None"),
        ({"n_features": 2**53 + 1}, ValueError, r"n_features must be from 1 to 2\*\*53, got"),
        ({"n_features": 2.0}, TypeError, "n_features must be an integer or None, got 2.0 of type float. Pass None"),
        ({"n_features": True}, TypeError, "n_features must be an integer or None, got True"),
        (
            {"zero_based": "auto"},
            TypeError,
            "zero_based must be True or False, got 'auto' of type str. Pass one of them.",
        ),
        ({"sparse": 1}, TypeError, "sparse must be True or False, got 1 of type int"),
        ({"missing": "nan"}, ValueError, "missing must be 'error' or a number, got 'nan'. Pass np.nan or 0.0"),
        ({"missing": None}, TypeError, "missing must be 'error' or a number, got None of type NoneType. Pass np.nan"),
        ({"missing": True}, TypeError, "missing must be 'error' or a number, got True"),
        (
            {"missing": np.inf},
            ValueError,
            "missing must be NaN or a finite number that float32 can hold, got inf. Pass",
        ),
        ({"missing": 1e39}, ValueError, "missing must be NaN or a finite number that float32 can hold"),
    ],
)
def test_arguments_are_checked(write, kwargs, error, message):
    with pytest.raises(error, match=message):
        load_letor(write(ROW), **kwargs)
