"""Masked values of a table are missing values, and not the values under the mask."""

import numpy as np
import pytest

from skmetric import Rows
from skmetric.adapters import GroupedRanker
from skmetric.estimators import all_estimators
from skmetric.metrics import map_at_r_score
from skmetric.model_selection import compare_baselines

RNG = np.random.default_rng(0)
X = np.ma.masked_greater(RNG.normal(size=(40, 3)), 1)
Y = np.arange(40) % 4
QUICK = {"max_iter": 1, "hidden_layer_sizes": 4, "device": "cpu", "random_state": 0}
MESSAGE = r"(X|embeddings) must have no masked values, got \d+ of them\. Impute them"


@pytest.mark.parametrize("kind", [kind for _, kind in all_estimators()], ids=lambda kind: kind.__name__)
def test_estimators(kind):
    groups = {"groups": np.arange(40) // 8} if kind.__name__.endswith("Ranker") else {}
    with pytest.raises(ValueError, match=MESSAGE):
        kind(**QUICK).fit(X, Y, **groups)
    fitted = kind(**QUICK).fit(X.data, Y, **groups)
    with pytest.raises(ValueError, match=MESSAGE):
        fitted.transform(X)
    fitted.transform(np.ma.masked_array(X.data))  # nothing is masked


def test_pairs_and_points():
    kind = dict(all_estimators())["ContrastiveEmbedder"]
    indices = RNG.integers(40, size=(20, 2))
    with pytest.raises(ValueError, match=MESSAGE):
        kind(**QUICK).fit(X[indices])
    with pytest.raises(ValueError, match=MESSAGE):
        kind(preprocessor=Rows(X), **QUICK).fit(indices)


def test_functions():
    with pytest.raises(ValueError, match=MESSAGE):
        map_at_r_score(X, Y)
    with pytest.raises(ValueError, match=MESSAGE):
        compare_baselines(X, Y)


def test_rankers_of_other_libraries():
    lightgbm = pytest.importorskip("lightgbm")
    with pytest.raises(ValueError, match=MESSAGE):
        GroupedRanker(lightgbm.LGBMRanker(verbose=-1)).fit(X, Y, groups=Y)
