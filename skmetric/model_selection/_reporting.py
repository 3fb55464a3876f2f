"""Progress of a search: printed lines, and tasks for callbacks."""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Lines", "NoCallbacks", "SearchCallbacks", "metadata_of"]

# Returns rows, targets, and the other parameters of a fit.
Split = Callable[[], tuple[Any, Any, dict[str, Any]]]


class Lines:
    """Prints the size of a search, and its results.

    Parameters
    ----------
    verbose : int
        If above 0, print the numbers of candidates, folds and stacks. If above 1, print one line per candidate and
        fold when its stack is trained.
    n_folds, n_candidates : int
        Number of folds and of candidates of the search.
    """

    def __init__(self, verbose: int, n_folds: int, n_candidates: int) -> None:
        self._verbose = verbose
        self._n_folds, self._n_candidates = n_folds, n_candidates

    def begin(self, n_stacks: int) -> None:
        """Print the number of fits and stacks."""
        if self._verbose > 0:
            print(
                f"Fitting {self._n_folds} folds for each of {self._n_candidates} candidates, totalling "
                f"{self._n_folds * self._n_candidates} fits, in {n_stacks} stack(s)",
                flush=True,
            )

    def end(self, number: int, parameters: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        """Print the result of a candidate on a fold. ``number`` counts all tasks, ordered by candidate."""
        if self._verbose > 1:
            candidate, fold = divmod(number, self._n_folds)
            values = ", ".join(f"{name}={parameters[name]}" for name in sorted(parameters))
            scores = f"score={_shown(result['test_scores'])}"
            if "train_scores" in result:
                scores = f"train score={_shown(result['train_scores'])}, {scores}"
            task = f"[CV {fold + 1}/{self._n_folds}; {candidate + 1}/{self._n_candidates}]"
            outcome = "failed, " if result["fit_error"] else ""
            seconds = result["fit_time"] + result["score_time"]
            print(f"{task} {values}: {outcome}{scores}, {seconds:.2f} s", flush=True)


def _shown(scores: Any) -> str:
    if isinstance(scores, Mapping):
        return ", ".join(f"{name} {_shown(value)}" for name, value in sorted(scores.items()))
    return f"{scores:.3f}" if isinstance(scores, float) else f"{scores}"


class NoCallbacks:
    """Stands in for the callbacks of a search that has none."""

    def begin(self, number: int, split: Split) -> None:
        """Do nothing."""

    def end(self, number: int, split: Split) -> None:
        """Do nothing."""


class SearchCallbacks:
    """Notifies scikit-learn's callbacks of a search of each candidate and fold, as GridSearchCV does.

    All tasks begin before the first stack trains, and each task ends when it is scored. Callbacks are not notified of
    epochs, because an epoch of a stack belongs to many fits.

    Parameters
    ----------
    search : estimator
        Search that has the callbacks.
    context : sklearn.callback.CallbackContext
        Context of the evaluation of the candidates.
    n_tasks : int
        Number of candidates times number of folds.
    """

    def __init__(self, search: Any, context: Any, n_tasks: int) -> None:
        self._search = search
        self._tasks = [context.subcontext(task_name="candidate-split-evaluation", task_id=k) for k in range(n_tasks)]

    def begin(self, number: int, split: Split) -> None:
        """Notify of the start of a task. ``split`` returns the training rows of its fold."""
        self._tasks[number].call_on_fit_task_begin(**self._notice(split))

    def end(self, number: int, split: Split) -> None:
        """Notify of the end of a task, which is scored or has failed."""
        self._tasks[number].call_on_fit_task_end(**self._notice(split))

    def _notice(self, split: Split) -> dict[str, Any]:
        X, y, fit_params = split()
        return {"estimator": self._search, "X": X, "y": y, "metadata": metadata_of(fit_params)}


def metadata_of(fit_params: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the metadata of a fit that callbacks receive, besides rows and targets."""
    weights = fit_params.get("sample_weight")
    return None if weights is None else {"sample_weight": weights}
