"""Preference pairs as lists of two."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._sklearn_compat import check_sample_weight
from skmetric._warnings import warn_caller
from skmetric.estimators._lists import RankedItems
from skmetric.estimators._tuples import read_tuples

if TYPE_CHECKING:
    from skmetric.estimators.pairwise import PairwiseRanker

__all__ = ["read_pairs"]


def read_pairs(
    ranker: "PairwiseRanker", X: ArrayLike, y: ArrayLike | None, sample_weight: ArrayLike | None, *, reset: bool
) -> RankedItems:
    """Check pairs, and make of each a list in which the winner is the more relevant.

    A tie is two lists of half the weight, one won by each: the loss then has its minimum where the scores are equal.
    """
    points, rows = read_tuples(ranker, X, 2, reset=reset)
    outcome = _check_outcome(y, len(rows))
    weights = np.ones(len(rows))
    if sample_weight is not None:
        weights = check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True)
    is_tie = outcome == 0
    units = np.repeat(np.concatenate([np.arange(len(rows)), np.flatnonzero(is_tie)]), 2)
    rows = np.concatenate([rows, rows[is_tie]])
    relevance = np.column_stack([outcome >= 0, outcome < 0])
    relevance = np.concatenate([relevance, ~relevance[is_tie]])
    weights = np.concatenate([np.where(is_tie, weights / 2, weights), weights[is_tie] / 2])
    lists = np.repeat(np.arange(len(rows)), 2)
    return RankedItems(
        points, relevance.ravel().astype(np.float64), np.repeat(weights, 2), lists, rows.ravel(), units=units
    )


def _check_outcome(y: ArrayLike | None, n: int) -> NDArray[np.float64]:
    if y is None:
        return np.ones(n)
    outcome = np.asarray(y)
    if outcome.dtype == bool or outcome.shape != (n,) or not np.isin(outcome, (-1, 0, 1)).all():
        raise ValueError(
            f"y must say for each of the {n} pairs which point wins: 1 the first, -1 the second, 0 neither; got shape "
            f"{outcome.shape}, values such as {np.unique(outcome)[:5].tolist()}."
        )
    if (outcome == 0).any() and not (outcome == -1).any():
        warn_caller("y holds ties, 0, and no pair whose second point wins. If 0 is meant for that, make it -1.")
    return outcome.astype(np.float64)
