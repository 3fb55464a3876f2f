"""From candidates and folds to scores, by stacks of networks."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from traceback import format_exception
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone

from skmetric._sklearn_compat import MultimetricScorer, check_method_params, safe_split, score_fitted
from skmetric.engine import FitPlan, FitResult, fit_in_stacks, resolve_device, split_into_stacks
from skmetric.model_selection._fronts import Front, Fronts, final_step

__all__ = ["Evaluation"]


@dataclass
class _Task:
    """One candidate on one fold, on its way to a score."""

    fold: int
    estimator: Any
    final: Any
    front: Front | None = None
    plan: FitPlan | None = None
    error: Exception | None = None
    seconds: float = 0.0
    whole: Any = None


@dataclass
class Evaluation:
    """Fits and scores candidates on the folds of a search.

    Attributes
    ----------
    estimator : estimator
        The search's, unfitted.
    X, y : array-like
        All rows.
    folds : list of (train, test)
        Row indices.
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
    n_stacks: int = field(default=0, init=False)

    def run(self, candidates: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """One result for each candidate and fold, candidates first, as GridSearchCV's own evaluation returns them."""
        tasks = self._prepare(candidates)
        self._train([task for task in tasks if task.error is None])
        return [self._score(task) for task in tasks]

    def _prepare(self, candidates: Sequence[dict[str, Any]]) -> list[_Task]:
        fronts = []
        for train, _ in self.folds:
            params = check_method_params(self.X, params=self.fit_params, indices=train)
            X, y = safe_split(self.estimator, self.X, self.y, train)
            fronts.append(Fronts(X, y, params))
        planned: list[list[FitPlan]] = [[] for _ in self.folds]
        return [
            self._plan(fold, fronts[fold], parameters, planned[fold])
            for parameters in candidates
            for fold in range(len(self.folds))
        ]

    def _plan(self, fold: int, fronts: Fronts, parameters: dict[str, Any], planned: list[FitPlan]) -> _Task:
        start = time.perf_counter()
        estimator = clone(self.estimator).set_params(**clone(parameters, safe=False))
        task = _Task(fold, estimator, final_step(estimator))
        try:
            task.front = fronts.of(estimator, parameters)
            X, y, params = task.front.received
            task.final._validate_params()
            task.plan = _share(task.final._plan(X, y, **params), planned)
        except Exception as error:
            self._fail(task, error)
        task.seconds = time.perf_counter() - start
        return task

    def _train(self, tasks: Sequence[_Task]) -> None:
        jobs = []
        for device in {task.final.device for task in tasks}:
            mine = [task for task in tasks if task.final.device == device]
            where = resolve_device(device)
            plans = [task.plan for task in mine if task.plan is not None]
            jobs += [([mine[i] for i in stack], where) for stack in split_into_stacks(plans, where, self.max_stack)]
        self.n_stacks += len(jobs)
        trained = Parallel(n_jobs=self.n_jobs, pre_dispatch=self.pre_dispatch)(
            delayed(_train_stack)([task.plan for task in stack], where) for stack, where in jobs
        )
        for (stack, _), (results, seconds) in zip(jobs, trained, strict=True):
            for task, result in zip(stack, results, strict=True):
                self._finish(task, result, seconds / len(stack))

    def _finish(self, task: _Task, result: FitResult, seconds: float) -> None:
        start = time.perf_counter()
        assert task.front is not None
        try:
            task.final._finish(task.plan, result)
            task.whole = task.front.complete(task.final)
        except Exception as error:
            self._fail(task, error)
        task.seconds += seconds + time.perf_counter() - start
        task.plan = None

    def _fail(self, task: _Task, error: Exception) -> None:
        if self.error_score == "raise":
            raise error
        task.error = error

    def _score(self, task: _Task) -> dict[str, Any]:
        train, test = self.folds[task.fold]
        result: dict[str, Any] = {
            "fit_error": None,
            "fit_time": task.seconds,
            "score_time": 0.0,
            "n_test_samples": len(test),
        }
        if task.error is not None:
            is_multimetric = isinstance(self.scorer, MultimetricScorer)
            failed = dict.fromkeys(self.scorer._scorers, self.error_score) if is_multimetric else self.error_score
            result |= {"fit_error": "".join(format_exception(task.error)), "test_scores": failed}
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


def _train_stack(plans: Sequence[FitPlan], device: Any) -> tuple[list[FitResult], float]:
    start = time.perf_counter()
    return fit_in_stacks(plans, device), time.perf_counter() - start
