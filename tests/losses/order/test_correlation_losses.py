"""The correlation losses: values and gradients against their definitions, and the laws of a correlation."""

import functools
import itertools
import math

import numpy as np
import pytest
import scipy.stats
import torch

from skmetric.losses import pearson_loss, spearman_loss
from tests.losses.cases import assert_agree, generator, normal, value_and_gradient
from tests.losses.order import ranksim_reference as reference
from tests.losses.order.correlation_cases import LOSSES, drawn, each_loss

CASES = {
    "one item": {"n": 1},
    "a pair": {"n": 2},
    "small": {"n": 7},
    "tied targets": {"n": 9, "levels": 3},
    "two levels": {"n": 9, "levels": 2},
    "one level": {"n": 5, "levels": 1},
    "tied scores": {"n": 9, "tied_scores": True},
    "masked": {"n": 9, "masked": True},
    "everything": {"n": 12, "masked": True, "tied_scores": True, "levels": 4},
    "stack": {"n": 6, "leading": (4,)},
    "stack of stacks": {"n": 7, "leading": (2, 3), "masked": True, "levels": 4},
    "short lists": {"n": 3, "leading": (4, 5), "masked": True, "tied_scores": True, "levels": 2},
    "long": {"n": 200, "masked": True, "tied_scores": True, "levels": 30},
}


def assert_same(name, scores, targets, **options):
    loss, definition = LOSSES[name]
    actual = value_and_gradient(loss, scores, targets, **options)
    assert_agree(actual, value_and_gradient(definition, scores, targets, **options))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("case", CASES)
@each_loss
def test_enumeration(name, case, seed):
    scores, targets, options = drawn(**CASES[case], seed=seed)
    assert_same(name, scores, targets, **options)


@pytest.mark.parametrize("name", ["sigmoid", "blackbox"])
def test_option_of_each_list(name):
    scores, targets, options = drawn(8, leading=(2, 3), masked=True)
    option = "temperature" if name == "sigmoid" else "interpolation_strength"
    each = torch.tensor([[0.21, 0.73, 1.37], [2.19, 0.41, 9.7]], dtype=torch.float64)
    for value in (each, each[:, :1].expand(2, 3), each[0], each[0, 0], 3.3):
        assert_same(name, scores, targets, **options, **{option: value})


@each_loss
def test_leading_axes_broadcast(name):
    scores, targets, options = drawn(8, leading=(2, 3), masked=True)
    assert_same(name, scores, targets[0], mask=options["mask"][1])
    assert_same(name, scores, targets[0, 1], mask=options["mask"][1, 2])
    assert_same(name, scores, targets[:, :1], mask=options["mask"][:1])


@each_loss
def test_default_options(name):
    scores, targets, _ = drawn(8)
    actual = pearson_loss(scores, targets) if name == "Pearson" else spearman_loss(scores, targets, method=name)
    defaults = {} if name == "Pearson" else {"temperature": 0.1, "interpolation_strength": 1.0, "method": name}
    definition = reference.pearson_loss if name == "Pearson" else reference.spearman_loss
    assert_agree(actual, definition(scores, targets, **defaults))
    if name == "sigmoid":
        assert torch.equal(spearman_loss(scores, targets), actual)


@pytest.mark.parametrize("seed", range(5))
def test_values_are_correlations(seed):
    scores, targets, _ = drawn(15, levels=5, tied_scores=True, seed=seed)
    expected = 1 - scipy.stats.pearsonr(scores, targets).statistic
    assert pearson_loss(scores, targets).item() == pytest.approx(expected, abs=1e-12)
    expected = 1 - scipy.stats.spearmanr(scores, targets).statistic
    assert spearman_loss(scores, targets, method="blackbox").item() == pytest.approx(expected, abs=1e-12)
    # each of two equal scores is half above and half below the other, at any temperature
    cold = spearman_loss(scores, targets, method="sigmoid", temperature=1e-6)
    assert cold.item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_weighted_pearson_by_covariance(seed):
    scores, targets, _ = drawn(11, seed=seed)
    weights = torch.rand(11, generator=generator(seed), dtype=torch.float64)
    covariance = np.cov(scores, targets, aweights=weights.numpy())
    expected = 1 - covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1])
    assert pearson_loss(scores, targets, weights=weights).item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("levels", [None, 3])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_weights_of_pearson(seed, masked, levels):
    scores, targets, options = drawn(10, leading=(3,), masked=masked, levels=levels, seed=seed)
    weights = torch.tensor([0.0, 0.5, 1.0, 2.25])[torch.randint(4, (3, 10), generator=generator(seed))].double()
    assert_same("Pearson", scores, targets, weights=weights, **options)
    assert_same("Pearson", scores, targets, weights=weights[1], **options)


@pytest.mark.parametrize("seed", range(5))
def test_a_whole_weight_is_as_many_copies(seed):
    scores, targets, _ = drawn(9, levels=4, seed=seed)
    weights = torch.randint(4, (9,), generator=generator(seed)).double()
    copies = torch.arange(9).repeat_interleave(weights.long())
    value, gradient = value_and_gradient(pearson_loss, scores, targets, weights=weights)
    repeated = value_and_gradient(pearson_loss, scores[copies], targets[copies])
    assert_agree(
        (repeated[0], torch.zeros(9, dtype=torch.float64).index_add(0, copies, repeated[1])), (value, gradient)
    )
    assert (gradient[weights == 0] == 0).all()
    assert_agree(pearson_loss(scores, targets, weights=100 * weights), value)
    assert_agree(pearson_loss(scores, targets, weights=torch.ones(9)), pearson_loss(scores, targets))


def test_weights_of_nothing():
    scores, targets = normal(5), normal(5, seed=1)
    for weights in ([0, 0, 0, 0, 0], [0, 0, 3, 0, 0]):
        weights = torch.tensor(weights).double()
        value, gradient = value_and_gradient(pearson_loss, scores, targets, weights=weights)
        assert value == 0
        assert (gradient == 0).all()
    # targets of the items with a weight are equal, or their scores are
    weights, equal = torch.tensor([1.0, 2.0, 0.0, 0.5, 1.0]).double(), torch.tensor([0.1, 0.1, 7.0, 0.1, 0.1]).double()
    value, gradient = value_and_gradient(pearson_loss, scores, equal, weights=weights)
    assert value == 0
    assert (gradient == 0).all()
    value, gradient = value_and_gradient(pearson_loss, equal, targets, weights=weights)
    assert value == 1
    assert gradient.isfinite().all()


@pytest.mark.parametrize("name", ["Pearson", "sigmoid"])
def test_gradcheck(name):
    scores, targets, options = drawn(6, leading=(2,), masked=True, levels=4, seed=4)
    loss = LOSSES[name][0]
    weights = {"weights": torch.tensor([1.0, 2.0, 0.5, 0.0, 1.0, 3.0]).double()} if name == "Pearson" else {}

    def both(scores):
        return loss(scores, targets, **options), loss(scores, targets, **weights)

    assert torch.autograd.gradcheck(both, scores.requires_grad_())


def test_blackbox_by_hand():
    # Standardized scores -1, -1, 1, 1 have ranks 3.5 3.5 1.5 1.5; the target ranks are 4 3 1 2. The sums of squares are
    # 4 and 5, so S is sqrt(20); u = -1/8, 1/8, 1/8, -1/8. Moved by 16 u to -3, 1, 3, -1, scores have ranks 4 2 1 3.
    scores = torch.tensor([0.0, 0.0, 1.0, 1.0], dtype=torch.float64)
    targets = torch.tensor([-2.0, 5.0, 9.0, 7.0], dtype=torch.float64)
    value, gradient = value_and_gradient(spearman_loss, scores, targets, method="blackbox", interpolation_strength=16.0)
    assert value.item() == pytest.approx(1 - 4 / math.sqrt(20), rel=1e-12)
    slopes = torch.tensor([0.5, -1.5, -0.5, 1.5], dtype=torch.float64) * 4 / math.sqrt(20) / 16
    # standardized scores move twice as fast as scores, but their mean and their scale do not move
    z = torch.tensor([-1.0, -1.0, 1.0, 1.0], dtype=torch.float64)
    assert_agree(gradient, 2 * (slopes - slopes.mean() - z * (slopes * z).mean()))


@pytest.mark.parametrize("levels", [None, 4])
@pytest.mark.parametrize("scale", [1e-3, 0.25, 7.0, 1e4])
@each_loss
def test_shift_and_scale_of_scores(name, scale, levels):
    scores, targets, options = drawn(12, leading=(3,), masked=True, levels=levels)
    loss = LOSSES[name][0]
    value, gradient = value_and_gradient(loss, scores, targets, **options)
    scaled = value_and_gradient(loss, scale * scores - 5.0, targets, **options)
    torch.testing.assert_close((scaled[0], scale * scaled[1]), (value, gradient), rtol=1e-8, atol=1e-8)
    assert_agree(gradient.sum(-1), torch.zeros(3, dtype=torch.float64))
    assert_agree((gradient * scores).sum(-1), torch.zeros(3, dtype=torch.float64))


@each_loss
def test_shift_and_scale_of_targets(name):
    scores, targets, options = drawn(12, leading=(3,), masked=True, levels=4)
    loss = LOSSES[name][0]
    value, gradient = value_and_gradient(loss, scores, targets, **options)
    assert_agree(value_and_gradient(loss, scores, 4 * targets - 3, **options), (value, gradient))
    if name != "Pearson":  # only the order of targets counts
        assert_agree(value_and_gradient(loss, scores, targets.exp(), **options), (value, gradient))
        assert (value - loss(scores, -targets, **options)).abs().max() > 0.01
    assert_agree(loss(scores, -targets, **options), 2 - value)


@each_loss
def test_order_does_not_matter(name):
    scores, targets, options = drawn(12, masked=True, levels=5, tied_scores=True)
    order = torch.randperm(12, generator=generator(3))
    loss = LOSSES[name][0]
    value, gradient = value_and_gradient(loss, scores, targets, **options)
    moved = value_and_gradient(loss, scores[order], targets[order], mask=options["mask"][order])
    assert_agree(moved, (value, gradient[order]))


@each_loss
def test_perfect_and_reversed(name):
    scores = normal(4, 10)
    loss = LOSSES[name][0]
    targets = scores if name != "Pearson" else 3 * scores - 1
    if name == "sigmoid":
        loss = functools.partial(spearman_loss, temperature=1e-5)
    assert_agree(loss(scores, targets), torch.zeros(4, dtype=torch.float64))
    assert_agree(loss(scores, -targets), torch.full((4,), 2.0, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [5, 21, 64])
@each_loss
def test_a_list_has_the_same_bits_alone_and_in_a_stack(name, n, dtype):
    scores, targets, options = drawn(n, leading=(4, 3), masked=True, levels=4)
    scores, targets = scores.to(dtype), targets.to(dtype)
    loss = LOSSES[name][0]
    for mask in (options["mask"], torch.ones_like(options["mask"])):
        stacked = value_and_gradient(loss, scores, targets, mask=mask)
        for at in itertools.product(range(4), range(3)):
            value, gradient = value_and_gradient(loss, scores[at], targets[at], mask=mask[at])
            assert torch.equal(value, stacked[0][at])
            assert torch.equal(gradient, stacked[1][at])


@each_loss
def test_float32_and_whole_targets(name):
    scores, targets, options = drawn(60, masked=True, levels=6)
    loss, definition = LOSSES[name]
    value, gradient = value_and_gradient(loss, scores.float(), targets.float(), **options)
    assert value.dtype == gradient.dtype == torch.float32
    assert gradient.isfinite().all()
    expected = definition(scores.float().double(), targets, **options)
    torch.testing.assert_close(value.double(), expected, rtol=1e-4, atol=1e-5)
    whole = value_and_gradient(loss, scores.float(), targets.long(), **options)
    torch.testing.assert_close(whole, (value, gradient))
