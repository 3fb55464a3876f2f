"""Scorers of rankings for scikit-learn's model selection."""

from numpy.typing import ArrayLike

from skmetric.metrics._lists import Score
from skmetric.metrics._ranking_scorer import RankingScorer
from skmetric.metrics.dcg import ndcg_score
from skmetric.metrics.rank_correlation import kendall_score, pairwise_accuracy_score, spearman_score
from skmetric.metrics.relevance import map_score, mrr_score

__all__ = [
    "KendallScorer",
    "MapScorer",
    "MrrScorer",
    "NdcgScorer",
    "PairwiseAccuracyScorer",
    "SpearmanScorer",
    "kendall_scorer",
    "map_scorer",
    "mrr_scorer",
    "ndcg_scorer",
    "pairwise_accuracy_scorer",
    "spearman_scorer",
]


class NdcgScorer(RankingScorer):
    """Normalized discounted cumulative gain of an estimator's predictions, for ``scoring=``.

    Calls ``estimator.predict(X)``, then :func:`skmetric.metrics.ndcg_score` (see there for the formula).

    Parameters
    ----------
    k : int, default=None
        Last rank that counts. If None, all ranks count.
    gain : {"exponential", "linear"}, default="exponential"
        Gain of a grade ``y``: ``2**y - 1`` or ``y``.
    ties : {"mean", "pessimistic", "order"}, default="mean"
        How items with the same prediction are ranked.
    empty : {"skip", 0, 1}, default="skip"
        Value of a list whose gains are all 0. "skip" leaves it out of the mean.
    convention : {"lightgbm", "xgboost", "catboost", "sklearn"}, default=None
        Use ``gain``, ``ties`` and ``empty`` of another library. Do not pass any of the three in this case.

    See Also
    --------
    skmetric.metrics.ndcg_scorer : A ready instance with the defaults.

    Notes
    -----
    A scorer receives groups as metadata. With ``sklearn.set_config(enable_metadata_routing=True)``, pass ``groups`` to
    the ``fit`` of a search, or use ``cross_validate(..., params={"groups": groups})``: the groups then reach the
    splitter and the scorer without a further request. If routing is off, scikit-learn passes ``groups`` only to the
    splitter. The scorer then scores all rows as *one* list, unless the estimator has a method ``groups_of(X)`` that
    returns the groups. If this method returns None, the scorer warns. Other estimators have no groups, and the scorer
    does not warn. If the estimator has a method ``is_labeled(y)``, rows for which it returns False are left out.

    If no list of a fold can be scored, for example because no row is relevant, the score is 0 for all candidates, and
    the scorer warns. :func:`skmetric.metrics.ndcg_score` raises an error instead.

    ``set_score_request(sample_weight=True)`` requests weights. It changes the scorer itself, so call it on a new
    scorer, not on a shared one.

    The rankers of LightGBM, XGBoost and CatBoost take groups in other forms. In a
    :class:`~skmetric.adapters.GroupedRanker`, they take group ids, and can be searched like any other estimator.

    Examples
    --------
    >>> import numpy as np, sklearn
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import GridSearchCV, GroupKFold
    >>> from skmetric.metrics import NdcgScorer
    >>> rng = np.random.default_rng(0)
    >>> X, groups = rng.normal(size=(200, 3)), np.repeat(np.arange(20), 10)
    >>> y = (X[:, 0] + 0.1 * rng.normal(size=200)).round().clip(0)
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     search = GridSearchCV(Ridge(), {"alpha": [1, 1e6]}, scoring=NdcgScorer(k=5), cv=GroupKFold(5))
    ...     search = search.fit(X, y, groups=groups)
    >>> search.best_params_
    {'alpha': 1}
    """

    def __init__(
        self,
        *,
        k: int | None = None,
        gain: str | None = None,
        ties: str | None = None,
        empty: str | int | None = None,
        convention: str | None = None,
    ) -> None:
        self.k = k
        self.gain = gain
        self.ties = ties
        self.empty = empty
        self.convention = convention

    def _metric(
        self, y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike | None, sample_weight: ArrayLike | None
    ) -> Score:
        return ndcg_score(
            y_true,
            y_score,
            groups=groups,
            k=self.k,
            gain=self.gain,
            ties=self.ties,
            empty=self.empty,
            convention=self.convention,
            sample_weight=sample_weight,
        )


class SpearmanScorer(RankingScorer):
    """Spearman's rank correlation of an estimator's predictions, for ``scoring=``.

    Calls ``estimator.predict(X)``, then :func:`skmetric.metrics.spearman_score` (see there for the formula).

    See Also
    --------
    skmetric.metrics.spearman_scorer : A ready instance.
    NdcgScorer : How lists and weights reach a scorer.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmetric.metrics import SpearmanScorer
    >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 8.0]
    >>> SpearmanScorer()(LinearRegression().fit(X, y), X, y)
    1.0
    """

    def _metric(
        self, y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike | None, sample_weight: ArrayLike | None
    ) -> Score:
        return spearman_score(y_true, y_score, groups=groups, sample_weight=sample_weight)


class KendallScorer(RankingScorer):
    """Kendall's tau-b of an estimator's predictions, for ``scoring=``.

    Calls ``estimator.predict(X)``, then :func:`skmetric.metrics.kendall_score` (see there for the formula).

    See Also
    --------
    skmetric.metrics.kendall_scorer : A ready instance.
    NdcgScorer : How lists and weights reach a scorer.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmetric.metrics import KendallScorer
    >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 8.0]
    >>> KendallScorer()(LinearRegression().fit(X, y), X, y)
    1.0
    """

    def _metric(
        self, y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike | None, sample_weight: ArrayLike | None
    ) -> Score:
        return kendall_score(y_true, y_score, groups=groups, sample_weight=sample_weight)


class PairwiseAccuracyScorer(RankingScorer):
    """Fraction of pairs that an estimator's predictions order correctly, for ``scoring=``.

    Calls ``estimator.predict(X)``, then :func:`skmetric.metrics.pairwise_accuracy_score` (see there for the formula).

    See Also
    --------
    skmetric.metrics.pairwise_accuracy_scorer : A ready instance.
    NdcgScorer : How lists and weights reach a scorer.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmetric.metrics import PairwiseAccuracyScorer
    >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 8.0]
    >>> PairwiseAccuracyScorer()(LinearRegression().fit(X, y), X, y)
    1.0
    """

    def _metric(
        self, y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike | None, sample_weight: ArrayLike | None
    ) -> Score:
        return pairwise_accuracy_score(y_true, y_score, groups=groups, sample_weight=sample_weight)


class MrrScorer(RankingScorer):
    """Mean reciprocal rank of an estimator's predictions, for ``scoring=``.

    Calls ``estimator.predict(X)``, then :func:`skmetric.metrics.mrr_score` (see there for the formula).

    Parameters
    ----------
    k : int, default=None
        Last rank that counts. If None, all ranks count.
    empty : {"skip", 0, 1}, default="skip"
        Value of a list without relevant items. "skip" leaves it out of the mean.

    See Also
    --------
    skmetric.metrics.mrr_scorer : A ready instance with the defaults.
    NdcgScorer : How lists and weights reach a scorer.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmetric.metrics import MrrScorer
    >>> X, y = [[0.0], [1.0], [2.0]], [0, 0, 1]
    >>> MrrScorer(k=10)(LinearRegression().fit(X, y), X, y)
    1.0
    """

    def __init__(self, *, k: int | None = None, empty: str | int = "skip") -> None:
        self.k = k
        self.empty = empty

    def _metric(
        self, y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike | None, sample_weight: ArrayLike | None
    ) -> Score:
        return mrr_score(y_true, y_score, groups=groups, k=self.k, empty=self.empty, sample_weight=sample_weight)


class MapScorer(RankingScorer):
    """Mean average precision of an estimator's predictions, for ``scoring=``.

    Calls ``estimator.predict(X)``, then :func:`skmetric.metrics.map_score` (see there for the formula).

    Parameters
    ----------
    k : int, default=None
        Last rank that counts. If None, all ranks count.
    empty : {"skip", 0, 1}, default="skip"
        Value of a list without relevant items. "skip" leaves it out of the mean.

    See Also
    --------
    skmetric.metrics.map_scorer : A ready instance with the defaults.
    NdcgScorer : How lists and weights reach a scorer.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmetric.metrics import MapScorer
    >>> X, y = [[0.0], [1.0], [2.0]], [0, 0, 1]
    >>> MapScorer(k=10)(LinearRegression().fit(X, y), X, y)
    1.0
    """

    def __init__(self, *, k: int | None = None, empty: str | int = "skip") -> None:
        self.k = k
        self.empty = empty

    def _metric(
        self, y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike | None, sample_weight: ArrayLike | None
    ) -> Score:
        return map_score(y_true, y_score, groups=groups, k=self.k, empty=self.empty, sample_weight=sample_weight)


ndcg_scorer = NdcgScorer()
spearman_scorer = SpearmanScorer()
kendall_scorer = KendallScorer()
pairwise_accuracy_scorer = PairwiseAccuracyScorer()
mrr_scorer = MrrScorer()
map_scorer = MapScorer()
