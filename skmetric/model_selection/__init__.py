"""Searches that train candidates as stacks of networks, folds that test on what is new, and baselines compared."""

from skmetric.model_selection.baselines import BaselineComparison, compare_baselines
from skmetric.model_selection.class_folds import ClassDisjointKFold
from skmetric.model_selection.search import BatchedGridSearchCV, BatchedRandomizedSearchCV
from skmetric.model_selection.target_folds import DensityStratifiedKFold
from skmetric.model_selection.tuple_folds import TupleKFold

__all__ = [
    "BaselineComparison",
    "BatchedGridSearchCV",
    "BatchedRandomizedSearchCV",
    "ClassDisjointKFold",
    "DensityStratifiedKFold",
    "TupleKFold",
    "compare_baselines",
]
