"""Every Python block of the README and of the chapters runs as it stands, from top to bottom."""

import re
import sys
import traceback
from pathlib import Path

import pytest
import sklearn

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page):
    """The blocks of a page, each below as many empty lines as stand above it: line numbers are then the page's."""
    text = page.read_text(encoding="utf-8")
    return ["\n" * text.count("\n", 0, found.start(1)) + found[1] for found in BLOCK.finditer(text)]


PAGES = [page for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))] if blocks(page)]


def run(page):
    # A page is a program of its own: warnings and pickles look at the name.
    namespace = {"__name__": "__main__"}
    try:
        for block in blocks(page):
            exec(compile(block, str(page), "exec"), namespace)
    except Exception as error:
        # Without the frame of this function. The first line that is left is the page's.
        error.__traceback__ = error.__traceback__.tb_next
        pytest.fail("".join(traceback.format_exception(error)), pytrace=False)


@pytest.fixture
def clean_place(tmp_path, monkeypatch):
    """An empty folder, no windows, and scikit-learn's settings as they were afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].use("Agg")
    with sklearn.config_context():
        yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def test_pages_with_blocks_are_found():
    assert "README.md" in {page.name for page in PAGES}
    assert len(PAGES) > 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.usefixtures("clean_place")
def test_blocks_run(page):
    run(page)


@pytest.mark.usefixtures("clean_place")
def test_a_failing_block_names_the_page_and_the_line(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n```python\na = 1\n```\n\nText.\n\n```python\nb = a\n\nb / 0\n```\n", encoding="utf-8")
    with pytest.raises(pytest.fail.Exception, match=r'page\.md", line 12, in <module>\n +b / 0\n'):
        run(page)


@pytest.mark.usefixtures("clean_place")
def test_a_block_that_is_no_python_names_the_page_and_the_line(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n```python\na = 1\n```\n\n```python\nb =\n```\n", encoding="utf-8")
    with pytest.raises(pytest.fail.Exception, match=r'page\.md", line 8\n'):
        run(page)
