from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch

from skmetric._core.engine import StoppingRule, Validation, constant, fit_stack, one_cycle
from skmetric._core.engine.tables import DeviceTable, HostTable, open_table
from skmetric._core.nn import Columns, EncodedRows, PlainInputs
from tests._core.engine.plans import CPU, SquaredError, assert_same, make_plan, network_spec


def fit(*plans):
    return fit_stack(plans, device=CPU)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_model_of_a_stack_is_its_own_fit(dropout):
    tables = [np.random.default_rng(seed).normal(size=(32, 5)).astype(np.float32) for seed in range(2)]
    plans = [
        make_plan(seed, tables[seed % 2], dropout=dropout, scale=scale, learning_rate=rate, n_outputs=4)
        for seed, scale, rate in [(0, 1.0, 0.01), (1, 2.0, 0.01), (2, 0.5, 0.03), (3, 1.0, 0.001)]
    ]
    for plan, result in zip(plans, fit(*plans), strict=True):
        assert_same(result, fit(plan)[0])


def test_training_lowers_the_loss():
    (result,) = fit(make_plan(max_iter=50))
    assert result.history[-1]["train_loss"] < 0.5 * result.history[0]["train_loss"]
    assert result.n_iter == len(result.history) == 50
    assert {"epoch", "train_loss", "largest", "dur"} == result.history[0].keys()


def test_plans_decide_everything():
    assert_same(fit(make_plan(dropout=0.2))[0], fit(make_plan(dropout=0.2))[0])
    assert fit(make_plan(1))[0].history[0]["train_loss"] != fit(make_plan(2))[0].history[0]["train_loss"]


def test_the_model_whose_loss_overflows_fails_alone():
    failing = make_plan(1, learning_rate=1e30)
    good, bad, also_good = fit(make_plan(0), failing, make_plan(2))
    assert bad.failure is not None
    assert "the loss became" in bad.failure
    assert bad.n_iter < 5
    assert_same(good, fit(make_plan(0))[0])
    assert_same(also_good, fit(make_plan(2))[0])
    assert good.failure is None


def scripted(scores):
    values = iter(scores)
    return Validation(np.zeros((1, 5), np.float32), lambda outputs: next(values))


def test_the_best_weights_are_kept_and_patience_counted():
    plan = make_plan(max_iter=20, validation=scripted([1, 3, 2, 3, 1, 9, 9]), stopping=StoppingRule(patience=3))
    (result,) = fit(plan)
    assert [epoch["valid_score"] for epoch in result.history] == [1, 3, 2, 3, 1]
    expected = fit(make_plan(max_iter=2))[0].network.weights
    for name, value in expected.items():
        np.testing.assert_array_equal(result.network.weights[name], value)


def test_models_stop_each_at_its_own_epoch():
    early = make_plan(0, max_iter=9, validation=scripted([1, 0, 0]), stopping=StoppingRule(2))
    late = make_plan(1, max_iter=9, validation=scripted(range(9)), stopping=StoppingRule(2))
    first, second = fit(early, late)
    assert (first.n_iter, second.n_iter) == (3, 9)
    assert_same(first, fit(make_plan(0, max_iter=9, validation=scripted([1, 0, 0]), stopping=StoppingRule(2)))[0])
    assert_same(second, fit(make_plan(1, max_iter=9, validation=scripted(range(9)), stopping=StoppingRule(2)))[0])


def test_going_on_from_weights_and_moments_is_going_on():
    whole = make_plan(max_iter=1)
    (half,) = fit(whole)
    (onwards,) = fit(make_plan(5, max_iter=1, initial_weights=half.network.weights, moments=half.moments))
    assert onwards.moments.n_updates == 2 * half.moments.n_updates
    assert onwards.history[0]["train_loss"] < half.history[0]["train_loss"]


def test_rows_that_are_encoded_batch_by_batch_give_the_same():
    X = np.random.default_rng(0).normal(5, 2, size=(32, 5))
    plans = [make_plan(seed, X) for seed in range(2)]
    later = [replace(plan, X=EncodedRows(plan.inputs, Columns(X))) for plan in plans]
    assert isinstance(open_table([later[0].X, plans[1].X], CPU), HostTable)
    for results in (fit(*later), fit(later[0], plans[1])):
        assert_same(results[0], fit(plans[0])[0])
        assert_same(results[1], fit(plans[1])[0])


def test_drawing_ahead_in_blocks_gives_the_same(monkeypatch):
    whole = fit(make_plan(dropout=0.3))[0]
    monkeypatch.setattr("skmetric._core.engine.training.MASKS_AHEAD", 200)
    assert_same(fit(make_plan(dropout=0.3))[0], whole)


def test_global_generators_are_left_as_found():
    before = torch.get_rng_state()
    fit(make_plan(dropout=0.3))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_trained_network_applies_its_weights():
    X = np.random.default_rng(1).normal(3, 2, size=(32, 5))
    (result,) = fit(make_plan(X=X))
    z = (X - X.mean(0)) / X.std(0)
    z = z / np.sqrt(1 + (z / 3) ** 2)
    weights = result.network.weights
    for layer in range(2):
        z = np.maximum(z @ weights[f"layers.{layer}.weight"] + weights[f"layers.{layer}.bias"], 0)
    z = z @ weights["last.weight"] + weights["last.bias"]
    np.testing.assert_allclose(result.network.apply(Columns(X), "cpu"), z, rtol=1e-4, atol=1e-5)


def test_a_head_scores_the_last_hidden_layer():
    plan = make_plan(network=network_spec(n_outputs=6, n_scores=1))
    (result,) = fit(plan)
    hidden = result.network.represent(Columns(plan.X), "cpu")
    assert hidden.shape == (32, 6)
    assert (hidden >= 0).all()
    scores = hidden @ result.network.weights["head.weight"] + result.network.weights["head.bias"]
    np.testing.assert_allclose(result.network.apply(Columns(plan.X), "cpu"), scores, rtol=1e-4, atol=1e-5)


@dataclass(frozen=True)
class SeenBatches(SquaredError):
    """Keeps the batches that the objective receives."""

    seen: list = field(default_factory=list, compare=False)

    def loss(self, outputs, batch, hyperparameters):
        self.seen.append((batch.rows.clone(), batch.values.clone(), batch.list_length))
        return super().loss(outputs, batch, hyperparameters)


@dataclass(frozen=True)
class TwoSteps:
    """Items 0 to 3 in two lists of two, then items 4 to 6 in a list of three, with one empty slot."""

    batch_length: int = 4
    list_lengths: tuple = (2, 3)

    def draw_epoch(self, rng):
        return np.array([[0, 1, 2, 3], [4, 5, 6, -1]])


def test_items_may_share_rows_and_bring_values():
    values = np.arange(14, dtype=np.float32).reshape(7, 2)
    items = np.array([3, 3, 0, 1, 2, 2, 9])
    objective = SeenBatches()
    plan = make_plan(objective=objective, sampler=TwoSteps(), items=items, values=values, max_iter=1)
    fit(plan, replace(plan, seed=np.random.SeedSequence(1), values=values + 100))
    (first, second), (known, known_second), lengths = zip(*objective.seen, strict=True)
    assert lengths == (2, 3)
    np.testing.assert_array_equal(first, [[3, 3, 0, 1]] * 2)
    np.testing.assert_array_equal(second, [[2, 2, 9, -1]] * 2)
    np.testing.assert_array_equal(known, [values[:4], values[:4] + 100])
    np.testing.assert_array_equal(known_second[:, :3], [values[4:], values[4:] + 100])


@pytest.mark.parametrize("on_disk", [False, True])
def test_where_there_is_no_item_a_row_of_the_same_table_stands_in(on_disk):
    tables = [np.full((3, 2), value, dtype=np.float32) for value in (1, 2)]
    if on_disk:
        tables = [EncodedRows(PlainInputs().fit(Columns(table), None), Columns(table)) for table in tables]
    ((indices, x, _),) = open_table(tables, CPU).batches(np.array([[[0, -1], [-1, 2]]]))
    np.testing.assert_array_equal(indices, [[0, -1], [-1, 2]])
    np.testing.assert_array_equal(x[..., 0], [[1, 1], [2, 2]])


def test_a_table_that_must_not_be_written_to_goes_to_a_device_without_a_word():
    table = np.arange(6, dtype=np.float32).reshape(3, 2)
    table.flags.writeable = False
    ((_, x, _),) = DeviceTable([table], [0], CPU).batches(np.array([[[2, 0]]]))
    np.testing.assert_array_equal(x, [table[[2, 0]]])


def test_schedules():
    assert (constant(7) == 1).all()
    factors = one_cycle(1000)
    assert factors.argmax() == 300
    assert factors.max() == pytest.approx(1)
    assert factors[0] == pytest.approx(0.04)
    assert factors[-1] == pytest.approx(4e-6)
    assert (np.diff(factors[:301]) > 0).all()
    assert (np.diff(factors[300:]) < 0).all()
    for n_steps in (1, 2, 3):
        assert np.isfinite(one_cycle(n_steps)).all()
        assert (one_cycle(n_steps) > 0).all()


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_it_trains_inside_a_callers_context(context):
    with context():
        inside = fit(make_plan())[0]
    assert_same(inside, fit(make_plan())[0])


def test_torchs_default_dtype_does_not_matter():
    expected = fit(make_plan(dropout=0.2))[0]
    torch.set_default_dtype(torch.float64)
    try:
        assert_same(fit(make_plan(dropout=0.2))[0], expected)
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    "network",
    [
        network_spec(n_outputs=3, hidden_layer_sizes=(16, 8), normalize=True),
        network_spec(n_outputs=9, hidden_layer_sizes=(9,)),
    ],
)
def test_a_rows_outputs_do_not_depend_on_how_many_others_there_are(network):
    (result,) = fit(make_plan(network=network))
    rows = np.random.default_rng(0).normal(size=(203, 5)).astype(np.float32)
    together = result.network.apply(Columns(rows), "cpu")
    np.testing.assert_array_equal(result.network.apply(Columns(rows[:1]), "cpu"), together[:1])
    np.testing.assert_array_equal(result.network.apply(Columns(rows[::-1]), "cpu"), together[::-1])
    np.testing.assert_array_equal(result.network.apply(Columns(rows[100:170]), "cpu"), together[100:170])


def test_given_weights_replace_random_ones_by_name():
    bias = {"layers.0.bias": np.full((1, 7), 0.5, np.float32)}
    plans = [make_plan(0, learning_rate=1e-12), make_plan(1, learning_rate=1e-12, initial_weights=bias)]
    together, alone = fit(*plans), [fit(plan)[0] for plan in plans]
    drawn = fit(make_plan(1, learning_rate=1e-12))[0].network.weights
    for result, its_own in zip(together, alone, strict=True):
        assert_same(result, its_own)
    for name, value in together[1].network.weights.items():
        np.testing.assert_allclose(value, bias.get(name, drawn[name]), atol=1e-9)
    assert np.abs(drawn["layers.0.bias"] - 0.5).max() > 0.1
