"""Agreement of judgments."""

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from skmetric.preferences._checks import check_judgments
from skmetric.preferences.best_worst import count_scores

__all__ = ["split_half_reliability"]


def split_half_reliability(
    tuples: ArrayLike,
    best: ArrayLike,
    worst: ArrayLike,
    *,
    n_splits: int = 100,
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
) -> float:
    r"""Mean rank correlation between the scores from two random halves of the judgments.

    If :math:`A_k, B_k` are the halves of split :math:`k`, :math:`s` their :func:`best_worst_scores`, and :math:`\rho`
    Spearman's rank correlation over the items shown in both halves, the reliability is

    .. math::
        r = \frac{1}{n_\mathrm{splits}} \sum_k \rho\bigl(s(A_k), s(B_k)\bigr).

    Parameters
    ----------
    tuples : array-like of int, shape (n_judgments, tuple_size)
        Items that each judgment showed, as codes from 0. ``tuple_size`` is at least 2. Rows with the same items, in any
        order, are judgments of the same tuple.
    best : array-like of int, shape (n_judgments,)
        Item that was chosen as the best of each tuple.
    worst : array-like of int, shape (n_judgments,)
        Item that was chosen as the worst of each tuple.
    n_splits : int, default=100
        Number of random splits to average over.
    random_state : int, Generator, RandomState or None, default=None
        Source of the random splits. Pass an int for the same splits in each call.

    Returns
    -------
    reliability : float
        At most 1. About 0 if the judgments have nothing in common.

    Raises
    ------
    ValueError
        If ``n_splits`` is not positive; if the halves of a split cannot be correlated (fewer than two items have scores
        in both, or all scores of a half are equal); or for the reasons listed in :func:`best_worst_pairs`.
    TypeError
        If the codes or ``n_splits`` are not integers.

    See Also
    --------
    best_worst_scores : The scores.

    Notes
    -----
    To draw the halves, the judgments of each tuple are put in random order and assigned to the two halves in turn. A
    fair coin per tuple decides which half is first. So an even number of judgments is split evenly. If the number is
    odd, one half gets one judgment more. A tuple that was judged once is in only one half. Splits are independent.

    A half has half of the judgments, so r is below the reliability of the scores from all judgments. The
    Spearman-Brown formula estimates the reliability for all judgments: :math:`2 r / (1 + r)`. It is not applied here.

    References
    ----------
    Kiritchenko, Mohammad (2017). Best-Worst Scaling More Reliable than Rating Scales: A Case Study on Sentiment
    Intensity Annotation. ACL. https://aclanthology.org/P17-2074

    Examples
    --------
    >>> from skmetric.preferences import split_half_reliability
    >>> tuples = [[0, 1, 2, 3]] * 4 + [[2, 3, 4, 5]] * 4
    >>> split_half_reliability(tuples, best=[0] * 4 + [2] * 4, worst=[3] * 4 + [5] * 4, random_state=0)
    1.0
    """
    shown, best_items, worst_items = check_judgments(tuples, best, worst)
    _check_n_splits(n_splits)
    halves = _Halves(shown)
    generator = _generator(random_state)
    total = 0.0
    for _ in range(n_splits):
        in_first = halves.draw(generator)
        scores = (
            count_scores(shown[rows], best_items[rows], worst_items[rows], int(shown.max()) + 1)
            for rows in (in_first, ~in_first)
        )
        total += _spearman(*scores)
    return total / n_splits


class _Halves:
    """Draws halves of the judgments, separately for each tuple."""

    def __init__(self, tuples: NDArray[np.intp]) -> None:
        _, codes, self.sizes = np.unique(np.sort(tuples, axis=1), axis=0, return_inverse=True, return_counts=True)
        self.codes = codes.reshape(-1)
        starts = np.cumsum(self.sizes) - self.sizes
        self.position = np.arange(len(tuples)) - np.repeat(starts, self.sizes)

    def draw(self, generator: np.random.Generator) -> NDArray[np.bool_]:
        """Return whether each judgment is in the first half."""
        order = np.lexsort((generator.random(len(self.codes)), self.codes))
        coins = generator.integers(2, size=len(self.sizes))
        in_first = np.empty(len(order), dtype=bool)
        in_first[order] = (self.position + np.repeat(coins, self.sizes)) % 2 == 0
        return in_first


def _spearman(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    both = ~(np.isnan(first) | np.isnan(second))
    ranks = [rankdata(scores[both]) for scores in (first, second)]
    centered = [r - r.mean() for r in ranks if r.size > 1 and np.ptp(r) > 0]
    if len(centered) < 2:
        raise ValueError(
            f"tuples must give at least two items with different scores in both halves, got a split with {both.sum()} "
            "items scored in both, or with equal scores in a half. Pass more judgments per tuple."
        )
    left, right = (c / np.sqrt(c @ c) for c in centered)
    return float(np.clip(left @ right, -1, 1))


def _generator(random_state: int | np.random.Generator | np.random.RandomState | None) -> np.random.Generator:
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(2**31))
    return np.random.default_rng(random_state)


def _check_n_splits(n_splits: int) -> None:
    if isinstance(n_splits, bool) or not isinstance(n_splits, Integral):
        raise TypeError(f"n_splits must be an integer, got {n_splits!r} of type {type(n_splits).__name__}. Pass 100.")
    if n_splits < 1:
        raise ValueError(f"n_splits must be at least 1, got n_splits={n_splits}. Pass 100.")
