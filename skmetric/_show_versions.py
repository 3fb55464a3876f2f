"""Versions and devices, for bug reports."""

import platform
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from skmetric import __version__

__all__ = ["show_versions"]

REQUIRED = ["numpy", "scipy", "scikit-learn", "skorch"]
OPTIONAL = ["pandas", "polars", "matplotlib"]


def show_versions() -> None:
    """Print the versions of Python, skmetric and the packages that it uses, and the devices that torch can use.

    Include this output in bug reports. Of the packages, only torch is imported.

    Examples
    --------
    >>> import skmetric
    >>> skmetric.show_versions()
    skmetric      0...
    Python        3...
    platform      ...
    numpy         ...
    scipy         ...
    scikit-learn  ...
    skorch        ...
    torch         ...
    CUDA          ...
    MPS           ...
    pandas        ...
    polars        ...
    matplotlib    ...
    """
    lines = {
        "skmetric": __version__,
        "Python": platform.python_version(),
        "platform": platform.platform(),
        **{name: _installed(name) for name in REQUIRED},
        **_torch(),
        **{name: _installed(name) for name in OPTIONAL},
    }
    for name, value in lines.items():
        print(f"{name:<12}  {value}")


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _torch() -> dict[str, str]:
    try:
        torch: Any = import_module("torch")
    except (ImportError, OSError) as error:  # OSError: a shared library is missing or of another machine
        return {"torch": f"{_installed('torch')}, cannot be imported: {error}"}
    cuda = "not available"
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
        cuda = f"{torch.version.cuda or torch.version.hip}: {', '.join(names)}"
    n_threads = torch.get_num_threads()
    return {
        "torch": f"{torch.__version__}, {n_threads} {'thread' if n_threads == 1 else 'threads'}",
        "CUDA": cuda,
        "MPS": "available" if torch.backends.mps.is_available() else "not available",
    }
