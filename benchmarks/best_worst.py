"""Best-worst judgments of Reddit comments: reproduction of published scores, reliability, and time."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks.harness import Figure, at_least, at_most
from skmetric.preferences import best_worst_pairs, best_worst_scores, bradley_terry_scores, split_half_reliability

__all__ = ["FOLDER", "run"]

FOLDER = "ruddit_bws"
JUDGMENTS = "Ruddit_individual_annotations.csv.gz"
PUBLISHED = "Ruddit.csv"
# In thousandths, because the published scores have three decimals.
TARGET_DIFFERENCE = at_most(0.5)
TARGET_RANK_CORRELATION = at_least(0.999)
TARGET_SECONDS = at_most(10.0)
N_SPLITS = 100


@dataclass(frozen=True)
class Judgments:
    """Best-worst judgments, and published scores of the items; NaN for items without one."""

    tuples: NDArray[np.intp]
    best: NDArray[np.intp]
    worst: NDArray[np.intp]
    published: NDArray[np.float64]

    @property
    def rows(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        return self.tuples, self.best, self.worst


def load(folder: Path) -> Judgments:
    """Read the published files. The file of judgments is compressed."""
    with gzip.open(folder / JUDGMENTS, "rt", encoding="utf-8", newline="") as file:
        names = np.array(list(csv.reader(file))[1:])
    with (folder / PUBLISHED).open(encoding="utf-8", newline="") as file:
        scores = {row["comment_id"]: float(row["offensiveness_score"]) for row in csv.DictReader(file)}
    items, codes = np.unique(names, return_inverse=True)
    codes = codes.reshape(names.shape)
    published = np.array([scores.get(item, np.nan) for item in items])
    return Judgments(codes[:, :-2], codes[:, -2], codes[:, -1], published)


def run(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Score the comments in three ways, always from all judgments, because a part gives other scores."""
    judgments = load(folder)
    n, n_items = len(judgments.best), len(judgments.published)
    start = perf_counter()

    scores = best_worst_scores(*judgments.rows, n_items=n_items)
    difference, correlation = compared(scores, judgments.published)
    note = f"{n} judgments of {n_items} items, {np.isfinite(judgments.published).sum()} published scores"
    yield Figure("largest difference from the published, 1e-3", 1e3 * difference, "", TARGET_DIFFERENCE, note)
    yield Figure("Spearman with the published", correlation, "", TARGET_RANK_CORRELATION)

    n_splits = 5 if quick else N_SPLITS
    reliability = split_half_reliability(*judgments.rows, n_splits=n_splits, random_state=0)
    note = f"{n_splits} splits; {2 * reliability / (1 + reliability):.3f} by Spearman-Brown"
    yield Figure("split-half reliability", reliability, note=note)

    pairs, weights, n_dropped = best_worst_pairs(*judgments.rows)
    note = f"counted {weights.sum():.0f} times; {n_dropped} judgments dropped"
    yield Figure("implied pairs", len(pairs), note=note)

    strengths = bradley_terry_scores(pairs, sample_weight=weights, alpha=1.0, n_items=n_items)
    _, correlation = compared(strengths, judgments.published)
    yield Figure("Bradley-Terry: Spearman with the published", correlation, note="alpha=1")
    yield Figure("all of it", perf_counter() - start, "s", TARGET_SECONDS)


def compared(scores: NDArray[np.float64], published: NDArray[np.float64]) -> tuple[float, float]:
    """Return the largest difference and the rank correlation, over the items with published scores."""
    known = np.isfinite(published)
    # Without the last digits, because decimal fractions are not exact.
    difference = round(float(np.abs(scores - published)[known].max()), 12)
    return difference, float(spearmanr(scores[known], published[known]).statistic)
