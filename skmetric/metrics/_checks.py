"""Checks of the arguments of the retrieval metrics."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import check_array, check_consistent_length

from skmetric._checks import check_labels, check_weights, codes_of
from skmetric._values import refuse_masked
from skmetric._warnings import warn_caller

__all__ = ["check_query_weights", "check_retrieval"]


def check_retrieval(
    embeddings: ArrayLike, labels: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Validate embeddings and labels.

    Returns
    -------
    points : ndarray of shape (n_samples, n_features)
        The embeddings in float64.
    codes : ndarray of shape (n_samples,)
        Class of each row, as an integer from 0.
    others : ndarray of shape (n_samples,)
        R: number of other rows of the same class. At least one entry is positive.
    """
    refuse_masked(embeddings, "embeddings")
    points = check_array(embeddings, dtype=np.float64, ensure_min_samples=2, input_name="embeddings")
    labels = check_labels(labels, "labels")
    check_consistent_length(points, labels)
    codes, counts = codes_of(labels, "labels")
    others = counts[codes] - 1
    if not others.any():
        raise ValueError(
            f"labels must have at least two rows of one class, got {len(codes)} rows of {len(codes)} classes, so "
            "nothing can be retrieved. Score more rows, or use a splitter that keeps some rows of a class together."
        )
    if len(counts) == 1:
        warn_caller(
            "labels must have at least two classes, got one class: all neighbors then have the right class, so the "
            "score is 1 for any embedding. Score rows of several classes: use shuffled or stratified folds.",
            UndefinedMetricWarning,
        )
    return points, codes, others


def check_query_weights(sample_weight: ArrayLike | None, scored: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Validate the weights of the query rows. Returns shape (n_samples,), with 0 for rows that are not scored."""
    weights = np.where(scored, check_weights(sample_weight, len(scored)), 0.0)
    if not weights.any():
        raise ValueError(
            f"sample_weight must be positive for at least one row that can be scored, got zeros for all "
            f"{scored.sum()} rows whose class has other rows. Pass sample_weight=None for equal weights."
        )
    # Only ratios matter. Division by the largest weight keeps sums from overflowing.
    return weights / weights.max()
