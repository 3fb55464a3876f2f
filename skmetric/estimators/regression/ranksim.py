"""RankSimRegressor: a network for regression whose representation keeps the order of the targets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from skmetric._core.engine import TrainedNetwork
from skmetric._core.nn import Columns, SmoothingSpec
from skmetric._sklearn_compat import Interval, RegressorMixin, StrOptions, check_sample_weight, fit_context
from skmetric._warnings import warn_caller
from skmetric.estimators._base import Head, Judge, TorchEstimator, all_or_nothing
from skmetric.estimators._target_units import TargetUnits
from skmetric.estimators.preparation import Batches, Given, Indices, Prepared
from skmetric.estimators.regression._data import (
    SMOOTHING_BINS,
    RegressorBatching,
    TargetRows,
    check_numbers,
    density_weighter,
    target_range,
)
from skmetric.estimators.regression._metric import METRICS, check_judged
from skmetric.estimators.regression._objectives import TERMS, RankSimObjective
from skmetric.imbalance import LabelDensityWeighter
from skmetric.imbalance.bins import Range
from skmetric.losses.order.similarity import SIMILARITIES

__all__ = ["RankSimRegressor"]

# What gamma="auto" brings the norm of RankSim's gradient to, in units of that of the other loss.
BALANCE = 0.3
# Training rows that are looked at to see whether they still differ.
COLLAPSE_ROWS = 256


@dataclass(frozen=True, eq=False)
class RegressorChoice:
    """What the regressor settles by looking at its data.

    Attributes
    ----------
    units : TargetUnits
        Units in which the targets are learned.
    weighter : LabelDensityWeighter, optional
        Weighs rows by the density of their targets.
    span : Range, optional
        What the bins of the target span, where features are smoothed over them.
    """

    units: TargetUnits
    weighter: LabelDensityWeighter | None
    span: Range | None


class RankSimRegressor(RegressorMixin, TorchEstimator[TargetRows, RegressorChoice]):
    r"""Regression by a network whose representation is pulled into the order of the targets.

    The network lowers a loss of its predictions plus :math:`\gamma` times RankSim: for each row of a batch, the others
    should come in the same order by the similarity of their representations as by that of their targets; see
    :func:`skmetric.losses.ranksim_loss`. Rows with rare targets then lie next to rows with like ones, and
    ``transform`` gives a representation in which neighbors have like targets. Weights by the density of the targets
    and smoothing of the features, for imbalanced targets, are there too, and off.

    Parameters
    ----------
    n_components : int, optional
        Width of the last hidden layer, which ``transform`` gives; one more layer then follows ``hidden_layer_sizes``.
        None: the last of those is it.
    loss : {"absolute", "squared", "huber"}, default="absolute"
        Of a prediction, in standard deviations of the target; "huber" is half the square up to one of them, and linear
        beyond. "absolute" predicts medians, "squared" means. Averaged over the targets where there are several.
    gamma : float or "auto", default="auto"
        What multiplies RankSim. 0 is a plain network, and the fastest. "auto" brings RankSim's gradient at the
        representation, at every step, to 0.3 of the norm of the other loss's gradient there, but takes no gamma
        above 1: close to its optimum RankSim's gradient is small, and would be noise.
    interpolation_strength : float, default=2.0
        How far similarities are moved to see how ranks change, lambda in the paper; with
        ``scale_free=True`` in standard deviations of the similarities, for a rank that is wrong from end to end.
    similarity : {"euclidean", "cosine"}, default="euclidean"
        Of representations: minus their distance, or the cosine between them. That of targets is minus the distance.
    scale_free : bool, default=True
        Let gamma be a weight and nothing else. False is the published form, in which it also decides how far
        similarities are moved.
    max_rank_samples : int, default=64
        Most rows of a batch that RankSim ranks, one a distinct target; its cost grows with the square.
    weighting : {"lds", "kde"} or LabelDensityWeighter, optional
        Weigh rows with rare targets up; see :class:`skmetric.imbalance.LabelDensityWeighter`. Multiplies
        ``sample_weight``. For a single target.
    feature_smoothing : bool, default=False
        While training, move features to a mean and a variance smoothed over 50 bins of the target. For a single target.
    metric : {"r2", "neg_mean_absolute_error", "neg_root_mean_squared_error", "spearman", "kendall"}, default="r2"
        What ``score`` gives and early stopping looks at; higher is better, and the mean over several targets.
    hidden_layer_sizes : int or sequence of int, default=(128, 128)
        Widths of the hidden layers; with an empty one and no ``n_components`` the model is linear, and there is no
        representation for RankSim to change.
    dropout : float, default=0.1
        Share of the hidden activations set to zero while training.
    scale_inputs : bool, default=True
        Standardize each column inside the network and bend values beyond about three standard deviations smoothly;
        then neither the units of a column nor its outliers matter. False takes the columns as given.
    module : callable, optional
        ``(n_features_in, n_components) -> torch.nn.Module``: a network of your own in place of the hidden layers; the
        linear layer that predicts from its output is added.
    batch_size : int, default=64
        Most rows in a batch.
    max_iter : int, default=100
        Epochs.
    learning_rate : float, default=0.01
        Highest rate of AdamW; it rises to it over the first 30% of the steps and falls to nearly zero after them.
    weight_decay : float, default=0.3
        Of AdamW.
    early_stopping : bool, default=False
        Hold out rows, spread over the range of the target, stop when ``metric`` no longer rises on them, and keep the
        best weights.
    validation_fraction : float, default=0.1
        What early stopping holds out.
    n_iter_no_change : int, default=10
        Epochs without a better ``metric`` after which early stopping stops.
    device : str or torch.device, default="auto"
        "cpu", "cuda", "cuda:1", "mps", ..., or a torch.device; "auto" takes a GPU where there is one.
    random_state : int, RandomState instance or None, default=None
        Decides initial weights, batches and dropout. The same int gives the same predictions, bit for bit on a CPU.
    warm_start : bool, default=False
        Let ``fit`` go on from the weights of the last fit, and from how it scaled inputs and targets.
    callbacks : list of skorch callbacks, optional
        Notified of training and epochs, not of batches. scikit-learn's own callbacks are set by ``set_callbacks``.
    verbose : int, default=0
        Above 0, one line an epoch is printed.

    Attributes
    ----------
    density_weighter_ : LabelDensityWeighter or None
        As fitted to the training targets, where there is a ``weighting``.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of str
        Their names, where ``X`` had names.
    n_iter_ : int
        Epochs run.
    history_ : list of dict
        One an epoch: ``train_loss``; ``neighbor_spearman``, how far those rows of the last batch that RankSim ranks are
        neighbors in the representation as they are in the targets (:func:`skmetric.losses.neighbor_spearman`);
        ``valid_score`` where there is early stopping; and ``dur`` in seconds.

    See Also
    --------
    skmetric.losses.ranksim_loss : The regularization.
    skmetric.imbalance.LabelDensityWeighter : Weights for any regressor.
    skmetric.imbalance.shot_report : Errors where targets are many, and where they are few.

    Notes
    -----
    The paper ranks by cosines, adds 100 times the loss, and interpolates before that; on tables this wrecks training.
    ``similarity="cosine", scale_free=False, gamma=100`` is that setting, but that ties here share their mean rank.

    Defaults of the network and its training were chosen by cross-validation on scikit-learn's diabetes and nine made
    tables of 300 to 1500 rows.

    A constant target, and a batch of one distinct target, have no order: RankSim is 0 there, and predictions are the
    constant. The targets' units do not matter: they are standardized by the weighted rows, and predictions come back
    in their own units, in float64 unless the targets are float32.

    References
    ----------
    Gong, Mori, Tung (2022). RankSim: Ranking Similarity Regularization for Deep Imbalanced Regression. ICML.

    Yang, Zha, Chen, Wang, Katabi (2021). Delving into Deep Imbalanced Regression. ICML.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from sklearn.model_selection import train_test_split
    >>> from skmetric import RankSimRegressor
    >>> X, y = make_friedman1(400, random_state=0)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> regressor = RankSimRegressor(max_iter=30, device="cpu", random_state=0).fit(X_train, y_train)
    >>> bool(regressor.score(X_test, y_test) > 0.8)
    True
    >>> regressor.transform(X_test).shape
    (100, 128)
    """

    density_weighter_: LabelDensityWeighter | None
    _n_targets: int
    _y_ndim: int
    _y_dtype: type[np.floating]

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **TorchEstimator._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "loss": [StrOptions(set(TERMS))],
        # Wide, and within what float32 holds.
        "gamma": [Interval(Real, 0, 1e30, closed="both"), StrOptions({"auto"})],
        "interpolation_strength": [Interval(Real, 1e-30, 1e30, closed="both")],
        "similarity": [StrOptions(set(SIMILARITIES))],
        "scale_free": ["boolean"],
        "max_rank_samples": [Interval(Integral, 2, None, closed="left")],
        "weighting": [StrOptions({"lds", "kde"}), LabelDensityWeighter, None],
        "feature_smoothing": ["boolean"],
        "metric": [StrOptions(set(METRICS))],
    }

    def __init__(
        self,
        n_components: int | None = None,
        *,
        loss: str = "absolute",
        gamma: float | str = "auto",
        interpolation_strength: float = 2.0,
        similarity: str = "euclidean",
        scale_free: bool = True,
        max_rank_samples: int = 64,
        weighting: str | LabelDensityWeighter | None = None,
        feature_smoothing: bool = False,
        metric: str = "r2",
        hidden_layer_sizes: int | Sequence[int] = (128, 128),
        dropout: float = 0.1,
        inputs: str = "bounded",
        module: Callable[[int, int], torch.nn.Module] | None = None,
        batch_size: int = 64,
        max_iter: int = 100,
        learning_rate: float = 0.01,
        weight_decay: float = 0.3,
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
        self.gamma = gamma
        self.interpolation_strength = interpolation_strength
        self.similarity = similarity
        self.scale_free = scale_free
        self.max_rank_samples = max_rank_samples
        self.weighting = weighting
        self.feature_smoothing = feature_smoothing
        self.metric = metric
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

    @all_or_nothing
    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Learn to predict the targets.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows, converted to float32.
        y : array-like of shape (n,) or (n, n_targets)
            Their targets.
        sample_weight : array-like of shape (n,), optional
            Not negative; a weight of 2 counts as the same row twice, in the loss and where inputs and targets are
            standardized. RankSim, ``weighting`` and ``feature_smoothing`` look at all rows that have a weight alike.
        X_val, y_val : array-like, optional
            Rows and targets to stop early by, in place of rows held out from X; they need ``early_stopping=True``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For bad input, and when the loss becomes NaN or infinite. The estimator is then as it was before.

        Warns
        -----
        ConvergenceWarning
            When the representation has collapsed to a point.
        """
        return self._fit(Given.of(X, y, sample_weight=sample_weight, X_val=X_val, y_val=y_val))

    def predict(self, X: ArrayLike) -> NDArray[np.floating]:
        """Predict the targets, in their own units.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n,) or (n, n_targets)
            As many axes as ``y`` had in ``fit``; float32 where ``y`` was, else float64.
        """
        check_is_fitted(self)
        predicted = self._predict(self._points(X))
        return predicted[:, 0] if self._y_ndim == 1 else predicted

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Score predictions by the estimator's ``metric``.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows.
        y : array-like of shape (n,) or (n, n_targets)
            Their targets.
        sample_weight : array-like of shape (n,), optional
            The weight of each row; correlations of orders only leave out rows without weight.

        Returns
        -------
        float
            Higher is better.
        """
        check_is_fitted(self)
        rows = self._read_as(Given.of(X, y, sample_weight=sample_weight), self._n_targets)
        if self.metric != "r2":  # which scikit-learn defines for constant targets too
            check_judged(self.metric, rows.y[rows.weights > 0], "y")
        weights = None if sample_weight is None else rows.weights
        return METRICS[self.metric](rows.y, self._predict(rows.columns), weights)

    def _predict(self, columns: Columns) -> NDArray[np.floating]:
        outputs = self._network.apply(columns, self.device)
        predicted: NDArray[np.floating] = self._choice.units.restore(outputs).astype(self._y_dtype, copy=False)
        return predicted

    def _read(self, given: Given, like: TargetRows | None = None) -> TargetRows:
        return self._read_as(given) if like is None else self._read_as(given, like.y.shape[1], name="y_val")

    def _read_as(self, given: Given, n_targets: int | None = None, *, name: str = "y") -> TargetRows:
        """Check rows, targets and weights; with ``n_targets``, against those of ``fit``."""
        if given.y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        is_first = n_targets is None
        rows, targets = self._check_input(
            given.X,
            given.y,
            reset=is_first,
            ensure_min_samples=2 if is_first else 1,
            multi_output=True,
            y_numeric=True,
        )
        numbers = check_numbers(targets, name).reshape(len(rows), -1)
        if n_targets is not None and numbers.shape[1] != n_targets:
            raise ValueError(
                f"{name} must hold as many targets as y of fit, {n_targets}; got {numbers.shape[1]}. Pass the "
                "same columns, or fit anew."
            )
        sample_weight = given.metadata.get("sample_weight")
        weights = check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True)
        dtype = np.float32 if targets.dtype == np.float32 else np.float64
        return TargetRows(Columns(rows), numbers, weights, targets.ndim, dtype)

    def _choose(self, data: TargetRows, train: Indices, last: RegressorChoice | None) -> RegressorChoice:
        rows = data.some(train)
        weighter = density_weighter(self.weighting, rows.y)
        # A network that learns on keeps its units, and what its bins span.
        units = last.units if last is not None and last.units.vary else TargetUnits.of(rows.y, rows.weights)
        if not self.feature_smoothing:
            return RegressorChoice(units, weighter, None)
        kept = None if last is None else last.span
        return RegressorChoice(units, weighter, kept or target_range(rows.y))

    def _head(self, data: TargetRows, choice: RegressorChoice, input_width: int) -> Head:
        smoothing = SmoothingSpec(SMOOTHING_BINS) if self.feature_smoothing else None
        return self._scored_head(self.n_components, input_width, data.y.shape[1], smoothing)

    def _batching(self, choice: RegressorChoice) -> RegressorBatching:
        return RegressorBatching(self.batch_size, choice.units, choice.weighter, choice.span)

    def _objective(
        self, data: TargetRows, choice: RegressorChoice, batches: Batches
    ) -> tuple[RankSimObjective, dict[str, float]]:
        objective = RankSimObjective(
            self.loss, self.gamma != 0, self.similarity, self.scale_free, self.max_rank_samples
        )
        is_balanced = self.gamma == "auto"
        return objective, {
            "gamma": 0.0 if is_balanced else float(self.gamma),
            "balance": BALANCE if is_balanced else 0.0,
            "interpolation_strength": float(self.interpolation_strength),
        }

    def _validation(self, held_out: TargetRows, choice: RegressorChoice) -> tuple[Columns, Judge]:
        check_judged(self.metric, held_out.y, "the targets of the rows to stop early by (held out, or y_val)")
        return held_out.columns, partial(_judge_outputs, metric=self.metric, rows=held_out, units=choice.units)

    def _fitted_attributes(
        self, network: TrainedNetwork, prepared: Prepared[TargetRows, RegressorChoice]
    ) -> dict[str, Any]:
        data = prepared.data
        return {
            **super()._fitted_attributes(network, prepared),
            "density_weighter_": prepared.choice.weighter,
            "_n_targets": data.y.shape[1],
            "_y_ndim": data.n_axes,
            "_y_dtype": data.dtype,
        }

    def _check_learned(self, prepared: Prepared[TargetRows, RegressorChoice]) -> None:
        points = prepared.data.columns.take(np.arange(min(COLLAPSE_ROWS, len(prepared.data.columns))))
        representation = self._network.represent(points, self.device)
        has_collapsed = (representation == representation[0]).all() and not points.are_equal()
        if has_collapsed and (prepared.choice.units.scale > 0).any():
            warn_caller(
                f"{type(self).__name__}'s representation has collapsed: it is the same for all rows, and so is every "
                "prediction. Lower learning_rate, take gamma='auto' or a smaller one, or a wider last hidden layer.",
                ConvergenceWarning,
            )

    def _points(self, X: Any) -> Columns:
        return Columns(self._check_input(X, reset=False))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _judge_outputs(outputs: NDArray, *, metric: str, rows: TargetRows, units: TargetUnits) -> float:
    """Score a network's outputs for rows by the metric of a name."""
    return METRICS[metric](rows.y, units.restore(outputs), rows.weights)
