"""PairwiseRanker: learn to rank with losses over pairs of rows."""

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

from skmetric._checks import check_training_weights
from skmetric._core.engine import TrainedNetwork
from skmetric._core.nn import Columns
from skmetric._outcomes import WINNER, OutcomeKind, read_outcomes
from skmetric._sklearn_compat import Interval, StrOptions, safe_indexing
from skmetric.estimators.points import Preprocessor, check_preprocessor, is_tuples, read_tuples, refuse_indices_as_rows
from skmetric.estimators.ranking._data import RankedItems, list_of_each, preference_items
from skmetric.estimators.ranking._losses import RankingLoss
from skmetric.estimators.ranking._ranker import Ranker, RankerChoice
from skmetric.estimators.training_data import Given, Prepared
from skmetric.losses import lambda_loss, pairwise_hinge_loss, pairwise_logistic_loss

__all__ = ["PairwiseRanker"]


def _is_fitted_on_pairs(ranker: Any) -> bool:
    if getattr(ranker, "tuple_size_", None) != 2:
        raise AttributeError(f"{type(ranker).__name__} has this method only after fit on pairs.")
    return True


def _gives_probabilities(ranker: Any) -> bool:
    if ranker.loss != "logistic":
        raise AttributeError(f"loss must be 'logistic' for probabilities, got loss={ranker.loss!r}.")
    return _is_fitted_on_pairs(ranker)


LOSSES: Mapping[str, RankingLoss] = {
    "hinge": RankingLoss(pairwise_hinge_loss, numbers=("margin",)),
    "logistic": RankingLoss(pairwise_logistic_loss),
    "lambda": RankingLoss(lambda_loss, uses_gain=True, uses_cut=True),
}


class PairwiseRanker(Ranker):
    r"""Learn scores that order the rows of each group by relevance, with a loss over pairs of rows.

    A network :math:`s` computes the score of each row separately. The loss compares the scores of pairs of rows of a
    group that differ in relevance.

    ``fit`` also takes preferences: pairs of points with ``y`` = 1 if the first wins, -1 if the second wins, and 0 for a
    tie, or with booleans. With ``y=None``, the first wins in all pairs. One network scores both points, so swapping
    them changes only the sign of ``predict``.

    Parameters
    ----------
    n_components : int, optional
        Width of the representation that ``transform`` returns: of one more hidden layer after ``hidden_layer_sizes``,
        or of the output of ``module``. If None, the last layer in ``hidden_layer_sizes`` is used.
    margin : float, default=1.0
        Margin by which the more relevant row should score higher, for ``loss="hinge"``.
    loss : {"hinge", "logistic", "lambda"}, default="hinge"
        Loss over pairs, where row i is more relevant than row j:

        - "hinge": :math:`\max(0, m - (s_i - s_j))` with the ``margin`` m (:func:`skmetric.losses.pairwise_hinge_loss`).
        - "logistic": :math:`\log(1 + e^{-(s_i - s_j)})`, RankNet (:func:`skmetric.losses.pairwise_logistic_loss`).
        - "lambda": the logistic loss, weighted by how much NDCG would change if the two rows were swapped, LambdaRank
          (:func:`skmetric.losses.lambda_loss`). Its gain and cutoff are those of ``metric``.
    metric : str, default="ndcg"
        Metric that ``score`` returns and early stopping uses: "ndcg", "ndcg_linear", "mrr" or "map", each also with a
        cutoff as in "ndcg@10"; or "spearman", "kendall" or "pairwise_accuracy".
    max_group_size : int, default=256
        Maximum length of a list in the loss. A longer group is split into several lists, at random in each epoch.
        Memory grows with the square of this length, because the losses compare all pairs of a list.
    group_column : str or int, optional
        Name or index of the column of ``X`` that holds the groups, if metadata routing does not pass ``groups``. An int
        is always an index, also in a DataFrame. The network does not see this column. ``predict``, ``score_samples``
        and ``transform`` do not use it, and there a DataFrame may lack a column that is given by its name.
    unlabeled : object, optional
        Relevance of rows that are not judged, such as -1. NaN stands for all missing values. These rows help to scale
        the inputs, but they are in no list and in no score. If None, all rows are judged.
    ties : bool, default=False
        Whether 0 in ``y`` of pairs is known to mean a tie. Otherwise, ``fit`` raises an error for 0 without any -1,
        because 0 may as well mean that the second point wins.
    preprocessor : array-like, dict, callable or Rows, optional
        Source of the points if ``X`` holds indices: a table of points, a dict of ids and points, a function from
        indices (or other keys, such as file names) to points, or :class:`skmetric.Rows`, which the candidates of a
        search share. A pandas DataFrame whose index is not the default is read by the labels of its index. ``X`` may
        then have shape (n_pairs, 2).
    hidden_layer_sizes : int or sequence of int, default=(128,)
        Widths of the hidden layers; an int is one layer. With an empty sequence and ``n_components=None``, predictions
        are a linear function of the scaled columns (see ``inputs``).
    dropout : float, default=0.2
        Probability of setting a hidden activation to zero during training.
    inputs : str, default="bounded"
        Encoding of the columns of ``X``. The user guide lists all encodings; the basic ones are:

        - "bounded": standardize each column in float64, then smoothly bend values beyond about three standard
          deviations, so that neither units, offsets nor outliers matter.
        - "standard": standardize each column only, so that ``hidden_layer_sizes=()`` is a linear model.
        - "none": use the columns as given, in float32.

        A custom ``module`` always gets the columns as given. When training continues from an earlier fit
        (``warm_start``; ``partial_fit`` of embedders), columns that varied before keep their scaling.
    module : callable, optional
        Function ``(n_features_in, n_components) -> torch.nn.Module`` that builds a custom network in place of the
        hidden layers. A linear layer on its output, which gives the predictions, is added. The module gets the columns
        as given. Training also calls it with rows that only fill up a batch. This matters if the rows of a batch affect
        each other, as in batch normalization.
    batch_size : int, default=64
        Maximum number of rows per batch, including padding. A batch holds whole groups; it is larger if the longest
        group (at most ``max_group_size``) does not fit. If all groups need less, it is cut to what they need, rounded
        up to a multiple of 64.
    max_iter : int, default=20
        Maximum number of epochs.
    learning_rate : float, default=0.003
        Peak learning rate. A one-cycle schedule warms up to it over the first 30% of steps, then decays to near zero.
    weight_decay : float, default=3.0
        Weight decay of the AdamW optimizer. Each step multiplies the weights by 1 minus the learning rate times this
        number, so ``learning_rate * weight_decay`` must be below 2.
    early_stopping : bool, default=False
        If True, hold out whole groups (or rows, if all rows are one list), stop when their ``metric`` no longer
        increases, and keep the weights of the best epoch.
    validation_fraction : float, default=0.1
        Fraction of the training data held out for early stopping, if ``fit`` gets no ``X_val``.
    n_iter_no_change : int, default=10
        Number of epochs without a better validation score after which early stopping stops training.
    device : str or torch.device, default="auto"
        Device for training and prediction: "cpu", "cuda", "cuda:1", "mps", ..., or a torch.device. "auto" uses a GPU
        if there is one.
    random_state : int, RandomState instance or None, default=None
        Controls all randomness: initial weights, batches, dropout and held-out data. The same int gives the same
        result, bit for bit on a CPU. If None, each fit differs.
    warm_start : bool, default=False
        If True, ``fit`` continues from the weights of the last fit, and keeps its scaling of the inputs (and of the
        targets, if the estimator scales them).
    callbacks : list of skorch callbacks, optional
        Callbacks are notified at the beginning and the end of training and of each epoch. They see the history
        (``history``), the network (``module_``) and the optimizer (``optimizer_``, whose "lr" is a factor on
        ``learning_rate``). Callbacks that act within an epoch are an error. ``Checkpoint`` needs ``monitor=None``. Set
        callbacks of scikit-learn by ``set_callbacks``.
    verbose : int, default=0
        If above 0, print one line per epoch.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of ``X``, including the group column.
    feature_names_in_ : ndarray of str
        Names of the columns of ``X``, if it has names.
    has_groups_ : bool
        Whether ``fit`` had groups. ``score`` then needs groups, too.
    n_iter_ : int
        Number of epochs run.
    history_ : list of dict
        One dict per epoch: ``epoch``, ``train_loss``, ``valid_score`` with early stopping, and ``dur`` in seconds.
    tuple_size_ : int or None
        2 after ``fit`` on pairs, None after ``fit`` on rows.

    See Also
    --------
    ListwiseRanker : Ranker with losses over whole groups.
    skmetric.metrics.ndcg_scorer : NDCG for ``GridSearchCV(scoring=...)``.

    Notes
    -----
    Defaults were chosen by cross-validation on the ranking example of LightGBM and two tables of ``make_ranking``: a
    strong weight decay and few epochs, because groups are few and grades are noisy.

    After ``fit`` on pairs, ``predict``, ``decision_function``, ``predict_proba`` and ``score`` take pairs;
    ``score_samples`` and ``transform`` always take points. Early stopping then holds out single pairs, and in place of
    ``metric``, the fraction of correctly predicted pairs is used. ``groups`` of pairs, such as annotators, serve only
    the splitter of a search; to stop early by other annotators, pass their pairs as ``X_val``.

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
        # A wide range within the limits of float32.
        "margin": [Interval(Real, 0, 1e15, closed="right")],
        "loss": [StrOptions(set(LOSSES))],
        "ties": ["boolean"],
        "preprocessor": [object],
    }

    _losses = LOSSES
    tuple_size_: int | None
    _outcome_kind: OutcomeKind

    def __init__(
        self,
        n_components: int | None = None,
        *,
        margin: float = 1.0,
        loss: str = "hinge",
        metric: str = "ndcg",
        max_group_size: int = 256,
        group_column: str | int | None = None,
        unlabeled: Any = None,
        ties: bool = False,
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
        self.unlabeled = unlabeled
        self.ties = ties
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
        """Compute the scores of rows, or predict which point of each pair wins.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_pairs, 2, n_features)
            Rows if ``fit`` had rows, pairs if ``fit`` had pairs.

        Returns
        -------
        predictions : ndarray of shape (n_samples,)
            For rows, their scores; rows of higher score rank first. For pairs, 1 if the first point wins, -1 if the
            second wins, and 0 if their scores are equal; or whether the first wins, if ``y`` of ``fit`` held booleans.
        """
        check_is_fitted(self)
        if self.tuple_size_ is None:
            return super().predict(X)
        return self._outcome_kind.predictions(self.decision_function(X))

    @available_if(_is_fitted_on_pairs)
    def decision_function(self, X: ArrayLike) -> NDArray[np.float32]:
        """Compute the score of the first point of each pair minus the score of the second.

        Parameters
        ----------
        X : array-like of shape (n_pairs, 2, n_features), or indices of shape (n_pairs, 2)
            The pairs. Indices need a ``preprocessor``.

        Returns
        -------
        decision : ndarray of shape (n_pairs,), float32
            Positive if the first point wins. Swapping the two points changes exactly the sign.
        """
        check_is_fitted(self)
        points, pairs = read_tuples(X, 2, self.preprocessor, partial(self._check_input, reset=False))
        first, second = self._scores(Columns(points))[pairs].T
        return first - second

    @available_if(_gives_probabilities)
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Predict the probability that each point of a pair wins. Available with ``loss="logistic"``.

        Parameters
        ----------
        X : array-like of shape (n_pairs, 2, n_features), or indices of shape (n_pairs, 2)
            The pairs. Indices need a ``preprocessor``.

        Returns
        -------
        probabilities : ndarray of shape (n_pairs, 2), float32
            The probability of -1 (the second point wins) in the first column, and of 1 (the first wins) in the second.
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
        """Compute the mean over groups of ``metric``, or the fraction of correctly predicted pairs.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_pairs, 2, n_features)
            Rows if ``fit`` had rows, pairs if ``fit`` had pairs.
        y : array-like of shape (n_samples,) or (n_pairs,)
            The relevance of each row; rows whose relevance equals ``unlabeled`` are left out. For pairs 1, -1 or 0;
            ties, 0, are left out.
        sample_weight : array-like of shape (n_samples,) or (n_pairs,), optional
            Non-negative weights. The weight of a group is the mean weight of its rows.
        groups : array-like of shape (n_samples,), optional
            The group of each row. Required if ``fit`` had groups, unless ``X`` has the ``group_column``. No effect for
            pairs.

        Returns
        -------
        score : float
            The mean of the metric, or the fraction. Higher is better. Without groups, all rows are one list. It is 0 if
            no group can be scored.

        Raises
        ------
        ValueError
            If ``fit`` had groups and ``score`` has none, if the metric cannot score ``y``, or if all pairs are ties.

        Warns
        -----
        UndefinedMetricWarning
            If no group can be scored: for NDCG, MRR and MAP if no row is relevant, for the others if no group has two
            rows of different relevance.
        """
        check_is_fitted(self)
        if self.tuple_size_ is None or y is None:
            return super().score(X, y, sample_weight, groups=groups)
        outcome, _ = read_outcomes(y, np.shape(X)[0], WINNER, ties=self._outcome_kind.have_ties)
        decided = np.flatnonzero(outcome)
        if not len(decided):
            raise ValueError("y must hold a pair that is not a tie, 1 or -1, got only ties, 0. Add decided pairs.")
        if groups is not None:
            list_of_each(groups, len(outcome), "pair")
        weights = None if sample_weight is None else safe_indexing(sample_weight, decided)
        return super().score(safe_indexing(X, decided), outcome[decided], weights)

    def _tuple_size_of(self, X: Any) -> int | None:
        check_preprocessor(self.preprocessor)
        return 2 if is_tuples(X, self.preprocessor) else None

    @property
    def _fitted_tuple_size(self) -> int | None:
        return self.tuple_size_

    def _read_as(self, given: Given, tuple_size: int | None, *, reset: bool, ties: bool = False) -> RankedItems:
        if tuple_size is None:
            if reset:
                refuse_indices_as_rows(given.X, given.y, 2, (-1, 0, 1))
            return super()._read_as(given, None, reset=reset)
        if self.group_column is not None:
            raise ValueError(
                f"group_column must be None for pairs, got group_column={self.group_column!r}: the points of a pair "
                "have no group. Pass the ids of pairs as groups= to the splitter."
            )
        points, pairs = read_tuples(given.X, 2, self.preprocessor, partial(self._check_input, reset=reset))
        if "groups" in given.metadata:
            list_of_each(given.metadata["groups"], len(pairs), "pair")
        outcome, kind = read_outcomes(given.y, len(pairs), WINNER, ties=ties or self.ties)
        weights = check_training_weights(given.metadata.get("sample_weight"), len(pairs), per="pair")
        return preference_items(points, pairs, outcome, kind, weights)

    def _fitted_attributes(
        self, network: TrainedNetwork, prepared: Prepared[RankedItems, RankerChoice]
    ) -> dict[str, Any]:
        return {
            **super()._fitted_attributes(network, prepared),
            "tuple_size_": prepared.data.tuple_size,
            "_outcome_kind": prepared.data.outcome_kind,
        }

    def _max_list_length(self) -> int:
        return self.max_group_size
