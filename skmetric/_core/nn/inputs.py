"""How the columns of a table enter a network: specs of encodings, what they learn from training rows, and their layers.

An encoding is an :class:`InputSpec`, a frozen value. Its ``fit`` looks at a table once, on the host and in float64, and
gives an :class:`InputState`; the state turns tables into float32 rows, and the spec builds the layer that the rows of a
stack of models pass first. A new encoding is a spec, a state and a layer, and a row in ``INPUTS``.
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

# Widths that depend on what is in a table are rounded up to a multiple of this, so that folds share a stack.
WIDTH_STEP = 16
# Standardized values are cut here, far beyond where bending them has done its work: their squares must not overflow.
FARTHEST = 1e9
# Rows that are looked at together: a table on disk is never in memory as a whole.
CHUNK_ROWS = 1 << 16


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of a table, checked.

    Attributes
    ----------
    numbers : array of shape (n, n_features)
        Finite numbers; may be a memory map.
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
        """Whether all rows are the same."""
        return bool((self.numbers == self.numbers[0]).all())

    def equals(self, other: "Columns") -> bool:
        """Whether two tables hold the same values."""
        return self.numbers is other.numbers or np.array_equal(self.numbers, other.numbers)


class InputState(Protocol):
    """What an encoding has learned from a table: host data, which is pickled with the model and never changed.

    Attributes
    ----------
    width : int
        Numbers that the layer gives per row. A width that depends on the values of a table is rounded up by
        :func:`round_up`; the unused slots at the end are 0.
    n_used : int
        How many of these numbers carry anything. Weights of the others are 0, and nothing is drawn for them.
    """

    @property
    def width(self) -> int: ...
    @property
    def n_used(self) -> int: ...

    def encode(self, columns: Columns) -> NDArray[np.float32]:
        """Turn a table into the rows (n, n_encoded) that the layer takes."""


class InputLayer(nn.Module):
    """The first layer of a stack: encoded rows (n_models, n, n_encoded) to inputs (n_models, n, width)."""

    @abstractmethod
    def forward(self, x: Tensor, models: slice = ALL) -> Tensor:
        """Give the inputs of some models for their rows."""


State = TypeVar("State", bound=InputState)


class InputSpec(Protocol[State]):
    """An encoding of columns: a frozen value, compared for equality, as models of a stack have equal ones."""

    def fit(self, columns: Columns, row_weights: NDArray | None, before: State | None = None) -> State:
        """Learn from the rows of a table, each with its weight (None: all alike), on the host and in float64.

        A network that goes on learning passes the state that it has had ``before``.
        """

    def build(self, states: Sequence[State], rngs: Sequence[np.random.Generator]) -> InputLayer:
        """Build the layer of a stack, one state and one generator per model."""


def round_up(n_used: int) -> int:
    """Round a width up to the next step: folds of a search differ by a few slots, and then have one width."""
    return -(-n_used // WIDTH_STEP) * WIDTH_STEP


@dataclass(frozen=True)
class PlainState:
    """Numbers as they are.

    Attributes
    ----------
    width, n_used : int
        Number of columns.
    """

    width: int
    n_used: int

    def encode(self, columns: Columns) -> NDArray[np.float32]:
        """Give the numbers as they are, in float32."""
        return columns.numbers.astype(np.float32, copy=False)


class PlainLayer(InputLayer):
    """Pass numbers on."""

    def forward(self, x: Tensor, models: slice = ALL) -> Tensor:
        """Give the rows as they are."""
        del models
        return x


@dataclass(frozen=True)
class PlainInputs:
    """Numbers as they are given."""

    def fit(self, columns: Columns, row_weights: NDArray | None, before: PlainState | None = None) -> PlainState:
        """Note the number of columns."""
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
        Mean, and one over the standard deviation; both are 0 where a column has not varied yet.
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
        """Give the numbers as they are, in float32: the layer scales them."""
        return columns.numbers.astype(np.float32, copy=False)

    def kept_from(self, before: Self | None) -> Self:
        """Keep the scaling of columns that varied before: a network that goes on learning keeps its inputs."""
        if before is None:
            return self
        is_known = before.inverse_scale != 0
        center = np.where(is_known, before.center, self.center)
        return type(self)(center, np.where(is_known, before.inverse_scale, self.inverse_scale))


@dataclass(frozen=True)
class ScaledInputs:
    r"""Standardize each column, and bend far values smoothly: :math:`z / \sqrt{1 + (z / c)^2}`.

    Near the mean nothing changes, and no value ends up farther than ``c`` standard deviations out. Shift and scale of a
    column therefore do not matter, and a heavy tail or a rarely used column cannot dominate. Columns that have not
    varied yet become 0.

    Attributes
    ----------
    limit : float, optional
        The bound c, in standard deviations. None: standardize only.
    """

    limit: float | None

    def fit(self, columns: Columns, row_weights: NDArray | None, before: ScalingState | None = None) -> ScalingState:
        """Take the weighted mean and standard deviation of each column."""
        mean, std = _moments(columns.numbers, row_weights)
        # Rounding leaves a constant column a tiny spread; dividing by that would turn rounding into signal.
        varies = std > 1e-6 * np.abs(mean)
        inverse = np.divide(1.0, std, out=np.zeros_like(std), where=varies)
        return ScalingState(np.where(varies, mean, 0.0), inverse).kept_from(before)

    def build(self, states: Sequence[ScalingState], rngs: Sequence[np.random.Generator]) -> "ScalingLayer":
        """Build the layer; nothing is drawn."""
        del rngs
        return ScalingLayer(states, self.limit)


class ScalingLayer(InputLayer):
    """Center and scale the columns, and bend them where there is a limit.

    Parameters
    ----------
    states : sequence of ScalingState
        One per model.
    limit : float or None
        Where values are bent to, in standard deviations.
    """

    center: Tensor
    inverse_scale: Tensor

    def __init__(self, states: Sequence[ScalingState], limit: float | None) -> None:
        super().__init__()
        self.limit = limit
        for name in ("center", "inverse_scale"):
            stacked = np.stack([getattr(state, name) for state in states])[:, None].astype(np.float32)
            # The state is pickled with the model: it is no weight.
            self.register_buffer(name, torch.from_numpy(stacked), persistent=False)

    def forward(self, x: Tensor, models: slice = ALL) -> Tensor:
        """Scale rows (n_models, n, n_features)."""
        z = (x - rows_of(self.center, models)) * rows_of(self.inverse_scale, models)
        if self.limit is None:
            return z
        z = z.clamp_(-FARTHEST, FARTHEST)
        return z * (z / self.limit).square_().add_(1.0).rsqrt_()


def _moments(table: NDArray, weights: NDArray | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and standard deviations of the columns."""
    shares = np.full(len(table), 1 / len(table)) if weights is None else weights / weights.sum()
    chunks = [slice(start, start + CHUNK_ROWS) for start in range(0, len(table), CHUNK_ROWS)]
    mean, square = np.zeros(table.shape[1]), np.zeros(table.shape[1])
    for chunk in chunks:
        mean += (shares[chunk, None] * table[chunk]).sum(0)
    for chunk in chunks:
        square += (shares[chunk, None] * np.square(table[chunk] - mean)).sum(0)
    return mean, np.sqrt(square)


# By the names that the estimators' ``inputs`` parameter gives them.
INPUTS: Mapping[str, InputSpec] = {
    "bounded": ScaledInputs(limit=3.0),
    "standard": ScaledInputs(limit=None),
    "none": PlainInputs(),
}
