"""Predict the next choices of users from similar pairs: MRR, and memory and time of the fit."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.sparse import csr_array
from sklearn.decomposition import TruncatedSVD
from sklearn.metrics import euclidean_distances
from torch import Tensor, nn

from benchmarks.harness import Figure, at_least, at_most, in_fresh_process, seconds
from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.points import Rows
from skmetric.metrics import mrr_score

__all__ = ["CORRECTED", "LEARNED", "PEERS", "Space", "World", "all_scores", "draw_world", "reciprocal_ranks", "run"]

N_USERS, QUICK_N_USERS = 10_000, 300
N_ITEMS, N_TASTES, N_PAST = 1_000, 8, 10
# Settings were chosen on other worlds.
SEEDS, QUICK_SEEDS = (0, 1, 2), (0,)
MAX_ITER, QUICK_MAX_ITER = 5, 1
RANDOM = {"n_negatives": 64}
# The best number of factors is taken for the peer.
N_FACTORS = (4, 8, 16, 32, 64)
TARGET_RATIO = at_least(1.0)
# Numbers of pairs for the memory of a fit, and the maximum number of bytes that each further pair may add.
N_PAIRS, QUICK_N_PAIRS = (100_000, 1_000_000), (1_000, 3_000)
TARGET_BYTES = at_most(200.0)
# Number of users that are scored at once.
BLOCK = 1_000


@dataclass(frozen=True)
class World:
    """Successive choices of users, all different. The last choice must be predicted."""

    users: NDArray[np.float64]
    items: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    past: NDArray[np.integer]
    following: NDArray[np.integer]

    @property
    def pairs(self) -> NDArray[np.integer]:
        """Pairs of a user and a chosen item, as indices into all users, followed by all items."""
        n, n_past = self.past.shape
        return np.column_stack([np.repeat(np.arange(n), n_past), n + self.past.ravel()])

    @property
    def popularity(self) -> NDArray[np.integer]:
        """Number of times that each item was chosen."""
        return np.bincount(self.past.ravel(), minlength=len(self.items))

    @property
    def table(self) -> NDArray[np.float32]:
        """Columns of users, followed by columns of items and their popularity."""
        items = np.column_stack([self.items, np.log1p(self.popularity)])
        return block_diag(self.users, items).astype(np.float32)

    @property
    def ids(self) -> NDArray[np.float32]:
        """One column with the id of each user and item."""
        return np.arange(len(self.users) + len(self.items), dtype=np.float32)[:, np.newaxis]


@dataclass(frozen=True)
class Space:
    """Points of users and items, where near items are recommended, and the median seconds per epoch."""

    users: NDArray
    items: NDArray
    epoch: float

    @property
    def scores(self) -> NDArray:
        """Score of each user and item."""
        return -euclidean_distances(self.users, self.items)

    def with_popularity(self, popularity: NDArray[np.integer]) -> "Space":
        """Add one component, which adds the log rarity of an item to squared distances."""
        rarity = np.log((popularity.max() + 1) / (popularity + 1))
        users = np.column_stack([self.users, np.zeros(len(self.users))])
        return Space(users, np.column_stack([self.items, np.sqrt(rarity)]), self.epoch)


def draw_world(n_users: int, seed: int) -> World:
    """Draw choices with odds from the taste of users and the appeal of items, half of which is not in the columns."""
    rng = np.random.default_rng(seed)
    users = rng.normal(size=(n_users, N_TASTES))
    items = rng.normal(size=(N_ITEMS, N_TASTES + 1))
    turn, _ = np.linalg.qr(rng.normal(size=(N_TASTES, N_TASTES)))
    appeal = np.sqrt(0.5) * (items[:, -1] + rng.normal(size=N_ITEMS))
    log_odds = 1.2 * np.tanh(users @ turn) @ items[:, :-1].T + appeal
    # Sorting by these sums draws choices with the given odds.
    chosen = np.argsort(-(log_odds + rng.gumbel(size=log_odds.shape)), axis=1)[:, : N_PAST + 1]
    return World(users, items, log_odds, chosen[:, :-1], chosen[:, -1])


def by_columns(world: World, *, max_iter: int, **options: object) -> Space:
    """Learn from columns of users and items."""
    return _learned(world, world.table, max_iter=max_iter, **options)


def by_ids(world: World, *, max_iter: int) -> Space:
    """Learn from ids only: a free point per user and item."""
    module = partial(FreePoints.of, len(world.ids))
    return _learned(world, world.ids, max_iter=max_iter, module=module, learning_rate=0.02)


class FreePoints(nn.Module):
    """One point per id."""

    def __init__(self, n_ids: int, n_components: int) -> None:
        super().__init__()
        self.points = nn.Embedding(n_ids, n_components)
        nn.init.normal_(self.points.weight, std=0.1)

    @classmethod
    def of(cls, n_ids: int, n_features: int, n_components: int) -> "FreePoints":
        """Build the module with the arguments of the parameter ``module``."""
        del n_features
        return cls(n_ids, n_components)

    def forward(self, x: Tensor) -> Tensor:
        """Return the points of the ids in the only column."""
        points: Tensor = self.points(x[:, 0].long())
        return points


def by_factors(world: World) -> NDArray:
    """Factorize the matrix of choices, with the number of factors that best predicts the test choices."""
    n, n_past = world.past.shape
    users, items = np.repeat(np.arange(n), n_past), world.past.ravel()
    chosen = csr_array((np.ones(len(users)), (users, items)), shape=(n, N_ITEMS))
    found = []
    for n_factors in N_FACTORS:
        model = TruncatedSVD(n_factors, random_state=0)
        found.append(model.fit_transform(chosen) @ model.components_)
    return max(found, key=lambda scores: reciprocal_ranks(world, scores).mean())


PEERS: Mapping[str, Callable[[World], NDArray]] = {
    "the true odds": lambda world: world.log_odds,
    "popularity": lambda world: np.broadcast_to(world.popularity, world.log_odds.shape),
    "truncated SVD": by_factors,
}
LEARNED: Mapping[str, Callable[..., Space]] = {
    "random negatives": partial(by_columns, **RANDOM),
    "in-batch negatives": by_columns,
    "ids only": by_ids,
}
# In-batch negatives remove popularity from the scores. It can be added afterwards.
CORRECTED = {"in-batch, with popularity": "in-batch negatives", "ids only, with popularity": "ids only"}
# The predicted choices follow popularity, so methods without popularity need not beat it.
COMPARED = ("random negatives", *CORRECTED)


def all_scores(world: World, max_iter: int) -> Iterator[tuple[str, NDArray, float]]:
    """Yield name, scores (n_users, n_items) and seconds per epoch of every method; NaN without training."""
    yield from ((name, peer(world), np.nan) for name, peer in PEERS.items())
    spaces = {}
    for name, learn in LEARNED.items():
        spaces[name] = learn(world, max_iter=max_iter)
        yield name, spaces[name].scores, spaces[name].epoch
    for name, plain in CORRECTED.items():
        yield name, spaces[plain].with_popularity(world.popularity).scores, np.nan


def reciprocal_ranks(world: World, scores: NDArray) -> NDArray[np.float64]:
    """Compute the reciprocal rank of the next choice of each user, among all items not chosen before."""
    parts = []
    for start in range(0, len(scores), BLOCK):
        users = slice(start, start + BLOCK)
        some, past = scores[users], world.past[users]
        is_open = np.ones(some.shape, dtype=bool)
        np.put_along_axis(is_open, past, False, axis=1)
        is_following = np.arange(some.shape[1]) == world.following[users, np.newaxis]
        groups = np.nonzero(is_open)[0]
        parts.append(mrr_score(is_following[is_open], some[is_open], groups=groups, reduction=None))
    return np.concatenate(parts)


def run(*, quick: bool) -> Iterator[Figure]:
    """Report the MRR of all methods, also relative to popularity, seconds per epoch, and memory by number of pairs."""
    n_users, seeds, max_iter = (QUICK_N_USERS, QUICK_SEEDS, QUICK_MAX_ITER) if quick else (N_USERS, SEEDS, MAX_ITER)
    mrr: dict[str, list[float]] = {name: [] for name in (*PEERS, *LEARNED, *CORRECTED)}
    epochs: dict[str, list[float]] = {name: [] for name in LEARNED}
    for seed in seeds:
        world = draw_world(n_users, seed)
        for name, scores, epoch in all_scores(world, max_iter):
            mrr[name].append(float(reciprocal_ranks(world, scores).mean()))
            if name in epochs:
                epochs[name].append(epoch)

    for name, values in mrr.items():
        note = f"{min(values):.4f} to {max(values):.4f} in {len(seeds)} worlds, {n_users} choices each"
        yield Figure(f"MRR: {name}", float(np.mean(values)), note=note, details={"mrr": values})
    for name in COMPARED:
        ratios = np.array(mrr[name]) / np.array(mrr["popularity"])
        note = f"lowest of {len(seeds)}; highest {ratios.max():.3g}"
        yield Figure(f"{name} / popularity", float(ratios.min()), "x", TARGET_RATIO, note)
    for name, durations in epochs.items():
        note = f"{n_users * N_PAST} pairs; {seconds(min(durations))} to {seconds(max(durations))}"
        yield Figure(f"an epoch: {name}", float(np.median(durations)), "s", note=note)
    for negatives in ("random", "in-batch"):
        yield from _memory_figures(negatives, *(QUICK_N_PAIRS if quick else N_PAIRS))


def _memory_figures(negatives: str, few: int, many: int) -> Iterator[Figure]:
    growth = {n: float(in_fresh_process("benchmarks.user_items", str(n), negatives)) for n in (few, many)}
    for n, megabytes in growth.items():
        note = f"one epoch; the pairs themselves take {16 * n / 1e6:.3g} MB"
        yield Figure(f"{n} pairs, {negatives}: memory of fit", megabytes, "MB", note=note)
    each = 1e6 * (growth[many] - growth[few]) / (many - few)
    yield Figure(f"{negatives}: bytes per further pair", each, "B", TARGET_BYTES, "16 of them are the pair itself")


def _embedder(table: NDArray[np.float32], **options: object) -> ContrastiveEmbedder:
    # A softmax of negative squared distances, to which log popularity can be added directly.
    settings = {"loss": "info_nce", "temperature": 1.0, "normalize": False, "dropout": 0.0, "batch_size": 256}
    return ContrastiveEmbedder(preprocessor=Rows(table), device="cpu", random_state=0, **(settings | options))


def _learned(world: World, table: NDArray[np.float32], **options: object) -> Space:
    embedder = _embedder(table, **options).fit(world.pairs)
    points = embedder.transform(np.arange(len(table)))
    epoch = float(np.median([record["dur"] for record in embedder.history_]))
    return Space(points[: len(world.users)], points[len(world.users) :], epoch)


def _measure_memory(n_pairs: int, negatives: str) -> float:
    """Return the rise of the peak memory by a fit in megabytes, after a small fit. Needs a separate process.

    The values of the pairs do not matter here.
    """
    from benchmarks.peak_memory import peak

    rng = np.random.default_rng(0)
    table = rng.random((N_USERS + N_ITEMS, 2 * N_TASTES + 2), dtype=np.float32)
    options = RANDOM if negatives == "random" else {}
    pairs = np.empty((n_pairs, 2), dtype=np.int64)
    pairs[:, 0] = rng.integers(N_USERS, size=n_pairs)
    pairs[:, 1] = rng.integers(N_USERS, N_USERS + N_ITEMS, size=n_pairs)
    embedder = _embedder(table, max_iter=1, **options).fit(pairs[:1_000])
    before = peak()
    embedder.fit(pairs)
    return (peak() - before) / 1e6


if __name__ == "__main__":
    print(_measure_memory(int(sys.argv[1]), sys.argv[2]))
