"""What passes from ``fit``'s arguments to a plan: the contract between an estimator's task and the base class."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from skmetric._core.engine import FitPlan
from skmetric._core.engine.plan import Sampler
from skmetric._core.nn import Columns, InputSpec, InputState

__all__ = ["Batches", "Given", "Indices", "InputFits", "Prepared", "TrainingData"]

Indices: TypeAlias = NDArray[np.integer]

# What a validation set is called in ``fit``.
VALIDATION = ("X_val", "y_val", "groups_val")


@dataclass(frozen=True, eq=False)
class Given:
    """What ``fit`` was given: callbacks get exactly this.

    Attributes
    ----------
    X, y : object
        As the user passed them.
    metadata : mapping of str to object
        Everything else that is not None, by its name: ``sample_weight``, ``groups``, ``X_val``, ...
    """

    X: Any
    y: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, X: Any, y: Any = None, **metadata: Any) -> Self:
        """Leave out what is None."""
        return cls(X, y, {name: value for name, value in metadata.items() if value is not None})

    @property
    def for_callbacks(self) -> dict[str, Any]:
        """Keyword arguments for scikit-learn's callbacks, which score the training rows with their metadata."""
        metadata = {name: value for name, value in self.metadata.items() if name not in VALIDATION}
        return {"X": self.X, "y": self.y, "metadata": metadata or None}

    def validation(self, early_stopping: bool, needs_y: bool = True) -> "Given | None":
        """The validation set among the arguments, or None; it must be whole, and early stopping on."""
        present = [name for name in VALIDATION if name in self.metadata]
        if present and not early_stopping:
            raise ValueError(
                f"{' and '.join(present)}: for early stopping, which is off; set early_stopping=True, or leave them "
                "out."
            )
        needed = [name for name in VALIDATION if name in present or name == "X_val" or (name == "y_val" and needs_y)]
        if 0 < len(present) < len(needed):
            names = " and ".join(needed) if len(needed) < 3 else ", ".join(needed)
            raise ValueError(f"{names} must be given together; got only {' and '.join(present)}.")
        if not present:
            return None
        X, y, groups = (self.metadata.get(name) for name in VALIDATION)
        return Given.of(X, y, groups=groups)


@dataclass(frozen=True, eq=False)
class Batches:
    """What the engine is to know of the data to train on; see :class:`FitPlan` for the attributes that both have.

    Attributes
    ----------
    row_weights : array of shape (n,), optional
        How much each row counts where the encoding of the columns is fitted: 0 where it is held out. None: all alike.
    block_length : int, optional
        How many items of one class stand together, in batches of classes x rows.
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
    """What ``fit`` was given, checked: labeled rows, tuples, grouped rows, preferences or rows with targets.

    Attributes
    ----------
    columns : Columns
        The table that items are rows of.
    needs_y : bool
        Whether a validation set needs targets as well.
    """

    @property
    def columns(self) -> Columns: ...  # noqa: D102
    @property
    def needs_y(self) -> bool: ...  # noqa: D102

    def usable(self) -> Indices:
        """Indices of what can be trained on: rows, tuples or items."""

    def hold_out(self, fraction: float, rng: np.random.Generator) -> tuple[Indices, Self]:
        """Indices of what to train on, and the rest, as data to validate by."""

    def batches(self, train: Indices, batching: Batching) -> Batches:
        """How what is trained on is drawn, and what the objective gets to know about it."""


Data = TypeVar("Data")
Choice = TypeVar("Choice")


@dataclass(frozen=True, eq=False)
class Prepared(Generic[Data, Choice]):
    """Everything that is decided before training. Nothing of it is on the estimator.

    Attributes
    ----------
    plan : FitPlan
        What goes to the engine, and to joblib's workers.
    data : TrainingData
        The checked arguments.
    batches : Batches
        What the plan took from the data.
    choice : object
        What was settled by looking at the data: "auto" losses, units of the targets, ...
    given : Given
        The arguments as they came.
    earlier : list of dict, optional
        The epochs before this training, where an estimator learns on by ``partial_fit``; None for a fit.
    """

    plan: FitPlan
    data: Data
    batches: Batches
    choice: Choice
    given: Given
    earlier: list[dict[str, Any]] | None = None


class InputFits:
    """Fits encodings and encodes tables, once for equal tables and training rows: candidates of a fold share both."""

    def __init__(self) -> None:
        self._made: list[tuple[InputSpec, Columns, NDArray | None, InputState | None, InputState, NDArray]] = []

    def of(
        self, spec: InputSpec, columns: Columns, row_weights: NDArray | None, before: InputState | None
    ) -> tuple[InputState, NDArray[np.float32]]:
        """What the encoding learns from a table, going on from the state ``before``, and the encoded rows."""
        for made_spec, made_columns, made_weights, made_before, state, rows in self._made:
            if (
                made_spec == spec
                and made_before is before
                and _equal(made_weights, row_weights)
                and made_columns.equals(columns)
            ):
                return state, rows
        state = spec.fit(columns, row_weights, before)
        rows = state.encode(columns)
        self._made.append((spec, columns, row_weights, before, state, rows))
        return state, rows


def _equal(one: NDArray | None, other: NDArray | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
