"""Reference implementation of feature smoothing, bin by bin and row by row."""

import math

import numpy as np


class PlainSmoothing:
    """Feature smoothing of one model."""

    def __init__(self, n_bins, radius, bandwidth):
        self.n_bins, self.radius, self.bandwidth = n_bins, radius, bandwidth
        self.mean, self.variance = {}, {}
        self.epoch = []

    def smoothed(self, values, b):
        near = [k for k in values if abs(k - b) <= self.radius]
        factors = [math.exp(-((k - b) ** 2) / (2 * self.bandwidth**2)) for k in near]
        return sum(f * values[k] for f, k in zip(factors, near, strict=True)) / sum(factors)

    def __call__(self, x, bins):
        """Collect the rows, and return them smoothed."""
        self.epoch += [(row, b) for row, b in zip(x, bins, strict=True) if b >= 0]
        maps = [self.map(b) for b in bins]
        return np.stack([factor * row + offset for row, (factor, offset) in zip(x, maps, strict=True)])

    def map(self, b):
        """Return the factor and the offset of bin b."""
        if b not in self.mean:
            return 1.0, 0.0
        ratio = np.clip(self.smoothed(self.variance, b) / np.where(self.variance[b] > 0, self.variance[b], 1), 0.1, 10)
        factor = np.where(self.variance[b] > 0, np.sqrt(ratio), 1)
        return factor, self.smoothed(self.mean, b) - factor * self.mean[b]

    def end_epoch(self):
        for b in {b for _, b in self.epoch}:
            rows = np.stack([row for row, c in self.epoch if c == b])
            mean, variance = rows.mean(0), rows.var(0)
            stays = 0.9 if b in self.mean else 0.0
            self.mean[b] = stays * self.mean.get(b, 0) + (1 - stays) * mean
            self.variance[b] = stays * self.variance.get(b, 0) + (1 - stays) * variance
        self.epoch = []
