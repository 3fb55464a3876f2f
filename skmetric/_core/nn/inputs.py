"""Input encodings: how the columns of a table enter a network.

An encoding has three parts. An :class:`InputSpec` is a frozen value. Its ``fit`` reads the training rows once, on the
host in float64, and returns an :class:`InputState`. The state turns tables into float32 rows, and the spec builds the
first layer of the network. To add an encoding, write a spec, a state and a layer, and add an entry to ``INPUTS``.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skmetric._core.nn.layers import ALL, rows_of

__all__ = ["INPUTS", "Columns", "InputLayer", "InputSpec", "InputState", "PlainInputs", "ScaledInputs", "round_up"]

# Widths that depend on the values of a table are rounded up to a multiple of this, so that folds can be in one stack.
WIDTH_STEP = 16
# Standardized values are clipped here, far beyond the range where the bound matters, so that squares do not overflow.
FARTHEST = 1e9
# Number of rows that are read at once, so that a table on disk is never in memory as a whole.
CHUNK_ROWS = 1 << 16


@dataclass(frozen=True, eq=False)
class Columns:
    """The checked columns of a table.

    Attributes
    ----------
    numbers : array of shape (n_samples, n_features)
        Finite numbers. May be a memory map.
    """

    numbers: NDArray

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return int(self.numbers.shape[1])

    def take(self, rows: NDArray[np.integer]) -> "Columns":
        """Select rows by their indices."""
        return Columns(self.numbers[rows])

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
        """Return the numbers unchanged, in float32."""
        return columns.numbers.astype(np.float32, copy=False)


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
    """Center and scale of each column.

    Attributes
    ----------
    center, inverse_scale : array of shape (n_features,), float64
        Mean, and one divided by the standard deviation. Both are 0 for a column that has been constant so far.
    """

    center: NDArray[np.float64]
    inverse_scale: NDArray[np.float64]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.center)

    @property
    def n_used(self) -> int:
        """Number of columns."""
        return len(self.center)

    def encode(self, columns: Columns) -> NDArray[np.float32]:
        """Return the numbers unchanged, in float32. The layer scales them."""
        return columns.numbers.astype(np.float32, copy=False)

    def kept_from(self, before: Self | None) -> Self:
        """Keep the scaling of columns that varied before, so that a network in continued training keeps its inputs."""
        if before is None:
            return self
        is_known = before.inverse_scale != 0
        center = np.where(is_known, before.center, self.center)
        return type(self)(center, np.where(is_known, before.inverse_scale, self.inverse_scale))


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
        """Compute the weighted mean and standard deviation of each column."""
        mean, std = _moments(columns.numbers, row_weights)
        # A constant column has a tiny spread from rounding. Dividing by it would turn rounding errors into signal.
        varies = std > 1e-6 * np.abs(mean)
        inverse = np.divide(1.0, std, out=np.zeros_like(std), where=varies)
        return ScalingState(np.where(varies, mean, 0.0), inverse).kept_from(before)

    def build(self, states: Sequence[ScalingState], rngs: Sequence[np.random.Generator]) -> "ScalingLayer":
        """Build the layer, without random numbers."""
        del rngs
        return ScalingLayer(states, self.limit)


class ScalingLayer(InputLayer):
    """Center and scale the columns, and bound them if there is a limit.

    Parameters
    ----------
    states : sequence of ScalingState
        One state per model.
    limit : float or None
        Bound of the values, in standard deviations.
    """

    center: Tensor
    inverse_scale: Tensor

    def __init__(self, states: Sequence[ScalingState], limit: float | None) -> None:
        super().__init__()
        self.limit = limit
        for name in ("center", "inverse_scale"):
            stacked = np.stack([getattr(state, name) for state in states])[:, None].astype(np.float32)
            # Not persistent: these are no weights, and the state is pickled with the model.
            self.register_buffer(name, torch.from_numpy(stacked), persistent=False)

    def forward(self, x: Tensor, models: slice = ALL) -> Tensor:
        """Scale rows (n_models, n, n_features)."""
        z = (x - rows_of(self.center, models)) * rows_of(self.inverse_scale, models)
        if self.limit is None:
            return z
        z = z.clamp_(-FARTHEST, FARTHEST)
        return z * (z / self.limit).square_().add_(1.0).rsqrt_()


def _moments(table: NDArray, weights: NDArray | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the means and standard deviations of the columns."""
    shares = np.full(len(table), 1 / len(table)) if weights is None else weights / weights.sum()
    chunks = [slice(start, start + CHUNK_ROWS) for start in range(0, len(table), CHUNK_ROWS)]
    mean, square = np.zeros(table.shape[1]), np.zeros(table.shape[1])
    for chunk in chunks:
        mean += (shares[chunk, None] * table[chunk]).sum(0)
    for chunk in chunks:
        square += (shares[chunk, None] * np.square(table[chunk] - mean)).sum(0)
    return mean, np.sqrt(square)


# The keys are the values of the estimators' parameter ``inputs``.
INPUTS: Mapping[str, InputSpec] = {
    "bounded": ScaledInputs(limit=3.0),
    "standard": ScaledInputs(limit=None),
    "none": PlainInputs(),
}
