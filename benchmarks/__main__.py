"""``python -m benchmarks [NAME ...] [--output results.json] [--quick] [--data FOLDER]``."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks import (
    best_worst,
    contrast_losses,
    defaults,
    embedding,
    epoch,
    large_batch,
    model_embeddings,
    ndcg,
    ranking,
    ranksim_loss,
    regression,
    retrieval,
    search,
    triplet_loss,
    user_items,
)
from benchmarks.harness import Figure
from benchmarks.load import watch_load
from benchmarks.report import describe_machine, shown, write_json

Benchmark = Callable[..., Iterator[Figure]]

BENCHMARKS: Mapping[str, Benchmark] = {
    "triplet_loss": triplet_loss.run,
    "contrast_losses": contrast_losses.run,
    "epoch": epoch.run,
    "large_batch": large_batch.run,
    "search": search.run,
    "search_gpu": search.run_on_gpu,
    "defaults": defaults.run,
    "embedding": embedding.run,
    "model_embeddings": model_embeddings.run,
    "user_items": user_items.run,
    "ndcg": ndcg.run,
    "retrieval": retrieval.run,
    "ranksim_loss": ranksim_loss.run,
}

# Benchmarks that also need data: the names of their folders inside the folder of --data.
ON_DATA: Mapping[str, tuple[Sequence[str], Benchmark]] = {
    "best_worst": ([best_worst.FOLDER], best_worst.run),
    "ranking": ([ranking.FOLDER], ranking.run),
    "regression": (regression.FOLDERS, regression.run),
}


def main(
    arguments: Sequence[str] | None = None,
    benchmarks: Mapping[str, Benchmark] = BENCHMARKS,
    on_data: Mapping[str, tuple[Sequence[str], Benchmark]] = ON_DATA,
) -> None:
    """Run benchmarks. A missed target is printed, but is no error."""
    names = [*benchmarks, *on_data]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Benchmarks of skmetric and its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(names)}; default: all")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the figures as JSON")
    parser.add_argument("--quick", action="store_true", help="small sizes, only to check that all benchmarks run")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="folder with the data that some benchmarks need")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in names]
    if unknown:
        parser.error(f"NAME must be any of {', '.join(names)}, got {', '.join(unknown)}")

    machine, runs = describe_machine(), []
    print(", ".join(f"{name} {value}" for name, value in machine["versions"].items()))
    print(f"{machine['cpu_count']} CPUs, {machine['torch_threads']} torch threads")
    runnable = {**benchmarks, **_with_data(on_data, options.data)}
    for name in options.names or names:
        if name not in runnable:
            inside = " and ".join(f"{folder}/" for folder in on_data[name][0])
            print(f"\n{name}: skipped, it needs --data FOLDER with {inside} inside")
            continue
        with watch_load() as load:
            print(f"\n{name} (load average before: {load.average_before})")
            figures = list(shown(runnable[name](quick=options.quick)))
        print(f"other processes took {load}")
        runs.append({"name": name, "quick": options.quick, "load": asdict(load), "figures": figures})
    if options.output:
        write_json(options.output, machine, runs)


def _with_data(on_data: Mapping[str, tuple[Sequence[str], Benchmark]], data: Path | None) -> dict[str, Benchmark]:
    """Return the benchmarks whose data exist."""
    if data is None:
        return {}
    paths = {name: [data / folder for folder in folders] for name, (folders, _) in on_data.items()}
    found = {name: folders for name, folders in paths.items() if all(folder.is_dir() for folder in folders)}
    return {name: partial(on_data[name][1], *folders) for name, folders in found.items()}


if __name__ == "__main__":
    main()
