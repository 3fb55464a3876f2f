"""Input and output of the engine: one plan and one result per model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from skmetric._core.engine.batch import Batch
from skmetric._core.engine.schedule import Schedule
from skmetric._core.engine.trained import TrainedNetwork
from skmetric._core.nn import EncodedRows, InputState, NetworkSpec, Outputs, Weights

__all__ = ["FitPlan", "FitResult", "Moments", "Objective", "Sampler", "StoppingRule", "Validation"]


class Objective(Protocol):
    """The quantity that training minimizes. Models with equal objectives can train as one stack."""

    def loss(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> Tensor:
        """Compute the loss of each model, (n_models,), from its outputs for a batch."""

    def monitor(self, outputs: Outputs, batch: Batch, hyperparameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Compute figures for the history, (n_models,) each, once per epoch."""


class Sampler(Protocol):
    """Draws the batches of an epoch, all of the same length.

    Attributes
    ----------
    batch_length : int
        Number of items in a batch.
    list_lengths : sequence of int
        Length of the lists in each step of an epoch: the items of a step form lists of this length. The same in every
        epoch.
    """

    @property
    def batch_length(self) -> int: ...
    @property
    def list_lengths(self) -> Sequence[int]: ...

    def draw_epoch(self, rng: np.random.Generator) -> NDArray[np.integer]:
        """Draw items of shape (n_steps, batch_length); -1 for a slot without an item."""


@dataclass(frozen=True)
class Validation:
    """Encoded rows held out from training, and a function that scores the final outputs for them (higher is better).

    ``score`` receives finite outputs only. It must be picklable, because plans are sent to other processes.
    """

    X: NDArray[np.float32] | EncodedRows
    score: Callable[[NDArray], float]


@dataclass(frozen=True)
class StoppingRule:
    """Stop when the validation score has not increased for ``patience`` epochs."""

    patience: int


@dataclass(frozen=True)
class Moments:
    """State of an optimizer, from which training can continue."""

    first: NDArray
    second: NDArray
    n_updates: int


# Tables that are embedded as a whole are padded to a multiple of this number of rows, so that tables of several folds
# can train as one stack.
ROWS_APART = 64


@dataclass(frozen=True, eq=False)
class FitPlan:
    """Everything that decides how one model is trained.

    Attributes
    ----------
    network : NetworkSpec
        How to build the network.
    objective : Objective
        Loss to minimize.
    hyperparameters : mapping of str to float
        Numbers that the objective uses. Models of one stack may differ in them.
    sampler : Sampler
        Draws the batches of an epoch.
    inputs : InputState
        State of the input encoding, learned from the training rows.
    X : array of shape (n_rows, n_encoded), float32, or EncodedRows
        Encoded rows of the items. The rows of a table on disk are encoded when a batch needs them.
    learning_rate, weight_decay : float
        Learning rate and weight decay of AdamW. Models of one stack may differ in them.
    schedule : Schedule
        Factors on the learning rate, one per step.
    max_iter : int
        Number of epochs.
    seed : numpy.random.SeedSequence
        Seed of all random numbers of this model.
    items : array of int, shape (n_items,), optional
        Row of X for each item that the sampler can draw. None: the items are the rows.
    values : array of shape (n_items, n_values), float32, optional
        Known values of each item, for the objective.
    bins : array of int, shape (n_items,), optional
        Bin of the target for each item, for a network that smooths its features over bins.
    validation : Validation, optional
        Held-out rows that are scored after each epoch.
    stopping : StoppingRule, optional
        Rule that stops training by the validation score.
    initial_weights : Weights, optional
        Weights to start from, by name. Weights that are not named start at random.
    moments : Moments, optional
        State of the optimizer to start from.
    share_rows : bool
        Embed all rows of X once per step, instead of the row of each item, if this means fewer rows. Dropout is then
        drawn once per row. A user's module sees all rows, including those held out.
    chunk_length : int, optional
        Embed this number of rows at once, and again for the gradient, so that memory holds the activations of these
        rows only. The gradient is the same up to rounding, except for a module whose rows influence each other or that
        keeps statistics of its inputs (batch normalization). None: embed all rows at once.
    memory_size : int
        Number of latest items that an objective finds in ``batch.memory``; 0 for no memory.
    """

    network: NetworkSpec
    objective: Objective
    hyperparameters: Mapping[str, float]
    sampler: Sampler
    inputs: InputState
    X: NDArray[np.float32] | EncodedRows
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
        """Number of rows that pass through the network in one step."""
        n_items = self.sampler.batch_length
        return min(n_items, -(-len(self.X) // ROWS_APART) * ROWS_APART) if self.share_rows else n_items


@dataclass(frozen=True, eq=False)
class FitResult:
    """One trained model.

    Attributes
    ----------
    network : TrainedNetwork
        The network after the best epoch if there is a validation, else after the last epoch.
    n_iter : int
        Number of epochs run.
    history : list of dict
        One entry per epoch.
    moments : Moments
        State of the optimizer after the last epoch.
    failure : str or None
        Why the model is unusable, if its loss or its weights became NaN or infinite.
    """

    network: TrainedNetwork
    n_iter: int
    history: list[dict[str, Any]] = field(repr=False)
    moments: Moments = field(repr=False)
    failure: str | None = None
