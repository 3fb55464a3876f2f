"""Metrics of rankings by name, as rankers take them in ``metric=``."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._scorer import NothingToScoreError
from skmetric.metrics._gains import invalid_grades, rule_of
from skmetric.metrics._lists import check_lists
from skmetric.metrics.dcg import ndcg_score
from skmetric.metrics.rank_correlation import kendall_score, pairwise_accuracy_score, spearman_score
from skmetric.metrics.relevance import map_score, mrr_score

__all__ = ["RankMetric", "rank_metric", "refused_grade"]

WITH_CUT: dict[str, Callable[..., Any]] = {
    "ndcg": ndcg_score,
    "ndcg_linear": partial(ndcg_score, gain="linear"),
    "mrr": mrr_score,
    "map": map_score,
}
# The gain of each metric that uses gains.
GAINS = {"ndcg": "exponential", "ndcg_linear": "linear"}
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
    uses_gain : bool
        Whether the metric itself uses this gain, and so allows only some grades.
    k : int, optional
        The cutoff.
    """

    name: str
    function: Callable[..., Any]
    gain: str = "exponential"
    uses_gain: bool = False
    k: int | None = None

    def refused(self, grades: NDArray[np.float64], rows: NDArray[np.integer] | None = None) -> str | None:
        """Return why the metric cannot score the grades, as ``refused_grade`` does; None if it can."""
        return refused_grade(grades, self.gain, "set metric='spearman'", rows) if self.uses_gain else None

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
        undefined = f"{owner}: metric must be defined for these rows, got metric={self.name!r}: "
        try:
            return float(self.function(y_true, y_score, groups=groups, sample_weight=sample_weight))
        # The messages are complete, and a search prints them for every fold.
        except NothingToScoreError as error:
            if error.reason.startswith("sample_weight"):
                raise NothingToScoreError(f"{owner}: {error.reason}", error.advice) from None
            raise NothingToScoreError(undefined + error.reason, self._advice) from None
        except ValueError as error:
            # Errors of the arguments have nothing to do with the metric.
            lists = check_lists(y_true, y_score, groups=groups, sample_weight=sample_weight, reduction="mean")
            raise ValueError(undefined + (self.refused(lists.truth) or str(error))) from None

    @property
    def _advice(self) -> str:
        has_relevant = self.name.partition("@")[0] in WITH_CUT
        return f"Score groups with {'relevant rows' if has_relevant else 'rows of different y'}."


def refused_grade(
    grades: NDArray[np.float64], gain: str, otherwise: str, rows: NDArray[np.integer] | None = None
) -> str | None:
    """Return which grade a gain does not allow, and how to avoid this; None if it allows all.

    ``otherwise`` is advice for values of which only the order matters. ``rows`` holds the row of each grade in ``y``,
    if some rows of ``y`` have no grade.
    """
    is_invalid = invalid_grades(grades, gain)
    if not is_invalid.any():
        return None
    first = int(is_invalid.argmax())
    row = first if rows is None else rows[first]
    least = grades.min()
    advice = "Shift y so that its smallest value is 0" if least < 0 else "Set metric='ndcg_linear'"
    # The most frequent code of a row without a judgment.
    unjudged = " If -1 means that a row is not judged, set unlabeled=-1." if least == -1 else ""
    return f"y must hold {rule_of(gain)}, got {grades[first]:g} at row {row}. {advice}, or {otherwise}.{unjudged}"


def rank_metric(name: str) -> RankMetric:
    """Return the metric of a name: "ndcg", "ndcg@10", "ndcg_linear", "spearman", ..."""
    match = re.fullmatch(r"([a-z_]+)(?:@([1-9][0-9]*))?", name)
    base, cut = match.groups() if match else (None, None)
    if base in WITH_CUT:
        k = None if cut is None else int(cut)
        return RankMetric(name, partial(WITH_CUT[base], k=k), GAINS.get(base, "exponential"), base in GAINS, k)
    if base in WITHOUT_CUT and cut is None:
        return RankMetric(name, WITHOUT_CUT[base])
    with_cut, others = (", ".join(map(repr, names)) for names in (WITH_CUT, WITHOUT_CUT))
    raise ValueError(
        f"metric must be one of {with_cut}, each also with a cutoff as in 'ndcg@10', or {others}, got {name!r}. Use "
        "one of these names."
    )
