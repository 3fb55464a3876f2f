"""scikit-learn's estimator checks, for searches over an estimator of skmetric."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.model_selection.search import BatchedGridSearchCV, BatchedRandomizedSearchCV

EMBEDDER = TripletEmbedder(n_components=2, max_iter=20, normalize=False, device="cpu", random_state=0)


# Some checks leave two rows per class in a fold, or score a single row. scikit-learn's own search warns there, too.
@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [
        BatchedGridSearchCV(EMBEDDER, {"margin": [0.5, 1.0]}, cv=2),
        BatchedRandomizedSearchCV(EMBEDDER, {"margin": [0.5, 1.0]}, n_iter=2, cv=2, random_state=0),
    ]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)
