"""Learn a distance between the embeddings of another model from noisy triplets: where learning hurts, and where not."""

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Figure, seconds
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.points import Rows

__all__ = ["draw_table", "draw_triplets", "run", "share_in_order", "ways"]

N_ROWS, N_COLUMNS, N_CLASSES, RANK = 20_000, 384, 1_000, 48
N_TRIPLETS, N_TEST, QUICK_N_TEST = 2_000, 6_000, 300
SEEDS, QUICK_SEEDS = (0, 1, 2), (0,)
# Share of the triplets whose positive and negative were mistaken for each other, in training and in the test.
MISTAKEN = 0.25


def draw_table(n_rows: int, n_columns: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
    """Draw rows of low-rank classes with anisotropic noise, as in the embeddings of a large model; and their classes.

    In some rotated coordinates, coordinate k has the standard deviation 1 / sqrt(k), within the classes and, for the
    first 48 coordinates, between them.
    """
    rng = np.random.default_rng(seed)
    rank = min(RANK, n_columns)
    classes = rng.integers(0, min(N_CLASSES, n_rows // 20), n_rows)
    spread = np.arange(1, n_columns + 1) ** -0.5
    coordinates = rng.normal(size=(n_rows, n_columns)) * spread
    coordinates[:, :rank] += (rng.normal(size=(classes.max() + 1, rank)) * spread[:rank])[classes]
    rotation = np.linalg.qr(rng.normal(size=(n_columns, n_columns)))[0]
    return (coordinates @ rotation).astype(np.float32), classes


def draw_triplets(
    classes: NDArray[np.integer], rows: NDArray[np.integer], n: int, rng: np.random.Generator
) -> NDArray[np.integer]:
    """Draw triplets of some rows: an anchor, another row of its class, and a row of another class, some swapped."""
    rows = rows[np.argsort(classes[rows], kind="stable")]
    ordered = classes[rows]
    first, after = np.searchsorted(ordered, ordered, "left"), np.searchsorted(ordered, ordered, "right")
    anchors = rng.choice(np.flatnonzero(after - first > 1), n)
    start, size = first[anchors], (after - first)[anchors]
    similar = start + (anchors - start + rng.integers(1, size)) % size
    other = (start + size + rng.integers(0, len(rows) - size)) % len(rows)
    triplets = rows[np.column_stack([anchors, similar, other])]
    is_mistaken = rng.random(n) < MISTAKEN
    triplets[is_mistaken] = triplets[is_mistaken][:, [0, 2, 1]]
    return triplets


def share_in_order(table: NDArray, triplets: NDArray[np.integer]) -> float:
    """Return the share of triplets that Euclidean distances between rows put in order."""
    near, far = (np.linalg.norm(table[triplets[:, 0]] - table[triplets[:, k]], axis=1) for k in (1, 2))
    return float(np.mean(near < far))


def ways(n_columns: int, **common: Any) -> Mapping[str, TripletEmbedder]:
    """Return the embedders that are compared. The last learns little, so that it stays close to its start."""
    linear = {"n_components": n_columns, "hidden_layer_sizes": (), **common}
    gentle = {"max_iter": min(5, common.get("max_iter", 5)), "learning_rate": 5e-4}
    return {
        "default network": TripletEmbedder(**common),
        "linear, random start": TripletEmbedder(**linear),
        "linear, from identity": TripletEmbedder(init="identity", **linear),
        "linear, from identity, 5 epochs at 0.0005": TripletEmbedder(init="identity", **{**linear, **gentle}),
    }


def run(*, quick: bool = False) -> Iterator[Figure]:
    """Compare embedders with the columns on triplets of classes that training has not seen."""
    shape, n_test = ((400, 32), QUICK_N_TEST) if quick else ((N_ROWS, N_COLUMNS), N_TEST)
    scores: dict[str, list[float]] = {}
    times: dict[str, list[float]] = {}
    for seed in QUICK_SEEDS if quick else SEEDS:
        table, classes = draw_table(*shape, seed)
        rng = np.random.default_rng(seed)
        is_test = np.isin(classes, rng.permutation(np.unique(classes))[: (classes.max() + 1) // 5])
        train, test = (
            draw_triplets(classes, np.flatnonzero(part), n, rng)
            for part, n in ((~is_test, 100 if quick else N_TRIPLETS), (is_test, n_test))
        )
        trained = table[np.unique(train)]
        for name, columns in {"raw columns": table, "standardized columns": table / trained.std(axis=0)}.items():
            scores.setdefault(name, []).append(share_in_order(columns, test))
        common = {"preprocessor": Rows(table), "device": "cpu", "random_state": seed}
        for name, embedder in ways(shape[1], **common, **({"max_iter": 2} if quick else {})).items():
            start = perf_counter()
            embedder.fit(train)
            times.setdefault(name, []).append(perf_counter() - start)
            scores.setdefault(name, []).append(embedder.score(test))
    for name, values in scores.items():
        note = f"from {min(values):.3f} to {max(values):.3f}"
        if name in times:
            note += f"; fit {seconds(float(np.median(times[name])))}"
        name = f"held-out triplets in order: {name}"
        yield Figure(name, float(np.mean(values)), note=note, details={"of_seeds": values})
