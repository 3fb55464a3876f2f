"""Losses of embedders in plain loops, by their definitions, and the pairs that a batch compares.

Each anchor is a pair of tensors: distances to its positives, and distances to its negatives.
"""

import math

import torch


def softplus(x):
    return torch.log1p(torch.exp(-x.abs())) + x.clamp(min=0)


def mean(terms):
    return sum(terms) / len(terms) if len(terms) else 0.0


def with_positive(anchors):
    return [(positive, negative) for positive, negative in anchors if len(positive)]


def contrastive(anchors, margin):
    far = [d for positive, _ in anchors for d in positive if d > 0]
    near = [margin - d for _, negative in anchors for d in negative if d < margin]
    return mean(far) + mean(near)


def info_nce(anchors, temperature):
    terms = []
    for positive, negative in anchors:
        terms += [torch.log(1 + torch.exp((d - negative) / temperature).sum()) for d in positive]
    return mean(terms)


def sup_con(anchors, temperature):
    terms = []
    for positive, negative in with_positive(anchors):
        total = torch.exp(-torch.cat([positive, negative]) / temperature).sum()
        terms.append(-mean([torch.log(torch.exp(-d / temperature) / total) for d in positive]))
    return mean(terms)


def nca(anchors, temperature):
    terms = []
    for positive, negative in with_positive(anchors):
        share, rest = torch.exp(-positive / temperature).sum(), torch.exp(-negative / temperature).sum()
        terms.append(-torch.log(share / (share + rest)))
    return mean(terms)


def nce(anchors, margin, temperature):
    real, noise = (torch.cat(each) for each in zip(*anchors, strict=True))
    if not len(real) or not len(noise):
        return 0.0
    log_ratio = math.log(len(noise) / len(real))
    of_real = softplus(log_ratio - (margin - real) / temperature).sum()
    return (of_real + softplus((margin - noise) / temperature - log_ratio).sum()) / len(real)


def multi_similarity(anchors, margin, temperature):
    alpha, beta = 1 / temperature / 25, 1 / temperature
    terms = []
    for positive, negative in with_positive(anchors):
        if len(negative):
            far = 1 - positive[1 - positive < 1 - negative.min() + margin]
            near = 1 - negative[1 - negative > 1 - positive.max() - margin]
            pull = torch.log(1 + torch.exp(-alpha * (far - 0.5)).sum()) / alpha
            terms.append(pull + torch.log(1 + torch.exp(beta * (near - 0.5)).sum()) / beta)
    return mean(terms)


def proxy_anchor(anchors, margin, temperature):
    pulls = [torch.log(1 + torch.exp((margin - 1 + d) / temperature).sum()) for d, _ in with_positive(anchors)]
    return mean(pulls) + mean([torch.log(1 + torch.exp((1 - d + margin) / temperature).sum()) for _, d in anchors])


def triplet(anchors, margin, soft):
    gaps = [positive[0] - negative[0] + margin for positive, negative in anchors]
    return mean([softplus(gap) if soft else gap.clamp(min=0) for gap in gaps])


# The pairs that a batch compares, as anchors.


def distances(x, y, kind):
    if kind == "cosine":
        return 1 - (x @ y.T) / (x.norm(dim=1)[:, None] * y.norm(dim=1))
    squares = ((x[:, None] - y) ** 2).sum(-1)
    return squares if kind == "sqeuclidean" else squares.where(squares > 0, 1.0).sqrt().where(squares > 0, 0.0)


def rows_with_rows(e, rows, y, kind, memory):
    """Rows of a batch with each other and, in a separate loss, with the memory."""
    views = [row_with_columns(distances(e, e, kind), rows, rows, y)]
    if memory:
        remembered, old = zip(*memory, strict=True)
        views.append(row_with_columns(distances(e, torch.stack(old), kind), rows, remembered, y))
    memory.extend(zip(rows, e.detach(), strict=True))
    return views


def row_with_columns(d, rows, columns, y):
    """Compare rows with columns; no row is its own positive."""
    anchors = []
    for a, row in enumerate(rows):
        positive = [j for j, other in enumerate(columns) if y[other] == y[row] and other != row]
        anchors.append((d[a, positive], d[a, [j for j, other in enumerate(columns) if y[other] != y[row]]]))
    return anchors


def proxies_with_rows(e, labels, kind, proxies):
    d = distances(proxies, e, kind)
    return [(own[labels == c], own[labels != c]) for c, own in enumerate(d)]


def pairs_with_pairs(e, pairs, outcome, kind):
    """First points of the similar pairs, with the second points of all other pairs as negatives.

    A second point is no negative if it equals the first or the second point of the pair, or belongs to the same first
    point.
    """
    d = distances(e[:, 0], e[:, 1], kind)
    ids = [(a.tobytes(), p.tobytes()) for a, p in pairs]
    anchors = []
    for i, (a, p) in enumerate(ids):
        if outcome[i] > 0:
            others = [j for j, (b, q) in enumerate(ids) if q not in (a, p) and not (b == a and outcome[j] > 0)]
            anchors.append((d[i, [i]], d[i, others]))
    return anchors


def pairs_alone(e, outcome, kind):
    d = distances(e[:, 0], e[:, 1], kind).diagonal()
    return [(each[None], d[:0]) if kind > 0 else (d[:0], each[None]) for each, kind in zip(d, outcome, strict=True)]


def pairs_with_points(e, pairs, others, points, kind):
    """Each pair, with points that are not in the pair as negatives of its first point."""
    own, d = distances(e[:, 0], e[:, 1], kind).diagonal(), distances(e[:, 0], others, kind)
    drawn = [point.tobytes() for point in points]
    ids = [(a.tobytes(), p.tobytes()) for a, p in pairs]
    return [(own[[i]], d[i, [j for j, q in enumerate(drawn) if q not in ids[i]]]) for i in range(len(ids))]
