"""Definitions of the contrastive losses: plain loops over the pairs of one list.

Pairs are chosen on plain numbers, and terms are tensors, so that each value has a gradient. Masked items are dropped
first.
"""

import functools
import itertools
import math

import torch

from tests.losses.triplet.enumeration import distances, negatives, positive_pairs, softplus


def mean(terms, like):
    """Mean of a list of scalar tensors, or 0 if it is empty; always with a gradient for `like`."""
    nothing = (like * 0).sum()
    return torch.stack(terms).mean() + nothing if terms else nothing


def log_sum_exp(*logits):
    """log(sum(exp)) over all given scalars and vectors."""
    return torch.logsumexp(torch.cat([each.reshape(-1) for each in logits]), 0)


def cross_distances(x, y, distance):
    """Distances (n, m) from the rows of x (n, d) to those of y (m, d)."""
    return distances(torch.cat([x, y]), distance)[: len(x), len(x) :]


def positives(labels, a):
    return [p for p in range(len(labels)) if p != a and labels[p] == labels[a]]


def negative_pairs(labels):
    return [(a, n) for a in range(len(labels)) for n in negatives(labels, a)]


def on_lists(leading, one):
    """Return `one(index)` for each list of a stack."""
    values = [one(index) for index in itertools.product(*(range(size) for size in leading))]
    return torch.stack(values).reshape(leading)


def at(option, leading, index):
    """Value of an option for one list; options hold one number for all lists or one number per list."""
    return torch.as_tensor(option, dtype=torch.float64).expand(leading)[index].item()


def real_items(mask, shape, index):
    mask = torch.ones(shape, dtype=torch.bool) if mask is None else mask.expand(shape)
    return mask[index].nonzero().flatten().tolist()


def labeled(one_list):
    """Turn a function of one list of labeled items into a function of a stack of lists."""

    @functools.wraps(one_list)
    def loss(embeddings, labels, proxies=None, *, mask=None, distance="cosine", squared=None, **numbers):
        leading, n = embeddings.shape[:-2], embeddings.shape[-2]
        choices = {"distance": distance} if squared is None else {"distance": distance, "squared": squared}

        def one(index):
            real = real_items(mask, (*leading, n), index)
            options = choices | {name: at(number, leading, index) for name, number in numbers.items()}
            if proxies is not None:
                options["proxies"] = proxies.expand(*leading, *proxies.shape[-2:])[index]
            return one_list(embeddings[index][real], labels.expand(*leading, n)[index][real].tolist(), **options)

        return on_lists(leading, one)

    return loss


def contrastive_term(d, similar, margin, squared):
    term = d if similar else (margin - d).clamp(min=0)
    return term * term if squared else term


def contrastive_loss(d, similar, *, margin, squared=False):
    d, similar = torch.broadcast_tensors(d, similar)
    terms = [
        contrastive_term(each, bool(same), margin, squared)
        for each, same in zip(d.flatten(), similar.flatten(), strict=True)
    ]
    return torch.stack(terms).reshape(d.shape)


@labeled
def batch_contrastive_loss(x, labels, *, margin, distance, squared=False):
    d = distances(x, distance)
    positive = [contrastive_term(d[pair], True, margin, squared) for pair in positive_pairs(labels)]
    negative = [contrastive_term(d[pair], False, margin, squared) for pair in negative_pairs(labels)]
    return mean([term for term in positive if term > 0], x) + mean([term for term in negative if term > 0], x)


@labeled
def info_nce_loss(x, labels, *, temperature, distance):
    logits = -distances(x, distance) / temperature
    terms = []
    for a, p in positive_pairs(labels):
        terms.append(log_sum_exp(logits[a, p], logits[a, negatives(labels, a)]) - logits[a, p])
    return mean(terms, x)


def own_positive_and_negatives(i, anchor_ids, positive_ids):
    """Columns of anchor i: first its positive, then the positives of other anchors that are its negatives."""
    columns = [i]
    for j in range(len(anchor_ids)):
        same_item = positive_ids[j] is not None and positive_ids[j] == positive_ids[i]
        same_anchor = anchor_ids[j] is not None and anchor_ids[j] == anchor_ids[i]
        itself = positive_ids[j] is not None and positive_ids[j] == anchor_ids[i]
        if j != i and not same_item and not same_anchor and not itself:
            columns.append(j)
    return columns


def paired_info_nce_loss(
    anchors, positives, *, temperature, distance="cosine", anchor_ids=None, positive_ids=None, log_rate=None, mask=None
):
    leading, n = anchors.shape[:-2], anchors.shape[-2]

    def one(index):
        real = real_items(mask, (*leading, n), index)

        def of_real(per_item, none):
            return [none] * len(real) if per_item is None else per_item.expand(*leading, n)[index][real].tolist()

        x, y = anchors[index][real], positives[index][real]
        rates = torch.tensor(of_real(log_rate, 0.0), dtype=x.dtype)
        logits = -cross_distances(x, y, distance) / at(temperature, leading, index) - rates
        ids = of_real(anchor_ids, None), of_real(positive_ids, None)
        columns = [own_positive_and_negatives(i, *ids) for i in range(len(real))]
        return mean([log_sum_exp(logits[i, columns[i]]) - logits[i, i] for i in range(len(real))], torch.cat([x, y]))

    return on_lists(leading, one)


@labeled
def sup_con_loss(x, labels, *, temperature, distance):
    logits = -distances(x, distance) / temperature
    terms = []
    for a in range(len(labels)):
        others = [j for j in range(len(labels)) if j != a]
        pairs = [log_sum_exp(logits[a, others]) - logits[a, p] for p in positives(labels, a)]
        if pairs:
            terms.append(mean(pairs, x))
    return mean(terms, x)


@labeled
def nca_loss(x, labels, *, temperature=1.0, distance):
    logits = -distances(x, distance) / temperature
    terms = []
    for a in range(len(labels)):
        others = [j for j in range(len(labels)) if j != a]
        if positives(labels, a):
            terms.append(log_sum_exp(logits[a, others]) - log_sum_exp(logits[a, positives(labels, a)]))
    return mean(terms, x)


@labeled
def multi_similarity_loss(x, labels, *, alpha=2.0, beta=50.0, base=0.5, margin=0.1, distance):
    similarity = 1 - distances(x, distance)
    number, nothing = similarity.tolist(), torch.zeros((), dtype=x.dtype)
    terms = []
    for a in range(len(labels)):
        of_class, others = positives(labels, a), negatives(labels, a)
        if not of_class or not others:
            continue
        nearest, farthest = max(number[a][n] for n in others), min(number[a][p] for p in of_class)
        hard_positives = [p for p in of_class if number[a][p] < nearest + margin]
        hard_negatives = [n for n in others if number[a][n] > farthest - margin]
        pull = log_sum_exp(nothing, -alpha * (similarity[a, hard_positives] - base)) / alpha
        push = log_sum_exp(nothing, beta * (similarity[a, hard_negatives] - base)) / beta
        terms.append(pull + push)
    return mean(terms, x)


@labeled
def proxy_anchor_loss(x, labels, *, proxies, margin=0.1, temperature=1 / 32, distance):
    if not labels:
        return (x * 0).sum() + (proxies * 0).sum()
    similarity, nothing = 1 - cross_distances(x, proxies, distance), torch.zeros((), dtype=x.dtype)
    pull, push = [], []
    for c in range(len(proxies)):
        of_class = [i for i, label in enumerate(labels) if label == c]
        others = [i for i, label in enumerate(labels) if label != c]
        if of_class:
            pull.append(log_sum_exp(nothing, -(similarity[of_class, c] - margin) / temperature))
        push.append(log_sum_exp(nothing, (similarity[others, c] + margin) / temperature))
    return mean(pull, x) + mean(push, x)


@labeled
def batch_nce_loss(x, labels, *, margin, temperature, distance):
    logits = (margin - distances(x, distance)) / temperature
    real, noise = positive_pairs(labels), negative_pairs(labels)
    if not real or not noise:
        return (x * 0).sum()
    log_ratio = math.log(len(noise) / len(real))
    of_real = [softplus(log_ratio - logits[pair]) for pair in real]
    of_noise = [softplus(logits[pair] - log_ratio) for pair in noise]
    return mean(of_real, x) + mean(of_noise, x) * len(noise) / len(real)


def nce_loss(real_logits, noise_logits, *, log_noise_ratio, real_mask=None, noise_mask=None):
    leading = real_logits.shape[:-1]

    def one(index):
        x = real_logits[index][real_items(real_mask, real_logits.shape, index)]
        y = noise_logits[index][real_items(noise_mask, noise_logits.shape, index)]
        if not len(x):
            return (x * 0).sum() + (y * 0).sum()
        log_ratio = at(log_noise_ratio, leading, index)
        # log h(u) = -softplus(-u) and log(1 - h(u)) = -softplus(u), with u the logits minus the log ratio
        return (softplus(log_ratio - x).sum() + softplus(y - log_ratio).sum()) / len(x)

    return on_lists(leading, one)


def sampled_softmax_loss(true_logits, sampled_logits, *, log_true_rate, log_sampled_rate, is_hit=None, mask=None):
    leading, n = true_logits.shape[:-1], true_logits.shape[-1]
    shape = (*leading, n, sampled_logits.shape[-1])
    sampled = (sampled_logits - log_sampled_rate).expand(shape)
    hits = torch.zeros(shape, dtype=torch.bool) if is_hit is None else is_hit.expand(shape)

    def one(index):
        terms = []
        for i in real_items(mask, true_logits.shape, index):
            true = (true_logits - log_true_rate)[index][i]
            others = [k for k in range(shape[-1]) if not hits[index][i, k]]
            terms.append(log_sum_exp(true, sampled[index][i, others]) - true)
        return mean(terms, torch.cat([true_logits[index], sampled_logits[index].flatten()]))

    return on_lists(leading, one)
