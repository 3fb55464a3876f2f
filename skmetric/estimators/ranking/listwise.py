"""ListwiseRanker: losses over whole groups."""

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
    r"""Scores whose order is that of relevance, learned from whole groups.

    A network scores each row by itself, and is trained on what the scores of a group say about all of it: with the
    cross entropy of which row comes first (softmax, ListNet's top-one), the likelihood of the order (ListMLE), or a
    smooth NDCG (ApproxNDCG).

    Parameters
    ----------
    n_components : int, optional
        Width of the last hidden layer, which ``transform`` gives; one more layer then follows ``hidden_layer_sizes``.
        None: the last of those is it.
    loss : {"softmax", "list_mle", "approx_ndcg"}, default="softmax"
        See :func:`skmetric.losses.softmax_loss`, :func:`skmetric.losses.list_mle_loss` and
        :func:`skmetric.losses.approx_ndcg_loss`. "approx_ndcg" takes its gain from ``metric``.
    temperature : float, default=1.0
        Unit of the scores.
    metric : str, default="ndcg"
        What ``score`` gives and early stopping looks at: "ndcg", "ndcg_linear", "mrr", "map", each also with a cut as
        in "ndcg@10", or "spearman", "kendall", "pairwise_accuracy".
    max_group_size : int, default=256
        Longest list that is ranked at a time; a longer group is split at random, anew every epoch. Losses over pairs
        take memory in its square.
    group_column : str or int, optional
        Name or place of the column of ``X`` that holds the groups, where metadata is not routed. The network never
        sees it; ``predict`` needs it to be there and does not read it.
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

    See Also
    --------
    PairwiseRanker : Losses over pairs.
    PointwiseRanker : A regression of the relevance.

    Notes
    -----
    Defaults were chosen on LightGBM's example of ranking and two tables of ``make_ranking``, by cross-validation: a
    strong weight decay and few epochs, as groups are few and grades noisy.

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
        "temperature": [Interval(Real, 0, None, closed="neither")],
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
