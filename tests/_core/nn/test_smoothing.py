import numpy as np
import pytest
import torch

from skmetric._core.nn.smoothing import FeatureSmoothing, SmoothingSpec
from tests._core.nn.plain_smoothing import PlainSmoothing


def draw(rng, n, n_bins):
    bins = rng.integers(-1, n_bins - 1, n)  # the last bin stays empty
    return rng.normal(bins[:, None], 1 + (bins[:, None] % 3), (n, 4)).astype(np.float32), bins


@pytest.mark.parametrize(("n_bins", "radius"), [(6, 2), (3, 5), (4, 1)])
def test_two_models_smooth_as_a_plain_one_does(n_bins, radius):
    rng = np.random.default_rng(0)
    layer = FeatureSmoothing(SmoothingSpec(n_bins, radius, 1.5), 2, 4)
    plain = [PlainSmoothing(n_bins, radius, 1.5) for _ in range(2)]
    for epoch in range(3):
        for _ in range(3):
            drawn = [draw(rng, 20, n_bins) for _ in plain]
            x, bins = (torch.from_numpy(np.stack(values)) for values in zip(*drawn, strict=True))
            before = x.clone()
            moved = layer(x, bins)
            torch.testing.assert_close(x, before, rtol=0, atol=0)
            for model, reference in enumerate(plain):
                expected = reference(x[model].numpy().astype(np.float64), bins[model].tolist())
                np.testing.assert_allclose(moved[model].numpy(), expected, rtol=1e-4, atol=1e-4)
            assert (epoch == 0) == torch.equal(moved, x)
        layer.end_epoch()
        for reference in plain:
            reference.end_epoch()


def test_rows_pass_as_they_are_in_the_first_epoch_and_without_a_bin():
    rng = np.random.default_rng(1)
    layer = FeatureSmoothing(SmoothingSpec(4), 1, 4)
    x, bins = (torch.from_numpy(values)[None] for values in draw(rng, 30, 5))
    assert torch.equal(layer(x, bins), x)
    layer.end_epoch()
    again = layer(x, bins)
    assert torch.equal(again[bins < 0], x[bins < 0])
    assert not torch.equal(again, x)


def test_a_bin_of_one_row_keeps_its_spread():
    layer = FeatureSmoothing(SmoothingSpec(2, radius=0), 1, 1)
    x, bins = torch.tensor([[[1.0], [3.0], [7.0]]]), torch.tensor([[0, 0, 1]])
    layer(x, bins)
    layer.end_epoch()
    torch.testing.assert_close(layer(x, bins), x)  # without neighbors, smoothing changes nothing


def test_the_gradient_is_that_of_the_map():
    rng = np.random.default_rng(2)
    layer = FeatureSmoothing(SmoothingSpec(3), 1, 4)
    x, bins = (torch.from_numpy(values)[None] for values in draw(rng, 30, 4))
    layer(x, bins)
    layer.end_epoch()
    leaf = x.clone().requires_grad_()
    layer(leaf, bins).sum().backward()
    step = torch.zeros_like(x)
    step[0, :, 0] = 1.0
    with torch.no_grad():
        change = layer(x + step, bins) - layer(x, bins)
    torch.testing.assert_close(leaf.grad[..., 0], change[..., 0], rtol=1e-4, atol=1e-4)


def test_what_was_seen_goes_along_with_the_weights():
    rng = np.random.default_rng(3)
    layer, other = (FeatureSmoothing(SmoothingSpec(3), 1, 4) for _ in range(2))
    x, bins = (torch.from_numpy(values)[None] for values in draw(rng, 30, 4))
    layer(x, bins)
    layer.end_epoch()
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other(x, bins), layer(x, bins))
