import numpy as np
import pytest
from sklearn.datasets import dump_svmlight_file

from benchmarks.__main__ import main
from benchmarks.ranking import FOLDER, N_FEATURES, PARTS, Outcome, compared, evaluate, intervals, load, run
from benchmarks.ranking_methods import LEADING_PEER, OURS, PEERS, Method


@pytest.fixture
def folder(tmp_path):
    """Twenty queries of nine rows in the format of the published files. The first column is the relevance plus 1."""
    rng = np.random.default_rng(0)
    for part in PARTS:
        y = np.tile([0, 0, 1, 0, 2, 0, 0, 1, 0], 10)
        X = np.column_stack([y + 1, rng.random((90, N_FEATURES - 1))])
        dump_svmlight_file(X, y, str(tmp_path / part))
        np.savetxt(tmp_path / f"{part}.query", np.full(10, 9), fmt="%d")
    return tmp_path


def first_column(seed, rounds):
    return lambda X, y, groups: lambda X: X[:, 0]


def minus_first_column(seed, rounds):
    return lambda X, y, groups: lambda X: -X[:, 0]


def test_rows_are_read_query_by_query(folder):
    queries = load(folder)
    assert queries.X.shape == (180, N_FEATURES)
    assert np.array_equal(queries.X[:, 0], queries.y + 1)
    assert np.array_equal(queries.groups, np.repeat(np.arange(20), 9))
    assert len(queries.first(3).y) == 27


def test_each_row_is_scored_by_a_model_that_has_not_seen_it(folder):
    queries = load(folder)
    folds = [(np.arange(90, 180), np.arange(90)), (np.arange(90), np.arange(90, 180))]
    fitted_on = []

    def make(seed, rounds):
        def fit(X, y, groups):
            fitted_on.append(set(groups))
            return lambda X: X[:, 0] * (1 if seed else -1)

        return fit

    outcome = evaluate(Method("", make), queries, folds, range(2), None)
    assert fitted_on == [set(range(10, 20)), set(range(10))] * 2
    assert outcome.values.shape == (2, 20)
    assert (outcome.values[1] == 1).all()
    assert (outcome.values[0] < 0.7).all()
    assert outcome.mean == pytest.approx(outcome.values.mean())


def test_intervals_are_those_of_a_mean():
    differences = np.random.default_rng(1).normal([0.0, 1.0], [1.0, 2.0], size=(400, 2))
    lower, upper = intervals(differences, 10_000)
    means, errors = differences.mean(axis=0), differences.std(axis=0) / 20
    assert lower == pytest.approx(means - 1.96 * errors, abs=0.01)
    assert upper == pytest.approx(means + 1.96 * errors, abs=0.01)


def test_a_bad_result_is_a_missed_target(folder):
    ours = (Method("forward", first_column), Method("backward", minus_first_column))
    figures = {f.name: f for f in run(folder, quick=True, ours=ours, peers=(Method(LEADING_PEER, first_column),))}
    assert figures[f"forward - {LEADING_PEER}"].is_met
    assert figures["peers better than forward"].is_met
    assert figures[f"{LEADING_PEER} - forward"].details["verdict"] == "no clear difference"
    assert figures[f"{LEADING_PEER} - backward"].details["verdict"] == "better"

    figures = {f.name: f for f in run(folder, quick=True, ours=ours[1:], peers=(Method(LEADING_PEER, first_column),))}
    assert figures[f"backward - {LEADING_PEER}"].is_met is False
    assert figures["peers better than backward"].is_met is False


def test_the_first_choice_stands_beside_the_best():
    values = {"PairwiseRanker hinge": 0.8, "ListwiseRanker softmax": 0.7, "ridge": 0.75}
    outcomes = {name: Outcome(np.full((1, 5), value), [1.0], [1.0]) for name, value in values.items()}
    names = [f.name for f in compared(outcomes, list(values)[:2], ["ridge"], 100)]
    assert names == [
        "peers better than PairwiseRanker hinge",
        "ridge - PairwiseRanker hinge",
        "peers better than ListwiseRanker softmax",
        "ridge - ListwiseRanker softmax",
    ]


@pytest.mark.filterwarnings("ignore:n_quantiles")
def test_every_method_runs(folder):
    for package in ("lightgbm", "xgboost", "catboost"):
        pytest.importorskip(package)
    figures = [f for f in run(folder, quick=True) if f.name.endswith("NDCG@10")]
    assert len(figures) == len(OURS) + len(PEERS)
    assert all(0 <= figure.value <= 1 for figure in figures)


def test_runs_with_data_only(capsys):
    main(["ranking", "--quick"])
    assert f"ranking: skipped, it needs --data FOLDER with {FOLDER}/ inside" in capsys.readouterr().out
