"""
A representation in the order of the target
===========================================

:class:`~skmetric.RankSimRegressor` predicts a number by a network whose last hidden layer learns the order of the
target: patients whose disease progresses similarly should have similar representations. The weight of this goal, gamma,
is searched like any hyperparameter.
"""

# %%
# The target is the progression of diabetes of 442 patients after one year. The highest values are rare, and random
# folds may contain none of them. :class:`~skmetric.model_selection.DensityStratifiedKFold` splits rows by their target,
# so that all folds cover its whole range.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy.spatial.distance import cdist
from scipy.stats import rankdata
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.estimators.regression.ranksim import RankSimRegressor
from skmetric.imbalance import shot_report
from skmetric.losses import neighbor_spearman
from skmetric.metrics import spearman_scorer
from skmetric.model_selection import DensityStratifiedKFold

X, y = load_diabetes(return_X_y=True)
train, test = next(DensityStratifiedKFold(4, shuffle=True, random_state=0).split(X, y))

# %%
# A gamma of 0 gives a plain network. "auto" scales the gradient of RankSim to 0.3 of the gradient of the other loss, in
# every step. Spearman's correlation measures whether patients are in the right order, regardless of the units.

pipeline = make_pipeline(StandardScaler(), RankSimRegressor(random_state=0))
grid = {"ranksimregressor__gamma": [0, 0.1, 0.3, "auto", 1, 3, 10]}
search = GridSearchCV(pipeline, grid, scoring=spearman_scorer, cv=DensityStratifiedKFold(5), n_jobs=2)
search.fit(X[train], y[train])

results = pd.DataFrame(search.cv_results_)
results.index = pd.Index(results["param_ranksimregressor__gamma"].astype(str), name="gamma")
print(results[["mean_test_score", "std_test_score"]].round(3).to_string())
print("chosen:", search.best_params_["ranksimregressor__gamma"])

# %%
# The errors of the best model on the held-out patients, by the number of training rows near their target. Ten bins hold
# 33 training rows on average. Here, many means more than 40, and few means less than 20.

print(shot_report(y[train], y[test], search.predict(X[test]), bins=10, many=40, few=20).round(2).to_string())

# %%
# RankSim changes the representation. The figure shows how near patients are to each other, by target and by
# representation, for training rows and for held-out rows in order of their target. Nearness is the share of other
# patients that are farther away. It is averaged over 20 blocks of patients, because single patients scatter.
#
# The representation of the training rows follows the order of their target. The representation of held-out rows follows
# it only as far as their target can be predicted, which is not far from these ten columns.

BLOCKS = 20
COLUMNS = {"by target": None, "gamma 0": 0, "gamma auto": "auto", "gamma 10": 10}


def nearness(points):
    return 1 - (rankdata(cdist(points, points), axis=1) - 1) / (len(points) - 1)


def in_blocks(values):
    block = np.arange(len(values)) * BLOCKS // len(values)
    mean = np.equal.outer(np.arange(BLOCKS), block) / np.bincount(block)[:, None]
    return mean @ values @ mean.T


def agreement(points, targets):
    return float(neighbor_spearman(torch.from_numpy(points), torch.from_numpy(targets.astype(np.float32))))


figure, axes = plt.subplots(2, 4, figsize=(11, 5.8), layout="constrained")
for column, (name, gamma) in enumerate(COLUMNS.items()):
    if gamma is not None:
        pipeline.set_params(ranksimregressor__gamma=gamma).fit(X[train], y[train])
    for ax, rows, kind in zip(axes[:, column], (train, test), ("training rows", "held-out rows"), strict=True):
        order = rows[np.argsort(y[rows], kind="stable")]
        points = y[order, None] if gamma is None else pipeline.transform(X[order])
        image = ax.imshow(in_blocks(nearness(points)), cmap="cividis", vmin=0, vmax=1)
        ends = [f"{y[order[0]]:.0f}", f"{y[order[-1]]:.0f}"]
        ax.set_xticks([0, BLOCKS - 1], ends)
        ax.set_yticks([0, BLOCKS - 1], ends if column == 0 else ["", ""])
        ax.set_title(name if gamma is None else f"{name}: {agreement(points, y[order]):.2f}", fontsize=10)
        ax.set_ylabel(f"{kind}, by target" if column == 0 else "")
figure.colorbar(image, ax=axes, label="nearness: share of rows that are farther away", shrink=0.8)
figure.suptitle("Nearness of patients, by target and by representation (numbers: agreement of the two, 1 is perfect)")

path = Path("ranksim.png").resolve()
figure.savefig(path, dpi=110)
print(f"\nPicture: {path}")
