"""One seed a model, one stream of random numbers a purpose."""

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
    """What random numbers are for. Each purpose has its own stream, so that one never shifts another."""

    WEIGHTS = 0
    BATCHES = 1
    DROPOUT = 2
    OBJECTIVE = 3
    HOLDOUT = 4
    MODULE = 5


def open_stream(seed: np.random.SeedSequence, purpose: Stream) -> np.random.Generator:
    """A new generator at the start of a purpose's stream.

    Unlike ``seed.spawn``, this leaves the seed as it is: opening a stream twice gives the same numbers twice.
    """
    child = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, purpose))
    return np.random.Generator(np.random.SFC64(child))


def identity(seed: np.random.SeedSequence) -> tuple:
    """What two seeds have in common whose streams are the same."""
    return repr(seed.entropy), seed.spawn_key


def shared(keys: Sequence[Hashable], make: Callable[[int], Made]) -> list[Made]:
    """Make something for each place, once for all places of the same key: ``make`` gets the first of them."""
    made: dict[Hashable, Made] = {}
    for place, key in enumerate(keys):
        if key not in made:
            made[key] = make(place)
    return [made[key] for key in keys]


@contextmanager
def borrow_global_generators(seed: np.random.SeedSequence, device: torch.device) -> Iterator[None]:
    """Seed the generators that a user's own module may draw from, and put them back as they were.

    They are the process's, so fits with such modules run one at a time, whatever threads they are called from.
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
    """Those of the process that work on a device may draw from."""
    generators = [torch.default_generator]
    if device.type == "cuda":
        torch.cuda.init()
        index = torch.cuda.current_device() if device.index is None else device.index
        generators.append(torch.cuda.default_generators[index])
    return generators


def states_of(generators: Sequence[torch.Generator]) -> list[Tensor]:
    """Where each generator is, to come back to."""
    return [generator.get_state() for generator in generators]


def restore(generators: Sequence[torch.Generator], states: Sequence[Tensor]) -> None:
    """Put generators back to where they were."""
    for generator, state in zip(generators, states, strict=True):
        generator.set_state(state)
