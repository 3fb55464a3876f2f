"""Checks of the arguments of the preference functions."""

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._values import NUMBERS, read_values, refuse_missing

__all__ = ["check_alpha", "check_judgments", "check_n_items", "check_pairs"]

Codes = NDArray[np.intp]

# Two codes must fit into one int64 key.
CODE_LIMIT = 2**31


def check_judgments(tuples: ArrayLike, best: ArrayLike, worst: ArrayLike) -> tuple[Codes, Codes, Codes]:
    """Validate best-worst judgments: codes of shape (n_judgments, tuple_size) and twice (n_judgments,)."""
    shown = _codes(tuples, "tuples")
    if shown.ndim != 2 or len(shown) == 0 or shown.shape[1] < 2:
        raise ValueError(
            "tuples must have one judgment per row and two columns or more, shape (n_judgments, tuple_size), got shape "
            f"{shown.shape}. Pass the codes of the items that each judgment showed."
        )
    chosen = {name: _codes(values, name) for name, values in (("best", best), ("worst", worst))}
    for name, items in chosen.items():
        if items.shape != shown.shape[:1]:
            raise ValueError(
                f"{name} must have one item code per judgment, shape ({len(shown)},), got shape {items.shape}. Pass "
                "one item for each row of tuples."
            )
        _check_is_shown(shown, items, name)
    _check_differ_unless_repeated(shown, chosen["best"], chosen["worst"])
    return shown, chosen["best"], chosen["worst"]


def check_pairs(pairs: ArrayLike) -> Codes:
    """Validate pairs of two different items. Returns codes of shape (n_pairs, 2)."""
    codes = _codes(pairs, "pairs")
    if codes.ndim != 2 or len(codes) == 0 or codes.shape[1] != 2:
        raise ValueError(
            f"pairs must have one comparison per row and two columns, shape (n_pairs, 2), got shape {codes.shape}. "
            "Pass the codes of the two items that were compared."
        )
    same = codes[:, 0] == codes[:, 1]
    if same.any():
        row = same.argmax()
        raise ValueError(
            f"pairs must compare two different items, got item {codes[row, 0]} twice in row {row}. Leave out such "
            "rows: they contain no information."
        )
    return codes


def check_n_items(n_items: int | None, codes: Codes) -> int:
    """Return the number of items: ``n_items``, or one more than the largest code if it is None."""
    n_seen = int(codes.max()) + 1
    if n_items is None:
        return n_seen
    if isinstance(n_items, bool) or not isinstance(n_items, Integral):
        raise TypeError(
            f"n_items must be an integer or None, got {n_items!r} of type {type(n_items).__name__}. Pass len(X)."
        )
    if n_items < n_seen:
        raise ValueError(
            f"n_items must be larger than every item code, got n_items={n_items} and the code {n_seen - 1}. Pass "
            f"n_items >= {n_seen}, or n_items=None."
        )
    return int(n_items)


def check_alpha(alpha: float) -> float:
    """Validate the strength of a penalty: finite, not negative."""
    if isinstance(alpha, bool) or not isinstance(alpha, Real):
        raise TypeError(
            f"alpha must be a number, got {alpha!r} of type {type(alpha).__name__}. Pass alpha=0 for no penalty."
        )
    if not 0 <= alpha < np.inf:
        raise ValueError(f"alpha must be finite and not negative, got alpha={alpha}. Pass alpha=0 for no penalty.")
    return float(alpha)


def _codes(values: ArrayLike, name: str) -> Codes:
    read = read_values(values, name)
    codes = refuse_missing(read, name)
    if codes.size == 0:
        return codes.astype(np.intp)
    if read.kind != NUMBERS or not np.array_equal(codes, np.floor(codes)):
        shown = "numbers with fractions" if read.kind == NUMBERS else read.kind
        raise TypeError(
            f"{name} must hold integer item codes from 0, got {shown}. To convert names of items to codes, use "
            "np.unique(names, return_inverse=True)."
        )
    if name == "tuples" and (codes == -1).any():
        raise ValueError(
            "tuples must have equal size and hold item codes from 0, got -1. If -1 fills up smaller tuples, pass the "
            "tuples of each size in a separate call."
        )
    wrong = (codes < 0) | (codes >= CODE_LIMIT)
    if wrong.any():
        raise ValueError(
            f"{name} must hold item codes from 0 to 2**31 - 1, got {codes[wrong][0]}. Codes are row numbers of a table "
            "of items. To convert other numbers to codes, use np.unique(ids, return_inverse=True)."
        )
    return codes.astype(np.intp)


def _check_is_shown(tuples: Codes, items: Codes, name: str) -> None:
    missing = ~(tuples == items[:, np.newaxis]).any(axis=1)
    if missing.any():
        row = missing.argmax()
        raise ValueError(
            f"{name} must be an item of the tuple in the same row, got {name}={items[row]} and the tuple "
            f"{tuples[row].tolist()} in row {row}. Correct the row, or leave it out."
        )


def _check_differ_unless_repeated(tuples: Codes, best: Codes, worst: Codes) -> None:
    times = (tuples == best[:, np.newaxis]).sum(axis=1)
    wrong = (best == worst) & (times < 2)
    if wrong.any():
        row = wrong.argmax()
        raise ValueError(
            f"best and worst must differ, unless the tuple has the item twice, got item {best[row]} as both and the "
            f"tuple {tuples[row].tolist()} in row {row}. Correct the row, or leave it out."
        )
