"""Batched searches on a GPU."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from skmetric._core.engine import fit_in_stacks, stacks
from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.regression.ranksim import RankSimRegressor
from skmetric.model_selection.search import BatchedGridSearchCV
from tests.estimators.prepared import plan_of
from tests.gpu.steps import assert_no_step_waits

pytestmark = pytest.mark.gpu

# The optimizer needs one call per different learning rate.
GRID = {"margin": [0.1, 0.5, 1.0], "learning_rate": [1e-3, 5e-3]}


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[::2].astype(np.float32), y[::2]


def candidates(embedder):
    return [
        clone(embedder).set_params(margin=margin, learning_rate=rate)
        for margin in GRID["margin"]
        for rate in GRID["learning_rate"]
    ]


@pytest.mark.parametrize("params", [{}, {"mining": "all"}, {"mining": "random"}, {"early_stopping": True}], ids=str)
def test_scores_are_those_of_grid_search_and_of_the_cpu(digits, params):
    X, y = digits
    # Few epochs, because a rounding error that changes one mined triplet grows from step to step.
    embedder = TripletEmbedder(max_iter=2, device="cuda", random_state=0, **params)
    batched = BatchedGridSearchCV(embedder, GRID, cv=3).fit(X, y)
    plain = GridSearchCV(embedder, GRID, cv=3).fit(X, y)
    on_cpu = BatchedGridSearchCV(clone(embedder).set_params(device="cpu"), GRID, cv=3).fit(X, y)
    # Random negatives are drawn on the device, and each kind of device has its own generator.
    for other in [plain] if params.get("mining") == "random" else [plain, on_cpu]:
        np.testing.assert_allclose(
            batched.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"], atol=1e-2
        )


@pytest.mark.parametrize("mining", ["semihard", "all", "hard", "random"])
def test_no_step_of_a_stack_waits_for_the_device(digits, mining):
    embedder = TripletEmbedder(max_iter=2, device="cuda", random_state=0, mining=mining)
    assert_no_step_waits(*(plan_of(candidate, *digits) for candidate in candidates(embedder)))


def test_no_step_of_other_stacks_waits_either(digits):
    X, y = digits
    contrastive = ContrastiveEmbedder(max_iter=2, random_state=0, loss="contrastive")
    assert_no_step_waits(*(plan_of(candidate, X, y) for candidate in candidates(contrastive)))
    regressor = RankSimRegressor(max_iter=2, random_state=0)
    plans = [plan_of(clone(regressor).set_params(gamma=gamma), X[:, 1:], X[:, 20]) for gamma in (0.5, 1.0)]
    assert_no_step_waits(*plans)


def test_a_stack_that_does_not_fit_is_halved(digits, monkeypatch):
    X, y = digits
    embedder = TripletEmbedder(hidden_layer_sizes=(4096, 4096), max_iter=1, device="cuda", random_state=0)
    plans = [plan_of(clone(embedder).set_params(margin=margin), X[:64], y[:64]) for margin in (0.1, 0.3, 0.5, 1.0)]
    device, sizes = torch.device("cuda"), []
    fit_stack = stacks.fit_stack
    monkeypatch.setattr(
        stacks, "fit_stack", lambda plans, *, device: sizes.append(len(plans)) or fit_stack(plans, device=device)
    )
    alone = [fit_stack([plan], device=device)[0] for plan in plans]
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    fit_stack(plans[:1], device=device)
    # Memory for two and a half models.
    room = 2.5 * torch.cuda.max_memory_allocated() / torch.cuda.get_device_properties(device).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(room)
    try:
        together = fit_in_stacks(plans, device)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert sizes[0] == 4
    assert len(sizes) > 1
    for one, other in zip(alone, together, strict=True):
        for name, value in one.network.weights.items():
            np.testing.assert_allclose(other.network.weights[name], value, atol=1e-3)
