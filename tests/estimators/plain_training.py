"""Training by plain loops in double precision: the network, the optimizer and the learning rate schedule."""

import math

import numpy as np
import torch

from skmetric._core.engine import Stream, open_stream
from skmetric._core.nn import build_network


def build(plan):
    """The network of a plan, with its initial weights."""
    return build_network(plan.network, [plan.inputs], [open_stream(plan.seed, Stream.WEIGHTS)])


class Network:
    """ReLU layers and a linear head with their initial weights, for inputs scaled by the weighted rows of a table."""

    def __init__(self, layers, table, weights=None):
        self.parameters = [
            getattr(layer, name)[0].detach().double().requires_grad_()
            for layer in layers
            for name in ("weight", "bias")
        ]
        self.table = table
        center = np.average(table.astype(np.float64), axis=0, weights=weights)
        self.center = torch.from_numpy(center)
        self.scale = torch.from_numpy(np.average((table - center) ** 2, axis=0, weights=weights)).sqrt()

    @classmethod
    def of(cls, prepared):
        """The network of the plan of an estimator, before training."""
        built = build(prepared.plan)
        return cls([*built.layers, built.head], prepared.data.columns.numbers, prepared.batches.row_weights)

    def represent(self, X):
        """The last hidden layer."""
        z = (torch.as_tensor(np.asarray(X, dtype=np.float64)) - self.center) / self.scale
        x = z / (1 + (z / 3) ** 2).sqrt()
        hidden = self.parameters[:-2]
        for weight, bias in zip(hidden[::2], hidden[1::2], strict=True):
            x = (x @ weight + bias).clamp(min=0)
        return x

    def head(self, x):
        weight, bias = self.parameters[-2:]
        return x @ weight + bias

    def scores(self, X):
        return self.head(self.represent(X))[:, 0]


def adamw(parameters, moments, t, rate, decay, beta_1=0.9, beta_2=0.999, eps=1e-8):
    for w, (m, v) in zip(parameters, moments, strict=True):
        g = w.grad
        m.copy_(beta_1 * m + (1 - beta_1) * g)
        v.copy_(beta_2 * v + (1 - beta_2) * g**2)
        step = (m / (1 - beta_1**t)) / ((v / (1 - beta_2**t)).sqrt() + eps)
        w.data = (1 - rate * decay) * w.data - rate * step
        w.grad = None


def rates(n_steps, highest):
    """Warm up along a cosine from 4% over the first 30% of the steps, then decay along another cosine to near zero."""
    peak = max(1.0, 0.3 * n_steps)
    for step in range(n_steps):
        if step < peak:
            share = 0.04 + 0.96 * (1 - math.cos(math.pi * step / peak)) / 2
        else:
            done = min(1.0, (step - peak) / max(1.0, n_steps - 1 - peak))
            share = 4e-6 + (1 - 4e-6) * (1 + math.cos(math.pi * done)) / 2
        yield highest * share
