"""Gains of grades, and the rules in which definitions of NDCG differ."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmetric._checks import check_choice

__all__ = ["Rules", "gains_of", "invalid_grades", "rule_of", "rules_of"]

MAX_EXPONENT = 31


class Rules(NamedTuple):
    """The gain of a grade, the rank of ties, and the value of a list whose gains are all 0."""

    gain: str
    ties: str
    empty: Any


DEFAULTS = Rules("exponential", "mean", "skip")
CONVENTIONS = {
    "lightgbm": Rules("exponential", "order", 1),
    "xgboost": Rules("exponential", "order", 1),
    "catboost": Rules("linear", "pessimistic", 1),
    "sklearn": Rules("linear", "mean", 0),
}


def rules_of(gain: str | None, ties: str | None, empty: str | int | None, convention: str | None) -> Rules:
    """Return the rules of a convention, or the given rules. None means not given: the default is used."""
    arguments = Rules._make((gain, ties, empty))._asdict()
    given = {name: value for name, value in arguments.items() if value is not None}
    if convention is not None:
        check_choice("convention", convention, (*CONVENTIONS, None))
        if given:
            raise ValueError(
                f"convention must be given without gain, ties and empty, got {_formatted(given)} too. "
                f"convention={convention!r} means {_formatted(CONVENTIONS[convention]._asdict())}. Pass only the "
                "convention, or pass the three rules without it."
            )
        return CONVENTIONS[convention]
    rules = Rules(**{**DEFAULTS._asdict(), **given})
    check_choice("gain", rules.gain, ("exponential", "linear"))
    check_choice("ties", rules.ties, ("mean", "pessimistic", "order"))
    check_choice("empty", rules.empty, ("skip", 0, 1))
    return rules


def _formatted(rules: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in rules.items())


def rule_of(gain: str) -> str:
    """Return which grades a gain allows, for messages."""
    return "non-negative numbers" if gain == "linear" else f"whole numbers from 0 to {MAX_EXPONENT}"


def invalid_grades(grades: NDArray[np.float64], gain: str) -> NDArray[np.bool_]:
    """Return whether each grade is not valid for a gain."""
    if gain == "linear":
        return grades < 0
    return (grades < 0) | (grades > MAX_EXPONENT) | (grades != np.floor(grades))


def gains_of(grades: NDArray[np.float64], gain: str) -> NDArray[np.float64]:
    """Return the gain of each grade, shape (n_samples,). Raise if a grade is not valid for the gain."""
    negative = grades < 0
    if negative.any():
        row = negative.argmax()
        raise ValueError(
            f"y_true must be non-negative, got {grades[row]:g} at row {row}. Shift the grades so that the smallest is "
            "0, or score only the order with spearman_score or kendall_score."
        )
    invalid = invalid_grades(grades, gain)
    if invalid.any():
        row = invalid.argmax()
        raise ValueError(
            f"y_true must be {rule_of(gain)} for gain={gain!r}, got {grades[row]:g} at row {row}. Pass gain='linear', "
            "or score only the order with spearman_score or kendall_score."
        )
    return grades if gain == "linear" else np.ldexp(1.0, grades.astype(np.int32)) - 1
