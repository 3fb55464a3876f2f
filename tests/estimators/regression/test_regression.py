import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.estimators.regression._metric import METRICS
from skmetric.estimators.regression.ranksim import RankSimRegressor
from skmetric.imbalance import LabelDensityWeighter
from skmetric.losses import neighbor_spearman
from skmetric.metrics import kendall_score, spearman_score, spearman_scorer
from tests.estimators.prepared import plan_of, prepared_of

SMALL = RankSimRegressor(hidden_layer_sizes=(16, 8), max_iter=5, batch_size=32, device="cpu", random_state=0)


def small(**changes):
    return clone(SMALL).set_params(**changes)


@pytest.fixture(scope="module")
def table():
    return make_friedman1(150, n_features=6, noise=1.0, random_state=0)


def test_it_learns_and_its_score_is_r2(table):
    X, y = table
    regressor = RankSimRegressor(device="cpu", random_state=0).fit(X[:100], y[:100])
    assert regressor.score(X[100:], y[100:]) == r2_score(y[100:], regressor.predict(X[100:]))
    assert regressor.score(X[100:], y[100:]) > 0.6
    assert [row["epoch"] for row in regressor.history_] == list(range(1, 101))


@pytest.mark.parametrize(
    ("metric", "judge"),
    [
        ("r2", r2_score),
        ("neg_mean_absolute_error", lambda *args: -mean_absolute_error(*args)),
        ("neg_root_mean_squared_error", lambda *args: -root_mean_squared_error(*args)),
        ("spearman", spearman_score),
        ("kendall", kendall_score),
    ],
)
def test_score_is_the_metric_asked_for(table, metric, judge):
    X, y = table
    regressor = small(metric=metric).fit(X, y)
    assert regressor.score(X, y) == pytest.approx(judge(y, regressor.predict(X)))
    Y = np.column_stack([y, X[:, 0]])
    both = small(metric=metric).fit(X, Y)
    each = [judge(true, pred) for true, pred in zip(Y.T, both.predict(X).T, strict=True)]
    assert both.score(X, Y) == pytest.approx(np.mean(each))


def test_weights_enter_the_score(table):
    X, y = table
    weights = np.arange(len(y)) % 3
    regressor = small().fit(X, y)
    assert regressor.score(X, y, weights) == r2_score(y, regressor.predict(X), sample_weight=weights)
    regressor.set_params(metric="spearman")
    kept = weights > 0
    assert regressor.score(X, y, weights) == spearman_score(y[kept], regressor.predict(X[kept]))


@pytest.mark.parametrize("shape", [(150,), (150, 1), (150, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, int])
def test_predictions_come_as_targets_did(table, shape, dtype):
    X, y = table
    targets = np.broadcast_to(y.reshape(-1, *[1] * (len(shape) - 1)), shape).astype(dtype)
    predicted = small().fit(X, targets).predict(X)
    assert predicted.shape == shape
    assert predicted.dtype == (np.float32 if dtype == np.float32 else np.float64)


@pytest.mark.parametrize(("scale", "shift"), [(1e-30, 0), (1e30, 1e30), (3.0, 100.0), (1.0, 1.7e9)])
def test_the_units_of_the_target_do_not_matter(table, scale, shift):
    X, y = table
    plain, moved = small().fit(X, y).predict(X), small().fit(X, scale * y + shift).predict(X)
    assert_allclose((moved - shift) / scale, plain, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("y", [np.zeros(150), np.full(150, 1e9), np.full((150, 2), -0.1)])
def test_a_constant_target_is_predicted(table, y):
    X, _ = table
    regressor = small().fit(X, y)
    assert_allclose(regressor.predict(X), y, rtol=1e-14)
    assert all(row["neighbor_spearman"] == 0 for row in regressor.history_)


def test_gamma_0_is_a_plain_network(table):
    X, y = table
    plain = small(gamma=0.0).fit(X, y)
    for changes in ({"similarity": "cosine"}, {"scale_free": False}, {"max_rank_samples": 2}):
        other = small(gamma=0.0, **changes).fit(X, y)
        assert_array_equal(other.predict(X), plain.predict(X))
    assert not np.array_equal(small(gamma=1.0).fit(X, y).predict(X), plain.predict(X))


def test_ranksim_brings_the_representation_into_order(table):
    X, y = table
    labels = torch.from_numpy(y.astype(np.float32))
    agreement = {}
    for gamma in (0.0, "auto", 3.0, 1000.0):
        regressor = RankSimRegressor(gamma=gamma, device="cpu", random_state=0).fit(X, y)
        representation = regressor.transform(X)
        assert representation.std() > 0.01  # no weight shrinks it to a point
        agreement[gamma] = neighbor_spearman(torch.from_numpy(representation), labels).item()
    assert agreement["auto"] > agreement[0.0] + 0.05
    assert agreement[3.0] > agreement[0.0] + 0.05


def test_repeated_targets_and_one_a_batch(table):
    X, y = table
    few = np.where(y > np.median(y), 1.0, 0.0)
    rows = small().fit(X, few).history_
    assert all(np.isfinite(row["train_loss"]) for row in rows)
    one_rare = np.zeros(150)
    one_rare[0] = 1
    assert np.isfinite(small(gamma=1.0, batch_size=8).fit(X, one_rare).predict(X)).all()


@pytest.mark.parametrize("weighting", ["lds", "kde", LabelDensityWeighter(power=0.5)])
def test_density_weights_multiply_sample_weights(table, weighting):
    X, y = table
    weights = np.random.default_rng(0).integers(0, 3, len(y))
    counts = weights > 0
    regressor = small(weighting=weighting).fit(X, y, weights)
    weighter = LabelDensityWeighter(weighting) if isinstance(weighting, str) else weighting
    density = clone(weighter).fit(y[counts]).transform(y)
    assert_array_equal(regressor.density_weighter_.transform(y), density)
    # The share of each row in the mean loss, from the plan.
    shares = plan_of(small(weighting=weighting), X, y, weights).values[:, -2]
    assert_allclose(shares / shares.sum(), weights * density / (weights @ density), rtol=1e-5)
    assert not np.array_equal(regressor.predict(X), small().fit(X, y, weights).predict(X))


def test_rows_without_weight_are_not_there(table):
    X, y = table
    weights = np.ones(len(y))
    weights[:50] = 0
    spoiled = y.copy()
    spoiled[:50] = 1e6
    assert_array_equal(small().fit(X, y, weights).predict(X), small().fit(X, spoiled, weights).predict(X))


def test_they_do_not_inputs_either(table):
    X, y = table
    weights = np.ones(len(y))
    weights[:5] = 0
    spoiled = X.copy()
    spoiled[:5] = 1e9
    assert_array_equal(small().fit(spoiled, y, weights).predict(X), small().fit(X, y, weights).predict(X))
    twice = small(batch_size=1000, dropout=0.0, gamma=0.0)
    doubled = clone(twice).fit(np.r_[X, X[:40]], np.r_[y, y[:40]])
    weighted = clone(twice).fit(X, y, np.r_[np.full(40, 2.0), np.ones(110)])
    assert_allclose(weighted.predict(X), doubled.predict(X), atol=0.01)


def test_rare_targets_are_held_out_in_proportion(table):
    X, _ = table
    y = np.zeros(150)
    y[::10] = 1 + X[::10, 0]
    for seed in range(5):
        regressor = small(early_stopping=True, random_state=seed)
        prepared = prepared_of(regressor, X, y)
        plan = prepared.plan
        assert len(plan.validation.X) == 15
        held_out = (X[:, None] == plan.validation.X.astype(X.dtype)).all(-1).any(1) | (
            prepared.batches.row_weights == 0
        )
        assert np.count_nonzero(y[held_out]) in (1, 2)


def test_score_names_what_it_cannot_judge(table):
    X, y = table
    regressor = small(metric="spearman").fit(X, y)
    with pytest.raises(ValueError, match="y must vary for metric='spearman'"):
        regressor.score(X, np.zeros(150))
    with pytest.raises(ValueError, match="y must hold as many targets as y of fit, 1, got 2"):
        regressor.score(X, np.column_stack([y, y]))


@pytest.mark.parametrize(("center", "spread"), [(1.7e18, 2e6), (1e6, 1e-6), (1e300, 0.0), (-0.1, 0.0)])
def test_large_means_leave_small_differences_and_other_targets_alone(table, center, spread):
    X, y = table
    far = center + spread * y / np.abs(y).max()
    alone, beside = small().fit(X, y), small(gamma=0.0).fit(X, np.column_stack([y, far]))
    assert r2_score(y, beside.predict(X)[:, 0]) > r2_score(y, alone.predict(X)) - 0.2
    if spread:
        assert small(max_iter=20).fit(X, far).score(X, far) > 0.5
    else:
        assert_array_equal(beside.predict(X)[:, 1], far)


def test_a_warm_start_keeps_the_units(table):
    X, y = table
    regressor = small(warm_start=True, feature_smoothing=True, max_iter=20).fit(X, y)
    before = regressor.predict(X)
    above = y > np.median(y)
    regressor.set_params(learning_rate=1e-9, max_iter=1).fit(X[above], y[above])
    assert_allclose(regressor.predict(X), before, atol=1e-3)


def test_a_collapsed_representation_is_warned_of(table):
    X, y = table
    with pytest.warns(ConvergenceWarning, match="representation has collapsed"):
        small(hidden_layer_sizes=(16, 2), gamma=100.0, max_iter=30, learning_rate=0.3).fit(X, y)


def test_feature_smoothing_changes_training_alone(table):
    X, y = table
    smoothed = small(feature_smoothing=True).fit(X, y)
    assert not np.array_equal(smoothed.predict(X), small().fit(X, y).predict(X))
    weights = smoothed._network.weights
    by_hand = smoothed.transform(X) @ weights["head.weight"] + weights["head.bias"]
    assert_allclose(smoothed.predict(X), y.mean() + y.std() * by_hand[:, 0], rtol=1e-4)


def test_a_warm_start_smooths_no_features_of_targets_beyond_the_bins(table):
    X, y = table
    middle = np.abs(y - np.median(y)) < y.std()
    regressor = small(warm_start=True, feature_smoothing=True).fit(X[middle], y[middle])
    bins = plan_of(regressor, X, y).bins
    assert_array_equal(bins < 0, (y < y[middle].min()) | (y > y[middle].max()))
    assert bins[middle].min() == 0
    assert bins.max() == bins[middle].max() == 49
    assert np.isfinite(regressor.fit(X, y).predict(X)).all()


def test_a_warm_start_does_not_keep_the_bins_of_a_constant_target(table):
    X, y = table
    regressor = small(warm_start=True, feature_smoothing=True).fit(X, np.zeros(len(y)))
    bins = plan_of(regressor, X, y).bins
    assert_array_equal(bins, plan_of(small(feature_smoothing=True), X, y).bins)
    assert len(np.unique(bins)) > 10


def test_early_stopping_keeps_the_best(table):
    X, y = table
    regressor = small(early_stopping=True, max_iter=30, n_iter_no_change=2).fit(X, y)
    scores = [row["valid_score"] for row in regressor.history_]
    assert len(scores) < 30
    given = small(early_stopping=True, metric="spearman").fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    assert given.score(X[100:], y[100:]) == pytest.approx(max(row["valid_score"] for row in given.history_), abs=1e-6)


def test_one_seed_decides(table):
    X, y = table
    state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    first, second = (small(feature_smoothing=True).fit(X, y) for _ in range(2))
    assert_array_equal(first.predict(X), second.predict(X))
    assert_array_equal(np.random.get_state()[1], state[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), state[1])


def test_pickles_frames_and_warm_starts(table):
    X, y = table
    frame = pd.DataFrame(X, columns=list("abcdef"), index=np.arange(len(X))[::-1])
    regressor = small(n_components=3, warm_start=True).set_output(transform="pandas")
    regressor.fit(frame, pd.Series(y, index=frame.index))
    names = [f"ranksimregressor{i}" for i in range(3)]
    assert list(regressor.transform(frame).columns) == names
    assert list(regressor.get_feature_names_out()) == names
    again = pickle.loads(pickle.dumps(regressor))
    assert_array_equal(again.predict(frame), regressor.predict(frame))
    before = regressor.score(frame, y)
    assert regressor.set_params(gamma=0.0).fit(frame, y).score(frame, y) > before


def test_searches_and_pipelines(table):
    X, y = table
    search = GridSearchCV(
        make_pipeline(StandardScaler(), small()),
        {"ranksimregressor__gamma": [0, "auto", 1]},
        scoring=spearman_scorer,
        cv=3,
    ).fit(X, y)
    assert search.best_params_["ranksimregressor__gamma"] in (0, "auto", 1)
    assert len(cross_val_score(small(), X, y, cv=3)) == 3


class Body(torch.nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.linear = torch.nn.Linear(n_in, n_out)

    def forward(self, x):
        return torch.tanh(self.linear(x))


@pytest.mark.parametrize("changes", [{"module": Body, "n_components": 4}, {"hidden_layer_sizes": ()}])
@pytest.mark.parametrize("smoothing", [False, True])
def test_a_module_of_ones_own_and_a_linear_model(table, changes, smoothing):
    X, y = table
    regressor = small(feature_smoothing=smoothing, **changes).fit(X, y)
    assert regressor.transform(X).shape == (150, 4 if "module" in changes else 6)
    assert np.isfinite(regressor.predict(X)).all()


BAD = [
    ({"gamma": -0.1}, {}, "gamma"),
    ({"gamma": "automatic"}, {}, "gamma"),
    ({"interpolation_strength": 0.0}, {}, "interpolation_strength"),
    ({"max_rank_samples": 1}, {}, "max_rank_samples"),
    ({"loss": "hinge"}, {}, "loss"),
    ({"metric": "ndcg"}, {}, "metric"),
    ({"similarity": "dot"}, {}, "similarity"),
    ({"weighting": "fds"}, {}, "weighting"),
    ({"weighting": LabelDensityWeighter}, {}, "weighting"),
    ({"hidden_layer_sizes": (0,)}, {}, "hidden_layer_sizes"),
    ({}, {"y": np.full(150, np.nan)}, "y must have no missing values"),
    ({}, {"y": np.full(150, np.inf)}, "y contains infinity"),
    ({}, {"y": None}, "requires y"),
    ({}, {"y": ["a"] * 150}, "y must hold numbers"),
    ({}, {"y": np.zeros(149)}, "inconsistent numbers of samples"),
    ({}, {"sample_weight": np.full(150, -1.0)}, "sample_weight|Negative"),
    ({}, {"sample_weight": np.zeros(150)}, "sample_weight must be positive for at least one row"),
    ({}, {"sample_weight": np.full(150, np.nan)}, "sample_weight"),
    (
        {"weighting": "lds"},
        {"y": np.zeros((150, 2))},
        "weighting must be None for several targets, got weighting='lds'",
    ),
    ({"feature_smoothing": True}, {"y": np.zeros((150, 2))}, "feature_smoothing must be False for several targets"),
    ({}, {"X_val": np.zeros((5, 6)), "y_val": np.arange(5)}, "early_stopping=True"),
    ({"early_stopping": True}, {"X_val": np.zeros((5, 6))}, "X_val and y_val"),
    ({"early_stopping": True}, {"X_val": np.zeros((5, 6)), "y_val": np.zeros((5, 2))}, "y_val"),
    ({"early_stopping": True, "metric": "spearman"}, {"y": np.zeros(150)}, "must vary for metric='spearman'"),
    ({"learning_rate": 1e30}, {}, "learning_rate"),
    ({"gamma": 1e39}, {}, "gamma"),
    ({}, {"y": np.arange(150).astype("M8[D]")}, "y must hold numbers"),
    ({}, {"y": [None, *range(149)]}, "y must have no missing values .* got one in row 0"),
    ({}, {"y": np.r_[-1.7e308, 1.7e308, np.zeros(148)]}, "y must have a range that fits into float64"),
    ({"weighting": LabelDensityWeighter(power=-1)}, {}, "power"),
    ({"weighting": LabelDensityWeighter(kernel="box")}, {}, "kernel"),
    ({"early_stopping": True}, {"X_val": np.zeros((1, 6)), "y_val": [1.0]}, "must vary for metric='r2'"),
    ({"early_stopping": True}, {"y": np.zeros(150)}, "must vary for metric='r2'"),
]


@pytest.mark.parametrize(("changes", "data", "message"), BAD, ids=lambda value: str(value)[:40])
def test_bad_input_is_named_and_changes_nothing(table, changes, data, message):
    X, y = table
    regressor = small().fit(X, y)
    before = regressor.predict(X)
    regressor.set_params(**changes)
    with pytest.raises(ValueError, match=message):
        regressor.fit(**{"X": X, "y": y, **data})
    assert_array_equal(regressor.predict(X), before)


def test_too_few_rows_to_hold_out(table):
    X, y = table
    with pytest.raises(ValueError, match="early_stopping must hold out two rows"):
        small(early_stopping=True).fit(X[:3], y[:3])
    assert small(early_stopping=True).fit(X[:4], y[:4]).n_iter_ == 5


def test_few_rows_many_bins(table):
    X, y = table
    regressor = small(weighting="lds", feature_smoothing=True).fit(X[:7], y[:7])
    assert np.isfinite(regressor.predict(X)).all()


@pytest.mark.parametrize("exponent", [-1000, -500, 0, 500, 1000])
@pytest.mark.parametrize(
    ("name", "judge", "power"),
    [
        ("r2", r2_score, 0),
        ("neg_mean_absolute_error", lambda *args, **kw: -mean_absolute_error(*args, **kw), 1),
        ("neg_root_mean_squared_error", lambda *args, **kw: -root_mean_squared_error(*args, **kw), 1),
    ],
)
def test_metrics_have_the_units_of_the_targets(name, judge, power, exponent):
    """In other units, by a power of two, all metrics have the same bits."""
    rng = np.random.default_rng(0)
    true, weights = rng.normal(size=(50, 2)) * [1, 1e3], rng.uniform(size=50)
    pred = true + rng.normal(size=true.shape)
    for sample_weight in (None, weights):
        expected = judge(true, pred, sample_weight=sample_weight)
        assert METRICS[name](true, pred, sample_weight) == expected
        found = METRICS[name](np.ldexp(true, exponent), np.ldexp(pred, exponent), sample_weight)
        assert found == np.ldexp(expected, power * exponent)


@pytest.mark.parametrize("name", ["neg_mean_absolute_error", "neg_root_mean_squared_error"])
def test_the_mean_over_large_targets_does_not_overflow(name):
    assert METRICS[name](np.full((3, 2), 1e308), np.zeros((3, 2)), None) == pytest.approx(-1e308)
