#!/usr/bin/env bash
# OptunaSearchCV of optuna-integration 5.0.0 with scikit-learn's metadata routing on: groups= reaches no splitter, so each
# trial fails. fit returns without an error, and best_estimator_ has its default parameters, outside the searched range.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet optuna==5.0.0 optuna-integration==5.0.0 scikit-learn==1.9.1 pandas==3.1.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
import optuna
import optuna_integration
import sklearn
from optuna.distributions import FloatDistribution
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.CRITICAL)
X = np.random.default_rng(0).normal(size=(60, 2))
groups = np.repeat(np.arange(6), 10)


def search():
    alpha = {"alpha": FloatDistribution(2, 10)}
    return optuna_integration.OptunaSearchCV(Ridge(), alpha, cv=GroupKFold(3), n_trials=5, random_state=0)


searched = search().fit(X, X[:, 0], groups=groups).best_estimator_.alpha
with sklearn.config_context(enable_metadata_routing=True):
    routed = search().fit(X, X[:, 0], groups=groups).best_estimator_.alpha
print(f"optuna-integration {optuna_integration.__version__}, scikit-learn {sklearn.__version__}")
print(f"alpha from 2 to 10: {searched:.3f} with routing off, {routed} with routing on")
assert 2 <= searched <= 10
assert routed == Ridge().alpha == 1.0
PYTHON
