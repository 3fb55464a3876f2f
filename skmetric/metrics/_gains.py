"""What a grade is worth, and the rules on which the definitions of NDCG differ."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmetric._checks import check_choice

__all__ = ["Rules", "gains_of", "rules_of"]

MAX_EXPONENT = 31


class Rules(NamedTuple):
    """What a grade is worth, how ties are ranked, and what a list without any gain counts."""

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
    """Validate what was given, None where nothing was: a convention, or rules of one's own."""
    asked = Rules._make((gain, ties, empty))._asdict()
    given = {name: value for name, value in asked.items() if value is not None}
    if convention is not None:
        check_choice("convention", convention, (*CONVENTIONS, None))
        if given:
            raise ValueError(
                f"convention={convention!r} stands for {_shown(CONVENTIONS[convention]._asdict())}, but "
                f"{_shown(given)} was given too. Pass the convention alone, or all three without it."
            )
        return CONVENTIONS[convention]
    rules = Rules(**{**DEFAULTS._asdict(), **given})
    check_choice("gain", rules.gain, ("exponential", "linear"))
    check_choice("ties", rules.ties, ("mean", "pessimistic", "order"))
    check_choice("empty", rules.empty, ("skip", 0, 1))
    return rules


def _shown(rules: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in rules.items())


def gains_of(grades: NDArray[np.float64], gain: str) -> NDArray[np.float64]:
    """What each grade is worth, if it fits the gain: shape (n,)."""
    if grades.min() < 0:
        raise ValueError(
            f"y_true must be non-negative for a gain, got {grades.min():g} at row {grades.argmin()}. Shift the grades "
            "such that the least one is 0, or score the order alone with spearman_score or kendall_score."
        )
    if gain == "linear":
        return grades
    unfit = (grades > MAX_EXPONENT) | (grades != np.floor(grades))
    if unfit.any():
        raise ValueError(
            f"y_true must be whole numbers from 0 to {MAX_EXPONENT} for gain='exponential', got "
            f"{grades[unfit.argmax()]:g} at row {unfit.argmax()}. Pass gain='linear', or score the order alone with "
            "spearman_score or kendall_score."
        )
    return np.ldexp(1.0, grades.astype(np.int32)) - 1
