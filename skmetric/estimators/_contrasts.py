"""Contrastive losses as the engine sees them: which distances a batch holds, and which of its pairs are alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from skmetric.engine import Batch
from skmetric.estimators._contrastive_losses import LOSSES
from skmetric.losses import cross_distance, pairwise_distance
from skmetric.losses.contrasts import (
    ALL,
    DENSE_PAIRS,
    Pairs,
    contrast,
    contrast_in_turns,
    pairs_of_blocks,
    pairs_of_sides,
    pairs_with_classes,
)
from skmetric.losses.reduction import sum_last
from skmetric.nn import Outputs

__all__ = ["ClassContrast", "PairContrast", "ProxyContrast"]

Numbers = Mapping[str, Tensor]


class _Contrast:
    """A loss over the distances and the pairs that a batch holds.

    One says in ``_pairs`` which, and in ``_shape`` how many.
    """

    loss_name: str

    def loss(self, outputs: Outputs, batch: Batch, hyperparameters: Numbers) -> Tensor:
        """Loss of each model."""
        form, turns = LOSSES[self.loss_name].contrast, self._turns(batch)
        if len(turns) == 1:
            d, pairs = self._pairs(outputs, batch)
            return contrast(form, d, pairs, **hyperparameters)

        def seen_by(points: Tensor, anchors: slice) -> tuple[Tensor, Pairs]:
            return self._pairs(outputs._replace(representation=points), batch, anchors)

        return contrast_in_turns(form, outputs.representation, seen_by, turns, **hyperparameters)

    def monitor(self, outputs: Outputs, batch: Batch, hyperparameters: Numbers) -> dict[str, Tensor]:
        """Mean distances of the alike and of the others."""
        del hyperparameters
        with torch.no_grad():
            d, pairs = self._pairs(outputs, batch, self._turns(batch)[0])
            names = ("positive_distance", "negative_distance")
            return {name: _mean(d, counts) for name, counts in zip(names, pairs, strict=True)}

    def _turns(self, batch: Batch) -> Sequence[slice]:
        """Anchors that can be looked at together: all of them, or in a large batch some at a time."""
        n, n_columns = self._shape(batch)
        at_a_time = max(1, DENSE_PAIRS // max(1, n_columns))
        return [ALL] if n <= at_a_time else [slice(start, start + at_a_time) for start in range(0, n, at_a_time)]

    def _shape(self, batch: Batch) -> tuple[int, int]:
        """Anchors and columns."""
        raise NotImplementedError

    def _pairs(self, outputs: Outputs, batch: Batch, anchors: slice = ALL) -> tuple[Tensor, Pairs]:
        """Distances from the anchors to all columns, and which of these pairs are alike."""
        raise NotImplementedError


@dataclass(frozen=True)
class ClassContrast(_Contrast):
    """Items of P x K batches against each other, and against a memory of earlier batches.

    Attributes
    ----------
    loss_name : str
        In LOSSES.
    distance : str
        Between embeddings.
    samples_per_class : int
        K.
    """

    loss_name: str
    distance: str
    samples_per_class: int

    def _shape(self, batch: Batch) -> tuple[int, int]:
        n = batch.rows.shape[-1]
        return n, n + (0 if batch.memory is None else batch.memory.rows.shape[-1])

    def _pairs(self, outputs: Outputs, batch: Batch, anchors: slice = ALL) -> tuple[Tensor, Pairs]:
        points = outputs.representation
        some = points[..., anchors, :]
        if anchors == ALL:
            d = pairwise_distance(points, distance=self.distance)
        else:
            d = cross_distance(some, points, distance=self.distance)
        pairs = pairs_of_blocks(batch.rows, self.samples_per_class, anchors)
        if batch.memory is None:
            return d, pairs
        assert batch.values is not None
        memory = batch.memory
        assert memory.values is not None
        further = cross_distance(some, memory.representation, distance=self.distance)
        rows, classes = batch.rows[..., anchors], batch.values[..., anchors, 0]
        others = pairs_with_classes(rows, classes, memory.rows, memory.values[..., 0])
        joined = [torch.cat([here.expand(d.shape), there], -1) for here, there in zip(pairs, others, strict=True)]
        return torch.cat([d, further], -1), Pairs(*joined)


@dataclass(frozen=True)
class ProxyContrast(_Contrast):
    """The network's proxies, one a class, against the items of a batch.

    Attributes
    ----------
    loss_name : str
        In LOSSES.
    distance : str
        Between proxies and embeddings.
    """

    loss_name: str
    distance: str

    def _shape(self, batch: Batch) -> tuple[int, int]:
        # Proxies are few: they need no turns.
        return 1, batch.rows.shape[-1]

    def _pairs(self, outputs: Outputs, batch: Batch, anchors: slice = ALL) -> tuple[Tensor, Pairs]:
        del anchors
        assert outputs.proxies is not None
        assert batch.values is not None
        d = cross_distance(outputs.proxies, outputs.representation, distance=self.distance)
        classes = torch.arange(d.shape[-2], device=d.device)
        is_own = batch.values[..., 0].unsqueeze(-2) == classes.unsqueeze(-1)
        return d, Pairs(is_own, ~is_own)


@dataclass(frozen=True)
class PairContrast(_Contrast):
    """Given pairs: lists of an anchor and its partner, with random negatives after them where there are any.

    Attributes
    ----------
    loss_name : str
        In LOSSES.
    distance : str
        Between embeddings.
    negatives : {"given", "batch", "random"}
        What the pairs that are alike are told from: those that are not, the partners of the batch's other pairs, or
        random points.
    n_random : int
        How many of these.
    """

    loss_name: str
    distance: str
    negatives: str
    n_random: int = 0

    def _shape(self, batch: Batch) -> tuple[int, int]:
        n_pairs = (batch.rows.shape[-1] - self.n_random) // 2
        return n_pairs, n_pairs if self.negatives == "batch" else 1 + self.n_random

    def _pairs(self, outputs: Outputs, batch: Batch, anchors: slice = ALL) -> tuple[Tensor, Pairs]:
        assert batch.values is not None
        n_paired = batch.rows.shape[-1] - self.n_random
        points = outputs.representation[..., :n_paired, :].unflatten(-2, (-1, 2))
        rows = batch.rows[..., :n_paired].unflatten(-1, (-1, 2))
        is_real, is_alike = rows[..., 0] >= 0, batch.values[:, :n_paired:2, 0] > 0
        if self.negatives == "batch":
            d = cross_distance(points[..., anchors, 0, :], points[..., 1, :], distance=self.distance)
            return d, pairs_of_sides(is_real, rows[..., 0], rows[..., 1], is_alike, anchors)
        points, rows, is_real, is_alike = (each[:, anchors] for each in (points, rows, is_real, is_alike))
        # Each with its own partner.
        d = cross_distance(points[..., :1, :], points[..., 1:, :], distance=self.distance)[..., 0]
        own = Pairs((is_real & is_alike).unsqueeze(-1), (is_real & ~is_alike).unsqueeze(-1))
        if self.negatives == "given":
            return d, own
        others, other_rows = outputs.representation[..., n_paired:, :], batch.rows[..., n_paired:].unsqueeze(-2)
        further = cross_distance(points[..., 0, :], others, distance=self.distance)
        is_other = (other_rows != rows[..., :1]) & (other_rows != rows[..., 1:]) & is_real.unsqueeze(-1)
        nothing = torch.zeros_like(is_other)
        joined = Pairs(torch.cat([own.is_positive, nothing], -1), torch.cat([own.is_negative, is_other], -1))
        return torch.cat([d, further], -1), joined


def _mean(d: Tensor, counts: Tensor) -> Tensor:
    counts = counts.expand(d.shape)
    return sum_last(d.where(counts, 0.0), 2) / sum_last(counts, 2).clamp_min(1)
