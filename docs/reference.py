"""Write the API page and the tables of losses from the package itself: neither can lag behind it."""

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from inspect import getdoc
from pathlib import Path

from skmetric import losses
from skmetric._core.nn import INPUTS
from skmetric.estimators import ListwiseRanker, PairwiseRanker, PointwiseRanker
from skmetric.estimators.embedding._losses import LOSSES as CONTRASTIVE

__all__ = ["write_reference"]

HERE = Path(__file__).parent
PACKAGES = {
    "skmetric": "Estimators and searches",
    "skmetric.model_selection": "Model selection",
    "skmetric.adapters": "Adapters",
    "skmetric.losses": "Losses",
    "skmetric.metrics": "Metrics",
    "skmetric.imbalance": "Imbalanced regression",
    "skmetric.preferences": "Preferences",
    "skmetric.datasets": "Datasets",
    "skmetric.estimators": "For contributors",
}


def write_reference() -> None:
    """Write ``api.rst``, and the tables that the chapters include."""
    (HERE / "api.rst").write_text("\n".join(_api_page()) + "\n", encoding="utf-8")
    tables = HERE / "generated"
    tables.mkdir(exist_ok=True)
    written = {
        "contrastive_losses": _contrastive_losses(),
        "ranking_losses": _ranking_losses(),
        "encodings": _encodings(),
    }
    for name, lines in written.items():
        (tables / f"{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _api_page() -> Iterator[str]:
    yield from ("API", "===", "")
    listed: set[int] = set()
    for package, title in PACKAGES.items():
        module = import_module(package)
        names = [name for name in module.__all__ if not name.startswith("__")]
        public = {name: getattr(module, name) for name in names}
        # A name that a package only re-exports is listed once, where it comes first. A submodule has its section.
        new = [name for name, value in public.items() if id(value) not in listed and not hasattr(value, "__path__")]
        listed.update(id(value) for value in public.values())
        yield from (title, "-" * len(title), "", f"In ``{package}``.", "")
        if package == "skmetric.losses":
            new.sort(key=lambda name: public[name].__module__)
        yield from _summary(f"{package}.{name}" for name in new)


def _summary(names: Iterable[str]) -> Iterator[str]:
    yield from (".. autosummary::", "   :toctree: generated", "   :nosignatures:", "")
    yield from (f"   ~{name}" for name in names)
    yield ""


def _contrastive_losses() -> Iterator[str]:
    yield from ("| `loss` | what it computes | `margin` | `temperature` | `distance` |", "|---|---|---|---|---|")
    for name, loss in CONTRASTIVE.items():
        function = next(each for each in (f"batch_{name}_loss", f"{name}_loss") if hasattr(losses, each))
        margin, temperature = ("" if number is None else f"{number:g}" for number in (loss.margin, loss.temperature))
        summary = _first_line(getattr(losses, function))
        yield f'| `"{name}"` | {summary} | {margin} | {temperature} | `"{loss.distance}"` |'


def _ranking_losses() -> Iterator[str]:
    yield from ("| estimator | `loss` | what it computes | parameters |", "|---|---|---|---|")
    for ranker in (PairwiseRanker, ListwiseRanker, PointwiseRanker):
        for name, loss in ranker._losses.items():
            of_metric = ["gain of `metric`"] * loss.uses_gain + ["cut of `metric`"] * loss.uses_cut
            parameters = ", ".join([*(f"`{number}`" for number in loss.numbers), *of_metric])
            yield f'| `{ranker.__name__}` | `"{name}"` | {_first_line(loss.function)} | {parameters} |'


def _encodings() -> Iterator[str]:
    yield from ("| `inputs` | what it does |", "|---|---|")
    yield from (f'| `"{name}"` | {spec.summary} |' for name, spec in INPUTS.items())


def _first_line(function: object) -> str:
    # Formulas as code: a table of Markdown knows no roles of reStructuredText.
    return re.sub(r":\w+:`([^`]*)`", r"`\1`", (getdoc(function) or "").partition("\n")[0])
