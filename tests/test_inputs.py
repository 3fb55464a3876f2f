"""All inputs of one value per row, in all forms, in all public callables.

The rows of the table are forms of an argument: as a list, as a nullable Series, with a gap, of two kinds, ... The
columns are the public callables that take such an argument. A cell is SAME (the value is that of the plain array), a
type of error, or a type of warning. A cell holds for all callables of an argument, except those in EXCEPTIONS.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from lightgbm import LGBMRanker
from scipy.sparse import csr_array
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import GroupKFold

from skmetric import (
    ContrastiveEmbedder,
    ListwiseRanker,
    PairwiseRanker,
    PointwiseRanker,
    RankSimRegressor,
    TripletEmbedder,
)
from skmetric.adapters import GroupedRanker
from skmetric.imbalance import (
    LabelDensityWeighter,
    balanced_mean_absolute_error,
    geometric_mean_error,
    neg_balanced_mae_scorer,
    shot_report,
)
from skmetric.metrics import (
    dcg_score,
    distance_threshold,
    kendall_score,
    map_at_r_score,
    map_score,
    mrr_score,
    ndcg_score,
    ndcg_scorer,
    pairwise_accuracy_score,
    recall_at_k_score,
    sigmoid_calibration,
    spearman_score,
)
from skmetric.model_selection import ClassDisjointKFold, DensityStratifiedKFold, compare_baselines, compare_rankers
from skmetric.preferences import best_worst_pairs, best_worst_scores, bradley_terry_scores

SAME = "same"

N = 24
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
SCORES = X[:, 0] + RNG.normal(size=N)
GROUPS = np.arange(N) // 4
CLASSES = np.arange(N) % 4
GRADES = np.arange(N) % 3
TARGETS = np.round(8 * X[:, 0])
WEIGHTS = 1 + np.arange(N) % 2
PAIRS = np.column_stack([np.arange(N), (np.arange(N) + 5) % N])
OUTCOMES = np.where(np.arange(N) % 3, 1, -1)
POINTS = X[PAIRS]
SHOWN = (np.arange(N)[:, None] + np.arange(4)) % 8
BEST, WORST = SHOWN[:, 0], SHOWN[:, 2]

QUICK = {"max_iter": 1, "hidden_layer_sizes": 4, "device": "cpu", "random_state": 0}
EMBEDDERS = {kind.__name__: kind(2, **QUICK) for kind in (TripletEmbedder, ContrastiveEmbedder)}
RANKERS = {kind.__name__: kind(**QUICK) for kind in (PairwiseRanker, ListwiseRanker, PointwiseRanker)}
REGRESSOR = RankSimRegressor(gamma=0, **QUICK)
TREES = GroupedRanker(LGBMRanker(n_estimators=2, min_child_samples=2, n_jobs=1, verbose=-1))
LIST_METRICS = (
    dcg_score,
    kendall_score,
    map_score,
    mrr_score,
    ndcg_score,
    pairwise_accuracy_score,
    spearman_score,
)


def fitted(estimator, *args, **options):
    """What a fitted estimator computes for the rows."""
    return estimator.fit(*args, **options).transform(X)


def folds(splitter, *args):
    return [test.tolist() for _, test in splitter.split(*args)]


# All public callables by the argument that they take; each is a function of this argument.
CALLABLES: dict[str, dict[str, Callable[[Any], Any]]] = {
    "labels": {
        **{f"{name}.fit": lambda y, e=e: fitted(e, X, y) for name, e in EMBEDDERS.items()},
        **{
            f"{name}.partial_fit": lambda y, e=e: e.fit(X, CLASSES).partial_fit(X, y).transform(X)
            for name, e in EMBEDDERS.items()
        },
        **{f"{name}.score": lambda y, e=e: e.fit(X, CLASSES).score(X, y) for name, e in EMBEDDERS.items()},
        "map_at_r_score": lambda y: map_at_r_score(X, y),
        "recall_at_k_score": lambda y: recall_at_k_score(X, y, k=1),
        "ClassDisjointKFold": lambda y: folds(ClassDisjointKFold(2), X, y),
        "compare_baselines": lambda y: compare_baselines(X, y, cv=2, embedders=[]).scores,
    },
    "grades": {
        **{f"{name}.fit": lambda y, r=r: fitted(r, X, y, groups=GROUPS) for name, r in RANKERS.items()},
        **{
            f"{name}.score": lambda y, r=r: r.fit(X, GRADES, groups=GROUPS).score(X, y, groups=GROUPS)
            for name, r in RANKERS.items()
        },
        **{each.__name__: lambda y, metric=each: metric(y, SCORES, groups=GROUPS) for each in LIST_METRICS},
        "GroupedRanker.fit": lambda y: TREES.fit(X, y, groups=GROUPS).predict(X),
        "GroupedRanker.score": lambda y: TREES.fit(X, GRADES, groups=GROUPS).score(X, y, groups=GROUPS),
        "compare_rankers": lambda y: compare_rankers({"trees": TREES}, X, y, groups=GROUPS, cv=GroupKFold(2)).values,
        "ndcg_scorer": lambda y: ndcg_scorer(
            RANKERS["PairwiseRanker"].fit(X, GRADES, groups=GROUPS), X, y, groups=GROUPS
        ),
    },
    "targets": {
        "RankSimRegressor.fit": lambda y: fitted(REGRESSOR, X, y),
        "RankSimRegressor.score": lambda y: REGRESSOR.fit(X, TARGETS).score(X, y),
        "LabelDensityWeighter.fit": lambda y: LabelDensityWeighter().fit(y).transform(TARGETS),
        "LabelDensityWeighter.transform": lambda y: LabelDensityWeighter().fit(TARGETS).transform(y),
        "balanced_mean_absolute_error": lambda y: balanced_mean_absolute_error(y, SCORES),
        "geometric_mean_error": lambda y: geometric_mean_error(y, SCORES),
        "neg_balanced_mae_scorer": lambda y: neg_balanced_mae_scorer(REGRESSOR.fit(X, TARGETS), X, y),
        "shot_report": lambda y: shot_report(TARGETS, y, SCORES).to_numpy(),
        "DensityStratifiedKFold": lambda y: folds(DensityStratifiedKFold(2), X, y),
    },
    "groups": {
        **{f"{name}.fit": lambda g, r=r: fitted(r, X, GRADES, groups=g) for name, r in RANKERS.items()},
        **{
            f"{name}.score": lambda g, r=r: r.fit(X, GRADES, groups=GROUPS).score(X, GRADES, groups=g)
            for name, r in RANKERS.items()
        },
        **{each.__name__: lambda g, metric=each: metric(GRADES, SCORES, groups=g) for each in LIST_METRICS},
        "GroupedRanker.fit": lambda g: TREES.fit(X, GRADES, groups=g).predict(X),
        "GroupedRanker.score": lambda g: TREES.fit(X, GRADES, groups=GROUPS).score(X, GRADES, groups=g),
        "compare_rankers": lambda g: compare_rankers({"trees": TREES}, X, GRADES, groups=g, cv=GroupKFold(2)).values,
    },
    "weights": {
        **{
            f"{name}.fit": lambda w, r=r: fitted(r, X, GRADES, groups=GROUPS, sample_weight=w)
            for name, r in RANKERS.items()
        },
        "RankSimRegressor.fit": lambda w: fitted(REGRESSOR, X, TARGETS, sample_weight=w),
        "RankSimRegressor.score": lambda w: REGRESSOR.fit(X, TARGETS).score(X, TARGETS, sample_weight=w),
        **{f"{name}.score": lambda w, e=e: e.fit(X, CLASSES).score(X, CLASSES, w) for name, e in EMBEDDERS.items()},
        "map_at_r_score": lambda w: map_at_r_score(X, CLASSES, sample_weight=w),
        "ndcg_score": lambda w: ndcg_score(GRADES, SCORES, groups=GROUPS, sample_weight=w),
        "geometric_mean_error": lambda w: geometric_mean_error(TARGETS, SCORES, sample_weight=w),
        "distance_threshold": lambda w: distance_threshold(OUTCOMES, np.abs(SCORES), sample_weight=w),
        "bradley_terry_scores": lambda w: bradley_terry_scores(PAIRS, OUTCOMES, sample_weight=w, alpha=1),
        "PairwiseRanker.fit on pairs": lambda w: fitted(RANKERS["PairwiseRanker"], POINTS, OUTCOMES, sample_weight=w),
    },
    "outcomes": {
        "ContrastiveEmbedder.fit": lambda y: fitted(EMBEDDERS["ContrastiveEmbedder"], POINTS, y),
        "ContrastiveEmbedder.score": lambda y: EMBEDDERS["ContrastiveEmbedder"].fit(POINTS, OUTCOMES).score(POINTS, y),
        "calibrate_threshold": lambda y: (
            EMBEDDERS["ContrastiveEmbedder"].fit(POINTS, OUTCOMES).calibrate_threshold(POINTS, y).threshold_
        ),
        "PairwiseRanker.fit": lambda y: fitted(RANKERS["PairwiseRanker"], POINTS, y),
        "PairwiseRanker.score": lambda y: RANKERS["PairwiseRanker"].fit(POINTS, OUTCOMES).score(POINTS, y),
        "distance_threshold": lambda y: distance_threshold(y, np.abs(SCORES)),
        "sigmoid_calibration": lambda y: sigmoid_calibration(y, np.abs(SCORES)),
        "bradley_terry_scores": lambda y: bradley_terry_scores(PAIRS, y, alpha=1),
    },
    "best": {
        "best_worst_pairs": lambda best: best_worst_pairs(SHOWN, best, WORST).weights,
        "best_worst_scores": lambda best: best_worst_scores(SHOWN, best, WORST),
    },
}
PLAIN = {
    "labels": CLASSES,
    "grades": GRADES,
    "targets": TARGETS,
    "groups": GROUPS,
    "weights": WEIGHTS,
    "outcomes": OUTCOMES,
    "best": BEST,
}


def with_gap(gap):
    return lambda y: [gap, *np.asarray(y).tolist()[1:]]


# Forms that hold the same values: all callables give the value of the plain array.
SAME_VALUES: dict[str, Callable[[np.ndarray], Any]] = {
    "list": lambda y: y.tolist(),
    "tuple": lambda y: tuple(y.tolist()),
    "float": lambda y: y.astype(np.float64),
    "int8": lambda y: y.astype(np.int8),
    "object": lambda y: y.astype(object),
    "masked, no mask": lambda y: np.ma.masked_array(y),
    "not contiguous": lambda y: np.repeat(y, 2)[::2],
    "read-only": lambda y: np.frombuffer(y.tobytes(), dtype=y.dtype),
    "Series": lambda y: pd.Series(y, index=np.arange(N)[::-1]),
    "Int64": lambda y: pd.Series(y).astype("Int64"),
    "Float64": lambda y: pd.Series(y).astype("Float64"),
    "categorical": lambda y: pd.Series(y).astype("category"),
    "polars": pl.Series,
}
# Forms of bad values, and the error of all callables.
BAD_VALUES: dict[str, tuple[Callable[[np.ndarray], Any], type[Exception]]] = {
    "None": (with_gap(None), ValueError),
    "NaN": (with_gap(np.nan), ValueError),
    "NaT": (with_gap(pd.NaT), ValueError),
    "NA": (with_gap(pd.NA), ValueError),
    "masked": (lambda y: np.ma.masked_array(y, mask=np.arange(N) == 1), ValueError),
    "Int64 with NA": (lambda y: pd.Series(y).astype("Int64").where(np.arange(N) > 0), ValueError),
    "polars with null": (lambda y: pl.Series([None, *y.tolist()[1:]]), ValueError),
    "mixed": (with_gap("a"), TypeError),
    "mixed objects": (lambda y: np.array(with_gap("a")(y), dtype=object), TypeError),
    "too short": (lambda y: y[:-1], ValueError),
    "matrix": (lambda y: np.column_stack([y, y]), ValueError),
    "scalar": (lambda y: 3, ValueError),
    "sparse": (lambda y: csr_array(y[:, None].astype(float)), ValueError),
    "ragged": (lambda y: [[1], *y.tolist()[1:]], ValueError),
    "infinite": (with_gap(np.inf), ValueError),
}
WORDS = lambda y: np.char.add("v", y.astype(str))  # noqa: E731
DATES = lambda y: y.astype(int).astype("datetime64[D]")  # noqa: E731
# Forms whose cell depends on the argument.
OTHER_FORMS: dict[str, tuple[Callable[[np.ndarray], Any], dict[str, Any]]] = {
    "column": (
        lambda y: y[:, None],
        {
            "labels": DataConversionWarning,
            "grades": DataConversionWarning,
            "weights": ValueError,
        },
    ),
    "text": (WORDS, dict.fromkeys(("grades", "targets", "weights", "outcomes"), ValueError) | {"best": TypeError}),
    "dates": (DATES, dict.fromkeys(("grades", "targets", "weights", "outcomes"), ValueError) | {"best": TypeError}),
    "fractions": (lambda y: y + 0.5, {"outcomes": ValueError, "best": TypeError}),
}
# Cells that differ, and why.
EXCEPTIONS: dict[tuple[str, str, str], Any] = {
    # Only fit warns about a column, as scikit-learn does.
    **{
        (argument, name, "column"): SAME
        for argument in ("labels", "grades")
        for name in CALLABLES[argument]
        if not name.endswith("fit") and name.partition(".")[0] not in RANKERS
    },
    # Several targets.
    ("targets", "RankSimRegressor.fit", "matrix"): None,
    # There are no rows that the targets must belong to.
    ("targets", "LabelDensityWeighter.fit", "too short"): None,
    ("targets", "LabelDensityWeighter.transform", "too short"): None,
}


def cells():
    for argument, callables in CALLABLES.items():
        for name, function in callables.items():
            for form, make in SAME_VALUES.items():
                yield argument, name, form, function, make, SAME
            for form, (make, error) in BAD_VALUES.items():
                yield argument, name, form, function, make, error
            for form, (make, cell_of) in OTHER_FORMS.items():
                if argument in cell_of:
                    yield argument, name, form, function, make, cell_of[argument]


CELLS = [
    pytest.param(
        function, PLAIN[argument], make, EXCEPTIONS.get((argument, name, form), cell), id=f"{argument}-{name}-{form}"
    )
    for argument, name, form, function, make, cell in cells()
    if EXCEPTIONS.get((argument, name, form), cell) is not None
]


@pytest.mark.parametrize(("function", "plain", "make", "cell"), CELLS)
def test_cell(function, plain, make, cell):
    if cell == SAME:
        np.testing.assert_array_equal(function(make(plain)), function(plain))
    elif issubclass(cell, Warning):
        with pytest.warns(cell):
            result = function(make(plain))
        np.testing.assert_array_equal(result, function(plain))
    else:
        argument = make(plain)
        with pytest.raises(cell):
            function(argument)
