"""Files of learning-to-rank collections: LETOR, MSLR, Yahoo, Istella."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skmetric._warnings import warn_caller
from skmetric.datasets._blocks import blocks
from skmetric.datasets._checks import check_flags
from skmetric.datasets._rules import LARGEST_INTEGER, LARGEST_VALUE, Rules
from skmetric.datasets._svmlight import Lines, MalformedLineError, OtherRulesError, parse_lines

__all__ = ["load_letor"]

# A dense table whose width follows from the file may take this much memory, or this many times the size of the text if
# that is more. Tables of the collections take about the size of their text; one wrong index can take a million times
# that.
DENSE_BYTES = 2**30
DENSE_BYTES_PER_BYTE = 10

# The conversion of texts to int64 also accepts other texts, such as 1_000.
WHOLE_NUMBERS = re.compile(r"(?:[-+]?[0-9]++(?:\n|$))*+")

Groups = NDArray[np.int64] | NDArray[np.str_]


def load_letor(
    path: "str | PathLike[str]",
    *,
    n_features: int | None = None,
    zero_based: bool = False,
    sparse: bool = False,
    missing: float | Literal["error"] = "error",
) -> tuple[NDArray[np.float32] | csr_array, NDArray[np.float64], Groups]:
    r"""Load a ranking table from a file in the LETOR format: the SVMlight format with a group on every line.

    Each line is a row: ``label qid:group index:value index:value ... # comment``. Features that a line leaves out are
    0. Empty lines, and lines with only a comment, are skipped.

    Parameters
    ----------
    path : str or path
        Path of a text file in UTF-8, or of a gzip-compressed one with any name. A byte order mark is skipped.
    n_features : int, default=None
        Number of columns of X. If None, it follows from the largest index in the file. Set it if training and test
        files must have the same number of columns.
    zero_based : bool, default=False
        Whether the index of the first column is 0. The files of the collections begin at 1.
    sparse : bool, default=False
        Whether X is a sparse array instead of a dense one. It stores all values in the file, including zeros.
    missing : float or "error", default="error"
        Number that replaces values written as missing, for instance ``np.nan`` or ``0.0``. If "error", a missing value
        raises an error. A value is missing if it is written ``NULL`` (LETOR) or ``nan``, in upper or lower case, or if
        it is the largest float64 with either sign (Istella): a number of magnitude 1.797e308 to 1.8e308.

    Returns
    -------
    X : ndarray or csr_array of float32, shape (n_samples, n_features)
        Features, one row per line.
    y : ndarray of shape (n_samples,)
        Labels: relevance grades, higher is more relevant.
    groups : ndarray of int64 or str, shape (n_samples,)
        Group of each row: what follows ``qid:``. If all groups of the file are whole numbers that int64 can hold, they
        are int64. Otherwise all are str, as written in the file: ``7`` and ``007`` are then different groups.

    Raises
    ------
    ValueError
        If a line is malformed, has no group, has no finite label, has a value that is infinite or too large for
        float32, or has an index that is too small, too large, or not above the previous one; or if a value is missing
        and ``missing="error"``. The message gives the file, the line, and the way out.
        If the compressed data are damaged, a line has more than 16 MiB, or the file has no rows or another format.
        If ``n_features=None`` and an index would give a dense X of more than 1 GiB that is also larger than ten times
        the text of the file.
        If ``n_features`` is not from 1 to 2**53, or ``missing`` is infinite or too large for float32.
    TypeError
        If an argument has another type.
    MemoryError
        If a dense X does not fit into memory.

    Warns
    -----
    UserWarning
        If ``zero_based=True`` and no line has a feature with the index 0: the indices probably begin at 1.

    See Also
    --------
    sklearn.datasets.load_svmlight_file : Also reads files without groups.

    Notes
    -----
    The file is read twice, in blocks of about one megabyte: first to count its rows, then to fill the result. So the
    memory is that of the result plus some tens of megabytes, or some twenty times the longest line. If
    ``n_features=None`` and the first lines do not have the largest index, a dense result needs twice its memory for a
    short time. If groups are texts, or missing values are rounded forms of the largest float64, the file is read again
    from its beginning when the first of them is found.

    Numbers are read as float64, correctly rounded, before they become float32.

    ``NULL`` in LETOR 4.0 stands for minus infinity, the logarithm of a probability of 0. The authors
    also publish a version that has the minimum of the feature within the group instead.

    References
    ----------
    Qin, Liu (2013). Introducing LETOR 4.0 Datasets. https://arxiv.org/abs/1306.2597

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skmetric.datasets import load_letor
    >>> text = "2 qid:10 1:0.5 3:1 # docid = a\n0 qid:10 2:0.25\n1 qid:11 1:NULL\n"
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "train.txt"
    ...     _ = path.write_text(text)
    ...     X, y, groups = load_letor(path, missing=np.nan)
    >>> X
    array([[0.5 , 0.  , 1.  ],
           [0.  , 0.25, 0.  ],
           [ nan, 0.  , 0.  ]], dtype=float32)
    >>> y, groups
    (array([2., 0., 1.]), array([10, 10, 11]))
    """
    _check_n_features(n_features)
    check_flags(zero_based=zero_based, sparse=sparse)
    fill = _check_missing(missing)
    name = _check_path(path)
    size = _measure(name)
    rules = Rules(
        first_index=0 if zero_based else 1,
        n_features=n_features,
        most_columns=size.most_columns if n_features is None and not sparse else None,
        n_rows=size.n_rows,
        missing=fill,
    )
    while True:
        # The next reading is outside the handler: within it, the exception keeps the table of this one in memory.
        try:
            return _read(name, size, rules, sparse)
        except OtherRulesError as error:
            rules = error.rules


@dataclass(frozen=True)
class _Size:
    """Size of a text. Comments make ``n_rows`` and ``n_values`` upper bounds."""

    n_lines: int
    n_colons: int
    n_bytes: int

    @property
    def n_rows(self) -> int:
        return min(self.n_lines, self.n_colons)

    @property
    def most_columns(self) -> int:
        """Largest number of columns of a dense table whose width follows from the file."""
        return max(DENSE_BYTES, DENSE_BYTES_PER_BYTE * self.n_bytes) // (4 * max(self.n_rows, 1))


def _measure(name: str) -> _Size:
    n_lines = n_colons = n_bytes = 0
    for text in blocks(name):
        n_lines, n_colons, n_bytes = n_lines + text.count(b"\n"), n_colons + text.count(b":"), n_bytes + len(text)
    return _Size(n_lines, n_colons, n_bytes)


def _read(
    name: str, size: _Size, rules: Rules, sparse: bool
) -> tuple[NDArray[np.float32] | csr_array, NDArray[np.float64], Groups]:
    table = (_SparseTable if sparse else _DenseTable)(size.n_rows, size.n_colons, rules.n_features)
    labels: list[NDArray[np.float64]] = []
    groups: list[Groups] = []
    n, first_column = 0, LARGEST_INTEGER
    for lines in _parsed(name, size, rules):
        table.write(n, lines)
        labels.append(lines.labels)
        groups.append(lines.groups)
        first_column = min(first_column, int(lines.columns.min(initial=LARGEST_INTEGER)))
        n += len(lines.labels)
    if n == 0:
        raise ValueError(
            f"path must be a file with at least one row 'label qid:group index:value ...', got {name} with "
            f"{size.n_lines} lines and no row. Pass another file."
        )
    if rules.first_index == 0 and 0 < first_column < LARGEST_INTEGER:
        warn_caller(
            f"No line of {name} has a feature with the index 0, so the first column of X is 0. Pass zero_based=False "
            "if the indices of the file begin at 1."
        )
    return table.finish(n), np.concatenate(labels), _joined(groups)


def _parsed(name: str, size: _Size, rules: Rules) -> Iterator[Lines]:
    n_lines = n_colons = 0
    for text in blocks(name):
        try:
            lines = parse_lines(text, rules)
        except MalformedLineError as error:
            raise ValueError(f"line {n_lines + error.line + 1} of {name} {error.reason}") from None
        n_lines, n_colons = n_lines + text.count(b"\n"), n_colons + text.count(b":")
        if n_lines > size.n_lines or n_colons > size.n_colons:
            raise ValueError(f"path must be a file that does not change while it is read, got {name}. Load it again.")
        yield lines


def _joined(groups: list[Groups]) -> Groups:
    """Join the groups of all blocks, as int64 if all are whole numbers that it can hold."""
    joined: NDArray[Any] = np.concatenate(groups)
    if joined.dtype.kind == "U" and all(WHOLE_NUMBERS.fullmatch("\n".join(part)) for part in groups):
        with suppress(OverflowError):
            return joined.astype(np.int64)
    return joined


class _DenseTable:
    """A dense table that is filled from the top, and gets more columns if needed."""

    def __init__(self, n_rows: int, n_values: int, n_features: int | None) -> None:
        # Zeros use no memory until they are overwritten, so rows that are not needed cost nothing.
        self.values = _zeros(n_rows, n_features or 0)

    def write(self, start: int, lines: Lines) -> None:
        """Write the rows of ``lines``, beginning at row ``start``."""
        width = int(lines.columns.max(initial=-1)) + 1
        if width > self.values.shape[1]:
            wider = _zeros(len(self.values), width)
            wider[:start, : self.values.shape[1]] = self.values[:start]
            self.values = wider
        rows = np.repeat(np.arange(start, start + len(lines.counts)), lines.counts)
        self.values[rows, lines.columns] = lines.values

    def finish(self, n_rows: int) -> NDArray[np.float32]:
        """Return the table of the rows that were written."""
        # Resize in place: a view would keep the unused rows in memory, and a copy would double the memory.
        self.values.resize((n_rows, self.values.shape[1]), refcheck=False)
        return self.values


def _zeros(n_rows: int, n_columns: int) -> NDArray[np.float32]:
    try:
        return np.zeros((n_rows, n_columns), dtype=np.float32)
    except (MemoryError, ValueError):
        # A size that does not even fit into an address is a ValueError of numpy.
        raise MemoryError(
            f"a dense X must fit into memory, got {n_columns} columns for {n_rows} lines, which need "
            f"{4 * n_rows * n_columns / 2**30:.3g} GiB. Pass sparse=True, or fewer n_features."
        ) from None


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
        if self.n_features >= 2**31:
            # Arrays that are int64 already are not copied.
            self.columns, self.ends = (array.astype(np.int64, copy=False) for array in (self.columns, self.ends))
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


def _check_path(path: Any) -> str:
    name = fspath(path) if isinstance(path, str | PathLike) else None
    if not isinstance(name, str):
        raise TypeError(
            f"path must be the path of a file, a str or pathlib.Path, got {path!r} of type {type(path).__name__}. Pass "
            "the name of the file instead of an open file or its contents."
        )
    if Path(name).exists() and not (Path(name).is_file() or Path(name).is_dir()):
        raise ValueError(
            f"path must be a file that can be read twice, got {name}, which is a pipe or a device. Save its contents "
            "to a file first."
        )
    return name


def _check_n_features(n_features: Any) -> None:
    if n_features is None:
        return
    if isinstance(n_features, bool) or not isinstance(n_features, Integral):
        raise TypeError(
            f"n_features must be an integer or None, got {n_features!r} of type {type(n_features).__name__}. Pass None "
            "to take it from the file."
        )
    if not 1 <= int(n_features) <= LARGEST_INTEGER:
        raise ValueError(
            f"n_features must be from 1 to 2**53, got n_features={n_features}. Pass None to take it from the file."
        )


def _check_missing(missing: Any) -> float | None:
    """Return the number that replaces missing values, or None if they are errors."""
    if isinstance(missing, str):
        if missing == "error":
            return None
        raise ValueError(f"missing must be 'error' or a number, got {missing!r}. Pass np.nan or 0.0, for instance.")
    if isinstance(missing, bool) or not isinstance(missing, Real):
        raise TypeError(
            f"missing must be 'error' or a number, got {missing!r} of type {type(missing).__name__}. Pass np.nan or "
            "0.0, for instance."
        )
    if abs(float(missing)) > LARGEST_VALUE:
        raise ValueError(
            f"missing must be NaN or a finite number that float32 can hold, got {missing}. Pass np.nan or 0.0, for "
            "instance."
        )
    return float(missing)
