"""Evaluate the candidates of a search on its folds, in stacks of networks."""

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from inspect import signature
from typing import Any

import numpy as np
import torch
from joblib import effective_n_jobs
from sklearn.base import clone

from skmetric._core.engine import FitPlan, FitResult, resolve_device, split_into_stacks
from skmetric._core.engine.plan import Sampler
from skmetric._sklearn_compat import MultimetricScorer, check_method_params, safe_split, score_fitted
from skmetric.estimators import TorchEstimator
from skmetric.estimators.training_data import Given, InputFits, Prepared
from skmetric.model_selection._parallel import Failure, train_stacks
from skmetric.model_selection._pipeline_front import Front, Fronts, final_step
from skmetric.model_selection._reporting import Lines, NoCallbacks, SearchCallbacks

__all__ = ["Evaluation"]


class _Shared:
    """Parts that the candidates of a fold share. Each candidate prepares itself, and equal parts are kept once.

    Rows are then copied to the device once, encodings are fitted once, and batches are drawn once for all models with
    the same seed.
    """

    def __init__(self) -> None:
        self._fits = InputFits()
        self._samplers: list[Sampler] = []

    def prepare(self, final: TorchEstimator, given: Given) -> Prepared:
        """Prepare a candidate."""
        prepared = final._prepare(given, self._fits)
        own = prepared.plan.sampler
        sampler = next((other for other in self._samplers if _are_equal(other, own)), own)
        if sampler is own:
            self._samplers.append(own)
        return replace(prepared, plan=replace(prepared.plan, sampler=sampler))


@dataclass
class _Task:
    """One candidate on one fold, from its parameters to its score."""

    number: int
    fold: int
    parameters: dict[str, Any]
    estimator: Any
    front: Front | None = None
    prepared: Prepared | None = None
    device: torch.device | None = None
    failure: str | None = None
    seconds: float = 0.0
    whole: Any = None

    @property
    def final(self) -> Any:
        return final_step(self.estimator)


@dataclass(frozen=True)
class _Stack:
    """Tasks whose models train side by side."""

    tasks: list[_Task]
    device: torch.device

    @property
    def plans(self) -> list[FitPlan]:
        return [task.prepared.plan for task in self.tasks if task.prepared is not None]


@dataclass(frozen=True)
class Evaluation:
    """Fits and scores candidates on the folds of a search.

    Attributes
    ----------
    estimator : estimator
        The unfitted estimator of the search.
    X, y : array-like
        All rows and their targets.
    folds : list of (train, test)
        Row indices of each fold, as arrays.
    fit_params, score_params : dict
        Parameters that are routed to ``fit`` of the estimator and to the scorer.
    scorer : callable
        Scorer of the search.
    return_train_score : bool
        Whether training rows are scored too.
    error_score : "raise" or number
        Score of a failed fit.
    n_jobs, pre_dispatch
        Parameters of joblib. Each stack is one job.
    max_stack : int or None
        Maximum number of models in a stack.
    """

    estimator: Any
    X: Any
    y: Any
    folds: Sequence[tuple[Any, Any]]
    fit_params: dict[str, Any]
    score_params: dict[str, Any]
    scorer: Any
    return_train_score: bool
    error_score: Any
    n_jobs: int | None
    pre_dispatch: int | str
    max_stack: int | None

    def run(
        self, candidates: Sequence[dict[str, Any]], lines: Lines, callbacks: NoCallbacks | SearchCallbacks
    ) -> list[dict[str, Any]]:
        """Return one result per candidate and fold, ordered by candidate, as the evaluation of GridSearchCV does."""
        tasks = self._prepare(candidates)
        stacks = self._stacks([task for task in tasks if task.failure is None])
        lines.begin(len(stacks))
        for task in tasks:
            callbacks.begin(task.number, partial(self._split, task.fold))
        results: dict[int, dict[str, Any]] = {}
        with closing(self._concluded(tasks, stacks)) as concluded:
            for task in concluded:
                result = results[task.number] = self._score(task)
                # Free the memory of the model: only its scores are needed.
                task.estimator = task.whole = task.front = None
                lines.end(task.number, task.parameters, result)
                callbacks.end(task.number, partial(self._split, task.fold))
        return [results[task.number] for task in tasks]

    def _prepare(self, candidates: Sequence[dict[str, Any]]) -> list[_Task]:
        n_folds = len(self.folds)
        fronts = [Fronts(partial(self._split, fold)) for fold in range(n_folds)]
        shared = [_Shared() for _ in range(n_folds)]
        return [
            self._prepare_task(candidate * n_folds + fold, fronts[fold], parameters, shared[fold])
            for candidate, parameters in enumerate(candidates)
            for fold in range(n_folds)
        ]

    def _split(self, fold: int) -> tuple[Any, Any, dict[str, Any]]:
        """Return a copy of the training rows of a fold, their targets, and the parameters of ``fit`` for them."""
        train, _ = self.folds[fold]
        params = check_method_params(self.X, params=self.fit_params, indices=train)
        return (*safe_split(self.estimator, self.X, self.y, train), params)

    def _prepare_task(self, number: int, fronts: Fronts, parameters: dict[str, Any], shared: _Shared) -> _Task:
        start = time.perf_counter()
        estimator = clone(self.estimator).set_params(**clone(parameters, safe=False))
        task = _Task(number, number % len(self.folds), parameters, estimator)
        try:
            before = time.perf_counter()
            task.front = fronts.of(estimator, parameters)
            start += time.perf_counter() - before  # candidates share the time of the front
            X, y, params = task.front.received
            _check_names(task.final, params)
            task.final._validate_params()
            task.device = resolve_device(task.final.device)
            task.prepared = shared.prepare(task.final, Given.of(X, y, **params))
        except Exception as error:
            self._fail(task, Failure.of(error))
        task.seconds = time.perf_counter() - start
        return task

    def _stacks(self, tasks: Sequence[_Task]) -> list[_Stack]:
        stacks, n_jobs = [], effective_n_jobs(self.n_jobs)
        for device in {task.device: None for task in tasks if task.device is not None}:
            mine = [task for task in tasks if task.device == device and task.prepared is not None]
            plans = _Stack(mine, device).plans
            for indices in split_into_stacks(plans, device, self.max_stack, n_jobs=n_jobs):
                stacks.append(_Stack([mine[index] for index in indices], device))
        return stacks

    def _concluded(self, tasks: Sequence[_Task], stacks: Sequence[_Stack]) -> Generator[_Task]:
        """Yield finished tasks: first those that have failed already, then stack by stack."""
        yield from (task for task in tasks if task.failure is not None)
        to_train = ((stack.plans, stack.device) for stack in stacks)
        with closing(train_stacks(to_train, self.n_jobs, self.pre_dispatch)) as trained:
            for stack, (results, seconds) in zip(stacks, trained, strict=True):
                for task, result in zip(stack.tasks, results, strict=True):
                    self._finish(task, result, seconds / len(stack.tasks))
                    yield task

    def _finish(self, task: _Task, result: FitResult | Failure, seconds: float) -> None:
        start = time.perf_counter()
        assert task.front is not None
        if isinstance(result, Failure):
            self._fail(task, result)
        else:
            try:
                task.final._finish(task.prepared, result)
                task.whole = task.front.complete(task.final)
            except Exception as error:
                self._fail(task, Failure.of(error))
        task.seconds += task.front.seconds_each + seconds + time.perf_counter() - start
        task.prepared = None

    def _fail(self, task: _Task, failure: Failure) -> None:
        if self.error_score == "raise":
            if failure.error.__traceback__ is None:
                failure.error.add_note(failure.text)
            raise failure.error
        # Keep only the text, because the frames of an exception hold the memory of the failed fit.
        task.failure = failure.text

    def _score(self, task: _Task) -> dict[str, Any]:
        train, test = self.folds[task.fold]
        result: dict[str, Any] = {
            "fit_error": None,
            "fit_time": task.seconds,
            "score_time": 0.0,
            "n_test_samples": len(test),
        }
        if task.failure is not None:
            is_multimetric = isinstance(self.scorer, MultimetricScorer)
            failed = dict.fromkeys(self.scorer._scorers, self.error_score) if is_multimetric else self.error_score
            result |= {"fit_error": task.failure, "test_scores": failed}
            return result | ({"train_scores": failed} if self.return_train_score else {})
        start = time.perf_counter()
        result["test_scores"] = self._score_rows(task.whole, test, train)
        result["score_time"] = time.perf_counter() - start
        if self.return_train_score:
            result["train_scores"] = self._score_rows(task.whole, train, None)
        return result

    def _score_rows(self, whole: Any, rows: Any, train: Any) -> Any:
        X, y = safe_split(whole, self.X, self.y, rows, train)
        params = check_method_params(self.X, params=self.score_params, indices=rows)
        return score_fitted(whole, X, y, self.scorer, params, self.error_score)


def _check_names(estimator: Any, params: Mapping[str, Any]) -> None:
    known = signature(estimator.fit).parameters
    for name in params:
        if name not in known:
            raise TypeError(f"{type(estimator).__name__}.fit() got an unexpected keyword argument {name!r}")


def _are_equal(one: Any, other: Any) -> bool:
    """Whether two samplers are of the same class and hold equal values."""
    return type(one) is type(other) and all(
        np.array_equal(value, vars(other)[name]) for name, value in vars(one).items()
    )
