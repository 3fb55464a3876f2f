"""Report of a baseline comparison: figures, a verdict, and a table."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from skmetric.model_selection._report_text import aligned, frame_of, plus_minus, wrapped

__all__ = ["BaselineComparison"]

HEADINGS = ["", "columns", "{metric}", "minus best baseline", "{k}-NN accuracy", "fit (s)"]
# One-sided confidence that a difference must have to be reported as clear.
CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False, repr=False)
class BaselineComparison:
    """Scores of baselines and learned embeddings on the same folds.

    :func:`~skmetric.model_selection.compare_baselines` returns it. ``print`` shows a table with a legend and a verdict.

    Attributes
    ----------
    names : list of str
        Names of the embeddings, in the order of all arrays.
    kinds : list of str
        Kind of each embedding: "columns" (raw or standardized), "baseline" or "learned".
    metric : str
        Name of the metric in ``scores``, for example "MAP@R". Higher is better.
    n_neighbors : int or None
        Number of nearest training rows that vote for the class of a test row. None for tuples, which have no classes.
    scores : ndarray of shape (n_embeddings, n_splits)
        Score on the test rows of each fold. NaN for an embedding that was skipped.
    accuracies : ndarray of shape (n_embeddings, n_splits)
        Accuracy of the vote of the nearest training rows. NaN for a fold whose test classes are not all in training,
        and for tuples.
    widths : ndarray of shape (n_embeddings,)
        Number of columns of each embedding.
    fit_times : ndarray of shape (n_embeddings,)
        Average time to fit one fold, in seconds.
    test_share : float
        Number of test rows per training row, averaged over the folds.
    skipped : dict
        Names of skipped embeddings, and the reason.
    about : str
        Description of the table and its folds.
    meaning : str
        Description of the metric.
    """

    names: list[str]
    kinds: list[str]
    metric: str
    n_neighbors: int | None
    scores: NDArray[np.float64]
    accuracies: NDArray[np.float64]
    widths: NDArray[np.float64]
    fit_times: NDArray[np.float64]
    test_share: float
    skipped: dict[str, str]
    about: str
    meaning: str

    @property
    def best_baseline(self) -> str:
        """The baseline with the best mean score, including raw and standardized columns."""
        return self.names[self._best(self.scores, "columns", "baseline")]

    @property
    def best_learned(self) -> str | None:
        """The learned embedding with the best mean score, or None if there are none."""
        return self.names[self._best(self.scores, "learned")] if "learned" in self.kinds else None

    @property
    def results(self) -> dict[str, Any]:
        """All figures, as in ``cv_results_``: a dict of lists and arrays with one entry per embedding.

        For the score: ``mean_test_score``; ``std_test_score`` (over folds, with n - 1 degrees of freedom);
        ``se_test_score`` (standard error of the mean); ``mean_difference_score`` and ``se_difference_score``, the
        difference from the best baseline, fold by fold; and ``split0_test_score``, ... The same names with ``accuracy``
        hold the accuracy, with differences from the same baseline. ``mean_fit_time`` is in seconds. Values are NaN if
        an embedding was skipped or there is no accuracy.
        """
        best = self._best(self.scores, "columns", "baseline")
        figures: dict[str, Any] = {"name": self.names, "kind": self.kinds, "n_columns": self.widths}
        for figure, values in (("score", self.scores), ("accuracy", self.accuracies)):
            known = _known(values)
            figures[f"mean_test_{figure}"], figures[f"se_test_{figure}"] = self._mean_and_error(known)
            figures[f"std_test_{figure}"] = _deviation(known)
            differences = self._mean_and_error(known - known[best])
            figures[f"mean_difference_{figure}"], figures[f"se_difference_{figure}"] = differences
            figures |= {f"split{fold}_test_{figure}": values[:, fold] for fold in range(values.shape[1])}
        return figures | {"mean_fit_time": self.fit_times}

    @property
    def hurts(self) -> bool:
        """Whether the best learned embedding scores clearly worse than the better of raw and standardized columns."""
        return self.best_learned is not None and self._against(self.scores, "columns")[1] < 0

    @property
    def verdict(self) -> list[str]:
        """Whether learning helps, in words: one paragraph by score, and one by accuracy if there is one."""
        if self.best_learned is None:
            return []
        verdict = [self._sentence(self.metric, self.scores)]
        if _known(self.accuracies).size:
            verdict.append(self._sentence(f"{self.n_neighbors}-NN accuracy", self.accuracies))
        return verdict

    def to_frame(self) -> Any:
        """Return ``results`` as a pandas DataFrame with one row per embedding.

        Returns
        -------
        pandas.DataFrame
            The figures, indexed by the name of the embedding.

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

    def _best(self, values: NDArray[np.float64], *kinds: str) -> int:
        """Return the index of the embedding with the best mean among these kinds."""
        means = np.where(np.isin(self.kinds, kinds), _known(values).mean(axis=1), np.nan)
        return int(np.nanargmax(means))

    def _mean_and_error(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute the mean over folds and its standard error, corrected for training rows that folds share."""
        n_folds = values.shape[1]
        if not n_folds:
            return np.full(len(values), np.nan), np.full(len(values), np.nan)
        return values.mean(axis=1), _deviation(values) * np.sqrt(1 / n_folds + self.test_share)

    def _against(self, values: NDArray[np.float64], *kinds: str) -> tuple[str, int]:
        """Return the best learned minus the best of these kinds, as text, and its sign, or 0 if that is not clear."""
        known = _known(values)
        gap = known[self._best(values, "learned")] - known[self._best(values, *kinds)]
        mean, error = (float(figure[0]) for figure in self._mean_and_error(gap[np.newaxis]))
        is_clear = len(gap) > 1 and abs(mean) > student.ppf(CONFIDENCE, len(gap) - 1) * error
        return plus_minus(mean, error, "+"), int(np.sign(mean)) if is_clear else 0

    def _sentence(self, metric: str, values: NDArray[np.float64]) -> str:
        known = _known(values)
        learned, columns = self._best(values, "learned"), self._best(values, "columns")
        best = self._best(values, "columns", "baseline")
        difference, sign = self._against(values, "columns")
        effect = {-1: "hurts", 0: "makes no clear difference", 1: "helps"}[sign]
        if known.shape[1] == 1:
            effect = "cannot be judged by a single fold"

        def with_score(index: int) -> str:
            return f"{self.names[index]} {known[index].mean():.3f}"

        text = (
            f"By {metric}, learning an embedding {effect}: {with_score(learned)}, the best learned, against "
            f"{with_score(columns)}, a difference of {difference}."
        )
        if best == columns or known.shape[1] == 1:
            return text
        difference, sign = self._against(values, "columns", "baseline")
        position = {-1: "behind", 0: "about level", 1: "ahead"}[sign]
        return f"{text} Against the best baseline, {with_score(best)}, it is {position}: {difference}."

    def _table(self) -> list[str]:
        figures, has_accuracy = self.results, bool(_known(self.accuracies).size)
        heading = [text.format(metric=self.metric, k=self.n_neighbors) for text in HEADINGS]
        lines = [heading]
        for index, name in enumerate(self.names):
            if name in self.skipped:
                lines.append([name, self.skipped[name]])
                continue
            score, difference, accuracy = (
                plus_minus(figures[f"mean_{figure}"][index], figures[f"se_{figure}"][index], sign)
                for figure, sign in (("test_score", ""), ("difference_score", "+"), ("test_accuracy", ""))
            )
            if name == self.best_baseline:
                difference = "best baseline"
            seconds = f"{self.fit_times[index]:.2f}"
            lines.append([name, f"{self.widths[index]:.0f}", score, difference, accuracy, seconds])
        if not has_accuracy:
            lines = [[*line[:4], *line[5:]] for line in lines]
        titles = {1: "baselines"}
        if "learned" in self.kinds:
            titles[1 + self.kinds.index("learned")] = "learned"
        return aligned(lines, titles)

    def _legend(self) -> list[str]:
        reducers = {
            "PCA": "PCA",
            "LinearDiscriminantAnalysis": "LinearDiscriminantAnalysis (LDA)",
            "NeighborhoodComponentsAnalysis": "NeighborhoodComponentsAnalysis (NCA)",
        }
        *others, last = [text for name, text in reducers.items() if name in self.names] or [""]
        uses = f"{', '.join(others)} and {last} use" if others else f"{last} uses"
        return [
            f"{self.metric}: {self.meaning} Higher is better.",
            *self._about_accuracy(),
            "minus best baseline: difference fold by fold; + is better than that baseline, - is worse.",
            "±: standard error of the mean over folds, enlarged because folds share training data.",
            "columns: number of columns of the embedding. fit (s): seconds to fit one fold.",
            *([f"{uses} standardized columns."] if last else []),
        ]

    def _about_accuracy(self) -> list[str]:
        if self.n_neighbors is None:
            return []
        n_known, n_folds = _known(self.accuracies).shape[1], self.scores.shape[1]
        accuracy = (
            f"{self.n_neighbors}-NN accuracy: share of test rows whose class gets most votes from the "
            f"{self.n_neighbors} nearest training rows. Higher is better."
        )
        if not n_known:
            accuracy = "No k-NN accuracy: folds test on classes that are not in training, so no vote could find them."
        elif n_known < n_folds:
            accuracy += f" Over {n_known} of {n_folds} folds: the others test on classes that are not in training."
        return [accuracy]


def _known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the folds that have figures. A skipped embedding is NaN in all of them."""
    return values[:, ~np.isnan(values).all(axis=0)]


def _deviation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values.std(axis=1, ddof=1) if values.shape[1] > 1 else np.full(len(values), np.nan)
