"""
Several estimators, one search
==============================

An embedder, a ranker and a regressor are tuned by the same :class:`~sklearn.model_selection.GridSearchCV`, on the same
folds, with the same two scores. The table is synthetic: rows in groups, with a relevance from 0 to 4.
"""

# %%
# NDCG gives the top of each group more weight, and Spearman's correlation weights all ranks equally. Both are means
# over groups, for a regressor as well as for a ranker: with metadata routing, the scorers receive the groups.

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import sklearn
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline

from skmetric.datasets import make_ranking
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.estimators.regression.ranksim import RankSimRegressor
from skmetric.metrics import ndcg_scorer, spearman_scorer

sklearn.set_config(enable_metadata_routing=True)
X, y, groups = make_ranking(60, group_shift=0.0, random_state=0)

# %%
# :class:`~skmetric.TripletEmbedder` is a transformer. Here, it uses the relevance as classes, and a ridge regression
# computes a score from the embedding. :class:`~skmetric.PairwiseRanker` and :class:`~skmetric.RankSimRegressor` predict
# scores directly. The ridge regression alone is the baseline.

searches = {
    "Ridge": (Ridge(), {"alpha": [10.0, 100.0, 1000.0]}),
    "TripletEmbedder, Ridge": (
        make_pipeline(TripletEmbedder(max_iter=20, random_state=0), Ridge()),
        {"tripletembedder__margin": [0.05, 0.2, 0.8]},
    ),
    "PairwiseRanker": (PairwiseRanker(random_state=0), {"margin": [0.3, 1.0, 3.0]}),
    "RankSimRegressor": (RankSimRegressor(max_iter=20, random_state=0), {"gamma": [0.0, 0.3, 3.0]}),
}

# %%
# One loop runs all searches. Each search chooses its best candidate by NDCG. Spearman's correlation is reported for the
# same candidate. On this table, relevance has the same meaning in every group, and the ridge regression alone is as
# good as the others, within the variation over folds.

scoring = {"ndcg": ndcg_scorer, "spearman": spearman_scorer}
rows = []
for name, (estimator, grid) in searches.items():
    search = GridSearchCV(estimator, grid, scoring=scoring, refit="ndcg", cv=GroupKFold(5), n_jobs=2)
    search.fit(X, y, groups=groups)
    best = {column: values[search.best_index_] for column, values in search.cv_results_.items()}
    ((parameter, value),) = search.best_params_.items()
    rows.append(
        {
            "": name,
            "best": f"{parameter.rpartition('__')[2]} {value:g}",
            **{f"{score} {kind}": best[f"{kind}_test_{score}"] for score in scoring for kind in ("mean", "std")},
        }
    )

table = pd.DataFrame(rows).set_index("")
print(table.round(3).to_string())

# %%
# Markers are means over folds, and bars are standard deviations.

fig, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True, layout="constrained")
for ax, score, title in zip(axes, scoring, ("NDCG", "Spearman's correlation"), strict=True):
    ax.errorbar(
        table[f"{score} mean"],
        table.index,
        xerr=table[f"{score} std"],
        color="#0072B2",
        marker="o",
        linestyle="",
        capsize=4,
    )
    ax.set(title=title, xlabel="mean over held-out groups")
    ax.grid(axis="x", color="#E0E0E0")
axes[0].invert_yaxis()
axes[0].margins(y=0.2)

path = Path("three_estimators.png").resolve()
fig.savefig(path, dpi=110)
print(f"\nPicture: {path}")
