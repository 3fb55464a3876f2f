import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skmetric._core.nn import INPUTS, Columns, FlatParameters, NetworkSpec, PlainInputs, build_network
from skmetric._core.nn.inputs import ScaledInputs
from skmetric._core.nn.layers import StackedLinear, unit_length


def rngs(*seeds):
    return [np.random.default_rng(seed) for seed in seeds]


def spec(**changes):
    return NetworkSpec(
        **{
            "n_features": 5,
            "n_outputs": 3,
            "hidden_layer_sizes": (8, 4),
            "dropout": 0.2,
            "normalize": True,
            "inputs": INPUTS["bounded"],
            "input_width": 5,
            **changes,
        }
    )


def build(*seeds, spec):
    """Build one model per seed, all with the same scaling of inputs."""
    table = np.random.default_rng(0).normal(size=(20, 5))
    return build_network(spec, [spec.inputs.fit(Columns(table), None)] * len(seeds), rngs(*seeds))


def scaling(table, weights=None):
    """Scale rows as a network that was trained on a table does."""
    spec = ScaledInputs(limit=3.0)
    state = spec.fit(Columns(table), weights)
    layer = spec.build([state], [])
    return lambda rows: layer(torch.from_numpy(state.encode(Columns(rows)))[None])[0]


def test_stacked_linear_is_one_linear_layer_a_model():
    stacked = StackedLinear(5, 3, rngs(0, 1), [5, 5])
    x = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0))
    for model in range(2):
        expected = torch.nn.functional.linear(x[model], stacked.weight[model].T, stacked.bias[model, 0])
        torch.testing.assert_close(stacked(x)[model], expected)
        torch.testing.assert_close(stacked(x[model : model + 1], slice(model, model + 1))[0], expected)
    assert stacked.weight.abs().max() <= 1 / np.sqrt(5)


def test_initial_weights_are_a_models_own():
    alone, stack = build(7, spec=spec()), build(3, 7, spec=spec())
    for name, value in alone.weights_of(0).items():
        np.testing.assert_array_equal(stack.weights_of(1)[name], value)


@settings(max_examples=50)
@given(scale=st.floats(0.01, 100), shift=st.floats(-100, 100), seed=st.integers(0, 2**32 - 1))
def test_input_scaling_does_not_see_units(scale, shift, seed):
    table = np.random.default_rng(seed).normal(size=(40, 3)).astype(np.float32)
    moved = (table * np.float32(scale) + np.float32(shift)).astype(np.float32)
    plain, other = scaling(table), scaling(moved)
    # The precision that float32 loses depends on the shift relative to the spread of the column.
    tolerance = 1e-5 * (1 + abs(shift) / scale)
    torch.testing.assert_close(other(moved), plain(table), rtol=0, atol=tolerance)


def test_input_scaling_bends_outliers_and_drops_constants():
    table = np.float32([[-1, 5, 0.1], [1, 5, 0.1], [-1, 5, 0.1], [1, 5, 0.1]])
    z = scaling(table)(np.float32([[1e6, 7.0, 0.2], [0.01, 5.0, 0.1]]))
    torch.testing.assert_close(z, torch.tensor([[3.0, 0, 0], [0.01, 0, 0]]), rtol=1e-4, atol=1e-6)


def test_rows_count_by_their_weight():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(60, 2)).astype(np.float32)
    times = rng.integers(0, 4, 60)
    table[times == 0] = 1e9
    weighted, repeated = scaling(table, weights=times / 7), scaling(np.repeat(table, times, axis=0))
    torch.testing.assert_close(weighted(table), repeated(table))


def test_flat_parameters_are_the_networks_own():
    network = build(0, 1, spec=spec())
    before = {name: value.clone() for name, value in network.named_parameters()}
    flat = FlatParameters(network)
    assert flat.values.shape[1] % 64 == 0
    for name, value in network.named_parameters():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    flat.values.zero_()
    assert all((value == 0).all() for value in network.parameters())


def test_flat_gradient_is_each_models_gradient():
    network = build(0, 1, spec=spec(normalize=False))
    flat = FlatParameters(network)
    x = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0))
    gradient = flat.gradient(network.final(x).square().sum((-1, -2))).clone()
    assert gradient.shape == flat.values.shape
    step = 1e-3 * gradient
    loss = network.final(x).square().sum((-1, -2))
    flat.values.sub_(step)
    lower = network.final(x).square().sum((-1, -2))
    torch.testing.assert_close((loss - lower).detach(), (step * gradient).sum(-1), rtol=0.1, atol=1e-3)


def test_dropout_factors_multiply_the_hidden_layers():
    network = build(0, spec=spec(hidden_layer_sizes=(8,)))
    x = torch.randn(1, 7, 5, generator=torch.Generator().manual_seed(0))
    ones = torch.ones(1, 7, network.keep_width)
    torch.testing.assert_close(network(x, ones).final, network(x).final, rtol=0, atol=0)
    bias = network.last.bias.detach()
    torch.testing.assert_close(network(x, 0 * ones).final, unit_length(bias.expand(1, 7, 3)))


def test_weights_round_trip():
    network = build(0, 1, spec=spec())
    other = build(5, spec=spec())
    other.load([network.weights_of(1)])
    x = torch.randn(1, 4, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(other.final(x), network.final(x, slice(1, 2)), rtol=0, atol=0)


def test_a_copy_of_weights_does_not_move_along():
    network = build(0, spec=spec())
    flat = FlatParameters(network)
    weights = network.weights_of(0)
    kept = {name: value.copy() for name, value in weights.items()}
    flat.values.zero_()
    for name, value in weights.items():
        np.testing.assert_array_equal(value, kept[name])


def test_no_hidden_layers_is_a_linear_map():
    network = build(0, spec=spec(hidden_layer_sizes=(), inputs=PlainInputs(), normalize=False))
    a, b = torch.randn(2, 1, 4, 5, generator=torch.Generator().manual_seed(0))
    zero = network.final(torch.zeros(1, 4, 5))
    torch.testing.assert_close(network.final(a + b) - zero, network.final(a) + network.final(b) - 2 * zero)


@pytest.mark.parametrize("length", [0.0, 1e-30, 1e-3, 1.0, 1e6])
def test_unit_length_has_a_finite_slope(length):
    x = (torch.tensor([[0.6, 0.8]], dtype=torch.float64) * length).requires_grad_()
    y = unit_length(x)
    y.sum().backward()
    assert x.grad.isfinite().all()
    if length >= 1e-3:
        torch.testing.assert_close(y.detach(), torch.tensor([[0.6, 0.8]], dtype=torch.float64), rtol=1e-5, atol=0)


def test_the_slope_of_unit_length_is_right():
    x = torch.randn(3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(unit_length, (x,))
    assert torch.autograd.gradcheck(unit_length, (x.detach() * 1e-7).requires_grad_(), eps=1e-11, atol=10)


def module(n_in, n_out):
    return torch.nn.Linear(n_in, n_out)


@pytest.mark.parametrize("changes", [{}, {"n_scores": 2}], ids=str)
def test_proxies_are_drawn_last_and_from_the_models_own_generator(changes):
    plain = build(3, 7, spec=spec(**changes))
    network, alone = (build(*seeds, spec=spec(n_proxies=6, **changes)) for seeds in ((3, 7), (7,)))
    weights = network.weights_of(1)
    assert weights["proxies"].shape == (6, network.n_outputs)
    assert network.proxies.dtype == torch.float32
    np.testing.assert_array_equal(weights["proxies"], alone.weights_of(0)["proxies"])
    for name, value in plain.weights_of(1).items():
        np.testing.assert_array_equal(weights[name], value)
    assert not np.array_equal(weights["proxies"], network.weights_of(0)["proxies"])


def test_proxies_have_about_unit_length():
    lengths = build(0, spec=spec(n_outputs=400, n_proxies=50)).proxies.norm(dim=-1)
    torch.testing.assert_close(lengths, torch.ones(1, 50), rtol=0, atol=0.2)


@pytest.mark.parametrize(("changes", "seeds"), [({}, (0, 1)), ({"module": module}, (0,))], ids=["stack", "module"])
def test_proxies_come_with_the_outputs_and_with_the_weights(changes, seeds):
    network = build(*seeds, spec=spec(n_proxies=6, **changes))
    n_models = len(seeds)
    x = torch.randn(n_models, 4, 5, generator=torch.Generator().manual_seed(0))
    last = slice(n_models - 1, n_models)
    assert network(x).proxies is network.proxies
    assert torch.equal(network(x[last], models=last).proxies, network.proxies[last])
    detached = network(x).detach()
    assert not detached.proxies.requires_grad
    other = build(5, spec=spec(n_proxies=6, **changes))
    other.load([network.weights_of(n_models - 1)])
    assert torch.equal(other.proxies, network.proxies[last])
    assert torch.equal(other.final(x[last]), network.final(x[last], last))
    before = detached.proxies.clone()
    FlatParameters(network).values.zero_()
    assert torch.equal(detached.proxies, before)
    assert (network.proxies == 0).all()


def test_without_proxies_there_are_none():
    network = build(0, spec=spec())
    assert network(torch.zeros(1, 2, 5)).proxies is None
    assert "proxies" not in network.weights_of(0)


@pytest.mark.parametrize(
    ("changes", "width", "learns"),
    [
        ({}, 3, True),
        ({"n_scores": 2}, 4, True),
        ({"hidden_layer_sizes": ()}, 3, True),
        ({"hidden_layer_sizes": (), "n_scores": 2}, 5, False),
        ({"hidden_layer_sizes": (), "n_scores": 2, "n_proxies": 4}, 5, False),
        ({"module": module}, 3, True),
    ],
)
def test_a_network_knows_its_representation(changes, width, learns):
    network = build(0, spec=spec(**changes))
    assert network(torch.zeros(1, 2, 5)).representation.shape[-1] == network.n_outputs == width
    assert network.learns_representation is learns
