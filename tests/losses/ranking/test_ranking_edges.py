"""Lists with nothing to learn from, NaNs, masks, and scores of any size."""

import math

import pytest
import torch

from skmetric.losses import lambda_loss
from tests.losses.cases import assert_agree, generator, normal, value_and_gradient
from tests.losses.ranking.cases import LOSSES, names
from tests.losses.ranking.lists import ranked

each_loss = pytest.mark.parametrize("name", LOSSES)
RANKING = names(lambda loss: not loss.learns_from_one)

# Relevance, which items are real, and weights.
NOTHING_VALID = {
    "no item": ([], [], []),
    "all masked": ([0, 1, 2, 1], [0, 0, 0, 0], [1, 1, 1, 1]),
    "all masked, one item": ([1], [0], [1]),
    "no weight": ([0, 1, 2, 1], [1, 1, 1, 1], [0, 0, 0, 0]),
    "no weight is left": ([0, 1, 2, 1], [1, 1, 0, 0], [0, 0, 1, 1]),
    "all masked, long": ([0, 1] * 50, [0] * 100, [1] * 100),
}
NOTHING_TO_COMPARE = {
    "one item": ([2], [1], [1]),
    "one item is left": ([0, 2, 1], [0, 1, 0], [1, 1, 1]),
    "nothing relevant": ([0, 0, 0, 0], [1, 1, 1, 1], [1, 2, 1, 1]),
    "nothing relevant is left": ([0, 3, 0, 1], [1, 0, 1, 0], [1, 1, 1, 1]),
}
ONE_LEVEL = {
    "one level": ([2, 2, 2, 2], [1, 1, 1, 1], [1, 2, 0.5, 1]),
    "one level is left": ([2, 0, 2, 1], [1, 0, 1, 0], [1, 1, 1, 1]),
    "one level, long": ([5] * 90, [1] * 90, [1] * 90),
}


def of_lists(relevance, mask, weights):
    relevance, weights = torch.tensor(relevance).double(), torch.tensor(weights).double()
    return relevance, {"mask": torch.tensor(mask).bool(), "weights": weights}


def assert_nothing(name, relevance, options):
    scores = normal(len(relevance))
    value, gradient = value_and_gradient(LOSSES[name], scores, relevance, **options)
    assert value.shape == ()
    assert value == 0
    assert torch.equal(gradient, torch.zeros_like(scores))


@pytest.mark.parametrize("case", NOTHING_VALID)
@each_loss
def test_nothing_valid_is_zero_with_zero_gradient(name, case):
    assert_nothing(name, *of_lists(*NOTHING_VALID[case]))


@pytest.mark.parametrize("case", NOTHING_TO_COMPARE)
@pytest.mark.parametrize("name", RANKING)
def test_nothing_to_compare(name, case):
    assert_nothing(name, *of_lists(*NOTHING_TO_COMPARE[case]))


@pytest.mark.parametrize("case", ONE_LEVEL)
@pytest.mark.parametrize("name", names(lambda loss: not loss.learns_from_ties))
def test_one_level_of_relevance(name, case):
    assert_nothing(name, *of_lists(*ONE_LEVEL[case]))


@each_loss
def test_empty_list_beside_a_full_one(name):
    lists = ranked(8, leading=(2,), whole_weights=True)
    mask = torch.tensor([[False] * 8, [True] * 8])
    value, gradient = value_and_gradient(LOSSES[name], lists.scores, lists.relevance, mask=mask, **lists.options)
    weights = lists.options["weights"][1]
    alone = value_and_gradient(LOSSES[name], lists.scores[1], lists.relevance[1], weights=weights)
    assert value[0] == 0
    assert (gradient[0] == 0).all()
    assert value[1] > 0
    assert_agree((value[1], gradient[1]), alone)


@pytest.mark.parametrize("shape", [(0, 6), (3, 0), (2, 0, 4)])
@each_loss
def test_empty_stack(name, shape):
    scores = torch.zeros(shape, dtype=torch.float64)
    value, gradient = value_and_gradient(LOSSES[name], scores, torch.zeros(shape, dtype=torch.float64))
    assert torch.equal(value, torch.zeros(shape[:-1], dtype=torch.float64))
    assert gradient.shape == shape


@pytest.mark.parametrize("position", range(9))
@each_loss
def test_nan_is_not_hidden_and_stays_in_its_list(name, position):
    # items 0 and 3 are the only items of their level
    scores, relevance = normal(2, 9), torch.tensor([3.0, 2.0, 2.0, 0.0, 1.0, 1.0, 2.0, 1.0, 2.0], dtype=torch.float64)
    scores[0, position] = math.nan
    value, gradient = value_and_gradient(LOSSES[name], scores, relevance)
    assert value[0].isnan()
    assert_agree((value[1], gradient[1]), value_and_gradient(LOSSES[name], scores[1], relevance))


@pytest.mark.parametrize("name", RANKING)
def test_nan_beside_masked_items(name):
    scores = torch.tensor([0.5, math.nan, 1.0, math.nan], dtype=torch.float64)
    relevance = torch.tensor([1.0, 0.0, 2.0, 3.0], dtype=torch.float64)
    assert LOSSES[name](scores, relevance, mask=torch.tensor([True, True, True, False])).isnan()
    assert LOSSES[name](scores, relevance, mask=torch.tensor([True, False, True, False])).isfinite()


@pytest.mark.parametrize("relevance", [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [2.0, 1.0, 0.0]])
@each_loss
def test_nan_is_not_hidden_where_nothing_is_learned(name, relevance):
    # neither a list without an order nor a weight of 0 may hide it
    scores, relevance = torch.tensor([math.nan, 1.0, 2.0]), torch.tensor(relevance)
    assert LOSSES[name](scores, relevance, weights=torch.tensor([0.0, 1.0, 1.0])).isnan()


@pytest.mark.parametrize("junk", [math.nan, math.inf, -math.inf, 1e300, -1e300, 0.0])
@each_loss
def test_masked_items_do_not_leak(name, junk):
    lists = ranked(10, leading=(2,), masked=True, weighted=True)
    mask, weights = lists.options["mask"], lists.options["weights"]
    clean = value_and_gradient(LOSSES[name], lists.scores, lists.relevance, mask=mask, weights=weights)
    scores, relevance = lists.scores.masked_fill(~mask, junk), lists.relevance.masked_fill(~mask, junk)
    for s in (lists.scores, scores):
        for r in (lists.relevance, relevance):
            for w in (weights, weights.masked_fill(~mask, abs(junk))):
                value, gradient = value_and_gradient(LOSSES[name], s, r, mask=mask, weights=w)
                assert torch.equal(value, clean[0])
                assert torch.equal(gradient, clean[1])
                assert (gradient[~mask] == 0).all()
    unweighted = value_and_gradient(LOSSES[name], lists.scores, lists.relevance, mask=mask)
    actual = value_and_gradient(LOSSES[name], scores, relevance, mask=mask)
    assert torch.equal(actual[0], unweighted[0])
    assert torch.equal(actual[1], unweighted[1])


@each_loss
def test_all_masked_nan(name):
    scores = torch.full((6,), math.nan, dtype=torch.float64)
    mask = torch.zeros(6, dtype=torch.bool)
    value, gradient = value_and_gradient(LOSSES[name], scores, scores, mask=mask, weights=scores)
    assert value == 0
    assert torch.equal(gradient, torch.zeros(6, dtype=torch.float64))


@pytest.mark.parametrize("n", [2, 5, 60])
@each_loss
def test_equal_scores_have_a_finite_gradient(name, n):
    scores = torch.full((n,), 0.3)
    value, gradient = value_and_gradient(LOSSES[name], scores, torch.arange(n).float() % 3)
    assert value > 0
    assert gradient.isfinite().all()
    if not LOSSES[name].sees_shift:
        assert abs(gradient.sum()) < 1e-5


@pytest.mark.parametrize("size", [1e4, 1e6])
@pytest.mark.parametrize("temperature", [0.01, 1.0, 100.0])
@each_loss
def test_extreme_scores(name, temperature, size):
    draw = generator(0)
    scores = size * torch.tensor([-1.0, 0.0, 1.0])[torch.randint(3, (4, 12), generator=draw)]
    scores[0] = size * torch.tensor([1.0, -1.0]).repeat(6)
    relevance = torch.randint(5, (4, 12), generator=draw).float()
    weights = torch.tensor([0.0, 1.0, 3.0])[torch.randint(3, (4, 12), generator=draw)]
    options = {"temperature": temperature} if LOSSES[name].tunable == "temperature" else {}
    for more in ({}, {"weights": weights}, {"weights": weights, "mask": weights < 2}):
        value, gradient = value_and_gradient(LOSSES[name], scores, relevance, **options, **more)
        assert value.isfinite().all()
        assert gradient.isfinite().all()


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@each_loss
def test_a_wide_pair(name, sign):
    # float64 gives the expected value: the gap of one pair is 2e4, in the right or in the wrong order
    scores, relevance = torch.tensor([1e4, -1e4]) * sign, torch.tensor([1.0, 0.0])
    value, gradient = value_and_gradient(LOSSES[name], scores, relevance)
    exact = value_and_gradient(LOSSES[name], scores.double(), relevance.double())
    torch.testing.assert_close(value.double(), exact[0], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(gradient.double(), exact[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("gap", [-40.0, -25.0, -10.0, 10.0, 25.0, 40.0, 90.0])
@pytest.mark.parametrize("name", names(lambda loss: loss.pair_factor is not None))
def test_a_pair_to_full_precision(name, gap):
    # in the right order, with a very small loss, and in the wrong order
    scores, factor = torch.tensor([gap, 0.0], dtype=torch.float64), LOSSES[name].pair_factor
    value, gradient = value_and_gradient(LOSSES[name], scores, torch.tensor([1.0, 0.0]))
    slope = factor / (1 + math.exp(gap))
    assert value.item() == pytest.approx(factor * math.log1p(math.exp(-gap)), rel=1e-11)
    assert gradient.tolist() == pytest.approx([-slope, slope], rel=1e-11)


@pytest.mark.parametrize("shift", [-1e12, 1e12])
def test_no_score_is_below_a_masked_one(shift):
    # a masked item has no rank, for any value that replaces its score internally
    scores = torch.tensor([3.0, 9.0, 1.0, -9.0, 2.0], dtype=torch.float64) + shift
    relevance = torch.tensor([0.0, 2.0, 1.0, 2.0, 3.0], dtype=torch.float64)
    mask = torch.tensor([True, False, True, False, True])
    for k in (None, 1, 2):
        value = lambda_loss(scores, relevance, k=k, mask=mask)
        assert value.item() == pytest.approx(lambda_loss(scores[mask] - shift, relevance[mask], k=k).item(), rel=1e-12)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("name", names(lambda loss: loss.depends_on in ("order", "differences")))
def test_relevance_of_any_size(name, sign):
    size = {"order": 1e9, "differences": 1e3}[LOSSES[name].depends_on]
    lists = ranked(9, masked=True, weighted=True)
    expected = value_and_gradient(LOSSES[name], lists.scores, lists.relevance, **lists.options)
    actual = value_and_gradient(LOSSES[name], lists.scores, lists.relevance + sign * size, **lists.options)
    assert_agree(actual, expected)


@each_loss
def test_arguments_are_left_unchanged(name):
    lists = ranked(10, masked=True, weighted=True)
    arguments = [lists.scores, lists.relevance, lists.options["mask"], lists.options["weights"]]
    before = [each.clone() for each in arguments]
    LOSSES[name](lists.scores, lists.relevance, **lists.options)
    for now, then in zip(arguments, before, strict=True):
        assert torch.equal(now, then)


@each_loss
def test_scoring_before_training(name):
    # tensors that a first call in inference mode keeps must not be used in training later
    lists = ranked(11, masked=True, weighted=True)
    with torch.inference_mode():
        scored = LOSSES[name](lists.scores, lists.relevance, **lists.options)
    value, gradient = value_and_gradient(LOSSES[name], lists.scores, lists.relevance, **lists.options)
    assert torch.equal(value, scored.clone())
    assert gradient.isfinite().all()


WRONG = {
    "short relevance": ({"relevance": torch.zeros(5)}, ("relevance", "6", "5")),
    "relevance in a column": ({"relevance": torch.zeros(6, 1)}, ("relevance", "6")),
    "relevance of no axis": ({"relevance": torch.tensor(1.0)}, ("relevance", "6")),
    "relevance of other lists": ({"relevance": torch.zeros(3, 6)}, ("relevance", "2, 6", "3, 6")),
    "short mask": ({"mask": torch.ones(5, dtype=torch.bool)}, ("mask", "6", "5")),
    "short weights": ({"weights": torch.ones(5)}, ("weights", "6", "5")),
}


def assert_raises(words, name, relevance=None, **options):
    relevance = torch.zeros(2, 6) if relevance is None else relevance
    with pytest.raises(ValueError, match=words[0]) as caught:
        LOSSES[name](torch.zeros(2, 6), relevance, **options)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("case", WRONG)
@each_loss
def test_wrong_arguments(name, case):
    options, words = WRONG[case]
    assert_raises(words, name, **options)


@pytest.mark.parametrize("shape", [(3,), (2, 6), (2, 1), (1, 1)])
@pytest.mark.parametrize("name", names(lambda loss: loss.tunable))
def test_option_of_no_list(name, shape):
    option = LOSSES[name].tunable
    assert_raises((option, "2", str(shape)), name, **{option: torch.ones(shape)})


@pytest.mark.parametrize("name", names(lambda loss: loss.takes("gain")))
def test_unknown_gain(name):
    assert_raises(("gain", "exponential", "linear", "quadratic"), name, gain="quadratic")
