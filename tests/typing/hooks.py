"""What a type checker must find: a misspelt name in an estimator is an error, not Any.

``make lint`` checks this file. An ignored error that is no error any more fails it (``warn_unused_ignores``): then the
base classes have lost their types. Nothing here is run.
"""

from typing import Any, assert_type

from skmetric import (
    ContrastiveEmbedder,
    ListwiseRanker,
    PairwiseRanker,
    PointwiseRanker,
    RankSimRegressor,
    TripletEmbedder,
)
from skmetric._core.engine.plan import Objective
from skmetric.estimators.ranking._data import RankedItems
from skmetric.estimators.ranking._ranker import Ranker, RankerChoice
from skmetric.estimators.regression._data import TargetRows
from skmetric.estimators.training_data import Batches


class MisspeltCall(Ranker):
    """A method and an attribute that are not there."""

    def _max_list_length(self) -> int | None:
        self._hidden_widhts()  # type: ignore[attr-defined]
        return self.max_iterations  # type: ignore[attr-defined]


class MisspeltKeyword(Ranker):
    """A keyword that a hook of the base class does not take."""

    def _head(self, data: RankedItems, choice: RankerChoice, input_width: int) -> Any:
        return self._scored_head(None, input_width, n_score=1)  # type: ignore[call-arg]


class OtherData(Ranker):
    """A hook that takes the data of another task."""

    def _objective(  # type: ignore[override]
        self, data: TargetRows, choice: RankerChoice, batches: Batches
    ) -> tuple[Objective, dict[str, float]]:
        raise NotImplementedError


class MisspeltHook(TripletEmbedder):
    """A hook that is called by nobody leaves the base's in place; see ``abstract`` for one that is missing."""


def abstract() -> None:
    """A task without its hooks cannot be made."""
    from skmetric.estimators import TorchEstimator

    TorchEstimator()  # type: ignore[abstract]


def complete(X: Any, y: Any) -> None:
    """All estimators have all their hooks, and ``fit`` gives the estimator back."""
    assert_type(TripletEmbedder().fit(X, y), TripletEmbedder)
    assert_type(ContrastiveEmbedder().fit(X, y), ContrastiveEmbedder)
    assert_type(PairwiseRanker().fit(X, y), PairwiseRanker)
    assert_type(ListwiseRanker().fit(X, y), ListwiseRanker)
    assert_type(PointwiseRanker().fit(X, y), PointwiseRanker)
    assert_type(RankSimRegressor().fit(X, y), RankSimRegressor)
