import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold

from benchmarks.embedding import (
    CHOICE,
    DEFAULTS,
    Outcome,
    baselines,
    compared,
    evaluate,
    learned,
    run,
    standard_errors,
)
from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder

FOLDS = [(np.arange(40), np.arange(40, 50))] * 4


def outcomes_of(**accuracies):
    return {name.replace("_", " "): Outcome(np.array(values), 1.0) for name, values in accuracies.items()}


def test_standard_errors_are_those_of_independent_folds_and_of_shared_rows():
    plain, corrected = standard_errors(np.array([0.0, 1.0, 2.0, 3.0]), FOLDS)
    spread = np.sqrt(5 / 3)
    assert plain == pytest.approx(spread / 2)
    assert corrected == pytest.approx(spread * np.sqrt(1 / 4 + 10 / 40))


def test_defaults_stand_beside_the_best_baseline():
    names = dict(zip(DEFAULTS, ([0.9, 0.8, 0.9, 0.8], [0.7, 0.9, 0.7, 0.9]), strict=True))
    outcomes = {
        **outcomes_of(scaled_columns=[0.5] * 4, LDA=[0.8, 0.9, 0.8, 0.9]),
        **{name: Outcome(np.array(values), 1.0) for name, values in names.items()},
    }
    triplet, contrastive = compared("table", outcomes, FOLDS)
    assert triplet.name == f"table: {DEFAULTS[0]} - LDA"
    assert triplet.value == pytest.approx(0.0, abs=1e-12)
    assert triplet.is_met
    assert contrastive.details["of_folds"] == pytest.approx([-0.1, 0.0, -0.1, 0.0])
    # A mean of -0.05 with a standard error of 0.0577 / 2, or 0.0577 * sqrt(1 / 2).
    assert contrastive.value == pytest.approx(-np.sqrt(3))
    assert contrastive.is_met is False
    assert contrastive.note == "-0.0500; standard error 0.0289, of Nadeau and Bengio 0.0408, in which -1.22"


@pytest.mark.parametrize(
    ("accuracy", "value", "is_met"), [(0.9, 0.0, True), (0.8, -np.inf, False), (1.0, np.inf, True)]
)
def test_differences_that_do_not_vary(accuracy, value, is_met):
    outcomes = {name: Outcome(np.full(4, accuracy), 1.0) for name in DEFAULTS}
    for figure in compared("", {**outcomes_of(LDA=[0.9] * 4), **outcomes}, FOLDS):
        assert (figure.value, figure.is_met) == (value, is_met)


@pytest.mark.parametrize("name", [*DEFAULTS, "LDA"])
def test_a_stack_gives_the_accuracy_of_single_fits(name):
    X, y = load_wine(return_X_y=True)
    folds = list(StratifiedKFold(3).split(X, y))
    estimator = {**baselines(2), **learned(max_iter=3)}[name]
    outcome = evaluate(estimator, X, y, folds)
    alone = [clone(estimator).fit(X[train], y[train]).score(X[test], y[test]) for train, test in folds]
    if isinstance(estimator, TripletEmbedder | ContrastiveEmbedder):
        alone = [np.mean(clone(estimator).fit(X[train], y[train]).predict(X[test]) == y[test]) for train, test in folds]
    assert outcome.accuracy == pytest.approx(alone, abs=1e-12)
    assert outcome.duration > 0


def test_figures():
    figures = {figure.name: figure for figure in run(quick=True)}
    methods = [*baselines(2), *learned()]
    assert [f"wine: {method}" for method in methods] == list(figures)[: len(methods)]
    differences = [figure for name, figure in figures.items() if name.startswith("wine: ") and figure.target]
    assert len(differences) == len(DEFAULTS)
    in_two = {name.removeprefix("digits in 2: "): figure for name, figure in figures.items() if "digits" in name}
    assert list(in_two) == ["scaler, PCA", "scaler, LDA", "scaler, NCA", *learned()]
    assert [name for name, figure in in_two.items() if figure.target] == [CHOICE]
    others = [figure for figure in figures.values() if figure.unit != "se"]
    assert all(0 < figure.value <= 1 for figure in others)
