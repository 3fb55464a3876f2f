"""Classes of nearest neighbors."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

__all__ = ["NeighborVote"]


class NeighborVote:
    """The most frequent class among the nearest of some embeddings.

    scikit-learn's KNeighborsClassifier counts the votes for every class in a dense table, rows x classes; this needs
    rows x neighbors, so that fifty thousand classes are no burden.

    Parameters
    ----------
    embeddings : array of shape (n, d)
        The rows that vote.
    codes : array of int, shape (n,)
        Their classes.
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
        """Class of each row; of equally frequent classes, the first."""
        near = self._nearest.kneighbors(embeddings, min(n_neighbors, len(self)), return_distance=False)
        votes = np.sort(self._codes[near], axis=1)
        winner, most, run = votes[:, 0].copy(), np.ones(len(votes), int), np.ones(len(votes), int)
        for place in range(1, votes.shape[1]):
            run = np.where(votes[:, place] == votes[:, place - 1], run + 1, 1)
            leads = run > most
            winner[leads], most[leads] = votes[leads, place], run[leads]
        return winner
