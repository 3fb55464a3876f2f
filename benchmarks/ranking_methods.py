"""The rankers of the comparison with default parameters, and a common interface to fit them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from skmetric.estimators.ranking.listwise import ListwiseRanker
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.estimators.ranking.pointwise import PointwiseRanker

__all__ = ["FIRST_CHOICE", "LEADING_PEER", "OURS", "PEERS", "Method"]

N_THREADS = 2

Predict = Callable[[NDArray], NDArray]
# Arguments: rows, their relevance, and the ids of their groups. The rows of a group are adjacent.
Fit = Callable[[NDArray, NDArray, NDArray], Predict]


@dataclass(frozen=True)
class Method:
    """One method of the comparison.

    Attributes
    ----------
    name : str
        Name of the method in the table.
    make : callable
        ``(seed, rounds) -> fit``, where ``rounds`` is the number of training rounds, None for the default. It imports
        the packages that it needs.
    note : str
        Remark for the printed table.
    package : str, optional
        Package whose version is printed.
    """

    name: str
    make: Callable[[int, int | None], Fit]
    note: str = ""
    package: str | None = None

    @property
    def label(self) -> str:
        """The note, with the version of the package."""
        return f"{self.note}, {self.package} {version(self.package)}" if self.package else self.note


def _make_ours(ranker: type, loss: str, seed: int, rounds: int | None) -> Fit:
    estimator = ranker(loss=loss, device="cpu", random_state=seed, **_unless_none(max_iter=rounds))
    return lambda X, y, groups: estimator.fit(X, y, groups=groups).predict


def _make_lightgbm(seed: int, rounds: int | None) -> Fit:
    from lightgbm import LGBMRanker

    ranker = LGBMRanker(n_jobs=N_THREADS, random_state=seed, verbosity=-1, **_unless_none(n_estimators=rounds))

    def fit(X: NDArray, y: NDArray, groups: NDArray) -> Predict:
        ranker.fit(X, y, group=np.unique(groups, return_counts=True)[1])
        # The booster itself, because the estimator would warn of missing column names.
        return ranker.booster_.predict

    return fit


def _make_xgboost(seed: int, rounds: int | None) -> Fit:
    from xgboost import XGBRanker

    ranker = XGBRanker(objective="rank:ndcg", n_jobs=N_THREADS, random_state=seed, **_unless_none(n_estimators=rounds))
    return lambda X, y, groups: ranker.fit(X, y, qid=groups).predict


def _make_catboost(seed: int, rounds: int | None) -> Fit:
    from catboost import CatBoostRanker

    ranker = CatBoostRanker(
        loss_function="YetiRank",
        iterations=rounds or 300,
        random_seed=seed,
        thread_count=N_THREADS,
        verbose=False,
        allow_writing_files=False,
    )
    return lambda X, y, groups: ranker.fit(X, y, group_id=groups).predict


def _make_ridge(seed: int, rounds: int | None) -> Fit:
    ridge = make_pipeline(QuantileTransformer(output_distribution="normal", random_state=seed), Ridge())
    return lambda X, y, groups: ridge.fit(X, y).predict


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
