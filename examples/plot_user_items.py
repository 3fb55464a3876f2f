"""
Users and items: recommend by distance
======================================

The data are pairs of a user and a chosen item, without information on what users did not choose. A
:class:`~skmetric.ContrastiveEmbedder` learns from such pairs a space in which the items near a user are the
recommendations. You can choose the negatives: the items of other users in the batch, or random items. The choice
determines how popular the recommended items are.
"""

# %%
# Synthetic data with 4000 users and 1000 items. A user has eight columns that describe tastes. An item has eight
# matching columns, and one column for a part of its popularity. The other part is not in the columns. Each user chooses
# 26 different items, one after the other. The last item is held out. This gives 100,000 training pairs and 4000 test
# choices.

from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag
from sklearn.metrics import euclidean_distances
from sklearn.neighbors import NearestNeighbors

from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.points import Rows
from skmetric.metrics import mrr_score

N_USERS, N_ITEMS, N_TASTES, N_CHOICES = 4000, 1000, 8, 26
BEST = 5

rng = np.random.default_rng(0)
users = rng.normal(size=(N_USERS, N_TASTES))
items = rng.normal(size=(N_ITEMS, N_TASTES + 1))
turn = np.linalg.qr(rng.normal(size=(N_TASTES, N_TASTES)))[0]
appeal = np.sqrt(0.5) * (items[:, -1] + rng.normal(size=N_ITEMS))
log_odds = 1.2 * np.tanh(users @ turn) @ items[:, :-1].T + appeal
# Sorting by the sums with this noise draws choices with these odds.
chosen = np.argsort(-(log_odds + rng.gumbel(size=log_odds.shape)), axis=1)[:, :N_CHOICES]
past, following = chosen[:, :-1], chosen[:, -1]

# %%
# Pairs point into one table of users and items, so it has two blocks of columns: one for users, and one for items. The
# last column is the popularity: how often an item was chosen. If users and items have only ids, use one column per id:
# ``numpy.eye``. The table is dense, so this works for a few thousand ids. For more ids, pass a network that starts with
# a ``torch.nn.Embedding`` as ``module``, and a table with one column of ids.

popularity = np.bincount(past.ravel(), minlength=N_ITEMS)
table = block_diag(users, np.column_stack([items, np.log1p(popularity)]))
ids = np.eye(N_USERS + N_ITEMS)
pairs = np.column_stack([np.repeat(np.arange(N_USERS), N_CHOICES - 1), N_USERS + past.ravel()])

# %%
# The loss is a softmax over squared distances: the probability of the chosen item among its negatives. By default, the
# negatives are the items of the other pairs in the batch. ``n_negatives`` draws them uniformly from all items. The
# settings were chosen on other data sets of this kind.


def trained(table: NDArray, **options) -> tuple[NDArray, NDArray]:
    """Return the embeddings of users and items."""
    settings = {"batch_size": 256, "max_iter": 5, "dropout": 0.0, "random_state": 0} | options
    embedder = ContrastiveEmbedder(
        loss="info_nce", temperature=1.0, normalize=False, preprocessor=Rows(table), **settings
    ).fit(pairs)
    points = embedder.transform(np.arange(len(table)))
    return points[:N_USERS], points[N_USERS:]


in_batch = trained(table)
random_negatives = trained(table, n_negatives=64)
only_ids = trained(ids, hidden_layer_sizes=(), inputs="none", max_iter=3, learning_rate=0.01)

# %%
# A popular item is often in the batch as the choice of another user, so it is often a negative. The loss then learns
# how much more likely a user is to choose the item than other users are: in-batch negatives divide the popularity out.
# Random negatives keep the popularity, as far as the columns contain it. You can also multiply it in again: the
# negative squared distance is a log-likelihood, to which the log popularity is added. As one more component, which is 0
# for all users, it becomes a part of the distance, and the nearest items are still the best.


def with_popularity(users: NDArray, items: NDArray) -> tuple[NDArray, NDArray]:
    rarity = np.log((popularity.max() + 1) / (popularity + 1))
    return np.column_stack([users, np.zeros(len(users))]), np.column_stack([items, np.sqrt(rarity)])


spaces = {
    "in-batch negatives": in_batch,
    "in-batch, with popularity": with_popularity(*in_batch),
    "random negatives": random_negatives,
    "ids only, with popularity": with_popularity(*only_ids),
}

# %%
# Recommendations are the nearest items, except for those that the user has already chosen.


def recommended(users: NDArray, items: NDArray) -> NDArray:
    near = NearestNeighbors(n_neighbors=N_CHOICES - 1 + BEST).fit(items).kneighbors(users, return_distance=False)
    return np.array([row[~np.isin(row, own)][:BEST] for row, own in zip(near, past, strict=True)])


print(f"For the first user, whose next choice is item {following[0]} (in brackets: how often an item was chosen)\n")
lists = {name: recommended(*space) for name, space in spaces.items()}
for name, of_all in lists.items():
    print(f"{name:<28}" + "  ".join(f"{item:>3} {f'({popularity[item]})':<5}" for item in of_all[0]))

# %%
# The score is the reciprocal rank of the held-out choice, among all items that the user has not chosen before. Its mean
# is the MRR. No order of the items has a higher expected MRR than the order by the true odds.

is_open = np.ones((N_USERS, N_ITEMS), dtype=bool)
np.put_along_axis(is_open, past, False, axis=1)
is_following = np.arange(N_ITEMS) == following[:, np.newaxis]
user_of, _ = np.nonzero(is_open)


def reciprocal_ranks(scores: NDArray) -> NDArray:
    return mrr_score(is_following[is_open], scores[is_open], groups=user_of, reduction=None)


scores = {
    "chance": rng.random(log_odds.shape),
    "popularity": np.broadcast_to(popularity, log_odds.shape),
    **{name: -euclidean_distances(*space) for name, space in spaces.items()},
    "the true odds": log_odds,
}
found = {name: reciprocal_ranks(values) for name, values in scores.items()}

print(f"\n{'':<28}{'MRR':>6}{'':>12}   a recommended item: chosen by (median)   different items")
for name, ranks in found.items():
    error = ranks.std() / np.sqrt(N_USERS)
    line = f"{name:<28}{ranks.mean():>6.3f} +/- {error:.3f}"
    if name in lists:
        line += f"{np.median(popularity[lists[name]]):>35.0f}{len(np.unique(lists[name])):>22}"
    print(line)

# %%
# The MRR by the popularity of the next choice. Thin bars are standard errors. In-batch negatives find rare items, even
# better than the true odds do, but are worse for popular items. The MRR cannot decide which is better, because it
# counts items that users choose anyway. To show users new items, leave popularity out. To predict their choices,
# include it.

STYLES = {
    "popularity": ("#000000", "X", ":"),
    "in-batch negatives": ("#D55E00", "s", "--"),
    "random negatives": ("#56B4E9", "^", "-."),
    "in-batch, with popularity": ("#0072B2", "o", "-"),
}
edges = np.quantile(popularity[following], [0.2, 0.4, 0.6, 0.8])
fifth = np.searchsorted(edges, popularity[following])
bounds = [popularity[following].min() - 1, *edges.astype(int), popularity[following].max()]


def by_fifth(ranks: NDArray) -> tuple[NDArray, NDArray]:
    parts = [ranks[fifth == part] for part in range(5)]
    return np.array([p.mean() for p in parts]), np.array([p.std() / np.sqrt(len(p)) for p in parts])


fig, ax = plt.subplots(figsize=(9, 5.2), layout="constrained")
mean, _ = by_fifth(found["the true odds"])
ax.fill_between(range(5), mean, color="#DDDDDD", label="the true odds")
for index, (name, (color, marker, dashes)) in enumerate(STYLES.items()):
    mean, error = by_fifth(found[name])
    # Shifted slightly to the left and to the right, so that markers do not overlap.
    ax.errorbar(
        np.arange(5) + 0.05 * (index - 1.5),
        mean,
        yerr=error,
        color=color,
        marker=marker,
        markersize=8,
        linestyle=dashes,
        linewidth=2.2,
        elinewidth=1.2,
        label=name,
    )
ax.set_xticks(range(5), [f"{low + 1} to {high}" for low, high in pairwise(bounds)])
ax.set(
    title="In-batch negatives divide popularity out",
    xlabel="popularity of the next chosen item: number of earlier choices (fifths of the users)",
    ylabel="mean reciprocal rank of the item",
    ylim=(0, None),
)
ax.grid(axis="y", color="#EEEEEE")
ax.set_axisbelow(True)
ax.legend(loc="upper left")

path = Path("user_items.png").resolve()
fig.savefig(path, dpi=110)
print(f"\nPicture: {path}")
