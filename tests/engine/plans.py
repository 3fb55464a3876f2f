"""Small plans for tests of the engine: a regression by least squares, to keep losses and samplers of ours out of it."""

from dataclasses import dataclass

import numpy as np
import torch

from skmetric.engine import FitPlan, constant
from skmetric.nn import NetworkSpec


@dataclass(frozen=True)
class SquaredError:
    """Mean of ``scale * (mean output - row / 10) ** 2``: the row index is the target."""

    def loss(self, outputs, batch, hyperparameters):
        gap = outputs.final.mean(-1) - batch.rows.float() / 10
        return gap.square().mean(-1) * hyperparameters["scale"]

    def monitor(self, outputs, batch, hyperparameters):
        return {"largest": outputs.final.abs().amax((-1, -2))}


@dataclass(frozen=True)
class Shuffled:
    n: int
    batch_length: int

    @property
    def list_lengths(self):
        return [self.batch_length] * (self.n // self.batch_length)

    def draw_epoch(self, rng):
        n_steps = len(self.list_lengths)
        return rng.permutation(self.n)[: n_steps * self.batch_length].reshape(n_steps, -1)


def make_plan(seed=0, X=None, **changes):
    X = np.random.default_rng(99).normal(size=(32, 5)).astype(np.float32) if X is None else X
    width = changes.pop("n_outputs", 1)
    return FitPlan(
        **{
            "network": NetworkSpec(X.shape[1], width, (7, 6), changes.pop("dropout", 0.0), False, True),
            "objective": SquaredError(),
            "hyperparameters": {"scale": changes.pop("scale", 1.0)},
            "sampler": Shuffled(len(X), 8),
            "X": X,
            "targets": np.arange(len(X)),
            "learning_rate": 0.01,
            "weight_decay": 0.01,
            "schedule": constant,
            "max_iter": 5,
            "seed": np.random.SeedSequence(seed),
            **changes,
        }
    )


CPU = torch.device("cpu")
