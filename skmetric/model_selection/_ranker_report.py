"""Report of a comparison of rankers: figures, a verdict, and a table."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmetric.model_selection._report_text import aligned, frame_of, plus_minus, wrapped

__all__ = ["LEVEL", "RankerComparison"]

# Level of the intervals of differences.
LEVEL = 0.95
# With fewer groups, quantiles of bootstrap draws are clearly too close to the mean.
FEW_GROUPS = 20


@dataclass(frozen=True, eq=False, repr=False)
class RankerComparison:
    """Scores of rankers on the same groups.

    :func:`~skmetric.model_selection.compare_rankers` returns it. ``print`` shows a table with a legend and a verdict.

    Attributes
    ----------
    names : list of str
        Names of the models, in the order of all arrays.
    reference : str
        Name of the model that the others are compared with: the first, or the one given to ``against``.
    metric : str
        Name of the metric in ``values``. Higher is better.
    groups : ndarray of shape (n_groups,)
        Ids of the scored groups, sorted.
    values : ndarray of shape (n_models, n_groups)
        Score of each group, by the model of the fold that holds it out.
    bootstrap_means : ndarray of shape (n_bootstrap, n_models)
        Mean score of each model in each draw of groups. All models have the same draws.
    fit_times : ndarray of shape (n_models, n_splits)
        Time to fit each fold, in seconds.
    predict_times : ndarray of shape (n_models, n_splits)
        Time to predict the test rows of each fold, in seconds.
    about : str
        Description of the table, its folds, and the groups that are left out.
    """

    names: list[str]
    reference: str
    metric: str
    groups: NDArray[Any]
    values: NDArray[np.float64]
    bootstrap_means: NDArray[np.float64]
    fit_times: NDArray[np.float64]
    predict_times: NDArray[np.float64]
    about: str

    def against(self, name: str) -> "RankerComparison":
        """Return the same comparison with another reference.

        Parameters
        ----------
        name : str
            One of ``names``.

        Returns
        -------
        RankerComparison
            The comparison, whose differences are from this model.

        Raises
        ------
        ValueError
            If there is no model of this name.
        """
        if name not in self.names:
            raise ValueError(f"name must be the name of a model, got {name!r}. Pass one of {self.names}.")
        return replace(self, reference=name)

    @property
    def results(self) -> dict[str, Any]:
        """All figures: a dict of lists and arrays with one entry per model.

        ``mean_score`` and ``se_score`` are the mean over groups and its standard error. ``mean_difference`` is the mean
        of the differences from the reference, group by group; ``lower_difference`` and ``upper_difference`` are its 95%
        bootstrap interval, and ``p_value`` is two-sided. They are NaN for the reference. ``mean_fit_time`` and
        ``mean_predict_time`` are in seconds per fold.
        """
        return {name: figure.copy() for name, figure in self._figures.items()}

    @cached_property
    def _figures(self) -> dict[str, Any]:
        n_groups, first = self.values.shape[1], self.names.index(self.reference)
        means = self.values.mean(axis=1)
        errors = self.values.std(axis=1, ddof=1) / np.sqrt(n_groups) if n_groups > 1 else np.full(len(means), np.nan)
        differences = (self.values - self.values[first]).mean(axis=1)
        drawn = self.bootstrap_means - self.bootstrap_means[:, [first]]
        lower, upper = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        # A share of draws of exactly 0 would say more than the number of draws can.
        tails = np.minimum((drawn <= 0).sum(axis=0), (drawn >= 0).sum(axis=0))
        p_values = np.minimum(2 * (tails + 1) / (len(drawn) + 1), 1.0)
        compared = {
            "mean_difference": differences,
            "lower_difference": lower,
            "upper_difference": upper,
            "p_value": p_values,
        }
        is_compared = (np.arange(len(self.names)) != first) & (n_groups > 1)
        return {
            "name": self.names,
            "mean_score": means,
            "se_score": errors,
            **{name: np.where(is_compared, figure, np.nan) for name, figure in compared.items()},
            "mean_fit_time": self.fit_times.mean(axis=1),
            "mean_predict_time": self.predict_times.mean(axis=1),
        }

    @property
    def verdict(self) -> list[str]:
        """Which models rank better or worse than the reference, in words: one sentence per clear difference."""
        others = [name for name in self.names if name != self.reference]
        n_groups = self.values.shape[1]
        if not others:
            return []
        if n_groups == 1:
            return [f"By {self.metric}, the models cannot be compared by a single group."]
        figures = self._figures
        is_clear = (figures["lower_difference"] > 0) | (figures["upper_difference"] < 0)
        clear = np.flatnonzero(is_clear).tolist()
        if not clear:
            what = f"{others[0]} is not" if len(others) == 1 else "no model is"
            return [
                f"By {self.metric}, {what} significantly better or worse than {self.reference} on these {n_groups} "
                f"groups: {'the' if len(others) == 1 else 'each'} {LEVEL:.0%} interval of the difference contains 0."
            ]
        sentences = [self._sentence(index) for index in clear]
        unclear = [name for name in others if self.names.index(name) not in clear]
        if unclear:
            sentences.append(f"Not significantly different from {self.reference}: {', '.join(unclear)}.")
        return sentences

    def to_frame(self) -> Any:
        """Return ``results`` as a pandas DataFrame with one row per model.

        Returns
        -------
        pandas.DataFrame
            The figures, indexed by the name of the model.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return frame_of(self.results)

    def __str__(self) -> str:
        verdict = ["", *(f"=> {text}" for text in self.verdict)] if self.verdict else []
        return "\n".join([*wrapped(self.about), "", *self._table(), "", *wrapped(*self._legend(), *verdict)])

    __repr__ = __str__

    def _sentence(self, index: int) -> str:
        figures = self._figures
        difference = figures["mean_difference"][index]
        return (
            f"By {self.metric}, {self.names[index]} ranks {'better' if difference > 0 else 'worse'} than "
            f"{self.reference}: {difference:+.3f}, {LEVEL:.0%} interval {self._interval(index)}, "
            f"p = {figures['p_value'][index]:.2g}."
        )

    def _interval(self, index: int) -> str:
        figures = self._figures
        return f"{figures['lower_difference'][index]:+.3f} to {figures['upper_difference'][index]:+.3f}"

    def _table(self) -> list[str]:
        figures = self._figures
        is_compared = len(self.names) > 1 and self.values.shape[1] > 1
        titles = [f"minus {self.reference}", f"{LEVEL:.0%} interval", "p"] if is_compared else []
        lines = [["", self.metric, *titles, "fit (s)", "predict (s)"]]
        for index, name in enumerate(self.names):
            score = plus_minus(figures["mean_score"][index], figures["se_score"][index])
            compared = []
            if is_compared and name == self.reference:
                compared = ["reference", "", ""]
            elif is_compared:
                difference, p_value = figures["mean_difference"][index], figures["p_value"][index]
                compared = [f"{difference:+.3f}", self._interval(index), f"{p_value:.2g}"]
            times = [f"{figures[f'mean_{what}_time'][index]:.2f}" for what in ("fit", "predict")]
            lines.append([name, score, *compared, *times])
        return aligned(lines, {})

    def _legend(self) -> list[str]:
        n_groups, n_draws = self.values.shape[1], len(self.bootstrap_means)
        legend = [
            f"{self.metric}: mean over groups, each scored by the model that is not fitted on it. Higher is better."
        ]
        if n_groups > 1:
            legend.append("±: standard error of the mean over groups.")
        if len(self.names) > 1 and n_groups > 1:
            legend += [
                f"minus {self.reference}: mean of the differences, group by group; + is better than {self.reference}.",
                f"{LEVEL:.0%} interval, p: of the mean difference, by {n_draws} bootstrap draws of groups, the same "
                "for all models; p is two-sided. They describe the variation over other groups, not over other "
                "training data or seeds.",
            ]
        legend.append("fit (s), predict (s): seconds per fold.")
        if len(self.names) > 2 and n_groups > 1:
            legend.append(
                "Intervals and p are not corrected for the number of models: among many models, some differ by chance."
            )
        if len(self.names) > 1 and 1 < n_groups < FEW_GROUPS:
            legend.append(f"There are only {n_groups} groups: the intervals are too short, and p is too small.")
        return legend
