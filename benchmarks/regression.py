"""Errors of RankSimRegressor on frequent and rare targets, compared with gradient boosting and ridge."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks.harness import Figure, at_least, at_most, seconds
from benchmarks.one_thread import one_thread
from benchmarks.regression_methods import BASE, CHOICE, METHODS, Method
from skmetric.imbalance import shot_report
from skmetric.losses import neighbor_spearman

__all__ = ["DATA", "FOLDERS", "TEST_MASK", "Outcome", "Table", "evaluate", "load", "run", "shot_limits"]

FOLDERS = ("uci_concrete", "uci_airfoil")
DATA, TEST_MASK = "data.csv.gz", "test_mask.csv.gz"
# The shots of a row are the training rows in its bin of the target. The limits are multiples of the mean number of
# training rows per bin.
N_BINS, MANY, FEW = 20, 1.5, 0.75
ERRORS = {"all": "MAE", "many": "MAE many-shot", "medium": "MAE medium-shot", "few": "MAE few-shot"}
ORDER, NEIGHBORS = "Spearman", "neighbor Spearman"
# Neighbors by the prediction: the best possible value of a representation that is a function of the prediction.
BY_PREDICTION = "neighbor Spearman by prediction"
RATIO_TARGET = at_most(1.01)
RISE_TARGET = at_least(0.05)
QUICK_SPLITS, QUICK_ROUNDS = 2, 3


@dataclass(frozen=True)
class Table:
    """Rows with their target, and the rows that each split holds out."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    is_test: NDArray[np.bool_]  # (n_samples, n_splits)


@dataclass(frozen=True)
class Outcome:
    """Results of one method, split by split: its measures by name, in table order, and the seconds to fit."""

    measures: Mapping[str, NDArray[np.float64]]
    fit_seconds: list[float]


def load(folder: Path) -> Table:
    """Read the columns, of which the last is the target, and one mask per split, which is 1 for test rows."""
    values = np.loadtxt(folder / DATA, delimiter=",", ndmin=2)
    is_test = np.loadtxt(folder / TEST_MASK, delimiter=",", ndmin=2) == 1
    if len(values) != len(is_test):
        raise ValueError(f"{TEST_MASK} must have as many rows as {DATA}, got {len(is_test)} and {len(values)} rows.")
    return Table(values[:, :-1], values[:, -1], is_test)


def run(*folders: Path, quick: bool, methods: Sequence[Method] = METHODS) -> Iterator[Figure]:
    """Report every measure of every method, table by table, and compare RankSim with the plain network."""
    ratios = {}
    for folder in folders:
        name = folder.name.removeprefix("uci_")
        with one_thread():
            outcomes = evaluate(load(folder), methods, QUICK_SPLITS if quick else None, QUICK_ROUNDS if quick else None)
        for method, outcome in outcomes.items():
            yield from _measures(f"{name}, {method}", outcome, None if method == BASE else outcomes[BASE])
        yield from _ranksim(name, outcomes[CHOICE], outcomes[BASE])
        ratios[name] = _ratio(outcomes[CHOICE], outcomes[BASE])
    mean = float(np.exp(np.mean(np.log(list(ratios.values())))))
    yield Figure(f"MAE of {CHOICE} / {BASE}", mean, "x", RATIO_TARGET, note=f"geometric mean over {', '.join(ratios)}")


def evaluate(table: Table, methods: Sequence[Method], n_splits: int | None, rounds: int | None) -> dict[str, Outcome]:
    """Fit and score every method on each split. The number of the split is the seed."""
    taken: dict[str, list[tuple[dict[str, float], float]]] = {method.name: [] for method in methods}
    for split, is_test in enumerate(table.is_test.T[:n_splits]):
        for method in methods:
            taken[method.name].append(_evaluate_once(table, is_test, method, split, rounds))
    outcomes = {}
    for name, each in taken.items():
        measures, fit_seconds = zip(*each, strict=True)
        outcomes[name] = Outcome({key: np.array([m[key] for m in measures]) for key in measures[0]}, list(fit_seconds))
    return outcomes


def shot_limits(n_rows: int) -> dict[str, float]:
    """Return the parameters of ``shot_report`` for a model with this number of training rows."""
    return {"bins": N_BINS, "many": MANY * n_rows / N_BINS, "few": FEW * n_rows / N_BINS}


def _evaluate_once(
    table: Table, is_test: NDArray[np.bool_], method: Method, seed: int, rounds: int | None
) -> tuple[dict[str, float], float]:
    X, y, X_test, y_test = table.X[~is_test], table.y[~is_test], table.X[is_test], table.y[is_test]
    regressor = method.make(len(y), seed, rounds)
    start = perf_counter()
    regressor.fit(X, y)
    fitting = perf_counter() - start
    predicted = regressor.predict(X_test)
    report = shot_report(y, y_test, predicted, **shot_limits(len(y)))
    measures = {name: float(report.loc[shot, "mae"]) for shot, name in ERRORS.items()}
    measures[ORDER] = float(spearmanr(y_test, predicted).statistic)
    if method.has_representation:
        # In double precision, because rounding would create ties of targets or distances.
        features = torch.from_numpy(regressor.transform(X_test)).double()
        labels = torch.from_numpy(y_test)
        measures[NEIGHBORS] = float(neighbor_spearman(features, labels))
        measures[BY_PREDICTION] = float(neighbor_spearman(torch.from_numpy(predicted[:, None]), labels))
    return measures, fitting


def _measures(name: str, outcome: Outcome, base: Outcome | None) -> Iterator[Figure]:
    for measure, values in outcome.measures.items():
        notes = [f"sd {_spread(values):.3g}"]
        if base is not None and measure in base.measures:
            notes.append(f"- {BASE}: {_difference(values - base.measures[measure])}")
        details: dict[str, list[float]] = {"of_splits": values.tolist()}
        if measure == ERRORS["all"]:
            notes.append(f"fit {seconds(float(np.median(outcome.fit_seconds)))}")
            details["fit_s"] = outcome.fit_seconds
        yield Figure(f"{name}: {measure}", _mean(values), note="; ".join(notes), details=details)


def _ranksim(name: str, choice: Outcome, base: Outcome) -> Iterator[Figure]:
    """Report the figures that have a target."""
    error, order = (choice.measures[key] - base.measures[key] for key in (ERRORS["all"], NEIGHBORS))
    yield Figure(
        f"{name}: MAE of {CHOICE} / {BASE}",
        _ratio(choice, base),
        "x",
        RATIO_TARGET,
        note=f"difference {_difference(error)}",
    )
    yield Figure(
        f"{name}: {NEIGHBORS}, {CHOICE} - {BASE}",
        _mean(order),
        "",
        RISE_TARGET,
        note=f"difference {_difference(order)}",
    )


def _ratio(choice: Outcome, base: Outcome) -> float:
    return _mean(choice.measures[ERRORS["all"]]) / _mean(base.measures[ERRORS["all"]])


def _difference(differences: NDArray[np.float64]) -> str:
    """Format the mean over the splits and its standard error."""
    error = _spread(differences) / np.sqrt(np.isfinite(differences).sum())
    return f"{_mean(differences):+.3g}, standard error {error:.2g}"


def _mean(values: NDArray[np.float64]) -> float:
    """Return the mean over the splits with a value, because a split may have no few-shot test row."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def _spread(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else np.nan
