import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import dump_svmlight_file

from benchmarks.__main__ import main
from benchmarks.ranking import FOLDER, N_FEATURES, PARTS, compared, evaluate, load, mean_of_seeds, run
from benchmarks.ranking_methods import LEADING_PEER, OURS, PEERS, Method
from skmetric.metrics import ndcg_score
from skmetric.model_selection import RankerComparison


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


class FirstColumn(BaseEstimator):
    """Ranks by the first column, which is the relevance plus 1."""

    def __init__(self, sign=1):
        self.sign = sign

    def fit(self, X, y, groups):
        return self

    def predict(self, X):
        return self.sign * X[:, 0]


def first_column(seed, rounds):
    return FirstColumn()


def minus_first_column(seed, rounds):
    return FirstColumn(-1)


def test_rows_are_read_query_by_query(folder):
    queries = load(folder)
    assert queries.X.shape == (180, N_FEATURES)
    assert np.array_equal(queries.X[:, 0], queries.y + 1)
    assert np.array_equal(queries.groups, np.repeat(np.arange(20), 9))
    assert len(queries.first(3).y) == 27


def test_values_are_means_over_seeds(folder):
    queries = load(folder)
    method = Method("", lambda seed, rounds: FirstColumn(1 if seed else -1))
    seeds = [evaluate([method], queries, 2, 50, seed, None) for seed in range(2)]
    backward = ndcg_score(queries.y, -queries.X[:, 0], groups=queries.groups, k=10, reduction=None)
    assert np.array_equal(seeds[0].values[0], backward)
    assert (seeds[1].values == 1).all()
    pooled = mean_of_seeds(seeds)
    assert pooled.values[0] == pytest.approx((1 + backward) / 2)
    assert pooled.bootstrap_means[:, 0] == pytest.approx((1 + seeds[0].bootstrap_means[:, 0]) / 2)


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
    means = {"PairwiseRanker hinge": 0.8, "ListwiseRanker softmax": 0.7, "ridge": 0.75}
    values = np.tile(list(means.values()), (5, 1))
    pooled = RankerComparison(
        list(means), "ridge", "ndcg@10", np.arange(5), values.T, values, np.ones((3, 1)), np.ones((3, 1)), ""
    )
    figures = list(compared(pooled, list(means)[:2], ["ridge"]))
    assert [figure.name for figure in figures] == [
        "peers better than PairwiseRanker hinge",
        "ridge - PairwiseRanker hinge",
        "peers better than ListwiseRanker softmax",
        "ridge - ListwiseRanker softmax",
    ]
    assert [figure.value for figure in figures] == pytest.approx([0, -0.05, 1, 0.05])


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
