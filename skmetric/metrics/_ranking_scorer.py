"""Base class of the scorers of rankings."""

from abc import abstractmethod
from typing import Any, ClassVar

from numpy.typing import ArrayLike

from skmetric._scorer import Scorer, carrier_of_groups, groups_carried, labeled_only, score_or_zero
from skmetric._warnings import warn_caller
from skmetric.metrics._lists import Score

__all__ = ["RankingScorer"]


class RankingScorer(Scorer):
    """Score the order in which an estimator's ``predict`` ranks the rows of each list."""

    __metadata_request__score: ClassVar[dict[str, bool]] = {"groups": True}

    def _declines_groups(self) -> bool:
        """Whether the user has called ``set_score_request(groups=False)``."""
        return self.get_metadata_routing().score.requests.get("groups") is False

    @abstractmethod
    def _metric(
        self, y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike | None, sample_weight: ArrayLike | None
    ) -> Score: ...

    def score(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> float:
        """Score given predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Predicted scores.
        y : array-like of shape (n_samples,)
            True values.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights. The weight of a list is the mean weight of its rows.
        groups : array-like of shape (n_samples,), default=None
            Group id of each row. The rows of a group form one list. If None, all rows form one list.

        Returns
        -------
        score : float
            Greater is better. It is 0, with a warning, if no list can be scored.
        """
        return score_or_zero(lambda: self._metric(y, X, groups, sample_weight), owner=f"{self!r}: ")

    def __call__(
        self,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> float:
        """Predict ``X`` with the fitted estimator, and score the order of the predictions.

        Parameters
        ----------
        estimator : estimator with a ``predict`` method
            A fitted ranker or regressor, or a pipeline that ends in one. Rows with a higher prediction rank higher.
        X : array-like of shape (n_samples, n_features)
            Input of the estimator.
        y : array-like of shape (n_samples,)
            True values. Rows that a skmetric ranker calls ``unlabeled`` are left out.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights. The weight of a list is the mean weight of its rows.
        groups : array-like of shape (n_samples,), default=None
            Group id of each row. If None, the ``group_column`` of a skmetric ranker is used, also if the ranker is the
            last step of a Pipeline. Otherwise all rows form one list.

        Returns
        -------
        score : float
            Greater is better. It is 0 if no list can be scored, so that the candidates of a search stay comparable.

        Raises
        ------
        TypeError
            If the estimator has no ``predict`` method.
        ValueError
            If a ranker was fitted with groups but gets none here, or if it was fitted on pairs.

        Warns
        -----
        UserWarning
            If the estimator could carry groups, as a skmetric ranker can, but there are none.
        UndefinedMetricWarning
            If no list can be scored. The score is then 0.
        """
        predict = self._method(estimator, "predict", "a ranker, a regressor")
        carrier = carrier_of_groups(estimator)
        if getattr(carrier, "tuple_size_", None) is not None:
            raise ValueError(
                f"estimator must be fitted on rows for {self!r}, got a {type(carrier).__name__} that was fitted on "
                "pairs, which predicts winners. Use its score method, or rank points by score_samples."
            )
        if groups is None:
            groups = groups_carried(estimator, X)
            if groups is None and carrier is not None and not self._declines_groups():
                warn_caller(
                    f"{self!r} got no groups: it scores all rows as one list. Pass groups= (searches pass it on only "
                    f"after sklearn.set_config(enable_metadata_routing=True)), or set group_column= of the "
                    f"{type(carrier).__name__}. To score all rows as one list, pass the same id for every row."
                )
        scores = predict(X)

        def score() -> Score:
            y_true, y_score, ids, weights = labeled_only(estimator, y, y, scores, groups, sample_weight)
            return self._metric(y_true, y_score, ids, weights)

        return score_or_zero(score, owner=f"{self!r}: ")
