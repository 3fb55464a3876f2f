"""Triplet losses as the engine sees them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from skmetric._core.engine import Batch, Memory
from skmetric._core.nn import Outputs
from skmetric.losses import block_triplet_loss, block_triplet_shares, cross_distance, pairwise_distance
from skmetric.losses.contrastive.forms import DENSE_PAIRS, Contrast, contrast, contrast_in_turns
from skmetric.losses.numerics import softplus, sum_last, weighted_mean
from skmetric.losses.pairs import ALL, Pairs, pairs_of_blocks, pairs_of_sides, pairs_with_classes

__all__ = ["ClassContrast", "GivenTriplets", "MinedTriplets", "PairContrast", "ProxyContrast"]


@dataclass(frozen=True)
class MinedTriplets:
    """Mined triplet loss over P x K batches; ``margin`` is its hyperparameter.

    Attributes
    ----------
    samples_per_class : int
        K.
    mining, distance : str
        See :func:`skmetric.losses.batch_triplet_loss`.
    soft : bool
        Softplus in place of the hinge.
    """

    samples_per_class: int
    mining: str
    distance: str
    soft: bool

    def loss(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> Tensor:
        """Loss of each model."""
        return block_triplet_loss(
            outputs.representation,
            batch.rows,
            samples_per_class=self.samples_per_class,
            margin=hyperparameters["margin"],
            mining=self.mining,
            distance=self.distance,
            soft=self.soft,
            generator=batch.generators,
        )

    def monitor(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Shares of easy, semi-hard and hard triplets in a batch."""
        shares = block_triplet_shares(
            outputs.representation,
            batch.rows,
            samples_per_class=self.samples_per_class,
            margin=hyperparameters["margin"],
            distance=self.distance,
        )
        return dict(zip(("easy", "semihard", "hard"), shares.unbind(-1), strict=True))


@dataclass(frozen=True)
class GivenTriplets:
    """Mean triplet loss over threes of items: anchor, positive, negative; ``margin`` is its hyperparameter.

    Attributes
    ----------
    distance : str
        See :func:`skmetric.losses.pairwise_distance`.
    soft : bool
        Softplus in place of the hinge.
    """

    distance: str
    soft: bool

    def loss(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> Tensor:
        """Loss of each model."""
        gap = self._gap(outputs) + hyperparameters["margin"].unsqueeze(-1)
        terms = softplus(gap) if self.soft else gap.relu()
        return weighted_mean(terms, _is_real(batch).to(terms.dtype))

    def monitor(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Shares of easy, semi-hard and hard triplets in a batch."""
        gap, is_real = self._gap(outputs), _is_real(batch).to(outputs.representation.dtype)
        within = gap + hyperparameters["margin"].unsqueeze(-1)
        shares = {"easy": within <= 0, "semihard": (within > 0) & (gap < 0), "hard": gap >= 0}
        return {name: weighted_mean(each.to(gap.dtype), is_real) for name, each in shares.items()}

    def _gap(self, outputs: Outputs) -> Tensor:
        points = outputs.representation.unflatten(-2, (-1, 3))
        d = cross_distance(points[..., :1, :], points[..., 1:, :], distance=self.distance)[..., 0, :]
        return d[..., 0] - d[..., 1]


def _is_real(batch: Batch) -> Tensor:
    return batch.rows[..., ::3] >= 0


Numbers = Mapping[str, Tensor]


class Seen(NamedTuple):
    """Columns that anchors are compared with."""

    n_anchors: int
    n_columns: int
    # From the representation and some anchors to their distances from all columns, and which of these pairs are alike.
    by: Callable[[Tensor, slice], tuple[Tensor, Pairs]]

    @property
    def turns(self) -> Sequence[slice]:
        """Anchors that can be looked at together: all of them, or in a large batch some at a time."""
        n, at_a_time = self.n_anchors, max(1, DENSE_PAIRS // max(1, self.n_columns))
        return [ALL] if n <= at_a_time else [slice(start, start + at_a_time) for start in range(0, n, at_a_time)]


class _Contrast:
    """A loss over the pairs that a batch holds.

    One says in ``_views`` which: the loss is added up over them.
    """

    form: Contrast

    def loss(self, outputs: Outputs, batch: Batch, hyperparameters: Numbers) -> Tensor:
        """Loss of each model."""
        form, points = self.form, outputs.representation
        losses = []
        for seen in self._views(outputs, batch):
            if len(seen.turns) == 1:
                d, pairs = seen.by(points, ALL)
                losses.append(contrast(form, d, pairs, **hyperparameters))
            else:
                losses.append(contrast_in_turns(form, points, seen.by, seen.turns, **hyperparameters))
        return sum(losses[1:], losses[0])

    def monitor(self, outputs: Outputs, batch: Batch, hyperparameters: Numbers) -> dict[str, Tensor]:
        """Mean distances of the alike and of the others, among the first anchors of a batch."""
        del hyperparameters
        seen = self._views(outputs, batch)[0]
        with torch.no_grad():
            d, pairs = seen.by(outputs.representation, seen.turns[0])
            names = ("positive_distance", "negative_distance")
            return {name: _mean(d, counts) for name, counts in zip(names, pairs, strict=True)}

    def _views(self, outputs: Outputs, batch: Batch) -> Sequence[Seen]:
        raise NotImplementedError


@dataclass(frozen=True)
class ClassContrast(_Contrast):
    """Items of P x K batches against each other; and, in a loss of its own, against a memory of earlier batches.

    Of its own, because what is remembered lags behind: in one softmax with the batch, the embedding would run away
    from its past instead of telling classes apart.

    Attributes
    ----------
    form : Contrast
        What the loss makes of distances.
    distance : str
        Between embeddings.
    samples_per_class : int
        K.
    """

    form: Contrast
    distance: str
    samples_per_class: int

    def _views(self, outputs: Outputs, batch: Batch) -> Sequence[Seen]:
        del outputs
        n = batch.rows.shape[-1]
        among = Seen(n, n, partial(self._among, batch))
        if batch.memory is None:
            return [among]
        return [among, Seen(n, batch.memory.rows.shape[-1], partial(self._with_memory, batch, batch.memory))]

    def _among(self, batch: Batch, points: Tensor, anchors: slice) -> tuple[Tensor, Pairs]:
        if anchors == ALL:
            d = pairwise_distance(points, distance=self.distance)
        else:
            d = cross_distance(points[..., anchors, :], points, distance=self.distance)
        return d, pairs_of_blocks(batch.rows, self.samples_per_class, anchors)

    def _with_memory(self, batch: Batch, memory: Memory, points: Tensor, anchors: slice) -> tuple[Tensor, Pairs]:
        assert batch.values is not None
        assert memory.values is not None
        d = cross_distance(points[..., anchors, :], memory.representation, distance=self.distance)
        rows, classes = batch.rows[..., anchors], batch.values[..., anchors, 0]
        return d, pairs_with_classes(rows, classes, memory.rows, memory.values[..., 0])


@dataclass(frozen=True)
class ProxyContrast(_Contrast):
    """The network's proxies, one a class, against the items of a batch.

    Attributes
    ----------
    form : Contrast
        What the loss makes of distances.
    distance : str
        Between proxies and embeddings.
    """

    form: Contrast
    distance: str

    def _views(self, outputs: Outputs, batch: Batch) -> Sequence[Seen]:
        # Proxies are few: they need no turns.
        return [Seen(1, batch.rows.shape[-1], partial(self._by_proxies, outputs.proxies, batch))]

    def _by_proxies(self, proxies: Tensor | None, batch: Batch, points: Tensor, anchors: slice) -> tuple[Tensor, Pairs]:
        del anchors
        assert proxies is not None
        assert batch.values is not None
        d = cross_distance(proxies, points, distance=self.distance)
        classes = torch.arange(d.shape[-2], device=d.device)
        is_own = batch.values[..., 0].unsqueeze(-2) == classes.unsqueeze(-1)
        return d, Pairs(is_own, ~is_own)


@dataclass(frozen=True)
class PairContrast(_Contrast):
    """Given pairs: lists of an anchor and its partner, with random negatives after them where there are any.

    Attributes
    ----------
    form : Contrast
        What the loss makes of distances.
    distance : str
        Between embeddings.
    negatives : {"given", "batch", "random"}
        What the pairs that are alike are told from: those that are not, the partners of the batch's other pairs, or
        random points.
    n_random : int
        How many of these.
    """

    form: Contrast
    distance: str
    negatives: str
    n_random: int = 0

    def _views(self, outputs: Outputs, batch: Batch) -> Sequence[Seen]:
        del outputs
        n = (batch.rows.shape[-1] - self.n_random) // 2
        if self.negatives == "batch":
            return [Seen(n, n, partial(self._in_batch, batch))]
        return [Seen(n, 1 + self.n_random, partial(self._by_pair, batch))]

    def _in_batch(self, batch: Batch, points: Tensor, anchors: slice) -> tuple[Tensor, Pairs]:
        assert batch.values is not None
        points, rows = points.unflatten(-2, (-1, 2)), batch.rows.unflatten(-1, (-1, 2))
        d = cross_distance(points[..., anchors, 0, :], points[..., 1, :], distance=self.distance)
        is_alike = batch.values[:, ::2, 0] > 0
        return d, pairs_of_sides(rows[..., 0] >= 0, rows[..., 0], rows[..., 1], is_alike, anchors)

    def _by_pair(self, batch: Batch, points: Tensor, anchors: slice) -> tuple[Tensor, Pairs]:
        """Each anchor with its own partner, and with all random points where there are any."""
        assert batch.values is not None
        n_paired = batch.rows.shape[-1] - self.n_random
        paired = points[..., :n_paired, :].unflatten(-2, (-1, 2))[:, anchors]
        rows = batch.rows[..., :n_paired].unflatten(-1, (-1, 2))[:, anchors]
        is_real, is_alike = rows[..., :1] >= 0, batch.values[:, :n_paired:2][:, anchors] > 0
        d = cross_distance(paired[..., :1, :], paired[..., 1:, :], distance=self.distance)[..., 0]
        pairs = Pairs(is_real & is_alike, is_real & ~is_alike)
        if not self.n_random:
            return d, pairs
        further = cross_distance(paired[..., 0, :], points[..., n_paired:, :], distance=self.distance)
        other_rows = batch.rows[..., n_paired:].unsqueeze(-2)
        is_other = is_real & (other_rows != rows[..., :1]) & (other_rows != rows[..., 1:])
        joined = [torch.cat(sides, -1) for sides in zip(pairs, (torch.zeros_like(is_other), is_other), strict=True)]
        return torch.cat([d, further], -1), Pairs(*joined)


def _mean(d: Tensor, counts: Tensor) -> Tensor:
    counts = counts.expand(d.shape)
    return sum_last(d.where(counts, 0.0), 2) / sum_last(counts, 2).clamp_min(1)
