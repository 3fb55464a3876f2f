"""The fits and searches whose results are hashed, and what is hashed of each."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
from scipy.stats import loguniform
from sklearn import config_context
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from benchmarks.digest_tables import (
    Data,
    best_worst,
    far_from_zero,
    group_column,
    grouped,
    index_pairs,
    index_preferences,
    index_triplets,
    indices,
    judgments,
    labeled,
    memory_mapped,
    named_classes,
    pairs,
    partly_labeled,
    positively_weighted_groups,
    preferences,
    several_targets,
    similar_pairs,
    single_precision_targets,
    table,
    targets,
    triplets,
    ungrouped,
    weighted_groups,
    weighted_targets,
    with_constant_column,
)
from skmetric import (
    BatchedGridSearchCV,
    BatchedRandomizedSearchCV,
    ContrastiveEmbedder,
    ListwiseRanker,
    PairwiseRanker,
    PointwiseRanker,
    RankSimRegressor,
    TripletEmbedder,
)
from skmetric.metrics import map_at_r_scorer, ndcg_scorer, recall_at_1_scorer, spearman_scorer
from skmetric.model_selection import ClassDisjointKFold, TupleKFold, compare_baselines
from skmetric.preferences import best_worst_pairs, best_worst_scores, bradley_terry_scores

try:
    from skmetric.model_selection import DensityStratifiedKFold
except ImportError:
    from skmetric.imbalance import DensityStratifiedKFold


__all__ = ["CASES", "Case", "Figures"]

# The digests of a case by the name of the figure.
Figures = dict[str, str]
Case = Callable[[], Figures]

# Number of hexadecimal digits of a digest.
LENGTH = 12
# Figures of an epoch that are no times.
OF_EPOCHS = (
    "train_loss",
    "valid_score",
    "easy",
    "semihard",
    "hard",
    "positive_distance",
    "negative_distance",
    "neighbor_spearman",
)
OF_SEARCHES = re.compile(r"split\d+_test_|mean_test_|rank_test_")

# Widths that do not fill vector registers, and batches that do not divide the rows.
SMALL: Mapping[str, Any] = {
    "n_components": 5,
    "hidden_layer_sizes": (12,),
    "batch_size": 20,
    "max_iter": 5,
    "device": "cpu",
    "random_state": 0,
}


# Digests


def digest(values: Mapping[str, Any]) -> str:
    """Hash the name, type, shape and bytes of values, in the order of their names."""
    hashed = sha256()
    for name in sorted(values):
        hashed.update(name.encode() + b"=" + _as_bytes(values[name]) + b";")
    return hashed.hexdigest()[:LENGTH]


def _as_bytes(value: Any) -> bytes:
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        return repr(array.tolist()).encode()
    return f"{array.dtype.str}{array.shape}".encode() + array.tobytes()


def look(model: Any, data: Data) -> Figures:
    """Compute digests of the attributes and the outputs of a fitted estimator."""
    final = model[-1] if isinstance(model, Pipeline) else model
    X = data.by_row["X"]
    points = X if data.points is None else data.points
    inputs = {
        "transform": points,
        "predict": X,
        "decision_function": X,
        "score_samples": points,
        "pair_distance": data.pairs,
    }
    found = {
        name: getattr(model, name)(rows) for name, rows in inputs.items() if rows is not None and hasattr(model, name)
    }
    found |= {name: getattr(final, name) for name in ("n_iter_", "classes_", "threshold_") if hasattr(final, name)}
    found["score"] = model.score(**data.by_row)
    return {**_learned(final), **{name: digest({name: value}) for name, value in found.items()}}


def _learned(model: Any) -> Figures:
    weights = {name: value for name, value in model._network.weights.items() if not name.startswith("scaling.")}
    names = [name for name in OF_EPOCHS if name in model.history_[0]]
    return {
        "weights": digest(weights),
        "history": digest({name: [epoch[name] for epoch in model.history_] for name in names}),
    }


def look_at_search(search: Any, data: Data) -> Figures:
    """Compute digests of the results of a search and of its best estimator."""
    results = {name: value for name, value in search.cv_results_.items() if OF_SEARCHES.match(name)}
    return {
        "cv_results_": digest({**results, "params": repr(search.cv_results_["params"])}),
        "best_params_": digest({"best_params_": repr(search.best_params_)}),
        **look(search.best_estimator_, data),
    }


# Fits and searches


def make(kind: type, *, scales_inputs: bool = True, **parameters: Any) -> Any:
    """Build a small estimator. The parameter for unscaled inputs depends on the version of the library."""
    estimator = kind(**{**SMALL, **parameters})
    if scales_inputs:
        return estimator
    unscaled = {"inputs": "none"} if "inputs" in estimator.get_params() else {"scale_inputs": False}
    return estimator.set_params(**unscaled)


def small_module(n_in: int, n_out: int) -> nn.Module:
    return nn.Sequential(nn.Linear(n_in, 12), nn.Tanh(), nn.Dropout(0.3), nn.Linear(12, n_out))


def fit(kind: type, read: Callable[[], Data], *, how: str = "once", piped: bool = False, **parameters: Any) -> Figures:
    """Fit an estimator and compute its digests."""
    data = read()
    model = make(kind, **data.parameters, **parameters)
    if piped:
        model = make_pipeline(StandardScaler(), model)
    HOW[how](model, data.by_row)
    if kind is ContrastiveEmbedder and model.tuple_size_ == 2 and not hasattr(model, "threshold_"):
        model.set_threshold(0.5)
    return look(model, data)


def _fit_once(model: Any, by_row: Mapping[str, Any]) -> None:
    model.fit(**by_row)


def _fit_twice(model: Any, by_row: Mapping[str, Any]) -> None:
    """Fit on some rows, then on all rows."""
    model.fit(**_halves(by_row)[0])
    model.fit(**by_row)


def _fit_validated(model: Any, by_row: Mapping[str, Any]) -> None:
    """Fit on some rows, with the others as validation rows."""
    first, last = _halves(by_row)
    held = {f"{name}_val": value for name, value in last.items() if name != "sample_weight" and value is not None}
    model.fit(**first, **held)


def _fit_partly(model: Any, by_row: Mapping[str, Any]) -> None:
    """Call ``partial_fit`` part by part. The first part lacks a class if there are more than two."""
    X, y = by_row["X"], by_row["y"]
    classes = None if y is None else np.unique(y)
    parts = np.array_split(np.arange(len(X)), 3)
    if classes is not None and len(classes) > 2:
        parts[0] = parts[0][y[parts[0]] != classes[-1]]
    for number, part in enumerate(parts):
        first = {"classes": classes} if number == 0 else {}
        model.partial_fit(X[part], None if y is None else y[part], **first)


def _halves(by_row: Mapping[str, Any]) -> list[dict[str, Any]]:
    cut = 2 * len(by_row["X"]) // 3
    parts = slice(cut), slice(cut, None)
    return [{name: None if rows is None else rows[part] for name, rows in by_row.items()} for part in parts]


HOW: Mapping[str, Callable[[Any, Mapping[str, Any]], None]] = {
    "once": _fit_once,
    "twice": _fit_twice,
    "validated": _fit_validated,
    "partly": _fit_partly,
}


def search(
    kind: type,
    read: Callable[[], Data],
    space: Mapping[str, Any],
    *,
    parameters: Mapping[str, Any] | None = None,
    piped: bool = False,
    **how: Any,
) -> Figures:
    """Run a grid search, or a random search if ``n_iter`` is given, and compute its digests."""
    data = read()
    estimator = make(kind, **data.parameters, **(parameters or {}))
    if piped:
        estimator = make_pipeline(StandardScaler(), estimator)
        space = {f"{kind.__name__.lower()}__{name}": values for name, values in space.items()}
    if "n_iter" in how:
        searching = BatchedRandomizedSearchCV(estimator, space, random_state=0, **how)
    else:
        searching = BatchedGridSearchCV(estimator, space, **how)
    return look_at_search(searching.fit(**data.by_row), data)


def routed(case: Case) -> Case:
    """Run a case with metadata routing, so that Pipelines and searches pass groups on."""

    def with_routing() -> Figures:
        with config_context(enable_metadata_routing=True):
            return case()

    return with_routing


def calibrated(strategy: str, **how: Any) -> Figures:
    """Calibrate a threshold on other pairs. Probabilities are calibrated too, but not hashed."""
    data = pairs()
    (X, y), (X_other, y_other) = ([part["X"], part["y"]] for part in _halves(data.by_row))
    embedder = make(ContrastiveEmbedder).fit(X, y)
    embedder.calibrate_probabilities(X, y, cv=3).calibrate_threshold(X_other, y_other, strategy, **how)
    return {"threshold_": digest({"threshold_": embedder.threshold_})}


def baselines() -> Figures:
    X, y = table()
    embedders = [make(TripletEmbedder), make(ContrastiveEmbedder)]
    compared = compare_baselines(X, y, cv=3, embedders=embedders, n_components=3, random_state=0)
    return {name: digest({name: getattr(compared, name)}) for name in ("scores", "accuracies", "names", "widths")}


def scorers() -> Figures:
    """Scores of fitted estimators by scorers."""
    X, y, groups = grouped().by_row.values()
    ranker = make(PairwiseRanker).fit(X, y, groups=groups)
    rows, classes = table()
    embedder = make(TripletEmbedder).fit(rows, classes)
    scores = {
        "ndcg": ndcg_scorer(ranker, X, y, groups=groups),
        "spearman": spearman_scorer(ranker, X, y, groups=groups),
        "map_at_r": map_at_r_scorer(embedder, rows, classes),
        "recall_at_1": recall_at_1_scorer(embedder, rows, classes),
    }
    return {name: digest({name: value}) for name, value in scores.items()}


def judged() -> Figures:
    """Scores from best-worst judgments, without a network."""
    implied = best_worst_pairs(*judgments())
    scores = {
        "counted": best_worst_scores(*judgments()),
        "bradley_terry": bradley_terry_scores(implied.pairs, sample_weight=implied.weights),
    }
    return {name: digest({name: value}) for name, value in scores.items()}


# Cases

triplet, search_triplet = partial(fit, TripletEmbedder), partial(search, TripletEmbedder)
contrastive, search_contrastive = partial(fit, ContrastiveEmbedder), partial(search, ContrastiveEmbedder)
pairwise, search_pairwise = partial(fit, PairwiseRanker), partial(search, PairwiseRanker)
listwise, search_listwise = partial(fit, ListwiseRanker), partial(search, ListwiseRanker)
pointwise, search_pointwise = partial(fit, PointwiseRanker), partial(search, PointwiseRanker)
ranksim, search_ranksim = partial(fit, RankSimRegressor), partial(search, RankSimRegressor)

STOPPING: Mapping[str, Any] = {"early_stopping": True, "max_iter": 15, "n_iter_no_change": 2}
HELD_OUT: Mapping[str, Any] = {**STOPPING, "validation_fraction": 0.3}

TRIPLET: Mapping[str, Case] = {
    **{
        f"triplet_{mining}": partial(triplet, labeled, mining=mining)
        for mining in ("semihard", "all", "hard", "easy", "random")
    },
    "triplet_wide": partial(triplet, labeled, n_components=16, hidden_layer_sizes=256, batch_size=64),
    "triplet_soft_cosine": partial(triplet, labeled, soft=True, distance="cosine"),
    "triplet_squared_free": partial(triplet, labeled, distance="sqeuclidean", normalize=False, samples_per_class=2),
    "triplet_linear": partial(triplet, labeled, hidden_layer_sizes=()),
    "triplet_two_layers": partial(triplet, labeled, hidden_layer_sizes=(12, 9), dropout=0.5),
    "triplet_no_dropout": partial(triplet, labeled, dropout=0.0),
    "triplet_unscaled": partial(triplet, labeled, scales_inputs=False),
    "triplet_module": partial(triplet, labeled, module=small_module),
    "triplet_named_classes": partial(triplet, named_classes, n_neighbors=3),
    "triplet_unlabeled": partial(triplet, partly_labeled),
    "triplet_memory_mapped": partial(triplet, memory_mapped),
    "triplet_far_from_zero": partial(triplet, far_from_zero),
    "triplet_constant_column": partial(triplet, with_constant_column),
    "triplet_pipeline": partial(triplet, labeled, piped=True),
    "triplet_held_out": partial(triplet, labeled, **HELD_OUT),
    "triplet_held_out_unlabeled": partial(triplet, partly_labeled, **HELD_OUT),
    "triplet_validated": partial(triplet, labeled, how="validated", **STOPPING),
    "triplet_warm_start": partial(triplet, labeled, how="twice", warm_start=True),
    "triplet_partial_fit": partial(triplet, labeled, how="partly"),
    "triplet_places": partial(triplet, indices),
    "triplets_of_points": partial(triplet, triplets),
    "triplets_of_places": partial(triplet, index_triplets),
    "triplets_large_batch": partial(triplet, triplets, batch_size=240, soft=True),
    "triplets_held_out": partial(triplet, index_triplets, **HELD_OUT),
    "triplets_validated": partial(triplet, triplets, how="validated", **STOPPING),
    "triplets_partial_fit": partial(triplet, triplets, how="partly"),
}

OF_PAIRS = ("contrastive", "info_nce", "sup_con", "nce", "nca", "multi_similarity")
CONTRASTIVE: Mapping[str, Case] = {
    **{f"contrastive_{loss}": partial(contrastive, labeled, loss=loss) for loss in ("auto", *OF_PAIRS, "proxy_anchor")},
    **{f"pairs_{loss}": partial(contrastive, pairs, loss=loss) for loss in ("auto", *OF_PAIRS)},
    **{f"alike_{loss}": partial(contrastive, similar_pairs, loss=loss) for loss in ("auto", *OF_PAIRS)},
    **{f"alike_{loss}_negatives": partial(contrastive, similar_pairs, loss=loss, n_negatives=6) for loss in OF_PAIRS},
    **{f"contrastive_{loss}_memory": partial(contrastive, labeled, loss=loss, memory_size=50) for loss in OF_PAIRS},
    "contrastive_cached": partial(contrastive, labeled, batch_size=64, cached_batch_size=10),
    "contrastive_cached_memory": partial(contrastive, labeled, cached_batch_size=7, memory_size=30),
    "contrastive_cached_proxies": partial(contrastive, labeled, loss="proxy_anchor", cached_batch_size=7),
    "contrastive_free": partial(contrastive, labeled, normalize=False, temperature=0.5),
    "contrastive_cosine": partial(contrastive, labeled, loss="contrastive", distance="cosine"),
    "contrastive_linear": partial(contrastive, labeled, hidden_layer_sizes=()),
    "contrastive_unscaled": partial(contrastive, far_from_zero, scales_inputs=False),
    "contrastive_module": partial(contrastive, labeled, loss="proxy_anchor", module=small_module),
    "contrastive_unlabeled": partial(contrastive, partly_labeled, memory_size=30),
    "contrastive_held_out": partial(contrastive, labeled, **HELD_OUT),
    "contrastive_validated": partial(contrastive, labeled, how="validated", **STOPPING),
    "contrastive_warm_start": partial(contrastive, labeled, how="twice", warm_start=True, loss="proxy_anchor"),
    "contrastive_partial_fit": partial(contrastive, labeled, how="partly"),
    "contrastive_partial_fit_proxies": partial(contrastive, labeled, how="partly", loss="proxy_anchor"),
    "pairs_of_places": partial(contrastive, index_pairs),
    "pairs_cached": partial(contrastive, pairs, loss="nca", batch_size=64, cached_batch_size=10),
    "pairs_module": partial(contrastive, pairs, module=small_module),
    "pairs_held_out": partial(contrastive, index_pairs, **HELD_OUT),
    "pairs_validated": partial(contrastive, pairs, how="validated", **STOPPING),
    "pairs_partial_fit": partial(contrastive, pairs, how="partly"),
    "alike_cached_negatives": partial(contrastive, similar_pairs, n_negatives=6, cached_batch_size=7),
    "alike_held_out": partial(contrastive, similar_pairs, **HELD_OUT),
    "calibrated_accuracy": partial(calibrated, "accuracy"),
    "calibrated_f_beta": partial(calibrated, "f_beta", beta=2.0),
    "calibrated_max_tpr": partial(calibrated, "max_tpr", min_rate=0.7),
}

LOSSES: Mapping[type, Sequence[str]] = {
    PairwiseRanker: ("hinge", "logistic", "lambda"),
    ListwiseRanker: ("softmax", "list_mle", "approx_ndcg"),
    PointwiseRanker: ("squared",),
}


def each_loss(name: str, read: Callable[[], Data], **parameters: Any) -> Iterator[tuple[str, Case]]:
    """Yield the same case for each ranker and each of its losses."""
    for kind, losses in LOSSES.items():
        for loss in losses:
            short = kind.__name__.removesuffix("Ranker").lower()
            yield f"{short}_{loss}_{name}", partial(fit, kind, read, loss=loss, **parameters)


RANKERS: Mapping[str, Case] = {
    **dict(each_loss("groups", grouped)),
    **dict(each_loss("column", group_column)),
    **dict(each_loss("weighted", positively_weighted_groups)),
    **dict(each_loss("one_list", ungrouped, metric="ndcg@10")),
    "pairwise_wide": partial(pairwise, grouped, n_components=None, hidden_layer_sizes=(128,), batch_size=64),
    "pairwise_cut": partial(pairwise, grouped, loss="lambda", metric="ndcg_linear@3"),
    "pairwise_torn_groups": partial(pairwise, grouped, max_group_size=4, metric="spearman"),
    "pairwise_zero_weights": partial(pairwise, weighted_groups, loss="lambda"),
    "pairwise_module": partial(pairwise, grouped, module=small_module),
    "pairwise_linear": partial(pairwise, grouped, n_components=None, hidden_layer_sizes=()),
    "pairwise_unscaled": partial(pairwise, grouped, scales_inputs=False),
    "pairwise_held_out": partial(pairwise, grouped, **HELD_OUT),
    "pairwise_held_out_column": partial(pairwise, group_column, metric="map", **HELD_OUT),
    "pairwise_held_out_rows": partial(pairwise, ungrouped, **HELD_OUT),
    "pairwise_validated": partial(pairwise, grouped, how="validated", metric="mrr", **STOPPING),
    "pairwise_warm_start": partial(pairwise, grouped, how="twice", warm_start=True),
    "pairwise_pipeline": routed(partial(pairwise, grouped, piped=True)),
    **{f"preferences_{loss}": partial(pairwise, preferences, loss=loss) for loss in LOSSES[PairwiseRanker]},
    "preferences_of_places": partial(pairwise, index_preferences),
    "preferences_held_out": partial(pairwise, index_preferences, **HELD_OUT),
    "preferences_validated": partial(pairwise, preferences, how="validated", **STOPPING),
    "preferences_best_worst": partial(pairwise, best_worst, loss="logistic"),
    "listwise_temperature": partial(listwise, grouped, temperature=0.3, metric="kendall"),
    "listwise_linear_gain": partial(listwise, grouped, loss="approx_ndcg", metric="ndcg_linear"),
    "listwise_torn_groups": partial(listwise, grouped, max_group_size=4, metric="pairwise_accuracy"),
    "listwise_zero_weights": partial(listwise, weighted_groups),
    "listwise_module": partial(listwise, grouped, module=small_module),
    "listwise_held_out": partial(listwise, weighted_groups, **HELD_OUT),
    "listwise_validated": partial(listwise, group_column, how="validated", **STOPPING),
    "listwise_warm_start": partial(listwise, grouped, how="twice", warm_start=True),
    "pointwise_linear": partial(pointwise, grouped, n_components=None, hidden_layer_sizes=()),
    "pointwise_unscaled": partial(pointwise, grouped, scales_inputs=False),
    "pointwise_module": partial(pointwise, grouped, module=small_module),
    "pointwise_pipeline": routed(partial(pointwise, grouped, piped=True)),
    "bug_pointwise_held_out": partial(pointwise, grouped, **HELD_OUT),
    "bug_pointwise_warm_start": partial(pointwise, grouped, how="twice", warm_start=True),
    "judged": judged,
}

REGRESSION: Mapping[str, Case] = {
    **{f"ranksim_{loss}": partial(ranksim, targets, loss=loss) for loss in ("absolute", "squared", "huber")},
    "ranksim_wide": partial(ranksim, targets, n_components=None, hidden_layer_sizes=(128, 128), batch_size=64),
    "ranksim_single_precision": partial(ranksim, single_precision_targets, max_rank_samples=9),
    "ranksim_fixed_gamma": partial(ranksim, targets, gamma=0.2, interpolation_strength=1.0),
    "ranksim_no_gamma": partial(ranksim, targets, gamma=0),
    "ranksim_published": partial(ranksim, targets, similarity="cosine", scale_free=False, gamma=100.0),
    "ranksim_several_targets": partial(ranksim, several_targets),
    "ranksim_several_no_gamma": partial(ranksim, several_targets, gamma=0, metric="spearman"),
    "ranksim_lds": partial(ranksim, targets, weighting="lds"),
    "ranksim_kde": partial(ranksim, weighted_targets, weighting="kde"),
    "ranksim_smoothing": partial(ranksim, targets, feature_smoothing=True),
    "ranksim_smoothing_lds": partial(ranksim, weighted_targets, feature_smoothing=True, weighting="lds", gamma=0),
    "ranksim_weighted": partial(ranksim, weighted_targets, metric="neg_root_mean_squared_error"),
    "ranksim_linear": partial(ranksim, targets, n_components=None, hidden_layer_sizes=()),
    "ranksim_unscaled": partial(ranksim, targets, scales_inputs=False),
    "ranksim_module": partial(ranksim, targets, module=small_module),
    "ranksim_module_smoothing": partial(ranksim, targets, module=small_module, feature_smoothing=True),
    "ranksim_pipeline": partial(ranksim, targets, piped=True),
    "ranksim_held_out": partial(ranksim, targets, weighting="lds", **HELD_OUT),
    "ranksim_held_out_several": partial(ranksim, several_targets, metric="kendall", **HELD_OUT),
    "ranksim_held_out_weighted": partial(ranksim, weighted_targets, feature_smoothing=True, **HELD_OUT),
    "ranksim_validated": partial(ranksim, targets, how="validated", metric="neg_mean_absolute_error", **STOPPING),
    "ranksim_warm_start": partial(ranksim, targets, how="twice", warm_start=True),
    "ranksim_warm_start_smoothing": partial(ranksim, targets, how="twice", warm_start=True, feature_smoothing=True),
}

RETRIEVAL = {"map_at_r": map_at_r_scorer, "recall_at_1": recall_at_1_scorer}
ERRORS = ["r2", "neg_mean_absolute_error"]
RATES = loguniform(1e-3, 1e-1)

SEARCHES: Mapping[str, Case] = {
    "search_triplet_grid": partial(
        search_triplet,
        labeled,
        {"margin": [0.1, 0.5, 1.0], "learning_rate": [0.005, 0.02]},
        scoring=RETRIEVAL,
        refit="map_at_r",
        cv=3,
    ),
    "search_triplet_random": partial(
        search_triplet, labeled, {"margin": loguniform(0.1, 1)}, n_iter=4, piped=True, cv=3
    ),
    "search_triplet_shapes": partial(
        search_triplet,
        named_classes,
        {"hidden_layer_sizes": [(12,), (9, 9)], "mining": ["all", "hard"], "random_state": [0, 1]},
        max_stack=3,
        return_train_score=True,
        cv=ClassDisjointKFold(2),
    ),
    "search_triplet_failing": partial(
        search_triplet, labeled, {"learning_rate": [0.005, 1e30], "weight_decay": [0.0, 0.1]}, cv=2
    ),
    "search_triplet_stopped": partial(
        search_triplet, labeled, {"margin": [0.2, 1.0], "learning_rate": [0.003, 0.1]}, parameters=HELD_OUT, cv=3
    ),
    "search_triplets_of_places": partial(search_triplet, index_triplets, {"margin": [0.2, 0.8]}, cv=3),
    "search_triplet_module": partial(
        search_triplet, labeled, {"margin": [0.2, 0.8]}, parameters={"module": small_module}, cv=2
    ),
    "search_contrastive_grid": partial(
        search_contrastive,
        labeled,
        {"temperature": [0.05, 0.2], "dropout": [0.0, 0.3]},
        parameters={"memory_size": 20},
        piped=True,
        scoring=map_at_r_scorer,
        cv=3,
    ),
    "search_contrastive_losses": partial(
        search_contrastive, partly_labeled, {"loss": ["nca", "multi_similarity", "proxy_anchor"]}, cv=3
    ),
    "search_contrastive_random": partial(
        search_contrastive, index_pairs, {"margin": loguniform(0.3, 2)}, n_iter=4, cv=TupleKFold(2)
    ),
    "search_pairwise_grid": routed(
        partial(
            search_pairwise,
            grouped,
            {"margin": [0.3, 1.0], "learning_rate": [0.003, 0.03]},
            piped=True,
            scoring=ndcg_scorer,
            cv=GroupKFold(3),
        )
    ),
    "search_pairwise_random": partial(
        search_pairwise, group_column, {"learning_rate": RATES}, n_iter=4, scoring=ndcg_scorer, cv=3
    ),
    "search_preferences": partial(search_pairwise, preferences, {"loss": ["hinge", "logistic"]}, cv=3),
    "search_listwise_grid": routed(
        partial(
            search_listwise,
            grouped,
            {"temperature": [0.3, 1.0, 3.0], "learning_rate": [0.003, 0.03]},
            parameters=HELD_OUT,
            cv=GroupKFold(3),
        )
    ),
    "search_listwise_random": routed(
        partial(search_listwise, grouped, {"temperature": loguniform(0.3, 3)}, n_iter=4, n_jobs=2, cv=GroupKFold(2))
    ),
    "search_pointwise_grid": routed(
        partial(
            search_pointwise,
            grouped,
            {"learning_rate": [0.003, 0.03]},
            scoring={"spearman": spearman_scorer, "ndcg": ndcg_scorer},
            refit="spearman",
            cv=GroupKFold(3),
        )
    ),
    "search_pointwise_random": partial(
        search_pointwise, group_column, {"weight_decay": loguniform(0.1, 10)}, n_iter=4, cv=3
    ),
    "search_ranksim_grid": partial(
        search_ranksim,
        targets,
        {"gamma": [0.0, 0.1, "auto"], "learning_rate": [0.003, 0.03]},
        piped=True,
        scoring=ERRORS,
        refit="r2",
        cv=DensityStratifiedKFold(3),
    ),
    "search_ranksim_random": partial(search_ranksim, several_targets, {"learning_rate": RATES}, n_iter=4, cv=3),
    "search_ranksim_weighted": partial(
        search_ranksim,
        weighted_targets,
        {"weighting": [None, "lds"], "feature_smoothing": [False, True]},
        parameters=HELD_OUT,
        cv=DensityStratifiedKFold(2, shuffle=True, random_state=0),
    ),
    "baselines": baselines,
    "scorers": scorers,
}

CASES: Mapping[str, Case] = {**TRIPLET, **CONTRASTIVE, **RANKERS, **REGRESSION, **SEARCHES}


# The command
