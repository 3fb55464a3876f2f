"""GridSearchCV and RandomizedSearchCV that train candidates and folds as stacks of networks."""

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

    A drop-in replacement for :class:`sklearn.model_selection.GridSearchCV`, for estimators of skmetric and Pipelines
    that end in one. It has the same parameters, attributes and scores, but takes a fraction of the time: one small
    network does not use the full power of a machine, but forty networks side by side do. Each model of a stack has its
    own seed, rows, margin, learning rate and early stopping, and gives the same result as if it were trained alone.

    Candidates whose networks or batches differ in shape train in different stacks. The steps of a Pipeline before the
    last one are fitted once per fold for all candidates that share the parameters of these steps.

    Parameters
    ----------
    estimator : estimator
        An estimator of skmetric, or a Pipeline that ends in one. Other estimators run through GridSearchCV, with a
        warning. So do estimators with a custom ``module`` or with callbacks, and subclasses with a custom ``fit``.
    param_grid : dict or list of dict
        Names of parameters and the values to try.
    scoring, cv, refit, error_score, return_train_score
        As in GridSearchCV.
    n_jobs : int, optional
        Number of stacks that joblib trains at the same time. If there are fewer stacks, they are split into this
        number. One stack already uses all threads of torch, so more jobs help only on several machines or with many
        cores.
    pre_dispatch : int or str, default="2*n_jobs"
        As in GridSearchCV.
    max_stack : int, optional
        Maximum number of models in a stack. By default, the stacks that train at the same time share a quarter of the
        free memory. A stack that does not fit into memory is halved.
    verbose : int, default=0
        If above 0, print the numbers of candidates, folds and stacks. If above 1, print one line per candidate and fold
        when its stack is trained. The ``verbose`` of the estimator has no effect within a stack.

    Attributes
    ----------
    cv_results_ : dict
        As in GridSearchCV. ``fit_time`` is an equal share of the time of the stack, and of the time of the steps of a
        Pipeline before the last one.
    best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, refit_time_, multimetric_
        As in GridSearchCV.

    See Also
    --------
    BatchedRandomizedSearchCV : The same for sampled candidates.

    Notes
    -----
    On a CPU, scores are equal to those of GridSearchCV, bit for bit in all measured cases. Callbacks of the search
    (``set_callbacks``) are notified of each candidate and fold. They are notified of epochs only for the last fit, on
    all rows.

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

    A drop-in replacement for :class:`sklearn.model_selection.RandomizedSearchCV`, as :class:`BatchedGridSearchCV` is
    for GridSearchCV.

    Parameters
    ----------
    estimator : estimator
        An estimator of skmetric, or a Pipeline that ends in one.
    param_distributions : dict or list of dict
        Names of parameters, and distributions or lists to sample from.
    n_iter : int, default=10
        Number of candidates.
    random_state : int, RandomState instance or None, default=None
        Seed for sampling the candidates.
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
    """Return the names of the parameters in a grid. scikit-learn raises the errors for an invalid grid."""
    grids = [grid] if isinstance(grid, Mapping) or not isinstance(grid, Iterable) else grid
    return set().union(*(each for each in grids if isinstance(each, Mapping)))
