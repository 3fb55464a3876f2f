"""PointwiseRanker: a regression of the relevance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from skmetric._sklearn_compat import StrOptions
from skmetric.estimators._target_units import TargetUnits
from skmetric.estimators.preparation import Indices
from skmetric.estimators.ranking._data import RankedItems
from skmetric.estimators.ranking._losses import RankingLoss
from skmetric.estimators.ranking._ranker import Ranker, RankerChoice
from skmetric.losses import pointwise_squared_loss

__all__ = ["PointwiseRanker"]


LOSSES: Mapping[str, RankingLoss] = {"squared": RankingLoss(pointwise_squared_loss)}


class PointwiseRanker(Ranker):
    """Scores that regress the relevance of each row by itself: the baseline that the other rankers must beat.

    Groups matter only to ``score`` and to early stopping. ``predict`` is in units of the relevance.

    Parameters
    ----------
    n_components : int, optional
        Width of the last hidden layer, which ``transform`` gives; one more layer then follows ``hidden_layer_sizes``.
        None: the last of those is it.
    loss : {"squared"}, default="squared"
        See :func:`skmetric.losses.pointwise_squared_loss`.
    metric : str, default="ndcg"
        What ``score`` gives and early stopping looks at: "ndcg", "ndcg_linear", "mrr", "map", each also with a cut as
        in "ndcg@10", or "spearman", "kendall", "pairwise_accuracy".
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
        linear layer that scores its output is added.
    batch_size : int, default=64
        Rows in a batch.
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
    PairwiseRanker, ListwiseRanker : Learn the order within groups.

    Notes
    -----
    Defaults were chosen on LightGBM's example of ranking and two tables of ``make_ranking``, by cross-validation: a
    strong weight decay and few epochs, as groups are few and grades noisy.

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
        """Score rows in units of the relevance.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n,)
            In float64, which tells timestamps apart.
        """
        scores = super().score_samples(X)
        assert self._choice.units is not None
        return self._choice.units.restore(scores[:, None])[:, 0]

    def _choose(self, data: RankedItems, train: Indices, last: RankerChoice | None) -> RankerChoice:
        choice = super()._choose(data, train, last)
        # The network learns the relevance in standard units, whatever its own; one that learns on keeps them.
        if last is not None and last.units is not None and last.units.vary:
            return replace(choice, units=last.units)
        counted = data.counted(train)
        return replace(choice, units=TargetUnits.of(data.relevance[counted, None], data.weights[counted]))
