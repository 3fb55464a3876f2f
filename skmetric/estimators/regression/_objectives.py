"""A regression loss and RankSim beside it, as the engine sees them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import huber_loss, l1_loss, mse_loss

from skmetric._core.engine import Batch
from skmetric._core.nn import Outputs
from skmetric.losses import distinct_rows, neighbor_spearman, pairwise_distance, ranksim_loss
from skmetric.losses.numerics import sum_last, with_slopes

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


class _Ranked(NamedTuple):
    """The rows of a batch that are ranked, one a distinct target, and what they are ranked by."""

    rows: Tensor  # (n_models, k)
    labels: dict[str, Any]  # what the functions of RankSim are to know about them


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
        assert batch.values is not None
        targets, shares = batch.values[..., :-2], batch.values[..., -2].masked_fill(batch.rows < 0, 0.0)
        task = sum_last(TERMS[self.task](outputs.scores, targets).mean(-1) * shares, 1)
        # Without hidden layers there is nothing that RankSim could change.
        if not (self.is_ranked and outputs.representation.requires_grad):
            return task
        return task + self._ranksim(task, outputs.representation, self._ranked(batch), hyperparameters)

    def monitor(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """How far rows are neighbors in the representation as in the targets, in a batch."""
        del hyperparameters
        ranked = self._ranked(batch)
        features = _take(outputs.representation, ranked.rows)
        return {"neighbor_spearman": neighbor_spearman(features, similarity=self.similarity, **ranked.labels)}

    def _ranksim(
        self, task: Tensor, features: Tensor, ranked: _Ranked, hyperparameters: Mapping[str, Tensor]
    ) -> Tensor:
        """RankSim as it enters the loss, its gradient known."""
        balance, gamma = hyperparameters["balance"], hyperparameters["gamma"]
        is_balanced = balance > 0
        leaf = features.detach().requires_grad_()
        # Interpolated as published, the gradient depends on gamma: that is multiplied before it is taken.
        loss = is_balanced.to(gamma.dtype).where(is_balanced, gamma) * ranksim_loss(
            _take(leaf, ranked.rows),
            interpolation_strength=hyperparameters["interpolation_strength"],
            similarity=self.similarity,
            scale_free=self.scale_free,
            **ranked.labels,
        )
        (slopes,) = torch.autograd.grad(loss, leaf, torch.ones_like(loss))
        (of_task,) = torch.autograd.grad(task, features, torch.ones_like(task), retain_graph=True)
        ratio = balance * _norm(of_task) / _norm(slopes).where(_norm(slopes) > 0, torch.inf)
        ratio = ratio.clamp_max(LARGEST_WEIGHT)
        factor = ratio.where(is_balanced, 1.0)
        return with_slopes(features, factor * loss.detach(), factor[..., None, None] * slopes)

    def _ranked(self, batch: Batch) -> _Ranked:
        assert batch.values is not None
        targets, labels = batch.values[..., :-2], batch.values[..., -1]
        rows, is_row = distinct_rows(labels, self.max_rank_samples, mask=batch.rows >= 0)
        if targets.shape[-1] == 1:
            return _Ranked(rows, {"labels": labels.gather(-1, rows), "mask": is_row})
        return _Ranked(rows, {"labels": _take(targets, rows), "mask": is_row, "label_similarity": _closeness})


def _closeness(targets: Tensor) -> Tensor:
    return -pairwise_distance(targets)


def _take(values: Tensor, rows: Tensor) -> Tensor:
    """Rows of each model, (n_models, k, width)."""
    return values.gather(-2, rows.unsqueeze(-1).expand(*rows.shape, values.shape[-1]))


def _norm(gradient: Tensor) -> Tensor:
    return sum_last(gradient.square(), 2).sqrt()
