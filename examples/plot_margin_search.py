"""
Search for a margin: which digits are similar?
==============================================

A triplet loss pulls images of the same digit together and pushes other images away, by a margin. How large should the
margin be? Like any hyperparameter, it is chosen by cross-validation: a :class:`~sklearn.model_selection.GridSearchCV`
over a :class:`~sklearn.pipeline.Pipeline`.

The score is MAP@R: for each held-out image, it measures how many of the nearest images show the same digit, and how
high they are ranked. Raw pixels and PCA are scored on the same folds for comparison.
"""

# %%
# Half of the images are held out for the figure at the end. The search never sees them.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.metrics import map_at_r_score, map_at_r_scorer

MARGINS = [0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0]

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
folds = StratifiedKFold(5, shuffle=True, random_state=0)

# %%
# The search. The margin is a parameter of the last step of the pipeline.

pipeline = make_pipeline(StandardScaler(), TripletEmbedder(n_components=16, random_state=0))
search = GridSearchCV(pipeline, {"tripletembedder__margin": MARGINS}, cv=folds, n_jobs=2)
search.fit(X_train, y_train)

baselines = {
    "raw pixels": FunctionTransformer(),
    "PCA, 16 components": PCA(16, random_state=0),
}
baseline_scores = {
    name: cross_val_score(baseline, X_train, y_train, cv=folds, scoring=map_at_r_scorer)
    for name, baseline in baselines.items()
}

# %%
# Margin and cross-validated MAP@R: mean and standard deviation over the five folds.

mean, std = (search.cv_results_[f"{kind}_test_score"] for kind in ("mean", "std"))


def row(name: str, mean: float, std: float, note: str = "") -> str:
    return f"{name:<20}{mean:>8.3f}  +/- {std:.3f}{note}"


print(f"Cross-validated MAP@R on {len(X_train)} digits, 5 folds\n")
for margin, m, s in zip(MARGINS, mean, std, strict=True):
    print(
        row(
            f"margin {margin:g}", m, s, "   <- best" if margin == search.best_params_["tripletembedder__margin"] else ""
        )
    )
for name, scores in baseline_scores.items():
    print(row(name, scores.mean(), scores.std()))

print(f"\nOn the {len(X_test)} held-out digits")
print(f"{'best margin':<20}{search.score(X_test, y_test):>8.3f}")
print(f"{'raw pixels':<20}{map_at_r_score(X_test, y_test):>8.3f}")

# %%
# A map needs two components without normalization: with unit length, two components would only form a circle.

flat = make_pipeline(StandardScaler(), TripletEmbedder(2, normalize=False, margin=1.0, random_state=0))
before = PCA(2, random_state=0).fit(X_train).transform(X_test)
after = flat.fit(X_train, y_train).transform(X_test)

# %%
# Each image is drawn as its digit, so that the map is readable without colors.

# Colors of Okabe and Ito, which color-blind readers can distinguish. The digits show the same without colors.
COLORS = ["#000000", "#E69F00", "#56B4E9", "#009E73", "#A89B00", "#0072B2", "#D55E00", "#CC79A7", "#8C8C8C", "#5D3A9B"]


def draw_map(ax: Axes, points: NDArray[np.floating], title: str) -> None:
    for digit, color in enumerate(COLORS):
        members = points[y_test == digit]
        ax.scatter(*members.T, color=color, marker=f"${digit}$", s=22, linewidth=0.2)
        ax.annotate(
            str(digit),
            np.median(members, axis=0),
            ha="center",
            va="center",
            fontsize=13,
            fontweight="bold",
            bbox={"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": color, "linewidth": 1.5},
        )
    ax.set(title=title, xticks=[], yticks=[])


fig, (curve, left, right) = plt.subplots(1, 3, figsize=(15, 5), layout="constrained")
curve.errorbar(MARGINS, mean, yerr=std, marker="o", capsize=3, color="#0072B2", label="TripletEmbedder")
for (name, scores), style in zip(baseline_scores.items(), ["--", ":"], strict=True):
    curve.axhline(scores.mean(), linestyle=style, color="#5C5C5C", label=name)
curve.set(
    title="The margin, searched by GridSearchCV",
    xlabel="margin",
    ylabel="cross-validated MAP@R (mean, std)",
    xscale="log",
    ylim=(0.5, 1),
)
curve.set_xticks(MARGINS, [f"{margin:g}" for margin in MARGINS])
curve.minorticks_off()
curve.legend(loc="center right")
draw_map(left, before, f"Before: held-out digits, PCA of pixels (MAP@R {map_at_r_score(before, y_test):.2f})")
draw_map(right, after, f"After: held-out digits, TripletEmbedder(2) (MAP@R {map_at_r_score(after, y_test):.2f})")

path = Path("margin_search.png").resolve()
fig.savefig(path, dpi=110)
print(f"\nPicture: {path}")
