"""Warn about folds that split groups: part of a group is trained on, and the rest is scored."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.metadata_routing import MetadataRequest

from skmetric._checks import group_codes
from skmetric._group_column import column_index, column_values
from skmetric._warnings import warn_caller
from skmetric.model_selection._pipeline_front import final_prefix, final_step

__all__ = ["groups_of_fit", "read_folds", "warn_of_split_groups", "without_remarks_on_groups"]

# Training and test rows of each fold, as indices.
Folds: TypeAlias = Sequence[tuple[NDArray[Any], NDArray[Any]]]


def groups_of_fit(estimator: Any, X: Any, fit_params: dict[str, Any]) -> ArrayLike | None:
    """Return the groups that reach the estimator, or the last step of a Pipeline: as metadata, or as a column of X."""
    final, prefix = final_step(estimator), final_prefix(estimator)
    column = getattr(final, "group_column", None)
    if column is None:
        return fit_params.get(_name_of_groups(final, prefix))
    if prefix and len(estimator.steps) > 1 and column not in getattr(X, "columns", ()):
        # The steps before may move or make columns, so the index of a column of X means nothing.
        return None
    try:
        return column_values(X, column_index(X, column))
    except (TypeError, ValueError):
        return None  # Each fit raises an error, or the column means something else to a foreign estimator.


def _name_of_groups(final: Any, prefix: str) -> str:
    """Return the name of the groups among the parameters of ``fit``."""
    if not get_config()["enable_metadata_routing"]:
        return f"{prefix}groups"
    routing = final.get_metadata_routing() if hasattr(final, "get_metadata_routing") else None
    requested = routing.fit.requests.get("groups") if isinstance(routing, MetadataRequest) else None
    # A Pipeline gets groups under the alias of the request, and an estimator under their own name.
    return requested if prefix and isinstance(requested, str) else "groups" if requested else ""


@contextmanager
def without_remarks_on_groups() -> Iterator[None]:
    """Silence splitters that warn of ignored groups, where ``warn_of_split_groups`` looks at the folds themselves."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(The )?groups (parameter is|are) ignored by", UserWarning)
        yield


def read_folds(cv: Any, splitter: Any, X: Any, y: Any, groups: Any, n_rows: int) -> list[tuple[NDArray, NDArray]]:
    """Return the folds of a splitter as indices, although they may be lists or masks; ``cv`` is named in errors."""
    rows = np.arange(n_rows)
    with without_remarks_on_groups():
        split = splitter.split(X, y, groups)
        folds = [(rows[np.asarray(train)], rows[np.asarray(test)]) for train, test in split]
    if not folds:
        raise ValueError(f"cv must give at least one fold, got none from {cv!r}. Pass cv=5.")
    return folds


def warn_of_split_groups(cv: Any, splitter: Any, folds: Folds, groups: ArrayLike) -> None:
    """Warn if a group has training and test rows in a fold.

    Parameters
    ----------
    cv : object
        As passed by the user.
    splitter : splitter
        What ``cv`` stands for.
    folds : list of (train, test)
        Row indices.
    groups : array-like of shape (n_samples,)
        Group id of each row.
    """
    try:
        is_split = _are_split(group_codes(groups), folds)
    except (IndexError, TypeError, ValueError):
        return  # Each fit raises an error for these groups.
    n_groups = len(is_split)
    # One id for every row is how users ask for one list.
    if n_groups < 2 or not is_split.any():
        return
    kind = "StratifiedGroupKFold" if isinstance(splitter, StratifiedKFold) else "GroupKFold"
    warn_caller(
        f"cv={_shown(cv, len(folds))} ignores groups; pass {kind}({min(len(folds), n_groups)}). {is_split.sum()} of "
        f"{n_groups} groups have rows in both the training and the test part of a fold, so scores count rows whose "
        "group was trained on."
    )


def _are_split(codes: NDArray[np.intp], folds: Folds) -> NDArray[np.bool_]:
    """Return whether each group has both training and test rows in a fold."""
    n_groups = int(codes.max(initial=-1)) + 1
    is_split = np.zeros(n_groups, dtype=bool)
    for train, test in folds:
        is_trained, is_tested = np.zeros((2, n_groups), dtype=bool)
        is_trained[codes[train]] = True
        is_tested[codes[test]] = True
        is_split |= is_trained & is_tested
    return is_split


def _shown(cv: Any, n_folds: int) -> str:
    if cv is None:
        return f"None ({n_folds} folds)"
    return repr(cv) if isinstance(cv, Integral) or hasattr(cv, "split") else f"<{n_folds} given folds>"
