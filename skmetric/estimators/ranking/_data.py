"""Training data of rankers: rows in groups, or preference pairs. Both become items in lists."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._checks import group_codes
from skmetric._core.nn import Columns
from skmetric._core.sampling import GroupBatchSampler, holdout_lists
from skmetric._outcomes import OutcomeKind
from skmetric.estimators._target_units import TargetUnits
from skmetric.estimators.training_data import Batches, Indices
from skmetric.metrics.by_name import RankMetric

__all__ = ["ListBatching", "RankedItems", "list_of_each", "preference_items"]


@dataclass(frozen=True)
class ListBatching:
    """Settings by which a ranker draws batches.

    Attributes
    ----------
    batch_size : int
        Number of items per batch.
    max_group_size : int, optional
        Maximum length of a list; longer groups are split. None: the loss treats each item separately.
    is_graded : bool
        Whether the loss needs the relevance itself, and not only differences within a list.
    units : TargetUnits, optional
        Units in which the relevance is learned.
    """

    batch_size: int
    max_group_size: int | None
    is_graded: bool = False
    units: TargetUnits | None = None


@dataclass(frozen=True, eq=False)
class RankedItems:
    """Items in lists, with their relevance.

    Attributes
    ----------
    columns : Columns
        Rows of a table.
    relevance, weights : array of shape (n_items,)
        Relevance and weight of each item.
    lists : array of int, shape (n_items,)
        List of each item, numbered from 0.
    has_groups : bool
        Whether the user passed groups.
    rows : array of int, shape (n_items,), optional
        Row of each item. None: the items are the rows.
    units : array of int, shape (n_items,), optional
        Items of one unit are held out together. None: the lists, or each item if there is one list.
    tuple_size : int, optional
        2 for preference pairs.
    outcome_kind : OutcomeKind
        In which form the outcomes of preference pairs were given.
    unlabeled_weights : array of shape (n_samples,), optional
        Weight of each row without a relevance, and 0 for the others. Rows without a relevance are not items: they only
        help to scale the inputs.
    """

    columns: Columns
    relevance: NDArray[np.float64]
    weights: NDArray[np.float64]
    lists: NDArray[np.integer]
    has_groups: bool
    rows: NDArray[np.integer] | None = None
    units: NDArray[np.integer] | None = None
    tuple_size: int | None = None
    outcome_kind: OutcomeKind = field(default_factory=OutcomeKind)
    unlabeled_weights: NDArray[np.float64] | None = None

    needs_y: ClassVar[bool] = True

    def usable(self) -> Indices:
        """Return the indices of all items."""
        return np.arange(len(self.lists))

    def leave_out(self, is_unlabeled: NDArray[np.bool_]) -> "RankedItems":
        """Return the other rows as items. The rows left out only help to scale the inputs."""
        rows = np.flatnonzero(~is_unlabeled)
        return replace(
            self,
            relevance=self.relevance[rows],
            weights=self.weights[rows],
            lists=np.unique(self.lists[rows], return_inverse=True)[1],
            rows=rows,
            unlabeled_weights=np.where(is_unlabeled, self.weights, 0.0),
        )

    def labeled(self) -> "RankedItems":
        """Return the items without the rows that have no relevance."""
        return self if self.unlabeled_weights is None else self._some(self.usable())

    def hold_out(self, fraction: float, rng: np.random.Generator) -> tuple[Indices, "RankedItems"]:
        """Return the training items, and validation data: whole groups in which relevance differs, pairs or rows."""
        usable = self.usable()
        is_one_list = self.lists.max(initial=0) == 0
        units = self.units if self.units is not None else usable if is_one_list else self.lists
        useful = np.flatnonzero(self._is_ordered())
        if len(np.unique(units[useful])) < 2:
            raise ValueError(
                "early_stopping must have two groups in which y differs, one to train on and one to hold out, got "
                "fewer. Pass X_val, y_val and groups_val, or set early_stopping=False."
            )
        _, held_out = holdout_lists(units[useful], fraction, rng)
        return np.setdiff1d(usable, useful[held_out]), self._some(useful[held_out])

    def counted(self, train: Indices) -> Indices:
        """Return the training items with a positive weight."""
        return train[self.weights[train] > 0]

    def batches(self, train: Indices, batching: ListBatching) -> Batches:
        """Return batches of whole lists, or of single items if the loss has no lists."""
        if batching.max_group_size is None:
            used, longest = self.counted(train), batching.batch_size
            lists = np.zeros(len(used), dtype=np.intp)
        else:
            used, longest = self._to_rank(train), batching.max_group_size
            lists = np.unique(self.lists[used], return_inverse=True)[1]
        if not len(used):
            raise ValueError(
                "y must differ within a group, got no group with two rows of different relevance. Check that groups "
                "are ids of lists, not ids of rows."
            )
        sampler = GroupBatchSampler(lists, batch_size=batching.batch_size, max_group_size=longest, items=used)
        return Batches(
            sampler,
            row_weights=self._row_weights(used),
            items=self.rows,
            values=self._values(used, batching, len(sampler.list_lengths)),
        )

    def refused_by(self, metric: RankMetric) -> str | None:
        """Return why a metric cannot score the relevance, and how to avoid this; None if it can."""
        return metric.refused(self.relevance, self.rows)

    def judge(self, scores: NDArray, *, metric: RankMetric, weighted: bool, owner: str) -> float:
        """Compute a metric of the items from the scores of their rows; ``owner`` is the class to name in errors."""
        if self.rows is not None:
            scores = scores[self.rows]
        weights = self.weights if weighted else None
        return metric.judge(self.relevance, scores, groups=self.lists, sample_weight=weights, owner=owner)

    def judge_outputs(self, outputs: NDArray, *, metric: RankMetric, owner: str) -> float:
        """Compute a metric of the items from the outputs of a network, of shape (n_samples, 1)."""
        return self.judge(outputs[:, 0], metric=metric, weighted=True, owner=owner)

    def _to_rank(self, train: Indices) -> Indices:
        """Return the training items with a positive weight, in lists in which relevance differs."""
        some = replace(self, lists=self.lists[train], relevance=self.relevance[train], weights=self.weights[train])
        return train[(some.weights > 0) & some._is_ordered()]

    def _values(self, used: Indices, batching: ListBatching, n_steps: int) -> NDArray[np.float32]:
        """Compute the values that the objective gets for each item: relevance, weight within its list, and share.

        Weights are divided by their mean. The shares of a group add up to the mean weight of its rows, scaled such that
        the mean over the steps of an epoch is the mean over groups. If the loss has no lists, each row is a group.
        """
        weights = self.weights / self.weights.max()
        weights /= weights[weights > 0].mean()
        is_pointwise = batching.max_group_size is None
        groups = np.arange(len(used)) if is_pointwise else np.unique(self.lists[used], return_inverse=True)[1]
        shares = np.zeros(len(weights))
        shares[used] = weights[used] / np.bincount(groups)[groups]
        shares *= n_steps / shares.sum()
        with np.errstate(over="ignore"):
            values = np.column_stack([self._targets(batching), weights, shares]).astype(np.float32)
        if not np.isfinite(values).all():
            raise ValueError(
                f"y must fit into float32 within a group, got a range of {np.ptp(self.relevance):.3g}. Scale it, or "
                "pass ranks."
            )
        return values

    def _targets(self, batching: ListBatching) -> NDArray[np.float64]:
        if batching.units is not None:
            return batching.units.standardize(self.relevance[:, None])[:, 0]
        return self.relevance if batching.is_graded else self._relevance_in_list()

    def _relevance_in_list(self) -> NDArray[np.float64]:
        """Subtract the lowest relevance of each list, so that large values such as timestamps fit into float32."""
        least = np.full(self.lists.max(initial=-1) + 1, np.inf)
        np.minimum.at(least, self.lists, self.relevance)
        return self.relevance - least[self.lists]

    def _row_weights(self, used: Indices) -> NDArray[np.float64]:
        """Return the weight of each row when inputs are scaled: the sum of the weights of its training items.

        A row without a relevance has its own weight.
        """
        rows = used if self.rows is None else self.rows[used]
        largest = self.weights.max()
        sums = np.bincount(rows, self.weights[used] / largest, minlength=len(self.columns))
        scaling: NDArray[np.float64] = sums.astype(np.float64, copy=False)
        return scaling if self.unlabeled_weights is None else scaling + self.unlabeled_weights / largest

    def _some(self, items: Indices) -> "RankedItems":
        """Select items, with one row per item."""
        rows = items if self.rows is None else self.rows[items]
        lists = np.unique(self.lists[items], return_inverse=True)[1]
        return RankedItems(
            self.columns.take(rows),
            self.relevance[items],
            self.weights[items],
            lists,
            self.has_groups,
            tuple_size=self.tuple_size,
        )

    def _is_ordered(self) -> NDArray[np.bool_]:
        """Whether the list of each item has two different relevances. Items without weight are ignored."""
        lowest, highest = (np.full(self.lists.max(initial=-1) + 1, end) for end in (np.inf, -np.inf))
        is_counted = self.weights > 0
        np.minimum.at(lowest, self.lists[is_counted], self.relevance[is_counted])
        np.maximum.at(highest, self.lists[is_counted], self.relevance[is_counted])
        return (lowest < highest)[self.lists]


def preference_items(
    points: NDArray[np.floating],
    pairs: NDArray[np.integer],
    outcome: NDArray[np.int64],
    kind: OutcomeKind,
    weights: NDArray[np.float64],
) -> RankedItems:
    """Turn each preference pair, of shape (n_pairs, 2), into a list of two items; the winner is more relevant.

    A tie becomes two lists of half the weight, in which different items win. The minimum of the loss is then at equal
    scores.
    """
    is_tie = outcome == 0
    units = np.repeat(np.concatenate([np.arange(len(pairs)), np.flatnonzero(is_tie)]), 2)
    rows = np.concatenate([pairs, pairs[is_tie]])
    relevance = np.column_stack([outcome >= 0, outcome < 0])
    relevance = np.concatenate([relevance, ~relevance[is_tie]])
    weights = np.concatenate([np.where(is_tie, weights / 2, weights), weights[is_tie] / 2])
    return RankedItems(
        Columns(points),
        relevance.ravel().astype(np.float64),
        np.repeat(weights, 2),
        np.repeat(np.arange(len(rows)), 2),
        has_groups=False,
        rows=rows.ravel(),
        units=units,
        tuple_size=2,
        outcome_kind=kind,
    )


def list_of_each(groups: ArrayLike, n: int, what: str = "row") -> NDArray[np.intp]:
    """Return the list of each row or pair, from 0, for group ids of the user."""
    codes = group_codes(groups)
    if len(codes) != n:
        raise ValueError(
            f"groups must hold one id per {what}, got {len(codes)} ids for {n} {what}s. Pass one id for each."
        )
    return codes
