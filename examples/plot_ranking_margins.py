"""
Rank rows within groups: the margin, and which ranker
=====================================================

Rows come in groups, such as the offers of one search, and each has a grade. A :class:`~skmetric.PairwiseRanker` scores
rows so that of two rows of a group the better one is ahead, by a margin. How large should it be, and do pairs help at
all? The same search runs on two made tables. In the first a grade means the same in every group. In the second the
rows of a group are graded against each other, as exams are on a curve: a good row gets a lower grade among good ones.
"""

# %%
# The score is NDCG: 1 where the rows of every held-out group are in the best order. With metadata routing, the groups
# that ``fit`` is given reach the splitter, the ranker and the scorer.

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
# Thirteen margins on five folds are 65 networks, trained as one stack. The other two rankers, and one score for all
# rows, are judged on the same folds. What the scores that made the grades reach is as far as any ranker can come.


def compare(group_shift: float) -> tuple[NDArray, dict[str, NDArray]]:
    """NDCG of each fold, for each margin, and for what stands beside."""
    X, y, groups, true_scores = make_ranking(200, group_shift=group_shift, return_scores=True, random_state=0)
    pipeline = make_pipeline(StandardScaler(), PairwiseRanker(random_state=0))
    search = BatchedGridSearchCV(
        pipeline, {"pairwiseranker__margin": MARGINS}, scoring=ndcg_scorer, cv=folds, refit=False
    ).fit(X, y, groups=groups)
    curve = np.stack([search.cv_results_[f"split{k}_test_score"] for k in range(5)])
    beside = {
        "ListwiseRanker": ListwiseRanker(random_state=0),
        "PointwiseRanker": PointwiseRanker(random_state=0),
        "one score for all": DummyRegressor(),
    }
    scores = {
        name: cross_val_score(ranker, X, y, scoring=ndcg_scorer, cv=folds, params={"groups": groups})
        for name, ranker in beside.items()
    }
    scores["the true scores"] = np.array(
        [ndcg_score(y[test], true_scores[test], groups=groups[test]) for _, test in folds.split(X, y, groups)]
    )
    return curve, scores


start = perf_counter()
results = {"Grades mean the same in every group": compare(0.0), "Each group is graded on its own curve": compare(1.0)}
seconds = perf_counter() - start

# %%
# Folds differ in how hard their groups are. Whether one margin beats another is a question for the differences within
# folds: here of the best margin to the default, 1. They flatter the best, which was chosen by these very folds.

default = int(np.flatnonzero(MARGINS == 1).item())
for title, (curve, beside) in results.items():
    best = int(curve.mean(axis=0).argmax())
    gain = curve[:, best] - curve[:, default]
    print(f"{title}: NDCG on held-out groups, mean and standard deviation of 5 folds\n")
    print(f"{f'best margin, {MARGINS[best]:g}':<20}{curve[:, best].mean():>8.3f}  +/- {curve[:, best].std():.3f}")
    print(f"{f'margin {MARGINS[default]:g}':<20}{curve[:, default].mean():>8.3f}  +/- {curve[:, default].std():.3f}")
    print(f"{'  best less this':<20}{gain.mean():>8.3f}  +/- {gain.std():.3f}")
    for name, scores in beside.items():
        print(f"{name:<20}{scores.mean():>8.3f}  +/- {scores.std():.3f}")
    print()
print(f"{seconds:.0f} s for all of it")

# %%
# Thin lines are folds, the thick one is their mean. Up to a tenth the margin hardly matters; at the default, 1, NDCG is
# a little lower, and it falls beyond. How grades compare between groups matters more. Where they mean the same
# everywhere, a regression of the grades, PointwiseRanker, keeps up. Where they do not, it also learns from differences
# between groups, which say nothing about the order within one. Pairs and lists never compare rows of different groups.

# Hues after Okabe and Ito, which color-blind readers can tell apart; dashes and widths differ too.
STYLES = {
    "the true scores": {"color": "#000000", "linestyle": ":", "linewidth": 2},
    "ListwiseRanker": {"color": "#009E73", "linestyle": "-", "linewidth": 6, "alpha": 0.5},
    "PointwiseRanker": {"color": "#D55E00", "linestyle": "--", "linewidth": 2},
}


def draw(ax: Axes, title: str, curve: NDArray, beside: dict[str, NDArray]) -> None:
    for fold, line in enumerate(curve):
        ax.plot(MARGINS, line, color="#B5B5B5", linewidth=0.9, label="PairwiseRanker, one fold" if fold == 0 else None)
    ax.plot(MARGINS, curve.mean(axis=0), color="#0072B2", linewidth=2.5, marker="o", label="PairwiseRanker, mean")
    for name, style in STYLES.items():
        ax.axhline(beside[name].mean(), zorder=1.5, label=f"{name}, mean", **style)
    ticks = [0.001, 0.01, 0.1, 1, 10]
    ax.set(title=title, xlabel="margin of PairwiseRanker", xscale="log")
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()


fig, axes = plt.subplots(1, 2, figsize=(12, 4.8), sharey=True, layout="constrained")
for ax, (title, (curve, beside)) in zip(axes, results.items(), strict=True):
    draw(ax, title, curve, beside)
axes[0].set_ylabel("NDCG on held-out groups")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False)

path = Path("ranking_margins.png").resolve()
fig.savefig(path, dpi=110)
print(f"\nPicture: {path}")
