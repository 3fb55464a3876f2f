"""What a ranker is given: rows in groups, or preference pairs; both become items in lists."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._core.nn import Columns
from skmetric._core.sampling import GroupBatchSampler, holdout_lists
from skmetric._sklearn_compat import safe_indexing
from skmetric._warnings import warn_caller
from skmetric.estimators._target_units import TargetUnits
from skmetric.estimators.preparation import Batches, Indices

__all__ = ["ListBatching", "RankedItems", "column_index", "column_values", "preference_items", "without_column"]


@dataclass(frozen=True)
class ListBatching:
    """How a ranker's parameters, and what it chose, decide over batches.

    Attributes
    ----------
    batch_size : int
        Items in a batch.
    max_group_size : int, optional
        Longest list; longer groups are split. None: the loss looks at each item by itself.
    is_graded : bool
        Whether the loss sees the relevance itself, and not only differences within a list.
    units : TargetUnits, optional
        Units in which the relevance is learned.
    """

    batch_size: int
    max_group_size: int | None
    is_graded: bool = False
    units: TargetUnits | None = None


@dataclass(frozen=True, eq=False)
class RankedItems:
    """What is to be ranked.

    Attributes
    ----------
    columns : Columns
        Rows of a table.
    relevance, weights : array of shape (n_items,)
        What is known about each item.
    lists : array of int, shape (n_items,)
        The list that each item stands in, from 0.
    has_groups : bool
        Whether the user gave groups.
    rows : array of int, shape (n_items,), optional
        Which row each item is. None: the items are the rows.
    units : array of int, shape (n_items,), optional
        What is held out together. None: the lists, or each item where there are no groups.
    tuple_size : int, optional
        2 for preference pairs.
    """

    columns: Columns
    relevance: NDArray[np.float64]
    weights: NDArray[np.float64]
    lists: NDArray[np.integer]
    has_groups: bool
    rows: NDArray[np.integer] | None = None
    units: NDArray[np.integer] | None = None
    tuple_size: int | None = None

    needs_y: ClassVar[bool] = True

    def usable(self) -> Indices:
        """All items."""
        return np.arange(len(self.lists))

    def hold_out(self, fraction: float, rng: np.random.Generator) -> tuple[Indices, "RankedItems"]:
        """Items to train on, and others to validate by: whole groups that hold something to rank, or pairs, or rows."""
        usable = self.usable()
        units = self.units if self.units is not None else self.lists if self.has_groups else usable
        useful = np.flatnonzero(self._is_ordered())
        if len(np.unique(units[useful])) < 2:
            raise ValueError(
                "early_stopping must hold out a group in which y differs, and train on another one; there are not two "
                "such groups. Pass X_val, y_val and groups_val, or set early_stopping=False."
            )
        _, held_out = holdout_lists(units[useful], fraction, rng)
        return np.setdiff1d(usable, useful[held_out]), self._some(useful[held_out])

    def counted(self, train: Indices) -> Indices:
        """The items among those to train on that have a weight."""
        return train[self.weights[train] > 0]

    def batches(self, train: Indices, batching: ListBatching) -> Batches:
        """Batches of whole lists, or of single items where the loss knows no lists."""
        if batching.max_group_size is None:
            used, longest = self.counted(train), batching.batch_size
            lists = np.zeros(len(used), dtype=np.intp)
        else:
            used, longest = self._to_rank(train), batching.max_group_size
            lists = np.unique(self.lists[used], return_inverse=True)[1]
        if not len(used):
            raise ValueError(
                "y must differ within a group, or there is nothing to rank; no group holds two rows of different "
                "relevance. Are groups the ids of rows, in place of lists?"
            )
        sampler = GroupBatchSampler(lists, batch_size=batching.batch_size, max_group_size=longest, items=used)
        return Batches(
            sampler,
            row_weights=self._row_weights(used),
            items=self.rows,
            values=self._values(used, batching, len(sampler.list_lengths)),
        )

    def _to_rank(self, train: Indices) -> Indices:
        """Items to train on that have a weight, in lists that hold something to rank."""
        some = replace(self, lists=self.lists[train], relevance=self.relevance[train], weights=self.weights[train])
        return train[(some.weights > 0) & some._is_ordered()]

    def _values(self, used: Indices, batching: ListBatching, n_steps: int) -> NDArray[np.float32]:
        """What the objective gets to know about each item: relevance, weight within its list, and share.

        Weights are in units of their mean. Shares add up to the mean weight of a group's rows, in units that make the
        mean over an epoch's steps that over groups; where the loss knows no lists, every row is its own group.
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
                f"y must fit into float32 within a group; it spans {np.ptp(self.relevance):.3g}. Scale it, or pass "
                "ranks."
            )
        return values

    def _targets(self, batching: ListBatching) -> NDArray[np.float64]:
        if batching.units is not None:
            return batching.units.standardize(self.relevance[:, None])[:, 0]
        return self.relevance if batching.is_graded else self._relevance_in_list()

    def _relevance_in_list(self) -> NDArray[np.float64]:
        """Relevance above the least of the list: what float32 can hold of timestamps, say."""
        least = np.full(self.lists.max(initial=-1) + 1, np.inf)
        np.minimum.at(least, self.lists, self.relevance)
        return self.relevance - least[self.lists]

    def _row_weights(self, used: Indices) -> NDArray[np.float64]:
        """How much each row counts where inputs are scaled: as the training items that it is, and those that weigh."""
        rows = used if self.rows is None else self.rows[used]
        weights = self.weights[used] / self.weights.max()
        return np.bincount(rows, weights, minlength=len(self.columns)).astype(np.float64, copy=False)

    def _some(self, items: Indices) -> "RankedItems":
        """Some of the items, each with a row of its own."""
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
        """Whether an item's list holds another one, of another relevance; items without weight are not there."""
        lowest, highest = (np.full(self.lists.max(initial=-1) + 1, end) for end in (np.inf, -np.inf))
        is_counted = self.weights > 0
        np.minimum.at(lowest, self.lists[is_counted], self.relevance[is_counted])
        np.maximum.at(highest, self.lists[is_counted], self.relevance[is_counted])
        return (lowest < highest)[self.lists]


def preference_items(
    points: NDArray[np.float32], pairs: NDArray[np.integer], y: ArrayLike | None, weights: NDArray[np.float64]
) -> RankedItems:
    """Make a list of two of each preference pair (n, 2) of points, in which the winner is the more relevant.

    A tie is two lists of half the weight, one won by each: the loss then has its minimum where the scores are equal.
    """
    outcome = _check_outcome(y, len(pairs))
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
    )


def _check_outcome(y: ArrayLike | None, n: int) -> NDArray[np.float64]:
    if y is None:
        return np.ones(n)
    outcome = np.asarray(y)
    if outcome.dtype == bool or outcome.shape != (n,) or not np.isin(outcome, (-1, 0, 1)).all():
        raise ValueError(
            f"y must say for each of the {n} pairs which point wins: 1 the first, -1 the second, 0 neither; got shape "
            f"{outcome.shape}, values such as {np.unique(outcome)[:5].tolist()}."
        )
    if (outcome == 0).any() and not (outcome == -1).any():
        warn_caller("y holds ties, 0, and no pair whose second point wins. If 0 is meant for that, make it -1.")
    return outcome.astype(np.float64)


def column_index(X: Any, column: str | int) -> int:
    """Index of the group column in X."""
    if isinstance(column, str):
        if not hasattr(X, "columns"):
            raise ValueError(
                f"group_column={column!r} names a column, but X is a {type(X).__name__} without column names. Pass a "
                "DataFrame; in a Pipeline, keep it one by set_output(transform='pandas'), and let a ColumnTransformer "
                "pass this column through. Or give the column's index, an int."
            )
        names = list(X.columns)
        if column not in names:
            raise ValueError(f"group_column={column!r} must be a column of X, whose columns are {names}.")
        return names.index(column)
    width = np.shape(X)[1]
    if not -width <= column < width:
        raise ValueError(f"group_column={column} must be the index of a column of X, which has {width} columns.")
    return column % width


def column_values(X: Any, index: int) -> ArrayLike:
    """One column of X."""
    return np.asarray(safe_indexing(X if hasattr(X, "columns") else np.asarray(X), index, axis=1))


def without_column(X: Any, index: int) -> Any:
    """X without one column."""
    X = X if hasattr(X, "columns") else np.asarray(X)
    others: NDArray[np.integer] = np.delete(np.arange(np.shape(X)[1]), index)
    return safe_indexing(X, others, axis=1)
