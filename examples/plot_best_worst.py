"""
From best-worst judgments to a model
=====================================

How severe is a comment? People rarely agree on a number, but they agree well on which of four comments is the most
severe and which is the least severe. Such judgments can be counted: how often an item was the best, minus how often it
was the worst. They also imply pairs: a judgment of four items determines five of the six pairs. A model that scores
*new* items can learn from the counts by a regression, or from the pairs by a :class:`~skmetric.PairwiseRanker`. Which
is better, and how many judgments are needed?

A count depends on the other items of the tuple: a medium comment is often the best of four mild comments, but hardly
ever the best of four severe ones. A pair contains the items that were compared. This example therefore has two designs:
tuples drawn from all items, and tuples drawn within threads, whose comments are similar to each other.
"""

# %%
# Synthetic data: items in threads, with ten features and a hidden severity. The judges of four items see each severity
# with some noise. One third of the threads is held out. Their items are not judged.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, cross_val_score
from sklearn.utils.parallel import Parallel, delayed

from skmetric.estimators.points import Rows
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.estimators.ranking.pointwise import PointwiseRanker
from skmetric.metrics import spearman_score, spearman_scorer
from skmetric.preferences import best_worst_pairs, best_worst_scores, split_half_reliability

N_THREADS, THREAD_SIZE, N_JUDGED = 60, 15, 600
NOISE = 0.5
JUDGMENTS = [150, 400, 1000, 2400]
DESIGNS = {"all": "Tuples drawn from all items", "thread": "Tuples drawn within threads"}
N_STEPS, BATCH_SIZE = 400, 256
WEIGHT_DECAYS = [0.3, 3.0]


def make_items(rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Draw features and severity. Half of the variance of a feature is between threads."""
    threads = np.repeat(rng.normal(size=(N_THREADS, 10)), THREAD_SIZE, axis=0)
    X = np.sqrt(0.5) * (threads + rng.normal(size=threads.shape))
    severity = X[:, 0] + np.sin(2 * X[:, 1]) + X[:, 2] * X[:, 3]
    return X, (severity - severity.mean()) / severity.std()


def judge(severity: NDArray, design: str, n: int, rng: np.random.Generator) -> tuple[NDArray, NDArray, NDArray]:
    """Draw the four items of each judgment, and the items that seem the most and the least severe."""
    size = THREAD_SIZE if design == "thread" else N_JUDGED
    first = size * rng.integers(N_JUDGED // size, size=n)
    tuples = first[:, np.newaxis] + rng.random((n, size)).argpartition(4, axis=1)[:, :4]
    seen = severity[tuples] + NOISE * rng.normal(size=tuples.shape)
    row = np.arange(n)
    return tuples, tuples[row, seen.argmax(axis=1)], tuples[row, seen.argmin(axis=1)]


# %%
# The two models have the same network and the same number of steps. The numbers of epochs differ, because there are
# more pairs than items. ``Rows`` holds the table into which the pairs point. The weight of a pair is the number of
# judgments that imply it.


def epochs(n_rows: int) -> int:
    return int(np.ceil(N_STEPS / np.ceil(n_rows / BATCH_SIZE)))


def fit_pairs(X: NDArray, pairs: NDArray, weights: NDArray, decay: float) -> PairwiseRanker:
    ranker = PairwiseRanker(
        preprocessor=Rows(X),
        max_iter=epochs(2 * len(pairs)),
        batch_size=BATCH_SIZE,
        weight_decay=decay,
        random_state=0,
    )
    return ranker.fit(pairs, np.ones(len(pairs)), sample_weight=weights)


def regression(n_items: int, decay: float) -> PointwiseRanker:
    return PointwiseRanker(
        metric="spearman", max_iter=epochs(n_items), batch_size=BATCH_SIZE, weight_decay=decay, random_state=0
    )


def one_run(design: str, n: int, decay: float, seed: int) -> tuple[float, float]:
    """Compute Spearman's correlation with the severity of unjudged items, for pairs and for counts."""
    rng = np.random.default_rng(seed)
    X, severity = make_items(rng)
    judgments = judge(severity, design, n, rng)
    pairs, weights, _ = best_worst_pairs(*judgments)
    counted = best_worst_scores(*judgments, n_items=N_JUDGED)
    shown = ~np.isnan(counted)

    by_pairs = fit_pairs(X[:N_JUDGED], pairs, weights, decay).score_samples(X[N_JUDGED:])
    one_list = np.zeros(shown.sum())
    regressed = regression(shown.sum(), decay).fit(X[:N_JUDGED][shown], counted[shown], groups=one_list)
    by_counts = regressed.predict(X[N_JUDGED:])
    return tuple(spearman_score(severity[N_JUDGED:], scores) for scores in (by_pairs, by_counts))


# %%
# Three synthetic data sets for each design and number of judgments. Noisy targets need a strong weight decay, and
# clean targets a weak one. Each model therefore uses the better of two values, which favors both models slightly.

SEEDS = range(3)
grid = [(design, n, decay, seed) for design in DESIGNS for n in JUDGMENTS for decay in WEIGHT_DECAYS for seed in SEEDS]
found = np.array(Parallel(n_jobs=2)(delayed(one_run)(*cell) for cell in grid))
found = found.reshape(len(DESIGNS), len(JUDGMENTS), len(WEIGHT_DECAYS), len(SEEDS), 2)
chosen = found.mean(axis=3).argmax(axis=2)
# Axes: designs, numbers of judgments, data sets, models.
best = np.take_along_axis(found, chosen[:, :, np.newaxis, np.newaxis], axis=2)[:, :, 0]

print("Spearman with the hidden severity, on unjudged items: mean of 3 data sets (and the weight decay)")
print("difference: pairs minus counts on the same data set, mean and standard deviation\n")
for title, runs, decays in zip(DESIGNS.values(), best, chosen, strict=True):
    print(f"{title:<30}{'pairs':>14}{'counts':>14}{'difference':>14}")
    for n, of_size, (of_pairs, of_counts) in zip(JUDGMENTS, runs, np.take(WEIGHT_DECAYS, decays), strict=True):
        gap = of_size[:, 0] - of_size[:, 1]
        pairs_mean, counts_mean = of_size.mean(axis=0)
        print(
            f"{n:>14} judgments     {pairs_mean:>8.3f} ({of_pairs:g}){counts_mean:>10.3f} ({of_counts:g})"
            f"{gap.mean():>+10.3f} +/- {gap.std():.3f}"
        )
    print()

# %%
# On real data, the severity is unknown. Instead, use cross-validation against the counted scores of held-out items,
# which are noisy themselves. For the regression, this is ``cross_val_score`` with ``spearman_scorer``. For pairs, split
# the items too, and keep a pair if both of its items are in the training part. Folds of pairs would leak, because each
# item is in many pairs. This cross-validation can choose the weight decay and other hyperparameters.

rng = np.random.default_rng(0)
X, severity = make_items(rng)
X = X[:N_JUDGED]
judgments = judge(severity, "all", 1000, rng)
pairs, weights, _ = best_worst_pairs(*judgments)
counted = best_worst_scores(*judgments, n_items=N_JUDGED)
shown = np.flatnonzero(~np.isnan(counted))
folds = KFold(3, shuffle=True, random_state=0)


def by_counts(decay: float) -> NDArray:
    model = regression(len(shown), decay)
    return cross_val_score(model, X[shown], counted[shown], cv=folds, scoring=spearman_scorer)


def by_pairs(decay: float) -> NDArray:
    scores = []
    for train, test in folds.split(shown):
        known = np.isin(pairs, shown[train]).all(axis=1)
        ranker = fit_pairs(X, pairs[known], weights[known], decay)
        scores.append(spearman_score(counted[shown[test]], ranker.score_samples(X[shown[test]])))
    return np.array(scores)


print("One data set, 1000 judgments drawn from all items: Spearman with the counted scores of held-out items\n")
for decay in WEIGHT_DECAYS:
    for name, scores in {"pairs": by_pairs(decay), "counts": by_counts(decay)}.items():
        print(f"{name:<8}weight decay {decay:g}{scores.mean():>10.3f}  +/- {scores.std():.3f}")
print(f"correlation of two halves of the judgments: {split_half_reliability(*judgments, random_state=0):.3f}")

# %%
# Large markers and lines are means, and small markers are single data sets. If tuples are drawn from all items, counts
# are as good as pairs, and slightly better if items were shown often. If tuples are drawn within threads, pairs are
# better on average, especially with few judgments: a count only measures the rank of an item in its thread. With many
# judgments, data sets differ more than models.

# Colors of Okabe and Ito, which color-blind readers can distinguish. Markers and dashes differ too.
STYLES = {"PairwiseRanker on pairs": ("#0072B2", "o", "-"), "regression of counts": ("#D55E00", "s", "--")}

fig, axes = plt.subplots(1, 2, figsize=(12, 4.8), sharey=True, layout="constrained")
for ax, title, of_design in zip(axes, DESIGNS.values(), best, strict=True):
    for model, (name, (color, marker, dashes)) in enumerate(STYLES.items()):
        # Shifted slightly to the left and to the right, so that markers do not overlap.
        x = np.array(JUDGMENTS) * (0.97, 1.03)[model]
        ax.plot(x, of_design[:, :, model], color=color, marker=marker, markersize=4, linestyle="", alpha=0.45)
        mean = of_design[:, :, model].mean(axis=1)
        ax.plot(x, mean, color=color, marker=marker, markersize=8, linestyle=dashes, linewidth=2.5, label=name)
    ax.set(title=title, xlabel=f"judgments of four items each, for {N_JUDGED} items", xscale="log")
    ax.set_xticks(JUDGMENTS, [str(n) for n in JUDGMENTS])
    ax.minorticks_off()
    ax.grid(axis="y", color="#E0E0E0")
axes[0].set_ylabel("Spearman with the hidden severity,\nunjudged items")
axes[1].legend(loc="lower right")

path = Path("best_worst.png").resolve()
fig.savefig(path, dpi=110)
print(f"\nPicture: {path}")
