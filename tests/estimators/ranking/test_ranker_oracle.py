"""Reimplements the fit of a ranker: loops over lists and pairs, one formula per line, in double precision.

Everything random (initial weights, batches) comes from the plan of the ranker; the rest is written again.
"""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skmetric._core.engine import Stream, open_stream
from skmetric.estimators import all_estimators
from skmetric.estimators.points import Rows
from skmetric.estimators.ranking import pairwise
from skmetric.estimators.ranking._ranker import Ranker
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.estimators.ranking.pointwise import PointwiseRanker
from tests.estimators.plain_training import Network, adamw, rates
from tests.estimators.prepared import plan_of, prepared_of
from tests.losses.ranking import cases

SMALL = {"hidden_layer_sizes": (6, 5), "dropout": 0.0, "batch_size": 16, "max_iter": 3, "learning_rate": 0.02}
SMALL |= {"weight_decay": 0.1, "device": "cpu", "random_state": 6}
ON_LISTS = SMALL | {"max_group_size": 7, "metric": "ndcg@4"}
NUMBERS = {
    "hinge": {"margin": 0.3},
    "softmax": {"temperature": 0.5},
    "list_mle": {"temperature": 2.0},
    "approx_ndcg": {"temperature": 0.2},
}
# All losses of all rankers.
RANKERS = [
    ranker(loss=loss, **NUMBERS.get(loss, {}), **(SMALL if ranker is PointwiseRanker else ON_LISTS))
    for _, ranker in all_estimators()
    if issubclass(ranker, Ranker)
    for loss in ranker._losses
]
each_ranker = pytest.mark.parametrize("ranker", RANKERS, ids=lambda r: r.loss)


# By the table of the losses' own tests: a new loss is defined there.
DEFINITIONS = {case.function: case.definition for case in cases.LOSSES.values()}


def loss_of(ranker):
    """The definition of a ranker's loss, of the scores, relevance and weights of one list."""
    loss = ranker._losses[ranker.loss]
    options = {name: getattr(ranker, name) for name in loss.numbers}
    if loss.uses_gain:
        options["gain"] = "exponential"
    if loss.uses_cut:
        options["k"] = 4
    definition = DEFINITIONS[loss.function]
    return lambda s, r, w: definition(s, torch.tensor(r), weights=torch.tensor(w), **options)


# Training.


def batch_loss(network, batch, length, plan, known, ranker):
    """Sum of the losses of all lists of a batch, each multiplied by the shares of its items."""
    losses = []
    for start in range(0, len(batch) // length * length, length):
        items = [int(item) for item in batch[start : start + length] if item >= 0]
        if not items:
            continue
        rows = items if plan.items is None else [int(plan.items[item]) for item in items]
        relevance, weight = known(items)
        share = sum(float(plan.values[item, 2]) for item in items)
        losses.append(share * loss_of(ranker)(network.scores(network.table[rows]), relevance, weight))
    return sum(losses)


def train(ranker, prepared, known, n_epochs=None):
    """Train like ``fit``, for all epochs or the first ones; return the network and the mean loss of each epoch."""
    network, plan = Network.of(prepared), prepared.plan
    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in network.parameters]
    rng = open_stream(plan.seed, Stream.BATCHES)
    course = enumerate(rates(ranker.max_iter * len(plan.sampler.list_lengths), ranker.learning_rate), start=1)
    history = []
    for _ in range(n_epochs or ranker.max_iter):
        batches, each = plan.sampler.draw_epoch(rng), []
        for batch, length in zip(batches, plan.sampler.list_lengths, strict=True):
            loss = batch_loss(network, batch, length, plan, known, ranker)
            loss.backward()
            adamw(network.parameters, moments, *next(course), ranker.weight_decay)
            each.append(loss.item())
        history.append(sum(each) / len(each))
    return network, history


def assert_same(fitted, network, history, points):
    """Compare scores and history.

    Losses over lists do not depend on a shift of all scores. The bias of the head, and the bias of a hidden unit that
    is active for all points, therefore learn only rounding errors. With the weights of random_state=6, this turns no
    unit on or off.
    """
    actual, expected = fitted.score_samples(points), network.scores(points).detach().numpy()
    if fitted.loss == "squared":
        expected = fitted._choice.units.restore(expected[:, None])[:, 0]
    else:
        actual, expected = actual - actual.mean(), expected - expected.mean()
    assert np.ptp(expected) > 0.05
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose([row["train_loss"] for row in fitted.history_], history, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def table():
    """Unsorted groups of 1 to 20 rows, with ties, one group of equal grades, and rows and a group of weight 0."""
    rng = np.random.default_rng(1)
    groups = rng.permutation(np.repeat([3, 8, 1, 4, 9, 2, 6], [20, 9, 2, 1, 5, 8, 3]))
    X = (rng.normal(size=(len(groups), 3)) * [1, 10, 0.1]).astype(np.float32)
    y = np.clip(np.round(X[:, 0] + rng.normal(size=len(groups)) / 2 + 1), 0, 3)
    y[groups == 6] = 1
    y[groups == 1] = 0, 2
    weights = rng.uniform(0.2, 3, len(groups))
    weights[np.flatnonzero(groups == 3)[:4]] = 0
    weights[groups == 2] = 0
    return X, y, groups, weights


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("graded", [True, False], ids=["grades", "numbers"])
@each_ranker
def test_fit_by_loops(ranker, weighted, graded, table):
    X, y, groups, weights = table
    if not graded:
        if ranker._losses[ranker.loss].uses_gain:
            pytest.skip("this loss takes only grades")
        y = 10 - 0.7 * y
        ranker = clone(ranker).set_params(metric="spearman")
    if not weighted:
        weights = None
    fitted = clone(ranker).fit(X, y, sample_weight=weights, groups=groups)
    prepared = prepared_of(clone(ranker), X, y, weights, groups=groups)
    assert_same(fitted, *train(ranker, prepared, what_is_known(ranker, y, weights)), X)


def what_is_known(ranker, y, weights):
    """Relevance and weights of items, as the loss should get them."""
    w = np.ones(len(y)) if weights is None else weights / weights[weights > 0].mean()
    center, scale = 0.0, 1.0
    if ranker.loss == "squared":
        center = np.average(y, weights=w)
        scale = np.sqrt(np.average((y - center) ** 2, weights=w))
    return lambda items: (((y[items] - center) / scale).tolist(), w[items].tolist())


def test_the_table_is_as_meant(table):
    X, y, groups, weights = table
    plan = plan_of(PairwiseRanker(**ON_LISTS), X, y, weights, groups=groups)
    assert len(set(plan.sampler.list_lengths)) > 2
    shown = plan.sampler.draw_epoch(np.random.default_rng(0))
    assert_array_equal(np.unique(groups[shown[shown >= 0]]), [1, 3, 8, 9])


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("indexed", [False, True], ids=["points", "indices"])
@pytest.mark.parametrize("loss", pairwise.LOSSES)
def test_fit_on_pairs_by_loops(loss, indexed, weighted):
    """A tie is two pairs of half the weight, in which different points win."""
    rng = np.random.default_rng(2)
    points = rng.normal(size=(12, 3)).astype(np.float32)
    index = np.array([(i, j) for i, j in rng.integers(0, 12, (60, 2)) if i != j])
    y = np.sign(points[index[:, 0], 0] - points[index[:, 1], 0]).astype(int)
    y[::4] = 0
    weights = rng.uniform(0.2, 3, len(y)) if weighted else np.ones(len(y))
    ranker = PairwiseRanker(loss=loss, margin=0.3, preprocessor=Rows(points) if indexed else None, **SMALL)
    data = {"X": index if indexed else points[index], "y": y, "sample_weight": weights if weighted else None}

    # Two items per pair: all pairs, with ties won by the first point; then all ties again, won by the second point.
    ties = np.flatnonzero(y == 0)
    relevance = [wins for outcome in y for wins in ([1.0, 0.0] if outcome >= 0 else [0.0, 1.0])]
    relevance = np.array(relevance + [0.0, 1.0] * len(ties))
    of_lists = np.r_[np.where(y == 0, weights / 2, weights), weights[ties] / 2]
    known = what_is_known(ranker, relevance, np.repeat(of_lists, 2))

    network, history = train(ranker, prepared_of(clone(ranker), **data), known)
    assert_same(clone(ranker).fit(**data), network, history, points)


def test_validation_is_by_the_same_scores(table):
    X, y, groups, weights = table
    ranker = PairwiseRanker(loss="logistic", early_stopping=True, **ON_LISTS)
    held_out = {"X_val": X, "y_val": y, "groups_val": groups + 1000}
    fitted = clone(ranker).fit(X, y, sample_weight=weights, groups=groups, **held_out)
    prepared = prepared_of(clone(ranker), X, y, weights, groups=groups, **held_out)
    known = what_is_known(ranker, y, weights)
    networks = [train(ranker, prepared, known, n_epochs)[0] for n_epochs in (1, 2, 3)]
    values = [mean_ndcg(y, network.scores(X).tolist(), groups, k=4) for network in networks]
    np.testing.assert_allclose([row["valid_score"] for row in fitted.history_], values, atol=1e-6)
    assert fitted.score(X, y, groups=groups) == pytest.approx(max(values), abs=1e-6)


def mean_ndcg(y, scores, groups, k):
    """Mean NDCG over the groups with a grade above 0."""
    values = []
    for rows in (np.flatnonzero(groups == group) for group in np.unique(groups)):
        gains = [2 ** y[row] - 1 for row in rows]
        order = sorted(range(len(rows)), key=lambda i: -scores[rows[i]])
        if any(gains):
            values.append(
                sum(gains[i] * cases.discount(rank, k) for rank, i in enumerate(order, 1)) / cases.ideal_dcg(gains, k)
            )
    return sum(values) / len(values)
