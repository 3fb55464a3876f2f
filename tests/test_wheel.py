"""The wheel holds the package, the whole package, and nothing else."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

import skmetric

ROOT = Path(__file__).parents[1]


def run(*arguments, **settings):
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pip(command, *arguments):
    return run("-m", "pip", "--isolated", "--disable-pip-version-check", command, "--no-index", "--no-deps", *arguments)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    (path,) = folder.iterdir()
    return path


def test_it_holds_every_file_of_the_package_and_no_other(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not PurePosixPath(name).parts[0].endswith(".dist-info")}
    code = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("skmetric/**/*.py")}
    assert names == code | {"skmetric/py.typed"}


def test_its_version_is_the_packages(wheel):
    assert wheel.name.startswith(f"skmetric-{skmetric.__version__}-")


def test_it_can_be_installed_and_imports_no_torch_before_it_is_needed(wheel, tmp_path):
    place, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    pip("install", "--target", place, wheel)
    program = """
import sys
import skmetric
print(skmetric.__file__)
assert "torch" not in sys.modules
for name in skmetric.__all__:
    getattr(skmetric, name)
"""
    # The folder comes before all that is installed, so the checkout is never looked at.
    printed = run("-c", program, cwd=elsewhere, env={**os.environ, "PYTHONPATH": str(place)})
    assert Path(printed.strip()) == place / "skmetric" / "__init__.py"
