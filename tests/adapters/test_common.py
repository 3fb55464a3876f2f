"""The estimator checks of scikit-learn, for the ranker of each library."""

import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmetric.adapters import GroupedRanker
from tests.adapters.boosters import INSTALLED, NAMES, booster

# Checks that no adapted ranker can pass, and why.
WEIGHTS = (
    "without groups, all rows are one list: LightGBM multiplies the gradient of a row by its weight, XGBoost and "
    "CatBoost's YetiRank have one weight per group, and a second equal row is one more row to compare with"
)
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": WEIGHTS,
    "check_sample_weight_equivalence_on_sparse_data": WEIGHTS,
}


@pytest.mark.filterwarnings("ignore:GroupedRanker got no groups", "ignore:.*one weight per group")
@parametrize_with_checks(
    [GroupedRanker(booster(name)) for name in INSTALLED], expected_failed_checks=lambda estimator: EXPECTED_FAILURES
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", NAMES)
def test_constructor_only_stores(name):
    made = GroupedRanker(booster(name))
    assert vars(made).keys() == made.get_params(deep=False).keys()
    assert repr(clone(made)) == repr(made)
