"""A generated ranking task with known true scores."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from skmetric.datasets._checks import check_flags

__all__ = ["make_ranking"]

# Fraction of the variance of a feature that is between groups.
SHARE_BETWEEN_GROUPS = 0.5
# Number of hidden units of the teacher per informative feature, and the scale of their inputs: a larger scale makes the
# teacher less linear.
UNITS_PER_FEATURE = 2
TEACHER_GAIN = 1.5


def make_ranking(
    n_groups: int = 100,
    *,
    n_features: int = 20,
    n_informative: int = 10,
    group_size: int | tuple[int, int] = (5, 30),
    n_grades: int = 5,
    noise: float = 0.3,
    group_shift: float = 1.0,
    shuffle: bool = True,
    return_scores: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[NDArray[Any], ...]:
    r"""Generate a random ranking task: groups of rows with graded relevance.

    A row :math:`x` of group :math:`g` is :math:`c_g + e`, where the group center :math:`c_g` and the rest :math:`e` are
    normal with variance 1/2 each. A teacher computes the score of the row from the informative features. The teacher is
    a random network with one hidden layer, :math:`f(x) = \sum_k a_k \tanh(w_k^\top x + b_k)`, scaled to mean 0 and
    standard deviation 1 over all rows. If :math:`m_g` is the mean of :math:`f` over the rows of the group, scaled in
    the same way over the groups, the grade is derived from

    .. math::
        z = f(x) - \text{group\_shift} \cdot m_g + \text{noise} \cdot \varepsilon, \qquad \varepsilon \sim N(0, 1).

    The half of all rows with the lowest :math:`z` gets grade 0, the next quarter grade 1, and so on. The highest grade
    gets the remaining rows.

    Parameters
    ----------
    n_groups : int, default=100
        Number of groups.
    n_features : int, default=20
        Number of features, the columns of X.
    n_informative : int, default=10
        Number of features that the teacher uses.
    group_size : int or tuple of two int, default=(5, 30)
        Number of rows per group. If a tuple, the smallest and the largest number: sizes are drawn uniformly between
        them.
    n_grades : int, default=5
        Number of grades, which begin at 0. With few rows, the highest grades have no row.
    noise : float, default=0.3
        Standard deviation of the noise added to the score of each row, relative to that of the scores.
    group_shift : float, default=1.0
        Standard deviation of the shift added to all scores of a group, relative to that of the scores. The shift is
        opposite to the mean of the group, so that rows of good groups get low grades. The order within groups remains
        that of the teacher. The relation between groups becomes weaker, and a larger ``group_shift`` reverses it. 0
        means no group effect.
    shuffle : bool, default=True
        Whether to shuffle rows and columns. If False, groups are contiguous, and the informative columns come first.
    return_scores : bool, default=False
        Whether to also return the scores of the teacher.
    random_state : int, RandomState or None, default=None
        Pass an int for the same task in each call.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Features.
    y : ndarray of int, shape (n_samples,)
        Grade of each row, from 0 to ``n_grades - 1``. Higher is more relevant.
    groups : ndarray of int, shape (n_samples,)
        Group of each row, from 0.
    scores : ndarray of shape (n_samples,)
        Scores :math:`f(x)` of the teacher, without noise and shift. Only if ``return_scores=True``.

    Raises
    ------
    ValueError
        If a number is out of range, or ``n_informative`` is larger than ``n_features``.
    TypeError
        If an argument that must be a number, or True or False, has another type.

    Notes
    -----
    ``group_shift`` misleads a regressor of the grades over all rows. Its best prediction is the mean of :math:`z` at
    :math:`x`, which is no longer :math:`f`, because :math:`x` is informative about :math:`m_g`. A ranker that compares
    rows within groups does not see the shift, except that all rows of a group with a large shift may have the same
    grade. With the other defaults, the mean Spearman correlation of boosted trees with the teacher within new groups is
    .77 for ``group_shift=0``, .44 for 1 and -.32 for 2.

    Examples
    --------
    >>> from skmetric.datasets import make_ranking
    >>> X, y, groups = make_ranking(n_groups=3, group_size=4, n_grades=3, random_state=0)
    >>> X.shape, groups.shape
    ((12, 20), (12,))
    >>> y.tolist().count(0), y.tolist().count(1), y.tolist().count(2)
    (6, 3, 3)

    Without noise and shift, the scores of the teacher rank the rows perfectly:

    >>> X, y, groups, scores = make_ranking(noise=0, group_shift=0, return_scores=True, random_state=0)
    >>> bool((y[scores.argsort()] == sorted(y)).all())
    True
    """
    _check_integers(n_groups=(n_groups, 1), n_features=(n_features, 1), n_informative=(n_informative, 1))
    _check_integers(n_grades=(n_grades, 2))
    _check_sizes(noise=noise, group_shift=group_shift)
    check_flags(shuffle=shuffle, return_scores=return_scores)
    if n_informative > n_features:
        raise ValueError(
            f"n_informative must be at most n_features={n_features}, got n_informative={n_informative}. Pass a "
            "smaller n_informative, or a larger n_features."
        )
    smallest, largest = _check_group_size(group_size)

    rng = check_random_state(random_state)
    groups = np.repeat(np.arange(int(n_groups)), rng.randint(smallest, largest + 1, size=n_groups))
    X = _features(groups, n_features, rng)
    scores = _standardized(_teach(X[:, :n_informative], rng))
    latent = scores - group_shift * _group_means(scores, groups)[groups] + noise * rng.standard_normal(len(groups))
    y = _grades(latent, n_grades)
    if shuffle:
        rows, columns = rng.permutation(len(groups)), rng.permutation(n_features)
        X, y, groups, scores = X[rows][:, columns], y[rows], groups[rows], scores[rows]
    return (X, y, groups, scores) if return_scores else (X, y, groups)


def _features(groups: NDArray[np.intp], n_features: int, rng: np.random.RandomState) -> NDArray[np.float64]:
    centers = rng.standard_normal((groups[-1] + 1, n_features))
    rest = rng.standard_normal((len(groups), n_features))
    return np.sqrt(SHARE_BETWEEN_GROUPS) * centers[groups] + np.sqrt(1 - SHARE_BETWEEN_GROUPS) * rest


def _teach(X: NDArray[np.float64], rng: np.random.RandomState) -> NDArray[np.float64]:
    n_units = UNITS_PER_FEATURE * X.shape[1]
    weights = TEACHER_GAIN * rng.standard_normal((X.shape[1], n_units)) / np.sqrt(X.shape[1])
    return np.tanh(X @ weights + rng.standard_normal(n_units)) @ rng.standard_normal(n_units)


def _group_means(scores: NDArray[np.float64], groups: NDArray[np.intp]) -> NDArray[np.float64]:
    return _standardized(np.bincount(groups, scores) / np.bincount(groups))


def _standardized(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centered = values - values.mean()
    # A single value has no spread: it becomes 0.
    return centered / centered.std() if len(values) > 1 else centered


def _grades(latent: NDArray[np.float64], n_grades: int) -> NDArray[np.int64]:
    """Grade by rank: each grade is half as frequent as the one below."""
    ranks = latent.argsort().argsort()
    bounds = len(latent) * (1 - 0.5 ** np.arange(1, n_grades))
    return np.searchsorted(bounds, ranks, side="right").astype(np.int64)


def _check_integers(**values: tuple[Any, int]) -> None:
    """Validate integers, each given with its smallest valid value."""
    for name, (value, smallest) in values.items():
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(
                f"{name} must be an integer, got {value!r} of type {type(value).__name__}. Pass {smallest} or more."
            )
        if int(value) < smallest:
            raise ValueError(f"{name} must be at least {smallest}, got {name}={value}. Pass a larger number.")


def _check_sizes(**values: Any) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name} must be a number, got {value!r} of type {type(value).__name__}. Pass 0 for none.")
        if not 0 <= float(value) < np.inf:
            raise ValueError(f"{name} must be finite and not negative, got {name}={value}. Pass 0 for none.")


def _check_group_size(group_size: int | Sequence[int]) -> tuple[int, int]:
    sizes = tuple(group_size) if isinstance(group_size, Sequence) else (group_size, group_size)
    if len(sizes) != 2:
        raise ValueError(
            f"group_size must be one number of rows, or the smallest and the largest number, got {group_size!r}. Pass "
            "(5, 30), for instance."
        )
    for size in sizes:
        _check_integers(group_size=(size, 1))
    if sizes[0] > sizes[1]:
        raise ValueError(f"group_size must give the smallest number first, got {group_size!r}. Pass {sizes[::-1]!r}.")
    return int(sizes[0]), int(sizes[1])
