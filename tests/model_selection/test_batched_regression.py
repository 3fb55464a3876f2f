"""A batched search over RankSimRegressor gives the results of scikit-learn's search, bit for bit."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.estimators.regression.ranksim import RankSimRegressor
from skmetric.imbalance import LabelDensityWeighter
from skmetric.metrics import spearman_scorer
from skmetric.model_selection import DensityStratifiedKFold
from skmetric.model_selection.search import BatchedGridSearchCV

SMALL = RankSimRegressor(
    hidden_layer_sizes=(9, 5), max_iter=4, batch_size=16, dropout=0.2, learning_rate=0.01, device="cpu", random_state=0
)
GAMMAS = {"gamma": [0.0, "auto", 0.5], "interpolation_strength": [0.5, 2.0]}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(83, 4)) * [1, 100, 0.1, 1] + 5
    y = np.exp(X[:, 0] - 5) + X[:, 2] * 10 + rng.normal(size=len(X)) / 2
    return X, y


def assert_same_search(batched, plain):
    for name, value in plain.cv_results_.items():
        if "time" not in name:
            assert_array_equal(batched.cv_results_[name], value, err_msg=name)
    assert len(np.unique(plain.cv_results_["mean_test_score"])) > 1
    assert batched.best_params_ == plain.best_params_


def searches(estimator, grid, **how):
    return BatchedGridSearchCV(clone(estimator), grid, **how), GridSearchCV(clone(estimator), grid, **how)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"similarity": "cosine", "loss": "absolute"},
        {"scale_free": False, "loss": "squared"},
        {"max_rank_samples": 7},
        {"weighting": "lds", "feature_smoothing": True},
        {"weighting": LabelDensityWeighter("kde", power=0.5)},
        {"early_stopping": True, "n_iter_no_change": 1, "max_iter": 8, "metric": "spearman"},
        {"hidden_layer_sizes": ()},
        {"dropout": 0.0, "n_components": 3},
    ],
    ids=lambda changes: "-".join(changes) or "defaults",
)
@pytest.mark.parametrize("rounded", [False, True], ids=["", "repeated"])
def test_scores_are_scikit_learns(table, changes, rounded):
    X, y = table
    y = np.round(y) if rounded else y
    grid = (
        {"gamma": [0.0, "auto"], "learning_rate": [0.001, 0.01]} if changes.get("hidden_layer_sizes") == () else GAMMAS
    )
    batched, plain = searches(clone(SMALL).set_params(**changes), grid, cv=KFold(3), return_train_score=True)
    batched.fit(X, y)
    assert_same_search(batched, plain.fit(X, y))
    assert_array_equal(batched.predict(X), plain.predict(X))
    assert_array_equal(batched.transform(X), plain.transform(X))


def test_several_targets_train_in_a_stack(table):
    X, y = table
    Y = np.column_stack([y, X[:, 1], np.round(X[:, 0])])
    batched, plain = searches(SMALL, GAMMAS, cv=3)
    assert_same_search(batched.fit(X, Y), plain.fit(X, Y))
    assert batched.predict(X).shape == (len(X), 3)


def test_weights_scorers_and_folds_with_tails(table):
    X, y = table
    weights = np.random.default_rng(1).uniform(0, 2, len(y)).round()
    pipeline = make_pipeline(StandardScaler(), SMALL)
    grid = {f"ranksimregressor__{name}": values for name, values in GAMMAS.items()}
    batched, plain = searches(pipeline, grid, cv=DensityStratifiedKFold(3), scoring=spearman_scorer)
    fits = [search.fit(X, y, ranksimregressor__sample_weight=weights) for search in (batched, plain)]
    assert_same_search(*fits)


@pytest.mark.parametrize(("gammas", "n_stacks"), [([1e-3, "auto", 0.5], 1), ([0.0, "auto", 0.5], 2)])
def test_all_gammas_train_in_one_stack_but_0(table, capsys, gammas, n_stacks):
    X, y = table
    grid = {"gamma": gammas, "interpolation_strength": [0.5, 2.0]}
    BatchedGridSearchCV(SMALL, grid, cv=KFold(3), verbose=1).fit(X[:81], y[:81])
    assert f"18 fits, in {n_stacks} stack(s)" in capsys.readouterr().out


def test_a_weighters_parameters_are_searched(table):
    X, y = table
    regressor = clone(SMALL).set_params(weighting=LabelDensityWeighter())
    batched, plain = searches(regressor, {"weighting__power": [0.0, 1.0]}, cv=3)
    assert_same_search(batched.fit(X, y), plain.fit(X, y))
