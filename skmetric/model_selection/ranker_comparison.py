"""Which ranker is better? Rankers and regressors on the same groups, compared group by group."""

from collections.abc import Iterable, Mapping
from numbers import Integral
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, check_cv
from sklearn.utils import check_consistent_length
from sklearn.utils.parallel import Parallel, delayed

from skmetric._checks import check_target, group_codes
from skmetric._sklearn_compat import safe_indexing
from skmetric._warnings import each_warning_once
from skmetric.metrics.by_name import RankMetric, rank_metric
from skmetric.model_selection._compared_rankers import check_group_columns, check_models, fit_with_groups
from skmetric.model_selection._ranker_report import RankerComparison
from skmetric.model_selection._report_text import counted
from skmetric.model_selection._split_groups import read_folds

__all__ = ["RankerComparison", "compare_rankers"]

Folds = list[tuple[NDArray[np.intp], NDArray[np.intp]]]

# Number of counts that one chunk of bootstrap draws holds.
CHUNK_COUNTS = 1 << 22


def compare_rankers(
    models: Mapping[str, Any] | Iterable[Any],
    X: ArrayLike,
    y: ArrayLike,
    *,
    groups: ArrayLike,
    cv: Any = None,
    metric: str = "ndcg",
    n_bootstrap: int = 10_000,
    random_state: int = 0,
    n_jobs: int | None = None,
) -> RankerComparison:
    r"""Compare rankers on the same groups, to find out which of them is better.

    Each group is scored by a model that is not fitted on it, and counts once. So the models can be compared group by
    group, which is much more precise than a comparison of two means.

    Parameters
    ----------
    models : dict or list of estimators
        Models to compare, with ``fit`` and ``predict``: a dict from names to estimators, or a list of estimators, which
        are named by their class. The first is the one that the others are compared with. Rankers whose ``fit`` takes
        ``groups`` get them: those of skmetric, :class:`~skmetric.adapters.GroupedRanker`, and Pipelines and searches
        that end in one. Any other model is fitted without groups, for example a regressor.
    X : array-like of shape (n_samples, n_features)
        The rows. A DataFrame is passed to the models unchanged, so that they can have a ``group_column``. It must hold
        the same groups as ``groups``, and models without ``group_column`` get it as a feature, with a warning.
    y : array-like of shape (n_samples,)
        The relevance of each row.
    groups : array-like of shape (n_samples,)
        The group of each row: ids of any kind, in any order.
    cv : int, splitter or iterable of (train, test), default=None
        The folds. None means ``GroupKFold(5)``, and an int ``GroupKFold(cv)``. A splitter must keep the rows of a group
        together, and test each group at most once.
    metric : str, default="ndcg"
        Metric of the comparison: "ndcg", "ndcg_linear", "mrr" or "map", each also with a cutoff as in "ndcg@10"; or
        "spearman", "kendall" or "pairwise_accuracy". Groups for which it is not defined are left out for all models:
        with the first four, groups without a relevant row; with the others, groups whose relevance is constant.
    n_bootstrap : int, default=10000
        Number of bootstrap draws of the groups.
    random_state : int, default=0
        Seed of the bootstrap draws. Models have their own seeds.
    n_jobs : int, default=None
        Number of fits that joblib runs at the same time. Their times are then longer.

    Returns
    -------
    comparison : RankerComparison
        The results. ``print`` shows a table and a verdict, ``results`` is a dict of arrays, ``to_frame()`` returns a
        DataFrame, and ``against(name)`` compares with another model than the first.

    Raises
    ------
    ValueError
        If the arguments differ in length or hold missing values; if two models have the same name; if a
        ``group_column`` holds other groups than ``groups``; if the metric is unknown or not defined for any tested
        group; if there are fewer than five groups and ``cv`` is None; if a fold trains and tests on rows of the same
        group, or a group is tested twice; or if a model does not predict one finite score per row.
    TypeError
        If a model has no ``fit`` or no ``predict``, or is a ranker of LightGBM, XGBoost or CatBoost without a
        ``GroupedRanker`` around it.

    Warns
    -----
    UserWarning
        If a model without ``group_column`` gets the group column of another model as a feature. Warnings of the models
        themselves are shown once, although several fits may cause them.

    See Also
    --------
    skmetric.adapters.GroupedRanker : Rankers of LightGBM, XGBoost and CatBoost, with one group id per row.
    skmetric.model_selection.compare_baselines : The same question for embeddings.

    Notes
    -----
    If :math:`d_1, \dots, d_n` are the differences of two models on the n groups, a bootstrap draw takes n of them with
    replacement. The interval holds the middle 95% of the means :math:`m_1, \dots, m_B` of the B draws. The two-sided
    p-value is :math:`\min(1, 2 (t + 1) / (B + 1))`, where t is the smaller of the numbers of draws with
    :math:`m_b \le 0` and with :math:`m_b \ge 0`. Both describe the variation over other groups from the same source.
    They ignore that another training table or seed would give another model, and folds that share training rows. There
    is no correction for the number of models. With fewer than about 20 groups, the interval is too short.

    References
    ----------
    Efron, Tibshirani (1993). An Introduction to the Bootstrap. Chapman & Hall.

    Smucker, Allan, Carterette (2007). A Comparison of Statistical Significance Tests for Information Retrieval
    Evaluation. CIKM. https://doi.org/10.1145/1321440.1321528

    Examples
    --------
    >>> from lightgbm import LGBMRanker
    >>> from sklearn.linear_model import Ridge
    >>> from skmetric.adapters import GroupedRanker
    >>> from skmetric.datasets import make_ranking
    >>> from skmetric.model_selection import compare_rankers
    >>> X, y, groups = make_ranking(n_groups=60, random_state=0)
    >>> trees = GroupedRanker(LGBMRanker(n_estimators=20, verbose=-1, n_jobs=1))
    >>> comparison = compare_rankers({"ridge": Ridge(), "trees": trees}, X, y, groups=groups, metric="ndcg@10")
    >>> comparison.values.shape
    (2, 60)
    >>> print(comparison.verdict[0])
    By ndcg@10, trees ...
    """
    with each_warning_once():
        named = check_models(models)
        judge, n_bootstrap = rank_metric(metric), _check_draws(n_bootstrap)
        relevance, codes, ids = _check_rows(X, y, groups)
        check_group_columns(named, X, codes)
        folds = _check_folds(cv, X, relevance, codes)
        is_tested = np.bincount(np.concatenate([codes[test] for _, test in folds]), minlength=len(ids)) > 0
        is_scored = is_tested & _has_a_score(judge, relevance, codes)
        if not is_scored.any():
            tested = counted(int(is_tested.sum()), "tested group")
            raise ValueError(
                f"cv must test a group that metric={metric!r} can score, got none in {tested}. Test more groups, or "
                "groups with rows of different relevance."
            )
        jobs = (
            delayed(_fit_and_predict)(name, model, X, relevance, codes, *fold)
            for name, model in named.items()
            for fold in folds
        )
        outcomes = Parallel(n_jobs=n_jobs)(jobs)
    values, fit_times, predict_times = [], [], []
    for index in range(len(named)):
        of_model = outcomes[index * len(folds) : (index + 1) * len(folds)]
        scores = np.zeros(len(relevance))
        for (_, test), (predicted, _, _) in zip(folds, of_model, strict=True):
            scores[test] = predicted
        values.append(judge.function(relevance, scores, groups=codes, reduction=None)[is_scored])
        fit_times.append([seconds for _, seconds, _ in of_model])
        predict_times.append([seconds for _, _, seconds in of_model])
    return RankerComparison(
        names=list(named),
        reference=next(iter(named)),
        metric=metric,
        groups=ids[is_scored],
        values=np.stack(values),
        bootstrap_means=_bootstrap_means(np.stack(values), n_bootstrap, random_state),
        fit_times=np.array(fit_times),
        predict_times=np.array(predict_times),
        about=_about(X, len(codes), folds, is_tested, is_scored),
    )


def _check_draws(n_bootstrap: Any) -> int:
    if isinstance(n_bootstrap, bool) or not isinstance(n_bootstrap, Integral) or n_bootstrap < 1:
        raise ValueError(f"n_bootstrap must be an integer of at least 1, got {n_bootstrap!r}. Pass 10000.")
    return int(n_bootstrap)


def _check_rows(X: Any, y: Any, groups: Any) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[Any]]:
    """Return the relevance, the group of each row as a number, and the sorted ids of the groups."""
    if groups is None:
        raise ValueError("groups must hold one id per row, got None. Pass the group of each row.")
    relevance, codes = check_target(y, "y"), group_codes(groups)
    check_consistent_length(X, relevance, codes)
    first = np.unique(codes, return_index=True)[1]
    return relevance, codes, np.asarray(groups).ravel()[first]


def _has_a_score(metric: RankMetric, relevance: NDArray[np.float64], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return for which groups the metric is defined. Raise, before any fit, if it is for none."""
    nothing = np.zeros(len(relevance))
    metric.judge(relevance, nothing, groups=codes, sample_weight=None, owner="compare_rankers")
    return np.isfinite(metric.function(relevance, nothing, groups=codes, reduction=None))


def _check_folds(cv: Any, X: Any, relevance: NDArray[np.float64], codes: NDArray[np.intp]) -> Folds:
    if cv is None or isinstance(cv, Integral):
        n_groups = int(codes.max()) + 1
        if cv is None and n_groups < 5:
            advice = f"Pass cv={n_groups}, so that each fold tests one group" if n_groups > 1 else "Pass more groups"
            raise ValueError(
                f"cv must be given if there are fewer than five groups, got cv=None and {counted(n_groups, 'group')}. "
                f"{advice}."
            )
        cv = GroupKFold(5 if cv is None else int(cv))
    # Folds that cut groups are an error below.
    folds = read_folds(cv, check_cv(cv), X, relevance, codes, len(codes))
    n_tests = np.zeros(len(codes), dtype=np.intp)
    for number, (train, test) in enumerate(folds):
        if shared := len(np.intersect1d(codes[train], codes[test])):
            raise ValueError(
                f"cv must keep the rows of a group together, got {shared} groups with rows on both sides of fold "
                f"{number}. Use GroupKFold, or another splitter that uses groups."
            )
        np.add.at(n_tests, test, 1)
    wrong = (n_tests > 1) | ((n_tests == 0) & np.isin(codes, codes[n_tests > 0]))
    if wrong.any():
        raise ValueError(
            f"cv must test each group at most once, and all its rows, got {len(np.unique(codes[wrong]))} groups for "
            f"which {cv!r} does not. Use GroupKFold, without repetitions."
        )
    return folds


def _fit_and_predict(
    name: str,
    model: Any,
    X: Any,
    relevance: NDArray[np.float64],
    codes: NDArray[np.intp],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
) -> tuple[NDArray[np.float64], float, float]:
    """Return the scores of the test rows, and the seconds to fit and to predict."""
    try:
        model = clone(model)
        X_train, X_test = safe_indexing(X, train), safe_indexing(X, test)
        start = perf_counter()
        fit_with_groups(model, X_train, relevance[train], codes[train])
        fitted = perf_counter()
        scores = np.asarray(model.predict(X_test))
        predicted = perf_counter()
        if scores.shape not in {(len(test),), (len(test), 1)} or not np.isfinite(scores).all():
            raise ValueError(
                f"models must predict one finite score per row, got an array of shape {scores.shape} for {len(test)} "
                "rows, or scores that are not finite. Use a ranker or a regressor with one target."
            )
    except Exception as error:
        error.add_note(f"The error is from {name!r}, one of the models in compare_rankers.")
        raise
    return scores.ravel().astype(np.float64), fitted - start, predicted - fitted


def _bootstrap_means(values: NDArray[np.float64], n_draws: int, seed: int) -> NDArray[np.float64]:
    """Compute the mean of each model, of shape (n_draws, n_models), over draws of n of the n groups."""
    n = values.shape[1]
    rng = np.random.default_rng(seed)
    step = max(1, CHUNK_COUNTS // n)
    counts = (rng.multinomial(n, np.full(n, 1 / n), size=min(step, n_draws - k)) for k in range(0, n_draws, step))
    return np.concatenate([each @ values.T / n for each in counts])


def _about(X: Any, n_rows: int, folds: Folds, is_tested: NDArray[np.bool_], is_scored: NDArray[np.bool_]) -> str:
    shape = np.shape(X)
    columns = f", {counted(shape[1], 'column')}" if len(shape) == 2 else ""
    n_untested, n_undefined = int((~is_tested).sum()), int((is_tested & ~is_scored).sum())
    text = f"{counted(len(is_scored), 'group')}, {n_rows} rows{columns}. "
    text += f"{counted(len(folds), 'fold')}, the same for all models."
    if n_untested:
        text += f" {counted(n_untested, 'group is', 'groups are')} in no test fold."
    if n_undefined:
        text += f" {counted(n_undefined, 'group is', 'groups are')} left out, because the metric is not defined for "
        text += "it." if n_undefined == 1 else "them."
    return text
