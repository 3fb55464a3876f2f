"""What an objective gets to know about the items whose outputs it judges."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Batch", "Memory"]


@dataclass(frozen=True)
class Memory:
    """The latest items of earlier steps, in no particular order; the current step's are not among them.

    Attributes
    ----------
    representation : Tensor of shape (n_models, memory_size, n_outputs)
        As it was when the item passed through training, without a gradient. Valid until the next step: whoever wants
        it for longer takes a copy.
    rows : Tensor of int, shape (n_models, memory_size)
        Which row of its model's table each item is; -1 where there is none (yet), and the representation means nothing.
    values : Tensor of shape (n_models, memory_size, n_values), or None
        What is known about each item.

    References
    ----------
    Wang, Zhang, Huang, Scott (2020). Cross-Batch Memory for Embedding Learning. CVPR.
    """

    representation: Tensor
    rows: Tensor
    values: Tensor | None


@dataclass(frozen=True)
class Batch:
    """One step's items of every model of a stack.

    Attributes
    ----------
    rows : Tensor of int, shape (n_models, n)
        Which row of its model's table each item is; -1 where there is none, and what comes out means nothing.
    values : Tensor of shape (n_models, n, n_values), or None
        What is known about each item.
    list_length : int
        The items fall into lists of so many, one after the other; what is left at the end is no item.
    generators : sequence of torch.Generator
        One a model, for an objective that draws.
    memory : Memory, or None
        Items of earlier steps, where the plan asks for any.
    """

    rows: Tensor
    values: Tensor | None
    list_length: int
    generators: Sequence[torch.Generator]
    memory: Memory | None = None
