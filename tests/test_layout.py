"""The rules of the layout that no linter knows: what may import what, and how long a file may be."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "skmetric").rglob("*.py"))
# A file is one thing that someone looks for by its name; a longer one is two.
MOST_LINES = 600


def module_of(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


MODULES = {module_of(path): path for path in FILES}
# Files that the build of the docs writes are left out.
GENERATED = {"_build", "auto_examples", "generated"}
OTHER_FILES = [
    path
    for folder in ("tests", "benchmarks", "examples", "docs")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if GENERATED.isdisjoint(path.relative_to(ROOT).parts)
]


def imported(path):
    """Our modules that a file imports, wherever in it, for type checkers too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(name if name in MODULES else node.module for name in names)
    return {name for name in found if name in MODULES}


def private_part(module):
    """The folder that a private file belongs to; None if no part of the path after it is private."""
    *folder, name = module.split(".")
    return ".".join(folder) if name.startswith("_") else None


@pytest.mark.parametrize("module", MODULES)
def test_a_private_file_is_imported_in_its_own_folder_only(module):
    wrong = [
        name
        for name in imported(MODULES[module])
        if (folder := private_part(name)) is not None and not f"{module}.".startswith(f"{folder}.")
    ]
    assert not wrong, f"{module} imports files that are private to other folders"


def test_there_are_no_import_circles():
    graph = {module: imported(path) - {module} for module, path in MODULES.items() if path.name != "__init__.py"}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"modules that import each other: {error.args[1]}")


@pytest.mark.parametrize("path", [*FILES, *OTHER_FILES], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_too_long(path):
    assert len(path.read_text().splitlines()) <= MOST_LINES
