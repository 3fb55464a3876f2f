"""Tables of the rows of all models of a stack, on the device or on the host."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skmetric._core.engine.device import free_memory
from skmetric._core.nn import EncodedRows

__all__ = ["DeviceTable", "HostTable", "SharedTable", "StepRows", "open_table", "share_table"]

# Share of the free memory of a device that the rows may use.
DEVICE_SHARE = 0.5

# The encoded rows of one model.
Table: TypeAlias = NDArray[np.float32] | EncodedRows


class StepRows(NamedTuple):
    """Rows that a network embeds in one step, and the positions of the items among them."""

    indices: Tensor  # row of each item in the table of its model, -1 for no item: (n_models, n)
    x: Tensor  # rows to embed: (n_models, n_embedded, n_features)
    positions: Tensor | None  # of the items in x, model after model: (n_models * n,); None if item k is row k


def open_table(tables: Sequence[Table], device: torch.device) -> "DeviceTable | HostTable":
    """Put the tables of all models on the device, each distinct table once, or keep them on the host.

    Tables stay on the host if they do not fit on a CUDA device. For other devices, also a CPU, they stay if one is on
    disk, because then a copy in memory must be avoided.
    """
    distinct = list({id(table): table for table in tables}.values())
    n_bytes = sum(table.nbytes for table in distinct)
    if device.type == "cuda":
        fits = n_bytes <= DEVICE_SHARE * free_memory(device)
    else:
        fits = not any(isinstance(table, EncodedRows) for table in distinct)
    start_of = {id(table): start for table, start in zip(distinct, _starts(distinct), strict=True)}
    if fits:
        return DeviceTable(distinct, [start_of[id(table)] for table in tables], device)
    return HostTable(tables, device)


def share_table(tables: Sequence[Table], n_embedded: int, device: torch.device) -> "SharedTable":
    """Put all rows of each table on the device. A table with fewer than ``n_embedded`` rows is repeated."""
    indices = np.stack([np.resize(np.arange(len(table)), n_embedded) for table in tables])
    ((_, x, _),) = open_table(tables, device).batches(indices[None])
    return SharedTable(x)


class DeviceTable:
    """All rows in one tensor on the device. Each table starts at its own offset."""

    def __init__(self, distinct: Sequence[Table], starts: Sequence[int], device: torch.device) -> None:
        # Read-only arrays are copied, because torch would warn.
        arrays = [table[:] for table in distinct]
        tensors = [
            torch.from_numpy(array) if array.flags.writeable else torch.tensor(array, device="cpu") for array in arrays
        ]
        self._rows = (tensors[0] if len(tensors) == 1 else torch.cat(tensors)).to(device)
        self._starts = torch.tensor(starts, device=device).unsqueeze(-1)
        self._shared = len(tensors) == 1

    def batches(self, rows: NDArray[np.integer]) -> Iterator[StepRows]:
        """Yield each step of row indices (n_steps, n_models, n), with its rows (n_models, n, n_features)."""
        indices = torch.from_numpy(rows).to(self._rows.device)
        # A slot without an item gets the first row.
        positions = indices.clamp_min(0)
        positions = (positions if self._shared else positions + self._starts).flatten(1)
        for step_indices, step_positions in zip(indices.unbind(), positions.unbind(), strict=True):
            yield StepRows(step_indices, self._rows.index_select(0, step_positions).view(*step_indices.shape, -1), None)


class HostTable:
    """Rows that stay on the host and are copied to the device batch by batch."""

    def __init__(self, tables: Sequence[Table], device: torch.device) -> None:
        self._tables = tables
        self._device = device
        # On CUDA, the rows have been read when the copying call returns. Other devices may read them later.
        self._reads_at_once = device.type == "cuda"

    def batches(self, rows: NDArray[np.integer]) -> Iterator[StepRows]:
        """Yield each step of row indices (n_steps, n_models, n), with its rows (n_models, n, n_features)."""
        indices = torch.from_numpy(rows).to(self._device)
        for step_indices, step_rows in zip(indices.unbind(), rows, strict=True):
            picked = [table[each] for table, each in zip(self._tables, step_rows, strict=True)]
            x = torch.from_numpy(np.stack(picked)).to(self._device, non_blocking=self._reads_at_once)
            yield StepRows(step_indices, x, None)


class SharedTable:
    """All rows, each embedded once per step. Items then take the embedding of their row.

    Parameters
    ----------
    x : Tensor of shape (n_models, n_embedded, n_features)
        Rows of the table of each model.
    """

    def __init__(self, x: Tensor) -> None:
        self._x = x
        self._starts = torch.arange(len(x), device=x.device).unsqueeze(-1) * x.shape[1]

    def batches(self, rows: NDArray[np.integer]) -> Iterator[StepRows]:
        """Yield each step of row indices (n_steps, n_models, n), with all rows and the positions of the items."""
        indices = torch.from_numpy(rows).to(self._x.device)
        positions = (indices.clamp_min(0) + self._starts).flatten(1)
        for step_indices, step_positions in zip(indices.unbind(), positions.unbind(), strict=True):
            yield StepRows(step_indices, self._x, step_positions)


def _starts(tables: Sequence[Table]) -> NDArray[np.int64]:
    lengths = np.array([len(table) for table in tables])
    return np.cumsum(lengths) - lengths
