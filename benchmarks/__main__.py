"""``python -m benchmarks [NAME ...] [--output results.json] [--quick]``."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import defaults, epoch, search, triplet_loss
from benchmarks.harness import Figure
from benchmarks.load import watch_load
from benchmarks.report import describe_machine, shown, write_json

Benchmark = Callable[..., Iterator[Figure]]

BENCHMARKS: Mapping[str, Benchmark] = {
    "triplet_loss": triplet_loss.run,
    "epoch": epoch.run,
    "search": search.run,
    "defaults": defaults.run,
}


def main(arguments: Sequence[str] | None = None, benchmarks: Mapping[str, Benchmark] = BENCHMARKS) -> None:
    """Run benchmarks; a target that is missed is printed, and no error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Figures for skmetric and its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(benchmarks)}; default: all")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the figures as JSON, too")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all runs; no figures to quote")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in benchmarks]
    if unknown:
        parser.error(f"NAME must be any of {', '.join(benchmarks)}; got {', '.join(unknown)}")

    machine, runs = describe_machine(), []
    print(", ".join(f"{name} {value}" for name, value in machine["versions"].items()))
    print(f"{machine['cpu_count']} CPUs, {machine['torch_threads']} torch threads")
    for name in options.names or benchmarks:
        with watch_load() as load:
            print(f"\n{name} (load average before: {load.average_before})")
            figures = list(shown(benchmarks[name](quick=options.quick)))
        print(f"other processes took {load}")
        runs.append({"name": name, "quick": options.quick, "load": asdict(load), "figures": figures})
    if options.output:
        write_json(options.output, machine, runs)


if __name__ == "__main__":
    main()
