"""A regression loss and RankSim beside it, as the engine sees them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import huber_loss, l1_loss, mse_loss

from skmetric.engine import Batch
from skmetric.losses import distinct_rows, neighbor_spearman, pairwise_distance, ranksim_loss
from skmetric.losses._arguments import with_slopes
from skmetric.losses.reduction import sum_last
from skmetric.nn import Outputs

__all__ = ["TERMS", "RankSimObjective"]

# By the names that the estimator gives them: outputs and targets, in standard units, to one value each.
TERMS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "absolute": partial(l1_loss, reduction="none"),
    "squared": partial(mse_loss, reduction="none"),
    "huber": partial(huber_loss, reduction="none", delta=1.0),
}


# The most that balancing weighs RankSim by. Close to its optimum RankSim's gradient is small; brought to a fixed share
# of the other, its noise would rule the representation.
LARGEST_WEIGHT = 1.0


class _Items(NamedTuple):
    targets: Tensor  # (n_models, n, n_targets)
    shares: Tensor  # (n_models, n), 0 where there is no item
    rows: Tensor  # the ones to rank, one a distinct target, (n_models, k)
    is_row: Tensor
    labels: Tensor  # of those, what they are ranked by: (n_models, k), or targets (n_models, k, n_targets)


@dataclass(frozen=True)
class RankSimObjective:
    r"""Weighted loss of the targets, plus :math:`\gamma` times RankSim on the representation.

    An item brings its targets, its share of the epoch's mean, and the label that tells its target from others and,
    where there is one target, by which it is ranked. Three numbers may vary between the models of a stack: ``gamma``;
    ``balance``, which where it is above 0 takes the place of gamma: the norm that RankSim's gradient at the
    representation is brought to, in units of that of the other loss, by a weight of at most 1; and
    ``interpolation_strength``.

    Attributes
    ----------
    task : str
        The loss of the targets, by its name in TERMS.
    is_ranked : bool
        Whether there is RankSim at all: a plain network takes a third of the time.
    similarity : str
        Of representations.
    scale_free : bool
        How RankSim interpolates.
    max_rank_samples : int
        Most rows of a batch that are ranked, one a distinct target.
    """

    task: str
    is_ranked: bool
    similarity: str
    scale_free: bool
    max_rank_samples: int

    def loss(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> Tensor:
        """Loss of each model."""
        assert outputs.scores is not None
        items = self._items(batch)
        terms = TERMS[self.task](outputs.scores, items.targets).mean(-1)
        task = sum_last(terms * items.shares, 1)
        # Without hidden layers there is nothing that RankSim could change.
        if not (self.is_ranked and outputs.representation.requires_grad):
            return task
        return task + self._ranksim(task, outputs.representation, items, hyperparameters)

    def monitor(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """How far rows are neighbours in the representation as in the targets, in a batch."""
        del hyperparameters
        items = self._items(batch)
        features = _take(outputs.representation, items.rows)
        return {"neighbor_spearman": neighbor_spearman(features, similarity=self.similarity, **_of_labels(items))}

    def _ranksim(self, task: Tensor, features: Tensor, items: _Items, hyperparameters: Mapping[str, Tensor]) -> Tensor:
        """RankSim as it enters the loss, its gradient known."""
        balance, gamma = hyperparameters["balance"], hyperparameters["gamma"]
        is_balanced = balance > 0
        leaf = features.detach().requires_grad_()
        # Interpolated as published, the gradient depends on gamma: that is multiplied before it is taken.
        loss = is_balanced.to(gamma.dtype).where(is_balanced, gamma) * ranksim_loss(
            _take(leaf, items.rows),
            interpolation_strength=hyperparameters["interpolation_strength"],
            similarity=self.similarity,
            scale_free=self.scale_free,
            **_of_labels(items),
        )
        (slopes,) = torch.autograd.grad(loss, leaf, torch.ones_like(loss))
        (of_task,) = torch.autograd.grad(task, features, torch.ones_like(task), retain_graph=True)
        ratio = balance * _norm(of_task) / _norm(slopes).where(_norm(slopes) > 0, torch.inf)
        ratio = ratio.clamp_max(LARGEST_WEIGHT)
        factor = ratio.where(is_balanced, 1.0)
        return with_slopes(features, factor * loss.detach(), factor[..., None, None] * slopes)

    def _items(self, batch: Batch) -> _Items:
        assert batch.values is not None
        is_item = batch.rows >= 0
        targets, shares, labels = batch.values[..., :-2], batch.values[..., -2], batch.values[..., -1]
        rows, is_row = distinct_rows(labels, self.max_rank_samples, mask=is_item)
        labels = labels.gather(-1, rows) if targets.shape[-1] == 1 else _take(targets, rows)
        return _Items(targets, shares.masked_fill(~is_item, 0.0), rows, is_row, labels)


def _of_labels(items: _Items) -> dict[str, Any]:
    """What the functions of RankSim are to know about labels."""
    several = items.labels.ndim > items.rows.ndim
    return {
        "labels": items.labels,
        "mask": items.is_row,
        "label_similarity": _closeness if several else None,
    }


def _closeness(targets: Tensor) -> Tensor:
    return -pairwise_distance(targets)


def _take(values: Tensor, rows: Tensor) -> Tensor:
    """Rows of each model, (n_models, k, width)."""
    return values.gather(-2, rows.unsqueeze(-1).expand(*rows.shape, values.shape[-1]))


def _norm(gradient: Tensor) -> Tensor:
    return sum_last(gradient.square(), 2).sqrt()
