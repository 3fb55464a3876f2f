import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skmetric._core.nn import Columns
from skmetric.estimators import all_estimators
from skmetric.estimators.ranking._ranker import Ranker
from skmetric.estimators.ranking.listwise import ListwiseRanker
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.estimators.ranking.pointwise import PointwiseRanker
from skmetric.metrics import kendall_score, ndcg_score, spearman_score
from tests.estimators.prepared import plan_of

SMALL = {"hidden_layer_sizes": (16,), "max_iter": 5, "weight_decay": 0.05, "device": "cpu", "random_state": 0}
RANKERS = [
    ranker(loss=name, metric="ndcg@5" if loss.uses_cut else "ndcg", **SMALL)
    for _, ranker in all_estimators()
    if issubclass(ranker, Ranker)
    for name, loss in ranker._losses.items()
]
each_ranker = pytest.mark.parametrize("ranker", RANKERS, ids=lambda r: f"{type(r).__name__}-{r.loss}")


@pytest.fixture(scope="module")
def table():
    """Unsorted groups of several sizes, one with a single row, one with equal grades; two columns predict the grade."""
    rng = np.random.default_rng(0)
    sizes = np.r_[1, rng.integers(2, 15, 40)]
    groups = np.repeat(rng.permutation(41), sizes)
    X = rng.normal(size=(len(groups), 4)).astype(np.float32)
    y = np.clip(np.round(X[:, 0] - X[:, 1] + 2 + rng.normal(size=len(groups)) / 4), 0, 4)
    y[groups == groups[3]] = 2
    order = rng.permutation(len(groups))
    return X[order], y[order], groups[order]


@each_ranker
def test_it_learns_the_order(ranker, table):
    X, y, groups = table
    half = groups < 20
    longer = clone(ranker).set_params(max_iter=60, batch_size=32, learning_rate=0.01)
    longer.fit(X[half], y[half], groups=groups[half])
    assert spearman_score(y[~half], longer.predict(X[~half]), groups=groups[~half]) > 0.8
    assert longer.history_[-1]["train_loss"] < longer.history_[0]["train_loss"]


@each_ranker
def test_score_is_the_metric_over_groups(ranker, table):
    X, y, groups = table
    fitted = clone(ranker).fit(X, y, groups=groups)
    scores = fitted.predict(X)
    assert_array_equal(scores, fitted.score_samples(X))
    k = 5 if ranker.metric == "ndcg@5" else None
    assert fitted.score(X, y, groups=groups) == ndcg_score(y, scores, groups=groups, k=k)
    weights = np.random.default_rng(0).random(len(y))
    weighted = ndcg_score(y, scores, groups=groups, k=k, sample_weight=weights)
    assert fitted.score(X, y, weights, groups=groups) == weighted
    assert fitted.set_params(metric="kendall").score(X, y, groups=groups) == kendall_score(y, scores, groups=groups)


@each_ranker
def test_ids_and_their_order_do_not_matter(ranker, table):
    X, y, groups = table
    fitted = clone(ranker).fit(X, y, groups=groups)
    names = np.array([f"group {k:02d}" for k in range(41)])
    for ids in (names[groups], names[groups].tolist(), pd.Series(names[groups], index=groups), groups * 10 + 7):
        assert_array_equal(clone(ranker).fit(X, y, groups=ids).predict(X), fitted.predict(X))


@each_ranker
def test_same_seed_same_bits_and_pickles(ranker, table):
    X, y, groups = table
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    fitted = clone(ranker).fit(X, y, groups=groups)
    assert_array_equal(before[0], np.random.get_state()[1])  # noqa: NPY002
    assert torch.equal(before[1], torch.get_rng_state())
    assert_array_equal(clone(ranker).fit(X, y, groups=groups).predict(X), fitted.predict(X))
    assert not np.array_equal(
        clone(ranker).set_params(random_state=1).fit(X, y, groups=groups).predict(X), fitted.predict(X)
    )
    loaded = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(loaded.predict(X), fitted.predict(X))
    assert loaded.score(X, y, groups=groups) == fitted.score(X, y, groups=groups)
    with pytest.raises(ValueError, match="groups must be given"):
        loaded.score(X, y)


@each_ranker
def test_transform_gives_what_the_scores_are_made_of(ranker, table):
    X, y, groups = table
    fitted = clone(ranker).set_output(transform="pandas").fit(pd.DataFrame(X, columns=list("abcd")), y, groups=groups)
    hidden = fitted.transform(pd.DataFrame(X, columns=list("abcd")))
    assert hidden.shape == (len(X), 16)
    assert list(hidden.columns[:2]) == [f"{type(ranker).__name__.lower()}0", f"{type(ranker).__name__.lower()}1"]
    design = np.column_stack([hidden, np.ones(len(X))])
    residual = np.linalg.lstsq(design, fitted.predict(pd.DataFrame(X, columns=list("abcd"))), rcond=None)[1]
    assert np.all(residual < 1e-5)
    narrow = clone(ranker).set_params(n_components=3).fit(X, y, groups=groups)
    assert narrow.transform(X).shape == (len(X), 3)
    linear = clone(ranker).set_params(hidden_layer_sizes=()).fit(X, y, groups=groups)
    assert linear.transform(X).shape == (len(X), 4)


def body(n_features, n_components):
    return torch.nn.Sequential(torch.nn.Linear(n_features, n_components), torch.nn.Tanh())


@each_ranker
def test_a_module_of_ones_own_gets_a_head(ranker, table):
    X, y, groups = table

    fitted = (
        clone(ranker).set_params(module=body, n_components=6, max_iter=60, learning_rate=0.01).fit(X, y, groups=groups)
    )
    assert fitted.transform(X).shape == (len(X), 6)
    assert fitted.score(X, y, groups=groups) > 0.8
    columns = Columns(X)
    assert_array_equal(
        pickle.loads(pickle.dumps(fitted._network)).apply(columns, "cpu"), fitted._network.apply(columns, "cpu")
    )


@each_ranker
def test_groups_that_say_nothing_change_nothing_for_list_losses(ranker, table):
    X, y, groups = table
    counts = np.bincount(groups)
    says_something = (counts[groups] > 1) & (groups != groups[np.flatnonzero(y == 2)[0]])
    varied = np.array([np.ptp(y[groups == g]) > 0 for g in range(41)])[groups]
    assert says_something.any()
    # With inputs="bounded", all rows scale the inputs.
    plain = clone(ranker).set_params(inputs="none")
    whole, part = clone(plain).fit(X, y, groups=groups), clone(plain).fit(X[varied], y[varied], groups=groups[varied])
    same = np.array_equal(whole.predict(X), part.predict(X))
    assert same == (not isinstance(ranker, PointwiseRanker))


@each_ranker
def test_rows_without_weight_are_not_there(ranker, table):
    X, y, groups = table
    weights = np.random.default_rng(3).random(len(y)) + 0.5
    weights[groups < 5] = 0
    plain = clone(ranker).set_params(inputs="none")
    whole = clone(plain).fit(X, y, sample_weight=weights, groups=groups)
    kept = groups >= 5
    part = clone(plain).fit(X[kept], y[kept], sample_weight=weights[kept], groups=groups[kept])
    if not isinstance(ranker, PointwiseRanker):
        assert_array_equal(whole.predict(X), part.predict(X))
    scaled = clone(plain).fit(X, y, sample_weight=weights * 4, groups=groups)
    np.testing.assert_allclose(scaled.predict(X), whole.predict(X), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    "metric", ["ndcg@3", "ndcg_linear", "mrr@2", "map", "spearman", "kendall", "pairwise_accuracy"]
)
@each_ranker
def test_early_stopping_keeps_the_best_epoch_by_the_metric(ranker, metric, table):
    X, y, groups = table
    if ranker._losses[ranker.loss].uses_gain and not metric.startswith("ndcg"):
        pytest.skip("the loss uses the gains of NDCG")
    stopped = clone(ranker).set_params(early_stopping=True, max_iter=15, n_iter_no_change=3, metric=metric)
    stopped.fit(X, y, groups=groups, X_val=X[:200], y_val=y[:200], groups_val=groups[:200] + 1000)
    best = max(row["valid_score"] for row in stopped.history_)
    assert stopped.score(X[:200], y[:200], groups=groups[:200]) == pytest.approx(best, abs=1e-6)
    held_out = clone(stopped).fit(X, y, groups=groups)
    assert all(0 <= row["valid_score"] <= 1 or metric in ("spearman", "kendall") for row in held_out.history_)


@each_ranker
def test_a_long_group_is_ranked_in_parts(ranker):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 3)).astype(np.float32)
    y = np.digitize(X[:, 0], [-1, 0, 1])
    fitted = clone(ranker).set_params(max_iter=20, batch_size=50)
    in_parts = "" if isinstance(ranker, PointwiseRanker) else r" \(in random parts of at most max_group_size rows\)"
    if in_parts:
        fitted.set_params(max_group_size=50)
    with pytest.warns(UserWarning, match=f"got no groups: it learns from all rows as one list{in_parts}, and score"):
        fitted.fit(X, y)
    assert spearman_score(y, fitted.predict(X)) > 0.8
    assert fitted.score(X, y) > 0.9
    # After fit without groups, score accepts groups and does not need them.
    groups = np.arange(3000) // 10
    assert fitted.score(X, y, groups=groups) == ndcg_score(
        y, fitted.predict(X), groups=groups, k=5 if ranker.metric == "ndcg@5" else None
    )


@each_ranker
def test_warm_start_goes_on(ranker, table):
    X, y, groups = table
    warm = clone(ranker).set_params(warm_start=True).fit(X, y, groups=groups)
    first = warm.predict(X)
    warm.fit(X, y, groups=groups)
    assert not np.array_equal(first, warm.predict(X))
    assert warm.history_[0]["train_loss"] < clone(ranker).fit(X, y, groups=groups).history_[0]["train_loss"]


def test_pointwise_predicts_in_units_of_the_relevance(table):
    X, y, groups = table
    ranker = PointwiseRanker(**SMALL | {"max_iter": 60}, metric="spearman").fit(X, 1e6 + 1000 * y, groups=groups)
    assert np.abs(ranker.predict(X) - 1e6 - 1000 * y).mean() < 500
    shifted = PointwiseRanker(**SMALL | {"max_iter": 60}, metric="spearman").fit(X, y, groups=groups)
    np.testing.assert_allclose(shifted.predict(X), (ranker.predict(X) - 1e6) / 1000, atol=1e-3)


def test_rankers_are_of_no_kind():
    for ranker in RANKERS:
        assert not hasattr(ranker, "_estimator_type")
        assert ranker.__sklearn_tags__().estimator_type is None


@each_ranker
def test_a_group_counts_as_much_as_its_rows_on_average(ranker, table):
    """Regardless of its length, of the other groups in a step, and of how many lists it is split into."""
    X, y, groups = table
    weights = np.random.default_rng(1).random(len(y)) * (groups % 7 > 0)
    ranker = clone(ranker).set_params(**{} if isinstance(ranker, PointwiseRanker) else {"max_group_size": 6})
    plan = plan_of(ranker, X, y, sample_weight=weights, groups=groups)
    shown = plan.sampler.draw_epoch(np.random.default_rng(0))
    used = np.unique(shown[shown >= 0])
    assert (weights[used] > 0).all()
    shares = plan.values[:, 2]
    assert shares[used].sum() == pytest.approx(len(plan.sampler.list_lengths), rel=1e-5)
    if isinstance(ranker, PointwiseRanker):
        np.testing.assert_allclose(shares / shares.sum(), weights / weights.sum(), rtol=1e-5)
        return
    of_group = np.bincount(groups[used], shares[used])
    mean_weight = np.bincount(groups[used], weights[used]) / np.maximum(np.bincount(groups[used]), 1)
    np.testing.assert_allclose(of_group / of_group.sum(), mean_weight / mean_weight.sum(), rtol=1e-5)


@pytest.mark.parametrize("size", [16, 256])
def test_weights_decide_between_groups_of_opposite_order(size):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2 * size, 2)).astype(np.float32)
    groups = np.repeat([0, 1], size)
    y = np.where(groups == 0, X[:, 0], -X[:, 0])
    for weights in ([1000, 1], [1, 1000]):
        ranker = PairwiseRanker(metric="spearman", device="cpu", max_iter=60, learning_rate=0.01, random_state=0)
        ranker.fit(X, y, sample_weight=np.take(weights, groups), groups=groups)
        heavy = groups == np.argmax(weights)
        assert spearman_score(y[heavy], ranker.predict(X[heavy])) > 0.8


@pytest.mark.parametrize("ranker", [PairwiseRanker(**SMALL), ListwiseRanker(**SMALL)], ids=lambda r: r.loss)
def test_timestamps_keep_their_order(ranker, table):
    X, y, groups = table
    late = clone(ranker).set_params(metric="spearman").fit(X, 1.7e9 + y, groups=groups)
    assert_array_equal(late.predict(X), clone(ranker).fit(X, y, groups=groups).predict(X))
    with pytest.raises(ValueError, match="y must fit into float32"):
        late.fit(X, 1e39 * y, groups=groups)


def test_timestamps_come_back():
    X = np.linspace(-1, 1, 200, dtype=np.float32)[:, np.newaxis]
    ranker = PointwiseRanker(metric="spearman", device="cpu", max_iter=60, random_state=0).fit(
        X, 1.7e9 + 10.0 * X[:, 0].astype(float), groups=np.zeros(200)
    )
    assert spearman_score(X[:, 0], ranker.predict(X)) > 0.99


@each_ranker
def test_validation_groups_are_asked_for(ranker, table):
    X, y, groups = table
    stopping = clone(ranker).set_params(early_stopping=True)
    with pytest.raises(ValueError, match="groups_val must be given"):
        stopping.fit(X, y, groups=groups, X_val=X, y_val=y)
    with pytest.raises(ValueError, match="X_val, y_val, groups_val must be given together, got only groups_val"):
        stopping.fit(X, y, groups=groups, groups_val=groups)
    with pytest.raises(TypeError, match="positional"):
        stopping.fit(X, y, groups)


@each_ranker
def test_only_groups_that_can_be_judged_are_held_out(ranker, table):
    X, y, groups = table
    flat = np.where(groups > 2, 3, y)
    for seed in range(3):
        stopping = clone(ranker).set_params(early_stopping=True, random_state=seed, max_iter=2)
        plan = plan_of(stopping, X, flat, groups=groups)
        useful = {g for g in range(3) if np.ptp(flat[groups == g]) > 0}
        assert len(plan.validation.X) in {(groups == g).sum() for g in useful}
