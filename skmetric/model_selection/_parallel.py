"""Training of stacks as jobs of joblib."""

import time
import warnings
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from traceback import format_exception

import torch
from joblib import Parallel, delayed

from skmetric._core.engine import FitPlan, FitResult, fit_in_stacks

__all__ = ["Failure", "Trained", "train_stacks"]


@dataclass(frozen=True)
class Failure:
    """Error of a failed fit, and its text. An exception from another process has lost its frames."""

    error: Exception
    text: str

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """Build a failure with the formatted text of an exception."""
        return cls(error, "".join(format_exception(error)))


# The result of each model of a stack, and the seconds for the whole stack.
Trained = tuple[list[FitResult | Failure], float]


def train_stacks(
    stacks: Iterable[tuple[Sequence[FitPlan], torch.device]], n_jobs: int | None, pre_dispatch: int | str
) -> Generator[Trained]:
    """Train stacks as jobs of joblib, and yield their results in order.

    Each result comes as soon as its stack is trained if the backend of joblib supports this, else all come at the end.
    Closing the generator cancels the remaining stacks.
    """
    how = {"n_jobs": n_jobs, "pre_dispatch": pre_dispatch}
    try:
        parallel = Parallel(**how, return_as="generator")
    except ValueError:
        parallel = Parallel(**how)
    trained = parallel(delayed(_train_stack)(plans, device) for plans, device in stacks)
    try:
        # Not "yield from", which would close joblib's generator before its warning is silenced.
        for each in trained:  # noqa: UP028
            yield each
    finally:
        if isinstance(trained, Generator):
            with warnings.catch_warnings():
                # joblib warns of wasted work, but here the work is canceled on purpose.
                warnings.filterwarnings("ignore", message=".*You could benefit from adjusting the input task iterator")
                trained.close()


def _train_stack(plans: Sequence[FitPlan], device: torch.device) -> Trained:
    start = time.perf_counter()
    results = [
        Failure.of(result) if isinstance(result, Exception) else result for result in fit_in_stacks(plans, device)
    ]
    return results, time.perf_counter() - start
