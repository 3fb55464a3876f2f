"""Searches that train all their candidates and folds as stacks of networks."""

from skmetric.model_selection.search import BatchedGridSearchCV, BatchedRandomizedSearchCV

__all__ = ["BatchedGridSearchCV", "BatchedRandomizedSearchCV"]
