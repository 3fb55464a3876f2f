"""Constant lists, masked items, NaNs and wrong arguments in the correlation losses."""

import math

import pytest
import torch

from skmetric.losses import pearson_loss, spearman_loss
from tests.losses.cases import assert_agree, generator, normal, value_and_gradient
from tests.losses.order.correlation_cases import LOSSES, drawn, each_loss

# Targets, and which of them are real.
NOTHING_TO_ORDER = {
    "no item": ([], []),
    "one item": ([2], [1]),
    "one item is left": ([0, 2, 1], [0, 1, 0]),
    "all masked": ([0, 1, 2, 1], [0, 0, 0, 0]),
    "one level": ([0.1, 0.1, 0.1], [1, 1, 1]),
    "one level is left": ([0.3, 0, 0.3, 0.3, 1], [1, 0, 1, 1, 0]),
    "one level, long": ([0.1] * 90, [1] * 90),
}


@pytest.mark.parametrize("case", NOTHING_TO_ORDER)
@pytest.mark.parametrize("constant", [False, True])
@each_loss
def test_constant_targets(name, constant, case):
    targets, mask = (torch.tensor(values) for values in NOTHING_TO_ORDER[case])
    scores = torch.full((len(targets),), 0.7, dtype=torch.float64) if constant else normal(len(targets))
    value, gradient = value_and_gradient(LOSSES[name][0], scores, targets.double(), mask=mask.bool())
    assert value.shape == ()
    assert value == 0
    assert torch.equal(gradient, torch.zeros_like(scores))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("level", [0.0, 0.1, 0.3, -1e6])
@pytest.mark.parametrize("n", [2, 7, 90])
@each_loss
def test_constant_scores(name, n, level, dtype):
    scores, targets = torch.full((n,), level, dtype=dtype), torch.arange(n).to(dtype)
    value, gradient = value_and_gradient(LOSSES[name][0], scores, targets)
    assert value == 1
    assert gradient.abs().max() < 100  # a spread that is only a rounding error must not be a divisor
    scores = torch.cat([scores, scores.new_tensor([5.0])])
    mask = torch.tensor([True] * n + [False])
    value, gradient = value_and_gradient(LOSSES[name][0], scores, torch.arange(n + 1).to(dtype), mask=mask)
    assert value == 1
    assert gradient.isfinite().all()
    assert gradient[-1] == 0


@each_loss
def test_constant_list_beside_others(name):
    scores, targets, _ = drawn(8, leading=(3,), levels=4)
    targets[0], scores[1] = 0.1, 0.1
    loss = LOSSES[name][0]
    value, gradient = value_and_gradient(loss, scores, targets)
    assert value[:2].tolist() == [0.0, 1.0]
    assert (gradient[0] == 0).all()
    assert gradient.isfinite().all()
    assert_agree((value[2], gradient[2]), value_and_gradient(loss, scores[2], targets[2]))


@pytest.mark.parametrize("shape", [(0, 6), (3, 0), (2, 0, 4)])
@each_loss
def test_empty_stack(name, shape):
    scores = torch.zeros(shape, dtype=torch.float64)
    value, gradient = value_and_gradient(LOSSES[name][0], scores, scores)
    assert torch.equal(value, torch.zeros(shape[:-1], dtype=torch.float64))
    assert gradient.shape == shape


@pytest.mark.parametrize("junk", [math.nan, math.inf, -math.inf, 1e300, 0.0])
@each_loss
def test_masked_items_do_not_leak(name, junk):
    scores, targets, options = drawn(10, leading=(3,), masked=True, levels=4)
    mask = options["mask"]
    mask[2] = False
    weighted = [{}]
    if name == "Pearson":
        weights = torch.rand(3, 10, generator=generator(1), dtype=torch.float64)
        weighted += [{"weights": weights}, {"weights": weights.masked_fill(~mask, abs(junk))}]
    clean = [value_and_gradient(LOSSES[name][0], scores, targets, mask=mask, **more) for more in weighted]
    clean[2:] = clean[1:2]
    for s in (scores, scores.masked_fill(~mask, junk)):
        for t in (targets, targets.masked_fill(~mask, junk)):
            for more, expected in zip(weighted, clean, strict=True):
                value, gradient = value_and_gradient(LOSSES[name][0], s, t, mask=mask, **more)
                assert value[2] == 0
                assert torch.equal(value, expected[0])
                assert torch.equal(gradient, expected[1])
                assert (gradient[~mask] == 0).all()


@pytest.mark.parametrize("seed", range(3))
@each_loss
def test_masked_items_are_removed_items(name, seed):
    scores, targets, options = drawn(10, masked=True, levels=4, seed=seed)
    mask = options["mask"]
    value, gradient = value_and_gradient(LOSSES[name][0], scores, targets, mask=mask)
    assert_agree((value, gradient[mask]), value_and_gradient(LOSSES[name][0], scores[mask], targets[mask]))
    assert (gradient[~mask] == 0).all()


@pytest.mark.parametrize("where", ["scores", "targets"])
@pytest.mark.parametrize("position", range(5))
@each_loss
def test_nan_is_not_hidden_and_stays_in_its_list(name, position, where):
    scores, targets, _ = drawn(5, leading=(2,), levels=4)
    (scores if where == "scores" else targets)[0, position] = math.nan
    value, gradient = value_and_gradient(LOSSES[name][0], scores, targets)
    assert value[0].isnan()
    assert_agree((value[1], gradient[1]), value_and_gradient(LOSSES[name][0], scores[1], targets[1]))


@pytest.mark.parametrize("n", [1, 4])
@each_loss
def test_nan_is_not_hidden_where_nothing_is_learned(name, n):
    scores, equal = normal(n), torch.ones(n)
    scores[0] = math.nan
    mask = torch.tensor([False] + [True] * (n - 1))
    assert LOSSES[name][0](scores, equal).isnan()
    assert LOSSES[name][0](scores, equal, mask=mask) == 0
    assert LOSSES[name][0](torch.zeros(n), equal.masked_fill(~mask, math.nan)).isnan()
    if name == "Pearson":  # a weight of 0 must not hide it either
        assert pearson_loss(scores, torch.arange(n), weights=mask.float()).isnan()


@pytest.mark.parametrize("size", [1e-6, 1e6])
@each_loss
def test_scores_of_any_size(name, size):
    scores, targets, options = drawn(12, leading=(3,), masked=True, levels=4)
    expected = LOSSES[name][0](scores, targets, **options)
    value, gradient = value_and_gradient(LOSSES[name][0], (size * scores).float(), targets.float(), **options)
    torch.testing.assert_close(value.double(), expected, rtol=1e-4, atol=1e-5)
    assert gradient.isfinite().all()


@each_loss
def test_arguments_are_left_unchanged_and_scoring_comes_before_training(name):
    scores, targets, options = drawn(9, leading=(2,), masked=True, levels=4)
    arguments = [scores, targets, options["mask"]]
    before = [each.clone() for each in arguments]
    with torch.inference_mode():
        scored = LOSSES[name][0](scores, targets, **options)
    value, gradient = value_and_gradient(LOSSES[name][0], scores, targets, **options)
    assert torch.equal(value, scored.clone())
    assert gradient.isfinite().all()
    for now, then in zip(arguments, before, strict=True):
        assert torch.equal(now, then)


WRONG = {
    "short targets": ({"targets": torch.zeros(5)}, ("targets", "6", "5")),
    "targets in a column": ({"targets": torch.zeros(6, 1)}, ("targets", "6")),
    "targets of other lists": ({"targets": torch.zeros(3, 6)}, ("targets", "2, 6", "3, 6")),
    "short mask": ({"mask": torch.ones(5, dtype=torch.bool)}, ("mask", "6", "5")),
}


@pytest.mark.parametrize("case", WRONG)
@each_loss
def test_wrong_arguments(name, case):
    options, words = WRONG[case]
    arguments = {"targets": torch.zeros(2, 6), **options}
    with pytest.raises(ValueError, match=words[0]) as caught:
        LOSSES[name][0](torch.zeros(2, 6), **arguments)
    for word in words:
        assert word in str(caught.value)


def test_wrong_weights():
    with pytest.raises(ValueError, match="weights"):
        pearson_loss(torch.zeros(2, 6), torch.zeros(2, 6), weights=torch.ones(5))


def test_unknown_method():
    with pytest.raises(ValueError, match=r"method .*'sigmoid'.*'blackbox'.*'exact'"):
        spearman_loss(torch.zeros(6), torch.zeros(6), method="exact")


@pytest.mark.parametrize("number", [0.0, -1.0, torch.ones(3), torch.ones(2, 6)])
@pytest.mark.parametrize(("option", "method"), [("temperature", "sigmoid"), ("interpolation_strength", "blackbox")])
def test_wrong_numbers(option, method, number):
    with pytest.raises(ValueError, match=option):
        spearman_loss(torch.zeros(2, 6), torch.zeros(2, 6), method=method, **{option: number})
