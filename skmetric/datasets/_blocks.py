"""Blocks of whole lines of a text file, plain or compressed by gzip."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

__all__ = ["blocks"]

# Size of a block of text that is parsed in one call: large enough for a small overhead per call, and small enough for
# the CPU cache.
BLOCK_BYTES = 2**20
# The longest lines of the collections have some ten thousand bytes. The limit bounds the memory that a damaged file, or
# a small compressed one, can take.
LONGEST_LINE = 2**24
READ_AGAIN_BYTES = 2**12

GZIP_MAGIC = b"\x1f\x8b"
DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error)
# The first bytes of files that look like tables to their owners.
OTHER_FORMATS = {
    codecs.BOM_UTF16_LE: "text in UTF-16",
    codecs.BOM_UTF16_BE: "text in UTF-16",
    GZIP_MAGIC: "a file compressed twice",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"(\xb5/\xfd": "a zstd file",
    b"PK\x03\x04": "a zip archive",
    b"Rar!": "a rar archive",
    b"7z\xbc\xaf": "a 7z archive",
}
TAR_MAGIC, TAR_MAGIC_START = b"ustar", 257


def blocks(name: str) -> Iterator[bytes]:
    """Yield the text of a file in blocks of whole lines, without a byte order mark at the beginning.

    Raises
    ------
    ValueError
        If compressed data are damaged, if a line is too long, or if the file begins like one of another format.
    """
    n_lines = 0
    with _open(name) as file:
        while block := _whole_lines(file, name, n_lines):
            # Only the first block follows no line.
            text = block if n_lines else _text_of_first(block, name)
            yield text
            n_lines += text.count(b"\n")


def _open(name: str) -> BinaryIO:
    with Path(name).open("rb") as file:
        compressed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    return cast(BinaryIO, gzip.open(name, "rb") if compressed else Path(name).open("rb"))


def _whole_lines(file: BinaryIO, name: str, n_lines: int) -> bytes:
    try:
        block = file.read(BLOCK_BYTES)
        if block and not block.endswith(b"\n"):
            block += file.readline(LONGEST_LINE - _end_length(block) + 1)
    except DAMAGE as error:
        raise ValueError(
            f"path must be a file whose compressed data are complete, got {name}, which cannot be decompressed after "
            f"line {_count_readable(name)}: {error}. Copy or download the file again."
        ) from error
    if not block or block.endswith(b"\n"):
        return block
    if _end_length(block) > LONGEST_LINE:
        line = n_lines + block.count(b"\n") + 1
        raise ValueError(
            f"line {line} of {name} must have at most {LONGEST_LINE} bytes, got more. Check that the file is a table "
            "with one row per line."
        )
    return block + b"\n"


def _end_length(block: bytes) -> int:
    """Return the number of bytes after the last line end."""
    return len(block) - block.rfind(b"\n") - 1


def _count_readable(name: str) -> int:
    """Count the lines before the damage. A read that fails returns nothing, so the steps are small."""
    n_lines = 0
    with _open(name) as file, suppress(*DAMAGE):
        while text := cast(gzip.GzipFile, file).read1(READ_AGAIN_BYTES):
            n_lines += text.count(b"\n")
    return n_lines


def _text_of_first(block: bytes, name: str) -> bytes:
    found = next((form for magic, form in OTHER_FORMATS.items() if block.startswith(magic)), None)
    if block[TAR_MAGIC_START:].startswith(TAR_MAGIC):
        found = "a tar archive"
    if found is not None:
        raise ValueError(
            f"path must be a text file in UTF-8, plain or compressed by gzip, got {name}, which is {found}. Unpack or "
            "convert it first."
        )
    return block.removeprefix(codecs.BOM_UTF8)
