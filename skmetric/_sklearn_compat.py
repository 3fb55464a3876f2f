"""The only file that imports private names of scikit-learn. It also adds types to the base classes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sklearn.metrics._scorer import _MultimetricScorer as MultimetricScorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import _insert_error_scores as insert_error_scores
from sklearn.model_selection._validation import _score as score_fitted
from sklearn.model_selection._validation import _warn_or_raise_about_fit_failures as warn_or_raise_about_fit_failures
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import _safe_split as safe_split
from sklearn.utils.validation import _check_method_params as check_method_params
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "BaseEstimator",
    "BaseSearchCV",
    "CallbackSupportMixin",
    "ClassNamePrefixFeaturesOutMixin",
    "ClassifierMixin",
    "Interval",
    "MultimetricScorer",
    "RegressorMixin",
    "StrOptions",
    "TransformerMixin",
    "check_method_params",
    "check_sample_weight",
    "fit_context",
    "has_callbacks",
    "insert_error_scores",
    "safe_indexing",
    "safe_split",
    "score_fitted",
    "warn_or_raise_about_fit_failures",
]

if TYPE_CHECKING:
    # scikit-learn has no type annotations: for a type checker, its classes are Any, and so would be all attributes of
    # our estimators. These classes replace them for the type checker, with the names that we use.
    Method = TypeVar("Method", bound=Callable[..., Any])

    class BaseEstimator:
        def get_params(self, deep: bool = True) -> dict[str, Any]: ...
        def set_params(self, **params: Any) -> Self: ...
        def _validate_params(self) -> None: ...
        def get_metadata_routing(self) -> Any: ...
        def __sklearn_tags__(self) -> Any: ...

    class CallbackSupportMixin:
        def set_callbacks(self, *callbacks: Any) -> Self: ...
        def _init_callback_context(self, *, max_subtasks: int | None = None) -> Any: ...

    class TransformerMixin:
        def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any: ...
        def __sklearn_tags__(self) -> Any: ...

    class ClassNamePrefixFeaturesOutMixin:
        def get_feature_names_out(self, input_features: Any = None) -> Any: ...

    class ClassifierMixin:
        def __sklearn_tags__(self) -> Any: ...

    class RegressorMixin:
        def __sklearn_tags__(self) -> Any: ...

    def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Method], Method]: ...

else:
    from sklearn.base import (
        BaseEstimator,
        ClassifierMixin,
        ClassNamePrefixFeaturesOutMixin,
        RegressorMixin,
        TransformerMixin,
    )
    from sklearn.base import _fit_context as fit_context
    from sklearn.callback import CallbackSupportMixin


def has_callbacks(estimator: Any) -> bool:
    """Return whether an estimator has callbacks of scikit-learn, set on it or on an estimator that contains it."""
    return hasattr(estimator, "_skl_callbacks")
