"""Items of earlier steps that are kept for the objective."""

from collections.abc import Sequence
from copy import copy

import torch
from torch import Tensor

from skmetric._core.engine.batch import Batch, Memory

__all__ = ["NoMemory", "RecentItems"]


class NoMemory:
    """Where no item is kept."""

    contents: Memory | None = None

    def begin_step(self) -> None:
        """Nothing is there to take in."""

    def end_step(self, representation: Tensor, batch: Batch) -> None:
        """Nothing is kept."""

    def keep_only(self, models: Sequence[int]) -> "NoMemory":
        """Nothing is what some of the models have, too."""
        del models
        return self


class RecentItems:
    """The latest items of each model, in a ring that is allocated once.

    A step's items are taken in when the next one begins: until then, whoever looks at the step's outputs finds the
    memory that its loss saw. Where in the ring they go is known on the host, so nothing waits for the device.

    Parameters
    ----------
    contents : Memory
        What the ring starts with; written into.
    """

    def __init__(self, contents: Memory) -> None:
        self.contents = contents
        self._next = 0
        self._latest: tuple[Tensor, Batch] | None = None

    @classmethod
    def empty(
        cls, n_models: int, size: int, n_outputs: int, n_values: int | None, device: torch.device
    ) -> "RecentItems":
        """A ring of places without an item; n_values is None where nothing is known about items."""

        def zeros(width: int) -> Tensor:
            return torch.zeros(n_models, size, width, dtype=torch.float32, device=device)

        rows = torch.full((n_models, size), -1, dtype=torch.int64, device=device)
        return cls(Memory(zeros(n_outputs), rows, None if n_values is None else zeros(n_values)))

    def begin_step(self) -> None:
        """Take in the items of the step before."""
        if self._latest is None:
            return
        representation, batch = self._latest
        self._latest = None
        self._write(self.contents.representation, representation)
        self._write(self.contents.rows, batch.rows)
        if self.contents.values is not None and batch.values is not None:
            self._write(self.contents.values, batch.values)
        size = self.contents.rows.shape[1]
        self._next = (self._next + min(size, batch.rows.shape[1])) % size

    def end_step(self, representation: Tensor, batch: Batch) -> None:
        """Keep a step's items, with the representation (n_models, n, n_outputs) that they had in it."""
        self._latest = representation, batch

    def keep_only(self, models: Sequence[int]) -> "RecentItems":
        """The memory of some of the models, which go on where they are."""
        self.begin_step()
        kept = list(models)
        all_of = self.contents
        fewer = copy(self)
        fewer.contents = Memory(
            all_of.representation[kept], all_of.rows[kept], None if all_of.values is None else all_of.values[kept]
        )
        return fewer

    def _write(self, ring: Tensor, new: Tensor) -> None:
        size = ring.shape[1]
        new = new[:, -size:]
        until_end = min(new.shape[1], size - self._next)
        ring[:, self._next : self._next + until_end] = new[:, :until_end]
        ring[:, : new.shape[1] - until_end] = new[:, until_end:]
