"""Triplet and contrastive losses in the form that the engine needs."""

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
        Number of rows per class, K.
    mining, distance : str
        See :func:`skmetric.losses.batch_triplet_loss`.
    soft : bool
        Whether to use softplus instead of the hinge.
    """

    samples_per_class: int
    mining: str
    distance: str
    soft: bool

    def loss(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> Tensor:
        """Compute the loss of each model."""
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
        """Compute the fractions of easy, semi-hard and hard triplets in a batch."""
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
    """Mean triplet loss over given triplets: anchor, positive, negative; ``margin`` is its hyperparameter.

    Attributes
    ----------
    distance : str
        See :func:`skmetric.losses.pairwise_distance`.
    soft : bool
        Whether to use softplus instead of the hinge.
    """

    distance: str
    soft: bool

    def loss(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> Tensor:
        """Compute the loss of each model."""
        gap = self._gap(outputs) + hyperparameters["margin"].unsqueeze(-1)
        terms = softplus(gap) if self.soft else gap.relu()
        return weighted_mean(terms, _is_real(batch).to(terms.dtype))

    def monitor(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Compute the fractions of easy, semi-hard and hard triplets in a batch."""
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


class View(NamedTuple):
    """Anchors, and the columns that they are compared with."""

    n_anchors: int
    n_columns: int
    # From the representation and a slice of the anchors to their distances to all columns, and the kind of each pair.
    pairs_of: Callable[[Tensor, slice], tuple[Tensor, Pairs]]

    @property
    def slices(self) -> Sequence[slice]:
        """Slices of anchors that are processed together: all anchors, or several slices in a large batch."""
        n, length = self.n_anchors, max(1, DENSE_PAIRS // max(1, self.n_columns))
        return [ALL] if n <= length else [slice(start, start + length) for start in range(0, n, length)]


class _Contrast:
    """A loss over the pairs in a batch: the sum over the views that ``_views`` returns."""

    form: Contrast

    def loss(self, outputs: Outputs, batch: Batch, hyperparameters: Numbers) -> Tensor:
        """Compute the loss of each model."""
        form, points = self.form, outputs.representation
        losses = []
        for view in self._views(outputs, batch):
            if len(view.slices) == 1:
                d, pairs = view.pairs_of(points, ALL)
                losses.append(contrast(form, d, pairs, **hyperparameters))
            else:
                losses.append(contrast_in_turns(form, points, view.pairs_of, view.slices, **hyperparameters))
        return sum(losses[1:], losses[0])

    def monitor(self, outputs: Outputs, batch: Batch, hyperparameters: Numbers) -> dict[str, Tensor]:
        """Compute the mean distances of positives and of negatives, for the first slice of anchors of a batch."""
        del hyperparameters
        view = self._views(outputs, batch)[0]
        with torch.no_grad():
            d, pairs = view.pairs_of(outputs.representation, view.slices[0])
            names = ("positive_distance", "negative_distance")
            return {name: _mean(d, is_counted) for name, is_counted in zip(names, pairs, strict=True)}

    def _views(self, outputs: Outputs, batch: Batch) -> Sequence[View]:
        raise NotImplementedError


@dataclass(frozen=True)
class ClassContrast(_Contrast):
    """Items of P x K batches compared with each other and, in a second loss, with a memory of earlier batches.

    The memory has a separate loss because its embeddings are slightly outdated: in one softmax with the batch, the
    embedding would learn to separate new from outdated embeddings instead of classes.

    Attributes
    ----------
    form : Contrast
        Function that computes the loss from distances.
    distance : str
        Distance between embeddings.
    samples_per_class : int
        Number of rows per class, K.
    """

    form: Contrast
    distance: str
    samples_per_class: int

    def _views(self, outputs: Outputs, batch: Batch) -> Sequence[View]:
        del outputs
        n = batch.rows.shape[-1]
        within = View(n, n, partial(self._within, batch))
        if batch.memory is None:
            return [within]
        return [within, View(n, batch.memory.rows.shape[-1], partial(self._with_memory, batch, batch.memory))]

    def _within(self, batch: Batch, points: Tensor, anchors: slice) -> tuple[Tensor, Pairs]:
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
    """The proxies of the network, one per class, compared with the items of a batch.

    Attributes
    ----------
    form : Contrast
        Function that computes the loss from distances.
    distance : str
        Distance between proxies and embeddings.
    """

    form: Contrast
    distance: str

    def _views(self, outputs: Outputs, batch: Batch) -> Sequence[View]:
        # There are few proxies, so they are never split into slices.
        return [View(1, batch.rows.shape[-1], partial(self._by_proxies, outputs.proxies, batch))]

    def _by_proxies(self, proxies: Tensor | None, batch: Batch, points: Tensor, anchors: slice) -> tuple[Tensor, Pairs]:
        del anchors
        assert proxies is not None
        assert batch.values is not None
        d = cross_distance(proxies, points, distance=self.distance)
        classes = torch.arange(d.shape[-2], device=d.device)
        is_positive = batch.values[..., 0].unsqueeze(-2) == classes.unsqueeze(-1)
        return d, Pairs(is_positive, ~is_positive)


@dataclass(frozen=True)
class PairContrast(_Contrast):
    """Given pairs of an anchor and its partner, followed by random negatives if there are any.

    Attributes
    ----------
    form : Contrast
        Function that computes the loss from distances.
    distance : str
        Distance between embeddings.
    negatives : {"given", "batch", "random"}
        Negatives of the positive pairs: the given negative pairs, the partners of other pairs in the batch, or random
        points.
    n_random : int
        Number of random points.
    """

    form: Contrast
    distance: str
    negatives: str
    n_random: int = 0

    def _views(self, outputs: Outputs, batch: Batch) -> Sequence[View]:
        del outputs
        n = (batch.rows.shape[-1] - self.n_random) // 2
        if self.negatives == "batch":
            return [View(n, n, partial(self._in_batch, batch))]
        return [View(n, 1 + self.n_random, partial(self._by_pair, batch))]

    def _in_batch(self, batch: Batch, points: Tensor, anchors: slice) -> tuple[Tensor, Pairs]:
        assert batch.values is not None
        points, rows = points.unflatten(-2, (-1, 2)), batch.rows.unflatten(-1, (-1, 2))
        d = cross_distance(points[..., anchors, 0, :], points[..., 1, :], distance=self.distance)
        is_positive = batch.values[:, ::2, 0] > 0
        return d, pairs_of_sides(rows[..., 0] >= 0, rows[..., 0], rows[..., 1], is_positive, anchors)

    def _by_pair(self, batch: Batch, points: Tensor, anchors: slice) -> tuple[Tensor, Pairs]:
        """Compare each anchor with its partner and, if there are any, with all random points."""
        assert batch.values is not None
        n_paired = batch.rows.shape[-1] - self.n_random
        paired = points[..., :n_paired, :].unflatten(-2, (-1, 2))[:, anchors]
        rows = batch.rows[..., :n_paired].unflatten(-1, (-1, 2))[:, anchors]
        is_real, is_positive = rows[..., :1] >= 0, batch.values[:, :n_paired:2][:, anchors] > 0
        d = cross_distance(paired[..., :1, :], paired[..., 1:, :], distance=self.distance)[..., 0]
        pairs = Pairs(is_real & is_positive, is_real & ~is_positive)
        if not self.n_random:
            return d, pairs
        further = cross_distance(paired[..., 0, :], points[..., n_paired:, :], distance=self.distance)
        other_rows = batch.rows[..., n_paired:].unsqueeze(-2)
        is_other = is_real & (other_rows != rows[..., :1]) & (other_rows != rows[..., 1:])
        joined = [torch.cat(sides, -1) for sides in zip(pairs, (torch.zeros_like(is_other), is_other), strict=True)]
        return torch.cat([d, further], -1), Pairs(*joined)


def _mean(d: Tensor, is_counted: Tensor) -> Tensor:
    is_counted = is_counted.expand(d.shape)
    return sum_last(d.where(is_counted, 0.0), 2) / sum_last(is_counted, 2).clamp_min(1)
