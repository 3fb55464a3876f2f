"""Feature distribution smoothing: rows with close targets should have similar distributions of features."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["FeatureSmoothing", "SmoothingSpec"]

# Weight of the statistics of earlier epochs, and bounds on the ratio by which smoothing changes a variance.
MOMENTUM = 0.9
LEAST_RATIO, LARGEST_RATIO = 0.1, 10.0


@dataclass(frozen=True)
class SmoothingSpec:
    """Parameters of feature smoothing.

    Attributes
    ----------
    n_bins : int
        Number of bins of the target.
    radius : int
        Number of neighboring bins on each side that are used to smooth a bin.
    bandwidth : float
        Standard deviation of the Gaussian kernel, in bins.
    """

    n_bins: int
    radius: int = 2
    bandwidth: float = 2.0


class FeatureSmoothing(nn.Module):
    r"""Give the features of each bin of the target a mean and a variance that are smoothed over neighboring bins.

    .. math:: z \mapsto \sqrt{\tilde v_b / v_b} \, (z - \mu_b) + \tilde \mu_b

    Here, :math:`\mu_b, v_b` are running statistics of the features of bin b, and :math:`\tilde \mu_b, \tilde v_b` are
    their means over neighboring bins with a Gaussian kernel, without empty bins. The ratio stays within [0.1, 10].
    Statistics are collected over an epoch and used from the next epoch on. The first epoch therefore changes nothing.
    Only rows with a bin are changed, so nothing happens outside training.

    Yang, Zha, Chen, Wang, Katabi (2021). Delving into Deep Imbalanced Regression. ICML.

    Parameters
    ----------
    spec : SmoothingSpec
        Bins and kernel.
    n_models, width : int
        Number of models of the stack, and number of features.
    """

    mean: Tensor
    variance: Tensor
    is_seen: Tensor
    _count: Tensor
    _sum: Tensor
    _square: Tensor

    def __init__(self, spec: SmoothingSpec, n_models: int, width: int) -> None:
        super().__init__()
        self._spec = spec
        for name in ("mean", "variance"):
            self.register_buffer(name, torch.zeros(n_models, spec.n_bins, width, dtype=torch.float32, device="cpu"))
        self.register_buffer("is_seen", torch.zeros(n_models, spec.n_bins, 1, dtype=torch.float32, device="cpu"))
        # Sums of the current epoch. They are zero whenever weights are read.
        self.register_buffer("_count", torch.zeros_like(self.is_seen), persistent=False)
        for name in ("_sum", "_square"):
            self.register_buffer(name, torch.zeros_like(self.mean), persistent=False)
        self._map: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor, bins: Tensor) -> Tensor:
        """Smooth the features (n_models, n, width) of rows in the given bins (n_models, n); -1 for no row."""
        first = torch.arange(len(bins), device=bins.device).unsqueeze(-1) * self._spec.n_bins
        index = (bins.clamp_min(0) + first).flatten()
        is_row = (bins >= 0).unsqueeze(-1)
        self._collect(x.detach(), index, is_row)
        scale, offset = (values.flatten(0, 1).index_select(0, index).view_as(x) for values in self._scale_and_offset())
        return torch.where(is_row, x * scale + offset, x)

    @torch.no_grad()
    def end_epoch(self) -> None:
        """Update the running statistics with those of the epoch."""
        count = self._count.clamp_min(1)
        mean = self._sum / count
        variance = (self._square / count - mean.square()).clamp_min(0)
        stays = MOMENTUM * self.is_seen  # 0 for bins without rows so far
        is_new = self._count > 0
        self.mean.copy_(torch.where(is_new, stays * self.mean + (1 - stays) * mean, self.mean))
        self.variance.copy_(torch.where(is_new, stays * self.variance + (1 - stays) * variance, self.variance))
        self.is_seen.copy_(is_new | (self.is_seen > 0))
        for sums in (self._count, self._sum, self._square):
            sums.zero_()
        self._map = None

    @torch.no_grad()
    def _collect(self, x: Tensor, index: Tensor, is_row: Tensor) -> None:
        x = x * is_row
        ones = is_row.to(x.dtype)
        for sums, values in ((self._count, ones), (self._sum, x), (self._square, x.square())):
            sums.flatten(0, 1).index_add_(0, index, values.flatten(0, 1))

    @torch.no_grad()
    def _scale_and_offset(self) -> tuple[Tensor, Tensor]:
        """Compute the factor and the offset for the features of each bin, (n_models, n_bins, width) each."""
        if self._map is None:
            variance = self._smoothed(self.variance)
            ratio = (variance / self.variance).clamp(LEAST_RATIO, LARGEST_RATIO)
            # A bin with one row, or with equal rows, has no variance that could change.
            scale = torch.where((self.is_seen > 0) & (self.variance > 0), ratio.sqrt(), 1.0)
            offset = torch.where(self.is_seen > 0, self._smoothed(self.mean) - scale * self.mean, 0.0)
            self._map = scale, offset
        return self._map

    def _smoothed(self, values: Tensor) -> Tensor:
        total, weight = torch.zeros_like(values), torch.zeros_like(self.is_seen)
        n_bins = self._spec.n_bins
        for shift in range(-self._spec.radius, self._spec.radius + 1):
            factor = math.exp(-0.5 * (shift / self._spec.bandwidth) ** 2)
            here = slice(max(0, -shift), max(0, min(n_bins, n_bins - shift)))
            there = slice(max(0, shift), max(0, min(n_bins, n_bins + shift)))
            seen = factor * self.is_seen[:, there]
            total[:, here] += seen * values[:, there]
            weight[:, here] += seen
        return total / weight.where(weight > 0, 1.0)
