"""PairwiseRanker: the more relevant of two rows of a group scores higher."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmetric._core.engine import TrainedNetwork
from skmetric._core.nn import Columns
from skmetric._sklearn_compat import Interval, StrOptions, check_sample_weight, safe_indexing
from skmetric.estimators.points import Preprocessor, is_tuples, read_tuples
from skmetric.estimators.preparation import Given, Prepared
from skmetric.estimators.ranking._data import RankedItems, preference_items
from skmetric.estimators.ranking._losses import RankingLoss
from skmetric.estimators.ranking._ranker import Ranker, RankerChoice
from skmetric.losses import lambda_loss, pairwise_hinge_loss, pairwise_logistic_loss

__all__ = ["PairwiseRanker"]


def _is_fitted_on_pairs(ranker: Any) -> bool:
    if getattr(ranker, "tuple_size_", None) != 2:
        raise AttributeError(f"{type(ranker).__name__} has this method once it is fitted on pairs.")
    return True


def _gives_probabilities(ranker: Any) -> bool:
    if ranker.loss != "logistic":
        raise AttributeError(f"loss={ranker.loss!r} gives no probabilities; loss='logistic' does.")
    return _is_fitted_on_pairs(ranker)


LOSSES: Mapping[str, RankingLoss] = {
    "hinge": RankingLoss(pairwise_hinge_loss, numbers=("margin",)),
    "logistic": RankingLoss(pairwise_logistic_loss),
    "lambda": RankingLoss(lambda_loss, uses_gain=True, uses_cut=True),
}


class PairwiseRanker(Ranker):
    r"""Scores that put the more relevant of two rows first, learned from pairs.

    A network :math:`s` scores each row by itself, and is trained on pairs of rows of a group that differ in relevance:
    with the hinge :math:`\max(0, m - (s_i - s_j))`, the logistic loss :math:`\log(1 + e^{-(s_i - s_j)})` (RankNet), or
    the latter weighted by what swapping the two would change in NDCG (LambdaRank).

    It also learns from preferences: pairs of points with ``y`` = 1 where the first wins, -1 where the second does, and
    0 for a tie; ``y=None`` means that the first wins in all. As one network scores both, swapping the two points
    changes the sign of ``predict`` and nothing else.

    Parameters
    ----------
    n_components : int, optional
        Width of the last hidden layer, which ``transform`` gives; one more layer then follows ``hidden_layer_sizes``.
        None: the last of those is it.
    margin : float, default=1.0
        How much higher the more relevant row should score, for ``loss="hinge"``.
    loss : {"hinge", "logistic", "lambda"}, default="hinge"
        See :func:`skmetric.losses.pairwise_hinge_loss`, :func:`skmetric.losses.pairwise_logistic_loss` and
        :func:`skmetric.losses.lambda_loss`. "lambda" takes gain and cut from ``metric``.
    metric : str, default="ndcg"
        What ``score`` gives and early stopping looks at: "ndcg", "ndcg_linear", "mrr", "map", each also with a cut as
        in "ndcg@10", or "spearman", "kendall", "pairwise_accuracy".
    max_group_size : int, default=256
        Longest list that is ranked at a time; a longer group is split at random, anew every epoch. Losses over pairs
        take memory in its square.
    group_column : str or int, optional
        Name or place of the column of ``X`` that holds the groups, where metadata is not routed. The network never
        sees it; ``predict`` needs it to be there and does not read it.
    preprocessor : array-like, callable or Rows, optional
        Where the points of index pairs are: a table, a function from indices to points, or :class:`skmetric.Rows`,
        which the candidates of a search share. ``X`` then holds index pairs of shape (n, 2).
    hidden_layer_sizes : int or sequence of int, default=(128,)
        Widths of the hidden layers; an empty one gives linear scores.
    dropout : float, default=0.2
        Share of the hidden activations set to zero while training.
    scale_inputs : bool, default=True
        Standardize each column inside the network and bend values beyond about three standard deviations smoothly;
        then neither the units of a column nor its outliers matter. False takes the columns as given.
    module : callable, optional
        ``(n_features_in, n_components) -> torch.nn.Module``: a network of your own in place of the hidden layers; the
        linear layer that scores its output is added. It also sees rows that only fill a batch up.
    batch_size : int, default=64
        Rows in a batch, in whole groups; more where one group is longer.
    max_iter : int, default=20
        Epochs.
    learning_rate : float, default=0.003
        Highest rate of AdamW; it rises to it over the first 30% of the steps and falls to nearly zero after them.
    weight_decay : float, default=3.0
        Of AdamW.
    early_stopping : bool, default=False
        Hold out whole groups (rows where there are none), stop when ``metric`` no longer rises on them, and keep the
        best weights.
    validation_fraction : float, default=0.1
        What early stopping holds out.
    n_iter_no_change : int, default=10
        Epochs without a better ``metric`` after which early stopping stops.
    device : str or torch.device, default="auto"
        "cpu", "cuda", "cuda:1", "mps", ..., or a torch.device; "auto" takes a GPU where there is one.
    random_state : int, RandomState instance or None, default=None
        Decides initial weights, batches and dropout. The same int gives the same scores, bit for bit on a CPU.
    warm_start : bool, default=False
        Let ``fit`` go on from the weights and the input scaling of the last fit.
    callbacks : list of skorch callbacks, optional
        Notified of training and epochs, not of batches. scikit-learn's own callbacks are set by ``set_callbacks``.
    verbose : int, default=0
        Above 0, one line an epoch is printed.

    Attributes
    ----------
    n_features_in_ : int
        Columns of ``X``, the group column included.
    feature_names_in_ : ndarray of str
        Their names, where ``X`` had names.
    has_groups_ : bool
        Whether ``fit`` had groups; ``score`` then needs them.
    n_iter_ : int
        Epochs run.
    history_ : list of dict
        One an epoch: ``train_loss``, ``valid_score`` where there is early stopping, and ``dur`` in seconds.
    tuple_size_ : int or None
        2 where ``fit`` had pairs, None where it had rows.

    See Also
    --------
    ListwiseRanker : Losses over whole groups.
    skmetric.metrics.ndcg_scorer : NDCG for ``GridSearchCV(scoring=...)``.

    Notes
    -----
    Defaults were chosen on LightGBM's example of ranking and two tables of ``make_ranking``, by cross-validation: a
    strong weight decay and few epochs, as groups are few and grades noisy.

    Fitted on pairs, ``predict``, ``decision_function``, ``predict_proba`` and ``score`` take pairs; ``score_samples``
    and ``transform`` always take points.

    References
    ----------
    Herbrich, Graepel, Obermayer (2000). Large Margin Rank Boundaries for Ordinal Regression.

    Burges et al. (2005). Learning to Rank using Gradient Descent. ICML.

    Burges, Ragno, Le (2006). Learning to Rank with Nonsmooth Cost Functions. NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric import PairwiseRanker
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 4)).astype(np.float32)
    >>> groups = np.repeat(np.arange(30), 10)
    >>> y = np.clip(np.round(X[:, 0] + X[:, 1] + 2), 0, 4)
    >>> ranker = PairwiseRanker(device="cpu", random_state=0).fit(X, y, groups=groups)
    >>> bool(ranker.score(X, y, groups=groups) > 0.95)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **Ranker._ranker_constraints,
        "max_group_size": [Interval(Integral, 2, None, closed="left")],
        "margin": [Interval(Real, 0, None, closed="neither")],
        "loss": [StrOptions(set(LOSSES))],
        "preprocessor": [object],
    }

    _losses = LOSSES
    tuple_size_: int | None

    def __init__(
        self,
        n_components: int | None = None,
        *,
        margin: float = 1.0,
        loss: str = "hinge",
        metric: str = "ndcg",
        max_group_size: int = 256,
        group_column: str | int | None = None,
        preprocessor: Preprocessor | None = None,
        hidden_layer_sizes: int | Sequence[int] = (128,),
        dropout: float = 0.2,
        inputs: str = "bounded",
        module: Callable[[int, int], torch.nn.Module] | None = None,
        batch_size: int = 64,
        max_iter: int = 20,
        learning_rate: float = 0.003,
        weight_decay: float = 3.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        device: str | torch.device = "auto",
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
        callbacks: Sequence[Any] | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.margin = margin
        self.loss = loss
        self.metric = metric
        self.max_group_size = max_group_size
        self.group_column = group_column
        self.preprocessor = preprocessor
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.inputs = inputs
        self.module = module
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.random_state = random_state
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.verbose = verbose

    def predict(self, X: ArrayLike) -> NDArray:
        """Score rows; fitted on pairs, say which of the two wins.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows; fitted on pairs, pairs as ``fit`` had them.

        Returns
        -------
        ndarray of shape (n,)
            Scores, the higher the earlier; for pairs 1 where the first wins, -1 where the second does, 0 where they
            score exactly the same.
        """
        check_is_fitted(self)
        if self.tuple_size_ is None:
            return super().predict(X)
        return np.sign(self.decision_function(X)).astype(np.int64)

    @available_if(_is_fitted_on_pairs)
    def decision_function(self, X: ArrayLike) -> NDArray[np.float32]:
        """By how much the first point of each pair scores above the second.

        Parameters
        ----------
        X : array-like of shape (n, 2, n_features), or of int, shape (n, 2)
            The pairs, as ``fit`` had them.

        Returns
        -------
        ndarray of shape (n,), float32
            With the two points swapped, exactly the negative.
        """
        check_is_fitted(self)
        points, pairs = read_tuples(X, 2, self.preprocessor, partial(self._check_input, reset=False))
        first, second = self._scores(Columns(points))[pairs].T
        return first - second

    @available_if(_gives_probabilities)
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Probability of each point of a pair to win, for ``loss="logistic"``.

        Parameters
        ----------
        X : array-like of shape (n, 2, n_features), or of int, shape (n, 2)
            The pairs, as ``fit`` had them.

        Returns
        -------
        ndarray of shape (n, 2), float32
            First the probability of -1, that the second wins; then of 1, that the first wins.
        """
        above = self.decision_function(X)
        return np.column_stack([expit(-above), expit(above)])

    def score(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
    ) -> float:
        """Mean over groups of the estimator's ``metric``; fitted on pairs, the share of them that it gets right.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows, or pairs as ``fit`` had them.
        y : array-like of shape (n,)
            Their relevance; for pairs 1, -1 or 0. Ties are left out.
        sample_weight : array-like of shape (n,), optional
            A group weighs as much as its rows on average.
        groups : array-like of shape (n,), optional
            The group of each row. Needed where ``fit`` had groups.

        Returns
        -------
        float
            Higher is better.

        Raises
        ------
        ValueError
            When ``fit`` had groups and ``score`` has none, and when nothing can be scored.
        """
        check_is_fitted(self)
        if self.tuple_size_ is None or y is None:
            return super().score(X, y, sample_weight, groups=groups)
        decided = np.flatnonzero(np.asarray(y) != 0)
        if not len(decided):
            raise ValueError("y must hold a pair that one of the two wins, 1 or -1; all are ties, 0.")
        weights = None if sample_weight is None else safe_indexing(sample_weight, decided)
        return super().score(safe_indexing(X, decided), safe_indexing(y, decided), weights, groups=groups)

    def _tuple_size_of(self, X: Any) -> int | None:
        return 2 if is_tuples(X, self.preprocessor) else None

    @property
    def _fitted_tuple_size(self) -> int | None:
        return self.tuple_size_

    def _read_as(self, given: Given, tuple_size: int | None, *, reset: bool) -> RankedItems:
        if tuple_size is None:
            return super()._read_as(given, None, reset=reset)
        if "groups" in given.metadata or self.group_column is not None:
            raise ValueError("groups and group_column are for rows; pairs say themselves what is compared.")
        points, pairs = read_tuples(given.X, 2, self.preprocessor, partial(self._check_input, reset=reset))
        sample_weight = given.metadata.get("sample_weight")
        weights = np.ones(len(pairs))
        if sample_weight is not None:
            weights = check_sample_weight(sample_weight, pairs, dtype=np.float64, ensure_non_negative=True)
        return preference_items(points, pairs, given.y, weights)

    def _fitted_attributes(
        self, network: TrainedNetwork, prepared: Prepared[RankedItems, RankerChoice]
    ) -> dict[str, Any]:
        return {**super()._fitted_attributes(network, prepared), "tuple_size_": prepared.data.tuple_size}

    def _max_list_length(self) -> int:
        return self.max_group_size
