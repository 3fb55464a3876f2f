"""The package imports no library that it adapts, and its docstrings are complete."""

import subprocess
import sys

import pytest
from numpydoc.validate import validate

PROGRAM = """
import sys
import skmetric.adapters
assert not {"lightgbm", "xgboost", "catboost", "torch"} & set(sys.modules)
"""

METHODS = ["", ".fit", ".predict", ".score", ".groups_of"]
# A one-line summary may be a noun phrase, and sections that would repeat the text are left out.
IGNORED = {"GL08", "ES01", "EX01", "SA01", "SA04", "YD01", "SS05", "PR06", "RT02"}


def test_importing_it_imports_neither_the_libraries_nor_torch():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)


@pytest.mark.parametrize("method", METHODS)
def test_numpydoc_finds_no_error(method):
    errors = validate(f"skmetric.adapters.GroupedRanker{method}")["errors"]
    assert not [(code, text) for code, text in errors if code not in IGNORED]
