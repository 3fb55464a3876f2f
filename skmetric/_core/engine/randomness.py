"""Random numbers: one seed per model, one stream per purpose."""

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

__all__ = [
    "Stream",
    "borrow_global_generators",
    "global_generators",
    "identity",
    "open_stream",
    "restore",
    "shared",
    "states_of",
]

Made = TypeVar("Made")

_GLOBAL_GENERATORS = threading.RLock()


class Stream(IntEnum):
    """Purposes of random numbers. Each purpose has its own stream, so that draws for one never shift another."""

    WEIGHTS = 0
    BATCHES = 1
    DROPOUT = 2
    OBJECTIVE = 3
    HOLDOUT = 4
    MODULE = 5


def open_stream(seed: np.random.SeedSequence, purpose: Stream) -> np.random.Generator:
    """Return a new generator at the start of the stream of a purpose.

    Unlike ``seed.spawn``, this does not change the seed: opening a stream twice gives the same numbers twice.
    """
    child = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, purpose))
    return np.random.Generator(np.random.SFC64(child))


def identity(seed: np.random.SeedSequence) -> tuple:
    """Return a key that is equal for two seeds if their streams are the same."""
    return repr(seed.entropy), seed.spawn_key


def shared(keys: Sequence[Hashable], make: Callable[[int], Made]) -> list[Made]:
    """Make one object per key, but share it among equal keys: ``make`` receives the index of the first of them."""
    made: dict[Hashable, Made] = {}
    for index, key in enumerate(keys):
        if key not in made:
            made[key] = make(index)
    return [made[key] for key in keys]


@contextmanager
def borrow_global_generators(seed: np.random.SeedSequence, device: torch.device) -> Iterator[None]:
    """Seed the global generators that a user's module may draw from, and restore their states at the end.

    The whole process shares these generators. Fits with such modules therefore run one after the other, even if several
    threads call them.
    """
    generators = global_generators(device)
    with _GLOBAL_GENERATORS:
        states = states_of(generators)
        number = int(open_stream(seed, Stream.MODULE).integers(1 << 63))
        try:
            for generator in generators:
                generator.manual_seed(number)
            yield
        finally:
            restore(generators, states)


def global_generators(device: torch.device) -> list[torch.Generator]:
    """Return the global generators that operations on a device may draw from."""
    generators = [torch.default_generator]
    if device.type == "cuda":
        torch.cuda.init()
        index = torch.cuda.current_device() if device.index is None else device.index
        generators.append(torch.cuda.default_generators[index])
    return generators


def states_of(generators: Sequence[torch.Generator]) -> list[Tensor]:
    """Return the state of each generator, for ``restore``."""
    return [generator.get_state() for generator in generators]


def restore(generators: Sequence[torch.Generator], states: Sequence[Tensor]) -> None:
    """Set generators to the given states."""
    for generator, state in zip(generators, states, strict=True):
        generator.set_state(state)
