"""Metrics of rankers for scores and early stopping, by name."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from numpy.typing import NDArray

from skmetric.estimators.ranking._data import RankedItems
from skmetric.metrics import (
    kendall_score,
    map_score,
    mrr_score,
    ndcg_score,
    pairwise_accuracy_score,
    spearman_score,
)

__all__ = ["RankMetric", "rank_metric"]

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


@dataclass(frozen=True)
class RankMetric:
    """A metric of rankings.

    Attributes
    ----------
    name : str
        Name as given by the user.
    function : callable
        ``(y_true, y_score, *, groups, sample_weight)``, with the cutoff in the name.
    gain : str
        The corresponding gain of NDCG.
    k : int, optional
        The cutoff.
    """

    name: str
    function: Callable[..., Any]
    gain: str = "exponential"
    k: int | None = None

    def judge(self, items: RankedItems, scores: NDArray, *, weighted: bool, owner: str) -> float:
        """Compute the metric of items from the scores of their rows; ``owner`` is the class to name in errors."""
        if items.rows is not None:
            scores = scores[items.rows]
        weights = items.weights if weighted else None
        try:
            return float(self.function(items.relevance, scores, groups=items.lists, sample_weight=weights))
        except ValueError as error:
            raise ValueError(
                f"{owner}: metric must be defined for these rows, got metric={self.name!r}: {error} Use another "
                "metric, such as 'ndcg_linear' or 'spearman'."
            ) from None  # The message is complete, and a search prints it for every fold.

    def judge_outputs(self, outputs: NDArray, *, items: RankedItems, owner: str) -> float:
        """Compute the metric of items from the outputs of a network, of shape (n_samples, 1)."""
        return self.judge(items, outputs[:, 0], weighted=True, owner=owner)


def rank_metric(name: str) -> RankMetric:
    """Return the metric of a name: "ndcg", "ndcg@10", "ndcg_linear", "spearman", ..."""
    match = re.fullmatch(r"([a-z_]+)(?:@([1-9][0-9]*))?", name)
    base, cut = match.groups() if match else (None, None)
    if base in WITH_CUT:
        k = None if cut is None else int(cut)
        gain = "linear" if base == "ndcg_linear" else "exponential"
        return RankMetric(name, partial(WITH_CUT[base], k=k), gain, k)
    if base in WITHOUT_CUT and cut is None:
        return RankMetric(name, WITHOUT_CUT[base])
    with_cut, others = (", ".join(map(repr, names)) for names in (WITH_CUT, WITHOUT_CUT))
    raise ValueError(
        f"metric must be one of {with_cut}, each also with a cutoff as in 'ndcg@10', or {others}, got {name!r}. Use "
        "one of these names."
    )
