"""Base class of the batched searches: a ``fit`` that trains stacks of networks."""

import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from copy import deepcopy
from inspect import signature
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import Tags, get_tags, indexable
from sklearn.utils.metaestimators import available_if

from skmetric._sklearn_compat import (
    BaseSearchCV,
    MultimetricScorer,
    check_method_params,
    fit_context,
    has_callbacks,
    insert_error_scores,
    warn_or_raise_about_fit_failures,
)
from skmetric._warnings import each_warning_once, warn_caller
from skmetric.estimators import TorchEstimator
from skmetric.model_selection._evaluation import Evaluation
from skmetric.model_selection._pipeline_front import final_prefix, final_step
from skmetric.model_selection._reporting import Lines, NoCallbacks, SearchCallbacks, metadata_of
from skmetric.model_selection._split_groups import (
    groups_of_fit,
    warn_of_split_groups,
    without_remarks_on_groups,
)

__all__ = ["StackedSearch"]


class StackedSearch(BaseSearchCV):
    """A search that trains its candidates as stacks of networks if possible, and one by one otherwise.

    A subclass returns the names of the searched parameters in ``_searched``.
    """

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> Self:
        """Run the search and fit the best candidate on all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,)
            Targets of the rows.
        **params : dict
            Parameters passed to ``fit`` of the estimator, the splitter and the scorer, as in scikit-learn's searches.

        Returns
        -------
        self

        Warns
        -----
        UserWarning
            If the candidates cannot be stacked, so that scikit-learn's search runs instead. If groups reach the
            estimator, but a fold trains on one part of a group and scores another. If all scores are NaN, so that no
            candidate is the best. Each warning is shown once, although several fits may cause it.
        FitFailedWarning
            If some fits failed. Their score is ``error_score``.
        """
        reason = _why_not_stacked(self.estimator, self._searched())
        with each_warning_once():
            if reason is None:
                return self._fit_stacked(X, y, params)
            warn_caller(
                f"{type(self).__name__} trains its candidates one by one, like scikit-learn's search, because {reason}."
            )
            self._look_at_groups(X, y, params)
            return super().fit(X, y, **params)

    @available_if(lambda self: hasattr(self.estimator, "fit_transform"))
    def fit_transform(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> Any:
        """Run the search and transform the rows by the best candidate, which is fitted on all rows.

        Parameters
        ----------
        X, y, **params
            As in ``fit``.

        Returns
        -------
        array of shape (n_samples, n_components)
            The same as ``fit(X, y).transform(X)``.
        """
        return self.fit(X, y, **params).transform(X)

    def __sklearn_tags__(self) -> Tags:
        # scikit-learn's searches copy the other tags of an estimator.
        tags = super().__sklearn_tags__()
        own = deepcopy(get_tags(self.estimator))
        tags.transformer_tags, tags.target_tags = own.transformer_tags, own.target_tags
        return tags

    def _fit_stacked(self, X: Any, y: Any, params: dict[str, Any]) -> Self:
        scorers, refit_metric = self._get_scorers()
        X, y = indexable(X, y)
        params = check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        notice = {"X": X, "y": y, "metadata": metadata_of(params)}
        context = self._init_callback_context(max_subtasks=1 + (self.refit is not False))
        context.call_on_fit_task_begin(estimator=self, **notice)

        self._checked_cv_orig = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self.n_splits_ = self._checked_cv_orig.get_n_splits(X, y, **routed.splitter.split)
        evaluation = Evaluation(
            estimator=clone(self.estimator),
            X=X,
            y=y,
            folds=self._folds(X, y, routed),
            fit_params=routed.estimator.fit,
            score_params=routed.scorer.score,
            scorer=scorers,
            return_train_score=self.return_train_score,
            error_score=self.error_score,
            n_jobs=self.n_jobs,
            pre_dispatch=self.pre_dispatch,
            max_stack=self.max_stack,
        )
        results = self._evaluate(evaluation, context)
        self._select(results, refit_metric)
        if self.refit:
            self._refit(notice, routed.estimator.fit, context)
        self.scorer_ = scorers._scorers if isinstance(scorers, MultimetricScorer) else scorers
        self.cv_results_ = results
        context.call_on_fit_task_end(estimator=self, **notice)
        return self

    def _look_at_groups(self, X: Any, y: Any, params: dict[str, Any]) -> None:
        """Warn of split groups on behalf of scikit-learn's search, which has no such check."""
        X, y = indexable(X, y)
        routed = self._get_routed_params_for_fit(check_method_params(X, params=params))
        groups = groups_of_fit(self.estimator, X, routed.estimator.fit)
        if groups is None or isinstance(self.cv, Iterator):
            return
        # A copy, so that the random numbers of the search stay those of scikit-learn's.
        splitter = check_cv(deepcopy(self.cv), y, classifier=is_classifier(self.estimator))
        with without_remarks_on_groups():
            folds = [tuple(map(_as_indices, fold)) for fold in splitter.split(X, y, **routed.splitter.split)]
        warn_of_split_groups(self.cv, splitter, folds, groups)

    def _folds(self, X: Any, y: Any, routed: Any) -> list[tuple[Any, Any]]:
        """Return training and test rows as indices, although splitters may give lists, ranges or masks."""
        groups = groups_of_fit(self.estimator, X, routed.estimator.fit)
        with nullcontext() if groups is None else without_remarks_on_groups():
            split = self._checked_cv_orig.split(X, y, **routed.splitter.split)
            folds = [tuple(map(_as_indices, fold)) for fold in split]
        if len(folds) != self.n_splits_:
            raise ValueError(
                "cv must give the same number of folds in get_n_splits and split, got "
                f"{self.n_splits_} and {len(folds)}. Correct the splitter."
            )
        if groups is not None:
            warn_of_split_groups(self.cv, self._checked_cv_orig, folds, groups)
        return folds

    def _evaluate(self, evaluation: Evaluation, context: Any) -> dict[str, Any]:
        """Evaluate the candidates of ``_run_search`` of scikit-learn's class. Returns ``cv_results_``."""
        results: dict[str, Any] = {}
        all_candidates: list[dict[str, Any]] = []
        all_out: list[dict[str, Any]] = []

        def evaluate_candidates(candidates: Iterable[dict[str, Any]], callback_ctx: Any = None) -> dict[str, Any]:
            """Evaluate more candidates. Returns the results of all candidates so far, for searches that use them."""
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

        # A subclass with its own _run_search may have no parameter for callbacks.
        takes_callbacks = "callback_ctx" in signature(self._run_search).parameters
        self._run_search(evaluate_candidates, **({"callback_ctx": context} if takes_callbacks else {}))
        return results

    def _select(self, results: dict[str, Any], refit_metric: str) -> None:
        if callable(self.scoring) and self.multimetric_:
            names = [name.removeprefix("mean_test_") for name in results if name.startswith("mean_test_")]
            self._check_refit_for_multimetric(dict.fromkeys(names))
            refit_metric = self.refit
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
            if not callable(self.refit):
                _warn_if_nothing_was_scored(results[f"mean_test_{refit_metric}"], type(self).__name__)
                self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]
            self.best_params_ = results["params"][self.best_index_]

    def _refit(self, notice: dict[str, Any], fit_params: dict[str, Any], context: Any) -> None:
        self.best_estimator_ = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        task = context.subcontext(task_name="refit-with-best-params")
        with task.propagate_callback_context(self.best_estimator_):
            task.call_on_fit_task_begin(estimator=self, **notice)
            start = time.perf_counter()
            self.best_estimator_.fit(notice["X"], notice["y"], **fit_params)
            self.refit_time_ = time.perf_counter() - start
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_
        task.call_on_fit_task_end(estimator=self, **notice)


def _as_indices(rows: Any) -> Any:
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def _warn_if_nothing_was_scored(scores: Any, owner: str) -> None:
    if np.isnan(scores).all():
        warn_caller(
            f"{owner}: all {len(scores)} candidates have the score NaN, so no candidate is the best: best_params_ are "
            "those of the first one. Set error_score='raise' to see why they could not be scored."
        )


def _why_not_stacked(estimator: Any, searched: set[str]) -> str | None:
    final, prefix = final_step(estimator), final_prefix(estimator)
    replaced = searched & ({"steps", prefix.removesuffix("__")} if prefix else set())
    if replaced:
        return f"the search replaces the final step itself, {replaced.pop()!r}"
    if not isinstance(final, TorchEstimator):
        shown = repr(final) if isinstance(final, str) else type(final).__name__
        if prefix:
            return f"the Pipeline's last step, {shown}, is not one of skmetric's networks"
        return f"{shown} is neither one of skmetric's networks nor a Pipeline whose last step is one"
    steps = [step for _, step in estimator.steps] if prefix else []
    is_watched = any(has_callbacks(step) for step in (estimator, *steps))
    names = {name.removeprefix(prefix) for name in searched if name.startswith(prefix)}
    return final._why_not_stacked(names, is_watched=is_watched)
