"""The ranking metrics against their definitions, scikit-learn and scipy, and their errors."""

import math
import tracemalloc
from functools import partial

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import sklearn.metrics

from skmetric.metrics import (
    _lists,
    dcg_score,
    kendall_score,
    map_score,
    mrr_score,
    ndcg_score,
    pairwise_accuracy_score,
    spearman_score,
)
from tests.metrics import ranking_reference as reference

PAIRS = {
    "dcg": (dcg_score, reference.dcg),
    "ndcg": (ndcg_score, reference.ndcg),
    "spearman": (spearman_score, reference.spearman),
    "kendall": (kendall_score, reference.kendall),
    "pairwise_accuracy": (pairwise_accuracy_score, reference.pairwise_accuracy),
    "mrr": (mrr_score, reference.reciprocal_rank),
    "map": (map_score, reference.average_precision),
}
OPTIONS = {
    "dcg": [{}, {"k": 1}, {"k": 3, "ties": "pessimistic"}, {"k": 2, "ties": "order"}, {"gain": "linear"}],
    "ndcg": [
        {},
        {"k": 1},
        {"k": 3, "ties": "pessimistic", "empty": 1},
        {"k": 2, "ties": "order", "empty": 0},
        {"gain": "linear", "k": 9},
    ],
    "mrr": [{}, {"k": 1}, {"k": 2, "empty": 0}, {"empty": 1}],
    "map": [{}, {"k": 1}, {"k": 2, "empty": 0}, {"k": 3, "empty": 1}],
}
CASES = [pytest.param(name, options, id=f"{name}-{options}") for name in PAIRS for options in OPTIONS.get(name, [{}])]
METRICS = pytest.mark.parametrize("metric", [metric for metric, _ in PAIRS.values()])


def small_lists(seed):
    """Shuffled rows of lists of 1 to 5 items with few grades and few scores: ties, and lists with gains of 0."""
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(7), rng.integers(1, 6, size=7)))
    grades = rng.integers(0, 3, size=len(groups)) * (groups != 2)
    return grades, rng.integers(0, 4, size=len(groups)) / 4, groups, rng.uniform(0.1, 5, size=len(groups))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("name", "options"), CASES)
def test_enumeration(name, options, seed):
    metric, expected = PAIRS[name]
    y_true, y_score, groups, weights = small_lists(seed)
    each = metric(y_true, y_score, groups=groups, reduction=None, **options)
    lists = reference.lists_of(y_true.tolist(), y_score.tolist(), groups.tolist())
    np.testing.assert_allclose(each, [expected(*rows, **options) for rows in lists], atol=1e-14)
    columns = y_true.tolist(), y_score.tolist(), groups.tolist()
    for given in (None, weights):
        mean = reference.mean_over_lists(partial(expected, **options), *columns, given)
        assert metric(y_true, y_score, groups=groups, sample_weight=given, **options) == pytest.approx(mean, abs=1e-14)


@pytest.mark.parametrize("chunk_items", [1, 7, 50])
@METRICS
def test_chunks_do_not_change_the_values(metric, chunk_items, monkeypatch):
    y_true, y_score, groups, _ = small_lists(0)
    expected = metric(y_true, y_score, groups=groups, reduction=None)
    monkeypatch.setattr(_lists, "CHUNK_ITEMS", chunk_items)
    np.testing.assert_array_equal(metric(y_true, y_score, groups=groups, reduction=None), expected)


# Other libraries


@pytest.mark.parametrize("k", [None, 1, 4, 10, 50])
@pytest.mark.parametrize("decimals", [0, 3])
def test_scikit_learn_agrees(k, decimals):
    rng = np.random.default_rng(3)
    y_true, y_score = rng.integers(0, 5, size=(40, 10)), rng.normal(size=(40, 10)).round(decimals)
    y_true[7] = 0
    groups, columns = np.repeat(np.arange(40), 10), (y_true.ravel(), y_score.ravel())
    ours = ndcg_score(*columns, groups=groups, k=k, convention="sklearn")
    assert ours == pytest.approx(sklearn.metrics.ndcg_score(y_true, y_score, k=k), rel=1e-14)
    ours = dcg_score(*columns, groups=groups, k=k, gain="linear")
    assert ours == pytest.approx(sklearn.metrics.dcg_score(y_true, y_score, k=k), rel=1e-14)
    ours = dcg_score(*columns, groups=groups, k=k)
    assert ours == pytest.approx(sklearn.metrics.dcg_score(2**y_true - 1, y_score, k=k), rel=1e-14)


@pytest.mark.parametrize("decimals", [0, 1, 6])
@pytest.mark.parametrize("size", [2, 3, 17, 64, 65, 1000])
def test_scipy_agrees(size, decimals):
    rng = np.random.default_rng(size)
    y_true, y_score = rng.normal(size=(2, size)).round(decimals)
    y_true[0] = y_true.max() + 1
    y_score[1] = y_score.max() + 1
    assert spearman_score(y_true, y_score) == pytest.approx(scipy.stats.spearmanr(y_true, y_score)[0], abs=1e-14)
    assert kendall_score(y_true, y_score) == pytest.approx(scipy.stats.kendalltau(y_true, y_score)[0], abs=1e-14)


def test_pairs_of_two_classes_are_the_area_under_the_roc_curve():
    rng = np.random.default_rng(0)
    y_true, y_score = rng.integers(0, 2, size=300), rng.normal(size=300).round(1)
    assert pairwise_accuracy_score(y_true, y_score) == pytest.approx(sklearn.metrics.roc_auc_score(y_true, y_score))


def test_average_precision_without_ties_is_scikit_learns():
    rng = np.random.default_rng(0)
    y_true, y_score = rng.integers(0, 2, size=300), rng.permutation(300)
    assert map_score(y_true, y_score) == pytest.approx(sklearn.metrics.average_precision_score(y_true, y_score))


# Size


def test_a_long_list_needs_no_matrix_of_pairs():
    rng = np.random.default_rng(0)
    y_true, y_score = rng.integers(0, 50, size=100_000), rng.normal(size=100_000).round(2)
    tracemalloc.start()
    value = kendall_score(y_true, y_score)
    assert tracemalloc.get_traced_memory()[1] < 50 * 100_000 * 8
    tracemalloc.stop()
    assert value == pytest.approx(scipy.stats.kendalltau(y_true, y_score)[0], abs=1e-14)


@METRICS
def test_many_lists_are_scored_in_pieces(metric):
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20_000), rng.integers(1, 20, size=20_000))
    y_true, y_score = rng.integers(0, 5, size=(2, len(groups))).astype(float)
    tracemalloc.start()
    metric(y_true, y_score, groups=groups)
    assert tracemalloc.get_traced_memory()[1] < 150 * len(groups)
    tracemalloc.stop()


# Values at the edge


@METRICS
def test_the_best_order_is_exactly_one_but_for_dcg(metric):
    rng = np.random.default_rng(0)
    y_true, groups = rng.integers(0, 4, size=500), rng.integers(0, 60, size=500)
    expected = dcg_score(y_true, y_true, groups=groups, ties="order") if metric is dcg_score else 1.0
    assert metric(y_true, y_true / 7, groups=groups) == expected


def test_constant_scores():
    y_true, same = [0, 1, 2, 2], [0.5] * 4
    assert spearman_score(y_true, same) == kendall_score(y_true, same) == 0.0
    assert pairwise_accuracy_score(y_true, same) == 0.5
    assert ndcg_score(y_true, same, ties="order") < ndcg_score(y_true, same) < 1
    assert ndcg_score(y_true[::-1], same, ties="order") == 1
    assert ndcg_score(y_true[::-1], same, ties="pessimistic") == ndcg_score(y_true, same, ties="order")


@pytest.mark.parametrize("unit", [1e-310, 1e-200, 3.0, 1e200, 1.7e308])
def test_linear_gains_of_any_size(unit):
    y_true, y_score = np.array([0.25, 1.0, 0.5, 0.75]), [3, 1, 1, 2]
    expected = ndcg_score(y_true, y_score, gain="linear")
    assert ndcg_score(unit * y_true, y_score, gain="linear") == pytest.approx(expected, rel=1e-12)


def test_the_highest_grade():
    assert dcg_score([31], [0.0]) == 2.0**31 - 1
    assert ndcg_score([31, 0], [0.0, 1.0]) == pytest.approx(1 / math.log2(3))


# Groups


@METRICS
@pytest.mark.parametrize(
    "relabel",
    [
        lambda g: [f"query {i:02d}" for i in g],
        lambda g: np.array([f"query {i:02d}" for i in g]),
        lambda g: np.array([f"query {i:02d}" for i in g], dtype=object),
        lambda g: pd.Series([f"query {i:02d}" for i in g], index=g),
        lambda g: pd.Series([f"query {i:02d}" for i in g], dtype="category"),
        lambda g: pd.Series(g, dtype="Int64"),
        lambda g: pd.Timestamp("2026-01-01") + pd.to_timedelta(g, unit="D"),
        lambda g: g / 3 - 1,
        lambda g: g.astype(np.uint8),
        lambda g: g[:, np.newaxis],
        lambda g: g.tolist(),
        lambda g: g[:, np.newaxis].tolist(),
    ],
)
def test_ids_of_any_type(metric, relabel):
    y_true, y_score, groups, weights = small_lists(1)
    expected = metric(y_true, y_score, groups=groups, reduction=None)
    np.testing.assert_array_equal(metric(y_true, y_score, groups=relabel(groups), reduction=None), expected)
    assert metric(y_true, y_score, groups=relabel(groups), sample_weight=weights) == metric(
        y_true, y_score, groups=groups, sample_weight=weights
    )


@METRICS
def test_rows_next_to_each_other_in_any_order_of_ids(metric):
    y_true, y_score, _, weights = small_lists(2)
    groups = np.repeat([5, 1, 9, 0], [3, 4, 1, len(y_true) - 8])
    order = np.argsort(groups, kind="stable")
    expected = metric(y_true[order], y_score[order], groups=groups[order], reduction=None)
    np.testing.assert_array_equal(metric(y_true, y_score, groups=groups, reduction=None), expected)
    assert metric(y_true, y_score, groups=groups, sample_weight=weights) == metric(
        y_true[order], y_score[order], groups=groups[order], sample_weight=weights[order]
    )


@METRICS
def test_no_groups_are_one_list(metric):
    y_true, y_score = [0, 2, 1, 2], [0.1, 0.4, 0.2, 0.3]
    assert isinstance(metric(y_true, y_score), float)
    assert metric(y_true, y_score) == metric(y_true, y_score, groups=[7] * 4)
    np.testing.assert_array_equal(metric(y_true, y_score, reduction=None), [metric(y_true, y_score)])


@METRICS
@pytest.mark.parametrize(
    "groups",
    [
        [0.0, np.nan, 1.0],
        ["a", np.nan, "b"],
        ["a", None, "a"],
        [1, None, 2],
        pd.Series([1, None, 1], dtype="Int64"),
        pd.Series(["a", None, "b"]),
        pd.Series(["a", None, "b"], dtype="category"),
        np.array(["2026-01-01", "NaT", "2026-01-01"], dtype="datetime64[D]"),
    ],
)
def test_missing_ids(metric, groups):
    with pytest.raises(ValueError, match=r"groups must have no missing values .* got one in row 1\. Drop"):
        metric([0, 1, 2], [0.1, 0.2, 0.3], groups=groups)


@METRICS
def test_refused_groups(metric):
    with pytest.raises(TypeError, match="groups must hold values of one kind"):
        metric([0, 1, 2], [0.1, 0.2, 0.3], groups=np.array([1, "a", 2], dtype=object))
    with pytest.raises(ValueError, match=r"groups must have one id per row, shape \(n_samples,\), got shape \(3, 2\)"):
        metric([0, 1, 2], [0.1, 0.2, 0.3], groups=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        metric([0, 1, 2], [0.1, 0.2, 0.3], groups=[1, 1])


# Refusals


@METRICS
def test_refused_columns(metric):
    with pytest.raises(ValueError, match="y_score must have no missing values"):
        metric([0, 1], [0.1, np.nan])
    with pytest.raises(ValueError, match="y_true must be finite, got inf at row 1"):
        metric([0, np.inf], [0.1, 0.2])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        metric([0, 1], [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="y_true must have at least one row"):
        metric([], [])
    with pytest.raises(
        ValueError, match=r"y_true must have one value per row, .* got shape \(2, 2\).*groups=np.repeat"
    ):
        metric([[0, 1], [1, 2]], [0.1, 0.2])
    with pytest.raises(ValueError, match="reduction must be one of 'mean', None, got 'sum'"):
        metric([0, 1], [0.1, 0.2], reduction="sum")


@METRICS
def test_refused_weights(metric):
    with pytest.raises(ValueError, match="sample_weight must be non-negative, got -1 at row 1"):
        metric([0, 1], [0.1, 0.2], sample_weight=[1, -1])
    with pytest.raises(ValueError, match="sample_weight must be positive for at least one row"):
        metric([0, 1], [0.1, 0.2], sample_weight=[0, 0])
    with pytest.raises(ValueError, match="sample_weight must have no missing values"):
        metric([0, 1], [0.1, 0.2], sample_weight=[0, np.nan])
    with pytest.raises(ValueError, match="sample_weight must be None if reduction=None, got weights"):
        metric([0, 1], [0.1, 0.2], sample_weight=[1, 1], reduction=None)


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e308])
@METRICS
def test_only_ratios_of_weights_matter(metric, scale):
    y_true, y_score, groups, _ = small_lists(4)
    weights = np.where(groups % 2, 1.0, 0.5)
    expected = metric(y_true, y_score, groups=groups, sample_weight=weights)
    assert metric(y_true, y_score, groups=groups, sample_weight=weights * scale) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("metric", [dcg_score, ndcg_score, mrr_score, map_score])
def test_refused_k(metric):
    with pytest.raises(ValueError, match="k must be at least 1, got k=0"):
        metric([0, 1], [0.1, 0.2], k=0)
    for k in (1.0, True, "3"):
        with pytest.raises(TypeError, match="k must be an integer"):
            metric([0, 1], [0.1, 0.2], k=k)
    assert metric([0, 1], [0.1, 0.2], k=np.int64(5)) == metric([0, 1], [0.1, 0.2])


@pytest.mark.parametrize("metric", [dcg_score, ndcg_score])
def test_grades_that_fit_no_gain(metric):
    for gain in ("linear", "exponential"):
        with pytest.raises(ValueError, match=r"y_true must be non-negative, got -1 at row 1.*spearman_score"):
            metric([0, -1], [0.1, 0.2], gain=gain)
    for grade in (0.5, 32):
        with pytest.raises(ValueError, match=rf"whole numbers from 0 to 31 .* got {grade} at row 2.*gain='linear'"):
            metric([0, 1, grade], [0.1, 0.2, 0.3])
        metric([0, 1, grade], [0.1, 0.2, 0.3], gain="linear")


def test_unknown_choices():
    for metric in (dcg_score, ndcg_score):
        with pytest.raises(ValueError, match="gain must be one of 'exponential', 'linear', got 'log'"):
            metric([0, 1], [0.1, 0.2], gain="log")
        with pytest.raises(ValueError, match="ties must be one of 'mean', 'pessimistic', 'order', got 'first'"):
            metric([0, 1], [0.1, 0.2], ties="first")
    for metric in (ndcg_score, mrr_score, map_score):
        for empty in (np.nan, 0.5, "zero", [0]):
            with pytest.raises(ValueError, match="empty must be one of 'skip', 0, 1, got"):
                metric([0, 1], [0.1, 0.2], empty=empty)
    with pytest.raises(ValueError, match=r"convention must be one of 'lightgbm', .* got 'trec'"):
        ndcg_score([0, 1], [0.1, 0.2], convention="trec")


@pytest.mark.parametrize("rules", [{"gain": "exponential"}, {"ties": "order"}, {"empty": 0}])
def test_a_convention_stands_alone(rules):
    name, value = next(iter(rules.items()))
    with pytest.raises(ValueError, match=rf"got {name}={value!r} too. convention='catboost' means gain='linear', "):
        ndcg_score([0, 1], [0.1, 0.2], convention="catboost", **rules)


def test_nothing_to_score():
    constant = [1, 1, 0, 0], [0.1, 0.2, 0.3, 0.4]
    for metric in (spearman_score, kendall_score, pairwise_accuracy_score):
        with pytest.raises(ValueError, match="got none in 2: each list has one item, or one true value"):
            metric(*constant, groups=[0, 0, 1, 1])
        with pytest.raises(ValueError, match="got none in 1: each list has one item"):
            metric([3], [0.5])
        assert np.isnan(metric(*constant, groups=[0, 0, 1, 1], reduction=None)).all()
    for metric in (ndcg_score, mrr_score, map_score):
        with pytest.raises(ValueError, match=r"got none in 2: each list has .*Pass empty=0 or empty=1"):
            metric([0, 0, 0], [0.1, 0.2, 0.3], groups=[0, 0, 1])
        assert metric([0, 0, 0], [0.1, 0.2, 0.3], empty=0) == 0
        assert metric([0, 0, 0], [0.1, 0.2, 0.3], empty=1) == 1


def test_weights_of_skipped_lists_do_not_count():
    y_true, y_score, groups = [0, 1, 1, 0, 0, 0], [0.1, 0.2, 0.1, 0.2, 0.5, 0.6], list("aabbcc")
    assert ndcg_score(y_true, y_score, groups=groups, sample_weight=[1, 1, 0, 0, 9, 9]) == 1.0
    with pytest.raises(ValueError, match=r"sample_weight must be positive .* got zeros in all 2"):
        ndcg_score(y_true, y_score, groups=groups, sample_weight=[0, 0, 0, 0, 9, 9])


@pytest.mark.parametrize("groups", [None, [0, 1, 2]])
@pytest.mark.parametrize("ties", ["mean", "pessimistic", "order"])
def test_gains_whose_sum_overflows_are_an_error(groups, ties):
    with pytest.raises(ValueError, match=r"y_true must have gains whose sum is a finite .* got grades up to 1e\+308"):
        dcg_score([1e308] * 3, [1, 2, 3], groups=groups, gain="linear", ties=ties)
    scaled = dcg_score([1.0] * 3, [1, 2, 3], groups=groups, gain="linear", ties=ties)
    found = dcg_score([1e307] * 3, [1, 2, 3], groups=groups, gain="linear", ties=ties)
    assert found == pytest.approx(scaled * 1e307)
