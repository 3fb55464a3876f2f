"""Targets in standard units, in which networks learn, and back."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["TargetUnits"]


class TargetUnits(NamedTuple):
    """Mean and standard deviation of targets; a constant one has deviation 0, and comes back as that constant.

    Attributes
    ----------
    center, scale : arrays of shape (n_targets,)
        In the targets' own units.
    """

    center: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, targets: NDArray[np.float64], weights: NDArray[np.float64]) -> "TargetUnits":
        """Take the units of targets (n, n_targets), weighted by row."""
        weights = weights / weights.max()
        weights /= weights.sum()
        center = weights @ targets
        deviations = targets - center
        largest = np.abs(deviations).max(axis=0)
        # Rounding leaves a constant target a tiny spread; and squares of large deviations must not overflow.
        varies = largest > 1e-12 * np.abs(center)
        relative = np.divide(deviations, largest, out=np.zeros_like(deviations), where=varies)
        return cls(center, np.where(varies, largest * np.sqrt(weights @ np.square(relative)), 0.0))

    def standardise(self, targets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Targets (n, n_targets) in standard units."""
        return (targets - self.center) / np.where(self.scale > 0, self.scale, 1.0)

    def restore(self, outputs: NDArray) -> NDArray[np.float64]:
        """Outputs (n, n_targets) in the targets' own units: in float64, which tells timestamps apart."""
        return outputs.astype(np.float64) * self.scale + self.center
