"""The rankers of the three libraries, small and on one thread."""

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest

from skmetric.datasets import make_ranking

__all__ = ["INSTALLED", "NAMES", "booster", "ranking"]

PACKAGES = {"LGBMRanker": "lightgbm", "XGBRanker": "xgboost", "CatBoostRanker": "catboost"}
FEW_TREES = {
    "LGBMRanker": {"n_estimators": 5, "verbose": -1, "n_jobs": 1, "min_child_samples": 1},
    "XGBRanker": {"n_estimators": 5, "n_jobs": 1},
    "CatBoostRanker": {"iterations": 5, "verbose": False, "allow_writing_files": False, "thread_count": 1},
}
NAMES = list(PACKAGES)
# CatBoost is not in the test extra, and XGBoost is there for some machines only.
INSTALLED = [name for name in NAMES if find_spec(PACKAGES[name]) is not None]


def booster(name, **parameters):
    """A ranker with few trees. Skips the test where the library is not installed."""
    if name not in INSTALLED:
        pytest.skip(f"{PACKAGES[name]} is not installed")
    return getattr(import_module(PACKAGES[name]), name)(**{**FEW_TREES[name], **parameters})


def ranking(n_groups=20, seed=0):
    """Rows of groups in random order, and ids that are strings."""
    X, y, groups = make_ranking(n_groups=n_groups, random_state=seed)
    rows = np.random.default_rng(seed).permutation(len(y))
    return X[rows], y[rows], np.array([f"query {group}" for group in groups])[rows]
