"""Metrics of rankings by name, as rankers take them in ``metric=``."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from numpy.typing import ArrayLike

from skmetric.metrics.dcg import ndcg_score
from skmetric.metrics.rank_correlation import kendall_score, pairwise_accuracy_score, spearman_score
from skmetric.metrics.relevance import map_score, mrr_score

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
        ``(y_true, y_score, *, groups, sample_weight, reduction)``, with the cutoff in the name.
    gain : str
        The corresponding gain of NDCG.
    k : int, optional
        The cutoff.
    """

    name: str
    function: Callable[..., Any]
    gain: str = "exponential"
    k: int | None = None

    def judge(
        self,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        groups: ArrayLike | None,
        sample_weight: ArrayLike | None,
        owner: str,
    ) -> float:
        """Compute the mean over groups; ``owner`` is the class to name in errors."""
        try:
            return float(self.function(y_true, y_score, groups=groups, sample_weight=sample_weight))
        except ValueError as error:
            raise ValueError(
                f"{owner}: metric must be defined for these rows, got metric={self.name!r}: {error} Use another "
                "metric, such as 'ndcg_linear' or 'spearman'."
            ) from None  # The message is complete, and a search prints it for every fold.


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
