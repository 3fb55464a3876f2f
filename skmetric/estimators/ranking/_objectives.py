"""Ranking losses as the engine sees them."""

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
    """A ranking loss over the lists of a batch, weighted so that an epoch's mean is that over its groups.

    An item brings its relevance, its weight within the list, and its share: what the shares of a list add up to is how
    much the list counts. A group counts as much as its rows on average, however many share its step or its lists.

    Attributes
    ----------
    function : callable
        The loss; takes scores, relevance, mask, weights and numbers of its own.
    options : tuple of (str, value)
        What else decides its form.
    """

    function: Callable[..., Tensor]
    options: tuple[tuple[str, Any], ...] = ()

    def loss(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> Tensor:
        """Loss of each model."""
        assert batch.values is not None
        assert outputs.scores is not None
        in_lists = partial(_in_lists, length=batch.list_length)
        relevance, weights, shares = map(in_lists, batch.values.unbind(-1))
        scores, mask = map(in_lists, (outputs.scores[..., 0], batch.rows >= 0))
        numbers = {name: value.unsqueeze(-1) for name, value in hyperparameters.items()}
        each = self.function(scores, relevance, mask=mask, weights=weights, **numbers, **dict(self.options))
        return (each * shares.masked_fill(~mask, 0.0).sum(-1)).sum(-1)

    def monitor(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Nothing beyond the loss."""
        del outputs, batch, hyperparameters
        return {}


def _in_lists(values: Tensor, length: int) -> Tensor:
    """Cut (n_models, n) into (n_models, n_lists, length)."""
    n_lists = values.shape[-1] // length
    return values[..., : n_lists * length].unflatten(-1, (n_lists, length))
