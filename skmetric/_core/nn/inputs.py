"""Input encodings: how the columns of a table enter a network.

An encoding has three parts. An :class:`InputSpec` is a frozen value. Its ``fit`` reads the training rows once, on the
host in float64, and returns an :class:`InputState`. The state turns tables into float32 rows, and the spec builds the
first layer of the network. To add an encoding, write a spec, a state and a layer, and add an entry to ``INPUTS``.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from mmap import mmap
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from skmetric._core.nn.layers import ALL
from skmetric._warnings import warn_caller

__all__ = [
    "INPUTS",
    "Columns",
    "EncodedRows",
    "InputLayer",
    "InputSpec",
    "InputState",
    "PlainInputs",
    "ScaledInputs",
    "encode_rows",
    "round_up",
]

# Widths that depend on the values of a table are rounded up to a multiple of this, so that folds can be in one stack.
WIDTH_STEP = 16
# Standardized values are clipped here, far beyond the range where the bound matters, so that squares do not overflow.
FARTHEST = 1e9
# Number of values that are read at once, so that a table on disk is never in memory as a whole.
CHUNK_VALUES = 1 << 20
# A column whose values span at most this many rounding errors of its largest value is treated as constant.
ROUNDING_ERRORS = 8
# Number of columns that a warning names.
NAMED = 5


@dataclass(frozen=True, eq=False)
class Columns:
    """The checked columns of a table.

    Attributes
    ----------
    numbers : array of shape (n_samples, n_features), float32 or float64
        Finite numbers. May be a memory map.
    names : sequence of str, optional
        Names of the columns, for messages.
    """

    numbers: NDArray[np.floating]
    names: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return int(self.numbers.shape[1])

    @property
    def are_on_disk(self) -> bool:
        """Whether the numbers are a memory map, which must not be read as a whole."""
        owner: Any = self.numbers
        while owner is not None and not isinstance(owner, np.memmap | mmap):
            owner = getattr(owner, "base", None)
        return owner is not None

    def take(self, rows: NDArray[np.integer] | slice) -> "Columns":
        """Select rows by their indices."""
        return Columns(self.numbers[rows], self.names)

    def chunks(self) -> list[slice]:
        """Cut the rows into pieces of a few megabytes."""
        length = max(1, CHUNK_VALUES // max(1, self.n_features))
        return [slice(start, start + length) for start in range(0, len(self), length)]

    def are_equal(self) -> bool:
        """Whether all rows are equal."""
        return bool((self.numbers == self.numbers[0]).all())

    def equals(self, other: "Columns") -> bool:
        """Whether two tables hold the same values."""
        return self.numbers is other.numbers or np.array_equal(self.numbers, other.numbers)


class InputState(Protocol):
    """State of an encoding, learned from a table. It is pickled with the model and never changes.

    Attributes
    ----------
    width : int
        Number of outputs of the layer per row. A width that depends on the values of a table is rounded up by
        :func:`round_up`; the unused outputs at the end are 0.
    n_used : int
        Number of outputs that are used. The weights of the others are 0, and no random numbers are drawn for them.
    """

    @property
    def width(self) -> int: ...
    @property
    def n_used(self) -> int: ...

    def encode(self, columns: Columns) -> NDArray[np.float32]:
        """Turn a table into rows for the layer, (n_samples, n_encoded)."""


class EncodedRows:
    """Rows of a table that are encoded when they are selected, so that the encoded table is never in memory.

    Parameters
    ----------
    state : InputState
        State of the encoding.
    columns : Columns
        The table.
    """

    def __init__(self, state: InputState, columns: Columns) -> None:
        self._state, self._columns = state, columns

    def __len__(self) -> int:
        return len(self._columns)

    def __getitem__(self, rows: NDArray[np.integer] | slice) -> NDArray[np.float32]:
        return self._state.encode(self._columns.take(rows))

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the encoded table."""
        return len(self), self[:1].shape[1]

    @property
    def nbytes(self) -> int:
        """Number of bytes of the encoded table."""
        return int(np.prod(self.shape)) * np.dtype(np.float32).itemsize


def encode_rows(state: InputState, columns: Columns) -> NDArray[np.float32] | EncodedRows:
    """Encode a table at once, or later and row by row if it is on disk."""
    return EncodedRows(state, columns) if columns.are_on_disk else state.encode(columns)


class InputLayer(nn.Module):
    """First layer of a stack, from encoded rows (n_models, n, n_encoded) to inputs (n_models, n, width)."""

    @abstractmethod
    def forward(self, x: Tensor, models: slice = ALL) -> Tensor:
        """Return the inputs of some models for their rows."""


State = TypeVar("State", bound=InputState)


class InputSpec(Protocol[State]):
    """An encoding of columns: a frozen value. Models can train in one stack only if their encodings are equal.

    Attributes
    ----------
    summary : str
        What it does, in a sentence for the user guide.
    """

    @property
    def summary(self) -> str: ...

    def fit(self, columns: Columns, row_weights: NDArray | None, before: State | None = None) -> State:
        """Learn the state from the rows of a table, on the host in float64.

        ``row_weights`` has one weight per row; None means equal weights. If training of a network continues, ``before``
        is its state so far.
        """

    def build(self, states: Sequence[State], rngs: Sequence[np.random.Generator]) -> InputLayer:
        """Build the layer of a stack from one state and one generator per model."""


def round_up(n_used: int) -> int:
    """Round a width up to a multiple of ``WIDTH_STEP``, so that folds with similar widths have the same width."""
    return -(-n_used // WIDTH_STEP) * WIDTH_STEP


@dataclass(frozen=True)
class PlainState:
    """State of unchanged columns.

    Attributes
    ----------
    width, n_used : int
        Number of columns.
    """

    width: int
    n_used: int

    def encode(self, columns: Columns) -> NDArray[np.float32]:
        """Return the numbers unchanged, in float32. Raise if one is too large for it."""
        with np.errstate(over="ignore"):
            numbers = columns.numbers.astype(np.float32, copy=False)
        if columns.numbers.dtype != np.float32 and not np.isfinite(numbers).all():
            row, column = np.argwhere(~np.isfinite(numbers))[0]
            raise ValueError(
                f"X must fit into float32, because inputs='none' and modules use columns as given, got "
                f"{columns.numbers[row, column]:g} in column {column}. Scale it, or use inputs='bounded'."
            )
        return numbers


class PlainLayer(InputLayer):
    """Layer that returns its inputs."""

    def forward(self, x: Tensor, models: slice = ALL) -> Tensor:
        """Return the rows unchanged."""
        del models
        return x


@dataclass(frozen=True)
class PlainInputs:
    """Encoding that uses the columns unchanged."""

    @property
    def summary(self) -> str:
        """What it does, in a sentence for the user guide."""
        return "Uses the columns as given: scale them before, in a Pipeline."

    def fit(self, columns: Columns, row_weights: NDArray | None, before: PlainState | None = None) -> PlainState:
        """Store the number of columns."""
        del row_weights, before
        return PlainState(columns.n_features, columns.n_features)

    def build(self, states: Sequence[PlainState], rngs: Sequence[np.random.Generator]) -> PlainLayer:
        """Build a layer without parameters."""
        del states, rngs
        return PlainLayer()


@dataclass(frozen=True, eq=False)
class ScalingState:
    """Shift and scale of each column: z = (unit * x - origin - center) / scale.

    Attributes
    ----------
    unit : array of shape (n_features,), float64
        A power of two that brings the largest training value near 1, so that squares neither overflow nor underflow.
    origin, center, scale : array of shape (n_features,), float64
        The lowest value, the mean minus the lowest value, and the standard deviation, all times ``unit``. Differences
        to a value of the column keep digits that would be lost beside a large mean. The scale of a column that has been
        constant so far is 0.
    """

    unit: NDArray[np.float64]
    origin: NDArray[np.float64]
    center: NDArray[np.float64]
    scale: NDArray[np.float64]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.scale)

    @property
    def n_used(self) -> int:
        """Number of columns."""
        return len(self.scale)

    @property
    def varies(self) -> NDArray[np.bool_]:
        """Whether each column has varied so far."""
        return self.scale > 0

    def encode(self, columns: Columns) -> NDArray[np.float32]:
        """Standardize each column in float64, then convert it to float32. Constant columns become 0."""
        encoded = np.empty(columns.numbers.shape, dtype=np.float32)
        divisor = np.where(self.varies, self.scale, 1.0)
        for chunk in columns.chunks():
            # A row far outside the range of the training rows may overflow. It is clipped.
            with np.errstate(over="ignore"):
                z = columns.numbers[chunk] * self.unit
                z -= self.origin
                z -= self.center
                z[:, ~self.varies] = 0.0
                z /= divisor
            encoded[chunk] = np.clip(z, -FARTHEST, FARTHEST, out=z)
        return encoded

    def kept_from(self, before: Self | None) -> Self:
        """Keep the scaling of columns that varied before, so that a network in continued training keeps its inputs."""
        if before is None:
            return self
        kept = ("unit", "origin", "center", "scale")
        return type(self)(*(np.where(before.varies, getattr(before, name), getattr(self, name)) for name in kept))


@dataclass(frozen=True)
class ScaledInputs:
    r"""Standardize each column, then bound its values smoothly: :math:`z / \sqrt{1 + (z / c)^2}`.

    Values near the mean hardly change, and all results lie within ``c`` standard deviations. Shift and scale of a
    column therefore do not matter, and columns with a heavy tail or rare values cannot dominate. Columns that have been
    constant so far become 0.

    Attributes
    ----------
    limit : float, optional
        The bound c, in standard deviations. None: only standardize.
    """

    limit: float | None

    @property
    def summary(self) -> str:
        """What it does, in a sentence for the user guide."""
        if self.limit is None:
            return "Standardizes each column. With `hidden_layer_sizes=()` the model is linear."
        return (
            f"Standardizes each column, then smoothly bends values beyond about {self.limit:g} standard deviations, so "
            "that neither units nor outliers matter."
        )

    def fit(self, columns: Columns, row_weights: NDArray | None, before: ScalingState | None = None) -> ScalingState:
        """Compute the weighted mean and standard deviation of each column. Warn about columns of rounding errors."""
        low, high = _ranges(columns, row_weights)
        largest = np.maximum(np.abs(low), np.abs(high))
        unit = np.ldexp(1.0, np.clip(-np.frexp(largest)[1], -1022, 1023))
        low, spread = low * unit, high * unit - low * unit
        # The spread of a constant column may be rounding errors. Dividing by it would turn them into signal.
        is_noise = spread <= ROUNDING_ERRORS * np.finfo(columns.numbers.dtype).eps * largest * unit
        center, std = _moments(columns, row_weights, unit, low)
        state = ScalingState(unit, low, center, np.where(is_noise, 0.0, std)).kept_from(before)
        _warn_about(columns, np.flatnonzero(is_noise & (spread > 0) & ~state.varies))
        return state

    def build(self, states: Sequence[ScalingState], rngs: Sequence[np.random.Generator]) -> InputLayer:
        """Build the layer, without parameters."""
        del states, rngs
        return PlainLayer() if self.limit is None else BendingLayer(self.limit)


class BendingLayer(InputLayer):
    """Bound standardized columns smoothly.

    Parameters
    ----------
    limit : float
        Bound of the values, in standard deviations.
    """

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.limit = limit

    def forward(self, x: Tensor, models: slice = ALL) -> Tensor:
        """Bend rows (n_models, n, n_features)."""
        del models
        return x * (x / self.limit).square_().add_(1.0).rsqrt_()


def _counted(columns: Columns, weights: NDArray | None) -> Iterator[tuple[NDArray, NDArray[np.float64]]]:
    """Yield the rows with a positive weight, piece by piece, and their shares in the sum of all weights."""
    shares = np.full(len(columns), 1 / len(columns)) if weights is None else weights / weights.sum()
    for chunk in columns.chunks():
        rows, its = columns.numbers[chunk], shares[chunk]
        yield (rows, its) if (its > 0).all() else (rows[its > 0], its[its > 0])


def _ranges(columns: Columns, weights: NDArray | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the lowest and the highest value of each column."""
    low, high = np.full(columns.n_features, np.inf), np.full(columns.n_features, -np.inf)
    for rows, _ in _counted(columns, weights):
        low, high = np.minimum(low, rows.min(0, initial=np.inf)), np.maximum(high, rows.max(0, initial=-np.inf))
    return low, high


def _moments(
    columns: Columns, weights: NDArray | None, unit: NDArray[np.float64], origin: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the means and standard deviations of unit * x - origin."""
    mean, square = np.zeros(columns.n_features), np.zeros(columns.n_features)
    for rows, shares in _counted(columns, weights):
        mean += (shares[:, None] * (rows * unit - origin)).sum(0)
    for rows, shares in _counted(columns, weights):
        square += (shares[:, None] * np.square(rows * unit - origin - mean)).sum(0)
    return mean, np.sqrt(square)


def _warn_about(columns: Columns, noisy: NDArray[np.integer]) -> None:
    """Warn that columns with different values are ignored."""
    if not len(noisy):
        return
    shown = [str(column) if columns.names is None else repr(columns.names[column]) for column in noisy[:NAMED]]
    more = f" and {len(noisy) - NAMED} more" if len(noisy) > NAMED else ""
    dtype = columns.numbers.dtype
    cure = "pass X in float64" if dtype == np.float32 else "subtract an offset where they are computed"
    warn_caller(
        f"X varies in column {', '.join(shown)}{more} by at most {ROUNDING_ERRORS} rounding errors of {dtype}: such a "
        f"column is ignored, as a constant column is. If its differences matter, {cure}."
    )


# The keys are the values of the estimators' parameter ``inputs``.
INPUTS: Mapping[str, InputSpec] = {
    "bounded": ScaledInputs(limit=3.0),
    "standard": ScaledInputs(limit=None),
    "none": PlainInputs(),
}
