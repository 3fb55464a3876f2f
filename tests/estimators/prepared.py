"""The prepared data and the plan of an estimator, before training."""

from skmetric.estimators.training_data import Given


def prepared_of(estimator, X, y=None, sample_weight=None, **metadata):
    return estimator._prepare(Given.of(X, y, sample_weight=sample_weight, **metadata))


def plan_of(estimator, X, y=None, sample_weight=None, **metadata):
    return prepared_of(estimator, X, y, sample_weight, **metadata).plan
