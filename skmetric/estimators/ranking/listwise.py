"""ListwiseRanker: learn to rank with losses over whole groups."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch

from skmetric._sklearn_compat import Interval, StrOptions
from skmetric.estimators.ranking._losses import RankingLoss
from skmetric.estimators.ranking._ranker import Ranker
from skmetric.losses import approx_ndcg_loss, list_mle_loss, softmax_loss

__all__ = ["ListwiseRanker"]


LOSSES: Mapping[str, RankingLoss] = {
    "softmax": RankingLoss(softmax_loss, numbers=("temperature",)),
    "list_mle": RankingLoss(list_mle_loss, numbers=("temperature",)),
    "approx_ndcg": RankingLoss(approx_ndcg_loss, numbers=("temperature",), uses_gain=True),
}


class ListwiseRanker(Ranker):
    r"""Learn scores that order the rows of each group by relevance, with a loss over whole groups.

    A network computes the score of each row separately. The loss depends on the scores of all rows of a group.

    Parameters
    ----------
    n_components : int, optional
        Width of the representation that ``transform`` returns: of one more hidden layer after ``hidden_layer_sizes``,
        or of the output of ``module``. If None, the last layer in ``hidden_layer_sizes`` is used.
    loss : {"softmax", "list_mle", "approx_ndcg"}, default="softmax"
        Loss over the scores of a group:

        - "softmax": cross entropy between the softmax of the relevance and the softmax of the scores, the top-one loss
          of ListNet (:func:`skmetric.losses.softmax_loss`).
        - "list_mle": negative log-likelihood that each row comes before all less relevant rows, ListMLE
          (:func:`skmetric.losses.list_mle_loss`).
        - "approx_ndcg": one minus NDCG with smooth ranks, ApproxNDCG (:func:`skmetric.losses.approx_ndcg_loss`). Its
          gain is that of ``metric``.
    temperature : float, default=1.0
        Temperature of the loss: scores are divided by it.
    metric : str, default="ndcg"
        Metric that ``score`` returns and early stopping uses: "ndcg", "ndcg_linear", "mrr" or "map", each also with a
        cutoff as in "ndcg@10"; or "spearman", "kendall" or "pairwise_accuracy".
    max_group_size : int, default=256
        Maximum length of a list in the loss. A longer group is split into several lists, at random in each epoch.
        The memory of "softmax" and "list_mle", which sorts each list, grows linearly with this length. That of
        "approx_ndcg", which compares all pairs of a list, grows with its square.
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

    See Also
    --------
    PairwiseRanker : Ranker with losses over pairs of rows.
    PointwiseRanker : Ranker that predicts the relevance of each row by regression.

    Notes
    -----
    Defaults were chosen by cross-validation on the ranking example of LightGBM and two tables of ``make_ranking``: a
    strong weight decay and few epochs, because groups are few and grades are noisy.

    References
    ----------
    Cao, Qin, Liu, Tsai, Li (2007). Learning to Rank: From Pairwise Approach to Listwise Approach. ICML.

    Xia, Liu, Wang, Zhang, Li (2008). Listwise Approach to Learning to Rank: Theory and Algorithm. ICML.

    Qin, Liu, Li (2010). A General Approximation Framework for Direct Optimization of Information Retrieval Measures.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric import ListwiseRanker
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 4)).astype(np.float32)
    >>> groups = np.repeat(np.arange(30), 10)
    >>> y = np.clip(np.round(X[:, 0] + X[:, 1] + 2), 0, 4)
    >>> ranker = ListwiseRanker(device="cpu", random_state=0).fit(X, y, groups=groups)
    >>> bool(ranker.score(X, y, groups=groups) > 0.95)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **Ranker._ranker_constraints,
        "max_group_size": [Interval(Integral, 2, None, closed="left")],
        "loss": [StrOptions(set(LOSSES))],
        # A wide range within the limits of float32.
        "temperature": [Interval(Real, 1e-15, 1e15, closed="both")],
    }

    _losses = LOSSES

    def __init__(
        self,
        n_components: int | None = None,
        *,
        loss: str = "softmax",
        temperature: float = 1.0,
        metric: str = "ndcg",
        max_group_size: int = 256,
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
        self.temperature = temperature
        self.metric = metric
        self.max_group_size = max_group_size
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

    def _max_list_length(self) -> int:
        return self.max_group_size
