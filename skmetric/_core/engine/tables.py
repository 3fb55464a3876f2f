"""The rows of all models of a stack, wherever they fit."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skmetric._core.engine.device import free_memory

__all__ = ["DeviceTable", "HostTable", "SharedTable", "StepRows", "open_table", "share_table"]

# Share of a device's free memory that the rows may take.
DEVICE_SHARE = 0.5


class StepRows(NamedTuple):
    """The rows that a network gets in one step, and which of them its items are."""

    indices: Tensor  # of the items' rows in their model's table, -1 where there is none: (n_models, n)
    x: Tensor  # (n_models, n_embedded, n_features)
    places: Tensor | None  # of the items in x, one model after the other: (n_models * n,); None: item k is row k


def open_table(tables: Sequence[NDArray], device: torch.device) -> "DeviceTable | HostTable":
    """Put the models' tables on the device, each distinct one once; what does not fit, or must not be copied, stays.

    A read-only array (a memory map, say) stays on the host even on a CPU: torch has no read-only tensors.
    """
    distinct = list({id(table): table for table in tables}.values())
    n_bytes = sum(table.nbytes for table in distinct)
    if device.type == "cuda":
        fits = n_bytes <= DEVICE_SHARE * free_memory(device)
    else:
        fits = all(table.flags.writeable for table in distinct)
    place = {id(table): start for table, start in zip(distinct, _starts(distinct), strict=True)}
    if fits:
        return DeviceTable(distinct, [place[id(table)] for table in tables], device)
    return HostTable(tables, device)


def share_table(tables: Sequence[NDArray], n_embedded: int, device: torch.device) -> "SharedTable":
    """Put all rows of each model's table on the device, from the first again where it has fewer than n_embedded."""
    places = np.stack([np.resize(np.arange(len(table)), n_embedded) for table in tables])
    ((_, x, _),) = open_table(tables, device).batches(places[None])
    return SharedTable(x)


class DeviceTable:
    """All rows in one tensor on the device; a model's rows start at its own offset."""

    def __init__(self, distinct: Sequence[NDArray], starts: Sequence[int], device: torch.device) -> None:
        # What must not be written to is copied: torch would warn.
        tensors = [
            torch.from_numpy(table) if table.flags.writeable else torch.tensor(table, device="cpu")
            for table in distinct
        ]
        self._rows = (tensors[0] if len(tensors) == 1 else torch.cat(tensors)).to(device)
        self._starts = torch.tensor(starts, device=device).unsqueeze(-1)
        self._shared = len(tensors) == 1

    def batches(self, rows: NDArray[np.integer]) -> Iterator[StepRows]:
        """For indices (n_steps, n_models, n), step by step: the indices, and the rows (n_models, n, n_features)."""
        indices = torch.from_numpy(rows).to(self._rows.device)
        # Where there is no item, the first row stands in.
        places = indices.clamp_min(0)
        places = (places if self._shared else places + self._starts).flatten(1)
        for step_indices, step_places in zip(indices.unbind(), places.unbind(), strict=True):
            yield StepRows(step_indices, self._rows.index_select(0, step_places).view(*step_indices.shape, -1), None)


class HostTable:
    """Rows that stay where they are and move a batch at a time."""

    def __init__(self, tables: Sequence[NDArray], device: torch.device) -> None:
        self._tables = tables
        self._device = device
        # CUDA has read rows when the call that copies them returns; other devices may not have.
        self._reads_at_once = device.type == "cuda"

    def batches(self, rows: NDArray[np.integer]) -> Iterator[StepRows]:
        """For indices (n_steps, n_models, n), step by step: the indices, and the rows (n_models, n, n_features)."""
        indices = torch.from_numpy(rows).to(self._device)
        for step_indices, step_rows in zip(indices.unbind(), rows, strict=True):
            picked = [table[each] for table, each in zip(self._tables, step_rows, strict=True)]
            x = torch.from_numpy(np.stack(picked)).to(self._device, non_blocking=self._reads_at_once)
            yield StepRows(step_indices, x, None)


class SharedTable:
    """All rows at every step, each once, for items to pick theirs from when they have passed through the network.

    Parameters
    ----------
    x : Tensor of shape (n_models, n_embedded, n_features)
        The rows of each model's table.
    """

    def __init__(self, x: Tensor) -> None:
        self._x = x
        self._starts = torch.arange(len(x), device=x.device).unsqueeze(-1) * x.shape[1]

    def batches(self, rows: NDArray[np.integer]) -> Iterator[StepRows]:
        """For indices (n_steps, n_models, n), step by step: the indices, all rows, and which of them the items are."""
        indices = torch.from_numpy(rows).to(self._x.device)
        places = (indices.clamp_min(0) + self._starts).flatten(1)
        for step_indices, step_places in zip(indices.unbind(), places.unbind(), strict=True):
            yield StepRows(step_indices, self._x, step_places)


def _starts(tables: Sequence[NDArray]) -> NDArray[np.int64]:
    lengths = np.array([len(table) for table in tables])
    return np.cumsum(lengths) - lengths
