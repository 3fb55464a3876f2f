import numpy as np
import pytest
import torch

from benchmarks.__main__ import main
from benchmarks.regression import DATA, FOLDERS, TEST_MASK, Table, evaluate, load, run, shot_limits
from benchmarks.regression_methods import BASE, CHOICE, METHODS, Method
from skmetric.imbalance import shot_report

N_ROWS, N_SPLITS = 60, 3


@pytest.fixture
def data(tmp_path):
    """Two small tables in the format of the published ones. The first column is the target."""
    rng = np.random.default_rng(0)
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
        y = np.sort(rng.normal(size=N_ROWS))
        np.savetxt(tmp_path / folder / DATA, np.column_stack([y, rng.random((N_ROWS, 2)), y]), delimiter=",")
        is_test = np.arange(N_ROWS)[:, np.newaxis] % N_SPLITS == np.arange(N_SPLITS)
        np.savetxt(tmp_path / folder / TEST_MASK, is_test, fmt="%d", delimiter=",")
    return tmp_path


class Shifted:
    """Predicts the first column plus an error. Its features are this column and scaled noise."""

    def __init__(self, error, noise):
        self.error, self.noise = error, noise

    def fit(self, X, y):
        return self

    def predict(self, X):
        return X[:, 0] + self.error

    def transform(self, X):
        return X * [1, self.noise, self.noise]


def shifted(name, error, noise):
    return Method(name, lambda n_rows, seed, rounds: Shifted(error, noise), has_representation=True)


def figures_of(data, *methods):
    return {figure.name: figure for figure in run(*(data / f for f in FOLDERS), quick=True, methods=methods)}


def test_rows_are_read_with_their_splits(data):
    table = load(data / FOLDERS[0])
    assert table.X.shape == (N_ROWS, 3)
    assert np.array_equal(table.X[:, 0], table.y)
    assert table.is_test.shape == (N_ROWS, N_SPLITS)
    assert (table.is_test.sum(axis=1) == 1).all()


def test_files_that_do_not_belong_together_are_refused(data):
    np.savetxt(data / FOLDERS[0] / TEST_MASK, np.eye(5), fmt="%d", delimiter=",")
    with pytest.raises(ValueError, match="got 5 and 60 rows"):
        load(data / FOLDERS[0])


def test_each_model_sees_the_training_rows_of_its_split(data):
    table = load(data / FOLDERS[0])
    made, fitted_on = [], []

    class Seen(Shifted):
        def fit(self, X, y):
            fitted_on.append(y)

    def make(n_rows, seed, rounds):
        made.append((n_rows, seed, rounds))
        return Seen(1.0, 0.0)

    outcome = evaluate(table, [Method("seen", make)], None, 7)["seen"]
    assert made == [(40, seed, 7) for seed in range(N_SPLITS)]
    for is_test, y in zip(table.is_test.T, fitted_on, strict=True):
        assert np.array_equal(y, table.y[~is_test])
    assert outcome.measures["MAE"] == pytest.approx(np.ones(N_SPLITS))
    assert outcome.measures["Spearman"] == pytest.approx(np.ones(N_SPLITS))
    assert "neighbor Spearman" not in outcome.measures
    assert len(outcome.fit_seconds) == N_SPLITS


def test_errors_are_those_of_the_shots():
    y = np.concatenate([np.zeros(37), [1.0, 1.0, 20.0], [0.0, 0.0, 1.0, 20.0]])
    is_test = np.arange(len(y)) >= 40
    table = Table(np.column_stack([y, y, y]), y, is_test[:, np.newaxis])
    method = Method("", lambda n_rows, seed, rounds: Shifted(np.array([1.0, 2.0, 4.0, 5.0]), 0.0))
    measures = evaluate(table, [method], None, None)[""].measures
    errors = [measures[f"MAE{shot}"].item() for shot in ("", " many-shot", " medium-shot", " few-shot")]
    assert errors == pytest.approx([3.0, 1.5, 4.0, 5.0])


def test_limits_are_in_units_of_the_mean_of_a_bin():
    # Bins of 40, 2, 3 and 1 rows. The mean over 20 bins is 2.3, so the limits are 3.45 and 1.725.
    y = np.repeat([0.0, 10.0, 20.0, 5.0], [40, 2, 3, 1])
    report = shot_report(y, y, y, **shot_limits(len(y)))
    assert report["count"].to_dict() == {"all": 46, "many": 40, "medium": 5, "few": 1}


def test_targets_are_about_the_default_beside_plain(data):
    figures = figures_of(data, shifted(BASE, 1.0, 100.0), shifted(CHOICE, -1.0, 0.0))
    assert figures[f"MAE of {CHOICE} / {BASE}"].value == pytest.approx(1)
    with_target = [figure for figure in figures.values() if figure.target is not None]
    assert len(with_target) == 5
    assert all(figure.is_met for figure in with_target)

    figures = figures_of(data, shifted(BASE, 1.0, 0.0), shifted(CHOICE, 1.5, 0.0))
    assert figures["airfoil: MAE of default / plain"].value == pytest.approx(1.5)
    assert not any(figure.is_met for figure in figures.values() if figure.target is not None)


def test_a_difference_is_paired(data):
    figures = figures_of(data, shifted(BASE, 1.0, 0.0), shifted(CHOICE, 1.25, 0.0))
    figure = figures["concrete, default: MAE"]
    assert figure.note.startswith("sd ")
    assert "; - plain: +0.25, standard error " in figure.note
    assert "; fit " in figure.note
    assert figure.details["of_splits"] == pytest.approx([1.25, 1.25])
    assert "- plain" not in figures["concrete, plain: MAE"].note


def test_every_method_runs(data):
    before = torch.get_num_threads()
    figures = {figure.name: figure for figure in run(*(data / folder for folder in FOLDERS), quick=True)}
    assert torch.get_num_threads() == before
    assert len([name for name in figures if name.endswith(": MAE")]) == len(METHODS) * len(FOLDERS)
    assert all(figure.value >= 0 for name, figure in figures.items() if name.endswith(": MAE"))
    assert "concrete, default: neighbor Spearman" in figures
    assert "concrete, ridge: neighbor Spearman" not in figures


def test_runs_with_data_only(data, capsys):
    main(["regression", "--quick"])
    skipped = "regression: skipped, it needs --data FOLDER with uci_concrete/ and uci_airfoil/ inside"
    assert skipped in capsys.readouterr().out
    (data / FOLDERS[1]).rename(data / "elsewhere")
    main(["regression", "--quick", "--data", str(data)])
    assert skipped in capsys.readouterr().out
