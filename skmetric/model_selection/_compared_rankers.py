"""The models of a comparison of rankers: checks, and fits that pass groups to each part that takes them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from skmetric._checks import group_codes
from skmetric._group_column import column_index, column_values
from skmetric._warnings import warn_caller
from skmetric.adapters import GroupedRanker
from skmetric.adapters.boosters import booster_of
from skmetric.model_selection._named import named_estimators

__all__ = ["check_group_columns", "check_models", "fit_with_groups"]


def check_models(models: Any) -> dict[str, Any]:
    """Return the models by name. Raise if one cannot be compared."""
    named = named_estimators(models, "models", "[PairwiseRanker()]")
    if not named:
        raise ValueError(
            "models must hold at least one model, got none. Pass {'a name': PairwiseRanker()}, for example."
        )
    for name, model in named.items():
        if isinstance(model, type) or not (hasattr(model, "fit") and hasattr(model, "predict")):
            raise TypeError(
                f"models must be estimators with fit and predict, got {model!r} for {name!r}. Pass instances, such as "
                "PairwiseRanker(), or Pipelines that end in one."
            )
        for kind in _without_adapter(model):
            raise TypeError(
                f"models must take one group id per row, got a {kind} for {name!r}, which does not. Put it into an "
                f"adapter: skmetric.adapters.GroupedRanker({kind}())."
            )
    return named


def check_group_columns(named: dict[str, Any], X: Any, codes: NDArray[np.intp]) -> None:
    """Raise if a group column holds other groups than ``groups``; warn if other models see it as a feature."""
    columns = {name: column for name, model in named.items() for column in _group_columns(model)}
    for name, column in columns.items():
        # Steps before a ranker may move or make columns: only a name still means the same column.
        is_alone = not any(isinstance(part, Pipeline) for part in _parts(named[name]).values())
        if not is_alone and not (isinstance(column, str) and column in getattr(X, "columns", ())):
            continue
        _check_same_groups(name, column, group_codes(column_values(X, column_index(X, column))), codes)
        others = [other for other in named if other not in columns and _sees_columns(named[other])]
        if others:
            warn_caller(
                f"models without group_column should not see the ids of groups, but {', '.join(others)} get column "
                f"{column!r} as a feature. Drop it by a ColumnTransformer in a Pipeline, or leave it out of X and give "
                "no model a group_column: compare_rankers passes groups."
            )


def fit_with_groups(model: Any, X: Any, y: NDArray[np.float64], groups: NDArray[np.intp]) -> None:
    """Fit a model, with groups if anything in it takes them. A ranker with a group column takes only this column."""
    with config_context(enable_metadata_routing=True):
        for part in _parts(model).values():
            if hasattr(part, "set_fit_request") and has_fit_parameter(part, "groups"):
                _request_groups(part)
        takes_groups = "groups" in get_routing_for_object(model).consumes("fit", {"groups"}) or (
            # An estimator without metadata routing.
            not hasattr(model, "get_metadata_routing") and has_fit_parameter(model, "groups")
        )
        model.fit(X, y, **({"groups": groups} if takes_groups else {}))


def _request_groups(ranker: Any) -> None:
    requests = ranker.get_metadata_routing()
    if getattr(ranker, "group_column", None) is None:
        # The user can decline groups: all rows are then one list.
        if requests.fit.requests.get("groups") is not False:
            ranker.set_fit_request(groups=True)
        return
    ranker.set_fit_request(groups=False)
    if "groups" in requests.score.requests:
        ranker.set_score_request(groups=False)


def _parts(model: Any) -> dict[str, Any]:
    """Return the model itself and all of its parameters, which hold the estimators inside Pipelines and searches."""
    return {"": model, **(model.get_params(deep=True) if hasattr(model, "get_params") else {})}


def _without_adapter(model: Any) -> Iterator[str]:
    """Yield the class of each ranker of another library that is not in a GroupedRanker."""
    parts = _parts(model)
    for name, part in parts.items():
        owner = parts.get(name.removesuffix("estimator").removesuffix("__"))
        if booster_of(part) is not None and not isinstance(owner, GroupedRanker):
            yield type(part).__name__


def _group_columns(model: Any) -> list[Any]:
    """Return the group columns of the rankers in a model."""
    found = [getattr(part, "group_column", None) for part in _parts(model).values() if hasattr(part, "fit")]
    return [column for column in found if column is not None]


def _sees_columns(model: Any) -> bool:
    """Whether no step of a model selects columns, as far as one can know before a fit."""
    return not any(isinstance(part, ColumnTransformer | FunctionTransformer) for part in _parts(model).values())


def _check_same_groups(name: str, column: Any, own: NDArray[np.intp], codes: NDArray[np.intp]) -> None:
    n_own, n_groups = own.max() + 1, codes.max() + 1
    n_parts = len(np.unique(own * n_groups + codes))
    if not n_own == n_groups == n_parts:
        raise ValueError(
            f"groups must be those in the group_column of each model, got {n_groups} groups, and {n_own} in column "
            f"{column!r} for {name!r}. Pass this column as groups, or the column with the ids of groups as "
            "group_column."
        )
