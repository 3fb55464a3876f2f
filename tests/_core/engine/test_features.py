"""Properties of proxies, memory, pieces and shared rows, each alone and together."""

import numpy as np
import pytest
import torch

from skmetric._core.engine import StoppingRule, Validation, fit_stack, split_into_stacks, stacks
from tests._core.engine.plans import CPU, FEATURES, assert_same, make_items_plan, with_dropout
from tests.gpu.steps import assert_no_step_waits

FEATURE = pytest.mark.parametrize("feature", FEATURES)


@FEATURE
@pytest.mark.parametrize(
    "spec",
    [
        {"dropout": 0.0},
        {"dropout": 0.3},
        {"dropout": 0.3, "normalize": True, "hidden_layer_sizes": (16, 8)},
        {"dropout": 0.0, "n_scores": 2},
        {"dropout": 0.0, "hidden_layer_sizes": ()},
    ],
    ids=str,
)
def test_a_model_of_a_stack_is_its_own_fit(feature, spec):
    changes = with_dropout(FEATURES[feature], **spec)
    plans = [
        make_items_plan(seed, scale=scale, learning_rate=rate, max_iter=3, **changes)
        for seed, scale, rate in [(0, 1.0, 0.01), (1, 2.0, 0.03), (2, 0.5, 0.01)]
    ]
    for plan, result in zip(plans, fit_stack(plans, device=CPU), strict=True):
        assert_same(result, fit_stack([plan], device=CPU)[0])


@FEATURE
def test_one_table_gives_a_model_of_a_stack_its_own_fit_too(feature):
    X = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    plans = [make_items_plan(seed, X, max_iter=2, **with_dropout(FEATURES[feature])) for seed in range(3)]
    for plan, result in zip(plans, fit_stack(plans, device=CPU), strict=True):
        assert_same(result, fit_stack([plan], device=CPU)[0])


@FEATURE
def test_a_shrinking_stack_goes_on_as_if_nothing_had_happened(feature):
    def planned(seed):
        # Model k is best at epoch k + 1, and stops one epoch later.
        scores = iter([*range(seed + 1), *[-1] * 20])
        validation = Validation(np.zeros((1, 5), np.float32), lambda outputs: next(scores))
        changes = with_dropout(FEATURES[feature])
        return make_items_plan(seed, max_iter=9, validation=validation, stopping=StoppingRule(1), **changes)

    together = fit_stack([planned(seed) for seed in range(5)], device=CPU)
    assert [result.n_iter for result in together] == [2, 3, 4, 5, 6]
    for seed, result in enumerate(together):
        assert_same(result, fit_stack([planned(seed)], device=CPU)[0])


@FEATURE
def test_a_second_fit_of_a_plan_is_the_first_again(feature):
    plan = make_items_plan(max_iter=2, **with_dropout(FEATURES[feature]))
    assert_same(fit_stack([plan], device=CPU)[0], fit_stack([plan], device=CPU)[0])


@FEATURE
def test_it_matters_and_it_learns(feature):
    plain, changed = (
        fit_stack([make_items_plan(max_iter=12, **changes)], device=CPU)[0] for changes in ({}, FEATURES[feature])
    )
    assert not np.array_equal(plain.moments.second[:70], changed.moments.second[:70])
    assert changed.history[-1]["train_loss"] < 0.7 * changed.history[0]["train_loss"]


@FEATURE
def test_blocks_of_steps_do_not_matter(feature, monkeypatch):
    plan = make_items_plan(max_iter=2, **with_dropout(FEATURES[feature]))
    (whole,) = fit_stack([plan], device=CPU)
    monkeypatch.setattr("skmetric._core.engine.training.MASKS_AHEAD", 200)
    assert_same(fit_stack([plan], device=CPU)[0], whole)


@FEATURE
def test_it_makes_no_stack_with_plain_training(feature):
    plans = [make_items_plan(seed, **changes) for seed in range(2) for changes in ({}, FEATURES[feature])]
    assert sorted(split_into_stacks(plans, CPU, None)) == [[0, 2], [1, 3]]


@pytest.mark.parametrize(
    ("feature", "more"), [("memory", True), ("proxies", True), ("pieces", False), ("shared rows", False)]
)
def test_it_counts_where_stacks_are_made_as_large_as_memory_allows(feature, more):
    plain, changed = (
        make_items_plan(**{**changes, "spec": {"hidden_layer_sizes": (512,), **changes.get("spec", {})}})
        for changes in ({}, FEATURES[feature])
    )
    assert (stacks._count_numbers(changed) > stacks._count_numbers(plain)) is more


@pytest.mark.gpu
@FEATURE
def test_no_step_waits_for_the_device(feature):
    plans = [make_items_plan(seed, **with_dropout(FEATURES[feature])) for seed in range(2)]
    assert_no_step_waits(*plans)
    on_cpu, on_gpu = (fit_stack(plans, device=torch.device(device))[1] for device in ("cpu", "cuda"))
    for name, value in on_cpu.network.weights.items():
        np.testing.assert_allclose(on_gpu.network.weights[name], value, rtol=1e-3, atol=1e-4)
