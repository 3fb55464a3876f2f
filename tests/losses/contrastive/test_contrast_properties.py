"""Laws of the contrastive losses that hold for any data."""

import math

import hypothesis
import pytest
import torch
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from skmetric import losses
from tests.losses.cases import any_labels, blocks, generator, normal
from tests.losses.contrastive.cases import LABELED, LOSSES, MARGIN, MEASURED, evaluate, example, names
from tests.losses.triplet.enumeration import DISTANCES

settings = hypothesis.settings(max_examples=30)

seeds = st.integers(0, 2**20)
sizes = st.integers(2, 16)
n_classes = st.integers(1, 6)
labeled = st.sampled_from(LABELED)
measured = st.sampled_from(MEASURED)
distances = st.sampled_from(DISTANCES)
temperatures = st.floats(0.05, 5.0)
SOFTMAX = names(lambda loss: loss.is_softmax)


def close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)


def value(name, learned, options, **changed):
    return getattr(losses, name)(**(learned | options | changed))


def softmax_value(name, embeddings, labels, temperature, distance):
    return value(name, {"embeddings": embeddings, "labels": labels}, {"temperature": temperature, "distance": distance})


@settings
@hypothesis.given(seeds, sizes, n_classes, labeled, distances)
def test_order_of_items_does_not_matter(seed, n, classes, name, distance):
    learned, options = example(name, n, distance=distance, n_classes=classes, seed=seed, masked=True)
    order = torch.randperm(n, generator=generator(seed))
    expected, gradients = evaluate(getattr(losses, name), learned, options)
    moved = learned | {"embeddings": learned["embeddings"][order]}
    options |= {key: options[key][order] for key in ("labels", "mask")}
    actual, moved_gradients = evaluate(getattr(losses, name), moved, options)
    gradients["embeddings"] = gradients["embeddings"][order]
    close((actual, moved_gradients), (expected, gradients))


@settings
@hypothesis.given(seeds, sizes, distances)
def test_order_of_pairs_does_not_matter(seed, n, distance):
    learned, options = example("paired_info_nce_loss", n, distance=distance, seed=seed, masked=True)
    order = torch.randperm(n, generator=generator(seed))
    expected, gradients = evaluate(losses.paired_info_nce_loss, learned, options)
    options |= {key: options[key][order] for key in ("anchor_ids", "positive_ids", "log_rate", "mask")}
    moved = {key: tensor[order] for key, tensor in learned.items()}
    actual = evaluate(losses.paired_info_nce_loss, moved, options)
    close(actual, (expected, {key: gradient[order] for key, gradient in gradients.items()}))


@settings
@hypothesis.given(seeds, sizes, n_classes, labeled, distances)
def test_names_of_classes_do_not_matter(seed, n, classes, name, distance):
    learned, options = example(name, n, distance=distance, n_classes=classes, seed=seed, masked=True)
    names = torch.randperm(50, generator=generator(seed))[:classes] * 1_000_003 - 7_000_000
    expected = value(name, learned, options)
    if name == "proxy_anchor_loss":  # a name is the row of a proxy: both are renamed
        names = torch.randperm(len(learned["proxies"]), generator=generator(seed))
        learned["proxies"] = learned["proxies"][names.argsort()]
    close(value(name, learned, options, labels=names[options["labels"]]), expected)


@settings
@hypothesis.given(seeds, sizes, n_classes, labeled, distances)
def test_masked_items_are_removed_items(seed, n, classes, name, distance):
    learned, options = example(name, n, distance=distance, n_classes=classes, seed=seed, masked=True)
    mask = options.pop("mask")
    left = {"embeddings": learned["embeddings"][mask], "labels": options["labels"][mask]}
    close(value(name, learned, options, mask=mask), value(name, learned, options, **left))


@settings
@hypothesis.given(seeds, sizes, n_classes, measured)
def test_distances_do_not_see_rotation_and_shift(seed, n, classes, name):
    rotation, shift = torch.linalg.qr(normal(4, 4, seed=seed)).Q, normal(4, seed=seed + 1)
    for distance in ("euclidean", "sqeuclidean"):
        learned, options = example(name, n, distance=distance, n_classes=classes, seed=seed)
        moved = {key: tensor @ rotation + shift for key, tensor in learned.items()}
        close(value(name, moved, options), value(name, learned, options))


@settings
@hypothesis.given(seeds, sizes, n_classes, measured)
def test_cosine_does_not_see_lengths(seed, n, classes, name):
    learned, options = example(name, n, distance="cosine", n_classes=classes, seed=seed)
    lengths = {key: 0.1 + 9 * normal(len(tensor), 1, seed=seed).abs() for key, tensor in learned.items()}
    scaled = {key: tensor * lengths[key] for key, tensor in learned.items()}
    close(value(name, scaled, options), value(name, learned, options))


@settings
@hypothesis.given(
    seeds, sizes, n_classes, st.sampled_from(names(lambda loss: loss.is_scale_free)), st.floats(0.1, 10.0)
)
def test_scale_of_embeddings_margin_and_temperature(seed, n, classes, name, scale):
    for distance, factor in (("euclidean", scale), ("sqeuclidean", scale**2)):
        learned, options = example(name, n, distance=distance, n_classes=classes, seed=seed)
        expected = value(name, learned, options)
        options |= {key: options[key] * factor for key in ("margin", "temperature") if key in options}
        close(value(name, {key: tensor * scale for key, tensor in learned.items()}, options), expected)


@settings
@hypothesis.given(seeds, sizes, n_classes, st.sampled_from(list(LOSSES)), distances)
def test_no_loss_is_negative(seed, n, classes, name, distance):
    assert value(name, *example(name, n, distance=distance, n_classes=classes, seed=seed, masked=True)) >= 0


@settings
@hypothesis.given(seeds, sizes, st.floats(0.1, 3.0))
def test_similar_and_dissimilar_pairs(seed, n, margin):
    d, similar = normal(n, n, seed=seed).abs(), torch.rand(n, n, generator=generator(seed)) < 0.5
    pull, push = (losses.contrastive_loss(d, each, margin=margin) for each in (similar, ~similar))
    close(pull + push, d.clamp(min=margin))
    # a negative pair costs the same as a positive pair at the distance that is missing to the margin
    lacking = (margin - d).clamp(min=0)
    close(losses.contrastive_loss(torch.where(similar, d, lacking), torch.tensor(True), margin=margin), pull)
    close(losses.contrastive_loss(d, similar, margin=margin, squared=True), pull.square())


@settings
@hypothesis.given(seeds, st.integers(1, 8), st.integers(1, 8), st.floats(-3.0, 3.0))
def test_real_and_noise_swap_roles(seed, n_real, n_noise, log_ratio):
    real, noise = normal(n_real, seed=seed), normal(n_noise, seed=seed + 1)
    there = losses.nce_loss(real, noise, log_noise_ratio=log_ratio)
    back = losses.nce_loss(-noise, -real, log_noise_ratio=-log_ratio)
    close(there * n_real, back * n_noise)


@settings
@hypothesis.given(seeds, st.integers(1, 8), st.integers(0, 8), st.floats(-3.0, 3.0))
def test_nce_is_binary_cross_entropy(seed, n_real, n_noise, log_ratio):
    real, noise = 9 * normal(n_real, seed=seed), 9 * normal(n_noise, seed=seed + 1)
    target = torch.cat([torch.ones(n_real), torch.zeros(n_noise)]).double()
    expected = binary_cross_entropy_with_logits(torch.cat([real, noise]) - log_ratio, target, reduction="sum") / n_real
    close(losses.nce_loss(real, noise, log_noise_ratio=log_ratio), expected)


@settings
@hypothesis.given(seeds, st.integers(3, 16), st.integers(2, 6), distances, temperatures)
def test_batch_nce_is_nce_of_pairs(seed, n, classes, distance, temperature):
    case = any_labels(n, classes, seed=seed)
    same = case.labels[:, None] == case.labels
    real, noise = same & ~torch.eye(n, dtype=torch.bool), ~same
    hypothesis.assume(real.any() and noise.any())
    options = {"margin": MARGIN[distance], "temperature": temperature, "distance": distance}
    logits = (MARGIN[distance] - losses.pairwise_distance(case.embeddings, distance=distance)) / temperature
    log_ratio = math.log(noise.sum().item() / real.sum().item())
    expected = losses.nce_loss(logits[real], logits[noise], log_noise_ratio=log_ratio)
    close(losses.batch_nce_loss(case.embeddings, case.labels, **options), expected)


@settings
@hypothesis.given(seeds, st.integers(1, 8), distances, temperatures)
def test_two_of_each_class_make_one_loss(seed, classes, distance, temperature):
    case = blocks(classes, 2, seed=seed)
    expected = softmax_value("info_nce_loss", case.embeddings, case.labels, temperature, distance)
    for name in SOFTMAX:
        close(softmax_value(name, case.embeddings, case.labels, temperature, distance), expected)


@settings
@hypothesis.given(seeds, st.integers(2, 4), st.integers(2, 5), distances, temperatures)
def test_order_of_the_softmax_losses(seed, classes, samples_per_class, distance, temperature):
    # the other positives are in the denominators of sup_con, not of info_nce; nca has the mean inside the logarithm
    case = blocks(classes, samples_per_class, seed=seed)
    info_nce, sup_con, nca = (
        softmax_value(name, case.embeddings, case.labels, temperature, distance)
        for name in ("info_nce_loss", "sup_con_loss", "nca_loss")
    )
    assert sup_con >= info_nce - 1e-12
    assert sup_con >= nca + math.log(samples_per_class - 1) - 1e-12


@settings
@hypothesis.given(seeds, sizes, n_classes, st.sampled_from(SOFTMAX), distances, temperatures)
def test_one_more_negative_for_all_raises_the_loss(seed, n, classes, name, distance, temperature):
    case = any_labels(n, classes, seed=seed)
    more = torch.cat([case.embeddings, normal(1, 4, seed=seed + 7)]), torch.cat([case.labels, torch.tensor([99])])
    below = softmax_value(name, case.embeddings, case.labels, temperature, distance)
    assert softmax_value(name, *more, temperature, distance) >= below - 1e-12


@settings
@hypothesis.given(seeds, sizes, st.sampled_from(names(lambda loss: loss.grows_with_margin)), st.floats(0.0, 3.0))
def test_a_wider_margin_raises_the_loss(seed, n, name, wider):
    # in multi-similarity it lets more pairs count, in proxy-anchor it moves both kinds of pairs
    learned, options = example(name, n, distance="euclidean", seed=seed)
    below = value(name, learned, options)
    assert value(name, learned, options, margin=options["margin"] + wider) >= below - 1e-12


@settings
@hypothesis.given(seeds, sizes, distances)
def test_fewer_negatives_lower_the_loss(seed, n, distance):
    learned, options = example("paired_info_nce_loss", n, distance=distance, seed=seed)
    for ids in ("anchor_ids", "positive_ids"):
        with_ids = value("paired_info_nce_loss", learned, options)
        options |= {ids: None}
        assert value("paired_info_nce_loss", learned, options) >= with_ids - 1e-12
    learned, options = example("sampled_softmax_loss", n, seed=seed)
    with_hits = value("sampled_softmax_loss", learned, options)
    assert value("sampled_softmax_loss", learned, options, is_hit=None) >= with_hits - 1e-12


@settings
@hypothesis.given(seeds, sizes, distances, temperatures, st.booleans())
def test_paired_info_nce_is_cross_entropy(seed, n, distance, temperature, corrected):
    anchors, positives, log_rate = normal(n, 4, seed=seed), normal(n, 4, seed=seed + 1), normal(n, seed=seed + 2)
    d = losses.pairwise_distance(torch.cat([anchors, positives]), distance=distance)[:n, n:]
    expected = cross_entropy(-d / temperature - log_rate * corrected, torch.arange(n))
    options = {"temperature": temperature, "distance": distance, "log_rate": log_rate if corrected else None}
    close(losses.paired_info_nce_loss(anchors, positives, **options), expected)


@settings
@hypothesis.given(seeds, sizes, st.integers(2, 7), st.floats(-3.0, 3.0))
def test_sampling_every_class_is_the_full_softmax(seed, n, classes, log_rate):
    logits, labels = normal(n, classes, seed=seed), torch.randint(classes, (n,), generator=generator(seed))
    true = logits.gather(1, labels[:, None])[:, 0]
    rate = torch.tensor([log_rate], dtype=torch.float64)
    rates = {"log_true_rate": rate, "log_sampled_rate": rate}
    others = torch.stack([row[torch.arange(classes) != label] for row, label in zip(logits, labels, strict=True)])
    expected = cross_entropy(logits, labels)
    close(losses.sampled_softmax_loss(true, others, **rates), expected)
    hit = torch.arange(classes) == labels[:, None]
    close(losses.sampled_softmax_loss(true, logits, is_hit=hit, **rates), expected)


@settings
@hypothesis.given(seeds, st.integers(2, 5), st.integers(2, 4), st.floats(0.1, 2.0))
def test_pytorch_metric_learning(seed, classes, samples_per_class, temperature):
    # Its averages leave out different terms of 0 than ours. If all classes are complete, there are no such terms.
    peer = pytest.importorskip("pytorch_metric_learning.losses")
    peer_distance = pytest.importorskip("pytorch_metric_learning.distances").LpDistance
    miner = pytest.importorskip("pytorch_metric_learning.miners").MultiSimilarityMiner(0.1)
    case = blocks(classes, samples_per_class, seed=seed)
    x, labels = case.embeddings, case.labels
    for distance, power in (("euclidean", 1), ("sqeuclidean", 2)):
        margin, lp = MARGIN[distance], peer_distance(normalize_embeddings=False, power=power)
        expected = peer.ContrastiveLoss(0, margin, distance=lp)(x, labels)
        close(losses.batch_contrastive_loss(x, labels, margin=margin, distance=distance), expected)
        for name, theirs in (("info_nce_loss", peer.NTXentLoss), ("sup_con_loss", peer.SupConLoss)):
            expected = theirs(temperature, distance=lp)(x, labels)
            close(softmax_value(name, x, labels, temperature, distance), expected)
    close(losses.nca_loss(x, labels, temperature=temperature), peer.NCALoss(1 / temperature, distance=lp)(x, labels))
    for name, theirs in (("info_nce_loss", peer.NTXentLoss), ("sup_con_loss", peer.SupConLoss)):
        close(softmax_value(name, x, labels, temperature, "cosine"), theirs(temperature)(x, labels))
    close(losses.multi_similarity_loss(x, labels), peer.MultiSimilarityLoss(2, 50, 0.5)(x, labels, miner(x, labels)))
    theirs = peer.ProxyAnchorLoss(classes + 1, 4, margin=0.2, alpha=1 / temperature)
    theirs.proxies.data = normal(classes + 1, 4, seed=seed + 1)
    options = {"margin": 0.2, "temperature": temperature}
    close(losses.proxy_anchor_loss(x, labels, theirs.proxies, **options), theirs(x, labels))
