"""Small plans for tests of the engine: least-squares regression, independent of the losses and samplers of skmetric."""

from dataclasses import dataclass

import numpy as np
import torch

from skmetric._core.engine import FitPlan, constant
from skmetric._core.nn import INPUTS, Columns, NetworkSpec


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


def network_spec(n_features=5, **changes):
    return NetworkSpec(
        **{
            "n_features": n_features,
            "hidden_layer_sizes": (7, 6),
            "dropout": 0.0,
            "normalize": False,
            "inputs": INPUTS["bounded"],
            "input_width": n_features,
            **changes,
        }
    )


def make_plan(seed=0, X=None, **changes):
    X = np.random.default_rng(99).normal(size=(32, 5)).astype(np.float32) if X is None else X
    width = changes.pop("n_outputs", 1)
    state = changes.pop("inputs", None) or INPUTS["bounded"].fit(Columns(X), None)
    return FitPlan(
        **{
            "network": network_spec(X.shape[1], n_outputs=width, dropout=changes.pop("dropout", 0.0)),
            "inputs": state,
            "objective": SquaredError(),
            "hyperparameters": {"scale": changes.pop("scale", 1.0)},
            "sampler": Shuffled(len(X), 8),
            "X": state.encode(Columns(X)),
            "learning_rate": 0.01,
            "weight_decay": 0.01,
            "schedule": constant,
            "max_iter": 5,
            "seed": np.random.SeedSequence(seed),
            **changes,
        }
    )


CPU = torch.device("cpu")


@dataclass(frozen=True)
class Everything(SquaredError):
    """Squared error, plus squared distances to items in memory and to one proxy per item, if there are any."""

    def loss(self, outputs, batch, hyperparameters):
        loss = super().loss(outputs, batch, hyperparameters)
        x, memory = outputs.representation, batch.memory
        if memory is not None:
            squares = (x.unsqueeze(2) - memory.representation.unsqueeze(1)).square().sum(-1)
            near = (memory.rows >= 0) & (memory.values[..., 0] > 0)
            loss = loss + 0.1 * (squares * near.unsqueeze(1)).mean(-1).mean(-1)
        if outputs.proxies is not None:
            own = (batch.rows.clamp_min(0) % outputs.proxies.shape[1]).unsqueeze(-1).expand_as(x)
            loss = loss + (x - outputs.proxies.gather(1, own)).square().sum(-1).mean(-1)
        return loss


N_ITEMS = 400


def make_items_plan(seed=0, X=None, **changes):
    """Build a plan with many items of few rows, and values for each item. ``spec`` changes the network."""
    rng = np.random.default_rng([7, seed])
    X = rng.normal(size=(20, 5)).astype(np.float32) if X is None else X
    return make_plan(
        seed,
        X,
        **{
            "network": network_spec(n_outputs=3, **changes.pop("spec", {})),
            "objective": Everything(),
            "sampler": Shuffled(N_ITEMS, 100),
            "items": rng.integers(0, len(X), N_ITEMS),
            "values": rng.normal(size=(N_ITEMS, 2)).astype(np.float32),
            **changes,
        },
    )


# Options of a plan beyond plain training, each alone and all together.
FEATURES = {
    "proxies": {"spec": {"n_proxies": 4}},
    "memory": {"memory_size": 130},
    "pieces": {"chunk_length": 33},
    "shared rows": {"share_rows": True},
    "all": {"spec": {"n_proxies": 4}, "memory_size": 70, "chunk_length": 24, "share_rows": True},
}


def with_dropout(changes, dropout=0.3, **spec):
    return {**changes, "spec": {**changes.get("spec", {}), "dropout": dropout, **spec}}


def assert_same(result, other):
    """Check that two results are equal, bit for bit."""
    assert result.network.weights.keys() == other.network.weights.keys()
    for name in result.network.weights:
        np.testing.assert_array_equal(result.network.weights[name], other.network.weights[name])
    np.testing.assert_array_equal(result.moments.second, other.moments.second)
    np.testing.assert_array_equal(
        [epoch["train_loss"] for epoch in result.history], [epoch["train_loss"] for epoch in other.history]
    )
