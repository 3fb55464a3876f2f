"""What embedders learn by, in plain loops: losses by their definitions, and what a batch compares.

Anchors are pairs of tensors: distances to what is alike, and to what is not.
"""

import math

import torch


def softplus(x):
    return torch.log1p(torch.exp(-x.abs())) + x.clamp(min=0)


def mean(terms):
    return sum(terms) / len(terms) if len(terms) else 0.0


def with_positive(anchors):
    return [(alike, other) for alike, other in anchors if len(alike)]


def contrastive(anchors, margin):
    far = [d for alike, _ in anchors for d in alike if d > 0]
    near = [margin - d for _, other in anchors for d in other if d < margin]
    return mean(far) + mean(near)


def info_nce(anchors, temperature):
    terms = []
    for alike, other in anchors:
        terms += [torch.log(1 + torch.exp((d - other) / temperature).sum()) for d in alike]
    return mean(terms)


def sup_con(anchors, temperature):
    terms = []
    for alike, other in with_positive(anchors):
        total = torch.exp(-torch.cat([alike, other]) / temperature).sum()
        terms.append(-mean([torch.log(torch.exp(-d / temperature) / total) for d in alike]))
    return mean(terms)


def nca(anchors, temperature):
    terms = []
    for alike, other in with_positive(anchors):
        share, rest = torch.exp(-alike / temperature).sum(), torch.exp(-other / temperature).sum()
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
    for alike, other in with_positive(anchors):
        if len(other):
            confused = 1 - alike[1 - alike < 1 - other.min() + margin], 1 - other[1 - other > 1 - alike.max() - margin]
            pull = torch.log(1 + torch.exp(-alpha * (confused[0] - 0.5)).sum()) / alpha
            terms.append(pull + torch.log(1 + torch.exp(beta * (confused[1] - 0.5)).sum()) / beta)
    return mean(terms)


def proxy_anchor(anchors, margin, temperature):
    pulls = [torch.log(1 + torch.exp((margin - 1 + d) / temperature).sum()) for d, _ in with_positive(anchors)]
    return mean(pulls) + mean([torch.log(1 + torch.exp((1 - d + margin) / temperature).sum()) for _, d in anchors])


def triplet(anchors, margin, soft):
    gaps = [alike[0] - other[0] + margin for alike, other in anchors]
    return mean([softplus(gap) if soft else gap.clamp(min=0) for gap in gaps])


# What a batch compares: the anchors of its items.


def distances(x, y, kind):
    if kind == "cosine":
        return 1 - (x @ y.T) / (x.norm(dim=1)[:, None] * y.norm(dim=1))
    squares = ((x[:, None] - y) ** 2).sum(-1)
    return squares if kind == "sqeuclidean" else squares.where(squares > 0, 1.0).sqrt().where(squares > 0, 0.0)


def rows_with_rows(e, rows, y, kind, memory):
    """Rows of a batch, with each other, and by themselves with what is remembered."""
    views = [row_with_columns(distances(e, e, kind), rows, rows, y)]
    if memory:
        remembered, old = zip(*memory, strict=True)
        views.append(row_with_columns(distances(e, torch.stack(old), kind), rows, remembered, y))
    memory.extend(zip(rows, e.detach(), strict=True))
    return views


def row_with_columns(d, rows, columns, y):
    """No row is a partner of itself."""
    anchors = []
    for a, row in enumerate(rows):
        alike = [j for j, other in enumerate(columns) if y[other] == y[row] and other != row]
        anchors.append((d[a, alike], d[a, [j for j, other in enumerate(columns) if y[other] != y[row]]]))
    return anchors


def proxies_with_rows(e, labels, kind, proxies):
    d = distances(proxies, e, kind)
    return [(own[labels == c], own[labels != c]) for c, own in enumerate(d)]


def pairs_with_pairs(e, pairs, outcome, kind):
    """Firsts of the pairs that are alike, with the seconds of all pairs that are not their own.

    But not with what is their own second again, goes with the same first, or is the first itself.
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
    return [(each[None], d[:0]) if alike > 0 else (d[:0], each[None]) for each, alike in zip(d, outcome, strict=True)]


def pairs_with_points(e, pairs, others, points, kind):
    """Each pair, and its first with points that are neither of its own."""
    own, d = distances(e[:, 0], e[:, 1], kind).diagonal(), distances(e[:, 0], others, kind)
    drawn = [point.tobytes() for point in points]
    ids = [(a.tobytes(), p.tobytes()) for a, p in pairs]
    return [(own[[i]], d[i, [j for j, q in enumerate(drawn) if q not in ids[i]]]) for i in range(len(ids))]
