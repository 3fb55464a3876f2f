"""A made ranking task, whose right answer is known."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

__all__ = ["make_ranking"]

# Of a feature's variance, what lies between groups.
SHARE_BETWEEN_GROUPS = 0.5
# Hidden units of the teacher for each informative feature, and how far into their bend its inputs reach.
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

    A row :math:`x` of group :math:`g` is :math:`c_g + e`, where center and rest are normal with the variance 1/2 each.
    A teacher scores it from the informative features by a random network with one hidden layer,
    :math:`f(x) = \sum_k a_k \tanh(w_k^\top x + b_k)`, scaled to mean 0 and standard deviation 1 over all rows. With
    :math:`m_g` the mean of :math:`f` over the rows of the group, scaled in the same way over the groups, the grade is
    cut from

    .. math::
        z = f(x) - \text{group\_shift} \cdot m_g + \text{noise} \cdot \varepsilon, \qquad \varepsilon \sim N(0, 1).

    Half of all rows get the grade 0, a quarter the grade 1, and so on; the highest grade takes what remains.

    Parameters
    ----------
    n_groups : int, default=100
        How many groups.
    n_features : int, default=20
        How many columns.
    n_informative : int, default=10
        How many of them the teacher sees.
    group_size : int or tuple of two int, default=(5, 30)
        How many rows a group has; or the smallest and the largest number, between which the sizes are drawn uniformly.
    n_grades : int, default=5
        How many grades there are, from 0.
    noise : float, default=0.3
        Standard deviation of what is added to each row's score before it is graded, in units of the scores' own.
    group_shift : float, default=1.0
        Standard deviation of what is added to the scores of a whole group, in the same units. It works against the
        group's mean, so that rows of good groups get low grades: the order within groups stays the teacher's, and the
        relation between groups is weakened, and turned round where ``group_shift`` is larger. 0 gives no group effect.
    shuffle : bool, default=True
        Whether rows and columns come in random order. False: groups are contiguous, and the informative columns first.
    return_scores : bool, default=False
        Whether to return the teacher's scores, too.
    random_state : int, RandomState or None, default=None
        An int gives the same task every time.

    Returns
    -------
    X : ndarray of shape (n, n_features)
        The features.
    y : ndarray of int, shape (n,)
        The grade of each row: from 0 to ``n_grades - 1``, higher is more relevant.
    groups : ndarray of int, shape (n,)
        The group of each row, from 0.
    scores : ndarray of shape (n,)
        The teacher's scores :math:`f(x)`, without noise and shift. Only if ``return_scores=True``.

    Raises
    ------
    ValueError
        If a number is out of range, or there are more informative columns than columns.
    TypeError
        If a number is not one.

    Notes
    -----
    What ``group_shift`` does to a regressor of the grades over all rows: its best answer is the mean of :math:`z` at
    :math:`x`, and as :math:`x` tells much about :math:`m_g`, that is no longer :math:`f`. A ranker that compares rows
    within groups never sees the shift, but for the grades that all rows of a far shifted group may share.
    With the other defaults, the mean Spearman correlation of boosted trees with the teacher within new groups is .77
    for ``group_shift=0``, .44 for 1 and -.32 for 2.

    Examples
    --------
    >>> from skmetric.datasets import make_ranking
    >>> X, y, groups = make_ranking(n_groups=3, group_size=4, n_grades=3, random_state=0)
    >>> X.shape, groups.shape
    ((12, 20), (12,))
    >>> y.tolist().count(0), y.tolist().count(1), y.tolist().count(2)
    (6, 3, 3)

    Rows ranked by the teacher's scores are ranked as well as can be:

    >>> X, y, groups, scores = make_ranking(noise=0, group_shift=0, return_scores=True, random_state=0)
    >>> bool((y[scores.argsort()] == sorted(y)).all())
    True
    """
    _check_integers(n_groups=(n_groups, 1), n_features=(n_features, 1), n_informative=(n_informative, 1))
    _check_integers(n_grades=(n_grades, 2))
    _check_sizes(noise=noise, group_shift=group_shift)
    if n_informative > n_features:
        raise ValueError(
            f"n_informative must be at most n_features={n_features}, got n_informative={n_informative}. Pass fewer, or "
            "more features."
        )
    smallest, largest = _check_group_size(group_size)

    rng = check_random_state(random_state)
    groups = np.repeat(np.arange(n_groups), rng.randint(smallest, largest + 1, size=n_groups))
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
    """Validate integers, each beside the least that it may be."""
    for name, (value, least) in values.items():
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(
                f"{name} must be an integer, got {value!r} of type {type(value).__name__}. Pass {least} or more."
            )
        if int(value) < least:
            raise ValueError(f"{name} must be at least {least}, got {name}={value}. Pass a larger number.")


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
            f"group_size must be one number of rows, or the smallest and the largest, got {group_size!r}. Pass for "
            "instance (5, 30)."
        )
    for size in sizes:
        _check_integers(group_size=(size, 1))
    if sizes[0] > sizes[1]:
        raise ValueError(f"group_size must give the smallest number first, got {group_size!r}. Pass {sizes[::-1]!r}.")
    return int(sizes[0]), int(sizes[1])
