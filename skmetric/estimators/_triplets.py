"""The triplet loss as the engine sees it."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from skmetric.engine import Batch
from skmetric.losses import block_triplet_loss, block_triplet_shares
from skmetric.nn import Outputs

__all__ = ["TripletObjective"]


@dataclass(frozen=True)
class TripletObjective:
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
