"""Read one value per row in any form: labels, targets, grades, group ids, weights, outcomes. numpy only.

Arrays, lists, Series of pandas and polars, nullable types and masked arrays are read by the same rules: a missing value
is missing in every form, and all values are of one kind.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from numbers import Complex, Real
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BOOLEANS",
    "NUMBERS",
    "TEXT",
    "Values",
    "check_numbers",
    "check_shape",
    "read_labels",
    "read_values",
    "refuse_masked",
    "refuse_missing",
]

BOOLEANS, NUMBERS, COMPLEX, TEXT, DATES = "booleans", "numbers", "complex numbers", "text", "dates"
KINDS = {
    "b": BOOLEANS,
    "c": COMPLEX,
    "S": "bytes",
    "i": NUMBERS,
    "u": NUMBERS,
    "f": NUMBERS,
    "U": TEXT,
    "M": DATES,
    "m": "durations",
}
# float64 holds whole numbers exactly up to here.
EXACT = 2.0**53
NESTED = {"list", "tuple", "ndarray"}
# More general types come later.
KIND_OF_TYPE: tuple[tuple[type | tuple[type, ...], str], ...] = (
    ((bool, np.bool_), BOOLEANS),
    (Real, NUMBERS),
    (Complex, COMPLEX),
    (str, TEXT),
    (bytes, "bytes"),
    ((date, np.datetime64), DATES),
    ((timedelta, np.timedelta64), "durations"),
)


@dataclass(frozen=True, eq=False)
class Values:
    """Values of one kind, and which of them are missing.

    Attributes
    ----------
    array : ndarray
        The values. A missing one has an arbitrary value of the same kind.
    kind : str
        "booleans", "numbers", "text", "dates", or another name for messages.
    is_missing : ndarray of bool, same shape
        Whether each value is missing: None, NaN, NaT, pandas.NA, null, or masked.
    """

    array: NDArray[Any]
    kind: str
    is_missing: NDArray[np.bool_]


def read_values(values: ArrayLike, name: str) -> Values:
    """Read values of any shape except a single one.

    Raises
    ------
    ValueError
        If ``values`` is a single value, a sparse array, or rows of different lengths.
    TypeError
        If the values are of different kinds, such as numbers and text.
    """
    array = _as_array(values, name)
    return _values_of(array, _missing(array, values), name, is_list=not _is_array(values))


def read_labels(values: ArrayLike, name: str, unlabeled: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Read labels, and whether each is known: it does not equal ``unlabeled``. None means that all are known.

    If ``unlabeled`` is a missing value, such as NaN, the label of each missing value is unknown. An unknown label has
    an arbitrary value of the kind of the others.
    """
    array = _as_array(values, name)
    is_missing = _missing(array, values)
    is_unknown = _is_unlabeled(array, is_missing, unlabeled)
    read = _values_of(array, is_missing | is_unknown, name, is_list=not _is_array(values))
    refuse_missing(Values(read.array, read.kind, is_missing & ~is_unknown), name)
    return read.array, ~is_unknown


def _is_unlabeled(array: NDArray[Any], is_missing: NDArray[np.bool_], unlabeled: Any) -> NDArray[np.bool_]:
    if unlabeled is None:
        return np.zeros(array.shape, dtype=bool)
    if _is_missing(unlabeled):
        return is_missing
    if array.dtype.kind in "biuf" and isinstance(unlabeled, Real):
        return np.asarray(array == unlabeled)
    # One by one, because numpy does not compare numbers with text.
    pairs = [*zip(array.ravel().tolist(), is_missing.ravel().tolist(), strict=True)]
    equal = np.array([not missing and label == unlabeled for label, missing in pairs], dtype=bool)
    spelled = next((label for label, missing in pairs if not missing and str(label) == str(unlabeled)), None)
    if spelled is not None and not equal.any():
        raise ValueError(
            f"unlabeled must be of the kind of the labels, got {unlabeled!r} beside labels such as {spelled!r}. Pass "
            f"unlabeled={spelled!r}, or convert the labels."
        )
    return equal.reshape(array.shape)


def refuse_missing(values: Values, name: str, per: str = "row") -> NDArray[Any]:
    """Return the values, or raise if some are missing."""
    rows = np.argwhere(values.is_missing)
    if len(rows):
        in_all = "" if len(rows) == 1 else f", and {len(rows)} missing values in all"
        raise ValueError(
            f"{name} must have no missing values (NaN, None, NaT, NA, masked), got one in {per} {rows[0][0]}{in_all}. "
            f"Drop such {per}s, or fill in their values."
        )
    return values.array


def refuse_masked(X: Any, name: str) -> None:
    """Raise if values of a table are masked: scikit-learn's checks would drop the mask."""
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        raise ValueError(
            f"{name} must have no masked values, got {int(np.ma.getmaskarray(X).sum())} of them. Impute them, for "
            f"example by SimpleImputer on {name}.filled(np.nan)."
        )


def check_shape(array: NDArray[Any], name: str, what: str, per: str = "row") -> NDArray[Any]:
    """Return one value per row, shape (n_samples,), or raise. A single column is flattened."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"{name} must have one {what} per {per}, shape (n_{'samples' if per == 'row' else per + 's'},), got shape "
            f"{array.shape}. Pass one column, for example {name}[:, 0]."
        )
    return array


def check_numbers(values: ArrayLike, name: str, per: str = "row") -> NDArray[np.floating]:
    """Read numbers or booleans of any shape, in float64 unless they are float32. They may be infinite, not missing."""
    read = read_values(values, name)
    if read.array.size and read.kind not in (BOOLEANS, NUMBERS):
        _refuse_kind(read, name)
    array = refuse_missing(read, name, per)
    if array.dtype == np.float32:
        return array
    numbers = array.astype(np.float64)
    if array.dtype.kind in "iu" and array.size and np.abs(numbers).max() > EXACT and not _is_exact(numbers, array):
        raise ValueError(
            f"{name} must hold numbers that float64 holds exactly, got whole numbers such as {array.ravel()[0]}, "
            f"beyond 2**53. Subtract an offset first, for example {name} - {name}.min()."
        )
    return numbers


def _is_exact(numbers: NDArray[np.float64], integers: NDArray[np.integer]) -> bool:
    with np.errstate(invalid="ignore"):
        return bool((numbers.astype(integers.dtype) == integers).all())


def _as_array(values: ArrayLike, name: str) -> NDArray[Any]:
    if type(values).__module__.startswith("scipy.sparse"):
        raise ValueError(f"{name} must be dense, got a sparse array. Pass {name}.toarray().ravel().")
    # In a list, numpy would convert numbers beside text to text, and a missing value to the text "nan".
    array = np.asarray(values) if _is_array(values) else np.asarray(values, dtype=object)
    if array.ndim == 0:
        shown = repr(values) if np.isscalar(values) or values is None else f"an object of type {type(values).__name__}"
        raise ValueError(f"{name} must have one value per row, got {shown}. Pass an array or a list of values.")
    return array.astype(object) if array.dtype.kind == "T" else array


def _is_array(values: Any) -> bool:
    return hasattr(values, "__array__")


def _missing(array: NDArray[Any], values: ArrayLike) -> NDArray[np.bool_]:
    """Return whether each value is missing; ``values`` are those of the user, which may be masked."""
    if array.dtype == object:
        is_missing = np.frompyfunc(_is_missing, 1, 1)(array).astype(bool)
    elif array.dtype.kind in "fcMm":
        is_missing = array != array
    else:
        is_missing = np.zeros(array.shape, dtype=bool)
    return is_missing | np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else is_missing


def _values_of(array: NDArray[Any], is_missing: NDArray[np.bool_], name: str, *, is_list: bool) -> Values:
    known = array[~is_missing]
    if array.dtype != object:
        kind = KINDS.get(array.dtype.kind, str(array.dtype))
        return Values(_filled(array, known, is_missing) if is_missing.any() else array, kind, is_missing)
    kind = _only_kind(known, name)
    if kind in (BOOLEANS, NUMBERS) or (kind == TEXT and is_list):
        natural = np.asarray(known.tolist())
        # Whole numbers beyond 64 bits stay Python's. So do numbers that float64 does not hold exactly, as of several
        # integer types.
        is_exact = natural.dtype.kind != "f" or np.abs(natural[np.isfinite(natural)]).max(initial=0.0) <= EXACT
        known = natural if natural.dtype != object and is_exact else known
    return Values(_filled(array, known, is_missing), kind, is_missing)


def _is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, NaT or pandas.NA: not equal to itself, or not comparable to itself."""
    try:
        return value is None or bool(value != value)
    except TypeError:
        return True
    except ValueError:  # an array
        return False


def _only_kind(known: NDArray[Any], name: str) -> str:
    """Return the kind of all values, or raise if there are several."""
    example = {_kind_of(type(value)): value for value in _one_per_type(known.tolist())}
    if not NESTED.isdisjoint(example):
        raise ValueError(
            f"{name} must have one value per row, got rows with several values or of different lengths. Pass one value "
            "per row; number combinations of values first, for example by frame.groupby([...]).ngroup() of pandas."
        )
    if len(example) > 1:
        shown = ", ".join(f"{value!r} ({kind})" for kind, value in example.items())
        raise TypeError(
            f"{name} must hold values of one kind, got {shown}. Convert all values to one type, for instance to str."
        )
    return next(iter(example), NUMBERS)


def _one_per_type(values: Iterable[Any]) -> Iterable[Any]:
    return {type(value): value for value in values}.values()


def _kind_of(given: type) -> str:
    return next((kind for types, kind in KIND_OF_TYPE if issubclass(given, types)), given.__name__)


def _filled(array: NDArray[Any], known: NDArray[Any], is_missing: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the known values; a missing one gets the first of them."""
    if not len(known):
        return np.zeros(array.shape)
    filled = np.empty(array.shape, dtype=known.dtype)
    filled[~is_missing], filled[is_missing] = known, known[0]
    return filled


def _refuse_kind(read: Values, name: str) -> NoReturn:
    value = read.array[~read.is_missing].ravel()[:1].tolist()
    advice = {
        TEXT: "Convert it: text that spells numbers by astype(float), ordered grades by OrdinalEncoder(categories=)",
        COMPLEX: "Complex data not supported: pass their real parts",
        DATES: "Convert dates to numbers, for example to days since a fixed date",
    }.get(read.kind, "Convert them to floats")
    raise ValueError(f"{name} must hold numbers, got {read.kind}, such as {', '.join(map(repr, value))}. {advice}.")
