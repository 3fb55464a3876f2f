#!/usr/bin/env bash
# ScoringMonitor of scikit-learn 1.9.1 accepts any scorer that GridSearchCV accepts, but only objects of make_scorer work:
# with a function (estimator, X, y) -> float, fit fails at the first epoch. The same function in a dict works.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet scikit-learn==1.9.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import sklearn
from sklearn.callback import ScoringMonitor
from sklearn.linear_model import LogisticRegression

X = np.random.default_rng(0).normal(size=(60, 2))
y = (X[:, 0] > 0).astype(int)


def share_right(estimator, X, y):
    return float(np.mean(estimator.predict(X) == y))


def outcome(scoring):
    try:
        LogisticRegression().set_callbacks(ScoringMonitor(scoring=scoring)).fit(X, y)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "fits"


of_dict, of_function = outcome({"share": share_right}), outcome(share_right)
print(f"scikit-learn {sklearn.__version__}: in a dict {of_dict!r}, as a function {of_function!r}")
assert of_dict == "fits"
assert of_function == "TypeError: 'float' object is not iterable"
PYTHON
