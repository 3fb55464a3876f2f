"""GridSearchCV and RandomizedSearchCV that train their candidates and folds as stacks of networks."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

from skmetric._sklearn_compat import Interval
from skmetric.model_selection._stacked_search import StackedSearch

__all__ = ["BatchedGridSearchCV", "BatchedRandomizedSearchCV"]

Grid = Mapping[str, Sequence] | Sequence[Mapping[str, Sequence]]


class BatchedGridSearchCV(StackedSearch, GridSearchCV):
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
        Stacks trained at the same time, by joblib; where there are fewer, they are cut into as many. One stack uses all
        of torch's threads by itself: more jobs pay on several machines, or where there are many cores.
    pre_dispatch : int or str, default="2*n_jobs"
        As in GridSearchCV.
    max_stack : int, optional
        Most models in a stack; by default as many as a quarter of the free memory holds, which the stacks that train at
        a time share. A stack that there is no memory for is halved.
    verbose : int, default=0
        Above 0, what is searched and in how many stacks is printed; above 1, a line for each candidate and fold, once
        its stack is trained. The ``verbose`` of the estimator prints nothing within a stack.

    Attributes
    ----------
    cv_results_ : dict
        As in GridSearchCV. ``fit_time`` is a model's equal share of its stack's time, and
        of the time of a Pipeline's steps before the last.
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


class BatchedRandomizedSearchCV(StackedSearch, RandomizedSearchCV):
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
