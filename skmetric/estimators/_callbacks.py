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

from skmetric._core.engine import TrainedNetwork
from skmetric.estimators.preparation import Prepared

__all__ = ["EpochTasks", "check_callbacks"]

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


class EpochTasks(Callback):  # type: ignore[misc]  # skorch ships no types
    """Reports each epoch as a task of an estimator's fit, and stops training when a scikit-learn callback asks to.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        The fit's.
    estimator : TorchEstimator
        Whose fit it is.
    prepared : Prepared
        What is being fitted.
    """

    def __init__(self, context: CallbackContext, estimator: Any, prepared: Prepared) -> None:
        self.context = context
        self.estimator = estimator
        self.prepared = prepared

    def on_epoch_begin(self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Open the epoch's task."""
        self.epoch_ = self.context.subcontext(task_name="epoch")
        self.epoch_.call_on_fit_task_begin(estimator=self.estimator, **self.prepared.given.for_callbacks)

    def on_epoch_end(self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Close it, with the estimator as it would be if training ended here, so that a callback can score it."""
        plan = self.prepared.plan
        weights = net.progress.stack.network.weights_of(0)
        network = TrainedNetwork(plan.network, plan.inputs, weights, plan.seed)
        stop = self.epoch_.call_on_fit_task_end(
            estimator=self.estimator,
            **self.prepared.given.for_callbacks,
            reconstruction_attributes=self.estimator._fitted_attributes(network, self.prepared),
        )
        if stop:
            # skorch's own way to end a training at the end of an epoch.
            raise KeyboardInterrupt
