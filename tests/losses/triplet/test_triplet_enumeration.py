"""Values and gradients of the triplet losses against enumeration of triplets."""

import pytest
import torch

from skmetric.losses import batch_triplet_loss, block_triplet_loss, block_triplet_shares, triplet_shares
from tests.losses.cases import (
    any_labels,
    assert_agree,
    blocks,
    generator,
    normal,
    pool_equal_rows,
    value_and_gradient,
)
from tests.losses.triplet import enumeration
from tests.losses.triplet.enumeration import DISTANCES, EVERY_MINING, MININGS

MARGIN = {"euclidean": 0.6, "sqeuclidean": 1.5, "cosine": 0.3}

ANY_LABELS = {
    "small": {"n": 9, "n_classes": 3},
    "pair of classes": {"n": 12, "n_classes": 2},
    "few classes": {"n": 70, "n_classes": 3},
    "long": {"n": 180, "n_classes": 60},
    "mostly singletons": {"n": 40, "n_classes": 40},
    "many classes": {"n": 40, "n_classes": 20},
    "duplicates": {"n": 30, "n_classes": 4, "duplicates": True},
    "many duplicates": {"n": 70, "n_classes": 3, "duplicates": True},
    "masked": {"n": 30, "n_classes": 4, "masked": True},
    "masked, few classes": {"n": 70, "n_classes": 2, "masked": True, "duplicates": True},
    "stack": {"n": 14, "n_classes": 4, "leading": (2,)},
    "stack of stacks": {"n": 14, "n_classes": 4, "leading": (2, 3), "masked": True, "duplicates": True},
    "long stack": {"n": 50, "n_classes": 2, "leading": (2,), "masked": True},
}
BLOCKS = {
    "two a class": {"n_classes": 20, "samples_per_class": 2},
    "six a class": {"n_classes": 6, "samples_per_class": 6},
    "forty a class": {"n_classes": 2, "samples_per_class": 40},
    "two a class, duplicates": {"n_classes": 6, "samples_per_class": 2, "duplicates": True},
    "six a class, duplicates": {"n_classes": 5, "samples_per_class": 6, "duplicates": True},
    "forty a class, duplicates": {"n_classes": 2, "samples_per_class": 40, "duplicates": True},
    "stack": {"n_classes": 4, "samples_per_class": 3, "leading": (2,)},
    "stack of stacks": {"n_classes": 3, "samples_per_class": 5, "leading": (2, 3), "duplicates": True},
}


def assert_same_loss(actual, expected, origin):
    """Agree in value and gradient; rows that are copies of each other may share their gradient in any way."""
    assert_agree(actual[0], expected[0])
    assert_agree(pool_equal_rows(actual[1], origin), pool_equal_rows(expected[1], origin))


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("name", ANY_LABELS)
def test_batch(name, mining, distance, soft):
    case = any_labels(**ANY_LABELS[name])
    options = {"margin": MARGIN[distance], "mining": mining, "distance": distance, "mask": case.mask, "soft": soft}
    actual = value_and_gradient(batch_triplet_loss, case.embeddings, case.labels, **options)
    expected = value_and_gradient(enumeration.batch_triplet_loss, case.embeddings, case.labels, **options)
    assert_same_loss(actual, expected, case.origin)
    if mining == "all":  # no triplet is picked, so even copies have exact gradients
        assert_agree(actual[1], expected[1])


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("name", BLOCKS)
def test_block(name, mining, distance, soft):
    case = blocks(**BLOCKS[name])
    options = {"margin": MARGIN[distance], "mining": mining, "distance": distance, "soft": soft}
    options["samples_per_class"] = BLOCKS[name]["samples_per_class"]
    actual = value_and_gradient(block_triplet_loss, case.embeddings, case.origin, **options)
    expected = value_and_gradient(enumeration.block_triplet_loss, case.embeddings, case.origin, **options)
    assert_same_loss(actual, expected, case.origin)
    if mining == "all":
        assert_agree(actual[1], expected[1])


@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("samples_per_class", [2, 5, 30])
def test_block_is_batch_where_no_row_repeats(samples_per_class, mining):
    case = blocks(60 // samples_per_class, samples_per_class)
    options = {"margin": 0.5, "mining": mining, "distance": "euclidean"}
    block = value_and_gradient(
        block_triplet_loss, case.embeddings, case.origin, samples_per_class=samples_per_class, **options
    )
    batch = value_and_gradient(batch_triplet_loss, case.embeddings, case.labels, **options)
    assert_agree(block, batch)


@pytest.mark.parametrize("mining", MININGS)
def test_equal_row_ids_with_unlike_embeddings_are_no_pair(mining):
    # the ids decide, not the embeddings: with dropout or jitter, two copies of a row have different embeddings
    embeddings = normal(12, 4)
    rows = torch.tensor([0, 0, 1, 2, 5, 5, 5, 5, 7, 8, 7, 8])
    options = {"samples_per_class": 4, "margin": 0.5, "mining": mining, "distance": "euclidean"}
    actual = value_and_gradient(block_triplet_loss, embeddings, rows, **options)
    assert_agree(actual, value_and_gradient(enumeration.block_triplet_loss, embeddings, rows, **options))


@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("samples_per_class", [2, 12])
def test_equal_row_ids_in_unlike_runs_stay_negatives(samples_per_class, mining):
    embeddings = normal(24, 4)
    rows = torch.randint(12, (24,), generator=generator(3))
    options = {"samples_per_class": samples_per_class, "margin": 0.5, "mining": mining, "distance": "euclidean"}
    actual = value_and_gradient(block_triplet_loss, embeddings, rows, **options)
    assert_agree(actual, value_and_gradient(enumeration.block_triplet_loss, embeddings, rows, **options))


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("margin", [0.0, 1e-3, 0.5, 2.0, 50.0])
@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("n_classes", [3, 15])
def test_margins_from_none_to_all_violated(n_classes, mining, margin, soft):
    case = any_labels(40, n_classes, seed=7)
    options = {"margin": margin, "mining": mining, "distance": "euclidean", "soft": soft}
    actual = value_and_gradient(batch_triplet_loss, case.embeddings, case.labels, **options)
    assert_agree(actual, value_and_gradient(enumeration.batch_triplet_loss, case.embeddings, case.labels, **options))


@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("n_classes", [2, 10])
def test_margin_of_each_list(n_classes, mining):
    case = any_labels(30, n_classes, leading=(2, 3), masked=True)
    margin = torch.tensor([[0.0, 0.2, 0.5], [1.0, 2.0, 9.0]], dtype=torch.float64)
    options = {"margin": margin, "mining": mining, "distance": "euclidean", "mask": case.mask}
    actual = value_and_gradient(batch_triplet_loss, case.embeddings, case.labels, **options)
    assert_agree(actual, value_and_gradient(enumeration.batch_triplet_loss, case.embeddings, case.labels, **options))


@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("samples_per_class", [2, 15])
def test_block_margin_of_each_list(samples_per_class, mining):
    case = blocks(30 // samples_per_class, samples_per_class, leading=(2, 3), duplicates=True)
    margin = torch.tensor([[0.1, 0.2, 0.5], [1.0, 2.0, 9.0]], dtype=torch.float64)
    options = {"samples_per_class": samples_per_class, "margin": margin, "mining": mining, "distance": "euclidean"}
    actual = value_and_gradient(block_triplet_loss, case.embeddings, case.origin, **options)
    expected = value_and_gradient(enumeration.block_triplet_loss, case.embeddings, case.origin, **options)
    assert_same_loss(actual, expected, case.origin)


@pytest.mark.parametrize("mining", MININGS)
def test_leading_axes_broadcast(mining):
    embeddings = normal(2, 3, 20, 4)
    labels = torch.randint(4, (3, 20), generator=generator(1))
    mask = torch.rand(20, generator=generator(2)) < 0.8
    margin = torch.tensor([[0.1], [1.0]], dtype=torch.float64).expand(2, 3)
    options = {"margin": margin, "mining": mining, "distance": "euclidean", "mask": mask}
    for each in (labels, labels[0]):
        actual = value_and_gradient(batch_triplet_loss, embeddings, each, **options)
        assert_agree(actual, value_and_gradient(enumeration.batch_triplet_loss, embeddings, each, **options))
    options.pop("mask")
    rows = torch.arange(20)
    actual = value_and_gradient(block_triplet_loss, embeddings, rows, samples_per_class=4, **options)
    expected = value_and_gradient(enumeration.block_triplet_loss, embeddings, rows, samples_per_class=4, **options)
    assert_agree(actual, expected)


def grid_points(distance, n, seed):
    """Rows with exact distances and many ties: small integers, or for cosine, signed axes of any length."""
    draw = generator(seed)
    if distance != "cosine":
        return torch.randint(3, (n, 2), generator=draw).double()
    axes = torch.cat([torch.eye(3), -torch.eye(3)]).double()
    length = 2.0 ** torch.randint(3, (n, 1), generator=draw)
    return axes[torch.randint(6, (n,), generator=draw)] * length


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize(("n", "n_classes"), [(12, 3), (60, 3), (40, 20)])
def test_values_with_exact_ties(n, n_classes, mining, distance, margin):
    x = grid_points(distance, n, seed=n)
    labels = torch.randint(n_classes, (n,), generator=generator(5))
    options = {"margin": margin, "mining": mining, "distance": distance}
    actual, gradient = value_and_gradient(batch_triplet_loss, x, labels, **options)
    assert_agree(actual, enumeration.batch_triplet_loss(x, labels, **options))
    assert gradient.isfinite().all()


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize(("n", "n_classes"), [(12, 3), (60, 3), (40, 20)])
def test_shares_with_exact_ties(n, n_classes, distance, margin):
    x = grid_points(distance, n, seed=n)
    labels = torch.randint(n_classes, (n,), generator=generator(5))
    actual = triplet_shares(x, labels, margin=margin, distance=distance)
    assert_agree(actual, enumeration.triplet_shares(x, labels, margin=margin, distance=distance))


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", ANY_LABELS)
def test_shares(name, distance):
    case = any_labels(**ANY_LABELS[name])
    options = {"margin": MARGIN[distance], "distance": distance, "mask": case.mask}
    actual = triplet_shares(case.embeddings, case.labels, **options)
    assert_agree(actual, enumeration.triplet_shares(case.embeddings, case.labels, **options))


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", BLOCKS)
def test_block_shares(name, distance):
    case = blocks(**BLOCKS[name])
    options = {"margin": MARGIN[distance], "distance": distance}
    options["samples_per_class"] = BLOCKS[name]["samples_per_class"]
    actual = block_triplet_shares(case.embeddings, case.origin, **options)
    assert_agree(actual, enumeration.block_triplet_shares(case.embeddings, case.origin, **options))


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", EVERY_MINING)
def test_gradcheck(mining, distance, soft):
    case = any_labels(8, 3, leading=(2,), width=3, seed=4)

    def loss(x):
        options = {"margin": MARGIN[distance], "mining": mining, "distance": distance, "soft": soft}
        batch = batch_triplet_loss(x, case.labels, generator=generator(0), **options)
        block = block_triplet_loss(
            x, torch.arange(8).expand(2, 8), samples_per_class=2, generator=generator(0), **options
        )
        return batch, block

    assert torch.autograd.gradcheck(loss, case.embeddings.requires_grad_())


@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("n_classes", [3, 20])
def test_float32_is_kept_and_close(n_classes, mining):
    case = any_labels(60, n_classes)
    options = {"margin": 0.5, "mining": mining, "distance": "euclidean"}
    value, gradient = value_and_gradient(batch_triplet_loss, case.embeddings.float(), case.labels, **options)
    assert value.dtype == gradient.dtype == torch.float32
    expected = enumeration.batch_triplet_loss(case.embeddings.float().double(), case.labels, **options)
    torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-5)
    options.pop("mining")
    assert triplet_shares(case.embeddings.float(), case.labels, **options).dtype == torch.float32
