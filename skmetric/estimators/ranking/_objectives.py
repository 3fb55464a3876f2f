"""Ranking losses in the form that the engine needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from skmetric._core.engine import Batch
from skmetric._core.nn import Outputs

__all__ = ["ListObjective"]


@dataclass(frozen=True)
class ListObjective:
    """A ranking loss over the lists of a batch, weighted such that its mean over an epoch is its mean over groups.

    Each item has a relevance, a weight within its list, and a share. The weight of a list is the sum of the shares of
    its items. The weight of a group is the mean weight of its rows, regardless of how many lists it is split into and
    how many lists are in a step.

    Attributes
    ----------
    function : callable
        The loss, a function of scores, relevance, mask, weights, and its hyperparameters.
    options : tuple of (str, value)
        Further keyword arguments of the function.
    """

    function: Callable[..., Tensor]
    options: tuple[tuple[str, Any], ...] = ()

    def loss(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> Tensor:
        """Compute the loss of each model."""
        assert batch.values is not None
        assert outputs.scores is not None
        in_lists = partial(_in_lists, length=batch.list_length)
        relevance, weights, shares = map(in_lists, batch.values.unbind(-1))
        scores, mask = map(in_lists, (outputs.scores[..., 0], batch.rows >= 0))
        numbers = {name: value.unsqueeze(-1) for name, value in hyperparameters.items()}
        each = self.function(scores, relevance, mask=mask, weights=weights, **numbers, **dict(self.options))
        return (each * shares.masked_fill(~mask, 0.0).sum(-1)).sum(-1)

    def monitor(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return nothing beyond the loss."""
        del outputs, batch, hyperparameters
        return {}


def _in_lists(values: Tensor, length: int) -> Tensor:
    """Cut (n_models, n) into (n_models, n_lists, length)."""
    n_lists = values.shape[-1] // length
    return values[..., : n_lists * length].unflatten(-1, (n_lists, length))
