"""What the losses take beside a list: values an item, numbers a list, and gradients known by hand."""

import math
from contextlib import suppress

import torch
from torch import Tensor

from skmetric.losses.numerics import sum_last

# A number for all lists, or a tensor with one for each.
PerList = float | Tensor


def per_item(name: str, value: Tensor, shape: torch.Size) -> Tensor:
    """Broadcast one value an item (..., n) over the leading axes of lists of the given shape (..., n)."""
    if value.ndim and value.shape[-1] == shape[-1]:
        with suppress(RuntimeError):
            return value.expand(shape)
    raise ValueError(
        f"{name} must hold one value an item and broadcast to {tuple(shape)}; got shape {tuple(value.shape)}."
    )


def labeled_items(embeddings: Tensor, labels: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Embeddings (..., n, d), with zeros for items that are not real, and labels and mask (..., n) that fit them."""
    labels = per_item("labels", labels, embeddings.shape[:-1])
    if mask is not None:
        mask = per_item("mask", mask, embeddings.shape[:-1])
        embeddings = embeddings.masked_fill(~mask.unsqueeze(-1), 0.0)
    return embeddings, labels, mask


def per_list(name: str, value: PerList, lists: Tensor, n_axes: int) -> Tensor:
    """One number a list, in a shape that meets ``lists``, whose last ``n_axes`` axes lie within a list.

    It takes no gradient.
    """
    value = torch.as_tensor(value, dtype=lists.dtype, device=lists.device).detach()
    leading = lists.shape[: lists.ndim - n_axes]
    if value.ndim > len(leading) or any(
        size not in (1, number) for size, number in zip(value.shape[::-1], leading[::-1], strict=False)
    ):
        raise ValueError(
            f"{name} must be a number, or hold one for each list of the stack, shape {tuple(leading)}; "
            f"got shape {tuple(value.shape)}."
        )
    return value[(..., *[None] * n_axes)]


def positive(name: str, value: PerList) -> PerList:
    """Raise for a number that is not positive. What a tensor holds is not looked at: that would wait for the device."""
    if not isinstance(value, Tensor) and not 0 < value < math.inf:
        raise ValueError(f"{name} must be positive and finite; got {value}.")
    return value


def differ(values: Tensor, counts: Tensor | None = None) -> Tensor:
    """Whether a list (..., n) holds different values, among those that count, (...)."""
    if values.shape[-1] == 0:
        return torch.zeros(values.shape[:-1], dtype=torch.bool, device=values.device)
    values = values.detach()
    if counts is None:
        return values.amax(-1) > values.amin(-1)
    return values.masked_fill(~counts, -torch.inf).amax(-1) > values.masked_fill(~counts, torch.inf).amin(-1)


def nan_of(values: Tensor, n_axes: int = 1) -> Tensor:
    """0 for a list of finite values, else NaN: a loss may pass a value by, but never hide that it is none."""
    return sum_last(values.detach() * 0, n_axes)
