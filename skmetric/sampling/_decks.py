"""Rows in random order, class after class."""

import numpy as np
from numpy.typing import NDArray


def shuffle_within_classes(labels: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.integer]:
    """All places of ``labels``, sorted by class and in random order within each."""
    shuffled = rng.permutation(len(labels))
    return shuffled[np.argsort(labels[shuffled], kind="stable")]
