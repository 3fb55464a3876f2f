"""The metric that a ranker is stopped and scored by, from its name."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from skmetric.estimators.ranking._objectives import ListObjective, RankedItems
from skmetric.metrics import (
    kendall_score,
    map_score,
    mrr_score,
    ndcg_score,
    pairwise_accuracy_score,
    spearman_score,
)

__all__ = ["RankMetric", "graded_objective", "rank_metric"]

WITH_CUT: dict[str, Callable[..., Any]] = {
    "ndcg": ndcg_score,
    "ndcg_linear": partial(ndcg_score, gain="linear"),
    "mrr": mrr_score,
    "map": map_score,
}
WITHOUT_CUT: dict[str, Callable[..., Any]] = {
    "spearman": spearman_score,
    "kendall": kendall_score,
    "pairwise_accuracy": pairwise_accuracy_score,
}


class RankMetric(NamedTuple):
    """A metric of ``(y_true, y_score, *, groups, sample_weight)``, with the gain and the cut that its name asks for."""

    score: Callable[..., Any]
    gain: str
    k: int | None


def rank_metric(name: str) -> RankMetric:
    """Look a metric up: "ndcg", "ndcg@10", "ndcg_linear", "spearman", ..."""
    match = re.fullmatch(r"([a-z_]+)(?:@([1-9][0-9]*))?", name)
    base, cut = match.groups() if match else (None, None)
    if base in WITH_CUT:
        k = None if cut is None else int(cut)
        return RankMetric(partial(WITH_CUT[base], k=k), "linear" if base == "ndcg_linear" else "exponential", k)
    if base in WITHOUT_CUT and cut is None:
        return RankMetric(WITHOUT_CUT[base], "exponential", None)
    cuttable, others = (", ".join(map(repr, names)) for names in (WITH_CUT, WITHOUT_CUT))
    raise ValueError(
        f"metric must be one of {cuttable}, each also with a cut as in 'ndcg@10', or {others}; got {name!r}."
    )


def graded_objective(ranker: Any, items: RankedItems, *, cut: bool) -> ListObjective:
    """A loss that is made of NDCG's gains: those of the metric, where that is an NDCG."""
    metric = rank_metric(ranker.metric)
    try:
        ndcg_score(items.relevance, np.zeros(len(items.relevance)), groups=items.lists, gain=metric.gain)
    except ValueError as error:
        raise ValueError(
            f"loss={ranker.loss!r} is made of NDCG's gains, and cannot have these grades: {error} In "
            f"{type(ranker).__name__}, take metric='ndcg_linear' for linear gains, or another loss."
        ) from error
    return ListObjective(ranker.loss, (("gain", metric.gain), *([("k", metric.k)] if cut else [])))
