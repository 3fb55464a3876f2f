"""What a search tells while it runs: lines for the reader, tasks for callbacks."""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Lines", "NoCallbacks", "SearchCallbacks", "told_of"]

# Gives rows, targets, and what goes with them to a fit.
Split = Callable[[], tuple[Any, Any, dict[str, Any]]]


class Lines:
    """Prints what is searched, and what comes of it.

    Parameters
    ----------
    verbose : int
        Above 0, what is searched; above 1, a line for each candidate and fold, once its stack is trained.
    n_folds, n_candidates : int
        Of the search.
    """

    def __init__(self, verbose: int, n_folds: int, n_candidates: int) -> None:
        self._verbose = verbose
        self._n_folds, self._n_candidates = n_folds, n_candidates

    def begin(self, n_stacks: int) -> None:
        """Say what is to be done."""
        if self._verbose > 0:
            print(
                f"Fitting {self._n_folds} folds for each of {self._n_candidates} candidates, totalling "
                f"{self._n_folds * self._n_candidates} fits, in {n_stacks} stack(s)",
                flush=True,
            )

    def end(self, number: int, parameters: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        """Say what became of a candidate on a fold, the ``number``-th of all, candidates first."""
        if self._verbose > 1:
            candidate, fold = divmod(number, self._n_folds)
            values = ", ".join(f"{name}={parameters[name]}" for name in sorted(parameters))
            scores = f"score={_shown(result['test_scores'])}"
            if "train_scores" in result:
                scores = f"train score={_shown(result['train_scores'])}, {scores}"
            place = f"[CV {fold + 1}/{self._n_folds}; {candidate + 1}/{self._n_candidates}]"
            outcome = "failed, " if result["fit_error"] else ""
            seconds = result["fit_time"] + result["score_time"]
            print(f"{place} {values}: {outcome}{scores}, {seconds:.2f} s", flush=True)


def _shown(scores: Any) -> str:
    if isinstance(scores, Mapping):
        return ", ".join(f"{name} {_shown(value)}" for name, value in sorted(scores.items()))
    return f"{scores:.3f}" if isinstance(scores, float) else f"{scores}"


class NoCallbacks:
    """Nobody is to be told."""

    def begin(self, number: int, split: Split) -> None:
        """Tell nobody."""

    def end(self, number: int, split: Split) -> None:
        """Tell nobody."""


class SearchCallbacks:
    """scikit-learn's callbacks of a search, told of each candidate and fold as GridSearchCV tells them.

    All of them begin before the first stack trains, and each ends when it is scored. Epochs are not told: those of a
    stack belong to many fits at a time.

    Parameters
    ----------
    search : estimator
        Whose callbacks they are.
    context : sklearn.callback.CallbackContext
        Of the candidates' evaluation.
    n_tasks : int
        Candidates times folds.
    """

    def __init__(self, search: Any, context: Any, n_tasks: int) -> None:
        self._search = search
        self._tasks = [context.subcontext(task_name="candidate-split-evaluation", task_id=k) for k in range(n_tasks)]

    def begin(self, number: int, split: Split) -> None:
        """Tell that a candidate is to be fitted on the rows of a fold, which ``split`` gives."""
        self._tasks[number].call_on_fit_task_begin(**self._told(split))

    def end(self, number: int, split: Split) -> None:
        """Tell that it is fitted and scored, or has failed."""
        self._tasks[number].call_on_fit_task_end(**self._told(split))

    def _told(self, split: Split) -> dict[str, Any]:
        X, y, fit_params = split()
        return {"estimator": self._search, "X": X, "y": y, "metadata": told_of(fit_params)}


def told_of(fit_params: Mapping[str, Any]) -> dict[str, Any] | None:
    """What callbacks are told of a fit beside rows and targets."""
    weights = fit_params.get("sample_weight")
    return None if weights is None else {"sample_weight": weights}
