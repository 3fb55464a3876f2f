"""
Rank rows within groups: choose the margin and the ranker
=========================================================

Rows are in groups, such as the results of one query, and each row has a relevance. A :class:`~skmetric.PairwiseRanker`
learns scores so that the more relevant of two rows in a group has the higher score, by a margin. How large should the
margin be, and do pairs help at all? The same search runs on two synthetic tables. In the first table, relevance has the
same meaning in every group. In the second table, it is relative to the group: a good row has a lower relevance in a
group of good rows.
"""

# %%
# The score is NDCG: 1 if the rows of every held-out group are in the best order. With metadata routing, the groups are
# passed from ``fit`` to the splitter, the ranker and the scorer.

from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import sklearn
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.datasets import make_ranking
from skmetric.estimators.ranking.listwise import ListwiseRanker
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.estimators.ranking.pointwise import PointwiseRanker
from skmetric.metrics import ndcg_score, ndcg_scorer
from skmetric.model_selection.search import BatchedGridSearchCV

sklearn.set_config(enable_metadata_routing=True)

MARGINS = np.logspace(-3, 1, 13).round(4)
folds = GroupKFold(5, shuffle=True, random_state=0)

# %%
# Thirteen margins on five folds are 65 networks, trained as one stack. The other two rankers, and one constant score
# for all rows, are evaluated on the same folds. The true scores, from which the relevance was computed, show the best
# possible result.


def compare(group_shift: float) -> tuple[NDArray, dict[str, NDArray]]:
    """Compute the NDCG of each fold, for each margin and for the other rankers."""
    X, y, groups, true_scores = make_ranking(200, group_shift=group_shift, return_scores=True, random_state=0)
    pipeline = make_pipeline(StandardScaler(), PairwiseRanker(random_state=0))
    search = BatchedGridSearchCV(
        pipeline, {"pairwiseranker__margin": MARGINS}, scoring=ndcg_scorer, cv=folds, refit=False
    ).fit(X, y, groups=groups)
    curve = np.stack([search.cv_results_[f"split{k}_test_score"] for k in range(5)])
    others = {
        "ListwiseRanker": ListwiseRanker(random_state=0),
        "PointwiseRanker": PointwiseRanker(random_state=0),
        "one score for all": DummyRegressor(),
    }
    scores = {
        name: cross_val_score(ranker, X, y, scoring=ndcg_scorer, cv=folds, params={"groups": groups})
        for name, ranker in others.items()
    }
    scores["the true scores"] = np.array(
        [ndcg_score(y[test], true_scores[test], groups=groups[test]) for _, test in folds.split(X, y, groups)]
    )
    return curve, scores


start = perf_counter()
results = {"Relevance means the same in every group": compare(0.0), "Relevance is relative to the group": compare(1.0)}
seconds = perf_counter() - start

# %%
# Folds differ in the difficulty of their groups. To compare two margins, use the differences within folds: here between
# the best margin and the default, 1. They favor the best margin, because it was chosen on the same folds.

default = int(np.flatnonzero(MARGINS == 1).item())
for title, (curve, others) in results.items():
    best = int(curve.mean(axis=0).argmax())
    gain = curve[:, best] - curve[:, default]
    print(f"{title}: NDCG on held-out groups, mean and standard deviation of 5 folds\n")
    print(f"{f'best margin, {MARGINS[best]:g}':<20}{curve[:, best].mean():>8.3f}  +/- {curve[:, best].std():.3f}")
    print(f"{f'margin {MARGINS[default]:g}':<20}{curve[:, default].mean():>8.3f}  +/- {curve[:, default].std():.3f}")
    print(f"{'  best minus this':<20}{gain.mean():>8.3f}  +/- {gain.std():.3f}")
    for name, scores in others.items():
        print(f"{name:<20}{scores.mean():>8.3f}  +/- {scores.std():.3f}")
    print()
print(f"{seconds:.0f} s in total")

# %%
# Thin lines are folds, and the thick line is their mean. Up to 0.1, the margin has little effect. At the default, 1,
# NDCG is slightly lower, and it decreases for larger margins. The meaning of the relevance is more important. If it is
# the same in all groups, a regression of the relevance by PointwiseRanker is as good. If it is relative to the group,
# PointwiseRanker also learns differences between groups, which do not affect the order within a group. Pairs and lists
# never compare rows of different groups.

# Colors of Okabe and Ito, which color-blind readers can distinguish. Dashes and widths differ too.
STYLES = {
    "the true scores": {"color": "#000000", "linestyle": ":", "linewidth": 2},
    "ListwiseRanker": {"color": "#009E73", "linestyle": "-", "linewidth": 6, "alpha": 0.5},
    "PointwiseRanker": {"color": "#D55E00", "linestyle": "--", "linewidth": 2},
}


def draw(ax: Axes, title: str, curve: NDArray, others: dict[str, NDArray]) -> None:
    for fold, line in enumerate(curve):
        ax.plot(MARGINS, line, color="#B5B5B5", linewidth=0.9, label="PairwiseRanker, one fold" if fold == 0 else None)
    ax.plot(MARGINS, curve.mean(axis=0), color="#0072B2", linewidth=2.5, marker="o", label="PairwiseRanker, mean")
    for name, style in STYLES.items():
        ax.axhline(others[name].mean(), zorder=1.5, label=f"{name}, mean", **style)
    ticks = [0.001, 0.01, 0.1, 1, 10]
    ax.set(title=title, xlabel="margin of PairwiseRanker", xscale="log")
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()


fig, axes = plt.subplots(1, 2, figsize=(12, 4.8), sharey=True, layout="constrained")
for ax, (title, (curve, others)) in zip(axes, results.items(), strict=True):
    draw(ax, title, curve, others)
axes[0].set_ylabel("NDCG on held-out groups")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False)

path = Path("ranking_margins.png").resolve()
fig.savefig(path, dpi=110)
print(f"\nPicture: {path}")
