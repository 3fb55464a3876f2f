"""Description of a ranking loss, for the tables of losses beside the rankers."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

__all__ = ["RankingLoss"]


@dataclass(frozen=True)
class RankingLoss:
    """A loss over lists. The table ``LOSSES`` of each ranker is in the file of its class.

    Attributes
    ----------
    function : callable
        ``(scores, relevance, *, mask, weights, **numbers) -> loss`` of each list; see :mod:`skmetric.losses`.
    numbers : tuple of str
        Constructor parameters that enter the loss. Models of one stack may differ in these.
    uses_gain : bool
        Whether the loss uses the gains of NDCG, and therefore the relevance itself, not only differences within a list.
        The gain is that of ``metric``.
    uses_cut : bool
        Whether the loss uses the cutoff of ``metric``.
    """

    function: Callable[..., Tensor]
    numbers: tuple[str, ...] = ()
    uses_gain: bool = False
    uses_cut: bool = False
