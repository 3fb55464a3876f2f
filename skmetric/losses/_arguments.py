"""Check and broadcast the arguments that the losses share: values per item and numbers per list."""

import math
from contextlib import suppress

import torch
from torch import Tensor

from skmetric.losses.numerics import sum_last

# One number for all lists, or a tensor with one number per list.
PerList = float | Tensor


def per_item(name: str, value: Tensor, shape: torch.Size) -> Tensor:
    """Broadcast values per item (..., n) over the leading axes of lists of the given shape (..., n)."""
    if value.ndim and value.shape[-1] == shape[-1]:
        with suppress(RuntimeError):
            return value.expand(shape)
    raise ValueError(
        f"{name} must hold one value per item and broadcast to shape {tuple(shape)}, got shape {tuple(value.shape)}."
    )


def labeled_items(embeddings: Tensor, labels: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return embeddings (..., n, d) with zeros for items that are not real, and labels and mask of shape (..., n)."""
    labels = per_item("labels", labels, embeddings.shape[:-1])
    if mask is not None:
        mask = per_item("mask", mask, embeddings.shape[:-1])
        embeddings = embeddings.masked_fill(~mask.unsqueeze(-1), 0.0)
    return embeddings, labels, mask


def per_list(name: str, value: PerList, lists: Tensor, n_axes: int) -> Tensor:
    """Return one number per list, in a shape that broadcasts to ``lists``.

    The last ``n_axes`` axes of ``lists`` are the axes of a single list. The number carries no gradient.
    """
    value = torch.as_tensor(value, dtype=lists.dtype, device=lists.device).detach()
    leading = lists.shape[: lists.ndim - n_axes]
    if value.ndim > len(leading) or any(
        size not in (1, number) for size, number in zip(value.shape[::-1], leading[::-1], strict=False)
    ):
        raise ValueError(
            f"{name} must be a number or broadcast to one value per list, shape {tuple(leading)}, "
            f"got shape {tuple(value.shape)}."
        )
    return value[(..., *[None] * n_axes)]


def positive(name: str, value: PerList) -> PerList:
    """Raise if a number is not positive. The values of a tensor are not checked: that would wait for the device."""
    if not isinstance(value, Tensor) and not 0 < value < math.inf:
        raise ValueError(f"{name} must be positive and finite, got {value}.")
    return value


def differ(values: Tensor, is_counted: Tensor | None = None) -> Tensor:
    """Return whether the counted values of a list (..., n) are not all equal, (...)."""
    if values.shape[-1] == 0:
        return torch.zeros(values.shape[:-1], dtype=torch.bool, device=values.device)
    values = values.detach()
    if is_counted is None:
        return values.amax(-1) > values.amin(-1)
    low, high = -torch.inf, torch.inf
    if not values.is_floating_point():
        low, high = torch.iinfo(values.dtype).min, torch.iinfo(values.dtype).max
    return values.masked_fill(~is_counted, low).amax(-1) > values.masked_fill(~is_counted, high).amin(-1)


def nan_of(values: Tensor, n_axes: int = 1) -> Tensor:
    """Return 0 for a list of finite values, else NaN. A loss may ignore a value, but must not hide a NaN."""
    return sum_last(values.detach() * 0, n_axes)
