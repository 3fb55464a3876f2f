"""Invariances of the ranking metrics, for lists of any length."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from skmetric.metrics import (
    dcg_score,
    kendall_score,
    map_score,
    mrr_score,
    ndcg_score,
    pairwise_accuracy_score,
    spearman_score,
)


def linear_ndcg_score(y_true, y_score, **kwargs):
    return ndcg_score(y_true, y_score, gain="linear", ties="pessimistic", empty=0, **kwargs)


def ndcg_at_3_score(y_true, y_score, **kwargs):
    return ndcg_score(y_true, y_score, k=3, empty=1, **kwargs)


OF_ORDER = [spearman_score, kendall_score, pairwise_accuracy_score]
METRICS = [*OF_ORDER, dcg_score, ndcg_score, linear_ndcg_score, ndcg_at_3_score, mrr_score, map_score]


@st.composite
def ranked_lists(draw):
    """Grades, scores and groups, with ties of all kinds."""
    n = draw(st.integers(1, 40))
    columns = [
        draw(st.lists(st.integers(0, draw(st.integers(0, most))), min_size=n, max_size=n)) for most in (4, 20, 12)
    ]
    return tuple(map(np.array, columns))


def each(metric, y_true, y_score, groups):
    return metric(y_true, y_score, groups=groups, reduction=None)


@pytest.mark.parametrize("metric", METRICS)
@given(ranked_lists(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows(metric, lists, random):
    rows = np.arange(len(lists[0]))
    random.shuffle(rows)
    shuffled = (column[rows] for column in lists)
    np.testing.assert_allclose(each(metric, *shuffled), each(metric, *lists), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("metric", METRICS)
@given(ranked_lists())
def test_the_names_of_the_groups(metric, lists):
    y_true, y_score, groups = lists
    reversed_ids = each(metric, y_true, y_score, -groups)[::-1]
    np.testing.assert_array_equal(reversed_ids, each(metric, *lists))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("transform", [np.exp, np.cbrt, lambda s: 1e300 * s - 1e301, lambda s: -1 / (1 + s)])
@given(lists=ranked_lists())
def test_any_increasing_transform_of_the_scores(metric, transform, lists):
    y_true, y_score, groups = lists
    transformed = transform(y_score.astype(float))
    np.testing.assert_array_equal(each(metric, y_true, transformed, groups), each(metric, *lists))


@pytest.mark.parametrize("metric", OF_ORDER)
@given(ranked_lists())
def test_any_increasing_transform_of_the_truth(metric, lists):
    y_true, y_score, groups = lists
    np.testing.assert_array_equal(each(metric, np.exp(y_true) - 3, y_score, groups), each(metric, *lists))


@given(ranked_lists(), st.floats(1e-100, 1e100))
def test_the_unit_of_linear_gains(lists, unit):
    y_true, y_score, groups = lists
    scaled = each(linear_ndcg_score, unit * y_true, y_score, groups)
    np.testing.assert_allclose(scaled, each(linear_ndcg_score, *lists), rtol=1e-13)


@pytest.mark.parametrize(("metric", "total"), [(spearman_score, 0), (kendall_score, 0), (pairwise_accuracy_score, 1)])
@given(lists=ranked_lists())
def test_reversed_scores(metric, total, lists):
    y_true, y_score, groups = lists
    np.testing.assert_allclose(each(metric, *lists), total - each(metric, y_true, -y_score, groups), atol=1e-14)


@pytest.mark.parametrize("metric", [spearman_score, kendall_score])
@given(lists=ranked_lists())
def test_truth_and_scores_may_change_places(metric, lists):
    y_true, y_score, groups = lists
    one, other = each(metric, *lists), each(metric, y_score, y_true, groups)
    both = ~np.isnan(one) & ~np.isnan(other)
    np.testing.assert_allclose(one[both], other[both], atol=1e-14)


@pytest.mark.parametrize("metric", METRICS)
@given(lists=ranked_lists())
def test_bounds(metric, lists):
    values = each(metric, *lists)
    values = values[~np.isnan(values)]
    assert (values >= (-1 if metric in (spearman_score, kendall_score) else 0)).all()
    assert metric is dcg_score or (values <= 1).all()


@pytest.mark.parametrize("metric", METRICS)
@given(lists=ranked_lists(), data=st.data())
def test_a_weight_is_as_good_as_copies_of_the_list(metric, lists, data):
    y_true, y_score, groups = lists
    ids, codes = np.unique(groups, return_inverse=True)
    copies = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(ids), max_size=len(ids))))
    assume(not np.isnan(each(metric, *lists)[copies > 0]).all())
    repeated = [
        np.concatenate([column[codes == i] for i in range(len(ids)) for _ in range(copies[i])])
        for column in (y_true, y_score)
    ]
    new_groups = np.repeat(np.arange(copies.sum()), np.repeat(np.bincount(codes), copies))
    weighted = metric(y_true, y_score, groups=groups, sample_weight=copies[codes])
    assert metric(*repeated, groups=new_groups) == pytest.approx(weighted, abs=1e-13)


@given(ranked_lists())
def test_ties_between_their_bounds(lists):
    y_true, y_score, groups = lists
    lowest, mean, order = (
        ndcg_score(y_true, y_score, groups=groups, empty=1, ties=ties, reduction=None)
        for ties in ("pessimistic", "mean", "order")
    )
    assert (lowest <= mean + 1e-14).all()
    assert (lowest <= order + 1e-14).all()
