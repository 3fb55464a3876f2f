"""An embedder's fit, once more: loops over anchors, one formula a line, in double precision.

What is random (initial weights, batches) comes from the embedder's own plan; all the rest is written anew. Points are
told apart by their values.
"""

from collections import deque

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skmetric._core.engine import Stream, open_stream
from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.points import Rows
from tests.estimators.embedding import plain_contrasts as plain
from tests.estimators.plain_training import Network, adamw, build, rates
from tests.estimators.prepared import plan_of

# Three epochs of float32 and of double precision stay this close together; embeddings are about 1 apart.
TOLERANCE = 1e-4

SMALL = {"n_components": 3, "hidden_layer_sizes": (6, 5), "dropout": 0.0, "batch_size": 12, "samples_per_class": 3}
SMALL |= {"max_iter": 3, "learning_rate": 0.02, "weight_decay": 0.1, "device": "cpu", "random_state": 4}
NUMBERS = {
    "contrastive": {"margin": 0.8},
    "info_nce": {"temperature": 0.2},
    "sup_con": {"temperature": 0.2},
    "nce": {"margin": 0.8, "temperature": 0.3},
    "nca": {"temperature": 0.3},
    "multi_similarity": {"margin": 0.2, "temperature": 0.1},
    "proxy_anchor": {"margin": 0.2, "temperature": 0.1},
}
each_loss = pytest.mark.parametrize("loss", NUMBERS)
each_loss_of_pairs = pytest.mark.parametrize("loss", [loss for loss in NUMBERS if loss != "proxy_anchor"])
each_distance = pytest.mark.parametrize("distance", ["euclidean", "sqeuclidean", "cosine"])


def make(loss, **params):
    return ContrastiveEmbedder(loss=loss, **{**SMALL, **NUMBERS[loss], **params})


# Training.


def network_of(plan, table):
    """The plan's initial weights, and its proxies; inputs are scaled by the rows of a table."""
    built = build(plan)
    proxies = [] if built.proxies is None else [built.proxies[0].detach().double().requires_grad_()]
    return Network([*built.layers, built.last], table), proxies


def embed(network, points, normalize):
    e = network.head(network.represent(points))
    return e / e.norm(dim=-1, keepdim=True) if normalize else e


NAMES = ("train_loss", "positive_distance", "negative_distance")


def train(embedder, plan, network, proxies, loss, anchors_of):
    """Train as ``fit`` does; of each epoch what the history holds."""
    parameters = [*network.parameters, *proxies]
    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]
    rng = open_stream(plan.seed, Stream.BATCHES)
    course = enumerate(rates(embedder.max_iter * len(plan.sampler.list_lengths), embedder.learning_rate), start=1)
    history = []
    for _ in range(embedder.max_iter):
        losses = []
        for batch in plan.sampler.draw_epoch(rng):
            views = anchors_of(batch, lambda points: embed(network, points, embedder.normalize), *proxies)
            value = sum(map(loss, views)) + sum(0 * p.sum() for p in parameters)
            value.backward()
            adamw(parameters, moments, *next(course), embedder.weight_decay)
            losses.append(value.item())
        alike, other = (torch.cat(each).detach() for each in zip(*views[0], strict=True))
        history.append((np.mean(losses), *(each.mean().item() if len(each) else 0.0 for each in (alike, other))))
    return history


def assert_same(embedder, data, table, loss, anchors_of, names=NAMES):
    plan, fitted = plan_of(clone(embedder), **data), clone(embedder).fit(**data)
    network, proxies = network_of(plan, table)
    points = np.unique(table, axis=0)
    start, actual = (embed(network, points, embedder.normalize).detach().numpy(), fitted.transform(points))
    history = train(embedder, plan, network, proxies, loss, anchors_of)
    expected = embed(network, points, embedder.normalize).detach().numpy()
    if not embedder.normalize:
        # Distances do not see a shift: what the last bias learns is rounding.
        actual, expected, start = (e - e.mean(axis=0) for e in (actual, expected, start))
    assert np.abs(expected - start).max() > 500 * TOLERANCE
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE)
    found = [[row[name] for name in names] for row in fitted.history_]
    np.testing.assert_allclose(found, [row[: len(names)] for row in history], rtol=TOLERANCE, atol=TOLERANCE)


def loss_of(embedder):
    return lambda anchors: getattr(plain, embedder.loss)(anchors, **NUMBERS[embedder.loss])


# Labels.


@pytest.fixture(scope="module")
def rows():
    """Classes of 1 to 9 rows: some have fewer than a block of a batch."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(np.arange(6), [1, 2, 9, 4, 7, 5]))
    return (rng.normal(size=(len(y), 3)) * [1, 10, 0.1] + y[:, None] / 2).astype(np.float32), y


def on_labels(embedder, X, y, kind, names=NAMES):
    memory = deque(maxlen=embedder.memory_size)

    def anchors_of(batch, embedded, proxies=None):
        if embedder.loss == "proxy_anchor":
            return [plain.proxies_with_rows(embedded(X[batch]), y[batch], kind, proxies)]
        return plain.rows_with_rows(embedded(X[batch]), batch.tolist(), y, kind, memory)

    assert_same(embedder, {"X": X, "y": y}, X, loss_of(embedder), anchors_of, names)


@each_distance
@each_loss
def test_labels_by_loops(loss, distance, rows):
    on_labels(make(loss, distance=distance), *rows, distance)


@pytest.mark.parametrize("memory_size", [5, 24, 200])
@each_loss_of_pairs
def test_labels_with_a_memory_by_loops(loss, memory_size, rows):
    on_labels(make(loss, distance="sqeuclidean", memory_size=memory_size), *rows, "sqeuclidean")


@each_loss
def test_labels_by_loops_without_unit_length(loss, rows):
    """A linear map: the bias of a hidden unit that is active for all points would learn from rounding alone."""
    embedder = make(loss, distance="euclidean", normalize=False, hidden_layer_sizes=(), max_iter=6)
    on_labels(embedder, *rows, "euclidean")


@each_loss
def test_labels_in_pieces_by_loops(loss, rows):
    on_labels(make(loss, distance="cosine", cached_batch_size=5), *rows, "cosine")


@each_loss
def test_labels_by_loops_some_anchors_at_a_time(loss, rows, monkeypatch):
    """As in very large batches: here 4 anchors with the 12 items, 5 with what is remembered."""
    monkeypatch.setattr("skmetric.estimators.embedding._objectives.DENSE_PAIRS", 50)
    memory_size = 0 if loss == "proxy_anchor" else 10
    on_labels(make(loss, distance="euclidean", memory_size=memory_size), *rows, "euclidean", names=NAMES[:1])


# Pairs.


@pytest.fixture(scope="module")
def pairs():
    """Pairs of few points, repeated: anchors with several partners, partners of several anchors, chains."""
    rng = np.random.default_rng(1)
    points = (rng.normal(size=(20, 3)) * [1, 10, 0.1]).astype(np.float32)
    alike = [(0, 1), (0, 2), (0, 3), (4, 5), (4, 6), (8, 7), (9, 7), (10, 7), (12, 11), (13, 11), (1, 14), (14, 15)]
    others = [(i, j) for i in range(20) for j in (0, 4, 7, 11, 16, 17, 18, 19) if i != j]
    index = np.array(alike * 3 + rng.permutation(others)[:40].tolist())
    return points, index, np.repeat([1, -1], [3 * len(alike), 40])


def test_the_pairs_are_as_meant(pairs):
    _, index, y = pairs
    alike = {(a, p) for a, p in index[y > 0].tolist()}
    firsts, seconds = zip(*alike, strict=True)
    assert len(set(firsts)) < len(alike) < (y > 0).sum()
    assert len(set(seconds)) < len(alike)
    assert set(firsts) & set(seconds)


def on_pairs(embedder, points, index, y, kind, *, told_apart=False, indexed=False, names=NAMES):
    if indexed:
        embedder = embedder.set_params(preprocessor=Rows(points))
    data = {"X": index if indexed else points[index], "y": y}
    outcome = np.ones(len(index), dtype=int) if y is None else y

    def anchors_of(batch, embedded):
        shown = batch[batch >= 0].reshape(-1, 2) // 2
        assert_array_equal(shown[:, 0], shown[:, 1])
        drawn, known = points[index[shown[:, 0]]], outcome[shown[:, 0]]
        if told_apart:
            return [plain.pairs_alone(embedded(drawn), known, kind)]
        return [plain.pairs_with_pairs(embedded(drawn), drawn, known, kind)]

    assert_same(embedder, data, points[index].reshape(-1, 3), loss_of(embedder), anchors_of, names)


# With 200, the whole table of points is embedded, and not the rows of the pairs.
each_batch_size = pytest.mark.parametrize("batch_size", [12, 200])


@pytest.mark.filterwarnings("ignore:.*does not push the given pairs apart:UserWarning")
@each_batch_size
@each_loss_of_pairs
def test_pairs_of_both_kinds_by_loops(loss, batch_size, pairs):
    embedder = make(loss, distance="euclidean", batch_size=batch_size, learning_rate=0.02 if batch_size < 99 else 0.1)
    on_pairs(embedder, *pairs, "euclidean", told_apart=loss in ("contrastive", "nce"), indexed=batch_size > 99)


@each_batch_size
@each_loss_of_pairs
def test_pairs_that_are_alike_by_loops(loss, batch_size, pairs):
    points, index, y = pairs
    index = index[y > 0]
    embedder = make(loss, distance="sqeuclidean", batch_size=batch_size, learning_rate=0.02 if batch_size < 99 else 0.1)
    on_pairs(embedder, points, index, None, "sqeuclidean", indexed=batch_size < 99)


@pytest.mark.parametrize("n_negatives", [1, 9])
@each_loss_of_pairs
def test_pairs_with_random_negatives_by_loops(loss, n_negatives, pairs):
    points, index, y = pairs
    index = index[y > 0]
    embedder = make(loss, distance="cosine", batch_size=12 + n_negatives, n_negatives=n_negatives)
    plan = plan_of(clone(embedder), points[index])
    # Which point has which number is the plan's to say, but a negative is any of those that come second.
    numbered = plan.X[plan.items]
    assert_array_equal(numbered[: index.size], points[index.ravel()])
    assert_array_equal(np.unique(numbered[index.size :], axis=0), np.unique(points[index[:, 1]], axis=0))
    assert len(numbered) == index.size + len(np.unique(index[:, 1]))

    def anchors_of(batch, embedded):
        shown, others = batch[:-n_negatives], numbered[batch[-n_negatives:]]
        drawn = numbered[shown[shown >= 0].reshape(-1, 2)]
        return [plain.pairs_with_points(embedded(drawn), drawn, embedded(others), others, "cosine")]

    assert_same(embedder, {"X": points[index]}, points[index].reshape(-1, 3), loss_of(embedder), anchors_of)


@each_loss_of_pairs
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.filterwarnings("ignore:.*does not push the given pairs apart:UserWarning")
def test_pairs_by_loops_some_anchors_at_a_time(loss, both, pairs, monkeypatch):
    monkeypatch.setattr("skmetric.estimators.embedding._objectives.DENSE_PAIRS", 20)
    points, index, y = pairs
    told_apart = both and loss in ("contrastive", "nce")
    chosen = slice(None) if both else y > 0
    data = points, index[chosen], y[chosen] if both else None
    on_pairs(make(loss, distance="cosine"), *data, "cosine", told_apart=told_apart, names=NAMES[:1])


# Triplets.


@each_batch_size
@each_distance
@pytest.mark.parametrize("soft", [False, True])
def test_triplets_by_loops(soft, distance, batch_size, pairs):
    points, index, _ = pairs
    rng = np.random.default_rng(2)
    index = np.column_stack([index, rng.integers(0, len(points), len(index))])
    triplets = points[index]
    params = SMALL | {"batch_size": batch_size, "learning_rate": 0.02 if batch_size < 99 else 0.1}
    embedder = TripletEmbedder(margin=0.4, soft=soft, distance=distance, **params)

    def anchors_of(batch, embedded):
        shown = batch[batch >= 0].reshape(-1, 3) // 3
        e = embedded(triplets[shown[:, 0]])
        d = [plain.distances(each[:1], each[1:], distance)[0] for each in e]
        return [[(each[:1], each[1:]) for each in d]]

    def loss(anchors):
        return plain.triplet(anchors, 0.4, soft)

    assert_same(embedder, {"X": triplets}, triplets.reshape(-1, 3), loss, anchors_of, names=NAMES[:1])
