"""Files of learning-to-rank collections: LETOR, MSLR, Yahoo, Istella."""

import gzip
from collections.abc import Iterator
from numbers import Integral
from os import PathLike, fspath
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skmetric.datasets._svmlight import Lines, MalformedLineError, parse_lines

__all__ = ["load_letor"]

# Size of a block of text that is parsed in one call: large enough for a small overhead per call, and small enough for
# the CPU cache.
BLOCK_BYTES = 2**20
GZIP_MAGIC = b"\x1f\x8b"


def load_letor(
    path: "str | PathLike[str]",
    *,
    n_features: int | None = None,
    zero_based: bool = False,
    sparse: bool = False,
) -> tuple[NDArray[np.float32] | csr_array, NDArray[np.float64], NDArray[np.int64]]:
    r"""Load a ranking table from a file in the LETOR format: the SVMlight format with a group on every line.

    Each line is a row: ``label qid:group index:value index:value ... # comment``. Features that are missing in a line
    are 0. Empty lines, and lines with only a comment, are skipped.

    Parameters
    ----------
    path : str or path
        Path of a text file, or of a gzip-compressed text file with any name.
    n_features : int, default=None
        Number of columns of X. If None, it follows from the largest index in the file. Set it if training and test
        files must have the same number of columns.
    zero_based : bool, default=False
        Whether the index of the first column is 0. The files of the collections begin at 1.
    sparse : bool, default=False
        Whether X is a sparse array instead of a dense one. It stores all values in the file, including zeros.

    Returns
    -------
    X : ndarray or csr_array of float32, shape (n_samples, n_features)
        Features, one row per line.
    y : ndarray of shape (n_samples,)
        Labels: relevance grades, higher is more relevant.
    groups : ndarray of int, shape (n_samples,)
        Group of each row: the number after ``qid:``.

    Raises
    ------
    ValueError
        If a line is malformed, has no group, or has an index that is too small, too large, or not above the previous
        one; the message gives the line number. Also if the file has no rows, or ``n_features`` is not positive.
    TypeError
        If ``n_features`` is not an integer.

    See Also
    --------
    sklearn.datasets.load_svmlight_file : Also reads files without groups.

    Notes
    -----
    The file is read twice, in blocks of about one megabyte: first to count its rows, then to fill the result. So the
    memory is that of the result plus some tens of megabytes. If ``n_features=None`` and the first lines do not have the
    largest index, a dense result needs twice its memory for a short time.

    Numbers are read as float64, correctly rounded, before they become float32.

    References
    ----------
    Qin, Liu (2013). Introducing LETOR 4.0 Datasets. https://arxiv.org/abs/1306.2597

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skmetric.datasets import load_letor
    >>> text = "2 qid:10 1:0.5 3:1 # docid = a\n0 qid:10 2:0.25\n1 qid:11 1:1\n"
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "train.txt"
    ...     _ = path.write_text(text)
    ...     X, y, groups = load_letor(path)
    >>> X
    array([[0.5 , 0.  , 1.  ],
           [0.  , 0.25, 0.  ],
           [1.  , 0.  , 0.  ]], dtype=float32)
    >>> y, groups
    (array([2., 0., 1.]), array([10, 10, 11]))
    """
    _check_n_features(n_features)
    name = fspath(path)
    n_lines, n_colons = _count(name)
    first_index = 0 if zero_based else 1
    table = (_SparseTable if sparse else _DenseTable)(n_lines, n_colons, n_features)
    labels, groups = np.empty(n_lines), np.empty(n_lines, dtype=np.int64)
    n, line = 0, 0
    for text in _blocks(name):
        try:
            lines = parse_lines(text, first_index=first_index, n_features=n_features)
        except MalformedLineError as error:
            message = f"line {line + error.line + 1} of {name} {error.rule}. Correct the line, or leave it out."
            raise ValueError(message) from None
        rows = slice(n, n + len(lines.labels))
        labels[rows], groups[rows] = lines.labels, lines.groups
        table.write(n, lines)
        n, line = rows.stop, line + text.count(b"\n")
    if n == 0:
        raise ValueError(
            f"path must be a file with at least one row 'label qid:group index:value ...', got {name} with {n_lines} "
            "lines and no row. Pass another file."
        )
    return table.finish(n), labels[:n].copy(), groups[:n].copy()


def _blocks(name: str) -> Iterator[bytes]:
    """Yield the file's text in blocks of whole lines."""
    with _open(name) as file:
        while block := file.read(BLOCK_BYTES):
            if not block.endswith(b"\n"):
                block += file.readline()
            yield block if block.endswith(b"\n") else block + b"\n"


def _open(name: str) -> BinaryIO:
    with Path(name).open("rb") as file:
        compressed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    return cast(BinaryIO, gzip.open(name, "rb") if compressed else Path(name).open("rb"))


def _count(name: str) -> tuple[int, int]:
    """Count lines and colons, which are upper bounds of the numbers of rows and of values."""
    n_lines = n_colons = 0
    for text in _blocks(name):
        n_lines, n_colons = n_lines + text.count(b"\n"), n_colons + text.count(b":")
    return n_lines, n_colons


class _DenseTable:
    """A dense table that is filled from the top, and gets more columns if needed."""

    def __init__(self, n_rows: int, n_values: int, n_features: int | None) -> None:
        # Zeros use no memory until they are overwritten, so rows that are not needed cost nothing.
        self.values = np.zeros((n_rows, n_features or 0), dtype=np.float32)

    def write(self, start: int, lines: Lines) -> None:
        """Write the rows of ``lines``, beginning at row ``start``."""
        width = int(lines.columns.max(initial=-1)) + 1
        if width > self.values.shape[1]:
            wider = np.zeros((len(self.values), width), dtype=np.float32)
            wider[:start, : self.values.shape[1]] = self.values[:start]
            self.values = wider
        rows = np.repeat(np.arange(start, start + len(lines.counts)), lines.counts)
        self.values[rows, lines.columns] = lines.values

    def finish(self, n_rows: int) -> NDArray[np.float32]:
        """Return the table of the rows that were written."""
        # Resize in place: a view would keep the unused rows in memory, and a copy would double the memory.
        self.values.resize((n_rows, self.values.shape[1]), refcheck=False)
        return self.values


class _SparseTable:
    """A sparse table that is filled from the top."""

    def __init__(self, n_rows: int, n_values: int, n_features: int | None) -> None:
        self.n_features = n_features or 0
        index = np.int32 if max(n_values, self.n_features) < 2**31 else np.int64
        self.values, self.columns = np.empty(n_values, dtype=np.float32), np.empty(n_values, dtype=index)
        self.ends = np.zeros(n_rows + 1, dtype=index)

    def write(self, start: int, lines: Lines) -> None:
        """Write the rows of ``lines``, beginning at row ``start``."""
        self.n_features = max(self.n_features, int(lines.columns.max(initial=-1)) + 1)
        first = int(self.ends[start])
        self.ends[start + 1 : start + 1 + len(lines.counts)] = first + np.cumsum(lines.counts)
        self.values[first : first + len(lines.values)] = lines.values
        self.columns[first : first + len(lines.values)] = lines.columns

    def finish(self, n_rows: int) -> csr_array:
        """Return the table of the rows that were written."""
        n_values = int(self.ends[n_rows])
        for array in (self.values, self.columns):
            array.resize(n_values, refcheck=False)
        ends = self.ends[: n_rows + 1].copy()
        return csr_array((self.values, self.columns, ends), shape=(n_rows, self.n_features))


def _check_n_features(n_features: Any) -> None:
    if n_features is None:
        return
    if isinstance(n_features, bool) or not isinstance(n_features, Integral):
        raise TypeError(
            f"n_features must be an integer or None, got {n_features!r} of type {type(n_features).__name__}. Pass None "
            "to take it from the file."
        )
    if int(n_features) < 1:
        raise ValueError(
            f"n_features must be at least 1, got n_features={n_features}. Pass None to take it from the file."
        )
