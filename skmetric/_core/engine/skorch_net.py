"""skorch around the training loop: its callbacks, its history, its log."""

from collections.abc import Sequence
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, PrintLog

from skmetric._core.engine.optimizer import StackAdamW
from skmetric._core.engine.progress import Progress

__all__ = ["CallbackNet", "ShownOptimizer"]


class ShownOptimizer(torch.optim.Optimizer):
    """The stack's optimizer, as torch's schedulers want one: they change "lr" in ``param_groups``, which both share.

    The first optimizer of torch's class in a process loads torch's compiler, most of a second, which fits without
    callbacks are spared.

    Parameters
    ----------
    optimizer : StackAdamW
        The stack's.
    """

    def __init__(self, optimizer: StackAdamW) -> None:
        (group,) = optimizer.param_groups
        super().__init__(group["params"], {name: value for name, value in group.items() if name != "params"})
        self.param_groups = optimizer.param_groups
        # Where schedulers look whether a step was made before theirs.
        self._opt_called = True

    def __setstate__(self, state: dict[str, Any]) -> None:
        # torch puts new groups in the place of the old ones, which the stack would not see.
        shared = self.__dict__.get("param_groups", [])
        super().__setstate__(state)
        shared[:] = self.param_groups
        self.param_groups = shared


class CallbackNet(NeuralNet):
    """A skorch net whose inner loop is ours.

    Callbacks find what they expect of a net (``history``, ``module_``, ``optimizer_``, ``max_epochs``) and are
    notified of training and epochs; there is no batch-level history and no criterion. The learning rate of
    ``optimizer_`` is a factor, 1.0 at the start, on the estimator's.

    Parameters
    ----------
    progress : Progress
        Runs the epochs.
    callbacks : sequence of skorch callbacks
        As given by the user.
    verbose : int
        Above 0, one line an epoch is printed.
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
        """Show the stack's optimizer to callbacks, where there are any."""
        del triggered_directly
        if self.callbacks:
            self.optimizer_ = ShownOptimizer(self.progress.stack.optimizer)
        return self

    def train(self) -> None:
        """Run epochs until the models are done or a callback says stop.

        skorch's callbacks stop training by raising KeyboardInterrupt at the end of an epoch. Anywhere else it is the
        user's, and goes on up: an interrupted fit leaves nothing behind.
        """
        self.initialize()
        self.notify("on_train_begin", X=None, y=None)
        stopped = False
        while not (stopped or self.progress.is_done):
            self.notify("on_epoch_begin", dataset_train=None, dataset_valid=None)
            # Checkpoints look at the last batch of the history: an empty one stands for all.
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
