"""What an objective knows about the items of a step: the batch, and the memory of earlier items."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Batch", "Memory"]


@dataclass(frozen=True)
class Memory:
    """The latest items of earlier steps, in no particular order, without the items of the current step.

    Attributes
    ----------
    representation : Tensor of shape (n_models, memory_size, n_outputs)
        Representation of each item at the step that trained on it, without a gradient. Valid until the next step:
        take a copy to keep it longer.
    rows : Tensor of int, shape (n_models, memory_size)
        Row of each item in the table of its model; -1 for a slot without an item (yet), whose representation has no
        meaning.
    values : Tensor of shape (n_models, memory_size, n_values), or None
        Known values of each item, such as its label.

    References
    ----------
    Wang, Zhang, Huang, Scott (2020). Cross-Batch Memory for Embedding Learning. CVPR.
    """

    representation: Tensor
    rows: Tensor
    values: Tensor | None


@dataclass(frozen=True)
class Batch:
    """The items of one step, for each model of a stack.

    Attributes
    ----------
    rows : Tensor of int, shape (n_models, n)
        Row of each item in the table of its model; -1 for a slot without an item, whose outputs have no meaning.
    values : Tensor of shape (n_models, n, n_values), or None
        Known values of each item, such as its label.
    list_length : int
        Length of the lists: consecutive items form lists of this length. Slots that remain at the end hold no item.
    generators : sequence of torch.Generator
        One generator per model, for an objective that draws random numbers.
    memory : Memory, or None
        Items of earlier steps, if the plan has ``memory_size > 0``.
    """

    rows: Tensor
    values: Tensor | None
    list_length: int
    generators: Sequence[torch.Generator]
    memory: Memory | None = None
