"""A regression loss with RankSim, in the form that the engine needs."""

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

# The losses of the estimator, by name: functions of standardized outputs and targets, with one value per pair.
TERMS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "absolute": partial(l1_loss, reduction="none"),
    "squared": partial(mse_loss, reduction="none"),
    "huber": partial(huber_loss, reduction="none", delta=1.0),
}


# Largest weight of RankSim with balancing. Close to its optimum, the gradient of RankSim is small; scaled to a fixed
# fraction of the other gradient, its noise would dominate the representation.
LARGEST_WEIGHT = 1.0


class _Ranked(NamedTuple):
    """The rows of a batch that are ranked, one per distinct target, and their labels."""

    rows: Tensor  # (n_models, k)
    labels: dict[str, Any]  # keyword arguments for the functions of RankSim


@dataclass(frozen=True)
class RankSimObjective:
    r"""Weighted loss of the targets, plus :math:`\gamma` times RankSim on the representation.

    The values of an item are its targets, its share in the mean over the epoch, and a label, which is equal for equal
    targets and, for a single target, is what RankSim ranks. Three hyperparameters may differ between the models of a
    stack: ``gamma``; ``balance``, which replaces gamma if it is above 0; and ``interpolation_strength``. With
    ``balance``, the gradient of RankSim at the representation is scaled to this fraction of the norm of the gradient of
    the other loss, by a weight of at most 1.

    Attributes
    ----------
    task : str
        Name of the loss of the targets in TERMS.
    is_ranked : bool
        Whether RankSim is used. A network without it takes a third of the time.
    similarity : str
        Similarity of representations.
    scale_free : bool
        How RankSim interpolates.
    max_rank_samples : int
        Maximum number of rows per batch that are ranked, one per distinct target.
    """

    task: str
    is_ranked: bool
    similarity: str
    scale_free: bool
    max_rank_samples: int

    def loss(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> Tensor:
        """Compute the loss of each model."""
        assert outputs.scores is not None
        assert batch.values is not None
        targets, shares = batch.values[..., :-2], batch.values[..., -2].masked_fill(batch.rows < 0, 0.0)
        task = sum_last(TERMS[self.task](outputs.scores, targets).mean(-1) * shares, 1)
        # Without hidden layers, the representation has no parameters that RankSim could change.
        if not (self.is_ranked and outputs.representation.requires_grad):
            return task
        return task + self._ranksim(task, outputs.representation, self._ranked(batch), hyperparameters)

    def monitor(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Compute how well neighbors in the representation agree with neighbors in the targets, in a batch."""
        del hyperparameters
        ranked = self._ranked(batch)
        features = _take(outputs.representation, ranked.rows)
        return {"neighbor_spearman": neighbor_spearman(features, similarity=self.similarity, **ranked.labels)}

    def _ranksim(
        self, task: Tensor, features: Tensor, ranked: _Ranked, hyperparameters: Mapping[str, Tensor]
    ) -> Tensor:
        """Compute the weighted RankSim loss, with its gradient attached."""
        balance, gamma = hyperparameters["balance"], hyperparameters["gamma"]
        is_balanced = balance > 0
        leaf = features.detach().requires_grad_()
        # In the published form, the interpolated gradient depends on gamma, so multiply by gamma before the gradient.
        loss = is_balanced.to(gamma.dtype).where(is_balanced, gamma) * ranksim_loss(
            _take(leaf, ranked.rows),
            interpolation_strength=hyperparameters["interpolation_strength"],
            similarity=self.similarity,
            scale_free=self.scale_free,
            **ranked.labels,
        )
        (slopes,) = torch.autograd.grad(loss, leaf, torch.ones_like(loss))
        (task_slopes,) = torch.autograd.grad(task, features, torch.ones_like(task), retain_graph=True)
        ratio = balance * _norm(task_slopes) / _norm(slopes).where(_norm(slopes) > 0, torch.inf)
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
    """Select rows of each model, (n_models, k, width)."""
    return values.gather(-2, rows.unsqueeze(-1).expand(*rows.shape, values.shape[-1]))


def _norm(gradient: Tensor) -> Tensor:
    return sum_last(gradient.square(), 2).sqrt()
