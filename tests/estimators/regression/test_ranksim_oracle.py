"""Reimplements the fit of RankSimRegressor: loops over rows and pairs, one formula per line, in double precision.

Everything random (initial weights, batches) comes from the plan of the regressor. The RankSim loss and smoothing are
the plain forms in the tests of the loss and of smoothing; the rest is written again.
"""

import math
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skmetric._core.engine import Stream, open_stream
from skmetric.estimators.regression._objectives import TERMS
from skmetric.estimators.regression.ranksim import RankSimRegressor
from tests._core.nn.plain_smoothing import PlainSmoothing
from tests.estimators.plain_training import Network, adamw, rates
from tests.estimators.prepared import plan_of, prepared_of
from tests.losses.order import ranksim_reference as by_definition

# Nearly equal similarities may have a different order in single precision, which changes the gradient. The last layer
# is wide, because rows with one active unit have equal cosines up to rounding. With the weights of random_state=0, no
# two similarities are nearly equal.
SMALL = {"hidden_layer_sizes": (7, 12), "dropout": 0.0, "batch_size": 16, "max_iter": 4, "learning_rate": 0.02}
SMALL |= {"weight_decay": 0.1, "device": "cpu", "random_state": 0, "loss": "huber", "gamma": 0.5, "scale_free": True}
SMALL |= {"interpolation_strength": 2.0, "similarity": "euclidean", "max_rank_samples": 64, "metric": "r2"}
PUBLISHED = {"scale_free": False, "gamma": 2.0}


class Table(NamedTuple):
    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    repeated: np.ndarray
    rounded: np.ndarray
    two_levels: np.ndarray
    two: np.ndarray
    two_repeated: np.ndarray


@pytest.fixture(scope="module")
def table():
    """Rows with several kinds of skewed targets, and with weights of which some are 0."""
    rng = np.random.default_rng(1)
    X = (rng.normal(size=(45, 3)) * [1, 10, 0.1]).astype(np.float32)
    at = np.arange(45) // 3 * 3
    y = 20 + 3 * np.exp(X[:, 0] + rng.normal(size=45) / 2)
    weights = rng.uniform(0.2, 3, 45)
    weights[:5] = 0
    two = np.column_stack([y.round(), y + X[:, 1]])
    return Table(X, y, weights, y[at], y.round(), np.where(y > 23, 5.0, 2.0), two, two[at])


# Units, weights and bins of rows.


def columns(y):
    return y.reshape(len(y), -1)


def units(y, weights):
    """Weighted mean and standard deviation of each target."""
    total = sum(weights)
    center = sum(w * row for w, row in zip(weights, columns(y), strict=True)) / total
    return center, np.sqrt(sum(w * (row - center) ** 2 for w, row in zip(weights, columns(y), strict=True)) / total)


def density_weights(y, is_seen, n_bins=100, bandwidth=2):
    """One over the smoothed number of rows in the bin of each row, up to a factor."""
    low, high = y[is_seen].min(), y[is_seen].max()
    bins = [min(max(int(n_bins * (value - low) / (high - low)), 0), n_bins - 1) for value in y]
    counts = [sum(b == c for c, seen in zip(bins, is_seen, strict=True) if seen) for b in range(n_bins)]
    return np.array([1 / smoothed_count(counts, b, bandwidth) for b in bins])


def smoothed_count(counts, b, bandwidth):
    near = [c for c in range(len(counts)) if abs(c - b) <= 4 * bandwidth]
    return sum(counts[c] * math.exp(-(((c - b) / bandwidth) ** 2) / 2) for c in near)


def bins_of_smoothing(y, is_seen, n_bins=50):
    low, high = y[is_seen].min(), y[is_seen].max()
    return [min(int(n_bins * (value - low) / (high - low)), n_bins - 1) for value in y]


# The losses of one batch.


LOSS_OF_GAP = {
    "absolute": lambda gap: gap.abs(),
    "squared": lambda gap: gap**2,
    "huber": lambda gap: torch.where(gap.abs() <= 1, gap**2 / 2, gap.abs() - 1 / 2),
}


def minus_distances(y):
    """Similarities of rows of several targets."""
    return torch.stack([torch.stack([-((a - b) ** 2).sum().sqrt() for b in y]) for a in y])


def first_of_each(targets, n_most):
    """Indices of the first row of each distinct target, in order."""
    chosen = []
    for index, target in enumerate(targets):
        if len(chosen) < n_most and not any(np.array_equal(target, targets[other]) for other in chosen):
            chosen.append(index)
    return chosen


class Training:
    """One fit of a regressor with the given parameters to the given data."""

    def __init__(self, regressor, data):
        self.regressor, prepared, self.y = regressor, prepared_of(clone(regressor), **data), data["y"]
        self.plan = prepared.plan
        y, weights = self.y, data["sample_weight"]
        weights = np.ones(len(y)) if weights is None else weights
        self.center, self.scale = units(y, weights)
        self.standardized = (columns(y) - self.center) / self.scale
        if regressor.weighting is not None:
            weights = weights * density_weights(y, weights > 0)
        self.shares = weights / sum(weights)
        self.smoothing = None
        if regressor.feature_smoothing:
            self.bins, self.smoothing = bins_of_smoothing(y, weights > 0), PlainSmoothing(50, 2, 2.0)
        self.network = Network.of(prepared)

    def predict(self, X):
        outputs = self.network.head(self.network.represent(X)).detach().numpy() * self.scale + self.center
        return outputs[:, 0] if self.y.ndim == 1 else outputs

    def epochs(self):
        """Train epoch by epoch; yield the history of each."""
        rng = open_stream(self.plan.seed, Stream.BATCHES)
        moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in self.network.parameters]
        n_steps = len(self.plan.sampler.list_lengths)
        course = enumerate(rates(self.regressor.max_iter * n_steps, self.regressor.learning_rate), start=1)
        for _ in range(self.regressor.max_iter):
            total = 0.0
            for batch in self.plan.sampler.draw_epoch(rng):
                rows = [row for row in batch.tolist() if row >= 0]
                value, neighbors = self.step(rows, n_steps)
                total += value / n_steps
                adamw(self.network.parameters, moments, *next(course), self.regressor.weight_decay)
            if self.smoothing is not None:
                self.smoothing.end_epoch()
            yield {"train_loss": total, "neighbor_spearman": neighbors}

    def step(self, rows, n_steps):
        """Compute the gradient of a batch; return its loss, and how well neighbors agree."""
        z = self.network.represent(self.network.table[rows])
        gaps = self.network.head(self.on_its_way(z, rows)) - torch.from_numpy(self.standardized[rows])
        each = LOSS_OF_GAP[self.regressor.loss](gaps).mean(-1)
        fit = sum(n_steps * self.shares[row] * term for row, term in zip(rows, each, strict=True))

        ranked = first_of_each(self.y[rows], self.regressor.max_rank_samples)
        of_ranked = z[ranked], *self.labels(rows, ranked)
        value, pull = self.ranksim(fit, z, *of_ranked)
        fit.backward(retain_graph=True)
        z.backward(pull)
        neighbors = by_definition.neighbor_spearman(
            of_ranked[0], of_ranked[1], similarity=self.regressor.similarity, label_similarity=of_ranked[2]
        )
        return fit.item() + value, neighbors.item()

    def on_its_way(self, z, rows):
        if self.smoothing is None:
            return z
        bins = [self.bins[row] for row in rows]
        maps = [self.smoothing.map(b) for b in bins]
        self.smoothing(z.detach().numpy(), bins)
        return torch.stack([row * torch.as_tensor(a) + torch.as_tensor(b) for row, (a, b) in zip(z, maps, strict=True)])

    def labels(self, rows, ranked):
        """Labels of the ranked rows, and their similarity. A single target is not standardized, so ties stay ties."""
        rows = [rows[index] for index in ranked]
        if self.y.ndim == 1:
            return torch.from_numpy(self.y[rows]), None
        return torch.from_numpy(self.standardized[rows]), minus_distances

    def ranksim(self, fit, z, ranked, labels, label_similarity):
        """Value and gradient of RankSim at the representation, as they are added to those of the fit."""
        options = {
            name: getattr(self.regressor, name) for name in ("interpolation_strength", "similarity", "scale_free")
        }
        options["label_similarity"] = label_similarity
        loss = by_definition.ranksim_loss(ranked, labels, **options)
        if self.regressor.gamma != "auto":
            loss = self.regressor.gamma * loss
            return loss.item(), torch.autograd.grad(loss, z, retain_graph=True)[0]
        of_fit = torch.autograd.grad(fit, z, retain_graph=True)[0]
        pull = torch.autograd.grad(loss, z, retain_graph=True)[0]
        factor = min(1.0, 0.3 * norm(of_fit) / norm(pull)) if norm(pull) else 0.0
        return factor * loss.item(), factor * pull


def norm(x):
    return math.sqrt((x**2).sum().item())


def data_of(table, y="y", weighted=False):
    return {"X": table.X, "y": getattr(table, y), "sample_weight": table.weights if weighted else None}


def assert_same(fitted, training, X):
    """Compare representation, predictions and history of two fits."""
    history = list(training.epochs())
    expected = training.predict(X)
    assert (np.std(expected, axis=0) > 0.05 * training.scale).all()
    assert_allclose((fitted.predict(X) - expected) / training.scale, 0, atol=2e-5)
    assert_allclose(fitted.transform(X), training.network.represent(X).detach().numpy(), rtol=0, atol=1e-4)
    for name in ("train_loss", "neighbor_spearman"):
        actual = [row[name] for row in fitted.history_]
        assert_allclose(actual, [row[name] for row in history], rtol=0, atol=1e-5)


CASES = {
    "plain": {"gamma": 0.0},
    "gamma": {},
    "auto": {"gamma": "auto"},
    "strength": {"interpolation_strength": 0.3, "gamma": 4.0},
    "cosine": {"similarity": "cosine"},
    "cosine, auto": {"similarity": "cosine", "gamma": "auto"},
    "published": PUBLISHED,
    "published, cosine": PUBLISHED | {"similarity": "cosine"},
    "published, auto": {"scale_free": False, "gamma": "auto"},
    "absolute": {"loss": "absolute"},
    "squared": {"loss": "squared", "gamma": "auto"},
    "n_components": {"hidden_layer_sizes": (8,), "n_components": 13},
    "few ranked": {"max_rank_samples": 6},
    "lds": {"weighting": "lds"},
    "smoothing": {"feature_smoothing": True},
    "smoothing, auto": {"feature_smoothing": True, "gamma": "auto"},
}


def test_each_loss_has_a_definition_and_a_case():
    assert LOSS_OF_GAP.keys() == TERMS.keys() == {(SMALL | case)["loss"] for case in CASES.values()}


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("case", CASES)
def test_fit_by_loops(case, weighted, table):
    regressor, data = RankSimRegressor(**(SMALL | CASES[case])), data_of(table, weighted=weighted)
    assert_same(clone(regressor).fit(**data), Training(regressor, data), table.X)


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("gamma", [0.5, "auto"])
@pytest.mark.parametrize("y", ["repeated", "rounded", "two_levels", "two", "two_repeated"])
def test_targets_by_loops(y, gamma, weighted, table):
    regressor, data = RankSimRegressor(**(SMALL | {"gamma": gamma})), data_of(table, y, weighted)
    assert_same(clone(regressor).fit(**data), Training(regressor, data), table.X)


def test_the_table_is_as_meant(table):
    plan = plan_of(clone(RankSimRegressor(**SMALL)), **data_of(table, "repeated", weighted=True))
    drawn = plan.sampler.draw_epoch(np.random.default_rng(0))
    assert len(drawn) == 3
    assert_array_equal(np.sort(drawn[drawn >= 0]), np.flatnonzero(table.weights))
    for y in ("repeated", "rounded", "two_repeated"):
        distinct = [len(first_of_each(getattr(table, y)[batch[batch >= 0]], 64)) for batch in drawn]
        assert all(5 < n < 14 for n in distinct)
    # Of three consecutive numbers, the first and the last are equally far from the middle one.
    assert {24, 25, 26} < set(table.rounded)


def test_early_stopping_by_loops(table):
    rng = np.random.default_rng(2)
    held_out = {"X_val": table.X[:20] + rng.normal(size=(20, 3)).astype(np.float32), "y_val": table.y[:20]}
    train = {name: values[20:] for name, values in zip(("X", "y", "sample_weight"), table[:3], strict=True)}
    regressor = RankSimRegressor(**(SMALL | {"early_stopping": True, "n_iter_no_change": 3, "max_iter": 40}))
    fitted = clone(regressor).fit(**train, **held_out)

    training, scores, predictions = Training(regressor, train | held_out), [], []
    for _ in training.epochs():
        scores.append(r2(held_out["y_val"], training.predict(held_out["X_val"])))
        predictions.append(training.predict(table.X))
        if len(scores) - 1 - np.argmax(scores) == 3:
            break
    assert 5 < len(scores) < 40
    assert_allclose([row["valid_score"] for row in fitted.history_], scores, rtol=0, atol=1e-5)
    assert_allclose(fitted.predict(table.X), predictions[np.argmax(scores)], rtol=0, atol=1e-4)


def r2(y, predicted):
    mean = sum(y) / len(y)
    return 1 - sum((a - b) ** 2 for a, b in zip(y, predicted, strict=True)) / sum((a - mean) ** 2 for a in y)


OF_RANKSIM = {"interpolation_strength": 50.0, "similarity": "cosine", "max_rank_samples": 2, "scale_free": False}


@pytest.mark.parametrize("name", OF_RANKSIM)
def test_without_gamma_the_network_is_plain(name, table):
    data = data_of(table, weighted=True)
    for gamma, same in ((0.0, True), (0.5, False)):
        regressor = RankSimRegressor(**(SMALL | {"gamma": gamma}))
        one, other = (clone(regressor).set_params(**changes).fit(**data) for changes in ({}, {name: OF_RANKSIM[name]}))
        assert np.array_equal(one.predict(table.X), other.predict(table.X)) == same
