"""Reimplements the fit of an embedder: loops over anchors, one formula per line, in double precision.

Everything random (initial weights, batches) comes from the plan of the embedder; the rest is written again. Points are
identified by their values.
"""

from collections import deque

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skmetric._core.engine import Stream, open_stream
from skmetric.estimators.embedding._losses import LOSSES
from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.points import Rows
from tests.estimators.embedding import plain_contrasts as plain
from tests.estimators.plain_training import Network, adamw, build, rates
from tests.estimators.prepared import plan_of, prepared_of

# After three epochs, float32 and double precision differ by less than this; embeddings are about 1 apart.
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
each_loss = pytest.mark.parametrize("loss", LOSSES)
each_loss_of_pairs = pytest.mark.parametrize("loss", [name for name, loss in LOSSES.items() if not loss.has_proxies])
each_distance = pytest.mark.parametrize("distance", ["euclidean", "sqeuclidean", "cosine"])


def make(loss, **params):
    return ContrastiveEmbedder(loss=loss, **{**SMALL, **NUMBERS[loss], **params})


def test_each_loss_has_a_definition():
    assert NUMBERS.keys() == LOSSES.keys()
    assert all(callable(getattr(plain, name)) for name in LOSSES)


# Training.


def network_of(plan, table):
    """The initial weights and proxies of a plan. The rows of a table scale the inputs."""
    built = build(plan)
    proxies = [] if built.proxies is None else [built.proxies[0].detach().double().requires_grad_()]
    return Network([*built.layers, built.last], table), proxies


def embed(network, points, normalize):
    e = network.head(network.represent(points))
    return e / e.norm(dim=-1, keepdim=True) if normalize else e


NAMES = ("train_loss", "positive_distance", "negative_distance")


def train(embedder, plan, network, proxies, loss, anchors_of):
    """Train like ``fit``; return the history."""
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
        kinds = (torch.cat(each).detach() for each in zip(*views[0], strict=True))
        history.append((np.mean(losses), *(each.mean().item() if len(each) else 0.0 for each in kinds)))
    return history


def assert_same(embedder, data, table, loss, anchors_of, names=NAMES):
    plan, fitted = plan_of(clone(embedder), **data), clone(embedder).fit(**data)
    network, proxies = network_of(plan, table)
    points = np.unique(table, axis=0)
    start, actual = (embed(network, points, embedder.normalize).detach().numpy(), fitted.transform(points))
    history = train(embedder, plan, network, proxies, loss, anchors_of)
    expected = embed(network, points, embedder.normalize).detach().numpy()
    if not embedder.normalize:
        # Distances do not depend on a shift, so the last bias learns only rounding errors.
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
    """Classes of 1 to 9 rows. Some have fewer rows than a block of a batch."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(np.arange(6), [1, 2, 9, 4, 7, 5]))
    return (rng.normal(size=(len(y), 3)) * [1, 10, 0.1] + y[:, None] / 2).astype(np.float32), y


def on_labels(embedder, X, y, kind, names=NAMES):
    memory = deque(maxlen=embedder.memory_size)

    def anchors_of(batch, embedded, proxies=None):
        if LOSSES[embedder.loss].has_proxies:
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
    """Uses a linear map, because the bias of a hidden unit active for all points would learn only rounding errors."""
    embedder = make(loss, distance="euclidean", normalize=False, hidden_layer_sizes=(), max_iter=6)
    on_labels(embedder, *rows, "euclidean")


@each_loss
def test_labels_in_pieces_by_loops(loss, rows):
    on_labels(make(loss, distance="cosine", cached_batch_size=5), *rows, "cosine")


@each_loss
def test_labels_by_loops_some_anchors_at_a_time(loss, rows, monkeypatch):
    """As in very large batches. Here, 4 anchors at once with the 12 items, and 5 with the memory."""
    monkeypatch.setattr("skmetric.estimators.embedding._objectives.DENSE_PAIRS", 50)
    memory_size = 0 if LOSSES[loss].has_proxies else 10
    on_labels(make(loss, distance="euclidean", memory_size=memory_size), *rows, "euclidean", names=NAMES[:1])


# Pairs.


@pytest.fixture(scope="module")
def pairs():
    """Repeated pairs of a few points: anchors with several partners, partners of several anchors, chains."""
    rng = np.random.default_rng(1)
    points = (rng.normal(size=(20, 3)) * [1, 10, 0.1]).astype(np.float32)
    similar = [(0, 1), (0, 2), (0, 3), (4, 5), (4, 6), (8, 7), (9, 7), (10, 7), (12, 11), (13, 11), (1, 14), (14, 15)]
    others = [(i, j) for i in range(20) for j in (0, 4, 7, 11, 16, 17, 18, 19) if i != j]
    index = np.array(similar * 3 + rng.permutation(others)[:40].tolist())
    return points, index, np.repeat([1, -1], [3 * len(similar), 40])


def test_the_pairs_are_as_meant(pairs):
    _, index, y = pairs
    similar = {(a, p) for a, p in index[y > 0].tolist()}
    firsts, seconds = zip(*similar, strict=True)
    assert len(set(firsts)) < len(similar) < (y > 0).sum()
    assert len(set(seconds)) < len(similar)
    assert set(firsts) & set(seconds)


def on_pairs(embedder, points, index, y, kind, *, by_pair=False, indexed=False, names=NAMES):
    if indexed:
        embedder = embedder.set_params(preprocessor=Rows(points))
    data = {"X": index if indexed else points[index], "y": y}
    outcome = np.ones(len(index), dtype=int) if y is None else y

    def anchors_of(batch, embedded):
        shown = batch[batch >= 0].reshape(-1, 2) // 2
        assert_array_equal(shown[:, 0], shown[:, 1])
        drawn, known = points[index[shown[:, 0]]], outcome[shown[:, 0]]
        if by_pair:
            return [plain.pairs_alone(embedded(drawn), known, kind)]
        return [plain.pairs_with_pairs(embedded(drawn), drawn, known, kind)]

    assert_same(embedder, data, points[index].reshape(-1, 3), loss_of(embedder), anchors_of, names)


# With 200, all points of the table are embedded instead of the rows of the pairs.
each_batch_size = pytest.mark.parametrize("batch_size", [12, 200])


@pytest.mark.filterwarnings("ignore:.*does not push the given pairs apart:UserWarning")
@each_batch_size
@each_loss_of_pairs
def test_pairs_of_both_kinds_by_loops(loss, batch_size, pairs):
    embedder = make(loss, distance="euclidean", batch_size=batch_size, learning_rate=0.02 if batch_size < 99 else 0.1)
    on_pairs(embedder, *pairs, "euclidean", by_pair=LOSSES[loss].is_of_pairs, indexed=batch_size > 99)


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
    prepared = prepared_of(clone(embedder), points[index])
    # The plan numbers the points; negatives are drawn from the second points of all pairs.
    numbered = prepared.data.columns.numbers[prepared.plan.items]
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
    by_pair = both and LOSSES[loss].is_of_pairs
    chosen = slice(None) if both else y > 0
    data = points, index[chosen], y[chosen] if both else None
    on_pairs(make(loss, distance="cosine"), *data, "cosine", by_pair=by_pair, names=NAMES[:1])


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
