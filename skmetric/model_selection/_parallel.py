"""Stacks as jobs of joblib."""

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
    """Why a fit came to nothing. An exception that comes from another process has lost its frames."""

    error: Exception
    text: str

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """Put what an exception says into words."""
        return cls(error, "".join(format_exception(error)))


# For each model of a stack what came of it, and the seconds of all together.
Trained = tuple[list[FitResult | Failure], float]


def train_stacks(
    stacks: Iterable[tuple[Sequence[FitPlan], torch.device]], n_jobs: int | None, pre_dispatch: int | str
) -> Generator[Trained]:
    """Train stacks in joblib's jobs, and give what came of each, in order: at once where its backend can, else at last.

    Closing the generator calls off what is left.
    """
    how = {"n_jobs": n_jobs, "pre_dispatch": pre_dispatch}
    try:
        parallel = Parallel(**how, return_as="generator")
    except ValueError:
        parallel = Parallel(**how)
    trained = parallel(delayed(_train_stack)(plans, device) for plans, device in stacks)
    try:
        # Not "yield from", which would close joblib's generator before it is silenced.
        for each in trained:  # noqa: UP028
            yield each
    finally:
        if isinstance(trained, Generator):
            with warnings.catch_warnings():
                # joblib warns of work in vain; here it is called off on purpose.
                warnings.filterwarnings("ignore", message=".*You could benefit from adjusting the input task iterator")
                trained.close()


def _train_stack(plans: Sequence[FitPlan], device: torch.device) -> Trained:
    start = time.perf_counter()
    results = [
        Failure.of(result) if isinstance(result, Exception) else result for result in fit_in_stacks(plans, device)
    ]
    return results, time.perf_counter() - start
