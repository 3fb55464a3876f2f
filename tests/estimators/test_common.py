"""The estimator checks of scikit-learn, for each estimator of the package."""

from inspect import signature

import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmetric.estimators import all_estimators

# Checks that an estimator cannot pass, and why.
WEIGHTS = {
    "check_sample_weight_equivalence_on_dense_data": "a weight of 2 and two equal rows have the same loss, but not the "
    "same mini-batches",
}
EXPECTED_FAILURES: dict[str, dict[str, str]] = {
    name: WEIGHTS if "sample_weight" in signature(estimator.fit).parameters else {}
    for name, estimator in all_estimators()
}

ESTIMATORS = [estimator for _, estimator in all_estimators()]


# Some checks set n_components=1: with unit length, an embedding then has only two points, which may cause a warning.
@pytest.mark.filterwarnings("ignore:.*has collapsed to a point:sklearn.exceptions.ConvergenceWarning")
# The checks pass no groups to rankers.
@pytest.mark.filterwarnings("ignore:.*Ranker got no groups:UserWarning")
@parametrize_with_checks(
    [estimator() for estimator in ESTIMATORS],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES[type(estimator).__name__],
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_constructor_only_stores(estimator):
    made = estimator()
    assert vars(made).keys() == made.get_params().keys()
    assert repr(clone(made)) == repr(made)
