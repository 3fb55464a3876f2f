"""Columns with large offsets or extreme units are as good as columns that a StandardScaler has scaled."""

import warnings

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from skmetric import (
    BatchedGridSearchCV,
    ContrastiveEmbedder,
    PairwiseRanker,
    PointwiseRanker,
    RankSimRegressor,
    Rows,
    TripletEmbedder,
)
from skmetric.estimators import all_estimators
from skmetric.estimators.ranking._ranker import Ranker

SMALL = {"hidden_layer_sizes": (16,), "max_iter": 3, "device": "cpu", "random_state": 0}
RNG = np.random.default_rng(0)
GROUPS, N = np.arange(120) // 10, 120
PLAIN = RNG.uniform(0, 1, (N, 3))
# Seconds of a day in 2023, cents of a large account, and a distance in nanometers.
FAR = PLAIN * [86_400, 5_000, 1e6] + [1.7e9, 1e8, 1e13]
SCALER = StandardScaler().fit(FAR)
SCALED = SCALER.transform(FAR)
GRADES = np.digitize(PLAIN @ [1.0, -1.0, 0.5] + 0.05 * RNG.normal(size=N), [-0.1, 0.4])
each_estimator = pytest.mark.parametrize("kind", [kind for _, kind in all_estimators()])
each_embedder = pytest.mark.parametrize("kind", [TripletEmbedder, ContrastiveEmbedder])


def fitted(kind, X, **changes):
    metadata = {"groups": GROUPS} if issubclass(kind, Ranker) else {}
    return kind(**{**SMALL, **changes}).fit(X, GRADES, **metadata)


def same(one, other):
    """Both encodings round to float32 once, but sums of the moments are taken in another order."""
    np.testing.assert_allclose(one, other, atol=2e-3)


@each_estimator
@pytest.mark.parametrize("inputs", ["bounded", "standard"])
def test_offsets_do_not_matter(kind, inputs):
    assert len(np.unique(FAR[:, 1].astype(np.float32))) < N
    same(fitted(kind, FAR, inputs=inputs).transform(FAR), fitted(kind, SCALED, inputs=inputs).transform(SCALED))


@each_estimator
def test_timestamps_in_a_data_frame(kind):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(FAR, columns=["time", "cents", "distance"]).astype({"time": "int64"})
    np.testing.assert_array_equal(
        fitted(kind, frame).transform(frame), fitted(kind, frame.to_numpy()).transform(frame.to_numpy())
    )


@each_estimator
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_memory_map_is_read_batch_by_batch_and_gives_the_same(kind, dtype, tmp_path, monkeypatch):
    X = (FAR if dtype == np.float64 else PLAIN).astype(dtype)
    X.tofile(tmp_path / "X")
    on_disk = np.memmap(tmp_path / "X", dtype=dtype, mode="r", shape=X.shape)
    expected = fitted(kind, X)
    encoded = []
    state = type(expected._network.inputs)
    encode = state.encode
    monkeypatch.setattr(state, "encode", lambda self, columns: encoded.append(len(columns)) or encode(self, columns))
    found = fitted(kind, on_disk, batch_size=32, max_iter=1)
    assert len(encoded) > 4
    assert encoded.count(N) <= 3  # the outputs for all rows after training, which are computed in large pieces
    monkeypatch.undo()
    np.testing.assert_array_equal(found.transform(on_disk), fitted(kind, X, batch_size=32, max_iter=1).transform(X))


@each_estimator
def test_validation_rows_are_scaled_in_float64_too(kind):
    metadata = {"groups": GROUPS, "groups_val": GROUPS[::-1] + 100} if issubclass(kind, Ranker) else {}
    scores = [
        kind(early_stopping=True, **SMALL)
        .fit(X, GRADES, X_val=X[::-1], y_val=GRADES[::-1], **metadata)
        .history_[-1]["valid_score"]
        for X in (FAR, SCALED)
    ]
    assert scores[0] == pytest.approx(scores[1], abs=2e-3)


@each_embedder
def test_partial_fit_keeps_digits(kind):
    parts = [slice(0, 60), slice(60, 120)]
    outputs = []
    for X in (FAR, SCALED):
        embedder = kind(**SMALL)
        for part in parts:
            embedder.partial_fit(X[part], GRADES[part], classes=[0, 1, 2])
        outputs.append(embedder.transform(X))
    same(*outputs)


def test_points_of_tuples_and_learned_distances_keep_digits():
    pairs = RNG.integers(0, N, (80, 2))
    outcome = np.where(GRADES[pairs[:, 0]] == GRADES[pairs[:, 1]], 1, -1)
    by_table = [ContrastiveEmbedder(preprocessor=Rows(X), **SMALL).fit(pairs, outcome) for X in (FAR, SCALED)]
    distances = [embedder.pair_distance(pairs) for embedder in by_table]
    same(*distances)
    of_points = ContrastiveEmbedder(**SMALL).fit(FAR[pairs], outcome)
    np.testing.assert_allclose(of_points.pair_distance(FAR[pairs]), distances[0], atol=2e-3)
    metric = by_table[0].get_metric()
    assert metric(*FAR[pairs[0]]) == pytest.approx(distances[0][0], abs=1e-5)
    assert by_table[0].calibrate_probabilities(pairs, outcome, cv=2).predict_proba(pairs).shape == (80, 2)


def test_preferences_and_a_group_column_keep_digits():
    pairs = RNG.integers(0, N, (80, 2))
    outcome = np.where(GRADES[pairs[:, 0]] >= GRADES[pairs[:, 1]], 1, -1)
    same(*(PairwiseRanker(**SMALL).fit(X[pairs], outcome).score_samples(X) for X in (FAR, SCALED)))
    with_groups = [np.column_stack([GROUPS, X]) for X in (FAR, SCALED)]
    same(*(PointwiseRanker(group_column=0, **SMALL).fit(X, GRADES).predict(X) for X in with_groups))


def test_folds_of_a_search_keep_digits():
    grid = {"gamma": [0, 1]}
    scores = [
        BatchedGridSearchCV(RankSimRegressor(**SMALL), grid, cv=2).fit(X, PLAIN[:, 0]).cv_results_["mean_test_score"]
        for X in (FAR, SCALED)
    ]
    np.testing.assert_allclose(*scores, atol=2e-3)


@pytest.mark.parametrize("factor", [1e-310, 1e-300, 1e30, 1e300, 1.7e308])
def test_units_may_be_extreme(factor):
    signed = 2 * PLAIN - 1
    same(
        fitted(PointwiseRanker, signed * factor).predict(signed * factor),
        fitted(PointwiseRanker, signed).predict(signed),
    )


def test_the_smallest_numbers_do_not_fail():
    fitted(PointwiseRanker, RNG.integers(0, 2, (N, 3)) * 5e-324)


def test_columns_of_rounding_errors_are_ignored_with_a_warning_that_names_them():
    pd = pytest.importorskip("pandas")
    noise = 1e9 * (1 + 2.0**-52 * RNG.integers(0, 4, N))
    frame = pd.DataFrame({"group": GROUPS, "signal": PLAIN[:, 0], "noise": noise, "constant": 7.0})
    with pytest.warns(
        UserWarning, match=r"X varies in column 'noise' by at most 8 rounding errors of float64"
    ) as caught:
        ranker = PairwiseRanker(group_column="group", **SMALL).fit(frame, GRADES)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(ranker.predict(frame.assign(noise=0.0)), ranker.predict(frame))
    X = np.float32(np.tile(PLAIN, 3))
    X[:, 2:] = 1e5 + np.float32(2.0**-7) * RNG.integers(0, 2, (N, 7))
    with pytest.warns(UserWarning, match=r"column 2, 3, 4, 5, 6 and 2 more .*float32.*pass X in float64"):
        RankSimRegressor(**SMALL).fit(X, GRADES)


def test_equal_values_are_ignored_silently():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(PointwiseRanker, np.column_stack([PLAIN, np.full(N, 1e9), np.zeros(N)]))


def test_a_value_that_float32_does_not_hold_is_an_error_without_scaling():
    changes = {"inputs": "none"}
    X = PLAIN.copy()
    X[5, 1] = 1e39
    with pytest.raises(ValueError, match=r"X must fit into float32.*got 1e\+39 in column 1. Scale it"):
        fitted(RankSimRegressor, X, **changes)
    regressor = fitted(RankSimRegressor, PLAIN, **changes)
    with pytest.raises(ValueError, match="X must fit into float32"):
        regressor.predict(X)
    assert np.isfinite(fitted(RankSimRegressor, X).predict(X)).all()
