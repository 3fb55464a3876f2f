"""A batch larger than the table is as good as one of its size, and batches of folds have one length."""

import numpy as np
import pytest

from skmetric import ContrastiveEmbedder, PointwiseRanker, RankSimRegressor
from skmetric._core.engine import split_into_stacks
from skmetric.estimators import all_estimators
from skmetric.estimators.ranking._ranker import Ranker
from tests._core.engine.plans import CPU
from tests.estimators.prepared import plan_of

RNG = np.random.default_rng(0)
X, Y, GROUPS = RNG.normal(size=(150, 4)), np.arange(150) % 3, np.arange(150) // 10
HUGE = 1_000_000
each_estimator = pytest.mark.parametrize("kind", [kind for _, kind in all_estimators()])


def made(kind, n_rows, **parameters):
    estimator = kind(device="cpu", random_state=0, max_iter=2, **parameters)
    return estimator, X[:n_rows], Y[:n_rows], {"groups": GROUPS[:n_rows]} if isinstance(estimator, Ranker) else {}


@each_estimator
def test_a_huge_batch_gives_the_same_fit_as_one_that_holds_the_table(kind):
    outputs = []
    for batch_size in (HUGE, 192):
        estimator, X, Y, metadata = made(kind, 150, batch_size=batch_size)
        outputs.append(estimator.fit(X, Y, **metadata).transform(X))
    np.testing.assert_array_equal(*outputs)


@each_estimator
def test_folds_with_a_huge_batch_have_batches_of_one_length(kind):
    plans = []
    for n_rows in (140, 150):
        estimator, X, Y, metadata = made(kind, n_rows, batch_size=HUGE)
        plans.append(plan_of(estimator, X, Y, **metadata))
    assert {plan.sampler.batch_length for plan in plans} == {192}
    # Where each row counts on its own, a list is as long as the table, whatever the size of a batch.
    if kind not in (PointwiseRanker, RankSimRegressor):
        assert len(split_into_stacks(plans, CPU, None)) == 1


@pytest.mark.parametrize("n_negatives", [None, 30])
def test_tuples_count_their_points(n_negatives):
    pairs = RNG.integers(0, 150, (50, 2))
    embedder = ContrastiveEmbedder(preprocessor=X, batch_size=HUGE, n_negatives=n_negatives, device="cpu")
    assert plan_of(embedder, pairs).sampler.batch_length <= 192
    assert embedder.fit(pairs).n_iter_ == 100
