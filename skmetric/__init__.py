"""Metric learning and learning to rank for scikit-learn."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skmetric._show_versions import show_versions
    from skmetric.estimators import (
        ContrastiveEmbedder,
        ListwiseRanker,
        PairwiseRanker,
        PointwiseRanker,
        RankSimRegressor,
        Rows,
        TripletEmbedder,
    )
    from skmetric.model_selection import BatchedGridSearchCV, BatchedRandomizedSearchCV

__version__ = "0.1.0.dev0"

__all__ = [
    "BatchedGridSearchCV",
    "BatchedRandomizedSearchCV",
    "ContrastiveEmbedder",
    "ListwiseRanker",
    "PairwiseRanker",
    "PointwiseRanker",
    "RankSimRegressor",
    "Rows",
    "TripletEmbedder",
    "__version__",
    "adapters",
    "datasets",
    "estimators",
    "imbalance",
    "losses",
    "metrics",
    "model_selection",
    "preferences",
    "show_versions",
]

_HOME = {
    "BatchedGridSearchCV": "model_selection",
    "BatchedRandomizedSearchCV": "model_selection",
    "ContrastiveEmbedder": "estimators",
    "ListwiseRanker": "estimators",
    "PairwiseRanker": "estimators",
    "PointwiseRanker": "estimators",
    "RankSimRegressor": "estimators",
    "Rows": "estimators",
    "TripletEmbedder": "estimators",
    "show_versions": "_show_versions",
}
_SUBMODULES = {
    "adapters",
    "datasets",
    "estimators",
    "imbalance",
    "losses",
    "metrics",
    "model_selection",
    "preferences",
}


def __getattr__(name: str) -> Any:
    """Import estimators and submodules when they are first used, so that the metrics do not need torch."""
    if name in _HOME:
        return getattr(import_module(f"skmetric.{_HOME[name]}"), name)
    if name in _SUBMODULES:
        return import_module(f"skmetric.{name}")
    raise AttributeError(f"module 'skmetric' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
