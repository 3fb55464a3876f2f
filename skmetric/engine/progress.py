"""How far each model of a stack has come: history, best weights, and whether it is done."""

from typing import Any

import numpy as np

from skmetric.engine.plan import FitResult
from skmetric.engine.stack import TrainingStack
from skmetric.engine.trained import TrainedNetwork
from skmetric.nn import Weights

__all__ = ["Progress"]


class Progress:
    """Runs epochs of a stack and keeps, for each model, what its own fit alone would have kept.

    A model that is done (its validation score no longer rises, or its loss is no longer finite) stays in the stack,
    but its result stays what it was at that epoch.

    Parameters
    ----------
    stack : TrainingStack
        The models.
    """

    def __init__(self, stack: TrainingStack) -> None:
        self.stack = stack
        self.epoch = 0
        self._models = [_ModelProgress(stack, model) for model in range(len(stack.plans))]

    @property
    def is_done(self) -> bool:
        """Whether no model has anything left to learn."""
        return self.epoch >= self.stack.plans[0].max_iter or all(model.is_done for model in self._models)

    def run_epoch(self) -> dict[str, Any]:
        """Train for an epoch; its figures, as numbers for one model and as arrays for several."""
        figures = self.stack.train_epoch(self.epoch)
        self.epoch += 1
        for index, model in enumerate(self._models):
            if not model.is_done:
                model.note({"epoch": self.epoch, **{name: float(value[index]) for name, value in figures.items()}})
        if len(self._models) == 1:
            return self._models[0].history[-1]
        return figures

    def note_extra(self, figures: dict[str, Any]) -> None:
        """Add what is known only after the epoch (its duration, a callback's figures) to the models' histories."""
        for model in self._models:
            if len(model.history) == self.epoch:
                model.history[-1].update(figures)

    def results(self) -> list[FitResult]:
        """One result a model."""
        return [model.result() for model in self._models]


class _ModelProgress:
    def __init__(self, stack: TrainingStack, model: int) -> None:
        self._stack, self._model, self._plan = stack, model, stack.plans[model]
        self.history: list[dict[str, Any]] = []
        self.is_done = False
        self._failure: str | None = None
        self._best_score = -np.inf
        self._best_epoch = 0
        self._best_weights: Weights | None = None

    def note(self, figures: dict[str, Any]) -> None:
        self.history.append(figures)
        if not np.isfinite(figures["train_loss"]):
            self._failure = f"the loss became {figures['train_loss']} in epoch {figures['epoch']}"
            self.is_done = True
        elif self._plan.validation is not None:
            outputs = self._stack.outputs_of(self._model, self._plan.validation.X)
            self._note_score(figures, self._plan.validation.score(outputs))

    def _note_score(self, figures: dict[str, Any], score: float) -> None:
        figures["valid_score"] = score
        rule = self._plan.stopping
        if score > self._best_score or self._best_weights is None:
            self._best_score, self._best_epoch = score, figures["epoch"]
            self._best_weights = self._stack.network.weights_of(self._model)
        elif rule is not None and figures["epoch"] - self._best_epoch >= rule.patience:
            self.is_done = True

    def result(self) -> FitResult:
        weights = self._best_weights or self._stack.network.weights_of(self._model)
        if self._failure is None and not all(np.isfinite(value).all() for value in weights.values()):
            self._failure = f"the weights became infinite in epoch {len(self.history)}"
        return FitResult(
            TrainedNetwork(self._plan.network, weights, self._plan.seed),
            len(self.history),
            self.history,
            self._stack.optimizer.moments_of(self._model),
            self._failure,
        )
