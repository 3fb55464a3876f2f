"""scikit-learn's estimator checks, for searches over each kind of estimator of skmetric."""

import pytest
from sklearn.model_selection import KFold
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.ranking.listwise import ListwiseRanker
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.estimators.ranking.pointwise import PointwiseRanker
from skmetric.estimators.regression.ranksim import RankSimRegressor
from skmetric.model_selection.search import BatchedGridSearchCV, BatchedRandomizedSearchCV

EMBEDDER = TripletEmbedder(n_components=2, max_iter=20, normalize=False, device="cpu", random_state=0)
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2, "device": "cpu", "random_state": 0}
RANKERS = [kind(**SMALL) for kind in (PairwiseRanker, ListwiseRanker, PointwiseRanker)]
# One check asks for a good fit, so the regressor needs more steps.
REGRESSOR = RankSimRegressor(**SMALL | {"hidden_layer_sizes": (16,), "max_iter": 10})
RATES = {"learning_rate": [0.03, 0.1]}
# The targets of some tables are sorted, and a ranker cannot learn from a fold in which all are equal.
SHUFFLED = KFold(2, shuffle=True, random_state=0)


# Some checks leave two rows per class in a fold, or score a single row. scikit-learn's own search warns there, too.
# Rankers warn, because the checks pass no groups.
@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [
        BatchedGridSearchCV(EMBEDDER, {"margin": [0.5, 1.0]}, cv=2),
        BatchedRandomizedSearchCV(EMBEDDER, {"margin": [0.5, 1.0]}, n_iter=2, cv=2, random_state=0),
        *(BatchedGridSearchCV(estimator, RATES, cv=SHUFFLED) for estimator in (*RANKERS, REGRESSOR)),
        *(
            BatchedRandomizedSearchCV(estimator, RATES, n_iter=2, cv=SHUFFLED, random_state=0)
            for estimator in (*RANKERS, REGRESSOR)
        ),
    ]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)
