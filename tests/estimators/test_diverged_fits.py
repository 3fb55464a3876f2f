"""Training that diverges is an error that names learning_rate and weight_decay; the estimator keeps what it had."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from skmetric import (
    BatchedGridSearchCV,
    ContrastiveEmbedder,
    ListwiseRanker,
    PairwiseRanker,
    PointwiseRanker,
    RankSimRegressor,
    TripletEmbedder,
)
from skmetric.estimators import all_estimators

SMALL = {"hidden_layer_sizes": (16,), "max_iter": 8, "device": "cpu", "random_state": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
GRADES = np.digitize(X @ [1.0, -1.0, 0.5, 0.0] + 0.1 * RNG.normal(size=90), [-0.5, 0.7])
GROUPS = np.arange(90) // 9
each_estimator = pytest.mark.parametrize("kind", [kind for _, kind in all_estimators()])
rankers = (PairwiseRanker, ListwiseRanker, PointwiseRanker)


def make(kind, **changes):
    # Without unit length, embeddings show the size of the weights.
    free = {"normalize": False} if kind in (TripletEmbedder, ContrastiveEmbedder) else {}
    return kind(**{**SMALL, **free, **changes})


def metadata_of(kind):
    return {"groups": GROUPS} if kind in rankers else {}


@each_estimator
def test_weight_decay_that_makes_weights_grow_is_an_error_before_training(kind):
    started = []

    class Started(Callback):
        def on_train_begin(self, net, **kwargs):
            started.append(True)

    estimator = make(kind, learning_rate=0.5, weight_decay=4.0, callbacks=[Started()])
    with pytest.raises(ValueError, match=r"learning_rate \* weight_decay must be below 2, got 0.5 \* 4.0 = 2\."):
        estimator.fit(X, GRADES, **metadata_of(kind))
    assert not started
    assert not hasattr(estimator, "n_features_in_")
    make(kind, learning_rate=0.5, weight_decay=3.99).fit(X, GRADES, **metadata_of(kind))


@each_estimator
def test_outputs_that_exploded_are_an_error_and_leave_the_last_fit(kind):
    estimator = make(kind).fit(X, GRADES, **metadata_of(kind))
    before = estimator.transform(X)
    estimator.set_params(learning_rate=1e7, weight_decay=0.0, warm_start=True)
    message = r"could not be fitted: it diverged: its outputs .*. Lower learning_rate \(now 1.*weight_decay \(now 0.0\)"
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, GRADES, **metadata_of(kind))
    np.testing.assert_array_equal(estimator.transform(X), before)


@pytest.mark.parametrize("kind", [TripletEmbedder, ContrastiveEmbedder])
def test_a_partial_fit_that_diverges_leaves_the_embedder(kind):
    embedder = make(kind).partial_fit(X, GRADES)
    before = embedder.transform(X)
    for changes, message in (
        ({"learning_rate": 1e10, "weight_decay": 0.0}, "could not be fitted"),
        ({"learning_rate": 2.0, "weight_decay": 1.0}, "must be below 2"),
    ):
        with pytest.raises(ValueError, match=message):
            embedder.set_params(**changes).partial_fit(X, GRADES)
        np.testing.assert_array_equal(embedder.transform(X), before)
        assert embedder.n_iter_ == 1


@pytest.mark.parametrize("search", [GridSearchCV, BatchedGridSearchCV])
def test_a_candidate_that_diverges_fails_alone(search):
    grid = {"learning_rate": [0.01, 1e7], "weight_decay": [0.0, 1.0]}
    with pytest.warns(FitFailedWarning, match=r"(?s)4 fits failed.*weight_decay"):
        found = search(make(RankSimRegressor, gamma=0), grid, cv=2, error_score=-9).fit(X, X[:, 0])
    scores = found.cv_results_["mean_test_score"]
    assert (scores[:2] > 0).all()
    assert (scores[2:] == -9).all()


def test_copies_for_probabilities_that_diverge_are_an_error():
    pairs = RNG.integers(0, 90, (60, 2))
    outcome = np.where(GRADES[pairs[:, 0]] == GRADES[pairs[:, 1]], 1, -1)
    embedder = make(ContrastiveEmbedder, preprocessor=X).fit(pairs, outcome)
    embedder.set_params(learning_rate=1e8, weight_decay=0.0)
    with pytest.raises(ValueError, match="could not be fitted"):
        embedder.calibrate_probabilities(pairs, outcome, cv=2)
    assert not hasattr(embedder, "predict_proba")


def test_the_best_epoch_counts_and_not_a_later_one_that_exploded():
    class Explode(Callback):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) == 5:
                net.optimizer_.param_groups[0]["lr"] = 1e9

    regressor = make(RankSimRegressor, gamma=0, weight_decay=0.0, callbacks=[Explode()])
    with pytest.raises(ValueError, match="could not be fitted"):
        clone(regressor).fit(X, X[:, 0])
    regressor.set_params(early_stopping=True, n_iter_no_change=3).fit(X, X[:, 0])
    assert np.abs(regressor.predict(X)).max() < 10


@pytest.mark.parametrize("kind", [RankSimRegressor, PointwiseRanker])
def test_targets_decide_which_predictions_are_plausible(kind):
    """A target with one huge value is 10 standard deviations away from it; predictions in its units are large."""
    y = np.r_[np.zeros(89), 1e30]
    changes = {"metric": "spearman"} if kind in rankers else {}
    estimator = make(kind, **changes).fit(X, y, **metadata_of(kind))
    assert np.isfinite(estimator.predict(X)).all()


def test_a_large_margin_is_the_unit_of_scores():
    ranker = make(PairwiseRanker, margin=1e9, learning_rate=1e6, weight_decay=0.0).fit(X, GRADES, groups=GROUPS)
    assert np.abs(ranker.predict(X)).max() > 2.0**24
    ranker.set_params(margin=1.0)
    with pytest.raises(ValueError, match="diverged"):
        ranker.fit(X, GRADES, groups=GROUPS)


def test_large_inputs_of_a_linear_map_are_no_divergence():
    """A map that starts at the identity of columns around 1.6e9 has outputs of this size."""
    embedder = TripletEmbedder(
        4,
        hidden_layer_sizes=(),
        init="identity",
        inputs="none",
        normalize=False,
        max_iter=1,
        device="cpu",
        random_state=0,
    ).fit(1.6e9 + 1e6 * X, GRADES)
    assert np.abs(embedder.transform(1.6e9 + 1e6 * X)).max() > 1e9
