"""
A whole margin curve in one search
==================================

A grid of eight margins finds a good region. A curve shows the effect of the margin, and how well the folds agree. This
example tries 30 margins on 5 folds, which are 150 networks. :class:`~skmetric.BatchedGridSearchCV` is a drop-in
replacement for scikit-learn's :class:`~sklearn.model_selection.GridSearchCV` that trains them side by side, as one
stack.
"""

# %%
# The search has the same parameters and gives the same scores as scikit-learn's, in a fraction of the time.

from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.model_selection.search import BatchedGridSearchCV

X, y = load_digits(return_X_y=True)
folds = StratifiedKFold(5, shuffle=True, random_state=0)
margins = np.geomspace(0.02, 1.8, 30).round(3)
pipeline = make_pipeline(StandardScaler(), TripletEmbedder(max_iter=20, hidden_layer_sizes=(128,), random_state=0))

start = perf_counter()
search = BatchedGridSearchCV(pipeline, {"tripletembedder__margin": margins}, cv=folds, refit=False).fit(X, y)
batched = perf_counter() - start

# %%
# scikit-learn's search with a single margin, to estimate its time for all margins and to compare the scores.

start = perf_counter()
single = GridSearchCV(pipeline, {"tripletembedder__margin": margins[:1]}, cv=folds, refit=False).fit(X, y)
one_by_one = (perf_counter() - start) * len(margins)
same = single.cv_results_["mean_test_score"][0] == search.cv_results_["mean_test_score"][0]

print(f"{len(margins)} margins x 5 folds, batched:    {batched:6.1f} s")
print(f"one by one, from the time for one margin: {one_by_one:6.1f} s")
print(f"same scores at margin {margins[0]}: {same}")
print(f"best margin: {search.best_params_['tripletembedder__margin']:g}, MAP@R {search.best_score_:.3f}")

# %%
# Thin lines are folds, and the thick line is their mean. The lines of the folds are nearly parallel: the folds differ
# in the difficulty of their held-out digits, but agree on which margins are good.

scores = np.stack([search.cv_results_[f"split{k}_test_score"] for k in range(5)])
fig, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
for fold, line in enumerate(scores):
    ax.plot(margins, line, color="#8C8C8C", linewidth=0.9, label="one fold" if fold == 0 else None)
ax.plot(margins, scores.mean(axis=0), color="#0072B2", linewidth=2.5, marker="o", markersize=4, label="mean of 5 folds")
best = search.best_params_["tripletembedder__margin"]
ax.axvline(best, color="#D55E00", linestyle="--", label=f"best mean: margin {best:g}")
ax.set(
    title=f"{scores.size} networks, trained as one stack in {batched:.0f} s",
    xlabel="margin",
    ylabel="held-out MAP@R",
    xscale="log",
)
ticks = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
ax.minorticks_off()
ax.legend(loc="lower center")

path = Path("margin_curve.png").resolve()
fig.savefig(path, dpi=110)
print(f"\nPicture: {path}")
