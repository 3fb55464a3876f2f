"""The rankers of the comparison, with default parameters."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from skmetric.adapters import GroupedRanker
from skmetric.estimators.ranking.listwise import ListwiseRanker
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.estimators.ranking.pointwise import PointwiseRanker

__all__ = ["FIRST_CHOICE", "LEADING_PEER", "OURS", "PEERS", "Method"]

N_THREADS = 2


@dataclass(frozen=True)
class Method:
    """One method of the comparison.

    Attributes
    ----------
    name : str
        Name of the method in the table.
    make : callable
        ``(seed, rounds) -> estimator``, where ``rounds`` is the number of training rounds, None for the default. It
        imports the packages that it needs.
    note : str
        Remark for the printed table.
    package : str, optional
        Package whose version is printed.
    """

    name: str
    make: Callable[[int, int | None], Any]
    note: str = ""
    package: str | None = None

    @property
    def label(self) -> str:
        """The note, with the version of the package."""
        return f"{self.note}, {self.package} {version(self.package)}" if self.package else self.note


def _make_ours(ranker: type, loss: str, seed: int, rounds: int | None) -> Any:
    return ranker(loss=loss, device="cpu", random_state=seed, **_unless_none(max_iter=rounds))


def _make_lightgbm(seed: int, rounds: int | None) -> Any:
    from lightgbm import LGBMRanker

    return GroupedRanker(
        LGBMRanker(n_jobs=N_THREADS, random_state=seed, verbosity=-1, **_unless_none(n_estimators=rounds))
    )


def _make_xgboost(seed: int, rounds: int | None) -> Any:
    from xgboost import XGBRanker

    return GroupedRanker(
        XGBRanker(objective="rank:ndcg", n_jobs=N_THREADS, random_state=seed, **_unless_none(n_estimators=rounds))
    )


def _make_catboost(seed: int, rounds: int | None) -> Any:
    from catboost import CatBoostRanker

    return GroupedRanker(
        CatBoostRanker(
            loss_function="YetiRank",
            iterations=rounds or 300,
            random_seed=seed,
            thread_count=N_THREADS,
            verbose=False,
            allow_writing_files=False,
        )
    )


def _make_ridge(seed: int, rounds: int | None) -> Any:
    return make_pipeline(QuantileTransformer(output_distribution="normal", random_state=seed), Ridge())


def _unless_none(**parameters: Any) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


OURS = tuple(
    Method(f"{ranker.__name__} {loss}", partial(_make_ours, ranker, loss))
    for ranker, losses in (
        (PairwiseRanker, ("hinge", "logistic", "lambda")),
        (ListwiseRanker, ("softmax", "list_mle", "approx_ndcg")),
        (PointwiseRanker, ("squared",)),
    )
    for loss in losses
)
# The ranker that the documentation recommends to try first.
FIRST_CHOICE = "ListwiseRanker softmax"

PEERS = (
    Method("LightGBM", _make_lightgbm, "lambdarank", "lightgbm"),
    Method("XGBoost", _make_xgboost, "rank:ndcg", "xgboost-cpu"),
    Method("CatBoost", _make_catboost, "YetiRank, 300 rounds", "catboost"),
    Method("ridge", _make_ridge, "on quantile-normal columns"),
)
LEADING_PEER = "LightGBM"
