"""Read the outcome of pairs: similar or dissimilar, or which of the two wins. numpy only."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._values import BOOLEANS, NUMBERS, Values, check_shape, read_values, refuse_missing

__all__ = ["SIMILARITY", "WINNER", "OutcomeKind", "Question", "read_outcomes"]


@dataclass(frozen=True)
class Question:
    """What an outcome says about a pair.

    Attributes
    ----------
    positive, negative : str
        Meaning of 1 (or True), and of -1 (or False).
    tie : str, optional
        Meaning of 0. None: 0 has no meaning.
    """

    positive: str
    negative: str
    tie: str | None = None

    @property
    def rule(self) -> str:
        """The values that an outcome may have, for messages."""
        tie = f", 0 ({self.tie})" if self.tie else ""
        return f"1 ({self.positive}), -1 ({self.negative}){tie}, or booleans (True: {self.positive})"


SIMILARITY = Question("similar", "dissimilar")
WINNER = Question("the first wins", "the second wins", "a tie")


@dataclass(frozen=True)
class OutcomeKind:
    """In which form outcomes are given.

    Attributes
    ----------
    are_booleans : bool
        Whether they are booleans.
    have_ties : bool
        Whether 0 means a tie.
    """

    are_booleans: bool = False
    have_ties: bool = False

    def predictions(self, above: NDArray[np.floating]) -> NDArray[Any]:
        """Return predicted outcomes in this form, from numbers that are above 0 for a positive outcome."""
        return above > 0 if self.are_booleans else np.sign(above).astype(np.int64)


def read_outcomes(
    y: ArrayLike | None, n: int, question: Question, *, name: str = "y", ties: bool = False
) -> tuple[NDArray[np.int64], OutcomeKind]:
    """Read the outcomes of ``n`` pairs as 1, -1 or 0, and their form. None means that all are positive.

    ``ties`` means that 0 is known to be a tie. Otherwise, 0 without any -1 raises an error: it may as well mean the
    negative outcome.
    """
    if y is None:
        return np.ones(n, dtype=np.int64), OutcomeKind(have_ties=ties)
    read = read_values(y, name)
    outcome = check_shape(refuse_missing(read, name, "pair"), name, "outcome", "pair")
    if len(outcome) != n:
        raise ValueError(
            f"{name} must have one outcome per pair, got {len(outcome)} for {n} pairs. Pass {question.rule}."
        )
    if read.kind == BOOLEANS:
        return np.where(outcome, 1, -1), OutcomeKind(are_booleans=True, have_ties=ties)
    signs = _signs(read, outcome, question, name)
    has_zeros = bool((signs == 0).any())
    if has_zeros and not ties and not (signs == -1).any():
        _refuse_zeros(question, name)
    return signs, OutcomeKind(have_ties=ties or has_zeros)


def _signs(read: Values, outcome: NDArray[Any], question: Question, name: str) -> NDArray[np.int64]:
    is_known = np.isin(outcome, (-1, 0, 1)) if read.kind == NUMBERS else np.zeros(len(outcome), dtype=bool)
    if question.tie is None and is_known.all() and not (outcome == -1).any() and (outcome == 0).any():
        _refuse_zeros(question, name)
    if question.tie is None:
        is_known &= outcome != 0
    if not is_known.all():
        pair = int(is_known.argmin())
        raise ValueError(
            f"{name} must be {question.rule}, got {outcome.tolist()[pair]!r} at pair {pair}. Convert the outcomes, for "
            "example by np.where(condition, 1, -1)."
        )
    return outcome.astype(np.int64)


def _refuse_zeros(question: Question, name: str) -> None:
    if question.tie is None:
        raise ValueError(
            f"{name} must be {question.rule}, got 0 and no -1. If 0 means {question.negative}, pass 2 * {name} - 1."
        )
    raise ValueError(
        f"{name} must show what 0 means, got 0 and no -1. If 0 means that {question.negative}, pass 2 * {name} - 1. If "
        f"0 means {question.tie}, set ties=True."
    )
