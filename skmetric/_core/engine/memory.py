"""Memory of the items of earlier steps, for objectives that compare against them."""

from collections.abc import Sequence
from copy import copy

import torch
from torch import Tensor

from skmetric._core.engine.batch import Batch, Memory

__all__ = ["NoMemory", "RecentItems"]


class NoMemory:
    """A memory that keeps no items."""

    contents: Memory | None = None

    def begin_step(self) -> None:
        """Do nothing: there are no items to store."""

    def end_step(self, representation: Tensor, batch: Batch) -> None:
        """Do nothing: no items are kept."""

    def keep_only(self, models: Sequence[int]) -> "NoMemory":
        """Return the same memory: it holds nothing for any model."""
        del models
        return self


class RecentItems:
    """The latest items of each model, in a ring buffer that is allocated once.

    The items of a step are stored when the next step begins. Until then, the memory is the one that the loss of the
    step used. The host computes the positions in the ring, so that nothing waits for the device.

    Parameters
    ----------
    contents : Memory
        Initial contents of the ring. They are overwritten in place.
    """

    def __init__(self, contents: Memory) -> None:
        self.contents = contents
        self._next = 0
        self._latest: tuple[Tensor, Batch] | None = None

    @classmethod
    def empty(
        cls, n_models: int, size: int, n_outputs: int, n_values: int | None, device: torch.device
    ) -> "RecentItems":
        """Create a ring of slots without items. ``n_values`` is None if the items have no known values."""

        def zeros(width: int) -> Tensor:
            return torch.zeros(n_models, size, width, dtype=torch.float32, device=device)

        rows = torch.full((n_models, size), -1, dtype=torch.int64, device=device)
        return cls(Memory(zeros(n_outputs), rows, None if n_values is None else zeros(n_values)))

    def begin_step(self) -> None:
        """Store the items of the previous step."""
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
        """Remember the items of a step, with their representation (n_models, n, n_outputs) in that step."""
        self._latest = representation, batch

    def keep_only(self, models: Sequence[int]) -> "RecentItems":
        """Return the memory of some of the models. Their contents stay."""
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
