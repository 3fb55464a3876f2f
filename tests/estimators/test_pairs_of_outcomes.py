"""What y says about pairs is read in fit, and kept for predictions, scores and validation sets."""

import numpy as np
import pytest
from sklearn.metrics import get_scorer
from sklearn.model_selection import cross_val_score

from skmetric import ContrastiveEmbedder, PairwiseRanker

RNG = np.random.default_rng(0)
ITEMS = RNG.normal(size=(40, 3))
FIRST = RNG.integers(40, size=120)
PAIRS = ITEMS[np.column_stack([FIRST, (FIRST + RNG.integers(1, 40, size=120)) % 40])]
SIMILAR = np.abs(PAIRS[:, 0, 0] - PAIRS[:, 1, 0]) < 0.7
FIRST_WINS = PAIRS[:, 0, 0] > PAIRS[:, 1, 0]
QUICK = {"max_iter": 30, "device": "cpu", "random_state": 0, "hidden_layer_sizes": 32}
BOTH = pytest.mark.parametrize(
    ("estimator", "outcome"),
    [(ContrastiveEmbedder(4, **QUICK), SIMILAR), (PairwiseRanker(**QUICK), FIRST_WINS)],
    ids=["similarity", "preferences"],
)


@BOTH
def test_booleans_are_signs(estimator, outcome):
    signs = np.where(outcome, 1, -1)
    of_booleans = estimator.fit(PAIRS, outcome).decision_function(PAIRS)
    assert estimator.score(PAIRS, outcome) == estimator.score(PAIRS, signs)
    np.testing.assert_array_equal(of_booleans, estimator.fit(PAIRS, signs).decision_function(PAIRS))
    assert set(estimator.predict(PAIRS).tolist()) == {-1, 1}


@BOTH
def test_predictions_are_booleans_after_booleans(estimator, outcome):
    """Otherwise, the accuracy of scikit-learn would compare -1 with False."""
    estimator.fit(PAIRS, outcome)
    predicted = estimator.predict(PAIRS)
    assert predicted.dtype == bool
    assert get_scorer("accuracy")(estimator, PAIRS, outcome) == np.mean(predicted == outcome) > 0.6
    assert cross_val_score(estimator, PAIRS, outcome, cv=3, scoring="accuracy").min() > 0.5


def test_classes_are_those_of_the_outcomes():
    embedder = ContrastiveEmbedder(4, **QUICK)
    assert embedder.fit(PAIRS, SIMILAR).classes_.tolist() == [False, True]
    assert embedder.fit(PAIRS, np.where(SIMILAR, 1, -1)).classes_.tolist() == [-1, 1]


@BOTH
def test_zeros_and_ones_are_refused(estimator, outcome):
    with pytest.raises(ValueError, match=r"pass 2 \* y - 1"):
        estimator.fit(PAIRS, outcome.astype(int))
    estimator.fit(PAIRS, outcome)
    with pytest.raises(ValueError, match=r"pass 2 \* y - 1"):
        estimator.score(PAIRS, outcome.astype(int))


TIED = np.sign(np.round(PAIRS[:, 0, 0] - PAIRS[:, 1, 0]))


def test_ties_of_fit_are_known_in_scores_and_validation_sets():
    winners = TIED >= 0
    ranker = PairwiseRanker(**QUICK).fit(PAIRS, TIED)
    assert ranker.score(PAIRS[winners], TIED[winners]) > 0.5
    watched = PairwiseRanker(early_stopping=True, **QUICK)
    watched.fit(PAIRS, TIED, X_val=PAIRS[winners], y_val=TIED[winners])
    assert watched.history_[-1]["valid_score"] > 0.5
    with pytest.raises(ValueError, match="set ties=True"):
        ranker.fit(PAIRS, np.where(FIRST_WINS, 1, -1)).score(PAIRS[winners], TIED[winners])


def test_winners_that_always_come_first_need_ties():
    swapped = np.where((TIED < 0)[:, None, None], PAIRS[:, ::-1], PAIRS)
    with pytest.raises(ValueError, match="set ties=True"):
        PairwiseRanker(**QUICK).fit(swapped, np.abs(TIED))
    ranker = PairwiseRanker(ties=True, **QUICK).fit(swapped, np.abs(TIED))
    assert ranker.score(swapped, np.abs(TIED)) > 0.7


def test_what_makes_a_method_appear():
    rows = ContrastiveEmbedder(4, **QUICK).fit(ITEMS, np.arange(40) % 2)
    for name in ("decision_function", "calibrate_threshold", "set_threshold", "predict_proba"):
        with pytest.raises(AttributeError) as error:
            getattr(rows, name)
        assert "only after fit on pairs" in str(error.value.__cause__)
    pairs = rows.fit(PAIRS, SIMILAR)
    with pytest.raises(AttributeError) as error:
        _ = pairs.predict_proba
    assert "only after calibrate_probabilities" in str(error.value.__cause__)
    with pytest.raises(AttributeError, match="appears after fit on similar and dissimilar pairs, calibrate_threshold"):
        _ = pairs.fit(PAIRS).threshold_
