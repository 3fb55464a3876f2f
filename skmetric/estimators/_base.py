"""Base class of all estimators: common parameters, the steps from ``fit`` to a trained network, and its use."""

from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skmetric._core.engine import (
    FitPlan,
    FitResult,
    StoppingRule,
    Stream,
    TrainedNetwork,
    Validation,
    fit_stack,
    one_cycle,
    open_stream,
    resolve_device,
)
from skmetric._core.engine.plan import Objective
from skmetric._core.nn import (
    INPUTS,
    Columns,
    EncodedRows,
    InputState,
    NetworkSpec,
    PlainInputs,
    SmoothingSpec,
    Weights,
    encode_rows,
)
from skmetric._sklearn_compat import (
    BaseEstimator,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    Interval,
    StrOptions,
    TransformerMixin,
    has_callbacks,
)
from skmetric._values import refuse_masked
from skmetric._warnings import warn_caller
from skmetric.estimators._callbacks import EpochTasks, check_callbacks
from skmetric.estimators._validation_range import columns_of_other_scale
from skmetric.estimators.training_data import Batches, Given, Indices, InputFits, Prepared, TrainingData

__all__ = ["TABLE_DTYPES", "TorchEstimator"]


Data = TypeVar("Data", bound=TrainingData)
Choice = TypeVar("Choice")
# Computes a score (higher is better) from the outputs of a network for held-out rows.
Judge = Callable[[NDArray], float]

# Tables keep these dtypes, and others become the first.
TABLE_DTYPES = (np.float64, np.float32)
# Number of training rows whose outputs are checked after training.
CHECKED_ROWS = 4096
# float32 has no fractions from here on, so two such outputs can no longer differ by the unit of a loss.
LARGEST_OUTPUT = 2.0**24


def _is_ours(kind: type, method: str) -> bool:
    """Whether a class has a method from this library, and not from a subclass of the user."""
    owner = next(each for each in kind.__mro__ if method in vars(each))
    return owner.__module__.partition(".")[0] == __name__.partition(".")[0]


class LastFit(NamedTuple):
    """Network and choices of the fit that training continues from."""

    network: TrainedNetwork
    choice: Any


class Head(NamedTuple):
    """Last layers of a network: the fields of :class:`NetworkSpec` that a task decides."""

    hidden_layer_sizes: tuple[int, ...]
    n_outputs: int
    options: Mapping[str, Any]


class TorchEstimator(
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
    Generic[Data, Choice],
    metaclass=ABCMeta,
):
    """An estimator around one of the engine's networks.

    ``fit`` passes its arguments to ``_fit``, which has three steps: ``_prepare`` decides everything before training and
    stores nothing, ``_train`` trains, and ``_finish`` writes the fitted attributes. Each task implements these hooks:
    ``_read`` (checks arguments and returns data), ``_choose`` (resolves what depends on the data), ``_head`` (last
    layers of the network), ``_batching`` and ``_objective`` (how the network is trained), ``_validation`` (how held-out
    data are scored), and ``_fitted_attributes`` (what is written at the end).
    """

    hidden_layer_sizes: int | Sequence[int]
    dropout: float
    inputs: str
    module: Callable[[int, int], torch.nn.Module] | None
    batch_size: int
    max_iter: int
    learning_rate: float
    weight_decay: float
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    device: str | torch.device
    random_state: int | np.random.RandomState | None
    warm_start: bool
    callbacks: Sequence[Any] | None
    verbose: int

    n_features_in_: int
    history_: list[dict[str, Any]]
    n_iter_: int
    _network: TrainedNetwork
    _choice: Choice

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "inputs": [StrOptions(set(INPUTS))],
        "module": [callable, None],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "device": [str, torch.device],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "callbacks": [list, tuple, None],
        "verbose": ["verbose"],
    }

    @abstractmethod
    def _read(self, given: Given, like: Data | None = None) -> Data:
        """Check the arguments of ``fit``, or a validation set, which must be ``like`` the training data."""

    @abstractmethod
    def _choose(self, data: Data, train: Indices, last: Choice | None) -> Choice:
        """Resolve what depends on the data; ``last`` is the choice of the fit that this one continues from."""

    def _check_choice(self, data: Data, choice: Choice) -> None:
        """Raise or warn if the parameters do not fit the data."""

    @abstractmethod
    def _head(self, data: Data, choice: Choice, input_width: int) -> Head:
        """Return the last layers of the network, for inputs of a given width."""

    @abstractmethod
    def _batching(self, choice: Choice) -> Any:
        """Return the settings by which the data draw their batches."""

    @abstractmethod
    def _objective(self, data: Data, choice: Choice, batches: Batches) -> tuple[Objective, Mapping[str, float]]:
        """Return the objective to minimize and its hyperparameters, which may differ between models of a stack."""

    @abstractmethod
    def _validation(self, held_out: Data, choice: Choice) -> tuple[Columns, Judge]:
        """Return the rows for early stopping, and a function that scores the outputs of a network for them."""

    @abstractmethod
    def _points(self, X: Any) -> Columns:
        """Check that rows have the columns of ``fit``."""

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the learned representation of rows: the embedding, or the last hidden layer before the predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows. An embedder with a ``preprocessor`` also takes indices of shape (n_samples,).

        Returns
        -------
        representation : ndarray of shape (n_samples, n_components), float32
            One row per row of ``X``; a DataFrame after ``set_output(transform="pandas")``.
        """
        check_is_fitted(self)
        return self._network.represent(self._points(X), self.device)

    @property
    def _n_features_out(self) -> int:
        return self._network.spec.n_outputs

    def _fit(self, given: Given) -> Self:
        prepared = self._prepare(given)
        self._finish(prepared, self._train(prepared))
        self._check_benefit(prepared)
        return self

    def _prepare(self, given: Given, fits: InputFits | None = None) -> Prepared[Data, Choice]:
        """Decide everything before training; ``fits`` caches encodings that the candidates of a fold share."""
        last = self._last_fit() if self.warm_start else None
        before = None if last is None else self._column_names()
        data = self._read(given)
        if before is not None:
            self._refuse_other_columns(before)
        seed = self._seed_sequence()
        train, held_out = self._split(data, given, seed)
        return self._planned(given, data, train, held_out, seed=seed, last=last, fits=fits)

    def _refuse_other_columns(self, before: list[Any]) -> None:
        """Raise unless training continues with the columns of the last fit, in their order."""
        now = self._column_names()
        have_names = isinstance(before[0], str) and isinstance(now[0], str)
        if len(now) != len(before) or (have_names and now != before):
            shown = (before, now) if have_names else (f"{len(before)} columns", f"{len(now)} columns")
            raise ValueError(
                f"X must have the columns of the last fit in their order to continue training (warm_start=True), "
                f"{shown[0]}, got {shown[1]}. Pass these columns, or set warm_start=False."
            )

    def _split(self, data: Data, given: Given, seed: np.random.SeedSequence) -> tuple[Indices, Data | None]:
        """Return indices of the training data, and the data for early stopping."""
        validation = given.validation(self.early_stopping, data.needs_y)
        if validation is not None:
            held_out = self._read(validation, like=data)
            self._warn_of_other_scale(data.columns, held_out.columns)
            return data.usable(), held_out
        if not self.early_stopping:
            return data.usable(), None
        return data.hold_out(self.validation_fraction, open_stream(seed, Stream.HOLDOUT))

    def _warn_of_other_scale(self, train: Columns, held_out: Columns) -> None:
        columns = columns_of_other_scale(train, held_out)
        if len(columns):
            every = self._column_names()
            names = ", ".join(repr(every[column]) for column in columns[:3])
            more = f" and {len(columns) - 3} others" if len(columns) > 3 else ""
            warn_caller(
                f"{type(self).__name__}: X_val has another scale than X. In column {names}{more}, more than a tenth of "
                "its values are more than five ranges of the training values away from them. The steps of a Pipeline "
                "transform X only. To transform X_val too, set transform_input=['X_val'] of the Pipeline and request "
                "X_val by set_fit_request; without a Pipeline, transform X_val as X."
            )

    def _planned(
        self,
        given: Given,
        data: Data,
        train: Indices,
        held_out: Data | None,
        *,
        seed: np.random.SeedSequence,
        last: LastFit | None,
        choice: Choice | None = None,
        fits: InputFits | None = None,
    ) -> Prepared[Data, Choice]:
        """Make the plan; ``choice`` is given if an earlier call has already made it."""
        self._check_rates()
        if choice is None:
            choice = self._choose(data, train, last.choice if last else None)
        self._check_choice(data, choice)
        judged = None if held_out is None else self._validation(held_out, choice)
        batches = data.batches(train, self._batching(choice))
        spec, state, rows = self._encoded(data, choice, batches, last, fits or InputFits())
        objective, hyperparameters = self._objective(data, choice, batches)
        plan = FitPlan(
            network=spec,
            inputs=state,
            objective=objective,
            hyperparameters=hyperparameters,
            X=rows,
            sampler=batches.sampler,
            items=batches.items,
            values=batches.values,
            bins=batches.bins,
            share_rows=batches.share_rows,
            chunk_length=batches.chunk_length,
            memory_size=batches.memory_size,
            learning_rate=float(self.learning_rate),
            weight_decay=float(self.weight_decay),
            schedule=one_cycle,
            max_iter=self.max_iter,
            stopping=StoppingRule(self.n_iter_no_change) if self.early_stopping else None,
            seed=seed,
            validation=None if judged is None else Validation(encode_rows(state, judged[0]), judged[1]),
            initial_weights=self._first_weights(spec) if last is None else self._last_weights(spec, last.network),
        )
        return Prepared(plan, data, batches, choice, given, held_out)

    def _check_rates(self) -> None:
        """Raise if weight decay alone makes the weights grow."""
        product = float(self.learning_rate) * float(self.weight_decay)
        if product >= 2:
            raise ValueError(
                f"learning_rate * weight_decay must be below 2, got {self.learning_rate} * {self.weight_decay} = "
                f"{product:.4g}. Each step of AdamW multiplies the weights by 1 minus this product, so they would grow "
                "without bound. Lower learning_rate or weight_decay."
            )

    def _encoded(
        self, data: Data, choice: Choice, batches: Batches, last: LastFit | None, fits: InputFits
    ) -> tuple[NetworkSpec, InputState, NDArray[np.float32] | EncodedRows]:
        """Fit the encoding of the columns, or continue that of the last fit; the network that it fits, and the rows."""
        n_features = data.columns.n_features
        # A module of the user gets the columns unchanged.
        inputs = INPUTS[self.inputs] if self.module is None else PlainInputs()
        continues = last is not None and (last.network.spec.inputs, last.network.spec.n_features) == (
            inputs,
            n_features,
        )
        before = last.network.inputs if last is not None and continues else None
        columns = replace(data.columns, names=self._column_names())
        state, rows = fits.of(inputs, columns, batches.row_weights, before)
        hidden_layer_sizes, n_outputs, options = self._head(data, choice, state.width)
        spec = NetworkSpec(
            n_features=n_features,
            n_outputs=n_outputs,
            hidden_layer_sizes=hidden_layer_sizes,
            dropout=float(self.dropout),
            inputs=inputs,
            input_width=state.width,
            module=self.module,
            **options,
        )
        return spec, state, rows

    def _train(self, prepared: Prepared[Data, Choice]) -> FitResult:
        """Train one model and notify callbacks of skorch (``callbacks``) and of scikit-learn (``set_callbacks``)."""
        device = resolve_device(self.device)
        task = prepared.given.for_callbacks
        context = self._init_callback_context(max_subtasks=prepared.plan.max_iter)
        context.call_on_fit_task_begin(estimator=self, **task)
        callbacks = check_callbacks(self.callbacks or ())
        if has_callbacks(self):
            callbacks.append(EpochTasks(context, self, prepared))
        (result,) = fit_stack([prepared.plan], device=device, callbacks=callbacks, verbose=self.verbose)
        context.call_on_fit_task_end(estimator=self, **task)
        return result

    def _finish(self, prepared: Prepared[Data, Choice], result: FitResult) -> None:
        """Write all fitted attributes in one assignment."""
        if result.failure is not None:
            raise ValueError(self._not_fitted(result.failure))
        self._refuse_diverged(result.network, prepared)
        history = [*(prepared.earlier or []), *result.history]
        learned = self._fitted_attributes(result.network, prepared)
        # Only the next partial_fit needs the state of the optimizer.
        moments = None if prepared.earlier is None else result.moments
        self.__dict__ = {
            **self.__dict__,
            **learned,
            "history_": history,
            "n_iter_": len(history),
            "_moments": moments,
        }
        self._check_learned(prepared)

    def _refuse_diverged(self, network: TrainedNetwork, prepared: Prepared[Data, Choice]) -> None:
        """Raise if outputs for training rows are not finite or implausibly large. Many rows are checked in part."""
        columns, weights = prepared.data.columns, prepared.batches.row_weights
        rows = np.arange(len(columns)) if weights is None else np.flatnonzero(weights > 0)
        some = rows[:: -(-len(rows) // CHECKED_ROWS)]
        largest = np.abs(network.apply(columns.take(some), self.device)).max()
        limit = self._largest_output(prepared)
        # Written such that NaN is refused as well.
        if not largest <= limit:
            why = f"it diverged: its outputs for training rows reach {largest:.3g}, beyond {limit:.3g}"
            raise ValueError(self._not_fitted(why))

    def _largest_output(self, prepared: Prepared[Data, Choice]) -> float:
        """Return the largest plausible output for a training row, for a loss in which a difference of 1 matters."""
        return LARGEST_OUTPUT

    def _fitted_attributes(self, network: TrainedNetwork, prepared: Prepared[Data, Choice]) -> dict[str, Any]:
        """Return the fitted attributes for a trained network. Callbacks also need them after each epoch."""
        return {"_network": network, "_choice": prepared.choice}

    def _check_learned(self, prepared: Prepared[Data, Choice]) -> None:
        """Warn if the learned network is unusable."""

    def _check_benefit(self, prepared: Prepared[Data, Choice]) -> None:
        """Warn if no learning at all would be better. Searches, which compare candidates themselves, do not call it."""

    def _last_fit(self) -> LastFit | None:
        return LastFit(self._network, self._choice) if hasattr(self, "_network") else None

    def _first_weights(self, spec: NetworkSpec) -> Weights | None:
        """Return the weights that do not start at random, by name."""
        return None

    def _last_weights(self, spec: NetworkSpec, network: TrainedNetwork) -> Weights:
        """Return the weights of the last fit, from which training continues."""
        if replace(network.spec, dropout=spec.dropout) != spec:
            raise ValueError(
                f"{type(self).__name__}: parameters must keep the network of the last fit, {network.spec}, to continue "
                f"training, got {spec}. Keep the parameters, or call fit with warm_start=False."
            )
        return dict(network.weights)

    def _why_not_stacked(self, searched: set[str], *, is_watched: bool = False) -> str | None:
        """Return why fits that differ in the ``searched`` parameters cannot train as one stack; None if they can.

        ``is_watched`` means that callbacks of scikit-learn are set on an estimator around this one.
        """
        if self.module is not None or "module" in searched:
            return "a custom module has no axis for several models"
        if self.callbacks or "callbacks" in searched or is_watched or has_callbacks(self):
            return "callbacks follow one fit, not several at once"
        if not _is_ours(type(self), "fit"):
            return f"{type(self).__name__} has a custom fit method, which training as a stack would not call"
        return None

    def _scored_head(
        self, n_components: int | None, input_width: int, n_scores: int, smoothing: SmoothingSpec | None = None
    ) -> Head:
        """Return the head of a task whose predictions are a linear function of the last hidden layer."""
        widths = self._hidden_widths()
        if n_components is not None and self.module is None:
            widths = (*widths, n_components)
        n_outputs = n_components or (widths[-1] if widths else input_width)
        return Head(widths, n_outputs, {"normalize": False, "n_scores": n_scores, "smoothing": smoothing})

    def _hidden_widths(self) -> tuple[int, ...]:
        sizes = self.hidden_layer_sizes
        widths = (sizes,) if isinstance(sizes, int | Integral) else tuple(sizes)
        if not all(isinstance(width, Integral) and int(width) >= 1 for width in widths):
            raise ValueError(
                f"hidden_layer_sizes must hold one whole number >= 1 per hidden layer, got {sizes!r}. Pass a number "
                "or a sequence such as (128, 64)."
            )
        return tuple(map(int, widths))

    def _seed_sequence(self) -> np.random.SeedSequence:
        """Return one seed for all randomness. None takes it from the operating system, never from numpy's generator."""
        if self.random_state is None:
            return np.random.SeedSequence()
        if isinstance(self.random_state, Integral):
            return np.random.SeedSequence(int(self.random_state))
        return np.random.SeedSequence(int(check_random_state(self.random_state).randint(2**31 - 1)))

    def _check_input(self, X: Any, y: Any = "no_validation", **how: Any) -> Any:
        """Check rows, and targets with them if given. Rows that are not float32 become float64."""
        refuse_masked(X, "X")
        # scikit-learn adds up all values to find NaN, and the sum may overflow.
        with np.errstate(over="ignore", invalid="ignore"):
            return validate_data(self, X, y, dtype=TABLE_DTYPES, order="C", **how)

    def _column_names(self) -> list[Any]:
        """Return the names of the columns of X that the network sees, or their indices."""
        return list(getattr(self, "feature_names_in_", range(self.n_features_in_)))

    def _not_fitted(self, why: str) -> str:
        """Return the error message for a training that failed."""
        return (
            f"{type(self).__name__} could not be fitted: {why}. Lower learning_rate (now {self.learning_rate}) or "
            f"weight_decay (now {self.weight_decay}), or bring other parameters or X into a usual range."
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_network")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
