"""A skorch net around the training loop, for callbacks, history and log."""

from collections.abc import Sequence
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, PrintLog

from skmetric._core.engine.optimizer import StackAdamW
from skmetric._core.engine.progress import Progress

__all__ = ["CallbackNet", "ShownOptimizer"]


class ShownOptimizer(torch.optim.Optimizer):
    """The optimizer of a stack as a torch optimizer, for torch's schedulers.

    Schedulers change "lr" in ``param_groups``, which both optimizers share. Only fits with callbacks create this
    object: the first torch optimizer in a process loads torch's compiler, which takes most of a second.

    Parameters
    ----------
    optimizer : StackAdamW
        Optimizer of the stack.
    """

    def __init__(self, optimizer: StackAdamW) -> None:
        (group,) = optimizer.param_groups
        super().__init__(group["params"], {name: value for name, value in group.items() if name != "params"})
        self.param_groups = optimizer.param_groups
        # Schedulers check this to see if the optimizer made a step before them.
        self._opt_called = True

    def __setstate__(self, state: dict[str, Any]) -> None:
        # torch replaces the list of groups by a new one, which the stack would not see.
        shared = self.__dict__.get("param_groups", [])
        super().__setstate__(state)
        shared[:] = self.param_groups
        self.param_groups = shared


class CallbackNet(NeuralNet):
    """A skorch net that runs the training loop of a stack.

    Callbacks find the usual attributes of a net (``history``, ``module_``, ``optimizer_``, ``max_epochs``), and are
    notified of training and epochs. There is no batch-level history and no criterion. The learning rate of
    ``optimizer_`` is a factor on the learning rate of the estimator. It starts at 1.0.

    Parameters
    ----------
    progress : Progress
        Runs the epochs.
    callbacks : sequence of skorch callbacks
        Callbacks of the user.
    verbose : int
        If above 0, one line per epoch is printed.
    """

    def __init__(self, progress: Progress, *, callbacks: Sequence[Any], verbose: int) -> None:
        self.progress = progress
        super().__init__(
            module=torch.nn.Module,
            criterion=torch.nn.Module,
            max_epochs=progress.stack.plans[0].max_iter,
            train_split=None,
            callbacks=list(callbacks),
            verbose=verbose,
            device=None,
        )

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        # PrintLog formats its table even when it prints nothing.
        return [("epoch_timer", EpochTimer()), *([("print_log", PrintLog())] if self.verbose else [])]

    def initialize_module(self) -> "CallbackNet":
        """Show the stack's network to callbacks."""
        self.module_ = self.progress.stack.network
        return self

    def initialize_optimizer(self, triggered_directly: None = None) -> "CallbackNet":
        """Show the stack's optimizer to callbacks, if there are any."""
        del triggered_directly
        if self.callbacks:
            self.optimizer_ = ShownOptimizer(self.progress.stack.optimizer)
        return self

    def train(self) -> None:
        """Run epochs until the models are done or a callback stops training.

        skorch's callbacks stop training by raising KeyboardInterrupt at the end of an epoch. A KeyboardInterrupt at any
        other time comes from the user and is raised: an interrupted fit leaves no result.
        """
        self.initialize()
        self.notify("on_train_begin", X=None, y=None)
        stopped = False
        while not (stopped or self.progress.is_done):
            self.notify("on_epoch_begin", dataset_train=None, dataset_valid=None)
            # Checkpoints read the last batch of the history, so each epoch has one, empty batch.
            self.history.new_batch()
            figures = self.progress.run_epoch()
            for name, value in figures.items():
                self.history.record(name, value)
            try:
                self.notify("on_epoch_end", dataset_train=None, dataset_valid=None)
            except KeyboardInterrupt:
                stopped = True
            row = self.history[-1]
            self.progress.note_extra({name: row[name] for name in row.keys() - figures.keys() - {"batches"}})
        self.notify("on_train_end", X=None, y=None)
