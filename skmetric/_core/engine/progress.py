"""How far each model of a stack has come: history, best weights, and whether it is done."""

from typing import Any

import numpy as np

from skmetric._core.engine.plan import FitPlan, FitResult, Moments
from skmetric._core.engine.trained import TrainedNetwork
from skmetric._core.engine.training import TrainingStack
from skmetric._core.nn import Weights

__all__ = ["Progress"]


# Once so large a share of a stack is done, the others go on in a smaller one.
DONE_SHARE = 0.5


class Progress:
    """Runs epochs of a stack and keeps, for each model, what its own fit alone would have kept.

    A model is done when its validation score no longer rises or its loss is no longer finite. Its result stays what it
    was at that epoch, while it may stay in the stack for some more.

    Parameters
    ----------
    stack : TrainingStack
        The models.
    """

    def __init__(self, stack: TrainingStack) -> None:
        self.stack = stack
        self.epoch = 0
        self._models = [_ModelProgress(plan) for plan in stack.plans]
        self._in_stack = list(self._models)

    @property
    def is_done(self) -> bool:
        """Whether no model has anything left to learn."""
        return self.epoch >= self.stack.plans[0].max_iter or all(model.is_done for model in self._models)

    def run_epoch(self) -> dict[str, Any]:
        """Train for an epoch; its figures, as numbers for one model and as arrays for several."""
        self._leave_out_the_done()
        figures = self.stack.train_epoch(self.epoch)
        self.epoch += 1
        for place, model in enumerate(self._in_stack):
            if not model.is_done:
                row = {"epoch": self.epoch, **{name: float(value[place]) for name, value in figures.items()}}
                model.note(row, self.stack, place)
        return self._models[0].history[-1] if len(self._models) == 1 else {"epoch": self.epoch, **figures}

    def note_extra(self, figures: dict[str, Any]) -> None:
        """Add what is known only after the epoch (its duration, a callback's figures) to the models' histories."""
        for model in self._models:
            if len(model.history) == self.epoch:
                model.history[-1].update(figures)

    def results(self) -> list[FitResult]:
        """One result a model."""
        for place, model in enumerate(self._in_stack):
            if not model.is_done:
                model.finish(self.stack, place)
        return [model.result() for model in self._models]

    def _leave_out_the_done(self) -> None:
        going_on = [place for place, model in enumerate(self._in_stack) if not model.is_done]
        if 0 < len(going_on) <= (1 - DONE_SHARE) * len(self._in_stack):
            self.stack = self.stack.keep_only(going_on)
            self._in_stack = [self._in_stack[place] for place in going_on]


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

    def note(self, figures: dict[str, Any], stack: TrainingStack, place: int) -> None:
        """Take an epoch's figures; ``place`` is the model's in the stack."""
        self.history.append(figures)
        if not np.isfinite(figures["train_loss"]):
            self._failure = f"the loss became {figures['train_loss']} in epoch {figures['epoch']}"
            self.finish(stack, place)
        elif self._plan.validation is not None:
            outputs = stack.outputs_of(place, self._plan.validation.X)
            # A model whose weights overflow between two finite losses is worse than any other, not an error.
            is_finite = np.isfinite(outputs).all()
            figures["valid_score"] = self._plan.validation.score(outputs) if is_finite else -np.inf
            self._note_score(figures["epoch"], figures["valid_score"], stack, place)

    def _note_score(self, epoch: int, score: float, stack: TrainingStack, place: int) -> None:
        rule = self._plan.stopping
        if score > self._best_score or self._weights is None:
            self._best_score, self._best_epoch = score, epoch
            self._weights = stack.network.weights_of(place)
        elif rule is not None and epoch - self._best_epoch >= rule.patience:
            self.finish(stack, place)

    def finish(self, stack: TrainingStack, place: int) -> None:
        """Keep what the model has become: the weights of its best epoch, or of this one."""
        self.is_done = True
        self._weights = self._weights or stack.network.weights_of(place)
        self._moments = stack.optimizer.moments_of(place)
        if self._failure is None and not all(np.isfinite(value).all() for value in self._weights.values()):
            self._failure = f"the weights became infinite in epoch {len(self.history)}"

    def result(self) -> FitResult:
        """The finished model."""
        assert self._weights is not None
        assert self._moments is not None
        network = TrainedNetwork(self._plan.network, self._plan.inputs, self._weights, self._plan.seed)
        return FitResult(network, len(self.history), self.history, self._moments, self._failure)
