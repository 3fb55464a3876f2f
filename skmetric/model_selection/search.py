"""GridSearchCV and RandomizedSearchCV that train their candidates and folds as stacks of networks."""

import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from inspect import signature
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, check_cv
from sklearn.utils import Tags, get_tags, indexable
from sklearn.utils.metaestimators import available_if

from skmetric._sklearn_compat import (
    BaseSearchCV,
    Interval,
    MultimetricScorer,
    check_method_params,
    fit_context,
    insert_error_scores,
    warn_or_raise_about_fit_failures,
)
from skmetric.estimators import TorchEstimator
from skmetric.estimators._callbacks import CALLBACKS_FOLLOW_ONE, has_callbacks
from skmetric.model_selection._evaluation import Evaluation
from skmetric.model_selection._fronts import final_prefix, final_step
from skmetric.model_selection._reports import Lines, NoCallbacks, SearchCallbacks, told_of

__all__ = ["BatchedGridSearchCV", "BatchedRandomizedSearchCV"]

Grid = Mapping[str, Sequence] | Sequence[Mapping[str, Sequence]]


class _BatchedSearch(BaseSearchCV):
    """What the two searches share: ``fit``, in place of scikit-learn's, where all candidates can be stacked."""

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> Self:
        """Search, and fit the best candidate on all rows.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows.
        y : array-like of shape (n,)
            Their targets.
        **params : dict
            Passed on to ``fit`` of the estimator, the splitter and the scorer, as by scikit-learn's searches.

        Returns
        -------
        self

        Warns
        -----
        UserWarning
            When the candidates cannot be stacked, and run through scikit-learn's own search.
        FitFailedWarning
            When some candidates failed, and score ``error_score``.
        """
        reason = _why_not_stacked(self.estimator, self._searched())
        if reason is not None:
            warnings.warn(
                f"{type(self).__name__} trains its candidates one by one, as scikit-learn's search does: {reason}.",
                UserWarning,
                stacklevel=3,
            )
            return super().fit(X, y, **params)
        return self._fit_stacked(X, y, params)

    @available_if(lambda self: hasattr(self.estimator, "fit_transform"))
    def fit_transform(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> Any:
        """Search, and transform the rows by the best candidate, fitted on all of them.

        Parameters
        ----------
        X, y, **params
            As for ``fit``.

        Returns
        -------
        array of shape (n, n_components)
            What ``fit(X, y).transform(X)`` gives.
        """
        return self.fit(X, y, **params).transform(X)

    def __sklearn_tags__(self) -> Tags:
        # scikit-learn's searches hand on all of an estimator's tags but these.
        tags = super().__sklearn_tags__()
        tags.transformer_tags = deepcopy(get_tags(self.estimator).transformer_tags)
        return tags

    def _fit_stacked(self, X: Any, y: Any, params: dict[str, Any]) -> Self:
        scorers, refit_metric = self._get_scorers()
        X, y = indexable(X, y)
        params = check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        told = {"X": X, "y": y, "metadata": told_of(params)}
        context = self._init_callback_context(max_subtasks=1 + (self.refit is not False))
        context.call_on_fit_task_begin(estimator=self, **told)

        self._checked_cv_orig = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self.n_splits_ = self._checked_cv_orig.get_n_splits(X, y, **routed.splitter.split)
        evaluation = Evaluation(
            clone(self.estimator),
            X,
            y,
            self._folds(X, y, routed.splitter.split),
            routed.estimator.fit,
            routed.scorer.score,
            scorers,
            self.return_train_score,
            self.error_score,
            self.n_jobs,
            self.pre_dispatch,
            self.max_stack,
        )
        results = self._evaluate(evaluation, context)
        self._select(results, refit_metric)
        if self.refit:
            self._refit(told, routed.estimator.fit, context)
        self.scorer_ = scorers._scorers if isinstance(scorers, MultimetricScorer) else scorers
        self.cv_results_ = results
        context.call_on_fit_task_end(estimator=self, **told)
        return self

    def _folds(self, X: Any, y: Any, params: dict[str, Any]) -> list[tuple[Any, Any]]:
        """Row indices of training and test rows, whatever the splitter gives: lists, ranges, masks."""
        folds = [tuple(map(_as_indices, fold)) for fold in self._checked_cv_orig.split(X, y, **params)]
        if len(folds) != self.n_splits_:
            raise ValueError(
                f"cv.split and cv.get_n_splits must agree on how many folds there are; get_n_splits says "
                f"{self.n_splits_}, split gave {len(folds)}."
            )
        return folds

    def _evaluate(self, evaluation: Evaluation, context: Any) -> dict[str, Any]:
        """Run the candidates that ``_run_search`` of scikit-learn's class asks for; ``cv_results_`` of them all."""
        results: dict[str, Any] = {}
        all_candidates: list[dict[str, Any]] = []
        all_out: list[dict[str, Any]] = []

        def evaluate_candidates(candidates: Iterable[dict[str, Any]], callback_ctx: Any = None) -> dict[str, Any]:
            nonlocal results
            candidates = list(candidates)
            n_tasks = len(candidates) * self.n_splits_
            is_watched = callback_ctx is not None and has_callbacks(self)
            callbacks = SearchCallbacks(self, callback_ctx, n_tasks) if is_watched else NoCallbacks()
            out = evaluation.run(candidates, Lines(self.verbose, self.n_splits_, len(candidates)), callbacks)
            if not out:
                raise ValueError("No fits were performed. Was the CV iterator empty? Were there no candidates?")
            warn_or_raise_about_fit_failures(out, self.error_score)
            if callable(self.scoring):
                insert_error_scores(out, self.error_score)
            self.multimetric_ = isinstance(out[0]["test_scores"], dict)
            all_candidates.extend(candidates)
            all_out.extend(out)
            results = self._format_results(all_candidates, self.n_splits_, all_out)
            return results

        # A subclass that chooses candidates in its own way need not know of callbacks.
        knows = "callback_ctx" in signature(self._run_search).parameters
        self._run_search(evaluate_candidates, **({"callback_ctx": context} if knows else {}))
        return results

    def _select(self, results: dict[str, Any], refit_metric: str) -> None:
        if callable(self.scoring) and self.multimetric_:
            names = [name.removeprefix("mean_test_") for name in results if name.startswith("mean_test_")]
            self._check_refit_for_multimetric(dict.fromkeys(names))
            refit_metric = self.refit
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
            if not callable(self.refit):
                self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]
            self.best_params_ = results["params"][self.best_index_]

    def _refit(self, told: dict[str, Any], fit_params: dict[str, Any], context: Any) -> None:
        self.best_estimator_ = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        task = context.subcontext(task_name="refit-with-best-params")
        with task.propagate_callback_context(self.best_estimator_):
            task.call_on_fit_task_begin(estimator=self, **told)
            start = time.perf_counter()
            self.best_estimator_.fit(told["X"], told["y"], **fit_params)
            self.refit_time_ = time.perf_counter() - start
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_
        task.call_on_fit_task_end(estimator=self, **told)


def _as_indices(rows: Any) -> Any:
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def _why_not_stacked(estimator: Any, searched: set[str]) -> str | None:
    final, prefix = final_step(estimator), final_prefix(estimator)
    replaced = searched & ({"steps", prefix.removesuffix("__")} if prefix else set())
    if replaced:
        return f"the search is over the final step itself, {replaced.pop()!r}"
    if not isinstance(final, TorchEstimator):
        shown = repr(final) if isinstance(final, str) else type(final).__name__
        if prefix:
            return f"the Pipeline's last step, {shown}, is not one of skmetric's estimators"
        return f"{shown} is neither one of skmetric's estimators nor a Pipeline whose last step is one"
    if prefix and any(has_callbacks(step) for step in (estimator, *(step for _, step in estimator.steps))):
        return CALLBACKS_FOLLOW_ONE
    return final._why_not_stacked({name.removeprefix(prefix) for name in searched if name.startswith(prefix)})


class BatchedGridSearchCV(_BatchedSearch, GridSearchCV):
    """GridSearchCV that trains all candidates and folds as stacks of networks.

    A drop-in for :class:`sklearn.model_selection.GridSearchCV` over one of skmetric's estimators, or a Pipeline that
    ends in one: the same parameters, attributes and scores, in a fraction of the time. A small network leaves a machine
    idle; forty of them side by side do not. Each model of a stack has its own seed, rows, margin, rates and early
    stopping, and is the fit that it would be alone.

    Candidates whose networks or batches differ in shape go into different stacks. The steps of a Pipeline before the
    last one are fitted once a fold for all candidates that share their parameters.

    Parameters
    ----------
    estimator : estimator
        One of skmetric's, or a Pipeline that ends in one. Any other runs through GridSearchCV, with a warning; so do
        networks of one's own (``module``), estimators with callbacks, and subclasses with a ``fit`` of their own.
    param_grid : dict or list of dict
        Names of parameters and the values to try.
    scoring, cv, refit, error_score, return_train_score
        As in GridSearchCV.
    n_jobs : int, optional
        Stacks trained at the same time, by joblib. One stack uses all of torch's threads by itself: more jobs pay on
        several machines, or where there are many stacks.
    pre_dispatch : int or str, default="2*n_jobs"
        As in GridSearchCV.
    max_stack : int, optional
        Most models in a stack; by default as many as a quarter of the free memory holds. A stack that there is no
        memory for is halved.
    verbose : int, default=0
        Above 0, what is searched and in how many stacks is printed; above 1, a line for each candidate and fold, once
        its stack is trained. The ``verbose`` of the estimator prints nothing within a stack.

    Attributes
    ----------
    cv_results_ : dict
        As in GridSearchCV. ``fit_time`` is a model's equal share of its stack's time.
    best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, refit_time_, multimetric_
        As in GridSearchCV.

    See Also
    --------
    BatchedRandomizedSearchCV : The same for sampled candidates.

    Notes
    -----
    On a CPU, scores equal GridSearchCV's, bit for bit in all that has been measured. Callbacks of the search
    (``set_callbacks``) are told of each candidate and fold, and of the epochs of the last fit only, on all rows.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmetric import TripletEmbedder
    >>> from skmetric.model_selection import BatchedGridSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> pipeline = make_pipeline(StandardScaler(), TripletEmbedder(max_iter=5, device="cpu", random_state=0))
    >>> search = BatchedGridSearchCV(pipeline, {"tripletembedder__margin": [0.1, 0.5]}, cv=3).fit(X, y)
    >>> sorted(search.best_params_)
    ['tripletembedder__margin']
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **GridSearchCV._parameter_constraints,
        "max_stack": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Grid,
        *,
        scoring: Any = None,
        cv: Any = None,
        refit: Any = True,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        n_jobs: int | None = None,
        pre_dispatch: int | str = "2*n_jobs",
        max_stack: int | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            cv=cv,
            refit=refit,
            error_score=error_score,
            return_train_score=return_train_score,
            n_jobs=n_jobs,
            pre_dispatch=pre_dispatch,
            verbose=verbose,
        )
        self.max_stack = max_stack

    def _searched(self) -> set[str]:
        return _names(self.param_grid)


class BatchedRandomizedSearchCV(_BatchedSearch, RandomizedSearchCV):
    """RandomizedSearchCV that trains all candidates and folds as stacks of networks.

    To :class:`sklearn.model_selection.RandomizedSearchCV` what :class:`BatchedGridSearchCV` is to GridSearchCV.

    Parameters
    ----------
    estimator : estimator
        One of skmetric's, or a Pipeline that ends in one.
    param_distributions : dict or list of dict
        Names of parameters, and distributions or lists to sample from.
    n_iter : int, default=10
        Candidates.
    random_state : int, RandomState instance or None, default=None
        Samples the candidates.
    scoring, cv, refit, error_score, return_train_score, n_jobs, pre_dispatch, max_stack, verbose
        As in :class:`BatchedGridSearchCV`.

    Attributes
    ----------
    cv_results_ : dict
        As in :class:`BatchedGridSearchCV`.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from skmetric import TripletEmbedder
    >>> from skmetric.model_selection import BatchedRandomizedSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> embedder = TripletEmbedder(max_iter=5, device="cpu", random_state=0)
    >>> search = BatchedRandomizedSearchCV(embedder, {"margin": loguniform(0.1, 1)}, n_iter=4, cv=3, random_state=0)
    >>> len(search.fit(X, y).cv_results_["params"])
    4
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **RandomizedSearchCV._parameter_constraints,
        "max_stack": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
        scoring: Any = None,
        cv: Any = None,
        refit: Any = True,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        random_state: Any = None,
        n_jobs: int | None = None,
        pre_dispatch: int | str = "2*n_jobs",
        max_stack: int | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            estimator,
            param_distributions,
            n_iter=n_iter,
            scoring=scoring,
            cv=cv,
            refit=refit,
            error_score=error_score,
            return_train_score=return_train_score,
            random_state=random_state,
            n_jobs=n_jobs,
            pre_dispatch=pre_dispatch,
            verbose=verbose,
        )
        self.max_stack = max_stack

    def _searched(self) -> set[str]:
        return _names(self.param_distributions)


def _names(grid: Any) -> set[str]:
    """Names of parameters in a grid. What is none, scikit-learn has its own words for."""
    grids = [grid] if isinstance(grid, Mapping) or not isinstance(grid, Iterable) else grid
    return set().union(*(each for each in grids if isinstance(each, Mapping)))
