"""Outcomes of pairs have one reading in the whole package."""

import numpy as np
import pandas as pd
import pytest

from skmetric._outcomes import SIMILARITY, WINNER, read_outcomes

FORMS = {
    "list": list,
    "array": np.array,
    "float": lambda y: np.array(y, dtype=float),
    "object": lambda y: np.array(y, dtype=object),
    "Int64": lambda y: pd.Series(y, dtype="Int64"),
    "column": lambda y: np.array(y)[:, None],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("question", [SIMILARITY, WINNER])
def test_signs(question, form):
    signs, kind = read_outcomes(form([1, -1, 1]), 3, question)
    assert signs.tolist() == [1, -1, 1]
    assert (kind.are_booleans, kind.have_ties) == (False, False)


@pytest.mark.parametrize("y", [[True, False], np.array([True, False]), pd.Series([True, False], dtype="boolean")])
@pytest.mark.parametrize("question", [SIMILARITY, WINNER])
def test_true_is_positive(question, y):
    signs, kind = read_outcomes(y, 2, question)
    assert signs.tolist() == [1, -1]
    assert kind.are_booleans
    assert kind.predictions(np.array([0.5, -0.5, 0.0])).tolist() == [True, False, False]


def test_ties_are_zeros_beside_both_signs():
    signs, kind = read_outcomes([1, 0, -1], 3, WINNER)
    assert signs.tolist() == [1, 0, -1]
    assert kind.have_ties
    assert kind.predictions(np.array([0.5, -0.5, 0.0])).tolist() == [1, -1, 0]


@pytest.mark.parametrize("y", [[0, 1], [0, 0], np.array([0.0, 1.0])], ids=str)
def test_zeros_without_minus_one_are_ambiguous(y):
    with pytest.raises(ValueError, match=r"pass 2 \* y - 1\. If 0 means a tie, set ties=True"):
        read_outcomes(y, 2, WINNER)
    assert read_outcomes(y, 2, WINNER, ties=True)[0].tolist() == list(y)
    with pytest.raises(ValueError, match=r"If 0 means dissimilar, pass 2 \* y - 1"):
        read_outcomes(y, 2, SIMILARITY)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, 2], "got 2 at pair 1"),
        ([1, 0.5], "got 0.5 at pair 1"),
        (["yes", "no"], "got 'yes' at pair 0"),
        ([1, None], "no missing values"),
        ([1], "one outcome per pair, got 1 for 2 pairs"),
        ([[1, 1], [1, 1]], "one outcome per pair, shape"),
        (1, "one value per row, got 1"),
    ],
)
def test_other_values_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        read_outcomes(y, 2, WINNER)


def test_without_y_all_are_positive():
    assert read_outcomes(None, 2, SIMILARITY)[0].tolist() == [1, 1]
