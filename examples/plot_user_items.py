"""
Users and items: recommend by distance
======================================

Who chose what: two columns, a user and an item, and nothing said about what users did not choose. A
:class:`~skmetric.ContrastiveEmbedder` learns from such pairs a space in which the items near a user are those to
recommend. What it tells them from is up to you: the items of other users in the batch, or random ones. That decides
how popular the recommended items are.
"""

# %%
# A made world of 4000 users and 1000 items. A user has eight columns that tell of tastes, an item eight that go with
# them, and one of those that make it popular; the rest of what does is in no column. Each user chooses 26 items, one
# after the other and none twice. The last is held out: 100,000 pairs to train on, 4000 choices to foretell.

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
# With this noise, the order of the sums is that of choices by these odds.
chosen = np.argsort(-(log_odds + rng.gumbel(size=log_odds.shape)), axis=1)[:, :N_CHOICES]
past, following = chosen[:, :-1], chosen[:, -1]

# %%
# Pairs point into one table with both users and items, so it has two blocks of columns: one that only users fill, and
# one that only items fill. The last column is how often an item was chosen, which a shop knows. Where users and items
# are only ids, the columns are one for each id: ``numpy.eye``. The table is dense, so that is for a few thousand ids;
# for more, ``module`` takes a network that starts with a ``torch.nn.Embedding``, and the table holds one column of ids.

popularity = np.bincount(past.ravel(), minlength=N_ITEMS)
table = block_diag(users, np.column_stack([items, np.log1p(popularity)]))
ids = np.eye(N_USERS + N_ITEMS)
pairs = np.column_stack([np.repeat(np.arange(N_USERS), N_CHOICES - 1), N_USERS + past.ravel()])

# %%
# The loss is a softmax over squared distances: how likely the chosen item is among its negatives. By default these are
# the items of the other pairs in the batch. ``n_negatives`` draws them from all items alike, popular or not. The
# settings did well in other worlds of this kind.


def trained(table: NDArray, **options) -> tuple[NDArray, NDArray]:
    """Embeddings of users and of items."""
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
# A popular item is often in the batch as another user's choice. It is pushed away as often as it is drawn near, and
# what remains is how much more likely a user is to choose it than others are: its popularity is divided out. Random
# negatives leave it in, as far as columns tell it. Or it is multiplied in again: minus the squared distance is a log of
# likelihoods, to which that of the popularity is added. As a column in which all users are 0, it is part of the
# distance, and the nearest items are still the best ones.


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
# Recommendations are the nearest items, but for those that the user has chosen already.


def recommended(users: NDArray, items: NDArray) -> NDArray:
    near = NearestNeighbors(n_neighbors=N_CHOICES - 1 + BEST).fit(items).kneighbors(users, return_distance=False)
    return np.array([row[~np.isin(row, own)][:BEST] for row, own in zip(near, past, strict=True)])


print(f"For the first user, whose next choice is item {following[0]} (in brackets, how often others chose an item)\n")
lists = {name: recommended(*space) for name, space in spaces.items()}
for name, of_all in lists.items():
    print(f"{name:<28}" + "  ".join(f"{item:>3} {f'({popularity[item]})':<5}" for item in of_all[0]))

# %%
# The reciprocal rank of the choice that was held out, among all items that the user had not chosen before; its mean is
# the MRR. No order of the items can expect more than that of the odds by which users chose.

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
    "the odds themselves": log_odds,
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
# The same by how popular the item is that was chosen next; thin bars are standard errors. In-batch negatives find rare
# items, better even than the odds do, and pay for it at the popular end. Which is right is not for the MRR to say, as
# it counts what is chosen anyway. To show users what they would not have met, leave popularity out; to foretell what
# they will do, put it in.

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
mean, _ = by_fifth(found["the odds themselves"])
ax.fill_between(range(5), mean, color="#DDDDDD", label="the odds themselves")
for place, (name, (color, marker, dashes)) in enumerate(STYLES.items()):
    mean, error = by_fifth(found[name])
    # A little to the left and to the right, so that marks do not hide each other.
    ax.errorbar(
        np.arange(5) + 0.05 * (place - 1.5),
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
    xlabel="how often the item that was chosen next had been chosen before (fifths of the users)",
    ylabel="mean reciprocal rank of that item",
    ylim=(0, None),
)
ax.grid(axis="y", color="#EEEEEE")
ax.set_axisbelow(True)
ax.legend(loc="upper left")

path = Path("user_items.png").resolve()
fig.savefig(path, dpi=110)
print(f"\nPicture: {path}")
