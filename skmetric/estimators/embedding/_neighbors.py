"""Predict classes from nearest neighbors."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

__all__ = ["NeighborVote"]

# Number of ballots that are counted at once: about 50 MB. One query may have more.
MAX_BALLOTS = 2**20


class NeighborVote:
    """Predicts the most frequent class among the nearest neighbors.

    If rows are tied at the distance of the last neighbor, they share the votes that the nearer rows leave, in equal
    parts. Equal embeddings are always tied.

    KNeighborsClassifier of scikit-learn counts the votes in a dense table of rows x classes, and ranks tied rows in an
    order that means nothing. This class needs only rows x neighbors, so that it can handle fifty thousand classes.

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
    def _points(self) -> "_Points":
        return _Points(self.embeddings, self._codes)

    def predict(self, embeddings: NDArray, n_neighbors: int) -> NDArray[np.integer]:
        """Predict the class code of each row; of equally frequent classes, the lowest code."""
        return self._points.predict(embeddings, min(n_neighbors, len(self)))


class _Points:
    """Distinct embeddings with their ballots: a class, and how many rows of this class have this embedding.

    For equal embeddings, scikit-learn may return distances that differ in the last bit.
    """

    def __init__(self, embeddings: NDArray, codes: NDArray[np.integer]) -> None:
        points, point_of = np.unique(embeddings, axis=0, return_inverse=True)
        if len(points) == len(embeddings):
            points, point_of = embeddings, np.arange(len(embeddings))
        self._nearest = NearestNeighbors(algorithm="brute").fit(points)
        self._n_rows = np.bincount(point_of.reshape(-1))
        # Sorted by point, then by class: the ballots of point p are those _n_ballots[p] from _starts[p] on.
        self._n_classes = int(codes.max()) + 1
        ballots, self._votes = np.unique(point_of.reshape(-1) * self._n_classes + codes, return_counts=True)
        at, self._classes = np.divmod(ballots, self._n_classes)
        self._starts = np.searchsorted(at, np.arange(len(points)))
        self._n_ballots = np.bincount(at)

    def predict(self, embeddings: NDArray, n_neighbors: int) -> NDArray[np.integer]:
        """Predict the class code of each row."""
        winners = np.empty(len(embeddings), dtype=self._classes.dtype)
        queries, size = np.arange(len(embeddings)), n_neighbors + 1
        while len(queries):
            size = min(size, len(self._n_rows))
            distances, near = self._nearest.kneighbors(embeddings[queries], size)
            n_rows = self._n_rows[near]
            last = (n_rows.cumsum(axis=1) < n_neighbors).sum(axis=1, keepdims=True)
            reach = np.take_along_axis(distances, last, axis=1)
            # If the search ended within a tie, it must continue, for these queries only.
            ended = (distances[:, -1:] > reach).ravel() | (size == len(self._n_rows))
            weights = _vote_weights(distances < reach, distances == reach, n_rows, n_neighbors)
            winners[queries[ended]] = self._elect(near[ended], weights[ended])
            queries, size = queries[~ended], 2 * size
        return winners

    def _elect(self, near: NDArray[np.intp], weights: NDArray[np.intp]) -> NDArray[np.integer]:
        """Return the class with most votes for each query, from the points near it and the weights of their votes."""
        n_ballots = np.where(weights > 0, self._n_ballots[near], 0).sum(axis=1).cumsum()
        winners, start = [], 0
        while start < len(near):
            counted = n_ballots[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(n_ballots, counted + MAX_BALLOTS, side="right")))
            winners.append(self._count(near[start:stop], weights[start:stop]))
            start = stop
        return np.concatenate([np.empty(0, dtype=self._classes.dtype), *winners])

    def _count(self, near: NDArray[np.intp], weights: NDArray[np.intp]) -> NDArray[np.integer]:
        query, column = np.nonzero(weights)
        points = near[query, column]
        starts, n_ballots = self._starts[points], self._n_ballots[points]
        ballots = np.arange(n_ballots.sum()) + np.repeat(starts - (n_ballots.cumsum() - n_ballots), n_ballots)
        votes = self._votes[ballots] * np.repeat(weights[query, column], n_ballots)
        choices = np.repeat(query, n_ballots) * self._n_classes + self._classes[ballots]
        order = np.argsort(choices)
        choices, votes = choices[order], votes[order]
        # One total per query and class, sorted by both. The first of the largest totals has the lowest code.
        first = np.flatnonzero(np.diff(choices, prepend=-1))
        totals = np.add.reduceat(votes, first)
        query, classes = np.divmod(choices[first], self._n_classes)
        most = np.maximum.reduceat(totals, np.searchsorted(query, np.arange(len(near))))
        leading = np.flatnonzero(totals == most[query])
        return classes[leading[np.searchsorted(query[leading], np.arange(len(near)))]]


def _vote_weights(
    nearer: NDArray[np.bool_], tied: NDArray[np.bool_], n_rows: NDArray[np.intp], n_neighbors: int
) -> NDArray[np.intp]:
    """Return the weight of a vote at each point near each query, as an integer, so that equal sums are equal.

    If t rows are tied and share r votes, a row has weight r, and a nearer row has weight t.
    """
    sharing = (n_rows * tied).sum(axis=1, keepdims=True)
    left = n_neighbors - (n_rows * nearer).sum(axis=1, keepdims=True)
    return np.where(nearer, sharing, np.where(tied, left, 0))
