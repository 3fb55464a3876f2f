"""Rows held out from training for validation."""

import numpy as np
from numpy.typing import NDArray

from skmetric._core.sampling.classes import shuffle_within_classes

__all__ = ["holdout_lists", "spread_holdout", "stratified_holdout"]


def holdout_lists(
    lists: NDArray[np.integer], fraction: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split items into a training and a validation part, each with whole lists.

    Parameters
    ----------
    lists : array of int, shape (n_samples,)
        List of each item.
    fraction : float
        Fraction of the lists to hold out, between 0 and 1. The number is rounded. At least one list is held out, and at
        least one stays.
    rng : numpy.random.Generator
        Generator that draws the lists.

    Returns
    -------
    train, validation : arrays of int
        Indices of items, in ascending order.

    Raises
    ------
    ValueError
        If there is only one list.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric._core.sampling import holdout_lists
    >>> train, validation = holdout_lists(np.array([0, 0, 1, 1, 2]), 0.3, np.random.default_rng(0))
    >>> train, validation
    (array([0, 1, 2, 3]), array([4]))
    """
    ids = np.unique(lists)
    if len(ids) < 2:
        raise ValueError(
            "early_stopping must hold out whole groups, got only one group. Pass X_val, y_val and groups_val, or set "
            "early_stopping=False."
        )
    n_held_out = min(max(round(fraction * len(ids)), 1), len(ids) - 1)
    is_held_out = np.isin(lists, rng.choice(ids, n_held_out, replace=False))
    return np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)


def spread_holdout(
    values: NDArray, n_held_out: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split items into a training and a validation part that covers the whole range of the values.

    Items are sorted by value and split into ``n_held_out`` runs, as even as possible. One random item per run is held
    out. Tails are therefore held out in proportion.

    Parameters
    ----------
    values : array of shape (n_samples,)
        One number per item.
    n_held_out : int
        Number of items to hold out, from 1 to n_samples.
    rng : numpy.random.Generator
        Generator that draws the items.

    Returns
    -------
    train, validation : arrays of int
        Indices of items, in ascending order.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric._core.sampling import spread_holdout
    >>> values = np.array([0, 9, 1, 8, 2, 7])
    >>> train, validation = spread_holdout(values, 2, np.random.default_rng(0))
    >>> np.sort(values[validation])
    array([2, 8])
    """
    edges = np.arange(n_held_out + 1) * len(values) // n_held_out
    ranks = edges[:-1] + rng.integers(0, np.diff(edges))
    is_held_out = np.zeros(len(values), dtype=bool)
    is_held_out[np.argsort(values, kind="stable")[ranks]] = True
    return np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)


def stratified_holdout(
    labels: NDArray[np.integer], fraction: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split rows into a training and a validation part, with the same fraction of every class.

    ``round(fraction * size)`` rows of each class are held out. At least two rows of a class stay for training, because
    one row cannot form a positive pair.

    Parameters
    ----------
    labels : array of int, shape (n_samples,)
        Class of each row, coded 0, 1, ...
    fraction : float
        Fraction of the rows to hold out, between 0 and 1.
    rng : numpy.random.Generator
        Generator that draws the rows.

    Returns
    -------
    train, validation : arrays of int
        Row indices, in ascending order.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric._core.sampling import stratified_holdout
    >>> labels = np.repeat([0, 1], [8, 4])
    >>> train, validation = stratified_holdout(labels, 0.25, np.random.default_rng(0))
    >>> np.bincount(labels[validation]).tolist()
    [2, 1]
    """
    sizes = np.bincount(labels)
    held_out = np.clip(np.round(fraction * sizes).astype(np.int64), 0, np.maximum(sizes - 2, 0))
    by_class = shuffle_within_classes(labels, rng)
    index = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    is_held_out = index < np.repeat(held_out, sizes)
    return np.sort(by_class[~is_held_out]), np.sort(by_class[is_held_out])
