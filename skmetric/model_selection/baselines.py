"""Does learning an embedding help? Learned embeddings and baselines on the same folds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.utils import check_X_y
from sklearn.utils.multiclass import check_classification_targets

from skmetric._checks import check_labels
from skmetric._values import refuse_masked
from skmetric._warnings import each_warning_once, warn_caller
from skmetric.estimators.points import Preprocessor
from skmetric.metrics import map_at_r_scorer, recall_at_1_scorer
from skmetric.model_selection._baseline_fits import Contender, Folds, Outcome, baselines, defaults, evaluate, learned
from skmetric.model_selection._baseline_report import BaselineComparison
from skmetric.model_selection._baseline_tuples import TupleTable, holds_tuples, tuple_baselines, tuple_defaults
from skmetric.model_selection._split_groups import read_folds, warn_of_split_groups

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
    y: ArrayLike | None = None,
    *,
    cv: Any = None,
    groups: ArrayLike | None = None,
    embedders: Mapping[str, Any] | Iterable[Any] | None = None,
    n_components: int = 16,
    scoring: str | Callable[[Any, Any, Any], float] | None = None,
    n_neighbors: int = 5,
    preprocessor: Preprocessor | None = None,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
) -> BaselineComparison:
    r"""Compare learned embeddings with baselines, to find out whether learning helps on a table.

    The baselines are the raw columns, the standardized columns, and the standardized columns after PCA and, for rows
    with classes, after LinearDiscriminantAnalysis and NeighborhoodComponentsAnalysis. All embeddings are scored on the
    same folds, so that they can be compared fold by fold.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features), or tuples
        The rows, or pairs of shape (n_pairs, 2, n_features), or triplets (anchor, positive, negative) of shape
        (n_triplets, 3, n_features). With a ``preprocessor``, indices in place of points: shapes (n_pairs, 2) and
        (n_triplets, 3). Rows and points must hold finite numbers, because the columns themselves are a baseline. A
        DataFrame of rows is passed to ``embedders`` unchanged.
    y : array-like of shape (n_samples,) or (n_pairs,), default=None
        Class of each row: numbers, strings or booleans. For pairs, 1 if similar and -1 if dissimilar; None means that
        all are similar. Triplets need no y.
    cv : int, splitter or iterable of (train, test), default=None
        The folds. None means five stratified folds, shuffled by ``random_state``; for tuples, five folds of
        :class:`TupleKFold`, which keep the points of test tuples out of training. An int is the number of stratified
        folds, or of folds of TupleKFold. Use ``ClassDisjointKFold()`` to evaluate embeddings on classes that training
        has not seen. For tuples, ``cv.split`` gets tuples of indices of points.
    groups : array-like of shape (n_samples,), default=None
        Groups of the rows or tuples, passed to ``cv.split``. The default folds ignore groups: pass, for example,
        ``cv=StratifiedGroupKFold(5)``.
    embedders : dict or list of estimators, default=None
        Embedders to compare, with ``fit(X, y)`` and ``transform(X)``: a dict from names to estimators, or a list of
        estimators, which are named by their class. None means ``TripletEmbedder`` and ``ContrastiveEmbedder`` with
        default parameters. For tuples, None means the one that takes them, with default parameters, and a linear one
        that starts at the columns and learns little: ``hidden_layer_sizes=(), init="identity", learning_rate=0.0005,
        max_iter=5``.
    n_components : int, default=16
        Maximum number of columns of PCA, LinearDiscriminantAnalysis, NeighborhoodComponentsAnalysis and the default
        embedders, except the linear one. The first three have fewer columns if the table has fewer columns, rows or
        classes.
    scoring : {"map_at_r", "recall_at_1"} or callable, default=None
        Retrieval metric among the test rows, or a scorer ``(fitted embedder, X, y) -> float``, greater is better. It
        determines the best embeddings. The accuracy of nearest neighbors is reported in addition. None means
        "map_at_r". For tuples it must be None: the area under the ROC curve for pairs, and the accuracy for triplets,
        as in ``score`` of the embedders.
    n_neighbors : int, default=5
        Number of nearest training rows that vote for the class of a test row. Not used for tuples.
    preprocessor : array-like, callable or Rows, default=None
        Source of the points if X holds tuples of indices, as in the embedders: a table of points, or a function. Those
        of ``embedders`` that have no preprocessor get it.
    random_state : int, RandomState instance or None, default=None
        Seed of the default folds, PCA, NeighborhoodComponentsAnalysis and the default embedders.
    n_jobs : int, default=None
        Number of folds that joblib fits at the same time. skmetric's embedders train all folds as one stack anyway. Not
        used for tuples.

    Returns
    -------
    comparison : BaselineComparison
        The results. ``print`` shows a table and a verdict, ``results`` is a dict like ``cv_results_``, and
        ``to_frame()`` returns a DataFrame.

    Raises
    ------
    ValueError
        If X does not hold finite numbers, or all its columns are constant; if y does not hold classes; if a fold trains
        on fewer than two classes, tests on fewer than two classes, or has no test class with two rows; for tuples, if a
        fold lacks tuples of a kind.
    TypeError
        If an embedder has no ``fit`` or no ``transform``, or is a Pipeline and X holds tuples.

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
    ``embedders`` to include it. So is the default linear embedder for tuples above 1024 columns.

    For tuples, the baselines are fitted to the points of the training tuples. Embedders of other libraries get tuples
    of points. If training and test tuples share points, as in folds of KFold, the learned embeddings look better than
    they are for new points; the table reports how many test tuples have such points.

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
    with each_warning_once():
        given = None if embedders is None else learned(embedders)
        if holds_tuples(X, preprocessor, given or ()):
            if scoring is not None:
                raise ValueError(
                    f"scoring must be None for tuples, which have a fixed score, got {scoring!r}. Leave it out."
                )
            table = TupleTable.read(X, y, preprocessor)
            comparison = _compare_tuples(
                table, table.folds(cv, groups, random_state), given, n_components, random_state
            )
            advice = "start at the columns (hidden_layer_sizes=(), init='identity') and lower learning_rate"
        else:
            metric = _check_scoring(scoring)
            X, y, n_features = _check_table(X, y)
            folds = _check_folds(cv, X, y, groups, random_state)
            contenders = baselines(y, n_features, folds, n_components, random_state)
            contenders += defaults(n_components, random_state) if given is None else given
            comparison = _compare_rows(X, y, folds, contenders, metric, n_neighbors, n_jobs)
            advice = (
                "learn from more classes, because an embedding of few classes may not separate new classes"
                if _has_new_classes(y, folds).any()
                else "search the parameters of the embedder by BatchedGridSearchCV, and compare again"
            )
    if comparison.hurts:
        warn_caller(f"{comparison.verdict[0]} Use the columns without an embedding, or {advice}.")
    return comparison


def _compare_rows(
    X: Any,
    y: NDArray,
    folds: Folds,
    contenders: list[Contender],
    metric: tuple[str, Any, str],
    n_neighbors: int,
    n_jobs: int | None,
) -> BaselineComparison:
    name, scorer, meaning = metric
    n_neighbors = min(n_neighbors, min(len(train) for train, _ in folds))
    outcomes = [evaluate(contender, X, y, folds, scorer, n_neighbors, n_jobs) for contender in contenders]
    is_new = _has_new_classes(y, folds)
    about = _about(y, np.shape(X)[1], len(folds), int(is_new.sum()))
    comparison = _comparison(contenders, outcomes, folds, (name, meaning), about, n_neighbors)
    return replace(comparison, accuracies=np.where(is_new, np.nan, comparison.accuracies))


def _compare_tuples(
    table: TupleTable, folds: Folds, given: list[Contender] | None, n_components: int, random_state: Any
) -> BaselineComparison:
    contenders = tuple_baselines(table, folds, n_components, random_state)
    contenders += tuple_defaults(table, n_components, random_state) if given is None else given
    outcomes = [table.evaluate(contender, folds) for contender in contenders]
    return _comparison(contenders, outcomes, folds, table.metric, table.about(folds), None)


def _comparison(
    contenders: list[Contender],
    outcomes: list[Outcome],
    folds: Folds,
    metric: tuple[str, str],
    about: str,
    n_neighbors: int | None,
) -> BaselineComparison:
    name, meaning = metric
    return BaselineComparison(
        names=[contender.name for contender in contenders],
        kinds=[contender.kind for contender in contenders],
        metric=name,
        n_neighbors=n_neighbors,
        scores=np.stack([outcome.scores for outcome in outcomes]),
        accuracies=np.stack([outcome.accuracies for outcome in outcomes]),
        widths=np.array([outcome.width for outcome in outcomes]),
        fit_times=np.array([outcome.fit_time for outcome in outcomes]),
        test_share=float(np.mean([len(test) / len(train) for train, test in folds])),
        skipped={contender.name: contender.why_skipped for contender in contenders if contender.why_skipped},
        about=about,
        meaning=meaning,
    )


def _has_new_classes(y: NDArray, folds: Folds) -> NDArray[np.bool_]:
    """Whether each fold tests on a class that its training rows do not have."""
    return np.array([not np.isin(y[test], y[train]).all() for train, test in folds])


def _check_count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {value!r}.")
    return int(value)


def _check_scoring(scoring: Any) -> tuple[str, Any, str]:
    """Return the name of the score, its scorer, and its description."""
    if scoring is None:
        return SCORINGS["map_at_r"]
    if callable(scoring):
        return "score", scoring, f"as computed by {getattr(scoring, '__name__', scoring)}."
    if not isinstance(scoring, str) or scoring not in SCORINGS:
        raise ValueError(
            f"scoring must be one of {sorted(SCORINGS)} or a callable (estimator, X, y) -> float, got {scoring!r}."
        )
    return SCORINGS[scoring]


def _check_table(X: Any, y: Any) -> tuple[Any, NDArray, int]:
    """Return the rows, their labels, and the number of columns."""
    labels = check_labels(y, "y")
    refuse_masked(X, "X")
    try:
        numbers, labels = check_X_y(X, labels)
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
    folds = read_folds(cv, splitter, X, y, groups, len(y))
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
