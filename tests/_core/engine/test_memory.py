from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch

from skmetric._core.engine import fit_stack
from skmetric._core.engine.training import TrainingStack
from tests._core.engine.plans import CPU, Shuffled, SquaredError, make_items_plan, make_plan


@dataclass(frozen=True)
class Holes(Shuffled):
    """The last two slots of each batch hold no item."""

    def draw_epoch(self, rng):
        items = super().draw_epoch(rng)
        items[:, -2:] = -1
        return items


@dataclass(frozen=True)
class Watched(SquaredError):
    """Keeps copies of the items of each step, and of the memory at this step."""

    seen: list = field(default_factory=list, compare=False)
    monitored: list = field(default_factory=list, compare=False)

    def loss(self, outputs, batch, hyperparameters):
        self.seen.append((listed(outputs.representation.detach(), batch), listed(*remembered(batch))))
        return super().loss(outputs, batch, hyperparameters)

    def monitor(self, outputs, batch, hyperparameters):
        self.monitored.append((listed(outputs.representation, batch), listed(*remembered(batch))))
        return super().monitor(outputs, batch, hyperparameters)


def remembered(batch):
    return batch.memory.representation, batch.memory


def listed(representation, items):
    """Return one tuple per item, for each model."""
    known = [items.rows.unsqueeze(-1), *([] if items.values is None else [items.values]), representation]
    return [[tuple(item) for item in model] for model in torch.cat(known, -1).tolist()]


def watch(size, n_models=2, sampler=None, **changes):
    objective = Watched()
    plans = [
        make_items_plan(
            seed, objective=objective, sampler=sampler or Shuffled(400, 16), memory_size=size, max_iter=2, **changes
        )
        for seed in range(n_models)
    ]
    fit_stack(plans, device=CPU)
    return objective


@pytest.mark.parametrize("size", [1, 5, 15, 16, 17, 32, 50, 1000])
@pytest.mark.parametrize("sampler", [Shuffled(400, 16), Holes(400, 16)], ids=["items", "holes"])
def test_it_holds_what_a_deque_would(size, sampler):
    seen = watch(size, sampler=sampler).seen
    for model in range(2):
        expected = deque(maxlen=size)
        for items, memory in seen:
            found = [item for item in memory[model] if item[0] >= 0]
            assert sorted(found) == sorted(item for item in expected if item[0] >= 0)
            assert len(memory[model]) == size
            expected.extend(items[model])
    assert len(seen) == 2 * 25


def test_nothing_is_known_of_items_without_values():
    memory = watch(20, values=None).seen[-1][1][0]
    assert len(memory[0]) == 1 + 3


def test_the_history_sees_the_memory_that_the_loss_saw():
    watched = watch(50)
    assert watched.monitored == [watched.seen[24], watched.seen[49]]


def test_a_plan_that_asks_for_none_gets_none():
    memories = []

    @dataclass(frozen=True)
    class Asking(SquaredError):
        def loss(self, outputs, batch, hyperparameters):
            memories.append(batch.memory)
            return super().loss(outputs, batch, hyperparameters)

    fit_stack([make_plan(objective=Asking(), max_iter=1)], device=CPU)
    assert set(memories) == {None}


def test_it_starts_empty_at_each_fit():
    for _ in range(2):
        assert all(item[0] == -1 for item in watch(20).seen[0][1][0])


def test_the_ring_stays_where_it_is():
    plan = make_items_plan(memory_size=30)
    stack = TrainingStack([plan, replace(plan, seed=np.random.SeedSequence(1))], CPU)
    memories = []
    for step in stack.draw_epoch(0):
        stack.train_step(step)
        memories.append(step.batch.memory)
    addresses = {
        tuple(part.data_ptr() for part in (memory.representation, memory.rows, memory.values)) for memory in memories
    }
    assert len(addresses) == 1
    assert not memories[0].representation.requires_grad


def test_a_smaller_stack_goes_on_with_the_same_memory():
    def plans():
        return [make_items_plan(seed, memory_size=130, objective=Watched()) for seed in range(3)]

    whole, part = TrainingStack(plans(), CPU), TrainingStack(plans(), CPU)
    for stack in (whole, part):
        stack.train_epoch(0)
    part = part.keep_only([2, 0])
    for stack in (whole, part):
        stack.train_epoch(1)
    for model, index in ((0, 1), (2, 0)):
        # The rings are equal, including the order of their items.
        kept = [memory[index] for _, memory in part.plans[0].objective.seen[-4:]]
        assert kept == [memory[model] for _, memory in whole.plans[0].objective.seen[-4:]]
