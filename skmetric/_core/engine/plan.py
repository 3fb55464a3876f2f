"""What goes into the engine and what comes out: one plan and one result a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from skmetric._core.engine.batch import Batch
from skmetric._core.engine.schedule import Schedule
from skmetric._core.engine.trained import TrainedNetwork
from skmetric._core.nn import InputState, NetworkSpec, Outputs, Weights

__all__ = ["FitPlan", "FitResult", "Moments", "Objective", "Sampler", "StoppingRule", "Validation"]


class Objective(Protocol):
    """The quantity that training lowers. Equal objectives can be trained as one stack."""

    def loss(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> Tensor:
        """Loss of each model (n_models,) from what it makes of a batch."""

    def monitor(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Figures (n_models,) for the history, taken once an epoch."""


class Sampler(Protocol):
    """Draws the batches of an epoch, all of one length.

    Attributes
    ----------
    batch_length : int
        Items in a batch.
    list_lengths : sequence of int
        For each step of an epoch, how long the lists are that the items fall into. The same in every epoch.
    """

    @property
    def batch_length(self) -> int: ...
    @property
    def list_lengths(self) -> Sequence[int]: ...

    def draw_epoch(self, rng: np.random.Generator) -> NDArray[np.integer]:
        """Items of shape (n_steps, batch_length), -1 where there is none."""


@dataclass(frozen=True)
class Validation:
    """Encoded rows held out from training, and the score (higher is better) of what a model finally makes of them.

    ``score`` gets finite outputs only. Plans go to other processes: it must pickle.
    """

    X: NDArray
    score: Callable[[NDArray], float]


@dataclass(frozen=True)
class StoppingRule:
    """Stop once the validation score has not risen for ``patience`` epochs."""

    patience: int


@dataclass(frozen=True)
class Moments:
    """An optimizer's state, to go on from."""

    first: NDArray
    second: NDArray
    n_updates: int


# Tables that are embedded whole are filled up to a multiple of so many rows, so that those of folds make one stack.
ROWS_APART = 64


@dataclass(frozen=True, eq=False)
class FitPlan:
    """Everything that decides how one model is trained.

    Attributes
    ----------
    network : NetworkSpec
        How to build the network.
    objective : Objective
        (outputs, batch) -> loss.
    hyperparameters : mapping of str to float
        What enters the objective as numbers; models of one stack may differ in them.
    sampler : Sampler
        The epoch's batches.
    inputs : InputState
        What the encoding of the columns has learned from the training rows.
    X : array of shape (n, n_encoded), float32
        The encoded rows of the items; may be a memory map.
    learning_rate, weight_decay : float
        Of AdamW; models of one stack may differ in them.
    schedule : Schedule
        The learning rate's course over all steps.
    max_iter : int
        Epochs.
    seed : numpy.random.SeedSequence
        Everything random about this model comes from here.
    items : array of int, shape (n_items,), optional
        Which row of X each item is that the sampler draws. None: the items are the rows.
    values : array of shape (n_items, n_values), float32, optional
        What the objective gets to know about each item.
    bins : array of int, shape (n_items,), optional
        The bin of the target that each item falls into, for a network that smooths its features over bins.
    validation : Validation, optional
        Rows to watch while training.
    stopping : StoppingRule, optional
        When to stop by them.
    initial_weights : Weights, optional
        Go on from these, instead of drawing.
    moments : Moments, optional
        Go on with this optimizer's state.
    share_rows : bool
        Embed all rows of X once a step, and not the row of each item, where that makes for fewer rows. Dropout is then
        drawn once a row. A user's module sees all rows, also those that are held out.
    chunk_length : int, optional
        Embed so many rows at a time, and once more for the gradient: activations take the memory of so many rows. The
        gradient is the same up to rounding, but for a module whose rows see each other or that keeps statistics of
        what passes through (batch normalization). None: all at once.
    memory_size : int
        How many of the latest items an objective finds in ``batch.memory``; 0 for none.
    """

    network: NetworkSpec
    objective: Objective
    hyperparameters: Mapping[str, float]
    sampler: Sampler
    inputs: InputState
    X: NDArray
    learning_rate: float
    weight_decay: float
    schedule: Schedule
    max_iter: int
    seed: np.random.SeedSequence
    items: NDArray | None = None
    values: NDArray | None = None
    bins: NDArray | None = None
    validation: Validation | None = None
    stopping: StoppingRule | None = None
    initial_weights: Weights | None = None
    moments: Moments | None = None
    share_rows: bool = False
    chunk_length: int | None = None
    memory_size: int = 0

    @property
    def n_embedded(self) -> int:
        """How many rows pass through the network in one step."""
        n_items = self.sampler.batch_length
        return min(n_items, -(-len(self.X) // ROWS_APART) * ROWS_APART) if self.share_rows else n_items


@dataclass(frozen=True, eq=False)
class FitResult:
    """One trained model.

    Attributes
    ----------
    network : TrainedNetwork
        As it was after the best epoch where a validation was given, else after the last.
    n_iter : int
        Epochs run.
    history : list of dict
        One an epoch.
    moments : Moments
        The optimizer's state after the last epoch.
    failure : str or None
        Why the model is of no use, where its loss or its weights became NaN or infinite.
    """

    network: TrainedNetwork
    n_iter: int
    history: list[dict[str, Any]] = field(repr=False)
    moments: Moments = field(repr=False)
    failure: str | None = None
