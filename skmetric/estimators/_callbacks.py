"""scikit-learn's callbacks, told of every epoch."""

from typing import Any

from sklearn.callback import CallbackContext
from skorch.callbacks import Callback

from skmetric.engine import TrainedNetwork

__all__ = ["EpochTasks"]


class EpochTasks(Callback):
    """Reports each epoch as a task of an estimator's fit, and stops training when a scikit-learn callback asks to.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        The fit's.
    estimator : TorchEstimator
        Whose fit it is.
    data : dict
        ``X`` and ``y`` of the fit.
    """

    def __init__(self, context: CallbackContext, estimator: Any, data: dict[str, Any]) -> None:
        self.context = context
        self.estimator = estimator
        self.data = data

    def on_epoch_begin(self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Open the epoch's task."""
        self.epoch_ = self.context.subcontext(task_name="epoch")
        self.epoch_.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def on_epoch_end(self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Close it, with the network as it is, so that a callback can score the estimator."""
        stack = net.progress.stack
        network = TrainedNetwork(stack.plans[0].network, stack.network.weights_of(0))
        stop = self.epoch_.call_on_fit_task_end(
            estimator=self.estimator, **self.data, reconstruction_attributes={"_network": network}
        )
        if stop:
            # skorch's own way to end a training at the end of an epoch.
            raise KeyboardInterrupt
