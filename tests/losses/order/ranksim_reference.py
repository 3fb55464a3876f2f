"""Definitions of ranks and of the losses of ranks: plain loops over the rows of one list.

Masked items are dropped first. If a loss documents its gradient, that gradient is computed as documented and returned
as the slopes of a plane. All other gradients are automatic.
"""

import functools
import itertools
import math

import numpy as np
import scipy.stats
import torch

SIMILARITIES = ("euclidean", "cosine")
TIES = ("average", "ordinal")


def ranks_of(values, ties="average"):
    """Ranks of plain numbers: 1 for the largest."""
    order = sorted(range(len(values)), key=lambda i: (-values[i], i))
    ranks = [0.0] * len(values)
    for position, i in enumerate(order):
        ranks[i] = position + 1.0
    if ties == "ordinal":
        return ranks
    together = {}
    for value, rank in zip(values, ranks, strict=True):
        together.setdefault(value, []).append(rank)
    shared = {value: sum(taken) / len(taken) for value, taken in together.items()}
    return [shared[value] for value in values]


def zero(x):
    """0, with a zero gradient."""
    return (x * 0).sum()


def plane(x, value, slopes):
    """Return a value whose derivatives by x are the slopes."""
    return value + (slopes * (x - x.detach())).sum()


class RankedRow(torch.autograd.Function):
    """Ranks of one row; the gradient is the change of the ranks if the row is moved along the incoming gradient.

    The incoming gradient and the change are for ranks divided by `unit`. The returned ranks are whole or half numbers
    for any unit: a difference of ranks then has no rounding error, and equal differences tie.
    """

    @staticmethod
    def forward(ctx, row, strength, ties, unit):
        ctx.row, ctx.strength, ctx.ties, ctx.unit = row.detach(), strength, ties, unit
        return RankedRow.of(ctx.row, ties)

    @staticmethod
    def backward(ctx, gradient):
        here = RankedRow.of(ctx.row, ctx.ties) / ctx.unit
        there = RankedRow.of(ctx.row + ctx.strength * ctx.unit * gradient, ctx.ties) / ctx.unit
        return -(here - there) / ctx.strength, None, None, None

    @staticmethod
    def of(row, ties):
        return torch.tensor(ranks_of(row.tolist(), ties), dtype=row.dtype)


def over_lists(n_axes):
    """Turn a function of one list into a function of a stack; the last `n_axes` axes of x belong to one list.

    A tensor among the options holds one number per list. Labels of several columns are given with all axes.
    """

    def decorate(one):
        @functools.wraps(one)
        def of_stack(x, y, *, mask=None, weights=None, **options):
            leading, n = x.shape[:-n_axes], x.shape[x.ndim - n_axes]
            y = y if y.ndim > len(leading) + 1 else y.expand(*leading, n)
            mask = torch.ones(n, dtype=torch.bool) if mask is None else mask
            mask = mask.expand(*leading, n)
            results = []
            for index in itertools.product(*(range(size) for size in leading)):
                real = [i for i in range(n) if mask[index][i]]
                each = {
                    name: option.expand(leading)[index].item() if isinstance(option, torch.Tensor) else option
                    for name, option in options.items()
                }
                if weights is not None:
                    each["weights"] = weights.expand(*leading, n)[index][real]
                results.append(one(x[index][real], y[index][real], **each))
            return torch.stack(results).reshape(leading)

        return of_stack

    return decorate


def blackbox_ranks(values, *, interpolation_strength, ties="average", mask=None):
    leading, n = values.shape[:-1], values.shape[-1]
    mask = (torch.ones(n, dtype=torch.bool) if mask is None else mask).expand(values.shape)
    strength = torch.as_tensor(interpolation_strength, dtype=torch.float64).expand(leading)
    results = []
    for index in itertools.product(*(range(size) for size in leading)):
        real = mask[index].nonzero().flatten()
        ranks = RankedRow.apply(values[index][real], strength[index].item(), ties, 1)
        results.append(torch.zeros(n, dtype=values.dtype).index_put((real,), ranks))
    return torch.stack(results).reshape(values.shape)


def euclidean_row(z, i):
    """Similarities of row i to all rows; a constant 0 to equal rows."""
    # Features are added one by one: all pairs have the same rounding, so equal rows have equal distances to others.
    rows = z.tolist()
    others = torch.tensor([j for j in range(len(rows)) if rows[j] != rows[i]], dtype=torch.long)
    square = sum((z[i, k] - z[others, k]) ** 2 for k in range(z.shape[1]))
    return torch.zeros(len(rows), dtype=z.dtype).index_put((others,), -square.sqrt() if len(others) else z[:0, 0])


def cosine_row(z, i):
    """Cosines of row i with all rows, minus 1; a constant -1 if one of the two rows is all zero."""
    rows = z.tolist()
    others = torch.tensor([j for j in range(len(rows)) if any(rows[i]) and any(rows[j])], dtype=torch.long)
    nowhere = torch.full((len(rows),), -1.0, dtype=z.dtype)
    if not len(others):
        return nowhere
    dot = sum(z[i, k] * z[others, k] for k in range(z.shape[1]))
    square_i = sum(z[i, k] * z[i, k] for k in range(z.shape[1]))
    square_j = sum(z[others, k] * z[others, k] for k in range(z.shape[1]))
    return nowhere.index_put((others,), dot / (square_i.sqrt() * square_j.sqrt()) - 1)


def similarities_of(z, similarity):
    row = euclidean_row if similarity == "euclidean" else cosine_row
    return [row(z, i) for i in range(len(z))]


def label_similarities_of(y, label_similarity):
    """Label similarities to each real row, as lists of plain numbers."""
    if label_similarity is not None:
        return label_similarity(y).tolist()
    numbers = y.tolist()
    return [[-abs(a - b) for b in numbers] for a in numbers]


def all_equal(rows):
    return len({value for row in rows for value in row}) < 2


@over_lists(2)
def ranksim_loss(
    z, y, *, interpolation_strength, similarity="euclidean", label_similarity=None, ties="average", scale_free=True
):
    s_y = label_similarities_of(y, label_similarity)
    if all_equal(s_y):
        return zero(z)
    target_ranks = [torch.tensor(ranks_of(row, ties), dtype=z.dtype) for row in s_y]
    form = scale_free_form if scale_free else published_form
    return form(z, target_ranks, similarity, interpolation_strength, ties)


def published_form(z, target_ranks, similarity, strength, ties):
    m = len(target_ranks)
    loss = zero(z)
    for row, ranks_y in zip(similarities_of(z, similarity), target_ranks, strict=True):
        u = (RankedRow.apply(row, strength, ties, m) - ranks_y) / m
        loss = loss + (u**2).sum() / m
    return loss


def standard_deviation(rows):
    values = [value for row in rows for value in row]
    if min(values) == max(values):
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


def scale_free_form(z, target_ranks, similarity, strength, ties):
    m = len(target_ranks)
    rows = [row.tolist() for row in similarities_of(z.detach(), similarity)]
    step = strength * standard_deviation(rows)
    value, slopes = 0.0, np.zeros((m, m))
    for i, (row, ranks_y) in enumerate(zip(rows, target_ranks, strict=True)):
        ranks_z = np.array(ranks_of(row, ties))
        u = (ranks_z - ranks_y.numpy()) / m
        value += (u**2).sum() / m / m
        if step > 0:
            moved = np.array(ranks_of([s + step * by for s, by in zip(row, u, strict=True)], ties))
            slopes[i] = 2 / m**2 * (moved - ranks_z) / m / step
    if step > 0:
        s_z = np.array(rows)
        slopes -= s_z * (slopes * s_z).sum() / (s_z**2).sum()
    pull = pull_of_euclidean if similarity == "euclidean" else pull_of_cosine
    return plane(z, value, torch.from_numpy(pull(z.detach().numpy(), slopes)))


def pull_of_euclidean(z, slopes):
    """Gradient by the rows of z (m, d), from the gradient by the similarity of each row i to each row j."""
    result = np.zeros_like(z)
    for i, row in enumerate(z):
        away = row - z
        distance = np.sqrt((away**2).sum(-1))
        distance[distance == 0] = np.inf
        force = (slopes[i] / distance)[:, None] * away
        result[i] -= force.sum(0)
        result += force
    return result


def pull_of_cosine(z, slopes):
    result = np.zeros_like(z)
    length = np.sqrt((z**2).sum(-1))
    unit = np.array([row / size if size else row for row, size in zip(z, length, strict=True)])
    shrink = np.array([1 / size if size else 0.0 for size in length])
    for i, row in enumerate(unit):
        cosine = unit @ row
        result[i] += (slopes[i][:, None] * (unit - cosine[:, None] * row)).sum(0) * shrink[i]
        result += slopes[i][:, None] * (row - cosine[:, None] * unit) * shrink[:, None]
    return result


@over_lists(2)
def neighbor_spearman(z, y, *, similarity="euclidean", label_similarity=None):
    s_y = label_similarities_of(y, label_similarity)
    correlations = []
    for row_y, row_z in zip(s_y, similarities_of(z.detach(), similarity), strict=True):
        if len(set(row_y)) > 1:
            different = len(set(row_z.tolist())) > 1
            correlations.append(scipy.stats.spearmanr(row_y, row_z.tolist()).statistic if different else 0.0)
    return torch.tensor(sum(correlations) / max(len(correlations), 1), dtype=z.dtype)


def distinct_rows(labels, n_most, mask=None):
    """Indices and which of them are real, for one list of plain labels."""
    chosen = []
    for i, label in enumerate(labels):
        is_real = mask is None or mask[i]
        if is_real and len(chosen) < n_most and label not in [labels[j] for j in chosen]:
            chosen.append(i)
    left = min(len(labels), n_most) - len(chosen)
    return chosen + [0] * left, [True] * len(chosen) + [False] * left


def pearson(x, y, weights):
    w = weights / weights.sum()
    x, y = x - (w * x).sum(), y - (w * y).sum()
    return (w * x * y).sum() / ((w * x**2).sum().sqrt() * (w * y**2).sum().sqrt())


def differ(values):
    return len(set(values.tolist())) > 1


@over_lists(1)
def pearson_loss(s, t, *, weights=None):
    weights = torch.ones_like(s, requires_grad=False) if weights is None else weights
    counts = weights > 0
    if not differ(t[counts]):
        return zero(s)
    return 1 - pearson(s[counts], t[counts], weights[counts]) if differ(s[counts]) else 1 + zero(s)


@over_lists(1)
def spearman_loss(s, t, *, method="sigmoid", temperature=0.1, interpolation_strength=1.0):
    if not differ(t):
        return zero(s)
    if not differ(s):
        return 1 + zero(s)
    centered = s - s.mean()
    z = centered / (centered**2).mean().sqrt()
    target_ranks = torch.tensor(ranks_of(t.tolist()), dtype=s.dtype)
    ones = torch.ones_like(target_ranks)
    if method == "sigmoid":
        soft = torch.stack([0.5 + torch.sigmoid((z - z_i) / temperature).sum() for z_i in z])
        return 1 - pearson(soft, target_ranks, ones)
    m = len(s)
    ranks = torch.tensor(ranks_of(z.tolist()), dtype=s.dtype)
    u = (ranks - target_ranks) / m
    moved = torch.tensor(ranks_of((z.detach() + interpolation_strength * u).tolist()), dtype=s.dtype)
    spread = (((ranks - ranks.mean()) ** 2).sum() * ((target_ranks - target_ranks.mean()) ** 2).sum()).sqrt()
    slopes = m / spread * (moved - ranks) / interpolation_strength
    return plane(z, 1 - pearson(ranks, target_ranks, ones), slopes)
