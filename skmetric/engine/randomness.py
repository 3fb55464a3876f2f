"""One seed a model, one stream of random numbers a purpose."""

from enum import IntEnum

import numpy as np

__all__ = ["Stream", "open_stream"]


class Stream(IntEnum):
    """What random numbers are for. Each purpose has its own stream, so that one never shifts another."""

    WEIGHTS = 0
    BATCHES = 1
    DROPOUT = 2
    OBJECTIVE = 3
    HOLDOUT = 4


def open_stream(seed: np.random.SeedSequence, purpose: Stream) -> np.random.Generator:
    """A new generator at the start of a purpose's stream.

    Unlike ``seed.spawn``, this leaves the seed as it is: opening a stream twice gives the same numbers twice.
    """
    child = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, purpose))
    return np.random.Generator(np.random.SFC64(child))
