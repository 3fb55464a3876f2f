"""From candidates and folds to scores, by stacks of networks."""

import time
import warnings
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from inspect import signature
from traceback import format_exception
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.base import clone

from skmetric._sklearn_compat import MultimetricScorer, check_method_params, safe_split, score_fitted
from skmetric.engine import FitPlan, FitResult, fit_in_stacks, resolve_device, split_into_stacks
from skmetric.model_selection._fronts import Front, Fronts, final_step
from skmetric.model_selection._reports import Lines, NoCallbacks, SearchCallbacks

__all__ = ["Evaluation"]


@dataclass(frozen=True)
class _Failure:
    """Why a fit came to nothing. An exception that comes from another process has lost its frames."""

    error: Exception
    text: str

    @classmethod
    def of(cls, error: Exception) -> "_Failure":
        return cls(error, "".join(format_exception(error)))


# For each model of a stack what came of it, and the seconds of all together.
Trained = tuple[list[FitResult | _Failure], float]


@dataclass
class _Task:
    """One candidate on one fold, on its way to a score."""

    number: int
    fold: int
    parameters: dict[str, Any]
    estimator: Any
    front: Front | None = None
    plan: FitPlan | None = None
    device: torch.device | None = None
    failure: str | None = None
    seconds: float = 0.0
    whole: Any = None

    @property
    def final(self) -> Any:
        return final_step(self.estimator)


@dataclass(frozen=True)
class Evaluation:
    """Fits and scores candidates on the folds of a search.

    Attributes
    ----------
    estimator : estimator
        The search's, unfitted.
    X, y : array-like
        All rows.
    folds : list of (train, test)
        Arrays of row indices.
    fit_params, score_params : dict
        Routed to the estimator's ``fit`` and to the scorer.
    scorer : callable
        As the search made it.
    return_train_score : bool
        Whether training rows are scored too.
    error_score : "raise" or number
        What a failed fit scores.
    n_jobs, pre_dispatch
        joblib's; a stack is a job.
    max_stack : int or None
        Most models in a stack.
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
        """One result for each candidate and fold, candidates first, as GridSearchCV's own evaluation returns them."""
        tasks = self._prepare(candidates)
        stacks = self._stacks([task for task in tasks if task.failure is None])
        lines.begin(len(stacks))
        for task in tasks:
            callbacks.begin(task.number, partial(self._split, task.fold))
        results: dict[int, dict[str, Any]] = {}
        with closing(self._concluded(tasks, stacks)) as concluded:
            for task in concluded:
                result = results[task.number] = self._score(task)
                # Nothing is kept of a model but its scores.
                task.estimator = task.whole = task.front = None
                lines.end(task.number, task.parameters, result)
                callbacks.end(task.number, partial(self._split, task.fold))
        return [results[task.number] for task in tasks]

    def _prepare(self, candidates: Sequence[dict[str, Any]]) -> list[_Task]:
        n_folds = len(self.folds)
        fronts = [Fronts(partial(self._split, fold)) for fold in range(n_folds)]
        planned: list[list[FitPlan]] = [[] for _ in range(n_folds)]
        return [
            self._plan(candidate * n_folds + fold, fronts[fold], parameters, planned[fold])
            for candidate, parameters in enumerate(candidates)
            for fold in range(n_folds)
        ]

    def _split(self, fold: int) -> tuple[Any, Any, dict[str, Any]]:
        """A copy of the training rows of a fold, their targets, and what goes with them to ``fit``."""
        train, _ = self.folds[fold]
        params = check_method_params(self.X, params=self.fit_params, indices=train)
        return (*safe_split(self.estimator, self.X, self.y, train), params)

    def _plan(self, number: int, fronts: Fronts, parameters: dict[str, Any], planned: list[FitPlan]) -> _Task:
        start = time.perf_counter()
        estimator = clone(self.estimator).set_params(**clone(parameters, safe=False))
        task = _Task(number, number % len(self.folds), parameters, estimator)
        try:
            task.front = fronts.of(estimator, parameters)
            X, y, params = task.front.received
            _check_names(task.final, params)
            task.final._validate_params()
            task.device = resolve_device(task.final.device)
            task.plan = _share(task.final._plan(X, y, **params), planned)
        except Exception as error:
            self._fail(task, _Failure.of(error))
        task.seconds = time.perf_counter() - start
        return task

    def _stacks(self, tasks: Sequence[_Task]) -> list[list[_Task]]:
        stacks = []
        for device in dict.fromkeys(task.device for task in tasks):
            mine = [(task, task.plan) for task in tasks if task.device == device and task.plan is not None]
            assert device is not None
            for places in split_into_stacks([plan for _, plan in mine], device, self.max_stack):
                stacks.append([mine[place][0] for place in places])
        return stacks

    def _concluded(self, tasks: Sequence[_Task], stacks: Sequence[list[_Task]]) -> Generator[_Task]:
        """Tasks as they come to an end: those that have failed already, then stack by stack."""
        yield from (task for task in tasks if task.failure is not None)
        jobs = (delayed(_train_stack)([task.plan for task in stack], stack[0].device) for stack in stacks)
        trained = self._parallel()(jobs)
        try:
            for stack, (results, seconds) in zip(stacks, trained, strict=True):
                for task, result in zip(stack, results, strict=True):
                    self._finish(task, result, seconds / len(stack))
                    yield task
        finally:
            _abandon(trained)

    def _parallel(self) -> Parallel:
        """Gives results one by one where joblib's backend can, else all at the end."""
        how = {"n_jobs": self.n_jobs, "pre_dispatch": self.pre_dispatch}
        try:
            return Parallel(**how, return_as="generator")
        except ValueError:
            return Parallel(**how)

    def _finish(self, task: _Task, result: FitResult | _Failure, seconds: float) -> None:
        start = time.perf_counter()
        assert task.front is not None
        if isinstance(result, _Failure):
            self._fail(task, result)
        else:
            try:
                task.final._finish(task.plan, result)
                task.whole = task.front.complete(task.final)
            except Exception as error:
                self._fail(task, _Failure.of(error))
        task.seconds += seconds + time.perf_counter() - start
        task.plan = None

    def _fail(self, task: _Task, failure: _Failure) -> None:
        if self.error_score == "raise":
            if failure.error.__traceback__ is None:
                failure.error.add_note(failure.text)
            raise failure.error
        # The text alone: an exception's frames hold what failed.
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


def _share(plan: FitPlan, earlier: list[FitPlan]) -> FitPlan:
    """Let the candidates of a fold share rows and samplers that are equal, which each has made for itself.

    The rows are then on the device once, and batches are drawn once for all models of a seed.
    """
    X = next((other.X for other in earlier if np.array_equal(other.X, plan.X)), plan.X)
    sampler = next((other.sampler for other in earlier if _draw_alike(other.sampler, plan.sampler)), plan.sampler)
    if X is plan.X or sampler is plan.sampler:
        earlier.append(plan)
    return replace(plan, X=X, sampler=sampler)


def _draw_alike(one: Any, other: Any) -> bool:
    """Whether two samplers are of one kind and hold equal values."""
    return type(one) is type(other) and all(
        np.array_equal(value, vars(other)[name]) for name, value in vars(one).items()
    )


def _train_stack(plans: Sequence[FitPlan], device: torch.device) -> Trained:
    start = time.perf_counter()
    results = [
        _Failure.of(result) if isinstance(result, Exception) else result for result in fit_in_stacks(plans, device)
    ]
    return results, time.perf_counter() - start


def _abandon(trained: Iterable[Trained]) -> None:
    """Call off the stacks that nobody waits for any more, where joblib gives them one by one."""
    if isinstance(trained, Generator):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*tasks which were still being processed by the workers")
            trained.close()
