"""Standardize targets for training, and convert predictions back."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["TargetUnits"]

# The square of this number is the largest whole number below which float32 knows all whole numbers: the squared error
# of an ordinary row is lost beside one that is larger.
FARTHEST_FROM_TARGETS = 2.0**12


class TargetUnits(NamedTuple):
    """Mean and standard deviation of targets. A constant target has deviation 0 and is restored as that constant.

    Attributes
    ----------
    origin, center, scale : arrays of shape (n_targets,)
        The first target, the mean minus the first target, and the standard deviation, all in the units of the targets.
        Differences to one of the targets keep digits that would be lost beside a large mean.
    """

    origin: NDArray[np.float64]
    center: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, targets: NDArray[np.float64], weights: NDArray[np.float64]) -> "TargetUnits":
        """Compute the units of targets of shape (n_samples, n_targets), with weights of shape (n_samples,)."""
        shares = weights / weights.max()
        shares /= shares.sum()
        origin = targets[0]
        center = shares @ (targets - origin)
        deviations = targets - origin - center
        largest = np.abs(deviations).max(axis=0)
        varies = targets.max(axis=0) > targets.min(axis=0)
        # Relative to the largest, so that squares of large deviations do not overflow and those of small ones do not
        # underflow.
        relative = np.divide(deviations, largest, out=np.zeros_like(deviations), where=varies)
        return cls(origin, center, np.where(varies, largest * np.sqrt(shares @ np.square(relative)), 0.0))

    @property
    def vary(self) -> bool:
        """Whether no target was constant: only then can these units be kept when training continues."""
        return bool((self.scale > 0).all())

    def standardize(self, targets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Standardize targets of shape (n_samples, n_targets); constant targets become 0."""
        deviations = targets - self.origin - self.center
        return np.divide(deviations, self.scale, out=np.zeros_like(deviations), where=self.scale > 0)

    def largest_output(self, targets: NDArray[np.float64]) -> float:
        """Return the largest plausible output of a network that learned these targets, (n_samples, n_targets)."""
        return FARTHEST_FROM_TARGETS * max(1.0, float(np.abs(self.standardize(targets)).max()))

    def restore(self, outputs: NDArray) -> NDArray[np.float64]:
        """Convert outputs of shape (n_samples, n_targets) to the units of the targets, in float64 for timestamps."""
        return outputs.astype(np.float64) * self.scale + self.center + self.origin
