"""The callbacks of skorch that training can serve, and scikit-learn's, told of every epoch."""

from collections.abc import Sequence
from typing import Any

from sklearn.callback import CallbackContext
from skorch.callbacks import (
    BatchScoring,
    Callback,
    EpochScoring,
    GradientNormClipping,
    ParamMapper,
    PassthroughScoring,
)

from skmetric._core.engine import FitPlan, TrainedNetwork

__all__ = ["CALLBACKS_FOLLOW_ONE", "EpochTasks", "check_callbacks", "has_callbacks"]

CALLBACKS_FOLLOW_ONE = "callbacks follow one fit, not several at a time"

# They look at batches and predictions of a net's own loop, or at gradients between its calls; this engine hands out
# neither, as it would have to wait for the device at every step.
WITHOUT_EFFECT = (BatchScoring, EpochScoring, PassthroughScoring, GradientNormClipping, ParamMapper)


def check_callbacks(callbacks: Sequence[Any]) -> list[Any]:
    """Raise for what is no callback of skorch's, and for one that would be accepted and have no effect."""
    for given in callbacks:
        callback = given[1] if isinstance(given, tuple) else given
        kind = callback if isinstance(callback, type) else type(callback)
        if not issubclass(kind, Callback):
            raise ValueError(
                f"callbacks must be skorch's, made from skorch.callbacks.Callback; got {given!r}. Callbacks of "
                "scikit-learn are set by set_callbacks."
            )
        if issubclass(kind, WITHOUT_EFFECT) or getattr(callback, "step_every", "epoch") != "epoch":
            raise ValueError(
                f"callbacks must act at the beginning or the end of training or of an epoch; {kind.__name__} acts on "
                "single batches and would have no effect. Leave it out; for scores, use early_stopping, or "
                "scikit-learn's ScoringMonitor through set_callbacks."
            )
    return list(callbacks)


def has_callbacks(estimator: Any) -> bool:
    """Whether an estimator has callbacks of scikit-learn's, set on it or on an estimator around it."""
    return hasattr(estimator, "_skl_callbacks")


class EpochTasks(Callback):
    """Reports each epoch as a task of an estimator's fit, and stops training when a scikit-learn callback asks to.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        The fit's.
    estimator : TorchEstimator
        Whose fit it is.
    plan : FitPlan
        What is being fitted.
    data : dict
        ``X`` and ``y`` of the fit, as its other tasks report them.
    """

    def __init__(self, context: CallbackContext, estimator: Any, plan: FitPlan, data: dict[str, Any]) -> None:
        self.context = context
        self.estimator = estimator
        self.plan = plan
        self.data = data

    def on_epoch_begin(self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Open the epoch's task."""
        self.epoch_ = self.context.subcontext(task_name="epoch")
        self.epoch_.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def on_epoch_end(self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Close it, with the estimator as it would be if training ended here, so that a callback can score it."""
        network = TrainedNetwork(self.plan.network, net.progress.stack.network.weights_of(0), self.plan.seed)
        stop = self.epoch_.call_on_fit_task_end(
            estimator=self.estimator,
            **self.data,
            reconstruction_attributes=self.estimator._fitted_attributes(network, self.plan),
        )
        if stop:
            # skorch's own way to end a training at the end of an epoch.
            raise KeyboardInterrupt
