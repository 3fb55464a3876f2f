"""Lists with nothing to learn from, NaNs, masks, and wrong arguments."""

import math

import pytest
import torch

from skmetric.losses import batch_triplet_loss, block_triplet_loss, block_triplet_shares, triplet_shares
from tests.losses.cases import any_labels, assert_agree, blocks, generator, normal, value_and_gradient
from tests.losses.triplet.enumeration import DISTANCES, EVERY_MINING, MININGS

# Labels, and which items are real.
NOTHING_VALID = {
    "no item": ([], []),
    "one item": ([4], [1]),
    "one class": ([2, 2, 2, 2], [1, 1, 1, 1]),
    "all singletons": ([0, 1, 2, 3], [1, 1, 1, 1]),
    "all masked": ([0, 0, 1, 1], [0, 0, 0, 0]),
    "one class is left": ([0, 0, 1, 1], [1, 1, 0, 0]),
    "singletons are left": ([0, 0, 1, 1], [1, 0, 0, 1]),
    "one class, long": ([5] * 90, [1] * 90),
    "all singletons, long": (list(range(90)), [1] * 90),
}


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", EVERY_MINING)
@pytest.mark.parametrize("name", NOTHING_VALID)
def test_nothing_valid_is_zero_with_zero_gradient(name, mining, distance, soft):
    labels, mask = torch.tensor(NOTHING_VALID[name][0], dtype=torch.long), torch.tensor(NOTHING_VALID[name][1]).bool()
    x = normal(len(labels), 3)
    options = {"margin": 0.5, "mining": mining, "distance": distance, "soft": soft, "generator": generator(0)}
    value, gradient = value_and_gradient(batch_triplet_loss, x, labels, mask=mask, **options)
    assert value.shape == ()
    assert value == 0
    assert torch.equal(gradient, torch.zeros_like(x))


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("mining", EVERY_MINING)
@pytest.mark.parametrize(
    ("rows", "samples_per_class"),
    [([], 2), ([0, 1, 2], 3), ([0, 0, 1, 1], 2), (list(range(50)), 50), ([3] * 50, 25)],
)
def test_nothing_valid_in_blocks(rows, samples_per_class, mining, soft):
    rows = torch.tensor(rows, dtype=torch.long)
    x = normal(len(rows), 3)
    options = {"margin": 0.5, "mining": mining, "distance": "euclidean", "soft": soft, "generator": generator(0)}
    value, gradient = value_and_gradient(block_triplet_loss, x, rows, samples_per_class=samples_per_class, **options)
    assert value.shape == ()
    assert value == 0
    assert torch.equal(gradient, torch.zeros_like(x))
    shares = block_triplet_shares(x, rows, samples_per_class=samples_per_class, margin=0.5, distance="euclidean")
    assert torch.equal(shares, torch.zeros(3, dtype=x.dtype))


@pytest.mark.parametrize("name", NOTHING_VALID)
def test_shares_of_nothing_valid(name):
    labels, mask = torch.tensor(NOTHING_VALID[name][0], dtype=torch.long), torch.tensor(NOTHING_VALID[name][1]).bool()
    shares = triplet_shares(normal(len(labels), 3), labels, margin=0.5, distance="euclidean", mask=mask)
    assert torch.equal(shares, torch.zeros(3, dtype=torch.float64))


@pytest.mark.parametrize("mining", EVERY_MINING)
def test_no_violation_is_zero_with_zero_gradient(mining):
    x = torch.tensor([[0.0], [0.1], [9.0], [9.1]], dtype=torch.float64)
    options = {"margin": 0.5, "mining": mining, "distance": "euclidean", "generator": generator(0)}
    value, gradient = value_and_gradient(batch_triplet_loss, x, torch.tensor([0, 0, 1, 1]), **options)
    assert value == 0
    assert torch.equal(gradient, torch.zeros_like(x))


@pytest.mark.parametrize("mining", EVERY_MINING)
def test_empty_list_beside_a_full_one(mining):
    x = normal(2, 8, 3)
    labels = torch.tensor([[0] * 8, [0, 0, 1, 1, 2, 2, 3, 3]])
    options = {"margin": 5.0, "mining": mining, "distance": "euclidean"}
    draws = [generator(0), generator(1)]
    value, gradient = value_and_gradient(batch_triplet_loss, x, labels, generator=draws, **options)
    alone = value_and_gradient(batch_triplet_loss, x[1], labels[1], generator=generator(1), **options)
    assert value[0] == 0
    assert (gradient[0] == 0).all()
    assert value[1] > 0
    assert_agree((value[1], gradient[1]), alone)


@pytest.mark.parametrize("mining", EVERY_MINING)
def test_empty_stack(mining):
    options = {"margin": 0.5, "mining": mining, "distance": "euclidean", "generator": generator(0)}
    x = torch.zeros(0, 6, 3, dtype=torch.float64)
    value, gradient = value_and_gradient(batch_triplet_loss, x, torch.zeros(0, 6, dtype=torch.long), **options)
    assert value.shape == (0,)
    assert gradient.shape == x.shape


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", EVERY_MINING)
@pytest.mark.parametrize("n_classes", [2, 16])
@pytest.mark.parametrize("position", [0, 13, 47])
def test_nan_is_not_hidden_and_stays_in_its_list(position, n_classes, mining, distance):
    labels = (torch.arange(48) % n_classes).expand(2, 48)
    x = normal(2, 48, 3)
    options = {"margin": 0.5, "mining": mining, "distance": distance}
    draws = [generator(0), generator(1)]
    x[0, position, 1] = math.nan
    value, gradient = value_and_gradient(batch_triplet_loss, x, labels, generator=draws, **options)
    alone = value_and_gradient(batch_triplet_loss, x[1], labels[1], generator=generator(1), **options)
    assert value[0].isnan()
    assert_agree((value[1], gradient[1]), alone)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("mining", EVERY_MINING)
@pytest.mark.parametrize("n", [5, 60])
def test_nan_in_a_singleton_is_not_hidden(n, mining, soft):
    # it is not an anchor or a positive, and only one negative among many
    labels = torch.arange(n) % 2
    labels[-1] = 7
    x = normal(n, 3)
    x[-1] = math.nan
    options = {"margin": 0.0, "mining": mining, "distance": "euclidean", "soft": soft, "generator": generator(0)}
    assert batch_triplet_loss(x, labels, **options).isnan()


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("mining", EVERY_MINING)
@pytest.mark.parametrize("samples_per_class", [2, 6, 30])
def test_nan_in_blocks(samples_per_class, mining, soft):
    case = blocks(60 // samples_per_class, samples_per_class, leading=(2,))
    x = case.embeddings.clone()
    x[1, 37, 0] = math.nan
    options = {"margin": 0.5, "mining": mining, "distance": "euclidean", "soft": soft}
    options["samples_per_class"] = samples_per_class
    draws = [generator(0), generator(1)]
    value, gradient = value_and_gradient(block_triplet_loss, x, case.origin, generator=draws, **options)
    alone = value_and_gradient(block_triplet_loss, x[0], case.origin[0], generator=generator(0), **options)
    assert value[1].isnan()
    assert_agree((value[0], gradient[0]), alone)


@pytest.mark.parametrize("n", [6, 60])
def test_nan_in_shares(n):
    x = normal(2, n, 3)
    x[0, 2] = math.nan
    labels = (torch.arange(n) % 2).expand(2, n)
    shares = triplet_shares(x, labels, margin=0.5, distance="euclidean")
    assert shares[0].isnan().all()
    assert_agree(shares[1], triplet_shares(x[1], labels[1], margin=0.5, distance="euclidean"))
    shares = block_triplet_shares(
        x, torch.arange(n).expand(2, n), samples_per_class=n // 2, margin=0.5, distance="euclidean"
    )
    assert shares[0].isnan().all()
    assert shares[1].isfinite().all()


@pytest.mark.parametrize(("mining", "samples_per_class"), [*zip(EVERY_MINING, (13, 17, 19, 23, 29), strict=True)])
def test_scoring_before_training(mining, samples_per_class):
    # tensors that a first call in inference mode keeps must not be used in training; no other test has these sizes
    n = 2 * samples_per_class
    x, rows = normal(n, 3), torch.arange(n)
    options = {"samples_per_class": samples_per_class, "margin": 5.0, "mining": mining, "distance": "euclidean"}
    with torch.inference_mode():
        scored = block_triplet_loss(x, rows, generator=generator(0), **options)
    value, gradient = value_and_gradient(block_triplet_loss, x, rows, generator=generator(0), **options)
    assert torch.equal(value, scored.clone())
    assert gradient.isfinite().all()


@pytest.mark.parametrize("junk", [math.nan, math.inf, -math.inf, 1e200, 0.0])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("n_classes", [2, 12])
def test_masked_rows_do_not_leak(n_classes, mining, distance, junk):
    case = any_labels(48, n_classes, leading=(2,), masked=True)
    options = {"margin": 0.5, "mining": mining, "distance": distance, "mask": case.mask}
    junked = case.embeddings.masked_fill(~case.mask[..., None], junk)
    clean = value_and_gradient(batch_triplet_loss, case.embeddings, case.labels, **options)
    value, gradient = value_and_gradient(batch_triplet_loss, junked, case.labels, **options)
    assert_agree((value, gradient), clean)
    assert (gradient[~case.mask] == 0).all()
    options.pop("mining")
    shares = triplet_shares(junked, case.labels, **options)
    assert torch.equal(shares, triplet_shares(case.embeddings, case.labels, **options))


@pytest.mark.parametrize("mining", EVERY_MINING)
def test_all_masked_nan(mining):
    x = torch.full((6, 3), math.nan, dtype=torch.float64)
    options = {"margin": 0.5, "mining": mining, "distance": "euclidean", "generator": generator(0)}
    options["mask"] = torch.zeros(6, dtype=torch.bool)
    value, gradient = value_and_gradient(batch_triplet_loss, x, torch.arange(6) % 2, **options)
    assert value == 0
    assert torch.equal(gradient, torch.zeros_like(x))


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", EVERY_MINING)
@pytest.mark.parametrize("n", [8, 80])
def test_collapsed_embedding_has_a_finite_gradient(n, mining, distance):
    x = torch.full((n, 3), 0.3, dtype=torch.float64)
    options = {"margin": 0.5, "mining": mining, "distance": distance, "generator": generator(0)}
    value, gradient = value_and_gradient(batch_triplet_loss, x, torch.arange(n) % 2, **options)
    assert value.item() == pytest.approx(0.5, rel=1e-14)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.int8, torch.int16, torch.int32, torch.int64])
@pytest.mark.parametrize("mining", MININGS)
def test_labels_are_only_names(mining, dtype):
    case = any_labels(40, 4)
    options = {"margin": 0.5, "mining": mining, "distance": "euclidean"}
    names = torch.tensor([-1, torch.iinfo(dtype).min, 0, torch.iinfo(dtype).max], dtype=dtype)
    expected = batch_triplet_loss(case.embeddings, case.labels, **options)
    assert_agree(batch_triplet_loss(case.embeddings, names[case.labels], **options), expected)


@pytest.mark.parametrize("mining", EVERY_MINING)
@pytest.mark.parametrize("n", [8, 80])
def test_arguments_are_left_unchanged(n, mining):
    case = any_labels(n, 3, masked=True)
    before = [each.clone() for each in (case.embeddings, case.labels, case.mask)]
    options = {"margin": 0.5, "mining": mining, "distance": "euclidean", "generator": generator(0)}
    batch_triplet_loss(case.embeddings, case.labels, mask=case.mask, **options)
    for now, then in zip((case.embeddings, case.labels, case.mask), before, strict=True):
        assert torch.equal(now, then)


X, LABELS = torch.zeros(6, 2), torch.arange(6) % 2
GOOD = {"margin": 0.5, "mining": "all", "distance": "euclidean"}
MINING_WORDS = ("mining", "nearest", "all", "hard", "easy", "semihard", "random")
DISTANCE_WORDS = ("distance", "nearest", "euclidean", "sqeuclidean", "cosine")
SHARES = {"margin": 0.5, "distance": "euclidean"}

WRONG = {
    "mining": (batch_triplet_loss, (X, LABELS), {**GOOD, "mining": "nearest"}, MINING_WORDS),
    "distance": (batch_triplet_loss, (X, LABELS), {**GOOD, "distance": "nearest"}, DISTANCE_WORDS),
    "block mining": (
        block_triplet_loss,
        (X, torch.arange(6)),
        {**GOOD, "samples_per_class": 2, "mining": "nearest"},
        MINING_WORDS,
    ),
    "block distance": (
        block_triplet_loss,
        (X, torch.arange(6)),
        {**GOOD, "samples_per_class": 2, "distance": "nearest"},
        DISTANCE_WORDS,
    ),
    "shares distance": (triplet_shares, (X, LABELS), {"margin": 0.5, "distance": "nearest"}, DISTANCE_WORDS),
    "block size": (
        block_triplet_loss,
        (X, torch.arange(6)),
        {**GOOD, "samples_per_class": 4},
        ("samples_per_class", "4", "6"),
    ),
    "block size of shares": (
        block_triplet_shares,
        (X, torch.arange(6)),
        {**SHARES, "samples_per_class": 4},
        ("samples_per_class", "4", "6"),
    ),
    "short labels": (batch_triplet_loss, (X, LABELS[:5]), GOOD, ("labels",)),
    "labels in a column": (batch_triplet_loss, (X, LABELS[:, None]), GOOD, ("labels",)),
    "labels of no axis": (batch_triplet_loss, (X, torch.tensor(1)), GOOD, ("labels",)),
    "labels of shares": (triplet_shares, (X, LABELS[:5]), SHARES, ("labels",)),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name):
    function, args, options, words = WRONG[name]
    with pytest.raises(ValueError, match=words[0]) as caught:
        function(*args, **options)
    for word in words:
        assert word in str(caught.value)
