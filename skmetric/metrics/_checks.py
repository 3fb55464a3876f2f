"""What the retrieval metrics accept, and the queries that follow from it."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import assert_all_finite, check_array, check_consistent_length, column_or_1d

from skmetric._checks import check_weights
from skmetric._warnings import warn_caller

__all__ = ["check_query_weights", "check_retrieval"]


def check_retrieval(
    embeddings: ArrayLike, labels: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Validate embeddings and labels.

    Returns
    -------
    points : ndarray of shape (n, d)
        The embeddings in float64.
    codes : ndarray of shape (n,)
        The class of each row, as an integer from 0.
    others : ndarray of shape (n,)
        R: the number of other rows of the row's class. At least one is positive.
    """
    points = check_array(embeddings, dtype=np.float64, ensure_min_samples=2, input_name="embeddings")
    if len(np.shape(labels)) > 1 and np.shape(labels)[1:] != (1,):
        raise ValueError(f"labels must be one label a row, shape (n,), got shape {np.shape(labels)}. Pass one column.")
    labels = column_or_1d(labels)
    check_consistent_length(points, labels)
    try:
        assert_all_finite(labels, input_name="labels")
        _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    except TypeError as error:
        raise TypeError(
            f"labels must all be of one type that can be sorted, and none missing: {error}. Replace missing labels, "
            "and convert the others, for instance to str."
        ) from error
    others = counts[codes] - 1
    if not others.any():
        raise ValueError(
            f"labels must have a class with two rows or more, but each of the {len(codes)} rows is alone in its class, "
            "so nothing can be retrieved. Score more rows, or take a splitter that keeps some rows of a class together."
        )
    if len(counts) == 1:
        warn_caller(
            "labels are all of one class, whose rows are each other's neighbors whatever the embedding: the score is "
            "1 and says nothing. Score rows of several classes; shuffled or stratified folds hold them.",
            UndefinedMetricWarning,
        )
    return points, codes, others


def check_query_weights(sample_weight: ArrayLike | None, scored: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Validate the weights of the query rows: shape (n,), 0 where a row is not scored."""
    weights = np.where(scored, check_weights(sample_weight, len(scored)), 0.0)
    if not weights.any():
        raise ValueError(
            f"sample_weight must be positive for at least one row that can be scored, got only zeros at the "
            f"{scored.sum()} rows whose class has other rows. Pass sample_weight=None to weigh them alike."
        )
    # Only ratios matter: with the largest at 1, no sum of them overflows.
    return weights / weights.max()
