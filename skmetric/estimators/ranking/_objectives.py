"""Items in lists, on their way to a ranking loss."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from skmetric._core.engine import Batch
from skmetric._core.nn import Outputs
from skmetric.losses import (
    approx_ndcg_loss,
    lambda_loss,
    list_mle_loss,
    pairwise_hinge_loss,
    pairwise_logistic_loss,
    pointwise_squared_loss,
    softmax_loss,
)

__all__ = ["GRADED", "LOSSES", "ListObjective", "RankedItems"]

# By the names that the estimators give them; each takes scores, relevance, mask, weights and numbers of its own.
LOSSES: Mapping[str, Callable[..., Tensor]] = {
    "hinge": pairwise_hinge_loss,
    "logistic": pairwise_logistic_loss,
    "lambda": lambda_loss,
    "softmax": softmax_loss,
    "list_mle": list_mle_loss,
    "approx_ndcg": approx_ndcg_loss,
    "squared": pointwise_squared_loss,
}
# Losses that are made of NDCG's gains, and so see more of the relevance than differences within a list.
GRADED = {"lambda", "approx_ndcg"}


@dataclass(frozen=True)
class RankedItems:
    """What is to be ranked.

    Attributes
    ----------
    X : array of shape (n_rows, n_features), float32
        Rows of a table.
    relevance, weights : array of shape (n_items,)
        What is known about each item.
    lists : array of int, shape (n_items,)
        The list that each item stands in, from 0.
    rows : array of int, shape (n_items,), optional
        Which row of X each item is. None: the items are the rows.
    has_lists : bool
        Whether the lists were given; otherwise all items are in one.
    units : array of int, shape (n_items,), optional
        What belongs together where some items are held out. None: the lists, or each item where none were given.
    """

    X: NDArray[np.float32]
    relevance: NDArray[np.float64]
    weights: NDArray[np.float64]
    lists: NDArray[np.integer]
    rows: NDArray[np.integer] | None = None
    has_lists: bool = True
    units: NDArray[np.integer] | None = None

    def relevance_in_list(self) -> NDArray[np.float64]:
        """Relevance above the least of the list: what float32 can hold of timestamps, say."""
        least = np.full(self.lists.max(initial=-1) + 1, np.inf)
        np.minimum.at(least, self.lists, self.relevance)
        return self.relevance - least[self.lists]

    def some(self, places: NDArray[np.integer]) -> "RankedItems":
        """Some of the items, each with a row of its own."""
        rows = places if self.rows is None else self.rows[places]
        lists = np.unique(self.lists[places], return_inverse=True)[1]
        return RankedItems(self.X[rows], self.relevance[places], self.weights[places], lists, None, self.has_lists)

    def ordered(self) -> NDArray[np.bool_]:
        """Whether an item's list holds another one, of another relevance; items without weight are not there."""
        lowest, highest = (np.full(self.lists.max(initial=-1) + 1, end) for end in (np.inf, -np.inf))
        counts = self.weights > 0
        np.minimum.at(lowest, self.lists[counts], self.relevance[counts])
        np.maximum.at(highest, self.lists[counts], self.relevance[counts])
        return (lowest < highest)[self.lists]


@dataclass(frozen=True)
class ListObjective:
    """A ranking loss over the lists of a batch, weighted so that an epoch's mean is that over its groups.

    An item brings its relevance, its weight within the list, and its share: what the shares of a list add up to is how
    much the list counts. A group counts as much as its rows on average, however many share its step or its lists.

    Attributes
    ----------
    name : str
        The loss, by its name in LOSSES.
    options : tuple of (str, value)
        What else decides its form.
    """

    name: str
    options: tuple[tuple[str, Any], ...] = ()

    def loss(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> Tensor:
        """Loss of each model."""
        assert batch.values is not None
        assert outputs.scores is not None
        in_lists = partial(_in_lists, length=batch.list_length)
        relevance, weights, shares = map(in_lists, batch.values.unbind(-1))
        scores, mask = map(in_lists, (outputs.scores[..., 0], batch.rows >= 0))
        numbers = {name: value.unsqueeze(-1) for name, value in hyperparameters.items()}
        each = LOSSES[self.name](scores, relevance, mask=mask, weights=weights, **numbers, **dict(self.options))
        return (each * shares.masked_fill(~mask, 0.0).sum(-1)).sum(-1)

    def monitor(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Nothing beyond the loss."""
        del outputs, batch, hyperparameters
        return {}


def _in_lists(values: Tensor, length: int) -> Tensor:
    """Cut (n_models, n) into (n_models, n_lists, length)."""
    n_lists = values.shape[-1] // length
    return values[..., : n_lists * length].unflatten(-1, (n_lists, length))
