"""Check callbacks of skorch, and notify callbacks of scikit-learn of every epoch."""

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
from skmetric.estimators.training_data import Prepared

__all__ = ["EpochTasks", "check_callbacks"]

# These need the batches and predictions of skorch's own loop, or the gradients within a step. This engine provides
# neither, because it would have to wait for the device at every step.
WITHOUT_EFFECT = (BatchScoring, EpochScoring, PassthroughScoring, GradientNormClipping, ParamMapper)


def check_callbacks(callbacks: Sequence[Any]) -> list[Any]:
    """Raise for objects that are not callbacks of skorch, and for callbacks that would have no effect."""
    for given in callbacks:
        callback = given[1] if isinstance(given, tuple) else given
        kind = callback if isinstance(callback, type) else type(callback)
        if not issubclass(kind, Callback):
            raise ValueError(
                f"callbacks must be callbacks of skorch (skorch.callbacks.Callback), got {given!r}. Set callbacks of "
                "scikit-learn by set_callbacks."
            )
        if issubclass(kind, WITHOUT_EFFECT) or getattr(callback, "step_every", "epoch") != "epoch":
            raise ValueError(
                f"callbacks must act at the beginning or end of training or of an epoch, got {kind.__name__}, which "
                "acts on single batches and would have no effect. Leave it out. For scores, use early_stopping, or "
                "ScoringMonitor of scikit-learn by set_callbacks."
            )
    return list(callbacks)


class EpochTasks(Callback):  # type: ignore[misc]  # skorch ships no types
    """Reports each epoch as a task of an estimator's fit, and stops training if a callback of scikit-learn requests it.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        Context of the fit.
    estimator : TorchEstimator
        The estimator being fitted.
    prepared : Prepared
        Plan and data of the fit.
    """

    def __init__(self, context: CallbackContext, estimator: Any, prepared: Prepared) -> None:
        self.context = context
        self.estimator = estimator
        self.prepared = prepared

    def on_epoch_begin(self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Begin the task of the epoch."""
        self.epoch_ = self.context.subcontext(task_name="epoch")
        self.epoch_.call_on_fit_task_begin(estimator=self.estimator, **self.prepared.given.for_callbacks)

    def on_epoch_end(self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any) -> None:
        """End the task, and pass the attributes of an estimator trained up to here, so that callbacks can score it."""
        plan = self.prepared.plan
        weights = net.progress.stack.network.weights_of(0)
        network = TrainedNetwork(plan.network, plan.inputs, weights, plan.seed)
        stop = self.epoch_.call_on_fit_task_end(
            estimator=self.estimator,
            **self.prepared.given.for_callbacks,
            reconstruction_attributes=self.estimator._fitted_attributes(network, self.prepared),
        )
        if stop:
            # This is how skorch stops training at the end of an epoch.
            raise KeyboardInterrupt
