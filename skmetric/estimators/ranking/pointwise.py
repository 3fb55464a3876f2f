"""PointwiseRanker: learn to rank by regression of the relevance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from skmetric._sklearn_compat import StrOptions
from skmetric.estimators._target_units import TargetUnits
from skmetric.estimators.ranking._data import RankedItems
from skmetric.estimators.ranking._losses import RankingLoss
from skmetric.estimators.ranking._ranker import Ranker, RankerChoice
from skmetric.estimators.training_data import Indices, Prepared
from skmetric.losses import pointwise_squared_loss

__all__ = ["PointwiseRanker"]


LOSSES: Mapping[str, RankingLoss] = {"squared": RankingLoss(pointwise_squared_loss)}


class PointwiseRanker(Ranker):
    """Learn scores that predict the relevance of each row by regression: the baseline for the other rankers.

    Only ``score`` and early stopping use groups. ``predict`` returns scores in units of the relevance.

    Parameters
    ----------
    n_components : int, optional
        Width of the representation that ``transform`` returns: of one more hidden layer after ``hidden_layer_sizes``,
        or of the output of ``module``. If None, the last layer in ``hidden_layer_sizes`` is used.
    loss : {"squared"}, default="squared"
        Loss of the score of each row:

        - "squared": squared difference between score and relevance (:func:`skmetric.losses.pointwise_squared_loss`).
    metric : str, default="ndcg"
        Metric that ``score`` returns and early stopping uses: "ndcg", "ndcg_linear", "mrr" or "map", each also with a
        cutoff as in "ndcg@10"; or "spearman", "kendall" or "pairwise_accuracy".
    group_column : str or int, optional
        Name or index of the column of ``X`` that holds the groups, if metadata routing does not pass ``groups``. An int
        is always an index, also in a DataFrame. The network does not see this column. ``predict``, ``score_samples``
        and ``transform`` do not use it, and there a DataFrame may lack a column that is given by its name.
    unlabeled : object, optional
        Relevance of rows that are not judged, such as -1. NaN stands for all missing values. These rows help to scale
        the inputs, but they are in no list and in no score. If None, all rows are judged.
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
        Maximum number of rows per batch. If there are fewer rows, it is cut to their number, rounded up to a multiple
        of 64.
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

    See Also
    --------
    PairwiseRanker : Ranker with losses over pairs of rows.
    ListwiseRanker : Ranker with losses over whole groups.

    Notes
    -----
    Defaults were chosen by cross-validation on the ranking example of LightGBM and two tables of ``make_ranking``: a
    strong weight decay and few epochs, because groups are few and grades are noisy.

    References
    ----------
    Cossock, Zhang (2006). Subset Ranking Using Regression. COLT.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric import PointwiseRanker
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 4)).astype(np.float32)
    >>> groups = np.repeat(np.arange(30), 10)
    >>> y = np.clip(np.round(X[:, 0] + X[:, 1] + 2), 0, 4)
    >>> ranker = PointwiseRanker(device="cpu", random_state=0).fit(X, y, groups=groups)
    >>> bool(ranker.score(X, y, groups=groups) > 0.95)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **Ranker._ranker_constraints,
        "loss": [StrOptions(set(LOSSES))],
    }
    _losses = LOSSES

    def __init__(
        self,
        n_components: int | None = None,
        *,
        loss: str = "squared",
        metric: str = "ndcg",
        group_column: str | int | None = None,
        unlabeled: Any = None,
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
        self.loss = loss
        self.metric = metric
        self.group_column = group_column
        self.unlabeled = unlabeled
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

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute the scores of rows, in units of the relevance.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            One score per row, in float64, so that large values such as timestamps keep their digits.
        """
        scores = super().score_samples(X)
        assert self._choice.units is not None
        return self._choice.units.restore(scores[:, None])[:, 0]

    def _choose(self, data: RankedItems, train: Indices, last: RankerChoice | None) -> RankerChoice:
        choice = super()._choose(data, train, last)
        # The network learns the standardized relevance. When training continues, the units are kept.
        if last is not None and last.units is not None and last.units.vary:
            return replace(choice, units=last.units)
        counted = data.counted(train)
        return replace(choice, units=TargetUnits.of(data.relevance[counted, None], data.weights[counted]))

    def _largest_output(self, prepared: Prepared[RankedItems, RankerChoice]) -> float:
        assert prepared.choice.units is not None
        return prepared.choice.units.largest_output(prepared.data.relevance[:, None])
