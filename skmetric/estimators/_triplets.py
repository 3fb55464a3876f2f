"""Triplet losses as the engine sees them."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from skmetric.engine import Batch
from skmetric.losses import block_triplet_loss, block_triplet_shares, cross_distance
from skmetric.losses._smooth import softplus
from skmetric.losses.reduction import weighted_mean
from skmetric.nn import Outputs

__all__ = ["GivenTriplets", "MinedTriplets"]


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
