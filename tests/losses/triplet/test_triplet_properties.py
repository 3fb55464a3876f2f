"""Laws of the triplet losses that hold for any data."""

import hypothesis
import pytest
import torch
from hypothesis import strategies as st

from skmetric.losses import batch_triplet_loss, triplet_shares
from tests.losses.cases import any_labels, assert_agree, generator, normal, value_and_gradient
from tests.losses.triplet.enumeration import DISTANCES, MININGS

settings = hypothesis.settings(max_examples=30)

seeds = st.integers(0, 2**20)
sizes = st.integers(2, 45)
n_classes = st.integers(1, 12)
minings = st.sampled_from(MININGS)
distances = st.sampled_from(DISTANCES)
softness = st.booleans()
margins = st.floats(0.01, 3.0)


def close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)


@settings
@hypothesis.given(seeds, sizes, n_classes, minings, distances, softness, margins)
def test_order_does_not_matter(seed, n, classes, mining, distance, soft, margin):
    case = any_labels(n, classes, seed=seed)
    order = torch.randperm(n, generator=generator(seed))
    options = {"margin": margin, "mining": mining, "distance": distance, "soft": soft}
    value = batch_triplet_loss(case.embeddings, case.labels, **options)
    close(batch_triplet_loss(case.embeddings[order], case.labels[order], **options), value)


@settings
@hypothesis.given(seeds, sizes, n_classes, minings, softness, margins)
def test_euclidean_does_not_see_rotation_and_shift(seed, n, classes, mining, soft, margin):
    case = any_labels(n, classes, seed=seed)
    rotation = torch.linalg.qr(normal(4, 4, seed=seed)).Q
    moved = case.embeddings @ rotation + normal(4, seed=seed + 1)
    options = {"margin": margin, "mining": mining, "distance": "euclidean", "soft": soft}
    close(
        batch_triplet_loss(moved, case.labels, **options), batch_triplet_loss(case.embeddings, case.labels, **options)
    )


@settings
@hypothesis.given(seeds, sizes, n_classes, minings, softness, margins)
def test_cosine_does_not_see_lengths(seed, n, classes, mining, soft, margin):
    case = any_labels(n, classes, seed=seed)
    lengths = torch.rand(n, 1, generator=generator(seed), dtype=torch.float64) * 9 + 0.1
    options = {"margin": margin, "mining": mining, "distance": "cosine", "soft": soft}
    value = batch_triplet_loss(case.embeddings, case.labels, **options)
    close(batch_triplet_loss(case.embeddings * lengths, case.labels, **options), value)


@settings
@hypothesis.given(seeds, sizes, n_classes, minings, distances, softness, margins)
def test_names_of_classes_do_not_matter(seed, n, classes, mining, distance, soft, margin):
    case = any_labels(n, classes, seed=seed)
    names = torch.randperm(50, generator=generator(seed))[:classes] * 1_000_003 - 7_000_000
    options = {"margin": margin, "mining": mining, "distance": distance, "soft": soft}
    value = batch_triplet_loss(case.embeddings, case.labels, **options)
    close(batch_triplet_loss(case.embeddings, names[case.labels], **options), value)


@settings
@hypothesis.given(seeds, sizes, n_classes, minings, distances, softness, margins)
def test_masked_rows_are_removed_rows(seed, n, classes, mining, distance, soft, margin):
    case = any_labels(n, classes, seed=seed, masked=True)
    options = {"margin": margin, "mining": mining, "distance": distance, "soft": soft}
    value = batch_triplet_loss(case.embeddings, case.labels, mask=case.mask, **options)
    close(batch_triplet_loss(case.embeddings[case.mask], case.labels[case.mask], **options), value)
    options = {"margin": margin, "distance": distance}
    shares = triplet_shares(case.embeddings, case.labels, mask=case.mask, **options)
    close(triplet_shares(case.embeddings[case.mask], case.labels[case.mask], **options), shares)


@settings
@hypothesis.given(seeds, sizes, n_classes, minings, margins, st.floats(0.01, 100.0))
def test_scale_of_embeddings_and_margin(seed, n, classes, mining, margin, scale):
    case = any_labels(n, classes, seed=seed)
    for distance, factor in (("euclidean", scale), ("sqeuclidean", scale**2)):
        value = batch_triplet_loss(case.embeddings, case.labels, margin=margin, mining=mining, distance=distance)
        scaled = batch_triplet_loss(
            case.embeddings * scale, case.labels, margin=margin * factor, mining=mining, distance=distance
        )
        torch.testing.assert_close(scaled, value * factor, rtol=1e-9, atol=1e-9 * factor)


@settings
@hypothesis.given(seeds, sizes, n_classes, distances, st.just(0.0) | st.just(1e-20) | margins)
def test_shares_add_up(seed, n, classes, distance, margin):
    case = any_labels(n, classes, seed=seed, duplicates=n > 3, masked=True)
    shares = triplet_shares(case.embeddings, case.labels, mask=case.mask, margin=margin, distance=distance)
    assert (shares >= 0).all()
    total = shares.sum().item()
    assert total == pytest.approx(1.0) or total == 0


@settings
@hypothesis.given(seeds, sizes, n_classes, distances, softness, margins)
def test_hard_is_above_easy(seed, n, classes, distance, soft, margin):
    case = any_labels(n, classes, seed=seed)
    options = {"margin": margin, "distance": distance, "soft": soft}
    hard = batch_triplet_loss(case.embeddings, case.labels, mining="hard", **options)
    assert hard >= batch_triplet_loss(case.embeddings, case.labels, mining="easy", **options) - 1e-12


@settings
@hypothesis.given(seeds, st.integers(2, 4), minings, distances, softness, margins)
def test_a_stack_is_its_lists(seed, n_lists, mining, distance, soft, margin):
    case = any_labels(24, 6, leading=(n_lists,), seed=seed, masked=True)
    options = {"margin": margin, "mining": mining, "distance": distance, "soft": soft}
    stacked = batch_triplet_loss(case.embeddings, case.labels, mask=case.mask, **options)
    lists = zip(case.embeddings, case.labels, case.mask, strict=True)
    alone = [batch_triplet_loss(x, labels, mask=mask, **options) for x, labels, mask in lists]
    assert_agree(stacked, torch.stack(alone))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize(("n", "n_classes"), [(21, 5), (70, 3)])
def test_a_list_has_the_same_bits_alone_and_in_a_stack(n, n_classes, mining, soft, dtype):
    case = any_labels(n, n_classes, leading=(5,), width=7)
    options = {"margin": 0.5, "mining": mining, "distance": "euclidean", "soft": soft}
    x = case.embeddings.to(dtype)
    stacked = value_and_gradient(batch_triplet_loss, x, case.labels, **options)
    for i in range(5):
        value, gradient = value_and_gradient(batch_triplet_loss, x[i : i + 1], case.labels[i : i + 1], **options)
        assert torch.equal(value[0], stacked[0][i])
        assert torch.equal(gradient[0], stacked[1][i])
