"""Columns of a validation set that have another scale than the training rows."""

import numpy as np
from numpy.typing import NDArray

from skmetric._core.nn import Columns

__all__ = ["columns_of_other_scale"]

# A column has another scale if more than this share of its values lie beyond this many training ranges.
SHARE, RANGES = 0.1, 5
# Number of rows that are compared at once, so that a table on disk is never in memory as a whole.
CHUNK_ROWS = 1 << 16


def columns_of_other_scale(train: Columns, held_out: Columns) -> NDArray[np.intp]:
    """Return the indices of columns whose held-out values lie far outside of the range of the training rows."""
    least, most = (end(train.numbers, axis=0).astype(np.float64) for end in (np.min, np.max))
    with np.errstate(over="ignore"):
        reach = RANGES * (most - least)
        lowest, highest = least - reach, most + reach
    n_beyond = np.zeros(train.n_features, dtype=np.intp)
    for start in range(0, len(held_out), CHUNK_ROWS):
        rows = held_out.numbers[start : start + CHUNK_ROWS]
        n_beyond += ((rows < lowest) | (rows > highest)).sum(axis=0)
    return np.flatnonzero(n_beyond > SHARE * len(held_out))
