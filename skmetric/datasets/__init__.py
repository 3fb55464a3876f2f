"""Tables for learning to rank: made ones, and files in LETOR's format. Numpy, scipy and scikit-learn only."""

from skmetric.datasets.letor import load_letor
from skmetric.datasets.ranking import make_ranking

__all__ = ["load_letor", "make_ranking"]
