"""Random mining: uniform over the negatives of a pair, reproducible, and only from the given generators."""

import itertools
import math

import pytest
import torch

from skmetric.losses import batch_triplet_loss, block_triplet_loss
from tests.losses.cases import any_labels, assert_agree, blocks, generator, normal, value_and_gradient
from tests.losses.triplet import enumeration

OPTIONS = {"margin": 0.5, "mining": "random", "distance": "euclidean"}


def batch(case, **options):
    return batch_triplet_loss(case.embeddings, case.labels, mask=case.mask, **{**OPTIONS, **options})


def test_one_negative_leaves_no_choice():
    labels = torch.tensor([0, 0, 0, 1, 0, 0])
    x = normal(6, 3)
    actual = value_and_gradient(batch_triplet_loss, x, labels, generator=generator(0), **OPTIONS)
    expected = value_and_gradient(enumeration.expected_random, x, labels, margin=0.5, distance="euclidean")
    assert_agree(actual, expected)


def test_masked_negatives_are_never_drawn():
    labels = torch.tensor([0, 0, 0, 1, 1, 2])
    mask = torch.tensor([True, True, True, True, False, False])
    x = normal(6, 3)
    x[4:] = math.nan
    for seed in range(20):
        actual = batch_triplet_loss(x, labels, mask=mask, generator=generator(seed), **OPTIONS)
        assert_agree(actual, enumeration.expected_random(x, labels, margin=0.5, distance="euclidean", mask=mask))


@pytest.mark.parametrize("soft", [False, True])
def test_every_choice_is_equally_likely(soft):
    # one pair in both orders, each with three negatives: nine equally likely values
    n_lists = 9000
    x = normal(5, 3, seed=2)
    labels = torch.tensor([0, 0, 1, 2, 3])
    d = enumeration.distances(x, "euclidean")
    term = enumeration.softplus if soft else torch.relu
    possible = torch.stack(
        [
            torch.stack([term(d[0, 1] - d[0, i] + 5), term(d[1, 0] - d[1, j] + 5)]).mean()
            for i, j in itertools.product((2, 3, 4), repeat=2)
        ]
    )
    lists, labels = x.expand(n_lists, 5, 3), labels.expand(n_lists, 5)
    actual = batch_triplet_loss(
        lists, labels, margin=5.0, mining="random", distance="euclidean", soft=soft, generator=generator(0)
    )
    nearest = (actual[:, None] - possible).abs()
    assert nearest.min(-1).values.max() < 1e-10
    counts = nearest.argmin(-1).bincount(minlength=9).double()
    chi_square = ((counts - n_lists / 9) ** 2 / (n_lists / 9)).sum()
    assert chi_square < 30  # 8 degrees of freedom: exceeded by chance once in 5000


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_mean_over_draws_is_the_expected_value(masked, soft):
    case = any_labels(9, 3, masked=masked, seed=3)
    expected = enumeration.expected_random(
        case.embeddings, case.labels, margin=0.5, distance="euclidean", mask=case.mask, soft=soft
    )
    many = [
        each if each is None else each.expand(4000, *each.shape) for each in (case.embeddings, case.labels, case.mask)
    ]
    draws = batch_triplet_loss(*many[:2], mask=many[2], soft=soft, generator=generator(1), **OPTIONS)
    assert draws.std() > 0
    assert (draws.mean() - expected).abs() < 4.5 * draws.std() / math.sqrt(4000)


def test_mean_over_draws_of_blocks_with_repeated_rows():
    case = blocks(3, 4, duplicates=True, seed=5)
    expected = enumeration.expected_random(
        case.embeddings, case.labels, margin=0.5, distance="euclidean", rows=case.origin
    )
    x, rows = case.embeddings.expand(4000, 12, 4), case.origin.expand(4000, 12)
    draws = block_triplet_loss(x, rows, samples_per_class=4, generator=generator(1), **OPTIONS)
    assert draws.std() > 0
    assert (draws.mean() - expected).abs() < 4.5 * draws.std() / math.sqrt(4000)


def test_same_seed_same_value():
    case = any_labels(20, 4, leading=(3,))
    first = batch(case, generator=generator(7))
    assert torch.equal(first, batch(case, generator=generator(7)))
    assert not torch.equal(first, batch(case, generator=generator(8)))


def test_a_generator_moves_on():
    case = any_labels(20, 4)
    draw = generator(7)
    assert not torch.equal(batch(case, generator=draw), batch(case, generator=draw))


@pytest.mark.parametrize("leading", [(3,), (2, 2)])
def test_a_list_of_a_stack_draws_from_its_own_generator(leading):
    case = any_labels(20, 4, leading=leading)
    n_lists = math.prod(leading)
    stacked = batch(case, generator=[generator(seed) for seed in range(n_lists)]).flatten()
    embeddings, labels = case.embeddings.reshape(n_lists, 20, 4), case.labels.reshape(n_lists, 20)
    alone = [batch_triplet_loss(embeddings[i], labels[i], generator=generator(i), **OPTIONS) for i in range(n_lists)]
    assert_agree(stacked, torch.stack(alone))


def test_a_block_of_a_stack_draws_from_its_own_generator():
    case = blocks(4, 5, leading=(3,), duplicates=True)
    options = {**OPTIONS, "samples_per_class": 5}
    stacked = block_triplet_loss(
        case.embeddings, case.origin, generator=[generator(seed) for seed in range(3)], **options
    )
    alone = [
        block_triplet_loss(case.embeddings[i], case.origin[i], generator=generator(i), **options) for i in range(3)
    ]
    assert_agree(stacked, torch.stack(alone))


def test_tuple_of_one_generator_for_a_single_list():
    case = any_labels(20, 4)
    assert torch.equal(batch(case, generator=(generator(3),)), batch(case, generator=generator(3)))


def test_without_a_generator():
    case = any_labels(8, 2)
    with pytest.raises(ValueError, match="generator"):
        batch(case)
    with pytest.raises(ValueError, match="generator"):
        block_triplet_loss(case.embeddings, torch.arange(8), samples_per_class=2, **OPTIONS)


@pytest.mark.parametrize("mining", enumeration.EVERY_MINING)
def test_global_state_is_left_alone(mining):
    case = any_labels(70, 3)
    before = torch.get_rng_state()
    value_and_gradient(
        batch_triplet_loss, case.embeddings, case.labels, generator=generator(0), **{**OPTIONS, "mining": mining}
    )
    value_and_gradient(
        block_triplet_loss,
        case.embeddings,
        torch.arange(70),
        samples_per_class=7,
        generator=generator(0),
        **{**OPTIONS, "mining": mining},
    )
    assert torch.equal(torch.get_rng_state(), before)


def test_global_seed_has_no_say():
    case = any_labels(20, 4)
    values = []
    state = torch.get_rng_state()
    for seed in (0, 1):
        torch.manual_seed(seed)
        values.append(batch(case, generator=generator(0)))
    torch.set_rng_state(state)
    assert torch.equal(*values)


def test_anchors_without_a_positive_or_a_negative_count_for_nothing():
    x = normal(4, 3)
    for labels in ([0, 0, 0, 0], [0, 1, 2, 3]):
        value, gradient = value_and_gradient(
            batch_triplet_loss, x, torch.tensor(labels), generator=generator(0), **OPTIONS
        )
        assert value == 0
        assert (gradient == 0).all()
