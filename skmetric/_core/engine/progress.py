"""Progress of each model of a stack: its history, its best weights, and whether it is done."""

from typing import Any

import numpy as np

from skmetric._core.engine.plan import FitPlan, FitResult, Moments
from skmetric._core.engine.trained import TrainedNetwork
from skmetric._core.engine.training import TrainingStack
from skmetric._core.nn import Weights

__all__ = ["Progress"]


# When this share of the models of a stack is done, the others continue in a smaller stack.
DONE_SHARE = 0.5


class Progress:
    """Runs epochs of a stack and keeps for each model what a fit of this model alone would keep.

    A model is done when its validation score no longer increases or its loss is no longer finite. Its result is that of
    this epoch, even if the model stays in the stack for more epochs.

    Parameters
    ----------
    stack : TrainingStack
        The models to train.
    """

    def __init__(self, stack: TrainingStack) -> None:
        self.stack = stack
        self.epoch = 0
        self._models = [_ModelProgress(plan) for plan in stack.plans]
        self._in_stack = list(self._models)

    @property
    def is_done(self) -> bool:
        """Whether all models are done."""
        return self.epoch >= self.stack.plans[0].max_iter or all(model.is_done for model in self._models)

    def run_epoch(self) -> dict[str, Any]:
        """Train for one epoch and return its figures: numbers for one model, arrays for several."""
        self._drop_done_models()
        figures = self.stack.train_epoch(self.epoch)
        self.epoch += 1
        for index, model in enumerate(self._in_stack):
            if not model.is_done:
                row = {"epoch": self.epoch, **{name: float(value[index]) for name, value in figures.items()}}
                model.note(row, self.stack, index)
        return self._models[0].history[-1] if len(self._models) == 1 else {"epoch": self.epoch, **figures}

    def note_extra(self, figures: dict[str, Any]) -> None:
        """Add figures that are known only after the epoch (its duration, figures of callbacks) to the histories."""
        for model in self._models:
            if len(model.history) == self.epoch:
                model.history[-1].update(figures)

    def results(self) -> list[FitResult]:
        """Return one result per model."""
        for index, model in enumerate(self._in_stack):
            if not model.is_done:
                model.finish(self.stack, index)
        return [model.result() for model in self._models]

    def _drop_done_models(self) -> None:
        remaining = [index for index, model in enumerate(self._in_stack) if not model.is_done]
        if 0 < len(remaining) <= (1 - DONE_SHARE) * len(self._in_stack):
            self.stack = self.stack.keep_only(remaining)
            self._in_stack = [self._in_stack[index] for index in remaining]


class _ModelProgress:
    def __init__(self, plan: FitPlan) -> None:
        self._plan = plan
        self.history: list[dict[str, Any]] = []
        self.is_done = False
        self._failure: str | None = None
        self._best_score = -np.inf
        self._best_epoch = 0
        self._weights: Weights | None = None
        self._moments: Moments | None = None

    def note(self, figures: dict[str, Any], stack: TrainingStack, index: int) -> None:
        """Record the figures of an epoch; ``index`` is the position of the model in the stack."""
        self.history.append(figures)
        if not np.isfinite(figures["train_loss"]):
            self._failure = f"the loss became {figures['train_loss']} in epoch {figures['epoch']}"
            self.finish(stack, index)
        elif self._plan.validation is not None:
            outputs = stack.outputs_of(index, self._plan.validation.X)
            # If the weights overflow between two finite losses, the model scores below all others. It is no error.
            is_finite = np.isfinite(outputs).all()
            figures["valid_score"] = self._plan.validation.score(outputs) if is_finite else -np.inf
            self._note_score(figures["epoch"], figures["valid_score"], stack, index)

    def _note_score(self, epoch: int, score: float, stack: TrainingStack, index: int) -> None:
        rule = self._plan.stopping
        if score > self._best_score or self._weights is None:
            self._best_score, self._best_epoch = score, epoch
            self._weights = stack.network.weights_of(index)
        elif rule is not None and epoch - self._best_epoch >= rule.patience:
            self.finish(stack, index)

    def finish(self, stack: TrainingStack, index: int) -> None:
        """Keep the weights of the best epoch, or of this one if none was scored."""
        self.is_done = True
        self._weights = self._weights or stack.network.weights_of(index)
        self._moments = stack.optimizer.moments_of(index)
        if self._failure is None and not all(np.isfinite(value).all() for value in self._weights.values()):
            self._failure = f"the weights became infinite in epoch {len(self.history)}"

    def result(self) -> FitResult:
        """Return the finished model."""
        assert self._weights is not None
        assert self._moments is not None
        network = TrainedNetwork(self._plan.network, self._plan.inputs, self._weights, self._plan.seed)
        return FitResult(network, len(self.history), self.history, self._moments, self._failure)
