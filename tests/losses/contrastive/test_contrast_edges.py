"""Lists with nothing to learn from, NaNs, masks, extreme numbers, equal bits in stacks, and wrong arguments."""

import math

import pytest
import torch

from skmetric import losses
from tests.losses.cases import Lists, assert_agree, normal
from tests.losses.contrastive.cases import (
    LABELED,
    LOSSES,
    MASK_OF,
    MEASURED,
    evaluate,
    example,
    names,
    of_lists,
    with_numbers,
)
from tests.losses.triplet.enumeration import DISTANCES

each_loss = pytest.mark.parametrize("name", LOSSES)
each_labeled = pytest.mark.parametrize("name", LABELED)
each_distance = pytest.mark.parametrize("distance", DISTANCES)
PER_ITEM = ("labels", "mask", "log_rate", "anchor_ids", "positive_ids", "real_mask", "noise_mask", "log_true_rate")
PER_ITEM += ("log_sampled_rate", "is_hit")  # the arguments that have the leading axes, besides what is learned

# For each kind of lists with nothing to learn from: labels, and which items are real.
NOTHING = {
    "all masked": {
        "no item": ([], []),
        "all masked": ([0, 0, 1, 1], [0, 0, 0, 0]),
        "all masked, long": ([0, 1] * 40, [0] * 80),
    },
    "one item": {"one item": ([1], [1]), "one item is left": ([0, 0, 1, 1], [0, 0, 1, 0])},
    "singletons": {
        "all singletons": ([0, 1, 2, 3], [1, 1, 1, 1]),
        "singletons are left": ([0, 0, 1, 1], [1, 0, 0, 1]),
        "all singletons, long": (list(range(80)), [1] * 80),
    },
    "one class": {
        "one class": ([2, 2, 2, 2], [1, 1, 1, 1]),
        "one class is left": ([0, 0, 1, 1], [1, 1, 0, 0]),
        "one class, long": ([5] * 80, [1] * 80),
    },
}


def evaluated(name, learned, options):
    return evaluate(getattr(losses, name), learned, options)


def assert_nothing(name, learned, options):
    value, gradients = evaluated(name, learned, options)
    assert torch.equal(value, torch.zeros_like(value))
    for key, gradient in gradients.items():
        assert torch.equal(gradient, torch.zeros_like(learned[key]))


def list_of(learned, options, index):
    """One list of a stack, for an index, or a stack of one list, for a slice."""
    rest = {key: each[index] if key in PER_ITEM else each for key, each in options.items()}
    return {key: tensor[index] for key, tensor in learned.items()}, rest


@each_distance
@pytest.mark.parametrize(
    ("name", "kind", "case"),
    [(name, kind, case) for name in LABELED for kind in LOSSES[name].nothing for case in NOTHING[kind]],
)
def test_nothing_valid_is_zero_with_zero_gradient(name, kind, case, distance):
    labels, mask = NOTHING[kind][case]
    labels = torch.tensor(labels, dtype=torch.long)
    lists = Lists(normal(len(labels), 3), labels, torch.arange(len(labels)), torch.tensor(mask).bool())
    learned, options = of_lists(name, lists, distance)
    assert_nothing(name, learned, options)
    assert_nothing(name, learned | {"embeddings": torch.full_like(lists.embeddings, 0.3)}, options)


@pytest.mark.parametrize("n", [0, 4])
@pytest.mark.parametrize("name", [name for name in LOSSES if name not in LABELED])
def test_no_real_row(name, n):
    learned, options = example(name, n, leading=(2,), masked=True)
    mask = "real_mask" if "real_mask" in options else "mask"
    options[mask] = torch.zeros(2, n, dtype=torch.bool)
    assert_nothing(name, learned, options)
    assert_nothing(name, learned, options | {mask: options[mask][0]})


@each_distance
def test_paired_alone_has_nothing_to_tell_apart(distance):
    learned, options = example("paired_info_nce_loss", 1, distance=distance)
    assert_nothing("paired_info_nce_loss", learned, options)


@pytest.mark.parametrize("squared", [False, True])
def test_no_violation_is_zero_with_zero_gradient(squared):
    x = torch.tensor([[0.0], [0.0], [9.0], [9.0]], dtype=torch.float64)
    options = {"labels": torch.tensor([0, 0, 1, 1]), "margin": 9.0, "squared": squared}
    assert_nothing("batch_contrastive_loss", {"embeddings": x}, options)


@each_loss
def test_empty_list_beside_a_full_one(name):
    learned, options = example(name, 8, leading=(2,), masked=True)
    for key in {"mask", "real_mask", "noise_mask"} & set(options):
        options[key] = torch.tensor([[False], [True]]).expand_as(options[key])
    value, gradients = evaluated(name, learned, options)
    assert value[0] == 0
    assert value[1] > 0
    assert all((gradient[0] == 0).all() for gradient in gradients.values())
    alone = evaluated(name, *list_of(learned, options, 1))
    assert_agree((value[1], {key: gradient[1] for key, gradient in gradients.items()}), alone)


@pytest.mark.parametrize("leading", [(0,), (2, 0)])
@each_loss
def test_empty_stack(name, leading):
    learned, options = example(name, 6, leading=leading, masked=True)
    value, gradients = evaluated(name, learned, options)
    assert value.shape == leading
    assert all(gradient.shape == learned[key].shape for key, gradient in gradients.items())


@pytest.mark.parametrize("junk", [math.nan, math.inf, -math.inf, 1e300, 0.0])
@each_distance
@each_loss
def test_masked_items_do_not_leak(name, distance, junk):
    learned, options = example(name, 12, leading=(2,), distance=distance, masked=True)
    clean = evaluated(name, learned, options)
    dropped = {key: ~options[MASK_OF.get(key, "mask")] for key in learned if key != "proxies"}
    junked = {key: learned[key].clone() for key in learned}
    for key, drop in dropped.items():
        junked[key][drop] = junk
    others = {}
    for key in set(options) & set(PER_ITEM) - {"mask", "real_mask", "noise_mask"}:
        others[key] = options[key].clone()
        others[key][~options["mask"]] = -7 if key in ("labels", "anchor_ids", "positive_ids") else junk
    for changed in (options, options | others):
        value, gradients = evaluated(name, junked, changed)
        assert_agree((value, gradients), clean)
        assert all((gradients[key][drop] == 0).all() for key, drop in dropped.items())


@pytest.mark.parametrize("junk", [math.nan, math.inf, 1e300])
def test_hits_do_not_leak(junk):
    learned, options = example("sampled_softmax_loss", 6, leading=(2,))
    clean = evaluated("sampled_softmax_loss", learned, options)
    hit = options["is_hit"]
    junked = learned | {"sampled_logits": learned["sampled_logits"].masked_fill(hit, junk)}
    rates = options["log_sampled_rate"].masked_fill(hit, junk)
    assert_agree(evaluated("sampled_softmax_loss", junked, options | {"log_sampled_rate": rates}), clean)


@each_distance
@each_loss
def test_nan_is_not_hidden_and_stays_in_its_list(name, distance):
    learned, options = example(name, 7, leading=(2,), distance=distance)
    if "labels" in options:  # one class has one item, which is not an anchor or a positive
        options["labels"] = torch.tensor([0, 1, 1, 2, 0, 0, 1]).expand(2, 7)
    if "is_hit" in options:
        options["is_hit"] = torch.zeros_like(options["is_hit"])
    alone = evaluated(name, *list_of(learned, options, 1))
    for key in learned:
        for position in range(learned[key][0].numel()):
            spoilt = learned | {key: learned[key].clone()}
            spoilt[key][0].view(-1)[position] = math.nan
            value, gradients = evaluated(name, spoilt, options)
            assert value[0].isnan()
            assert_agree((value[1], {key: gradient[1] for key, gradient in gradients.items()}), alone)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2], [0, 0, 1], [0, 1, 1]])
@each_labeled
def test_nan_is_not_hidden_where_little_is_learned(name, labels):
    learned, options = example(name, 3)
    learned["embeddings"][0] = math.nan
    assert getattr(losses, name)(**learned, **options | {"labels": torch.tensor(labels)}).isnan()


def test_contrastive_elements_do_not_hide_a_nan():
    d = torch.tensor([math.nan, math.nan, 1.0])
    for squared in (False, True):
        terms = losses.contrastive_loss(d, torch.tensor([True, False, True]), margin=0.5, squared=squared)
        assert terms.isnan().tolist() == [True, True, False]


@pytest.mark.parametrize("n", [2, 5, 40])
@each_distance
@pytest.mark.parametrize("name", MEASURED)
def test_collapsed_embedding_has_a_finite_gradient(name, distance, n):
    learned, options = example(name, n, distance=distance)
    learned = {key: torch.full_like(tensor, 0.3) for key, tensor in learned.items()}
    value, gradients = evaluated(name, learned, options)
    assert value.isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients.values())


SLOPES = ("temperature", "alpha", "beta")


@pytest.mark.parametrize("size", [1e-4, 1e4])
@each_distance
@pytest.mark.parametrize(("name", "number"), with_numbers(*SLOPES))
def test_extreme_slopes_are_finite_in_float32(name, number, distance, size):
    for seed, copies in ((0, 0), (1, 9)):
        learned, options = example(name, 20, distance=distance, seed=seed)
        learned = {key: tensor.float() for key, tensor in learned.items()}
        next(iter(learned.values()))[:copies] = 0.3  # copies of one row, in several classes
        value, gradients = evaluated(name, learned, options | {number: size})
        assert value.isfinite()
        assert all(gradient.isfinite().all() for gradient in gradients.values())


@pytest.mark.parametrize("name", names(lambda loss: loss.distance is None))
def test_extreme_logits_are_finite_in_float32(name):
    learned, options = example(name, 20)
    value, gradients = evaluated(name, {key: 1e4 * tensor.float() for key, tensor in learned.items()}, options)
    assert value.isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients.values())


@pytest.mark.parametrize(
    ("n", "width", "n_lists"), [(1, 1, 2), (2, 3, 5), (7, 1, 3), (13, 20, 4), (32, 8, 1), (33, 5, 2)]
)
@each_distance
@each_loss
def test_a_list_has_the_same_bits_alone_and_in_a_stack(name, distance, n, width, n_lists):
    assert_same_bits(name, distance, n, width, n_lists)


@pytest.mark.parametrize(("n", "width"), [(50, 16), (64, 4), (70, 7)])
@each_loss
def test_a_long_list_has_the_same_bits_alone_and_in_a_stack(name, n, width):
    for distance in DISTANCES:
        assert_same_bits(name, distance, n, width, 5)


def assert_same_bits(name, distance, n, width, n_lists):
    learned, options = example(name, n, leading=(n_lists,), width=width, distance=distance, masked=n % 2 == 1, seed=n)
    learned = {key: tensor.float() for key, tensor in learned.items()}
    options |= {key: each.float() for key, each in options.items() if key.startswith("log_") and key in PER_ITEM}
    stacked = evaluated(name, learned, options)
    for i in range(n_lists):
        value, gradients = evaluated(name, *list_of(learned, options, i))
        assert torch.equal(value, stacked[0][i])
        assert all(torch.equal(gradient, stacked[1][key][i]) for key, gradient in gradients.items())
        value, gradients = evaluated(name, *list_of(learned, options, slice(i, i + 1)))
        assert torch.equal(value[0], stacked[0][i])
        assert all(torch.equal(gradient[0], stacked[1][key][i]) for key, gradient in gradients.items())


@each_labeled
def test_arguments_are_left_unchanged(name):
    learned, options = example(name, 12, masked=True)
    tensors = [*learned.values(), options["labels"], options["mask"]]
    before = [tensor.clone() for tensor in tensors]
    getattr(losses, name)(**learned, **options)
    assert all(torch.equal(now, then) for now, then in zip(tensors, before, strict=True))


@pytest.mark.parametrize("number", ["temperature", "margin", "alpha", "beta", "base"])
def test_numbers_take_no_gradient(number):
    for name in MEASURED:
        learned, options = example(name, 8)
        if number in options:
            options[number] = torch.tensor(options[number], dtype=torch.float64, requires_grad=True)
            evaluated(name, learned, options)
            assert options[number].grad is None


WRONG = [(name, "distance", "nearest") for name in MEASURED]
WRONG += [(*each, wrong) for each in with_numbers(*SLOPES) for wrong in (0.0, -1.0, math.nan, math.inf)]
WRONG += [(name, "labels", torch.zeros(shape).long()) for name in LABELED for shape in [(5,), (7,), (6, 1), ()]]
WRONG += [(name, key, torch.ones(5).bool()) for name in LOSSES for key in ("mask", "real_mask")]
WRONG += [("nce_loss", "noise_mask", torch.ones(6).bool())]  # there are 9 noise logits


@pytest.mark.parametrize(
    ("name", "argument", "wrong"), [each for each in WRONG if each[1] in example(each[0], 6, masked=True)[1]]
)
def test_wrong_arguments(name, argument, wrong):
    learned, options = example(name, 6, masked=True)
    with pytest.raises(ValueError, match=argument):
        getattr(losses, name)(**learned, **options | {argument: wrong})
