"""RankSimRegressor: regression by a network whose representation follows the order of the targets."""

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

from skmetric._all_or_nothing import all_or_nothing
from skmetric._checks import check_range, check_training_weights
from skmetric._core.engine import TrainedNetwork
from skmetric._core.nn import Columns, SmoothingSpec
from skmetric._sklearn_compat import Interval, RegressorMixin, StrOptions, fit_context
from skmetric._values import check_numbers
from skmetric._warnings import warn_caller
from skmetric.estimators._base import Head, Judge, TorchEstimator
from skmetric.estimators._target_units import TargetUnits
from skmetric.estimators.regression._data import (
    SMOOTHING_BINS,
    RegressorBatching,
    TargetRows,
    density_weighter,
    target_range,
)
from skmetric.estimators.regression._metric import METRICS, check_judged
from skmetric.estimators.regression._objectives import TERMS, RankSimObjective
from skmetric.estimators.training_data import Batches, Given, Indices, Prepared
from skmetric.imbalance import LabelDensityWeighter
from skmetric.imbalance.bins import Range
from skmetric.losses.order.similarity import SIMILARITIES

__all__ = ["RankSimRegressor"]

# With gamma="auto", the norm of the gradient of RankSim is this fraction of the norm of the other gradient.
BALANCE = 0.3
# Maximum number of training rows that are compared to detect a collapsed representation.
COLLAPSE_ROWS = 256


@dataclass(frozen=True, eq=False)
class RegressorChoice:
    """What a regressor resolves from its data.

    Attributes
    ----------
    units : TargetUnits
        Units in which the targets are learned.
    weighter : LabelDensityWeighter, optional
        Computes weights of rows from the density of their targets.
    span : Range, optional
        Range of the bins of the target, for feature smoothing.
    """

    units: TargetUnits
    weighter: LabelDensityWeighter | None
    span: Range | None


class RankSimRegressor(RegressorMixin, TorchEstimator[TargetRows, RegressorChoice]):
    r"""Regression by a network whose representation follows the order of the targets, by RankSim regularization.

    The network minimizes a loss of its predictions plus :math:`\gamma` times the RankSim loss: for each row of a batch,
    the other rows should have the same order by similarity of their representations as by similarity of their targets;
    see :func:`skmetric.losses.ranksim_loss`. Rows with rare targets then lie next to rows with similar targets, and
    ``transform`` returns a representation in which neighbors have similar targets. For imbalanced targets, there are
    also weights by the density of the targets (``weighting``) and smoothing of features (``feature_smoothing``), which
    are off by default.

    Parameters
    ----------
    n_components : int, optional
        Width of the representation that ``transform`` returns: of one more hidden layer after ``hidden_layer_sizes``,
        or of the output of ``module``. If None, the last layer in ``hidden_layer_sizes`` is used.
    loss : {"absolute", "squared", "huber"}, default="absolute"
        Loss of the predictions, in standard deviations of the target. With several targets, it is their mean.

        - "absolute": absolute error; predicts medians.
        - "squared": squared error; predicts means.
        - "huber": half the squared error up to one standard deviation, linear beyond.
    gamma : float or "auto", default="auto"
        Weight of the RankSim loss. With 0, the network is trained without RankSim, which is fastest. With "auto", each
        step chooses the weight such that the gradient of RankSim at the representation has 0.3 times the norm of the
        gradient of ``loss`` there. The weight is at most 1, because close to its optimum the gradient of RankSim is
        small and would become noise. Without hidden layers, RankSim has no effect.
    interpolation_strength : float, default=2.0
        How far similarities are moved to see how ranks change, lambda in the paper. With ``scale_free=True``, it is in
        standard deviations of the similarities, for a rank that is wrong by the whole list.
    similarity : {"euclidean", "cosine"}, default="euclidean"
        Similarity of representations: minus their Euclidean distance, or the cosine between them. The similarity of
        targets is always minus their distance.
    scale_free : bool, default=True
        If True, ``gamma`` is only a weight. If False, use the published form, in which it also decides how far
        similarities are moved.
    max_rank_samples : int, default=64
        Maximum number of rows per batch that RankSim ranks, one per distinct target. Its cost grows with the square of
        this number.
    weighting : {"lds", "kde"} or LabelDensityWeighter, optional
        Give rows with rare targets a larger weight; see :class:`skmetric.imbalance.LabelDensityWeighter`. These weights
        multiply ``sample_weight``. For a single target only.
    feature_smoothing : bool, default=False
        If True, give features a mean and a variance that are smoothed over 50 bins of the target, during training. For
        a single target only. A warm start keeps the bins; rows with targets outside of them are not smoothed.
    metric : {"r2", "neg_mean_absolute_error", "neg_root_mean_squared_error", "spearman", "kendall"}, default="r2"
        Metric that ``score`` returns and early stopping uses. Higher is better. With several targets, it is their mean.
    hidden_layer_sizes : int or sequence of int, default=(128, 128)
        Widths of the hidden layers; an int is one layer. With an empty sequence and ``n_components=None``, predictions
        are a linear function of the scaled columns (see ``inputs``).
    dropout : float, default=0.1
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
    max_iter : int, default=100
        Maximum number of epochs.
    learning_rate : float, default=0.01
        Peak learning rate. A one-cycle schedule warms up to it over the first 30% of steps, then decays to near zero.
    weight_decay : float, default=0.3
        Weight decay of the AdamW optimizer. Each step multiplies the weights by 1 minus the learning rate times this
        number, so ``learning_rate * weight_decay`` must be below 2.
    early_stopping : bool, default=False
        If True, hold out rows, spread over the range of the target, stop when their ``metric`` no longer increases, and
        keep the weights of the best epoch.
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
    density_weighter_ : LabelDensityWeighter or None
        The weighter, fitted to the training targets; None without ``weighting``.
    n_features_in_ : int
        Number of columns of ``X``.
    feature_names_in_ : ndarray of str
        Names of the columns of ``X``, if it has names.
    n_iter_ : int
        Number of epochs run.
    history_ : list of dict
        One dict per epoch: ``epoch``; ``train_loss``; ``neighbor_spearman``, how well neighbors in the representation
        agree with neighbors in the targets, for the rows of the last batch that RankSim ranks
        (:func:`skmetric.losses.neighbor_spearman`); ``valid_score`` with early stopping; and ``dur`` in seconds.

    See Also
    --------
    skmetric.losses.ranksim_loss : The regularization.
    skmetric.imbalance.LabelDensityWeighter : Weights for any regressor.
    skmetric.imbalance.shot_report : Errors where targets are frequent, and where they are rare.

    Notes
    -----
    The paper ranks by cosine similarity and multiplies the loss by 100 before the interpolation; on tables, this ruins
    training. ``similarity="cosine", scale_free=False, gamma=100`` is this setting, except that ties share their mean
    rank here.

    Defaults of the network and its training were chosen by cross-validation on the diabetes data of scikit-learn and
    nine generated tables of 300 to 1500 rows.

    A constant target, or a batch with one distinct target, has no order: RankSim is then 0, and a constant target is
    predicted exactly. The units of the targets do not matter: targets are standardized by the weighted rows, and
    predictions are in the original units, in float64 unless the targets are float32.

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
        # A wide range within the limits of float32.
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
        X : array-like of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The targets of the rows.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights. A weight of 2 counts as two equal rows, in the loss and in the standardization of
            inputs and targets. RankSim, ``weighting`` and ``feature_smoothing`` use all rows with a positive weight
            equally.
        X_val, y_val : array-like, optional
            Rows and targets for early stopping. They replace the rows held out from ``X`` and need
            ``early_stopping=True``. A Pipeline transforms ``X_val`` only with ``transform_input=["X_val"]``.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input is invalid, or training diverges: the loss becomes NaN or infinite, or outputs for training
            rows become implausibly large. The estimator is then unchanged.

        Warns
        -----
        ConvergenceWarning
            If the representation has collapsed to a point.
        UserWarning
            If ``X_val`` has another scale than ``X``. If the values of a column differ only by rounding errors: it is
            then ignored, as a constant column is.
        """
        return self._fit(Given.of(X, y, sample_weight=sample_weight, X_val=X_val, y_val=y_val))

    def predict(self, X: ArrayLike) -> NDArray[np.floating]:
        """Predict the targets, in their original units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        predictions : ndarray of shape (n_samples,) or (n_samples, n_targets)
            As many axes as ``y`` had in ``fit``; float32 if ``y`` was float32, else float64.
        """
        check_is_fitted(self)
        predicted = self._predict(self._points(X))
        return predicted[:, 0] if self._y_ndim == 1 else predicted

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Compute the ``metric`` of the estimator for its predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The targets of the rows.
        sample_weight : array-like of shape (n_samples,), optional
            The weight of each row. "spearman" and "kendall" only leave out rows with weight 0.

        Returns
        -------
        score : float
            The metric. Higher is better.
        """
        check_is_fitted(self)
        rows = self._read_as(Given.of(X, y, sample_weight=sample_weight), self._n_targets)
        if self.metric != "r2":  # scikit-learn also defines R2 for constant targets
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
        """Check rows, targets and weights; ``n_targets`` is the number of targets of ``fit``."""
        if given.y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None. Pass the targets of rows."
            )
        is_first = n_targets is None
        rows, targets = self._check_input(
            given.X,
            check_numbers(given.y, name),
            reset=is_first,
            ensure_min_samples=2 if is_first else 1,
            multi_output=True,
            y_numeric=True,
        )
        numbers = targets.astype(np.float64).reshape(len(rows), -1)
        check_range(numbers, name)
        if n_targets is not None and numbers.shape[1] != n_targets:
            raise ValueError(
                f"{name} must hold as many targets as y of fit, {n_targets}, got {numbers.shape[1]}. Pass the same "
                "columns, or fit again."
            )
        weights = check_training_weights(given.metadata.get("sample_weight"), len(rows))
        dtype = np.float32 if targets.dtype == np.float32 else np.float64
        return TargetRows(Columns(rows), numbers, weights, targets.ndim, dtype)

    def _choose(self, data: TargetRows, train: Indices, last: RegressorChoice | None) -> RegressorChoice:
        rows = data.some(train)
        weighter = density_weighter(self.weighting, rows.y)
        # When training continues, units and the range of the bins are kept.
        units = last.units if last is not None and last.units.vary else TargetUnits.of(rows.y, rows.weights)
        if not self.feature_smoothing:
            return RegressorChoice(units, weighter, None)
        kept = None if last is None else last.span
        # Like the units, the range of a constant target is not kept: other targets would have no bin in it.
        return RegressorChoice(units, weighter, kept if kept and kept.width else target_range(rows.y))

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
        check_judged(self.metric, held_out.y, "the targets for early stopping (held out, or y_val)")
        return held_out.columns, partial(_judge_outputs, metric=self.metric, rows=held_out, units=choice.units)

    def _largest_output(self, prepared: Prepared[TargetRows, RegressorChoice]) -> float:
        return prepared.choice.units.largest_output(prepared.data.y)

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
                f"{type(self).__name__}: the representation has collapsed: it is equal for all rows, and so are all "
                "predictions. Lower learning_rate, use gamma='auto' or a lower gamma, or a wider last hidden layer.",
                ConvergenceWarning,
            )

    def _points(self, X: Any) -> Columns:
        return Columns(self._check_input(X, reset=False))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _judge_outputs(outputs: NDArray, *, metric: str, rows: TargetRows, units: TargetUnits) -> float:
    """Compute the metric of a network's outputs for rows."""
    return METRICS[metric](rows.y, units.restore(outputs), rows.weights)
