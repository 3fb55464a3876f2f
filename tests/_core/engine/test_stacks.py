import numpy as np
import pytest
import torch

from skmetric._core.engine import StoppingRule, Validation, fit_in_stacks, fit_stack, split_into_stacks, stacks
from tests._core.engine.plans import CPU, make_plan


def test_plans_of_one_shape_make_one_stack():
    plans = [make_plan(seed, scale=seed + 1.0, learning_rate=0.01 * (seed + 1)) for seed in range(5)]
    assert split_into_stacks(plans, CPU, None) == [[0, 1, 2, 3, 4]]


def test_other_shapes_and_step_counts_go_elsewhere():
    shorter = np.zeros((16, 5), np.float32)
    plans = [make_plan(0), make_plan(1, max_iter=6), make_plan(2), make_plan(3, shorter), make_plan(4, n_outputs=2)]
    assert sorted(split_into_stacks(plans, CPU, None)) == [[0, 2], [1], [3], [4]]


@pytest.mark.parametrize(
    ("max_stack", "sizes"), [(1, [1] * 7), (2, [2, 2, 2, 1]), (3, [3, 2, 2]), (7, [7]), (100, [7])]
)
def test_stacks_are_of_even_size_below_the_limit(max_stack, sizes):
    parts = split_into_stacks([make_plan(seed) for seed in range(7)], CPU, max_stack)
    assert [len(stack) for stack in parts] == sizes
    assert sorted(index for stack in parts for index in stack) == list(range(7))


@pytest.mark.parametrize(("n_jobs", "sizes"), [(1, [7]), (2, [4, 3]), (3, [3, 2, 2]), (100, [1] * 7)])
def test_there_is_a_stack_for_every_job(n_jobs, sizes):
    parts = split_into_stacks([make_plan(seed) for seed in range(7)], CPU, None, n_jobs=n_jobs)
    assert [len(stack) for stack in parts] == sizes
    assert sorted(index for stack in parts for index in stack) == list(range(7))


def test_jobs_are_shared_out_by_the_number_of_models():
    plans = [*(make_plan(seed) for seed in range(6)), *(make_plan(seed, max_iter=6) for seed in range(2))]
    parts = split_into_stacks(plans, CPU, None, n_jobs=4)
    assert sorted(len(stack) for stack in parts) == [2, 2, 2, 2]


def test_models_of_one_rate_are_neighbors():
    rates = [0.1, 0.2, 0.1, 0.2, 0.1]
    (stack,) = split_into_stacks([make_plan(seed, learning_rate=rate) for seed, rate in enumerate(rates)], CPU, None)
    assert stack == [0, 2, 4, 1, 3]


def test_memory_limits_a_stack(monkeypatch):
    monkeypatch.setattr(stacks, "free_memory", lambda device: 0)
    assert len(split_into_stacks([make_plan(seed) for seed in range(3)], CPU, None)) == 3


def test_jobs_share_the_memory(monkeypatch):
    plans = [make_plan(seed) for seed in range(40)]
    room_for_ten = 10 * 4 * stacks._count_numbers(plans[0]) / stacks.MEMORY_SHARE
    monkeypatch.setattr(stacks, "free_memory", lambda device: int(room_for_ten) + 1)
    for n_jobs in (1, 2, 5):
        parts = split_into_stacks(plans, CPU, None, n_jobs=n_jobs)
        assert max(len(stack) for stack in parts) == 10 // n_jobs


def test_a_stack_too_large_for_the_device_is_halved(monkeypatch):
    plans = [make_plan(seed) for seed in range(5)]
    sizes = []

    def small_device(plans, *, device):
        sizes.append(len(plans))
        if len(plans) > 2:
            raise torch.cuda.OutOfMemoryError("out of memory")
        return fit_stack(plans, device=device)

    monkeypatch.setattr(stacks, "fit_stack", small_device)
    results = fit_in_stacks(plans, CPU)
    assert sizes == [5, 2, 3, 1, 2]
    for plan, result in zip(plans, results, strict=True):
        for name, value in fit_stack([plan], device=CPU)[0].network.weights.items():
            np.testing.assert_array_equal(result.network.weights[name], value)


@pytest.mark.parametrize("error", [torch.cuda.OutOfMemoryError("no memory"), MemoryError(), ValueError("no score")])
def test_a_model_that_fails_leaves_the_others_their_results(monkeypatch, error):
    plans = [make_plan(seed) for seed in range(5)]

    def failing(given, *, device):
        if plans[3] in given:
            raise error
        return fit_stack(given, device=device)

    monkeypatch.setattr(stacks, "fit_stack", failing)
    results = fit_in_stacks(plans, CPU)
    assert results[3] is error
    for plan, result in zip(plans, results, strict=True):
        if result is not error:
            for name, value in fit_stack([plan], device=CPU)[0].network.weights.items():
                np.testing.assert_array_equal(result.network.weights[name], value)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_shrinking_stack_goes_on_as_if_nothing_had_happened(dropout):
    def planned(seed):
        # Model k is best at epoch k + 1, and stops two epochs later.
        scores = iter([*range(seed + 1), *[-1] * 20])
        validation = Validation(np.zeros((1, 5), np.float32), lambda outputs: next(scores))
        return make_plan(seed, dropout=dropout, max_iter=20, validation=validation, stopping=StoppingRule(2))

    together = fit_stack([planned(seed) for seed in range(6)], device=CPU)
    assert [result.n_iter for result in together] == [3, 4, 5, 6, 7, 8]
    for seed, result in enumerate(together):
        (alone,) = fit_stack([planned(seed)], device=CPU)
        for name, value in alone.network.weights.items():
            np.testing.assert_array_equal(result.network.weights[name], value)
        np.testing.assert_array_equal(result.moments.first, alone.moments.first)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 4 PiB"),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_lack_of_memory_names_what_to_lower(monkeypatch, error):
    def run_out(*args):
        raise error

    monkeypatch.setattr(stacks, "TrainingStack", run_out)
    with pytest.raises(
        MemoryError, match=r"memory of device 'cpu', got batches of \d+ rows.*Lower batch_size or hidden"
    ):
        fit_stack([make_plan(0)], device=CPU)


def test_other_errors_stay(monkeypatch):
    def fail(*args):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(stacks, "TrainingStack", fail)
    with pytest.raises(RuntimeError, match=r"^shapes do not match$"):
        fit_stack([make_plan(0)], device=CPU)
