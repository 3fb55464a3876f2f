"""What all estimators share: common parameters, training, applying the trained network."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from inspect import Parameter, Signature, signature
from numbers import Integral, Real
from typing import Any, ClassVar, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skmetric._core.engine import FitPlan, FitResult, StoppingRule, TrainedNetwork, fit_stack, one_cycle, resolve_device
from skmetric._core.nn import NetworkSpec, SmoothingSpec
from skmetric._sklearn_compat import Interval
from skmetric.estimators._callbacks import CALLBACKS_FOLLOW_ONE, EpochTasks, check_callbacks, has_callbacks

__all__ = ["TorchEstimator", "all_or_nothing", "float32_overflow_is_infinity", "not_fitted"]


Method = TypeVar("Method", bound=Callable[..., Any])


def all_or_nothing(fit: Method) -> Method:
    """Leave the estimator as it was when fitting fails or is interrupted; arguments that do not fit name its class."""
    takes = signature(fit)

    @wraps(fit)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            takes.bind(self, *args, **kwargs)
        except TypeError as error:
            # Python would name the class that the method is written in, which may be none of the user's.
            raise TypeError(f"{type(self).__name__}.{fit.__name__}(): {error}; it takes {_shown(takes)}.") from None
        before = self.__dict__.copy()
        try:
            return fit(self, *args, **kwargs)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    return cast(Method, guarded)


def _shown(takes: Signature) -> str:
    """A method's arguments, without types and the estimator itself."""
    plain = [each.replace(annotation=Parameter.empty) for each in list(takes.parameters.values())[1:]]
    return str(takes.replace(parameters=plain, return_annotation=Signature.empty))


@contextmanager
def float32_overflow_is_infinity() -> Iterator[None]:
    """Let a value too large for float32 become infinite, which is then an error of its own: one message, not two."""
    with np.errstate(over="ignore", invalid="ignore"):
        yield


def _is_ours(kind: type, method: str) -> bool:
    """Whether a class has a method from this library, and not from a user's subclass."""
    owner = next(each for each in kind.__mro__ if method in vars(each))
    return owner.__module__.partition(".")[0] == __name__.partition(".")[0]


def not_fitted(estimator: Any, why: str) -> str:
    """What to say when training came to nothing."""
    return (
        f"{type(estimator).__name__} could not be fitted: {why}. Lower learning_rate (now {estimator.learning_rate}), "
        "or bring its other parameters, or X, into a usual range."
    )


class TorchEstimator(CallbackSupportMixin, BaseEstimator):
    """An estimator around one of the engine's networks.

    A subclass stores the common parameters and says in ``_plan`` how it is to be trained, and in ``_finish`` what it
    makes of the result.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "scale_inputs": ["boolean"],
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

    def _why_not_stacked(self, searched: set[str]) -> str | None:
        """Why fits that differ in the ``searched`` parameters cannot train side by side; None where they can."""
        if self.module is not None or "module" in searched:
            return "a module of one's own has no axis for several models"
        if self.callbacks or "callbacks" in searched or has_callbacks(self):
            return CALLBACKS_FOLLOW_ONE
        if not _is_ours(type(self), "fit"):
            return f"{type(self).__name__} has a fit of its own, which training side by side would pass by"
        return None

    def _hidden_widths(self) -> tuple[int, ...]:
        sizes = self.hidden_layer_sizes
        widths = (sizes,) if isinstance(sizes, Integral) else tuple(sizes)
        if not all(isinstance(width, Integral) and int(width) >= 1 for width in widths):
            raise ValueError(f"hidden_layer_sizes must hold whole numbers >= 1, one a hidden layer; got {sizes!r}.")
        return widths

    def _network_spec(
        self,
        n_features: int,
        n_outputs: int,
        *,
        hidden_layer_sizes: Sequence[int],
        normalize: bool = False,
        n_scores: int | None = None,
        smoothing: SmoothingSpec | None = None,
    ) -> NetworkSpec:
        return NetworkSpec(
            n_features=n_features,
            n_outputs=n_outputs,
            hidden_layer_sizes=tuple(map(int, hidden_layer_sizes)),
            dropout=float(self.dropout),
            normalize=normalize,
            scale_inputs=self.scale_inputs,
            module=self.module,
            n_scores=n_scores,
            smoothing=smoothing,
        )

    def _training(self) -> dict[str, Any]:
        """What the common parameters decide of a plan."""
        return {
            "learning_rate": float(self.learning_rate),
            "weight_decay": float(self.weight_decay),
            "schedule": one_cycle,
            "max_iter": self.max_iter,
            "stopping": StoppingRule(self.n_iter_no_change) if self.early_stopping else None,
        }

    @property
    def _n_features_out(self) -> int:
        return self._network.spec.n_outputs

    def _seed_sequence(self) -> np.random.SeedSequence:
        """One seed for everything random; None asks the operating system, never numpy's global generator."""
        if self.random_state is None:
            return np.random.SeedSequence()
        if isinstance(self.random_state, Integral):
            return np.random.SeedSequence(int(self.random_state))
        return np.random.SeedSequence(int(check_random_state(self.random_state).randint(2**31 - 1)))

    def _train(self, plan: FitPlan) -> FitResult:
        """Train one model; callbacks of skorch (``callbacks``) and of scikit-learn (``set_callbacks``) look on."""
        device = resolve_device(self.device)
        data = {"X": plan.X, "y": plan.targets}
        context = self._init_callback_context(max_subtasks=plan.max_iter)
        context.call_on_fit_task_begin(estimator=self, **data)
        callbacks = check_callbacks(self.callbacks or ())
        if has_callbacks(self):
            callbacks.append(EpochTasks(context, self, plan, data))
        (result,) = fit_stack([plan], device=device, callbacks=callbacks, verbose=self.verbose)
        context.call_on_fit_task_end(estimator=self, **data)
        return result

    def _adopt(self, plan: FitPlan, result: FitResult, history: Sequence[dict[str, Any]] = ()) -> None:
        """Take over what was learned; ``history`` holds the epochs before this training."""
        if result.failure is not None:
            raise ValueError(not_fitted(self, result.failure))
        self.__dict__.update(self._fitted_attributes(result.network, plan))
        self.history_ = [*history, *result.history]
        self.n_iter_ = len(self.history_)

    def _fitted_attributes(self, network: TrainedNetwork, plan: FitPlan) -> dict[str, Any]:
        """What makes this a fitted estimator, once there is a network; also asked for between epochs, by callbacks."""
        del plan
        return {"_network": network}

    def _initial_weights(self, spec: NetworkSpec, *, go_on: bool) -> dict[str, NDArray] | None:
        """The weights of the last fit, where this one is to go on from it."""
        if not (go_on and hasattr(self, "_network")):
            return None
        if replace(self._network.spec, dropout=spec.dropout) != spec:
            raise ValueError(
                f"{type(self).__name__} cannot go on from the last fit, whose network is another one "
                f"({self._network.spec}; now {spec}). Keep the parameters, or fit anew with warm_start=False."
            )
        return dict(self._network.weights)

    def _check_input(self, X: Any, y: Any = "no_validation", **how: Any) -> Any:
        """Rows as float32, and targets with them where given."""
        with float32_overflow_is_infinity():
            return validate_data(self, X, y, dtype=np.float32, order="C", **how)

    def _outputs(self, X: Any) -> NDArray[np.float32]:
        """The network's outputs for new rows, checked against those that it was fitted on."""
        check_is_fitted(self)
        return self._network.apply(self._check_input(X, reset=False), self.device)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_network")
