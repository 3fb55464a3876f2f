"""The training loop: a stack of models, epoch by epoch."""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skmetric._core.engine.batch import Batch
from skmetric._core.engine.dropout import DropoutMasks
from skmetric._core.engine.gradients import open_gradients
from skmetric._core.engine.memory import NoMemory, RecentItems
from skmetric._core.engine.optimizer import StackAdamW
from skmetric._core.engine.plan import FitPlan, Sampler
from skmetric._core.engine.randomness import Stream, identity, open_stream, shared
from skmetric._core.engine.tables import DeviceTable, HostTable, SharedTable, open_table, share_table
from skmetric._core.engine.trained import apply_network
from skmetric._core.nn import EncodedRows, FlatParameters, Outputs, build_network

__all__ = ["BatchDraws", "TrainingStack"]

# Dropout masks are drawn ahead for several steps, up to this number of values over all models and items.
MASKS_AHEAD = 1 << 22

Record = dict[str, NDArray]


class Step(NamedTuple):
    """Data of one step, on the device."""

    x: Tensor  # rows to embed, (n_models, n_embedded, n_features)
    positions: Tensor | None  # of the items in x, (n_models * n,); None if item k is row k
    keep: Tensor | None  # dropout factors, (n_models, n_embedded, keep_width); (1, ...) if all models share them
    bins: Tensor | None  # bin of the target for each item, (n_models, n)
    batch: Batch
    factor: float  # on the learning rates


class TrainingStack:
    """Models that train side by side, from their plans.

    Parameters
    ----------
    plans : sequence of FitPlan
        One plan per model. All plans must have the same shapes and the same number of steps.
    device : torch.device
        Device to train on.
    """

    def __init__(self, plans: Sequence[FitPlan], device: torch.device) -> None:
        first = plans[0]
        self.plans, self.device = plans, device
        self._draws = BatchDraws(plans)
        self.network = build_network(first.network, [plan.inputs for plan in plans], self._streams(Stream.WEIGHTS))
        self._start_weights()
        self.network.to(device).train()
        self._flat = FlatParameters(self.network)
        self.optimizer = StackAdamW(
            self._flat.values,
            learning_rates=[plan.learning_rate for plan in plans],
            weight_decays=[plan.weight_decay for plan in plans],
            moments=[plan.moments for plan in plans],
        )
        self._gradients = open_gradients(self.network, self._flat, first.n_embedded, first.chunk_length)
        self._table = _open_rows(plans, device)
        self._memory = _open_memory(plans, self.network.n_outputs, device)
        self._masks = DropoutMasks(
            first.network.dropout, self.network.keep_width, [plan.seed for plan in plans], device
        )
        self._generators = [_torch_generator(rng, device) for rng in self._streams(Stream.OBJECTIVE)]
        self._hyperparameters = self._stack_hyperparameters()
        self._list_lengths = first.sampler.list_lengths
        self._factors = first.schedule(first.max_iter * len(self._list_lengths))

    def train_epoch(self, epoch: int) -> Record:
        """Run one epoch and return its mean loss and the figures of the objective, one value per model.

        The host waits for the device only once, at the end.
        """
        total = torch.zeros(len(self.plans), dtype=torch.float32, device=self.device)
        for step in self.draw_epoch(epoch):
            outputs, loss = self.train_step(step)
            total += loss
        self.network.end_epoch()
        monitor = self.plans[0].objective.monitor(outputs, step.batch, self._hyperparameters)
        figures = {"train_loss": total / len(self._list_lengths), **monitor}
        return {name: value.cpu().numpy() for name, value in figures.items()}

    def train_step(self, step: Step) -> tuple[Outputs, Tensor]:
        """Update each model once. Returns the outputs and the losses before the update."""
        self._memory.begin_step()
        outputs, loss, gradient = self._gradients(step.x, step.keep, partial(self._loss, step))
        self.optimizer.update(gradient, step.factor)
        self._memory.end_step(outputs.representation, step.batch)
        return outputs, loss

    def _loss(self, step: Step, representation: Tensor) -> tuple[Outputs, Tensor]:
        """Compute the outputs for the items of a step and the loss per model, from the representation of the rows."""
        if step.positions is not None:
            items = representation.flatten(0, 1).index_select(0, step.positions)
            representation = items.view(len(representation), -1, items.shape[-1])
        outputs = self.network.conclude(representation, bins=step.bins)
        return outputs, self.plans[0].objective.loss(outputs, step.batch, self._hyperparameters)

    def draw_epoch(self, epoch: int) -> Iterator[Step]:
        """Draw an epoch, copy it to the device in a few pieces, and yield its steps."""
        drawn = self._draws.draw_epoch()
        rows = np.stack([_rows_of(plan, items) for plan, items in zip(self.plans, drawn, strict=True)], axis=1)
        n_steps, n_models, _ = rows.shape
        factors = self._factors[epoch * n_steps : (epoch + 1) * n_steps]
        n_embedded = self.plans[0].n_embedded
        ahead = max(1, MASKS_AHEAD // max(1, n_models * n_embedded * self.network.keep_width))
        for start in range(0, n_steps, ahead):
            block = slice(start, start + ahead)
            keeps = self._masks.draw(len(factors[block]), n_embedded)
            batches = self._table.batches(rows[block])
            values, bins = self._known([each[block] for each in drawn])
            steps = zip(batches, values, bins, self._list_lengths[block], keeps, factors[block].tolist(), strict=True)
            for (indices, x, positions), known, in_bins, length, keep, factor in steps:
                batch = Batch(indices, known, length, self._generators, self._memory.contents)
                yield Step(x, positions, keep, in_bins, batch, factor)

    def keep_only(self, models: Sequence[int]) -> "TrainingStack":
        """Return a stack of some of the models. Their training continues from its current state."""
        plans = [
            replace(
                self.plans[model],
                initial_weights=self.network.weights_of(model),
                moments=self.optimizer.moments_of(model),
            )
            for model in models
        ]
        smaller = TrainingStack(plans, self.device)
        smaller._draws = self._draws.keep_only(models)
        smaller._generators = [self._generators[model] for model in models]
        smaller._masks = self._masks.keep_only(models)
        smaller._memory = self._memory.keep_only(models)
        return smaller

    def outputs_of(self, model: int, X: NDArray[np.float32] | EncodedRows) -> NDArray:
        """Compute the final outputs of one model for its rows, with the same bits as for the model alone."""
        self.network.eval()
        one = slice(model, model + 1)
        outputs = apply_network(self.network.final, X, self.device, block=self.network.row_block, models=one)
        self.network.train()
        return outputs

    def _known(self, drawn: Sequence[NDArray]) -> tuple[Sequence[Tensor | None], Sequence[Tensor | None]]:
        """Return for each step the values (n_models, n, n_values) and the bins (n_models, n) of the items, or None."""
        plans = list(zip(self.plans, drawn, strict=True))
        values = [plan.values[items] for plan, items in plans if plan.values is not None]
        bins = [_look_up(plan.bins, items) for plan, items in plans if plan.bins is not None]
        values_of, bins_of = (
            torch.from_numpy(np.stack(known, axis=1)).to(self.device).unbind() if known else [None] * len(drawn[0])
            for known in (values, bins)
        )
        return values_of, bins_of

    def _streams(self, purpose: Stream) -> list[np.random.Generator]:
        return [open_stream(plan.seed, purpose) for plan in self.plans]

    def _start_weights(self) -> None:
        given = [plan.initial_weights or {} for plan in self.plans]
        if any(given):
            self.network.load([{**self.network.weights_of(model), **its} for model, its in enumerate(given)])

    def _stack_hyperparameters(self) -> Mapping[str, Tensor]:
        names = self.plans[0].hyperparameters
        return {
            name: torch.tensor(
                [plan.hyperparameters[name] for plan in self.plans], dtype=torch.float32, device=self.device
            )
            for name in names
        }


def _open_rows(plans: Sequence[FitPlan], device: torch.device) -> DeviceTable | HostTable | SharedTable:
    first, tables = plans[0], [plan.X for plan in plans]
    if first.n_embedded < first.sampler.batch_length:
        return share_table(tables, first.n_embedded, device)
    return open_table(tables, device)


def _open_memory(plans: Sequence[FitPlan], n_outputs: int, device: torch.device) -> NoMemory | RecentItems:
    size, values = plans[0].memory_size, plans[0].values
    if not size:
        return NoMemory()
    return RecentItems.empty(len(plans), size, n_outputs, None if values is None else values.shape[1], device)


def _rows_of(plan: FitPlan, items: NDArray[np.integer]) -> NDArray[np.integer]:
    return items if plan.items is None else _look_up(plan.items, items)


def _look_up(numbers: NDArray[np.integer], items: NDArray[np.integer]) -> NDArray[np.integer]:
    """Look up one number per item; -1 for a slot without an item."""
    return np.where(items < 0, -1, numbers[items])


def _torch_generator(rng: np.random.Generator, device: torch.device) -> torch.Generator:
    return torch.Generator(device=device).manual_seed(int(rng.integers(1 << 63)))


# Draws of the batches


class BatchDraws:
    """Draws the batches of all models, epoch by epoch. Models with the same sampler and the same seed share a draw.

    Parameters
    ----------
    plans : sequence of FitPlan
        One plan per model.
    """

    def __init__(self, plans: Sequence[FitPlan]) -> None:
        self._sources = shared(
            [(id(plan.sampler), identity(plan.seed)) for plan in plans],
            lambda index: _Source(plans[index].sampler, plans[index].seed),
        )

    def draw_epoch(self) -> list[NDArray[np.integer]]:
        """Draw the items of each model for one epoch, (n_steps, batch_length)."""
        drawn = {source: source.draw_epoch() for source in dict.fromkeys(self._sources)}
        return [drawn[source] for source in self._sources]

    def keep_only(self, models: Sequence[int]) -> "BatchDraws":
        """Return the draws of some of the models. Their streams continue."""
        fewer = copy(self)
        fewer._sources = [self._sources[model] for model in models]
        return fewer


class _Source:
    """A sampler with its own stream of random numbers."""

    def __init__(self, sampler: Sampler, seed: np.random.SeedSequence) -> None:
        self._sampler = sampler
        self._rng = open_stream(seed, Stream.BATCHES)

    def draw_epoch(self) -> NDArray[np.integer]:
        return self._sampler.draw_epoch(self._rng)
