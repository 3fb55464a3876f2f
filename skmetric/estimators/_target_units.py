"""Targets in standard units, in which networks learn, and back."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["TargetUnits"]


class TargetUnits(NamedTuple):
    """Mean and standard deviation of targets; a constant one has deviation 0, and comes back as that constant.

    Attributes
    ----------
    origin, center, scale : arrays of shape (n_targets,)
        Some target, the mean less that, and the standard deviation, in the targets' own units. Differences to a target
        keep the digits that a large mean would take.
    """

    origin: NDArray[np.float64]
    center: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, targets: NDArray[np.float64], weights: NDArray[np.float64]) -> "TargetUnits":
        """Take the units of targets (n, n_targets), weighted by row."""
        shares = weights / weights.max()
        shares /= shares.sum()
        origin = targets[0]
        center = shares @ (targets - origin)
        deviations = targets - origin - center
        largest = np.abs(deviations).max(axis=0)
        varies = targets.max(axis=0) > targets.min(axis=0)
        # Squares of large deviations must not overflow, nor those of small ones vanish.
        relative = np.divide(deviations, largest, out=np.zeros_like(deviations), where=varies)
        return cls(origin, center, np.where(varies, largest * np.sqrt(shares @ np.square(relative)), 0.0))

    @property
    def vary(self) -> bool:
        """Whether no target was constant: a network that learns on can then keep these units."""
        return bool((self.scale > 0).all())

    def standardize(self, targets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Targets (n, n_targets) in standard units; 0 where they were constant."""
        deviations = targets - self.origin - self.center
        return np.divide(deviations, self.scale, out=np.zeros_like(deviations), where=self.scale > 0)

    def restore(self, outputs: NDArray) -> NDArray[np.float64]:
        """Outputs (n, n_targets) in the targets' own units: in float64, which tells timestamps apart."""
        return outputs.astype(np.float64) * self.scale + self.center + self.origin
