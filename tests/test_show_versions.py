import subprocess
import sys
from importlib.metadata import version

import pytest
import torch

import skmetric


@pytest.fixture
def shown(capsys):
    def show():
        skmetric.show_versions()
        lines = capsys.readouterr().out.splitlines()
        return {name: rest.strip() for name, _, rest in (line.partition(" ") for line in lines)}

    return show


def test_it_prints_what_is_installed(shown):
    lines = shown()
    assert lines["skmetric"] == skmetric.__version__
    assert lines["Python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"platform", "CUDA", "MPS", "polars"} < lines.keys()
    for name in ("numpy", "scipy", "scikit-learn", "skorch", "pandas", "matplotlib"):
        assert lines[name] == version(name)
    assert lines["torch"].startswith(f"{torch.__version__}, {torch.get_num_threads()} thread")


def test_what_is_not_installed_is_said_to_be(shown, monkeypatch):
    monkeypatch.setattr("skmetric._show_versions.OPTIONAL", ["no-such-package"])
    assert shown()["no-such-package"] == "not installed"


@pytest.mark.parametrize("error", [ImportError("no libtorch"), OSError("no libtorch")])
def test_a_torch_that_is_broken_does_not_hide_the_rest(shown, monkeypatch, error):
    def refuse(name):
        raise error

    monkeypatch.setattr("skmetric._show_versions.import_module", refuse)
    lines = shown()
    assert lines["torch"] == f"{version('torch')}, cannot be imported: no libtorch"
    assert "pandas" in lines


def test_gpus_are_named(shown, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"GPU {number}")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    lines = shown()
    assert lines["CUDA"] == "13.0: GPU 0, GPU 1"
    assert lines["MPS"] == "available"


def test_it_imports_torch_and_none_of_the_others():
    program = """
import sys
import skmetric
skmetric.show_versions()
print(sorted({"torch", "sklearn", "scipy", "skorch", "pandas", "polars", "matplotlib"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['torch']"
