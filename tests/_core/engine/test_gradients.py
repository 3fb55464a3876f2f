from functools import partial

import numpy as np
import pytest
import torch

from skmetric._core.engine import fit_stack
from skmetric._core.engine.gradients import InPieces, Whole, open_gradients
from skmetric._core.nn import Columns, FlatParameters, PlainInputs, SmoothingSpec, build_network
from tests._core.engine.plans import CPU, make_items_plan, network_spec, with_dropout

N, M = 37, 2


def build(n_models=M, dtype=torch.float32, **changes):
    spec = network_spec(**{"n_outputs": 3, "hidden_layer_sizes": (16, 8), "dropout": 0.3, **changes})
    x = torch.randn(n_models, N, 5, generator=torch.Generator().manual_seed(0)).to(dtype)
    states = [spec.inputs.fit(Columns(rows.numpy()), None) for rows in x]
    network = build_network(spec, states, [np.random.default_rng(seed) for seed in range(n_models)])
    network.to(dtype).train()
    return network, FlatParameters(network), x


def loss_of(network, representation):
    """Compute a loss that is no sum over items: it compares all pairs by representation, scores and proxies."""
    outputs = network.conclude(representation)
    final = outputs.final
    loss = (final.unsqueeze(1) - final.unsqueeze(2)).square().sum(-1).neg().exp().mean(-1).mean(-1)
    loss = loss + (representation.mean(1) * torch.arange(1, 1 + representation.shape[-1])).sum(-1).tanh()
    if outputs.proxies is not None:
        loss = loss + torch.cdist(representation, outputs.proxies).amin(-1).mean(-1)
    return outputs, loss


def assert_close(one, other, rtol):
    """Check that the gap is small, relative to the largest entry of each model."""
    gap = (one - other).abs().amax(-1) / other.abs().amax(-1)
    assert (gap <= rtol).all(), gap


SPECS = [
    {},
    {"normalize": True},
    {"n_scores": 2},
    {"n_proxies": 4},
    {"n_scores": 1, "n_proxies": 3},
    {"hidden_layer_sizes": ()},
    {"inputs": PlainInputs()},
    {"n_outputs": 8},
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("length", [1, 8, 36, 37])
@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float32, 1e-6), (torch.float64, 1e-14)], ids=["32", "64"])
def test_pieces_give_the_gradient_of_the_whole(spec, length, dtype, rtol):
    network, flat, x = build(dtype=dtype, **spec)
    keep = None
    if network.keep_width:
        rng = torch.Generator().manual_seed(1)
        keep = torch.randint(0, 2, (M, N, network.keep_width), generator=rng).to(dtype) / 0.7
    whole = Whole(network, flat)(x, keep, partial(loss_of, network))
    expected = whole.gradient.clone()
    pieced = InPieces(network, flat, length)(x, keep, partial(loss_of, network))
    assert_close(pieced.gradient, expected, rtol)
    assert (expected.abs().amax(-1) > 0).all()
    torch.testing.assert_close(pieced.loss, whole.loss)
    for part, other in zip(pieced.outputs, whole.outputs, strict=True):
        if other is not None:
            torch.testing.assert_close(part, other)
            assert not part.requires_grad


def test_models_may_share_dropouts_factors():
    network, flat, x = build()
    keep = torch.randint(0, 2, (1, N, network.keep_width), generator=torch.Generator().manual_seed(1)).float()
    expected = Whole(network, flat)(x, keep, partial(loss_of, network)).gradient.clone()
    assert_close(InPieces(network, flat, 10)(x, keep, partial(loss_of, network)).gradient, expected, 1e-6)


def test_an_objective_may_differentiate_scores_by_the_representation():
    network, flat, x = build(n_scores=2)

    def by_slope(representation):
        outputs = network.conclude(representation)
        task = outputs.scores.square().mean(-1).mean(-1)
        (slope,) = torch.autograd.grad(task, outputs.representation, torch.ones_like(task), retain_graph=True)
        return outputs, task + (outputs.representation * slope.detach()).sum(-1).sum(-1)

    expected = Whole(network, flat)(x, None, by_slope).gradient.clone()
    assert_close(InPieces(network, flat, 10)(x, None, by_slope).gradient, expected, 1e-6)


def test_features_are_smoothed_once_a_step():
    bins = torch.arange(N).remainder(4).expand(M, N)
    gradients = []
    for strategy in (Whole, partial(InPieces, length=10)):
        network, flat, x = build(n_scores=2, smoothing=SmoothingSpec(4))

        def smoothed(representation, network=network):
            outputs = network.conclude(representation, bins=bins)
            return outputs, outputs.scores.square().mean(-1).mean(-1)

        for _ in range(2):
            gradient = strategy(network, flat)(x, None, smoothed).gradient.clone()
            network.end_epoch()
        gradients.append(gradient)
    assert_close(*gradients, 1e-6)


class Dropping(torch.nn.Sequential):
    """A user's module that draws from torch's global generator."""

    def __init__(self, n_in, n_out):
        super().__init__(torch.nn.Linear(n_in, 12), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(12, n_out))


def test_a_users_module_draws_the_same_twice():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network, flat, x = build(1, module=Dropping)
        torch.manual_seed(1)
        pieced = InPieces(network, flat, 10)(x, None, partial(loss_of, network))
        gradient, after = pieced.gradient.clone(), torch.get_rng_state()
        # The same random numbers, piece by piece, in one graph.
        torch.manual_seed(1)
        representation = torch.cat([network.represent(piece) for piece in x.split(10, 1)], 1)
        outputs, loss = loss_of(network, representation)
        assert_close(gradient, flat.gradient(loss), 1e-6)
        torch.testing.assert_close(pieced.outputs.representation, outputs.representation, rtol=0, atol=0)
        assert torch.equal(after, torch.get_rng_state())


def test_a_fit_with_a_users_module_leaves_the_generators_as_found():
    plan = make_items_plan(chunk_length=33, spec={"module": Dropping}, max_iter=2)
    before = torch.get_rng_state()
    first, second = (fit_stack([plan], device=CPU)[0] for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    for name, value in first.network.weights.items():
        np.testing.assert_array_equal(second.network.weights[name], value)


@pytest.mark.parametrize(
    ("length", "spec", "kind"),
    [
        (None, {}, Whole),
        (N, {}, Whole),
        (N - 1, {}, InPieces),
        (5, {"hidden_layer_sizes": (), "n_scores": 1, "dropout": 0.0}, Whole),
        (5, {"hidden_layer_sizes": (), "dropout": 0.0}, InPieces),
    ],
)
def test_pieces_are_made_where_there_are_several_and_something_to_learn(length, spec, kind):
    network, flat, _ = build(**spec)
    assert type(open_gradients(network, flat, N, length)) is kind


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_training_in_pieces_is_training_up_to_rounding(dropout):
    whole, pieced = (
        fit_stack([make_items_plan(chunk_length=length, **with_dropout({}, dropout))], device=CPU)[0]
        for length in (None, 30)
    )
    for name, value in whole.network.weights.items():
        np.testing.assert_allclose(pieced.network.weights[name], value, rtol=1e-3, atol=1e-4)


def test_activations_of_one_piece_are_alive_at_a_time():
    class Watching(torch.nn.Linear):
        def forward(self, x):
            seen.append((len(x), torch.is_grad_enabled()))
            return super().forward(x)

    seen = []
    network, flat, x = build(1, module=Watching)
    seen.clear()
    InPieces(network, flat, 20)(x, None, partial(loss_of, network))
    assert seen == [(20, False), (17, False), (20, True), (17, True)]
