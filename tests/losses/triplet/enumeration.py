"""Definitions of the triplet losses: plain loops over the triplets of one list.

A mining strategy returns a list of triplets. A loss is the mean of its terms over these triplets. Triplets are chosen
on plain numbers, and terms are tensors, so that each value has a gradient. To add a strategy, add a row to `MINE` here,
and its values by hand in `test_triplet_table`.
"""

import itertools

import torch

DISTANCES = ("euclidean", "sqeuclidean", "cosine")


def distances(x, distance):
    """Distances (n, n) between the rows of x (n, d); a constant 0 between equal rows."""
    n, width = x.shape
    # Features are added one by one: all pairs have the same rounding, so equal rows have equal distances to others.
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j and not torch.equal(x[i], x[j])]
    result = torch.zeros(n, n, dtype=x.dtype)
    if not pairs:
        return result
    i, j = torch.tensor(pairs).unbind(-1)
    if distance == "cosine":
        dot, norm_i, norm_j = 0.0, 0.0, 0.0
        for k in range(width):
            dot = dot + x[i, k] * x[j, k]
            norm_i = norm_i + x[i, k] * x[i, k]
            norm_j = norm_j + x[j, k] * x[j, k]
        values = 1 - dot / (norm_i.sqrt() * norm_j.sqrt())
    else:
        square = 0.0
        for k in range(width):
            square = square + (x[i, k] - x[j, k]) * (x[i, k] - x[j, k])
        values = square if distance == "sqeuclidean" else square.sqrt()
    return result.index_put((i, j), values)


def positive_pairs(labels, rows=None):
    """All (anchor, positive) index pairs of one list."""
    n = len(labels)
    rows = range(n) if rows is None else rows
    return [(a, p) for a in range(n) for p in range(n) if a != p and labels[a] == labels[p] and rows[a] != rows[p]]


def negatives(labels, a):
    return [n for n in range(len(labels)) if labels[n] != labels[a]]


def all_triplets(labels, rows=None):
    """All valid triplets of one list."""
    negatives_of = [negatives(labels, a) for a in range(len(labels))]
    return [(a, p, n) for a, p in positive_pairs(labels, rows) for n in negatives_of[a]]


def one_per_anchor(d, labels, rows, choose_positive):
    """The nearest negative and the positive chosen by `choose_positive` (min or max), for each anchor that has both."""
    chosen = []
    for a, pairs in itertools.groupby(positive_pairs(labels, rows), key=lambda pair: pair[0]):
        if not negatives(labels, a):
            continue
        positive = choose_positive((p for _, p in pairs), key=lambda p: d[a][p])
        negative = min(negatives(labels, a), key=lambda n: d[a][n])
        chosen.append((a, positive, negative))
    return chosen


def semihard(d, labels, rows):
    """For each positive pair, the nearest negative strictly farther than the positive, or else the farthest."""
    chosen = []
    for a, p in positive_pairs(labels, rows):
        candidates = negatives(labels, a)
        if not candidates:
            continue
        farther = [n for n in candidates if d[a][n] > d[a][p]]
        if farther:
            chosen.append((a, p, min(farther, key=lambda n: d[a][n])))
        else:
            chosen.append((a, p, max(candidates, key=lambda n: d[a][n])))
    return chosen


# From the distances, labels and row ids of one list to the triplets of a strategy.
MINE = {
    "all": lambda d, labels, rows: all_triplets(labels, rows),
    "hard": lambda d, labels, rows: one_per_anchor(d, labels, rows, max),
    "easy": lambda d, labels, rows: one_per_anchor(d, labels, rows, min),
    "semihard": semihard,
}
MININGS = tuple(MINE)
EVERY_MINING = (*MININGS, "random")  # random mining has no single value, see expected_random


def gaps_of(d, triplets, margin):
    """d_ap - d_an + margin of each triplet."""
    a, p, n = torch.tensor(triplets).unbind(-1)
    return d[a, p] - d[a, n] + margin


def softplus(gaps):
    """log(1 + exp(gap)) to full precision, for large gaps too."""
    return gaps.clamp(min=0) + torch.log1p(torch.exp(-gaps.abs()))


def one_list(x, labels, *, margin, mining, distance, rows=None, soft=False):
    """Loss of one list: x (n, d), labels and rows plain lists of n ints, margin a number."""
    d = distances(x, distance)
    triplets = MINE[mining](d.tolist(), labels, rows)
    if not triplets:
        return (x * 0).sum()
    gaps = gaps_of(d, triplets, margin)
    if soft:
        return softplus(gaps).mean()
    if mining == "all":
        gaps = gaps[gaps > 0]
        return gaps.mean() if len(gaps) else (x * 0).sum()
    return gaps.clamp(min=0).mean()


def one_list_shares(x, labels, *, margin, distance, rows=None):
    """Shares of easy, semi-hard and hard triplets of one list."""
    d = distances(x, distance).tolist()
    easy = semi = hard = 0
    triplets = all_triplets(labels, rows)
    for a, p, n in triplets:
        if d[a][n] <= d[a][p]:
            hard += 1
        elif d[a][n] < d[a][p] + margin:
            semi += 1
        else:
            easy += 1
    return torch.tensor([easy, semi, hard], dtype=x.dtype) / max(len(triplets), 1)


def one_list_expected_random(x, labels, *, margin, distance, rows=None, soft=False):
    """Random mining on average: the term of each pair is the mean over all of its negatives."""
    d = distances(x, distance)
    means = []
    for a, p in positive_pairs(labels, rows):
        triplets = [(a, p, n) for n in negatives(labels, a)]
        if triplets:
            gaps = gaps_of(d, triplets, margin)
            means.append(softplus(gaps).mean() if soft else gaps.clamp(min=0).mean())
    return torch.stack(means).mean() if means else (x * 0).sum()


def over_lists(function, embeddings, labels, *, margin, mask=None, rows=None, **options):
    """Apply a function of one list to each list of a stack; masked rows are dropped first."""
    leading, n = embeddings.shape[:-2], embeddings.shape[-2]
    labels = labels.expand(*leading, n)
    margin = torch.as_tensor(margin, dtype=embeddings.dtype).expand(leading)
    mask = torch.ones(n, dtype=torch.bool) if mask is None else mask
    mask = mask.expand(*leading, n)
    rows = torch.arange(n) if rows is None else rows
    rows = rows.expand(*leading, n)
    results = []
    for index in itertools.product(*(range(size) for size in leading)):
        real = [i for i in range(n) if mask[index][i]]
        results.append(
            function(
                embeddings[index][real],
                labels[index][real].tolist(),
                margin=margin[index].item(),
                rows=rows[index][real].tolist(),
                **options,
            )
        )
    return torch.stack(results).reshape((*leading, *results[0].shape))


def batch_triplet_loss(embeddings, labels, *, margin, mining, distance, mask=None, soft=False):
    return over_lists(
        one_list, embeddings, labels, margin=margin, mask=mask, mining=mining, distance=distance, soft=soft
    )


def block_labels(n, samples_per_class):
    return torch.arange(n) // samples_per_class


def block_triplet_loss(embeddings, rows, *, samples_per_class, margin, mining, distance, soft=False):
    labels = block_labels(embeddings.shape[-2], samples_per_class)
    return over_lists(
        one_list, embeddings, labels, margin=margin, rows=rows, mining=mining, distance=distance, soft=soft
    )


def triplet_shares(embeddings, labels, *, margin, distance, mask=None):
    return over_lists(one_list_shares, embeddings, labels, margin=margin, mask=mask, distance=distance)


def block_triplet_shares(embeddings, rows, *, samples_per_class, margin, distance):
    labels = block_labels(embeddings.shape[-2], samples_per_class)
    return over_lists(one_list_shares, embeddings, labels, margin=margin, rows=rows, distance=distance)


def expected_random(embeddings, labels, *, margin, distance, mask=None, rows=None, soft=False):
    return over_lists(
        one_list_expected_random, embeddings, labels, margin=margin, mask=mask, rows=rows, distance=distance, soft=soft
    )
