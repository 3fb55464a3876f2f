"""Model selection: searches that train stacks of networks, splitters with new classes or points, and baselines."""

from skmetric.model_selection.baselines import BaselineComparison, compare_baselines
from skmetric.model_selection.class_folds import ClassDisjointKFold
from skmetric.model_selection.ranker_comparison import RankerComparison, compare_rankers
from skmetric.model_selection.search import BatchedGridSearchCV, BatchedRandomizedSearchCV
from skmetric.model_selection.target_folds import DensityStratifiedKFold
from skmetric.model_selection.tuple_folds import TupleKFold

__all__ = [
    "BaselineComparison",
    "BatchedGridSearchCV",
    "BatchedRandomizedSearchCV",
    "ClassDisjointKFold",
    "DensityStratifiedKFold",
    "RankerComparison",
    "TupleKFold",
    "compare_baselines",
    "compare_rankers",
]
