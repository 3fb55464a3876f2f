"""Print the oldest version of everything that the tests need, as pyproject.toml allows it, for pip's ``-r``.

Without torch, whose oldest version is the one that all tests run with.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(listed: list[str]) -> Iterator[Requirement]:
    """Requirements that hold on this machine, with those of our own extras in place of the extras."""
    for requirement in map(Requirement, listed):
        if requirement.name == PROJECT["name"]:
            for extra in sorted(requirement.extras):
                yield from requirements(PROJECT["optional-dependencies"][extra])
        elif requirement.marker is None or requirement.marker.evaluate():
            yield requirement


def lower_bound(requirement: Requirement) -> str:
    """The version after ``>=``."""
    bounds = [specifier.version for specifier in requirement.specifier if specifier.operator == ">="]
    if len(bounds) != 1:
        raise SystemExit(f"pyproject.toml: {requirement} needs a lower bound, as in {requirement.name}>=1.0")
    return bounds[0]


if __name__ == "__main__":
    for needed in requirements(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]):
        if needed.name != "torch":
            print(f"{needed.name}=={lower_bound(needed)}")
