"""Digests of many small fits and searches, to check that a change of the structure changes no number.

    python -m benchmarks.digests --output before.json     # before the change
    python -m benchmarks.digests --compare before.json    # after it

Each case fits an estimator, or searches its parameters, on a small synthetic table. Its results, from weights to
scores, are hashed byte by byte. One line per case shows its name and one digest per figure. ``--compare`` prints each
figure whose digest differs, or that exists on one side only, and exits with 1 if there are any, or if a case raises.

Digests can be compared only on the same machine with the same packages. Everything runs on the CPU in one thread,
except for one search with two jobs. Digests exclude what a change of the structure may change: times, input scaling
(weights named "scaling." in older versions), and probabilities, whose last bits are not fixed. The cases whose names
begin with ``bug_`` differ from older versions, in which PointwiseRanker learned the units of the relevance also from
held-out rows, and again in a warm start.
"""

import argparse
import json
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from joblib import parallel_config

from benchmarks.digest_cases import CASES, Case, Figures
from benchmarks.one_thread import one_thread

__all__ = ["differences", "main", "run"]


def run(cases: Mapping[str, Case] = CASES) -> Iterator[tuple[str, Figures]]:
    """Yield the name and the digests of each case, or the error that it raises."""
    with one_thread(), parallel_config("loky", inner_max_num_threads=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, case in cases.items():
            try:
                yield name, case()
            except Exception as error:
                traceback.print_exc()
                yield name, {"raised": type(error).__name__}


def differences(before: Mapping[str, Figures], after: Mapping[str, Figures]) -> list[str]:
    """Return one line per figure whose digests differ or are missing."""
    lines = []
    for case in {**before, **after}:
        old, new = before.get(case, {}), after.get(case, {})
        lines += [
            f"{case}: {figure} was {old.get(figure, 'missing')}, is {new.get(figure, 'missing')}"
            for figure in {**old, **new}
            if old.get(figure) != new.get(figure)
        ]
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the digests. Returns 1 if a case raises or differs from the file, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.digests", description="Digests of fits and searches.")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the digests as JSON")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="print the digests that differ from a file")
    options = parser.parse_args(arguments)
    before = json.loads(options.compare.read_text()) if options.compare else None

    after = {}
    for name, figures in run():
        print(name, *(f"{figure}={value}" for figure, value in figures.items()), flush=True)
        after[name] = figures
    if options.output:
        options.output.write_text(json.dumps(after, indent=1) + "\n")
    raised = [f"{name}: raised {figures['raised']}" for name, figures in after.items() if "raised" in figures]
    differing = [] if before is None else differences(before, after)
    print("", *raised, *differing, f"{len(after)} cases, {len(raised)} raised", sep="\n")
    if before is not None:
        print(f"{len(differing)} figures differ, {sum(line.startswith('bug_') for line in differing)} in bug_ cases")
    return 1 if raised or differing else 0


if __name__ == "__main__":
    sys.exit(main())
