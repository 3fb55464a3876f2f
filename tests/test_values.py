"""One value per row is read by the same rules in every form."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array

from skmetric._checks import check_labels, check_training_weights, check_weights, group_codes
from skmetric._values import check_numbers, read_labels, read_values

# [1, missing, 3] in every form.
GAPS = {
    "list with None": [1, None, 3],
    "list with NaN": [1, np.nan, 3],
    "list with pandas.NA": [1, pd.NA, 3],
    "array": np.array([1, np.nan, 3]),
    "object array": np.array([1, None, 3], dtype=object),
    "masked array": np.ma.masked_array([1, 2, 3], mask=[False, True, False]),
    "Series": pd.Series([1, np.nan, 3]),
    "Int64": pd.Series([1, None, 3], dtype="Int64"),
    "Float64": pd.Series([1, None, 3], dtype="Float64"),
    "polars": pl.Series([1, None, 3]),
    "categorical": pd.Series(pd.Categorical([1, None, 3])),
}
TEXT_GAPS = {
    "list": ["a", None, "b"],
    "list with NaN": ["a", np.nan, "b"],
    "object array": np.array(["a", None, "b"], dtype=object),
    "Series": pd.Series(["a", None, "b"]),
    "string": pd.Series(["a", None, "b"], dtype="string"),
    "polars": pl.Series(["a", None, "b"]),
    "categorical": pd.Series(pd.Categorical(["a", None, "b"])),
}
DATE_GAPS = {
    "array": np.array(["2020-01-01", "NaT", "2020-01-03"], dtype="datetime64[D]"),
    "Series": pd.Series(pd.to_datetime(["2020-01-01", None, "2020-01-03"])),
    "list": [pd.Timestamp("2020-01-01"), pd.NaT, pd.Timestamp("2020-01-03")],
    "polars": pl.Series(["2020-01-01", None, "2020-01-03"]).str.to_date(),
}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        *((values, "numbers") for values in GAPS.values()),
        *((values, "text") for values in TEXT_GAPS.values()),
        *((values, "dates") for values in DATE_GAPS.values()),
        (pd.Series([True, None, False], dtype="boolean"), "booleans"),
    ],
)
def test_a_missing_value_is_missing_in_every_form(values, kind):
    read = read_values(values, "y")
    assert (read.kind, read.is_missing.tolist()) == (kind, [False, True, False])
    with pytest.raises(ValueError, match=r"groups must have no missing values .* got one in row 1\. Drop such rows"):
        group_codes(values)
    with pytest.raises(ValueError, match=r"labels must have no missing values .* got one in row 1"):
        check_labels(values, "labels")


@pytest.mark.parametrize("values", GAPS.values(), ids=GAPS)
def test_a_missing_number_or_weight_is_refused(values):
    with pytest.raises(ValueError, match=r"y must have no missing values"):
        check_numbers(values, "y")
    with pytest.raises(ValueError, match=r"sample_weight must have no missing values"):
        check_weights(values, 3)


@pytest.mark.parametrize(
    "values",
    [
        [2, 0, 7],
        (2, 0, 7),
        np.array([2, 0, 7], dtype=object),
        pd.Series([2, 0, 7], dtype="Int64", index=[5, 6, 7]),
        pd.Series([2, 0, 7]).astype("category"),
        pl.Series([2, 0, 7]),
        np.ma.masked_array([2, 0, 7]),
        [np.int64(2), 0, np.uint8(7)],
    ],
    ids=lambda values: type(values).__name__,
)
def test_whole_numbers_are_integers_in_every_form(values):
    labels = check_labels(values, "y")
    assert (labels.dtype.kind, labels.tolist()) == ("i", [2, 0, 7])


@pytest.mark.parametrize("values", [[1, "1"], np.array([1, "1"], dtype=object), [True, 2], [b"a", "a"]], ids=repr)
def test_values_of_several_kinds_are_refused(values):
    with pytest.raises(TypeError, match=r"groups must hold values of one kind, got .* Convert all values to one type"):
        group_codes(values)


def test_ids_that_do_not_fit_into_64_bits_stay_distinct():
    assert group_codes([2**70 + 1, 2**70, 2**70 + 1]).tolist() == [1, 0, 1]


def test_a_string_nan_is_text():
    assert group_codes(["nan", "a", "nan"]).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (3, ValueError, r"y must have one value per row, got 3\. Pass an array"),
        (None, ValueError, "y must have one value per row, got None"),
        (pd.NA, ValueError, "y must have one value per row, got an object of type NAType"),
        ({1, 2}, ValueError, "y must have one value per row, got an object of type set"),
        (
            [[1], [2, 3]],
            ValueError,
            "y must have one value per row, got rows with several values",
        ),
        (csr_array([[1.0], [0.0]]), ValueError, r"y must be dense, got a sparse array\. Pass y\.toarray"),
    ],
    ids=repr,
)
def test_what_is_not_one_value_per_row_is_refused(values, error, message):
    with pytest.raises(error, match=message):
        read_values(values, "y")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1", "2"], r"y must hold numbers, got text, such as '1'\. Convert it: text that spells numbers by astype"),
        (DATE_GAPS["Series"].dropna(), "y must hold numbers, got dates, such as .* days since a fixed date"),
        (np.array([1, 2], dtype="m8[D]"), "y must hold numbers, got durations"),
        (np.array([1j]), "y must hold numbers, got complex numbers"),
    ],
)
def test_numbers_are_numbers(values, message):
    with pytest.raises(ValueError, match=message):
        check_numbers(values, "y")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, bool])
def test_only_float32_stays(dtype):
    assert check_numbers(np.zeros(3, dtype=dtype), "y").dtype == (np.float32 if dtype == np.float32 else np.float64)


@pytest.mark.parametrize("values", [*GAPS.values(), *TEXT_GAPS.values()])
@pytest.mark.parametrize("unlabeled", [np.nan, pd.NA], ids=repr)
def test_a_missing_label_is_unknown_if_unlabeled_is_missing(values, unlabeled):
    labels, is_known = read_labels(values, "y", unlabeled)
    assert is_known.tolist() == [True, False, True]
    assert labels[is_known].tolist() in ([1, 3], ["a", "b"])


@pytest.mark.parametrize("values", [*GAPS.values(), *TEXT_GAPS.values()])
def test_a_missing_label_is_an_error_otherwise(values):
    for unlabeled in (None, -1):
        with pytest.raises(ValueError, match="y must have no missing values"):
            read_labels(values, "y", unlabeled)


@pytest.mark.parametrize("labels", [[0, -1, 1], ["a", -1, "b"], np.array(["a", -1, "b"], dtype=object)], ids=repr)
def test_unlabeled_may_be_of_another_kind(labels):
    known_labels, is_known = read_labels(labels, "y", -1)
    assert is_known.tolist() == [True, False, True]
    assert known_labels[is_known].tolist() in ([0, 1], ["a", "b"])


def test_one_weight_per_group_says_how_to_give_it_to_the_rows():
    groups = np.array([0, 0, 1])
    with pytest.raises(
        ValueError, match=r"one weight per row.*weights\[np.unique\(groups, return_inverse=True\)\[1\]\]"
    ):
        check_weights([1.0, 2.0], 3, groups=groups)


def test_weights_for_training_must_have_ratios_within_float32():
    with pytest.raises(ValueError, match=r"sample_weight must have ratios .* got 1e\+300 at row 1 and 1 at row 0"):
        check_training_weights([1, 1e300, 0], 3)
    assert check_training_weights([1, 1e30, 0], 3).tolist() == [1, 1e30, 0]


@pytest.mark.parametrize(
    "ids",
    [
        [2**63 + 5, 2**63 + 6, -1],
        pd.Series([2**63 + 5, 2**63 + 6, -1], dtype=object),
        [np.uint64(2**60), np.int64(2**60 + 1), np.uint64(2**60 + 2)],
        [2**53, 2**53 + 1, float(2**53 + 2)],
    ],
    ids=["hashes", "Series", "two types", "a float"],
)
def test_large_ids_of_several_types_stay_distinct(ids):
    assert len(set(group_codes(ids).tolist())) == 3


def test_whole_numbers_that_float64_does_not_hold_are_refused():
    nanoseconds = 1_700_000_000_000_000_000 + 100 * np.arange(3)
    with pytest.raises(ValueError, match=r"y must hold numbers that float64 holds exactly, .* y - y\.min\(\)"):
        check_numbers(nanoseconds, "y")
    assert check_numbers(nanoseconds - nanoseconds.min(), "y").tolist() == [0, 100, 200]
    assert check_numbers([2**60, 2**61], "y").tolist() == [2.0**60, 2.0**61]


@pytest.mark.parametrize(("labels", "unlabeled"), [(["-1", "x", "y"], -1), ([-1, 0, 1], "-1")])
def test_unlabeled_that_only_looks_like_a_label_is_an_error(labels, unlabeled):
    with pytest.raises(ValueError, match="unlabeled must be of the kind of the labels"):
        read_labels(labels, "y", unlabeled)
    assert read_labels(labels[1:], "y", unlabeled)[1].all()


def test_combinations_of_values_are_no_ids():
    with pytest.raises(ValueError, match=r"one value per row, got rows with several values.*ngroup\(\)"):
        group_codes(pd.MultiIndex.from_tuples([(1, "a"), (1, "b")]))
