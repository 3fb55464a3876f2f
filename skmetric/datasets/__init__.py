"""Tables for learning to rank: generated ones, and files in the LETOR format. It does not need torch."""

from skmetric.datasets.letor import load_letor
from skmetric.datasets.ranking import make_ranking

__all__ = ["load_letor", "make_ranking"]
