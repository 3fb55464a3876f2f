"""What a ranker knows of a loss: one record each."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

__all__ = ["RankingLoss"]


@dataclass(frozen=True)
class RankingLoss:
    """A loss over lists. The table of a ranker's losses stands beside its class.

    Attributes
    ----------
    function : callable
        ``(scores, relevance, *, mask, weights, **numbers) -> loss`` of each list; see :mod:`skmetric.losses`.
    numbers : tuple of str
        The constructor parameters that enter it: models of one stack may differ in these.
    uses_gain : bool
        Whether it is made of NDCG's gains, and so sees more of the relevance than differences within a list. The gain
        is that of ``metric``.
    uses_cut : bool
        Whether it takes the cut of ``metric``.
    """

    function: Callable[..., Tensor]
    numbers: tuple[str, ...] = ()
    uses_gain: bool = False
    uses_cut: bool = False
