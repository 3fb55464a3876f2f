"""Does learning an embedding help? Learned embeddings and baselines on the same folds."""

from collections.abc import Callable, Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.utils import check_X_y
from sklearn.utils.multiclass import check_classification_targets

from skmetric._warnings import warn_caller
from skmetric.metrics import map_at_r_scorer, recall_at_1_scorer
from skmetric.model_selection._baseline_fits import Folds, baselines, evaluate, learned
from skmetric.model_selection._baseline_report import BaselineComparison
from skmetric.model_selection._split_groups import warn_of_split_groups, without_remarks_on_groups

__all__ = ["BaselineComparison", "compare_baselines"]

SCORINGS = {
    "map_at_r": (
        "MAP@R",
        map_at_r_scorer,
        "how well test rows retrieve the other test rows of their class; 1 if always nearest, near 0 if never.",
    ),
    "recall_at_1": (
        "recall@1",
        recall_at_1_scorer,
        "share of test rows whose nearest other test row is of their class; from 0 to 1.",
    ),
}


def compare_baselines(
    X: ArrayLike,
    y: ArrayLike,
    *,
    cv: Any = None,
    groups: ArrayLike | None = None,
    embedders: Mapping[str, Any] | Iterable[Any] | None = None,
    n_components: int = 16,
    scoring: str | Callable[[Any, Any, Any], float] = "map_at_r",
    n_neighbors: int = 5,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
) -> BaselineComparison:
    r"""Compare learned embeddings with baselines, to find out whether learning helps on a table.

    The baselines are the raw columns, the standardized columns, and the standardized columns after PCA,
    LinearDiscriminantAnalysis and NeighborhoodComponentsAnalysis. All embeddings are scored on the same folds, so that
    they can be compared fold by fold.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The rows. They must hold finite numbers, because the columns themselves are a baseline. A DataFrame is passed to
        ``embedders`` unchanged.
    y : array-like of shape (n_samples,)
        Class of each row: numbers, strings or booleans.
    cv : int, splitter or iterable of (train, test), default=None
        The folds. None means five stratified folds, shuffled by ``random_state``. An int is the number of stratified
        folds. Use ``ClassDisjointKFold()`` to evaluate embeddings on classes that training has not seen.
    groups : array-like of shape (n_samples,), default=None
        Groups of the rows, passed to ``cv.split``. The default folds ignore groups: pass, for example,
        ``cv=StratifiedGroupKFold(5)``.
    embedders : dict or list of estimators, default=None
        Embedders to compare, with ``fit(X, y)`` and ``transform(X)``: a dict from names to estimators, or a list of
        estimators, which are named by their class. None means ``TripletEmbedder`` and ``ContrastiveEmbedder`` with
        default parameters.
    n_components : int, default=16
        Maximum number of columns of PCA, LinearDiscriminantAnalysis, NeighborhoodComponentsAnalysis and the default
        embedders. The first three have fewer columns if the table has fewer columns, rows or classes.
    scoring : {"map_at_r", "recall_at_1"} or callable, default="map_at_r"
        Retrieval metric among the test rows, or a scorer ``(fitted embedder, X, y) -> float``, greater is better. It
        determines the best embeddings. The accuracy of nearest neighbors is reported in addition.
    n_neighbors : int, default=5
        Number of nearest training rows that vote for the class of a test row.
    random_state : int, RandomState instance or None, default=None
        Seed of the default folds, PCA, NeighborhoodComponentsAnalysis and the default embedders.
    n_jobs : int, default=None
        Number of folds that joblib fits at the same time. skmetric's embedders train all folds as one stack anyway.

    Returns
    -------
    comparison : BaselineComparison
        The results. ``print`` shows a table and a verdict, ``results`` is a dict like ``cv_results_``, and
        ``to_frame()`` returns a DataFrame.

    Raises
    ------
    ValueError
        If X does not hold finite numbers, or all its columns are constant; if y does not hold classes; if a fold trains
        on fewer than two classes, tests on fewer than two classes, or has no test class with two rows.
    TypeError
        If an embedder has no ``fit`` or no ``transform``.

    Warns
    -----
    UserWarning
        If learning hurts: the best of ``embedders`` scores worse than the better of raw and standardized columns, and
        the difference is significant over the folds (one-sided t test, 5%). If a fold trains on one part of a group and
        tests on another.

    See Also
    --------
    skmetric.BatchedGridSearchCV : Search for better parameters of an embedder.
    skmetric.metrics.map_at_r_score : The default score.

    Notes
    -----
    Folds share training rows, so their scores are correlated, and the simple standard error of a mean over K folds,
    :math:`s / \sqrt K`, is too small. The standard error here is :math:`s \sqrt{1/K + n_\mathrm{test} /
    n_\mathrm{train}}` (Nadeau and Bengio). It describes the variation over other rows from the same source as this
    table, but not over other tables. The best of several embeddings still looks slightly better than it is.

    Retrieval metrics take the mean over all orders of tied rows. In the accuracy of skmetric's embedders, training
    rows that are tied at the distance of the last neighbor share the remaining votes. For all other embeddings,
    ``KNeighborsClassifier`` of scikit-learn chooses some of these rows.

    No accuracy is reported for folds that test on a class which training has not seen. NeighborhoodComponentsAnalysis
    compares all pairs of rows. It is skipped above 3000 training rows, and the table reports this. Pass it in
    ``embedders`` to include it.

    References
    ----------
    Musgrave, Belongie, Lim (2020). A Metric Learning Reality Check. ECCV. https://arxiv.org/abs/2003.08505

    Nadeau, Bengio (2003). Inference for the Generalization Error. Machine Learning 52.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skmetric import TripletEmbedder
    >>> from skmetric.model_selection import compare_baselines
    >>> X, y = load_wine(return_X_y=True)
    >>> embedder = TripletEmbedder(max_iter=50, device="cpu", random_state=0)
    >>> comparison = compare_baselines(X, y, cv=3, embedders=[embedder])
    >>> comparison.best_baseline
    'LinearDiscriminantAnalysis'
    >>> print(comparison.verdict[0])
    By MAP@R, learning an embedding helps: TripletEmbedder 0.9..., the best learned, against standardized columns
    0.7..., a difference of +0... ± 0.0.... Against the best baseline, LinearDiscriminantAnalysis 0..., it is ...: ...
    """
    n_components, n_neighbors = _check_count("n_components", n_components), _check_count("n_neighbors", n_neighbors)
    metric, scorer, meaning = _check_scoring(scoring)
    X, y, n_features = _check_table(X, y)
    folds = _check_folds(cv, X, y, groups, random_state)
    n_neighbors = min(n_neighbors, min(len(train) for train, _ in folds))
    contenders = baselines(y, n_features, folds, n_components, random_state)
    contenders += learned(embedders, n_components, random_state, {contender.name for contender in contenders})
    outcomes = [evaluate(contender, X, y, folds, scorer, n_neighbors, n_jobs) for contender in contenders]
    is_new = [not np.isin(y[test], y[train]).all() for train, test in folds]
    comparison = BaselineComparison(
        names=[contender.name for contender in contenders],
        kinds=[contender.kind for contender in contenders],
        metric=metric,
        n_neighbors=n_neighbors,
        scores=np.stack([outcome.scores for outcome in outcomes]),
        accuracies=np.where(is_new, np.nan, np.stack([outcome.accuracies for outcome in outcomes])),
        widths=np.array([outcome.width for outcome in outcomes]),
        fit_times=np.array([outcome.fit_time for outcome in outcomes]),
        test_share=float(np.mean([len(test) / len(train) for train, test in folds])),
        skipped={contender.name: contender.why_skipped for contender in contenders if contender.why_skipped},
        about=_about(y, n_features, len(folds), sum(is_new)),
        meaning=meaning,
    )
    if comparison.hurts:
        warn_caller(_why_it_hurts(comparison, any(is_new)))
    return comparison


def _check_count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {value!r}.")
    return int(value)


def _check_scoring(scoring: Any) -> tuple[str, Any, str]:
    """Return the name of the score, its scorer, and its description."""
    if callable(scoring):
        return "score", scoring, f"as computed by {getattr(scoring, '__name__', scoring)}."
    if not isinstance(scoring, str) or scoring not in SCORINGS:
        raise ValueError(
            f"scoring must be one of {sorted(SCORINGS)} or a callable (estimator, X, y) -> float, got {scoring!r}."
        )
    return SCORINGS[scoring]


def _check_table(X: Any, y: Any) -> tuple[Any, NDArray, int]:
    """Return the rows, their labels, and the number of columns."""
    try:
        numbers, labels = check_X_y(X, y)
        check_classification_targets(labels)
        if np.array_equal(numbers.min(axis=0), numbers.max(axis=0)):
            raise ValueError("All columns of X are constant.")
    except (TypeError, ValueError) as error:
        raise ValueError(
            "X must hold finite numbers, because its columns are a baseline, and y a class for each row, got: "
            f"{str(error).rstrip('.')}. Impute, encode or drop columns of X; split a continuous y into classes, for "
            "example by KBinsDiscretizer."
        ) from error
    return X if hasattr(X, "columns") else numbers, labels, numbers.shape[1]


def _check_folds(cv: Any, X: Any, y: NDArray, groups: Any, random_state: Any) -> Folds:
    if cv is None:
        if (most := np.unique(y, return_counts=True)[1].max()) < 5:
            raise ValueError(
                f"cv must be given if no class has five rows, got cv=None and {most} rows in the largest class. Pass "
                "cv, for example cv=2, or ClassDisjointKFold(), whose test classes are new."
            )
        splitter = StratifiedKFold(5, shuffle=True, random_state=random_state)
    else:
        splitter = check_cv(cv, y, classifier=True)
    rows = np.arange(len(y))
    with without_remarks_on_groups():
        folds = [(rows[train], rows[test]) for train, test in splitter.split(X, y, groups)]
    if not folds:
        raise ValueError(f"cv must give at least one fold, got none from {cv!r}. Pass cv=5.")
    for number, (train, test) in enumerate(folds):
        trained, (tested, sizes) = np.unique(y[train]), np.unique(y[test], return_counts=True)
        if len(trained) < 2 or len(tested) < 2 or sizes.max() < 2:
            raise ValueError(
                "cv must give folds with two or more training classes, two or more test classes, and two test rows of "
                f"a class, got {len(trained)}, {len(tested)} and {sizes.max()} in fold {number}. Use fewer folds, or "
                "StratifiedKFold. If test classes must be new, use ClassDisjointKFold."
            )
    if groups is not None:
        warn_of_split_groups(cv, splitter, folds, groups)
    return folds


def _about(y: NDArray, n_features: int, n_folds: int, n_new: int) -> str:
    tested = f"{'all' if n_new == n_folds else n_new} of them test on classes that training has not seen"
    return (
        f"{len(y)} rows, {n_features} columns, {len(np.unique(y))} classes. {n_folds} folds, the same for all lines; "
        f"{tested if n_new else 'all test classes are trained on'}."
    )


def _why_it_hurts(comparison: BaselineComparison, has_new_classes: bool) -> str:
    ways_out = {
        True: "learn from more classes, because an embedding of few classes may not separate new classes",
        False: "search the parameters of the embedder by BatchedGridSearchCV, and compare again",
    }
    return f"{comparison.verdict[0]} Use the columns without an embedding, or {ways_out[has_new_classes]}."
