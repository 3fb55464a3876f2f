"""Contract of input encodings: the ones in ``INPUTS``, and one whose width depends on the table."""

import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from skmetric import RankSimRegressor
from skmetric._core.engine import fit_stack, split_into_stacks
from skmetric._core.nn import INPUTS, Columns
from skmetric._core.nn.inputs import InputLayer, ScaledInputs, round_up
from skmetric.estimators.training_data import InputFits
from tests._core.engine.plans import CPU, assert_same, make_plan, network_spec


def through(spec, state, columns):
    """What reaches the first layer of weights."""
    return spec.build([state], [])(torch.from_numpy(state.encode(columns))[None])[0].numpy()


@dataclass(frozen=True, eq=False)
class LevelsState:
    levels: np.ndarray

    @property
    def n_used(self):
        return len(self.levels)

    @property
    def width(self):
        return round_up(self.n_used)

    def encode(self, columns):
        """Return the level of the first column of each row; -1 for an unknown level."""
        first = columns.numbers[:, 0]
        code = np.searchsorted(self.levels, first).clip(max=self.n_used - 1)
        return np.where(self.levels[code] == first, code, -1)[:, None].astype(np.float32)


class LevelsLayer(InputLayer):
    def __init__(self, width):
        super().__init__()
        self.width = width

    def forward(self, x, models=slice(None)):
        return (x == torch.arange(self.width)).to(x.dtype)


@dataclass(frozen=True)
class Levels:
    """One slot per level of the first column in the training rows."""

    summary = "Gives each level of the first column a slot."

    def fit(self, columns, row_weights, before=None):
        return LevelsState(np.unique(columns.numbers[:, 0]))

    def build(self, states, rngs):
        return LevelsLayer(states[0].width)


def plan_of_levels(n_levels, seed=0):
    columns = Columns(np.random.default_rng(seed).permutation(np.arange(32) % n_levels)[:, None].astype(float))
    state = Levels().fit(columns, None)
    spec = network_spec(1, n_outputs=2, inputs=Levels(), input_width=state.width)
    return make_plan(seed, columns.numbers, network=spec, inputs=state)


def test_widths_that_differ_by_a_few_slots_share_a_stack():
    plans = [plan_of_levels(n_levels, seed) for seed, n_levels in enumerate((5, 7, 16))]
    assert split_into_stacks(plans, CPU, None) == [[0, 1, 2]]
    stacked = fit_stack(plans, device=CPU)
    for plan, result in zip(plans, stacked, strict=True):
        assert_same(result, fit_stack([plan], device=CPU)[0])
    assert len(split_into_stacks([*plans, plan_of_levels(17)], CPU, None)) == 2


@pytest.mark.parametrize("hidden_layer_sizes", [(7, 6), ()])
def test_slots_that_are_not_used_stay_zero_and_draw_nothing(hidden_layer_sizes):
    plan = plan_of_levels(5)
    spec = network_spec(
        1, n_outputs=2, hidden_layer_sizes=hidden_layer_sizes, inputs=Levels(), input_width=plan.inputs.width
    )
    (result,) = fit_stack([replace(plan, network=spec)], device=CPU)
    first = result.network.weights["layers.0.weight" if hidden_layer_sizes else "last.weight"]
    assert first.shape[0] == 16
    assert (first[5:] == 0).all()
    assert (first[:5] != 0).all()


def test_a_trained_network_encodes_new_tables_by_its_own_state():
    (result,) = fit_stack([plan_of_levels(5)], device=CPU)
    loaded = pickle.loads(pickle.dumps(result.network))
    seen, unseen = Columns(np.array([[3.0], [4.0]])), Columns(np.array([[3.0], [77.0]]))
    outputs, others = loaded.apply(seen, CPU), loaded.apply(unseen, CPU)
    np.testing.assert_array_equal(outputs, result.network.apply(seen, CPU))
    np.testing.assert_array_equal(outputs[0], others[0])
    assert not np.array_equal(outputs[1], others[1])


def test_specs_are_compared_by_value():
    assert ScaledInputs(3.0) == INPUTS["bounded"] != INPUTS["standard"] == ScaledInputs(None)
    assert len({*INPUTS.values(), *map(pickle.loads, map(pickle.dumps, INPUTS.values()))}) == len(INPUTS)


@pytest.mark.parametrize("name", INPUTS)
def test_a_state_is_the_same_in_any_order_of_calls_and_is_not_changed(name):
    table = Columns(np.random.default_rng(0).normal(size=(40, 3)))
    state = INPUTS[name].fit(table, None)
    before = pickle.dumps(state)
    INPUTS[name].fit(Columns(table.numbers * 2), None, state)
    INPUTS[name].build([state], [np.random.default_rng(0)])(torch.zeros(1, 2, 3))
    assert pickle.dumps(state) == before
    assert state.encode(table).dtype == np.float32
    assert state.width == state.n_used == 3


def test_standard_inputs_are_linear_and_bounded_ones_bend():
    columns = Columns(np.random.default_rng(0).normal(5, 2, size=(50, 2)).astype(np.float32))
    far = Columns(np.array([[5.0, 5.0], [5.0 + 200, 5.0], [5.0 + 400, 5.0]]))
    for name, is_linear in (("standard", True), ("bounded", False), ("none", True)):
        state = INPUTS[name].fit(columns, None)
        near, mid, end = through(INPUTS[name], state, far)[:, 0]
        assert np.allclose(end - mid, mid - near, rtol=1e-4) is is_linear


def test_a_linear_model_of_standard_inputs_extrapolates_as_ridge_does():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3)).astype(np.float32)
    y = X @ [1.0, -2.0, 0.5]
    linear = {"hidden_layer_sizes": (), "gamma": 0, "weight_decay": 0.0, "device": "cpu", "random_state": 0}
    regressor = RankSimRegressor(inputs="standard", **linear).fit(X, y)
    np.testing.assert_allclose(regressor.predict(10 * X), 10 * y, atol=0.5)
    assert np.abs(RankSimRegressor(**linear).fit(X, y).predict(10 * X) - 10 * y).max() > 5


def test_scaling_goes_on_where_columns_varied():
    first, second = Columns(np.array([[1.0, 7.0], [3.0, 7.0]])), Columns(np.array([[10.0, 1.0], [50.0, 5.0]]))
    spec = ScaledInputs(3.0)
    state = spec.fit(second, None, spec.fit(first, None))
    np.testing.assert_allclose(state.encode(Columns(np.array([[3.0, 5.0]]))), [[1.0, 1.0]])
    np.testing.assert_allclose(state.encode(Columns(np.array([[2.0, 3.0]]))), [[0.0, 0.0]])


def test_equal_tables_are_fitted_once():
    class Counting(ScaledInputs):
        n_fits = 0

        def fit(self, *arguments):
            Counting.n_fits += 1
            return super().fit(*arguments)

    fits, table = InputFits(), np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    weights = np.ones(20)
    state, rows = fits.of(Counting(3.0), Columns(table), weights, None)
    other = fits.of(Counting(3.0), Columns(table.copy()), weights.copy(), None)
    assert other[0] is state
    assert other[1] is rows
    assert Counting.n_fits == 1
    fits.of(Counting(3.0), Columns(table), None, None)
    fits.of(Counting(2.0), Columns(table), weights, None)
    fits.of(Counting(3.0), Columns(table), weights, state)
    fits.of(Counting(3.0), Columns(table + 1), weights, None)
    assert Counting.n_fits == 5
