"""Rankers of other libraries, with the interface of the rankers here."""

from skmetric.adapters.grouped_ranker import GroupedRanker

__all__ = ["GroupedRanker"]
