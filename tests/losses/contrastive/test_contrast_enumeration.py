"""Values and gradients of the contrastive losses against enumeration of pairs."""

import dataclasses

import pytest
import torch

from skmetric import losses
from tests.losses.cases import any_labels, assert_agree, blocks, generator, normal
from tests.losses.contrastive import enumeration as by_definition
from tests.losses.contrastive.cases import LABELED, LOSSES, MEASURED, evaluate, example, of_lists, with_numbers
from tests.losses.triplet.enumeration import DISTANCES

LISTS = {
    "no item": any_labels(0, 3),
    "one item": any_labels(1, 3),
    "two items, one class": any_labels(2, 1),
    "two items, two classes": dataclasses.replace(any_labels(2, 1), labels=torch.tensor([4, 2])),
    "one class": any_labels(6, 1),
    "all singletons": dataclasses.replace(any_labels(7, 1), labels=torch.arange(7)),
    "mostly singletons": any_labels(14, 14),
    "two classes": any_labels(13, 2, seed=2),
    "few classes": any_labels(16, 4, seed=3),
    "one of a kind": dataclasses.replace(any_labels(6, 1), labels=torch.tensor([1, 1, 1, 0, 1, 1])),
    "two a class": blocks(5, 2),
    "four a class": blocks(3, 4),
    "one feature": any_labels(9, 3, width=1, seed=4),
    "duplicates": any_labels(14, 3, duplicates=True, seed=5),
    "duplicates in a class": blocks(3, 4, duplicates=True),
    "only duplicates": any_labels(3, 2, duplicates=True, seed=1),
    "masked": any_labels(16, 3, masked=True, seed=6),
    "stack": any_labels(8, 3, leading=(2,), masked=True, seed=7),
    "stack of stacks": any_labels(8, 3, leading=(2, 3), masked=True, duplicates=True, seed=8),
}
NUMBERS = ("temperature", "margin", "alpha", "beta", "base")


def assert_same(name, learned, options):
    """Agree in value and in the gradients of a weighted sum of the lists' values."""
    expected = getattr(by_definition, name)(**learned, **options)
    weights = torch.linspace(1, 2, expected.numel(), dtype=expected.dtype).reshape(expected.shape)
    actual = evaluate(getattr(losses, name), learned, options, weights)
    assert actual[0].shape == expected.shape
    assert_agree(actual, evaluate(getattr(by_definition, name), learned, options, weights))


@pytest.mark.parametrize("case", LISTS)
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", LABELED)
def test_labeled(name, distance, case):
    if case == "one feature" and distance == "cosine":  # all directions are equal or opposite, except for rounding
        distance = "euclidean"
    assert_same(name, *of_lists(name, LISTS[case], distance))


@pytest.mark.parametrize("leading", [(), (2,), (2, 3)])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("n", [1, 2, 9])
@pytest.mark.parametrize("name", LOSSES)
def test_sizes_masks_and_stacks(name, n, masked, leading):
    for seed in range(2):
        assert_same(name, *example(name, n, leading=leading, masked=masked, seed=seed, distance=DISTANCES[seed]))


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("margin", [0.0, 1e-3, 0.3, 1.0, 2.0, 60.0])
@pytest.mark.parametrize("squared", [False, True])
def test_batch_contrastive_margins_and_powers(squared, margin, distance):
    lists = any_labels(14, 4, duplicates=True, seed=11)
    options = {"labels": lists.labels, "margin": margin, "squared": squared, "distance": distance}
    assert_same("batch_contrastive_loss", {"embeddings": lists.embeddings}, options)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("temperature", [1e-4, 0.05, 1.0, 10.0, 1e4])
@pytest.mark.parametrize("name", [name for name, _ in with_numbers("temperature")])
def test_temperatures(name, temperature, distance):
    learned, options = example(name, 12, distance=distance, seed=12)
    assert_same(name, learned, options | {"temperature": temperature})


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("margin", [0.0, -0.3, 0.02, 0.5, 60.0])
def test_multi_similarity_mining(margin, distance):
    lists = any_labels(16, 3, duplicates=True, seed=13)
    learned, options = of_lists("multi_similarity_loss", lists, distance)
    assert_same("multi_similarity_loss", learned, options | {"margin": margin})


@pytest.mark.parametrize(
    ("alpha", "beta", "base"), [(2.0, 50.0, 0.5), (1e-4, 1e4, 0.0), (1e4, 1e-4, -1.0), (9.0, 1.0, 1.0)]
)
def test_multi_similarity_slopes(alpha, beta, base):
    for distance in DISTANCES:
        learned, options = of_lists("multi_similarity_loss", any_labels(12, 3, seed=14), distance)
        assert_same("multi_similarity_loss", learned, options | {"alpha": alpha, "beta": beta, "base": base})


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("margin", [-1.0, 0.0, 0.1, 3.0])
@pytest.mark.parametrize("name", [name for name, _ in with_numbers("margin")])
def test_margins(name, margin, distance):
    learned, options = example(name, 12, distance=distance, seed=15)
    assert_same(name, learned, options | {"margin": margin})


@pytest.mark.parametrize(("name", "number"), with_numbers(*NUMBERS))
def test_numbers_of_each_list(name, number):
    learned, options = example(name, 9, leading=(2, 3), distance="cosine", seed=16, masked=True)
    options[number] = torch.linspace(0.2, 1.5, 6, dtype=torch.float64).reshape(2, 3)
    assert_same(name, learned, options)


@pytest.mark.parametrize("name", LABELED)
def test_leading_axes_broadcast(name):
    learned, options = example(name, 10, leading=(2, 3), seed=17)
    options |= {"labels": options["labels"][0], "mask": torch.rand(10, generator=generator(18)) < 0.7}
    if "proxies" in learned:
        learned["proxies"] = learned["proxies"][0, 0]
    assert_same(name, learned, options)
    assert_same(name, learned, options | {"labels": options["labels"][0]})


@pytest.mark.parametrize(("name", "key"), [(name, key) for name in LOSSES for key in LOSSES[name].shared])
def test_one_side_for_all_lists(name, key):
    # the same items with the proxies of several models, the same noise for several models, and so on
    learned, options = example(name, 6, leading=(3,), seed=37)
    options = {key: each[0] if isinstance(each, torch.Tensor) else each for key, each in options.items()}
    learned[key] = learned[key][0]

    def expanded(**arguments):
        shared = arguments[key]
        return getattr(by_definition, name)(**(arguments | {key: shared.expand(3, *shared.shape)}))

    weights = torch.tensor([1.0, 2.0, 4.0])
    actual = evaluate(getattr(losses, name), learned, options, weights)
    assert_agree(actual, evaluate(expanded, learned, options, weights))


@pytest.mark.parametrize("name", MEASURED)
def test_defaults(name):
    learned, options = example(name, 12, distance=LOSSES[name].distance, seed=19)
    given = {key: options[key] for key in options if key == "labels" or key in LOSSES[name].required}
    expected = evaluate(getattr(by_definition, name), learned, given | {"distance": options["distance"]})
    assert_agree(evaluate(getattr(losses, name), learned, given), expected)


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("margin", [0.0, 0.7, 5.0])
def test_contrastive_elements(margin, squared):
    d = normal(2, 5, 4, seed=20).abs()
    similar = torch.rand(5, 4, generator=generator(21)) < 0.5
    for each in (similar, similar[:, :1], similar.long(), torch.tensor(True)):
        assert_same("contrastive_loss", {"d": d}, {"similar": each, "margin": margin, "squared": squared})
    assert_same("contrastive_loss", {"d": d[0, 0]}, {"similar": similar, "margin": margin, "squared": squared})


IDS = {
    "none": (None, None),
    "of positives": (None, [3, 1, 3, 2, 1, 3, 0]),
    "of anchors": ([5, 5, 2, 8, 2, 5, 1], None),
    "of both": ([5, 5, 2, 8, 2, 5, 1], [3, 1, 3, 2, 1, 3, 0]),
    "all one positive": ([1, 2, 3, 4, 5, 6, 7], [9] * 7),
    "all one anchor": ([9] * 7, [1, 2, 3, 4, 5, 6, 7]),
    "anchors among the positives": ([0, 1, 2, 3, 4, 5, 6], [1, 0, 3, 2, 5, 4, 6]),
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("case", IDS)
def test_paired_ids_rates_and_masks(case, distance, corrected, masked):
    anchors, positives = normal(2, 7, 3, seed=22), normal(2, 7, 3, seed=23)
    positives[0, 1:4] = anchors[0, [1, 1, 0]]  # rows at distance 0 from their own positive and from others
    ids = (None if each is None else torch.tensor(each) for each in IDS[case])
    options = {"temperature": 0.5, "distance": distance} | dict(zip(("anchor_ids", "positive_ids"), ids, strict=True))
    if corrected:
        options["log_rate"] = normal(2, 7, seed=24)
    if masked:
        options["mask"] = torch.tensor([[1, 1, 0, 1, 1, 0, 1], [0, 0, 1, 0, 0, 0, 0]]).bool()
    assert_same("paired_info_nce_loss", {"anchors": anchors, "positives": positives}, options)


@pytest.mark.parametrize("log_ratio", [-3.0, 0.0, 2.5])
@pytest.mark.parametrize(("n_real", "n_noise"), [(0, 4), (4, 0), (1, 1), (5, 9), (9, 5)])
@pytest.mark.parametrize("scale", [1.0, 24.0, 1e4])
def test_nce(scale, n_real, n_noise, log_ratio):
    # a scale of 24 needs full precision in the tails of the logistic function
    learned = {"real_logits": scale * normal(3, n_real, seed=25), "noise_logits": scale * normal(3, n_noise, seed=26)}
    assert_same("nce_loss", learned, {"log_noise_ratio": log_ratio})
    options = {"log_noise_ratio": log_ratio + torch.arange(3).double()}
    options["real_mask"] = torch.rand(3, n_real, generator=generator(27)) < 0.6
    assert_same("nce_loss", learned, options)
    options["noise_mask"] = torch.rand(n_noise, generator=generator(28)) < 0.6
    assert_same("nce_loss", learned, options)


RATES = {
    "of one number": (1,),
    "of each sample": (4,),
    "of each row": (5, 1),
    "of each list": (2, 1, 1),
    "of all": (2, 5, 4),
}


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("case", RATES)
def test_sampled_softmax_shapes(case, shared, scale):
    learned = {"true_logits": scale * normal(2, 5, seed=29)}
    learned["sampled_logits"] = scale * normal(2, 1 if shared else 5, 4, seed=30)
    options = {"log_true_rate": normal(2, 5, seed=31), "log_sampled_rate": normal(*RATES[case], seed=32)}
    assert_same("sampled_softmax_loss", learned, options)
    options["is_hit"] = torch.rand(2, 5, 4, generator=generator(33)) < 0.5
    options["is_hit"][0, 0] = True
    assert_same("sampled_softmax_loss", learned, options)
    options["mask"] = torch.tensor([[1, 0, 1, 1, 0], [0, 0, 1, 0, 0]]).bool()
    assert_same("sampled_softmax_loss", learned, options)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("distance", DISTANCES)
def test_gradcheck(distance, name):
    learned, options = example(name, 6, leading=(2,), width=3, distance=distance, seed=34, masked=True)
    leaves = [tensor.requires_grad_() for tensor in learned.values()]

    def loss(*tensors):
        return getattr(losses, name)(**dict(zip(learned, tensors, strict=True)), **options)

    assert torch.autograd.gradcheck(loss, leaves)


@pytest.mark.parametrize("squared", [False, True])
def test_contrastive_gradcheck(squared):
    d = normal(4, 5, seed=35).abs().requires_grad_()
    similar = torch.arange(5) % 2 == 0
    assert torch.autograd.gradcheck(lambda d: losses.contrastive_loss(d, similar, margin=1.0, squared=squared), d)


@pytest.mark.parametrize("name", LOSSES)
def test_float32_is_kept_and_close(name):
    learned, options = example(name, 20, seed=36)
    learned = {key: tensor.float() for key, tensor in learned.items()}
    rates = {key: options[key].float() for key in ("log_rate", "log_true_rate", "log_sampled_rate") if key in options}
    values, gradients = evaluate(getattr(losses, name), learned, options | rates)
    assert values.dtype == torch.float32
    assert all(gradient.dtype == torch.float32 for gradient in gradients.values())
    exact = getattr(by_definition, name)(**{key: tensor.double() for key, tensor in learned.items()}, **options)
    torch.testing.assert_close(values.double(), exact, rtol=1e-5, atol=1e-5)
