"""Predict classes from nearest neighbors."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

__all__ = ["NeighborVote"]


class NeighborVote:
    """Predicts the most frequent class among the nearest neighbors.

    KNeighborsClassifier of scikit-learn counts the votes in a dense table of rows x classes. This class needs only
    rows x neighbors, so that it can handle fifty thousand classes.

    Parameters
    ----------
    embeddings : array of shape (n_samples, n_components)
        Embeddings of the rows that vote.
    codes : array of int, shape (n_samples,)
        Class codes of these rows.
    """

    def __init__(self, embeddings: NDArray, codes: NDArray[np.integer]) -> None:
        self.embeddings = embeddings
        self._codes = codes

    def __len__(self) -> int:
        return len(self._codes)

    @cached_property
    def _nearest(self) -> NearestNeighbors:
        return NearestNeighbors(algorithm="brute").fit(self.embeddings)

    def predict(self, embeddings: NDArray, n_neighbors: int) -> NDArray[np.integer]:
        """Predict the class code of each row; of equally frequent classes, the lowest code."""
        near = self._nearest.kneighbors(embeddings, min(n_neighbors, len(self)), return_distance=False)
        votes = np.sort(self._codes[near], axis=1)
        winner, most, run = votes[:, 0].copy(), np.ones(len(votes), int), np.ones(len(votes), int)
        for index in range(1, votes.shape[1]):
            run = np.where(votes[:, index] == votes[:, index - 1], run + 1, 1)
            leads = run > most
            winner[leads], most[leads] = votes[leads, index], run[leads]
        return winner
