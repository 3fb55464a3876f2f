"""Values between the arguments of ``fit`` and a plan: the contract between the tasks and the base class."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from skmetric._core.engine import FitPlan
from skmetric._core.engine.plan import Sampler
from skmetric._core.nn import Columns, EncodedRows, InputSpec, InputState, encode_rows

__all__ = ["Batches", "Given", "Indices", "InputFits", "Prepared", "TrainingData"]

Indices: TypeAlias = NDArray[np.integer]
Rows: TypeAlias = NDArray[np.float32] | EncodedRows

# Names of the arguments of ``fit`` that hold a validation set.
VALIDATION = ("X_val", "y_val", "groups_val")


@dataclass(frozen=True, eq=False)
class Given:
    """The arguments of ``fit``, unchanged, as callbacks get them.

    Attributes
    ----------
    X, y : object
        As passed by the user.
    metadata : mapping of str to object
        All other arguments that are not None, by name: ``sample_weight``, ``groups``, ``X_val``, ...
    """

    X: Any
    y: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, X: Any, y: Any = None, **metadata: Any) -> Self:
        """Collect the arguments that are not None."""
        return cls(X, y, {name: value for name, value in metadata.items() if value is not None})

    @property
    def for_callbacks(self) -> dict[str, Any]:
        """Keyword arguments for scikit-learn's callbacks, which score the training rows with their metadata."""
        metadata = {name: value for name, value in self.metadata.items() if name not in VALIDATION}
        return {"X": self.X, "y": self.y, "metadata": metadata or None}

    def validation(self, early_stopping: bool, needs_y: bool = True) -> "Given | None":
        """Return the validation set, or None. Raise if it is incomplete, or if early stopping is off."""
        present = [name for name in VALIDATION if name in self.metadata]
        if present and not early_stopping:
            raise ValueError(
                f"{' and '.join(present)} must be None without early stopping, got a validation set. Set "
                "early_stopping=True, or leave it out."
            )
        needed = [name for name in VALIDATION if name in present or name == "X_val" or (name == "y_val" and needs_y)]
        if 0 < len(present) < len(needed):
            names = " and ".join(needed) if len(needed) < 3 else ", ".join(needed)
            raise ValueError(f"{names} must be given together, got only {' and '.join(present)}. Pass all of them.")
        if not present:
            return None
        X, y, groups = (self.metadata.get(name) for name in VALIDATION)
        return Given.of(X, y, groups=groups)


@dataclass(frozen=True, eq=False)
class Batches:
    """Training data in the form that the engine needs; see :class:`FitPlan` for the attributes that both have.

    Attributes
    ----------
    row_weights : array of shape (n_samples,), optional
        Weight of each row when the encoding of the columns is fitted; 0 for held-out rows. None: equal weights.
    block_length : int, optional
        Number of consecutive items of one class, in batches of classes x rows.
    """

    sampler: Sampler
    row_weights: NDArray | None = None
    items: NDArray | None = None
    values: NDArray | None = None
    bins: NDArray | None = None
    block_length: int | None = None
    share_rows: bool = False
    chunk_length: int | None = None
    memory_size: int = 0


Batching = TypeVar("Batching", contravariant=True)


class TrainingData(Protocol[Batching]):
    """The checked data of ``fit``: labeled rows, tuples, grouped rows, preferences or rows with targets.

    Attributes
    ----------
    columns : Columns
        The table of which items are rows.
    needs_y : bool
        Whether a validation set needs targets as well.
    """

    @property
    def columns(self) -> Columns: ...  # noqa: D102
    @property
    def needs_y(self) -> bool: ...  # noqa: D102

    def usable(self) -> Indices:
        """Return the indices of the rows, tuples or items that training can use."""

    def hold_out(self, fraction: float, rng: np.random.Generator) -> tuple[Indices, Self]:
        """Return the indices of the training part, and the held-out part as data."""

    def batches(self, train: Indices, batching: Batching) -> Batches:
        """Return the sampler of the training part, and the values that the objective gets for each item."""


Data = TypeVar("Data")
Choice = TypeVar("Choice")


@dataclass(frozen=True, eq=False)
class Prepared(Generic[Data, Choice]):
    """Everything that is decided before training. None of it is stored on the estimator.

    Attributes
    ----------
    plan : FitPlan
        The plan for the engine. It may be sent to other processes.
    data : TrainingData
        The checked arguments.
    batches : Batches
        The training data as they entered the plan.
    choice : object
        What was resolved from the data: "auto" losses, units of the targets, ...
    given : Given
        The arguments as passed by the user.
    held_out : TrainingData, optional
        The checked data for early stopping.
    earlier : list of dict, optional
        History of the epochs before this call of ``partial_fit``; None for ``fit``.
    """

    plan: FitPlan
    data: Data
    batches: Batches
    choice: Choice
    given: Given
    held_out: Data | None = None
    earlier: list[dict[str, Any]] | None = None


class InputFits:
    """Cache of fitted encodings and encoded tables: candidates of a fold have equal tables and training rows."""

    def __init__(self) -> None:
        self._made: list[tuple[InputSpec, Columns, NDArray | None, InputState | None, InputState, Rows]] = []

    def of(
        self, spec: InputSpec, columns: Columns, row_weights: NDArray | None, before: InputState | None
    ) -> tuple[InputState, Rows]:
        """Fit an encoding to a table, continuing from the state ``before``; return its state and the encoded rows."""
        for made_spec, made_columns, made_weights, made_before, state, rows in self._made:
            if (
                made_spec == spec
                and made_before is before
                and _equal(made_weights, row_weights)
                and made_columns.equals(columns)
            ):
                return state, rows
        state = spec.fit(columns, row_weights, before)
        rows = encode_rows(state, columns)
        self._made.append((spec, columns, row_weights, before, state, rows))
        return state, rows


def _equal(one: NDArray | None, other: NDArray | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
