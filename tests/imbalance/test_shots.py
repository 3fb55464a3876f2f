import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skmetric.imbalance import geometric_mean_error, shot_report

COLUMNS = ["count", "mae", "geometric_mean_error", "bias"]


def looped_report(y_train, y_true, y_pred, edges, many, few):
    """The definition, row by row."""

    def bin_of(value):
        if value == edges[-1]:
            return len(edges) - 2
        return next((b for b in range(len(edges) - 1) if edges[b] <= value < edges[b + 1]), None)

    trained = [bin_of(value) for value in y_train]
    shots = {"all": [], "many": [], "medium": [], "few": []}
    for truth, predicted in zip(y_true, y_pred, strict=True):
        rows = 0 if bin_of(truth) is None else trained.count(bin_of(truth))
        name = "many" if rows > many else "few" if rows < few else "medium"
        shots[name].append((truth, predicted))
        shots["all"].append((truth, predicted))
    figures = []
    for pairs in shots.values():
        if not pairs:
            figures.append([0, np.nan, np.nan, np.nan])
            continue
        truths, predictions = (np.array(column) for column in zip(*pairs, strict=True))
        difference = predictions - truths
        error = geometric_mean_error(truths, predictions)
        figures.append([len(pairs), np.abs(difference).mean(), error, difference.mean()])
    return pd.DataFrame(figures, index=list(shots), columns=COLUMNS)


def test_by_hand():
    y_train = np.repeat([0.0, 1.0, 2.0, 10.0], [101, 100, 20, 19])
    report = shot_report(y_train, y_true=[0, 0, 1, 2, 10, 10], y_pred=[1, -4, 3, 1, 2, 8])
    assert report.index.tolist() == ["all", "many", "medium", "few"]
    assert report.columns.tolist() == COLUMNS
    np.testing.assert_array_equal(report["count"], [6, 2, 2, 2])
    np.testing.assert_allclose(report["mae"], [18 / 6, 5 / 2, 3 / 2, 10 / 2])
    np.testing.assert_allclose(report["geometric_mean_error"], [128 ** (1 / 6), 2, 2**0.5, 4])
    np.testing.assert_allclose(report["bias"], [-12 / 6, -3 / 2, 1 / 2, -10 / 2])
    assert report["count"].dtype.kind == "i"


@pytest.mark.filterwarnings("ignore:bins must span y_train")
@given(
    st.lists(st.integers(0, 8), min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(-3, 11), st.integers(-20, 20)), min_size=1, max_size=20),
    st.sampled_from([(5, 2), (3, 3), (0, 0), (100, 20)]),
    st.sampled_from([1, 2, 8, [0, 1, 2, 8], [3.5, 4.5]]),
)
def test_matches_plain_loops(y_train, rows, limits, bins):
    y_true, y_pred = (list(column) for column in zip(*rows, strict=True))
    low, high = min(y_train), max(y_train)
    edges = [low + (high - low) * b / bins for b in range(bins + 1)] if isinstance(bins, int) else bins
    if low == high and isinstance(bins, int):
        edges = [low, low + 0.5]
    report = shot_report(y_train, y_true, y_pred, bins=bins, many=limits[0], few=limits[1])
    pd.testing.assert_frame_equal(report, looped_report(y_train, y_true, y_pred, edges, *limits), rtol=1e-12)
    assert report["count"].iloc[1:].sum() == report.loc["all", "count"]


def test_empty_categories():
    report = shot_report([0.0] * 5 + [1.0] * 5, [0, 1], [0, 2])
    assert report.loc["few", "count"] == report.loc["all", "count"] == 2
    assert report.loc[["many", "medium"], "count"].tolist() == [0, 0]
    assert report.loc[["many", "medium"], COLUMNS[1:]].isna().all(axis=None)


@pytest.mark.parametrize("bins", [1, 100, [0, 5, 10], [0, 9, 10]])
def test_targets_beyond_the_training_range_have_few_training_rows(bins):
    y_train = np.repeat([0.0, 10.0], [200, 200])
    report = shot_report(y_train, [-1e-6, 0, 10, 10 + 1e-6, 1e300], [0, 0, 10, 10, 1e300], bins=bins)
    assert report["count"].tolist() == [5, 2, 0, 3]
    assert report.loc["many", "mae"] == 0 < report.loc["few", "mae"]


def test_targets_beside_a_constant_training_target_have_few_training_rows():
    report = shot_report(np.full(200, 3.0), [2.0, 3.0, 4.0], [3.0, 3.0, 3.0])
    assert report["count"].tolist() == [3, 1, 0, 2]


def test_rounding_of_units_does_not_move_a_target_out_of_the_training_range():
    y = np.array([0.1, 0.3, 0.7])
    for scale, shift in [(3.0, 0.0), (1 / 3, 0.1), (1e9, -7e8)]:
        moved = (y * scale + shift - shift) / scale
        assert shot_report(y, moved, moved, many=0, few=0)["count"].tolist() == [3, 3, 0, 0]


def test_edges_that_leave_out_training_rows_are_warned_of():
    y_train = np.repeat([0.0, 1.0, 5.0], [200, 200, 300])
    with pytest.warns(
        UserWarning, match=r"leave out 300 of its 700 rows, such as 5\. .* from 0 or less to 5"
    ) as caught:
        report = shot_report(y_train, [0.0, 5.0], [0.0, 5.0], bins=[0, 1, 2])
    assert caught[0].filename == __file__
    assert report["count"].tolist() == [2, 1, 0, 1]


def test_the_default_is_a_hundred_bins():
    rng = np.random.default_rng(0)
    y_train, y_true = rng.lognormal(size=5000), rng.lognormal(size=300)
    y_pred = y_true + rng.normal(size=300)
    report = shot_report(y_train, y_true, y_pred)
    edges = np.linspace(y_train.min(), y_train.max(), 101)
    pd.testing.assert_frame_equal(report, shot_report(y_train, y_true, y_pred, bins=edges, many=100, few=20))
    assert (report["count"] > 0).all()


def test_series_and_columns():
    y_train = pd.Series([0, 0, 1], index=[5, 6, 7])
    expected = shot_report([0, 0, 1], [0, 1], [1.0, 1.5], many=1, few=1)
    found = shot_report(y_train, pd.DataFrame({"y": [0, 1]}), np.array([[1.0], [1.5]]), many=1, few=1)
    pd.testing.assert_frame_equal(found, expected)
    assert found["count"].tolist() == [2, 1, 1, 0]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([np.nan], [1], [1]), {}, "y_train must have no missing values"),
        (([], [1], [1]), {}, "y_train must have at least one row"),
        (([1], [], []), {}, "y_true must have at least one row"),
        (([1], [1], [1, 2]), {}, "y_pred must have one prediction per row of y_true"),
        (([1], [1], ["x"]), {}, "y_pred must hold numbers"),
        (([1], [1], [1]), {"few": 30, "many": 20}, "few must be from 0 to many, got few=30 and many=20"),
        (([1], [1], [1]), {"few": -1}, "few must be from 0 to many, got few=-1 and many=100"),
        (([1], [1], [1]), {"many": np.nan}, "few must be from 0 to many"),
        (([1], [1], [1]), {"bins": 0}, "bins must be at least 1"),
        (([1], [1], [1]), {"bins": [2, 1]}, "bins must be two or more edges"),
    ],
)
def test_input_is_checked(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        shot_report(*arguments, **options)


def test_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"shot_report returns a pandas DataFrame.* pip install pandas"):
        shot_report([1], [1], [1])
